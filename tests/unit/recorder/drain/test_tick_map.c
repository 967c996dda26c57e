#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "recorder/drain/tick_clock.h"
#include "recorder/drain/tick_map.h"

static void times_between_anchors_are_interpolated(void **state)
{
	struct tick_map map;

	(void)state;
	tick_map_init(&map, (struct tick_anchor){ 1000, 50000 });
	assert_true(tick_map_add(&map, (struct tick_anchor){ 3000, 51000 })); /* 0.5 ns a tick */
	assert_true(tick_map_add(&map, (struct tick_anchor){ 4000, 53000 })); /* then 2 */
	assert_int_equal(tick_map_ns(&map, 1000), 50000);
	assert_int_equal(tick_map_ns(&map, 2000), 50500);
	assert_int_equal(tick_map_ns(&map, 3000), 51000);
	assert_int_equal(tick_map_ns(&map, 3500), 52000);
	assert_int_equal(tick_map_ns(&map, 4000), 53000);
}

static void times_outside_of_the_anchors_count_as_the_nearest(void **state)
{
	struct tick_map map;

	(void)state;
	tick_map_init(&map, (struct tick_anchor){ 1000, 50000 });
	assert_int_equal(tick_map_ns(&map, 0), 50000);
	assert_int_equal(tick_map_ns(&map, UINT64_MAX), 50000);
	tick_map_add(&map, (struct tick_anchor){ 2000, 60000 });
	assert_int_equal(tick_map_ns(&map, 999), 50000);
	assert_int_equal(tick_map_ns(&map, UINT64_MAX), 60000);
}

static void clocks_that_stand_still_or_run_back_are_refused(void **state)
{
	static const struct tick_anchor bad[] = { { 1000, 50000 }, { 999, 50001 }, { 1001, 49999 },
		{ 1000, 50001 }, { 1001, 50000 }, { 0, 0 } };
	struct tick_map map;

	(void)state;
	tick_map_init(&map, (struct tick_anchor){ 1000, 50000 });
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(tick_map_add(&map, bad[i]));
	assert_true(tick_map_add(&map, (struct tick_anchor){ 1001, 50001 }));
}

/* A clock of 2.6 GHz that is slewed by half a percent now and then, read with jitter. */
static void the_map_never_runs_backwards_and_never_jumps(void **state)
{
	struct tick_map map;
	uint64_t ticks = 5000000000ull;
	uint64_t asked = ticks;
	uint64_t before = ticks;
	double ns = 1e12;
	uint64_t last;

	(void)state;
	srand(1);
	tick_map_init(&map, (struct tick_anchor){ ticks, (uint64_t)ns });
	last = (uint64_t)ns;
	for (int i = 0; i < 3000; i++) {
		uint64_t step = 1000000 + (uint64_t)rand() % 50000000;
		double rate = (i / 500 % 2 ? 1.005 : 1.0) / 2.6;

		ticks += step;
		ns += (double)step * rate;
		tick_map_add(&map, (struct tick_anchor){
						   ticks, (uint64_t)ns + (uint64_t)rand() % 80 });
		for (; asked < ticks; before = asked, asked += step / 50) {
			uint64_t time = tick_map_ns(&map, asked);

			assert_true(time >= last);
			assert_true((double)(time - last) <=
					(double)(asked - before) * 1.01 / 2.6 + 400);
			last = time;
		}
	}
}

static void more_anchors_than_there_is_room_for_widen_the_last_piece(void **state)
{
	struct tick_map map;

	(void)state;
	tick_map_init(&map, (struct tick_anchor){ 0, 0 });
	for (uint64_t i = 1; i <= 10 * TICK_MAP_ANCHORS; i++)
		assert_true(tick_map_add(&map, (struct tick_anchor){ i * 10, i * 20 }));
	for (uint64_t i = 0; i <= 10 * TICK_MAP_ANCHORS; i += 7)
		assert_int_equal(tick_map_ns(&map, i * 10), i * 20);
}

static void peeking_answers_in_any_order_and_forgets_nothing(void **state)
{
	struct tick_map map;

	(void)state;
	tick_map_init(&map, (struct tick_anchor){ 0, 0 });
	for (uint64_t i = 1; i < 10; i++)
		tick_map_add(&map, (struct tick_anchor){ i * 10, i * 20 });
	assert_int_equal(tick_map_peek_ns(&map, 85), 170);
	assert_int_equal(tick_map_peek_ns(&map, 15), 30);
	assert_int_equal(tick_map_ns(&map, 5), 10);
}

static void the_clock_of_this_machine_is_mapped_to_its_monotonic_time(void **state)
{
	struct tick_clock clock;
	struct tick_map map;
	struct tick_anchor end;
	uint64_t middle;

	(void)state;
	tick_clock_init(&clock);
	tick_map_init(&map, tick_clock_anchor(&clock));
	middle = tick_clock_now(&clock);
	do
		end = tick_clock_anchor(&clock);
	while (!tick_map_add(&map, end));
	assert_in_range(tick_map_ns(&map, middle), map.anchors[0].ns, end.ns);
	assert_in_range(tick_clock_ns(&clock, tick_clock_ticks(&clock, 50000000)), 49999000,
			50001000);
	assert_int_equal(tick_clock_ticks(&clock, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_between_anchors_are_interpolated),
		cmocka_unit_test(times_outside_of_the_anchors_count_as_the_nearest),
		cmocka_unit_test(clocks_that_stand_still_or_run_back_are_refused),
		cmocka_unit_test(the_map_never_runs_backwards_and_never_jumps),
		cmocka_unit_test(more_anchors_than_there_is_room_for_widen_the_last_piece),
		cmocka_unit_test(peeking_answers_in_any_order_and_forgets_nothing),
		cmocka_unit_test(the_clock_of_this_machine_is_mapped_to_its_monotonic_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
