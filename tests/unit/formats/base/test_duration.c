#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/duration.h"
#include "formats/base/macros.h"

#define SECOND 1000000000ull
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

static void durations_have_three_digits_and_a_unit(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0 ns" }, { 999, "999 ns" }, { 1000, "1.00 us" }, { 9994, "9.99 us" },
		{ 9996, "10.0 us" }, { 12345, "12.3 us" }, { 99960, "100 us" },
		{ 999499, "999 us" }, { 999500, "1.00 ms" }, { 1200000, "1.20 ms" },
		{ 999499999, "999 ms" }, { 999500000, "1.00 s" }, { 12400000000, "12.4 s" },
		{ 59949999999, "59.9 s" }, { 59950000000, "1 min 0 s" }, { MINUTE, "1 min 0 s" },
		{ 200 * SECOND, "3 min 20 s" }, { HOUR - SECOND / 2 - 1, "59 min 59 s" },
		{ HOUR - SECOND / 2, "1 h 00 min" }, { HOUR, "1 h 00 min" },
		{ 2 * HOUR + 5 * MINUTE, "2 h 05 min" }, { 100 * HOUR, "100 h 00 min" },
		{ 2 * HOUR + 29 * SECOND, "2 h 00 min" },
		{ 2 * HOUR + 59 * MINUTE + 30 * SECOND, "3 h 00 min" },
		{ UINT64_MAX, "5124095 h 35 min" } /* 34 min 33.7 s */
	};

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(cases); i++) {
		char text[DURATION_TEXT_MAX];

		assert_string_equal(duration_format(text, cases[i].ns), cases[i].text);
	}
}

static void points_in_time_have_a_fixed_shape(void **state)
{
	char text[DURATION_TEXT_MAX];

	(void)state;
	assert_string_equal(time_point_format(text, 0), "0:00.000");
	assert_string_equal(time_point_format(text, 4217000000), "0:04.217");
	assert_string_equal(time_point_format(text, 4217999999), "0:04.217");
	assert_string_equal(time_point_format(text, 14 * MINUTE + 3200000000), "14:03.200");
	assert_string_equal(time_point_format(text, HOUR - 1), "59:59.999");
	assert_string_equal(time_point_format(text, 2 * HOUR + 14 * MINUTE + 3200000000),
			"2:14:03.200");
	assert_string_equal(time_point_format(text, UINT64_MAX), "5124095:34:33.709");
}

static void sizes_have_three_digits_and_a_unit(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },
		{ 517, "517 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.00 KiB" },
		{ 65536, "64.0 KiB" },
		{ 1023 * 1024, "1023 KiB" },
		{ 1024 * 1024 - 1, "1.00 MiB" },
		{ 1258291, "1.20 MiB" },
		{ 1ull << 40, "1.00 TiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(cases); i++) {
		char text[SIZE_TEXT_MAX];

		assert_string_equal(size_format(text, cases[i].bytes), cases[i].text);
	}
}

static void durations_are_read_with_their_unit(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} cases[] = {
		{ "10s", 10 * SECOND }, { "1.5ms", 1500000 }, { "1.5 ms", 1500000 },
		{ "2min", 2 * MINUTE }, { "1h", HOUR }, { "1d", 24 * HOUR }, { "0ns", 0 },
		{ "250us", 250000 }, { "250\xc2\xb5s", 250000 }, { "0.000000001s", 1 },
		{ "18446744073709551615ns", UINT64_MAX },
		{ "9007199254740993ns", 9007199254740993 }, /* beyond the exact doubles */
	};

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(cases); i++) {
		uint64_t ns = 42;

		assert_int_equal(duration_parse(cases[i].text, &ns, NULL), LO_OK);
		assert_true(ns == cases[i].ns);
	}
}

static void sizes_are_read_in_powers_of_1024(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {
		{ "512", 512 },
		{ "512B", 512 },
		{ "64K", 65536 },
		{ "64KiB", 65536 },
		{ "1.5M", 1572864 },
		{ "2G", 2ull << 30 },
		{ "1TiB", 1ull << 40 },
		{ "18446744073709551615", UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(cases); i++) {
		uint64_t bytes = 42;

		assert_int_equal(size_parse(cases[i].text, &bytes, NULL), LO_OK);
		assert_true(bytes == cases[i].bytes);
	}
}

static void nonsense_is_refused_with_a_sentence(void **state)
{
	static const char *const durations[] = { "", "10", "s", "-1s", "+1s", " 1s", "1e3s", "0x1s",
		"1.s", ".5s", "1.5.5s", "1s ", "1 second", "1S", "inf", "nan",
		"18446744073709551616ns", "18446744073709551615s", "99999999999999999999h" };
	static const char *const sizes[] = { "", "K", "-1", "1k", "1KB", "1.K", "1e3",
		"16777216TiB", "18446744073709551616" };

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(durations); i++) {
		struct lo_error err = { .message = "" };
		uint64_t ns;

		if (duration_parse(durations[i], &ns, &err) != LO_USAGE)
			fail_msg("'%s' was accepted as a duration", durations[i]);
		assert_true(strlen(err.message) > 10);
	}
	for (size_t i = 0; i < LO_COUNT_OF(sizes); i++) {
		struct lo_error err = { .message = "" };
		uint64_t bytes;

		if (size_parse(sizes[i], &bytes, &err) != LO_USAGE)
			fail_msg("'%s' was accepted as a size", sizes[i]);
		assert_true(strlen(err.message) > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_have_three_digits_and_a_unit),
		cmocka_unit_test(points_in_time_have_a_fixed_shape),
		cmocka_unit_test(sizes_have_three_digits_and_a_unit),
		cmocka_unit_test(durations_are_read_with_their_unit),
		cmocka_unit_test(sizes_are_read_in_powers_of_1024),
		cmocka_unit_test(nonsense_is_refused_with_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
