#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/drain/process_maps.h"

static void a_line_gives_range_offset_and_path(void **state)
{
	struct process_mapping mapping;

	(void)state;
	assert_true(process_mapping_parse("7f3e61f86000-7f3e6200c000 r-xp 00026000 fe:00 1311747   "
					  "                 /usr/lib/x86_64-linux-gnu/libc.so.6\n",
			&mapping));
	assert_true(mapping.begin == 0x7f3e61f86000 && mapping.end == 0x7f3e6200c000);
	assert_int_equal(mapping.offset, 0x26000);
	assert_string_equal(mapping.path, "/usr/lib/x86_64-linux-gnu/libc.so.6");
}

static void paths_keep_their_blanks(void **state)
{
	struct process_mapping mapping;

	(void)state;
	assert_true(process_mapping_parse(
			"1000-2000 r-xp 00000000 00:00 0   /tmp/my  lib (deleted)", &mapping));
	assert_string_equal(mapping.path, "/tmp/my  lib (deleted)");
}

static void what_has_no_name_or_no_sense_is_refused(void **state)
{
	static const char *const lines[] = { "", "\n", "nonsense", "1000-2000 r-xp 0 00:00 0\n",
		"1000-2000 r-xp 00000000 00:00 0 \n", "1000 2000 r-xp 0 00:00 0 /x", "-" };
	struct process_mapping mapping;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_false(process_mapping_parse(lines[i], &mapping));
}

static void our_own_code_is_found_and_a_hole_is_not(void **state)
{
	struct process_mapping mapping;

	(void)state;
	assert_true(process_maps_find((uint32_t)getpid(),
			(uint64_t)(uintptr_t)our_own_code_is_found_and_a_hole_is_not, &mapping));
	assert_non_null(strstr(mapping.path, "test_process_maps"));
	assert_false(process_maps_find((uint32_t)getpid(), 0x10, &mapping));
	assert_false(process_maps_find(UINT32_MAX, 0x10, &mapping));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_gives_range_offset_and_path),
		cmocka_unit_test(paths_keep_their_blanks),
		cmocka_unit_test(what_has_no_name_or_no_sense_is_refused),
		cmocka_unit_test(our_own_code_is_found_and_a_hole_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
