#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/base/byte_cursor.h"
#include "formats/base/macros.h"
#include "formats/base/varint.h"

static const struct {
	uint64_t value;
	size_t size;
} cases[] = {
	{ 0, 1 },
	{ 1, 1 },
	{ 127, 1 },
	{ 128, 2 },
	{ 16383, 2 },
	{ 16384, 3 },
	{ UINT32_MAX, 5 },
	{ (1ull << 35) - 1, 5 },
	{ 1ull << 35, 6 },
	{ (1ull << 63) - 1, 9 },
	{ 1ull << 63, 10 },
	{ UINT64_MAX, 10 },
};

static void a_number_comes_back_at_every_size_boundary(void **state)
{
	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(cases); i++) {
		uint8_t bytes[VARINT_MAX];
		uint64_t got = 0;
		size_t size = varint_put(bytes, cases[i].value);

		assert_int_equal(size, cases[i].size);
		assert_int_equal(varint_get(bytes, size, &got), size);
		assert_true(got == cases[i].value);
	}
}

static void a_number_cut_short_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(cases); i++) {
		uint8_t bytes[VARINT_MAX];
		uint64_t got;
		size_t size = varint_put(bytes, cases[i].value);

		for (size_t cut = 0; cut < size; cut++)
			assert_int_equal(varint_get(bytes, cut, &got), 0);
	}
}

static void a_number_of_more_than_64_bits_is_refused(void **state)
{
	uint8_t bytes[11] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0 };
	uint64_t got;

	(void)state;
	assert_int_equal(varint_get(bytes, sizeof(bytes), &got), 0);
	bytes[9] = 0x81; /* one more byte would follow */
	assert_int_equal(varint_get(bytes, sizeof(bytes), &got), 0);
}

static void a_needlessly_long_form_is_accepted(void **state)
{
	static const uint8_t bytes[] = { 0x85, 0x80, 0x00 };
	uint64_t got = 0;

	(void)state;
	assert_int_equal(varint_get(bytes, sizeof(bytes), &got), 3);
	assert_int_equal(got, 5);
}

static void differences_of_either_sign_stay_short(void **state)
{
	static const uint64_t differences[] = { 0, 1, UINT64_MAX, 2, UINT64_MAX - 1, 1ull << 63,
		(1ull << 63) - 1 };

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(differences); i++)
		assert_true(zigzag_unfold(zigzag_fold(differences[i])) == differences[i]);
	assert_int_equal(zigzag_fold(0), 0);
	assert_int_equal(zigzag_fold(UINT64_MAX), 1); /* -1 */
	assert_int_equal(zigzag_fold(1), 2);
}

static void a_cursor_never_leaves_its_bytes(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 0x80 };
	struct byte_cursor cursor = byte_cursor_over(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(byte_cursor_varint(&cursor), 1);
	assert_null(byte_cursor_bytes(&cursor, 3));
	assert_true(cursor.failed);
	assert_int_equal(byte_cursor_left(&cursor), 0);
	assert_int_equal(byte_cursor_byte(&cursor), 0);

	cursor = byte_cursor_over(bytes, sizeof(bytes));
	assert_ptr_equal(byte_cursor_bytes(&cursor, 2), bytes);
	assert_false(cursor.failed);
	assert_int_equal(byte_cursor_varint(&cursor), 0); /* 0x80 wants more */
	assert_true(cursor.failed);
	assert_null(byte_cursor_bytes(&cursor, UINT64_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_comes_back_at_every_size_boundary),
		cmocka_unit_test(a_number_cut_short_is_refused),
		cmocka_unit_test(a_number_of_more_than_64_bits_is_refused),
		cmocka_unit_test(a_needlessly_long_form_is_accepted),
		cmocka_unit_test(differences_of_either_sign_stay_short),
		cmocka_unit_test(a_cursor_never_leaves_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
