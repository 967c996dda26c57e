#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "viewer/ui/time_axis.h"

#define MS     1000000ull
#define SECOND 1000000000ull

/* What time_axis.h promises after any call. */
static void check(const struct time_axis *axis)
{
	assert_true(axis->columns >= 1);
	assert_true(axis->column_ns >= 1);
	assert_true(axis->begin_ns % axis->column_ns == 0);
	assert_true(axis->begin_ns < axis->limit_ns);
}

static void the_whole_trace_fits(void **state)
{
	static const uint64_t lengths[] = { 0, 1, 2, 59, 60, 61, 1000, 123456789, 14 * 60 * SECOND,
		UINT64_MAX / 4 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		for (int columns = 1; columns < 300; columns += 59) {
			struct time_axis axis;
			uint64_t length = lengths[i] ? lengths[i] : 1;

			time_axis_init(&axis, lengths[i], columns);
			check(&axis);
			assert_true(time_axis_shows_all(&axis));
			assert_in_range(time_axis_column(&axis, length - 1), 0, columns - 1);
			assert_int_equal(time_axis_column(&axis, 0), 0);
		}
}

static void a_pan_keeps_the_cells(void **state)
{
	struct time_axis axis;
	struct time_axis moved;

	(void)state;
	time_axis_init(&axis, 10 * SECOND, 60);
	time_axis_zoom(&axis, 5 * SECOND, 4);
	for (int by = -7; by <= 7; by++) {
		moved = axis;
		time_axis_pan(&moved, by);
		check(&moved);
		assert_int_equal(moved.column_ns, axis.column_ns);
		/* Column k + by of the old window is column k of the new one. */
		assert_int_equal(time_axis_time(&moved, 20), time_axis_time(&axis, 20 + by));
	}
}

static void a_pan_stops_at_both_ends(void **state)
{
	struct time_axis axis;

	(void)state;
	time_axis_init(&axis, 10 * SECOND, 60);
	time_axis_zoom(&axis, 5 * SECOND, 3);
	time_axis_pan(&axis, -100000);
	check(&axis);
	assert_int_equal(axis.begin_ns, 0);
	time_axis_pan(&axis, 100000);
	check(&axis);
	assert_int_equal(time_axis_column(&axis, 10 * SECOND - 1), 59);
}

static void a_zoom_keeps_the_anchor_in_its_column(void **state)
{
	struct time_axis axis;

	(void)state;
	time_axis_init(&axis, 100 * SECOND, 80);
	for (int i = 0; i < 20; i++) {
		int before = time_axis_column(&axis, 63 * SECOND);

		time_axis_zoom(&axis, 63 * SECOND, 1);
		check(&axis);
		assert_in_range(time_axis_column(&axis, 63 * SECOND), before - 1, before + 1);
	}
}

static void zooming_in_ends_at_one_nanosecond_and_out_at_everything(void **state)
{
	struct time_axis axis;

	(void)state;
	time_axis_init(&axis, 100 * SECOND, 80);
	for (int i = 0; i < 100; i++)
		time_axis_zoom(&axis, 17 * SECOND + 5, 1);
	check(&axis);
	assert_int_equal(axis.column_ns, 1);
	assert_in_range(time_axis_column(&axis, 17 * SECOND + 5), 0, 79);
	for (int i = 0; i < 100; i++)
		time_axis_zoom(&axis, 17 * SECOND + 5, -1);
	check(&axis);
	assert_true(time_axis_shows_all(&axis));
}

static void a_fitted_span_is_visible_as_a_whole(void **state)
{
	static const struct time_span spans[] = {
		{ 0, 1 },
		{ 999, 1000 },
		{ 3 * SECOND, 3 * SECOND + 7 },
		{ 3 * SECOND + 1, 9 * SECOND },
		{ 0, 10 * SECOND },
		{ 10 * SECOND - 1, 10 * SECOND },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(spans) / sizeof(*spans); i++) {
		struct time_axis axis;

		time_axis_init(&axis, 10 * SECOND, 60);
		time_axis_fit(&axis, spans[i]);
		check(&axis);
		assert_in_range(time_axis_column(&axis, spans[i].begin_ns), 0, 59);
		assert_in_range(time_axis_column(&axis, spans[i].end_ns - 1), 0, 59);
	}
}

static void reveal_moves_no_further_than_needed(void **state)
{
	struct time_axis axis;
	uint64_t begin;

	(void)state;
	time_axis_init(&axis, 100 * SECOND, 80);
	time_axis_zoom(&axis, 50 * SECOND, 3);
	begin = axis.begin_ns;
	time_axis_reveal(&axis, time_axis_time(&axis, 79));
	assert_int_equal(axis.begin_ns, begin);
	time_axis_reveal(&axis, time_axis_time(&axis, 80));
	assert_int_equal(axis.begin_ns, begin + axis.column_ns);
	time_axis_reveal(&axis, begin);
	assert_int_equal(axis.begin_ns, begin);
	time_axis_reveal(&axis, 0);
	assert_int_equal(axis.begin_ns, 0);
	time_axis_reveal(&axis, 100 * SECOND - 1);
	assert_int_equal(time_axis_column(&axis, 100 * SECOND - 1), 79);
	check(&axis);
}

static void a_span_is_clipped_to_the_window(void **state)
{
	struct time_axis axis;
	int begin = -1;
	int end = -1;

	(void)state;
	time_axis_init(&axis, 100, 10);
	time_axis_fit(&axis, (struct time_span){ 40, 58 });
	assert_int_equal(axis.column_ns, 2);
	assert_true(time_axis_columns(&axis, (struct time_span){ 0, 100 }, &begin, &end));
	assert_int_equal(begin, 0);
	assert_int_equal(end, 10);
	assert_true(time_axis_columns(&axis, (struct time_span){ 43, 44 }, &begin, &end));
	assert_int_equal(begin, 1);
	assert_int_equal(end, 2);
	assert_true(time_axis_columns(&axis, (struct time_span){ 43, 45 }, &begin, &end));
	assert_int_equal(end, 3);
	assert_false(time_axis_columns(&axis, (struct time_span){ 0, 40 }, &begin, &end));
	assert_false(time_axis_columns(&axis, (struct time_span){ 60, 100 }, &begin, &end));
	assert_false(time_axis_columns(&axis, (struct time_span){ 50, 50 }, &begin, &end));
}

static void another_width_keeps_the_zoom(void **state)
{
	struct time_axis axis;
	uint64_t column_ns;

	(void)state;
	time_axis_init(&axis, 100 * SECOND, 80);
	time_axis_resize(&axis, 200);
	assert_true(time_axis_shows_all(&axis));
	time_axis_zoom(&axis, 50 * SECOND, 3);
	column_ns = axis.column_ns;
	time_axis_resize(&axis, 60);
	assert_int_equal(axis.column_ns, column_ns);
	time_axis_resize(&axis, 0);
	check(&axis);
}

static void ticks_are_round_and_far_enough_apart(void **state)
{
	struct time_axis axis;

	(void)state;
	time_axis_init(&axis, 100, 100);
	assert_int_equal(time_axis_tick_step(&axis, 1), 1);
	assert_int_equal(time_axis_tick_step(&axis, 2), 2);
	assert_int_equal(time_axis_tick_step(&axis, 3), 5);
	assert_int_equal(time_axis_tick_step(&axis, 6), 10);
	time_axis_init(&axis, 100 * SECOND, 100);
	assert_int_equal(time_axis_tick_step(&axis, 11), 15 * SECOND);
	assert_int_equal(time_axis_tick_step(&axis, 31), 60 * SECOND);
	time_axis_init(&axis, 100ull * 3600 * SECOND, 100);
	assert_int_equal(time_axis_tick_step(&axis, 13), 24ull * 3600 * SECOND);
	time_axis_init(&axis, UINT64_MAX / 2, 10);
	assert_true(time_axis_tick_step(&axis, 8) > 0);
}

static void labels_have_the_decimals_they_need(void **state)
{
	char text[TIME_LABEL_MAX];
	struct time_axis axis;

	(void)state;
	time_axis_init(&axis, 90 * SECOND, 80);
	assert_string_equal(time_axis_label(&axis, 65 * SECOND, SECOND, text), "1:05");
	assert_string_equal(time_axis_label(&axis, 65 * SECOND, 500 * MS, text), "1:05.0");
	assert_string_equal(time_axis_label(&axis, 4217 * MS, 2 * MS, text), "0:04.217");
	assert_string_equal(time_axis_label(&axis, 4217000001, 1, text), "0:04.217000001");
	time_axis_init(&axis, 900 * SECOND, 80);
	assert_string_equal(time_axis_label(&axis, 65 * SECOND, SECOND, text), "01:05");
	time_axis_init(&axis, 40ull * 3600 * SECOND, 80);
	assert_string_equal(time_axis_label(&axis, 65 * SECOND, SECOND, text), " 0:01:05");
	assert_string_equal(time_axis_label(&axis, 36001 * SECOND, SECOND, text), "10:00:01");
}

static void labels_of_one_trace_are_equally_long(void **state)
{
	static const uint64_t limits[] = { 5 * SECOND, 599 * SECOND, 4000 * SECOND,
		360000 * SECOND };
	char text[TIME_LABEL_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		struct time_axis axis;
		size_t length;

		time_axis_init(&axis, limits[i], 80);
		length = strlen(time_axis_label(&axis, 0, 10 * MS, text));
		for (uint64_t t = 0; t < limits[i]; t += limits[i] / 97)
			assert_int_equal(strlen(time_axis_label(&axis, t, 10 * MS, text)), length);
	}
}

static void times_are_read_as_people_write_them(void **state)
{
	static const struct {
		const char *text;
		uint64_t time_ns;
	} good[] = {
		{ "12.5s", 12500 * MS },
		{ "start", 0 },
		{ "end", 900 * SECOND - 1 },
		{ "50%", 450 * SECOND },
		{ "0%", 0 },
		{ "100%", 900 * SECOND - 1 },
		{ "1:02.5", 62500 * MS },
		{ "0:00", 0 },
		{ "0:14:03", 843 * SECOND },
		{ "+3ms", 60 * SECOND + 3 * MS },
		{ "-1s", 59 * SECOND },
		{ "-10min", 0 },
		{ "+99h", 900 * SECOND - 1 },
		{ "2:00:00", 900 * SECOND - 1 },
	};
	static const char *const bad[] = { "", "soon", "12", "1:60", "101%", "-5%", "%",
		"1:2:", "+", "1:02.5x", "nan%", "1:nan" };
	struct time_axis axis;
	struct lo_error err;
	uint64_t time_ns;

	(void)state;
	time_axis_init(&axis, 900 * SECOND, 80);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(time_axis_parse(&axis, good[i].text, 60 * SECOND, &time_ns, NULL),
				LO_OK);
		assert_int_equal(time_ns, good[i].time_ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (time_axis_parse(&axis, bad[i], 0, &time_ns, &err) != LO_USAGE)
			fail_msg("'%s' was read as %llu", bad[i], (unsigned long long)time_ns);
		assert_non_null(strstr(err.message, "12.4s"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_trace_fits),
		cmocka_unit_test(a_pan_keeps_the_cells),
		cmocka_unit_test(a_pan_stops_at_both_ends),
		cmocka_unit_test(a_zoom_keeps_the_anchor_in_its_column),
		cmocka_unit_test(zooming_in_ends_at_one_nanosecond_and_out_at_everything),
		cmocka_unit_test(a_fitted_span_is_visible_as_a_whole),
		cmocka_unit_test(reveal_moves_no_further_than_needed),
		cmocka_unit_test(a_span_is_clipped_to_the_window),
		cmocka_unit_test(another_width_keeps_the_zoom),
		cmocka_unit_test(ticks_are_round_and_far_enough_apart),
		cmocka_unit_test(labels_have_the_decimals_they_need),
		cmocka_unit_test(times_are_read_as_people_write_them),
		cmocka_unit_test(labels_of_one_trace_are_equally_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
