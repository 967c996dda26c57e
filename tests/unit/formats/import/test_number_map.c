#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/import/number_map.h"

static void an_empty_map_finds_nothing(void **state)
{
	struct number_map map = { 0 };

	(void)state;
	assert_int_equal(number_map_get(&map, 0), 0);
	assert_int_equal(number_map_get(&map, UINT64_MAX), 0);
	number_map_remove(&map, 7);
	number_map_clear(&map);
	number_map_release(&map);
}

static void the_last_value_of_a_number_counts(void **state)
{
	struct number_map map = { 0 };

	(void)state;
	assert_int_equal(number_map_put(&map, UINT64_MAX, 1, NULL), LO_OK);
	assert_int_equal(number_map_put(&map, 0, 2, NULL), LO_OK);
	assert_int_equal(number_map_put(&map, UINT64_MAX, 3, NULL), LO_OK);
	assert_int_equal(number_map_get(&map, UINT64_MAX), 3);
	assert_int_equal(number_map_get(&map, 0), 2);
	assert_int_equal(map.used, 2);
	number_map_release(&map);
}

/* Removal moves entries back over the gap; every other number must stay where it can be found. */
static void removing_some_keeps_the_others(void **state)
{
	struct number_map map = { 0 };

	(void)state;
	for (uint32_t i = 1; i <= 5000; i++)
		assert_int_equal(number_map_put(&map, i * 0x100000001u, i, NULL), LO_OK);
	for (uint32_t i = 1; i <= 5000; i += 3)
		number_map_remove(&map, i * 0x100000001u);
	for (uint32_t i = 1; i <= 5000; i++)
		assert_int_equal(number_map_get(&map, i * 0x100000001u), i % 3 == 1 ? 0 : i);
	for (uint32_t i = 1; i <= 5000; i++)
		number_map_remove(&map, i * 0x100000001u);
	assert_int_equal(map.used, 0);
	number_map_release(&map);
}

static void clearing_forgets_all_and_can_be_filled_again(void **state)
{
	struct number_map map = { 0 };

	(void)state;
	for (uint32_t i = 1; i <= 100; i++)
		assert_int_equal(number_map_put(&map, i, i, NULL), LO_OK);
	number_map_clear(&map);
	assert_int_equal(number_map_get(&map, 50), 0);
	assert_int_equal(number_map_put(&map, 50, 9, NULL), LO_OK);
	assert_int_equal(number_map_get(&map, 50), 9);
	number_map_release(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_finds_nothing),
		cmocka_unit_test(the_last_value_of_a_number_counts),
		cmocka_unit_test(removing_some_keeps_the_others),
		cmocka_unit_test(clearing_forgets_all_and_can_be_filled_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
