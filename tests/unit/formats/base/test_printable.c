#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "formats/base/printable.h"

#define BAD "\xef\xbf\xbd" /* U+FFFD */

static const struct {
	const char *what;
	const char *in;
	const char *out;
} cases[] = {
	{ "plain text", "order worker/7", "order worker/7" },
	{ "nothing", "", "" },
	{ "two, three and four bytes", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x8d\xba",
			"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x8d\xba" },
	{ "combining accent", "e\xcc\x81", "e\xcc\x81" },

	{ "escape sequence", "\x1b[31mred\x1b[0m", BAD "[31mred" BAD "[0m" },
	{ "title with bell", "\x1b]0;x\x07", BAD "]0;x" BAD },
	{ "newline, return, tab", "a\nb\rc\td", "a" BAD "b" BAD "c" BAD "d" },
	{ "delete and backspace", "a\x7f\b", "a" BAD BAD },
	{ "8-bit escape as UTF-8",
			"\xc2\x9b"
			"31m",
			BAD "31m" },
	{ "8-bit escape as a raw byte",
			"\x9b"
			"31m",
			BAD "31m" },

	{ "right-to-left override",
			"a\xe2\x80\xae"
			"b",
			"a" BAD "b" },
	{ "isolate", "\xe2\x81\xa6x\xe2\x81\xa9", BAD "x" BAD },
	{ "Arabic letter mark", "\xd8\x9c", BAD },
	{ "line separator", "\xe2\x80\xa8", BAD },
	{ "zero width space",
			"a\xe2\x80\x8b"
			"b",
			"a" BAD "b" },
	{ "soft hyphen", "\xc2\xad", BAD },
	{ "byte order mark", "\xef\xbb\xbf", BAD },
	{ "tag character", "\xf3\xa0\x81\x81", BAD },
	{ "private use", "\xee\x80\x80", BAD },
	{ "noncharacter", "\xef\xbf\xbf", BAD },
	{ "noncharacter of plane 1", "\xf0\x9f\xbf\xbe", BAD },

	{ "lone continuation bytes", "\x80\xbf", BAD BAD },
	{ "overlong slash of two bytes", "\xc0\xaf", BAD BAD },
	{ "overlong slash of three", "\xe0\x80\xaf", BAD BAD BAD },
	{ "overlong slash of four", "\xf0\x80\x80\xaf", BAD BAD BAD BAD },
	{ "surrogate", "\xed\xa0\x80", BAD BAD BAD },
	{ "beyond Unicode", "\xf4\x90\x80\x80", BAD BAD BAD BAD },
	{ "five-byte form", "\xf8\x88\x80\x80\x80", BAD BAD BAD BAD BAD },
	{ "0xfe and 0xff", "\xfe\xff", BAD BAD },
	{ "cut at the end", "ab\xe2\x82", "ab" BAD },
	{ "cut by a letter", "\xe2\x82z", BAD "z" },
	{ "cut by an escape", "\xf0\x9f\x1b[m", BAD BAD "[m" },
	{ "the replacement itself", BAD, BAD },
};

static void text_becomes_fit_to_be_shown(void **state)
{
	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(cases); i++) {
		char out[64];
		size_t length = printable_copy(
				out, sizeof(out), cases[i].in, strlen(cases[i].in), 0);

		if (strcmp(out, cases[i].out) != 0)
			fail_msg("%s: got '%s'", cases[i].what, out);
		assert_int_equal(length, strlen(out));
	}
}

static void a_nul_inside_is_replaced(void **state)
{
	char out[16];

	(void)state;
	assert_int_equal(printable_copy(out, sizeof(out), "a\0b", 3, 0), 5);
	assert_string_equal(out, "a" BAD "b");
}

static void ascii_only_leaves_nothing_else(void **state)
{
	char out[16];

	(void)state;
	printable_copy(out, sizeof(out), "\xc3\xa4\x1b\xe2\x82z", 6, 1);
	assert_string_equal(out, "???z");
}

static void no_character_is_cut_by_the_capacity(void **state)
{
	static const char euros[] = "a\xe2\x82\xac\xe2\x82\xac";

	(void)state;
	for (size_t capacity = 1; capacity <= sizeof(euros); capacity++) {
		char out[16];
		size_t length;

		memset(out, 'x', sizeof(out));
		length = printable_copy(out, capacity, euros, sizeof(euros) - 1, 0);
		assert_int_equal(length, capacity < 2 ? 0 : 1 + (capacity - 2) / 3 * 3);
		assert_int_equal(out[length], '\0');
		for (size_t i = capacity; i < sizeof(out); i++)
			assert_int_equal(out[i], 'x');
	}
	assert_int_equal(printable_copy(NULL, 0, euros, 3, 0), 0);
}

/* Whatever the bytes are, the output is made of fit characters only, and reading goes forward. */
static void any_two_bytes_give_safe_output(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair < 0x10000; pair++) {
		char in[3] = { (char)(pair >> 8), (char)pair, 'z' };
		char out[16];
		size_t length = printable_copy(out, sizeof(out), in, sizeof(in), 0);

		assert_int_equal(out[length - 1], 'z');
		for (size_t at = 0; at < length;) {
			uint32_t code_point;
			size_t used = printable_next(out + at, length - at, &code_point);

			assert_true(used > 0);
			assert_true(code_point >= 0x20 && code_point != 0x7f);
			assert_false(code_point >= 0x80 && code_point < 0xa0);
			if (code_point == 0xfffd)
				assert_memory_equal(out + at, BAD, 3);
			at += used;
		}
	}
}

static void nothing_is_read_from_nothing(void **state)
{
	uint32_t code_point = 0;

	(void)state;
	assert_int_equal(printable_next("", 0, &code_point), 0);
	assert_int_equal(code_point, 0xfffd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_becomes_fit_to_be_shown),
		cmocka_unit_test(a_nul_inside_is_replaced),
		cmocka_unit_test(ascii_only_leaves_nothing_else),
		cmocka_unit_test(no_character_is_cut_by_the_capacity),
		cmocka_unit_test(any_two_bytes_give_safe_output),
		cmocka_unit_test(nothing_is_read_from_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
