#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "formats/base/shell_word.h"

static const struct {
	const char *what;
	const char *in;
	const char *out;
} cases[] = {
	{ "nothing", "", "''" },
	{ "options and paths", "--port=80", "--port=80" },
	{ "an assignment", "a=b", "'a=b'" },
	{ "every plain mark", "a+b,c-d.e/f:g@h_i%j0", "a+b,c-d.e/f:g@h_i%j0" },
	{ "a space", "two words", "'two words'" },
	{ "what a shell would expand", "$HOME/*.c", "'$HOME/*.c'" },
	{ "home", "~", "'~'" },
	{ "a double quote and a backslash", "a\"b\\c", "'a\"b\\c'" },
	{ "a quote", "it's", "$'it\\'s'" },
	{ "a quote and a backslash", "'\\", "$'\\'\\\\'" },
	{ "newline, tab and return", "a\nb\tc\rd", "$'a\\nb\\tc\\rd'" },
	{ "other control characters", "\a\b\v\f\x1b\x01\x7f", "$'\\a\\b\\v\\f\\033\\001\\177'" },
	{ "a digit behind an escape",
			"\x01"
			"7",
			"$'\\0017'" },
	{ "letters of other scripts",
			"stra\xc3\x9f"
			"e",
			"'stra\xc3\x9f"
			"e'" },
	{ "bytes that are no UTF-8", "a\xff\xc3", "$'a\\377\\303'" },
	{ "a control that turns the text around", "a\xe2\x80\xae", "$'a\\342\\200\\256'" },
	{ "the replacement character itself", "\xef\xbf\xbd", "$'\\357\\277\\275'" },
};

static void each_word_is_written_as_a_shell_reads_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(cases); i++) {
		size_t length = strlen(cases[i].in);
		char out[100];

		assert_true(SHELL_WORD_ROOM(length) <= sizeof(out));
		assert_int_equal(shell_word(out, SHELL_WORD_ROOM(length), cases[i].in, length),
				strlen(cases[i].out));
		assert_string_equal(out, cases[i].out);
	}
}

static void the_room_for_the_worst_word_suffices(void **state)
{
	static const char worst[] = "\x01\x01\x01";
	char out[SHELL_WORD_ROOM(3)];

	(void)state;
	assert_int_equal(shell_word(out, sizeof(out), worst, 3), sizeof(out) - 1);
	assert_string_equal(out, "$'\\001\\001\\001'");
}

static void a_word_without_room_ends_between_characters(void **state)
{
	/* By capacity. */
	static const char *const parts[] = { "", "", "", "$'", "$'a", "$'a", "$'a", "$'a",
		"$'a\\001", "$'a\\001", "$'a\\001\xc3\x9f", "$'a\\001\xc3\x9f'" };
	char out[16];

	(void)state;
	assert_int_equal(shell_word(out, 0, "a", 1), 0);
	for (size_t capacity = 1; capacity < LO_COUNT_OF(parts); capacity++) {
		memset(out, 'x', sizeof(out));
		assert_int_equal(shell_word(out, capacity, "a\x01\xc3\x9f", 4),
				strlen(parts[capacity]));
		assert_string_equal(out, parts[capacity]);
		assert_int_equal(out[capacity], 'x');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_word_is_written_as_a_shell_reads_it),
		cmocka_unit_test(the_room_for_the_worst_word_suffices),
		cmocka_unit_test(a_word_without_room_ends_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
