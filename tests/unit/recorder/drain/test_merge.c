#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/drain/merge.h"

static struct merge merge;
static struct slab_pool pool;

static int set_up(void **state)
{
	(void)state;
	slab_pool_init(&pool);
	merge_init(&merge, 100);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	slab_pool_release(&pool);
	return 0;
}

/* Records of ring `ring` with these times; each record's object says ring and position. */
static void push_run(uint32_t ring, uint64_t copied_at, uint32_t count, const uint64_t *times)
{
	uint32_t done = 0;

	while (done < count) {
		struct run *run = run_cut(&pool, count - done);

		assert_non_null(run);
		run->ring = ring;
		run->copied_at = copied_at;
		for (uint32_t i = 0; i < run->count; i++, done++)
			run->events[i] = (struct event){ .time_ns = times[done],
				.object = ring * 1000 + done };
		merge_push(&merge, run);
	}
}

#define PUSH(ring, copied_at, ...)                                                        \
	push_run(ring, copied_at, sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t), \
			(const uint64_t[]){ __VA_ARGS__ })

static bool pop(uint64_t watermark, struct event *event)
{
	struct run *run;
	bool spent;

	if (!merge_pop(&merge, watermark, event, &run, &spent))
		return false;
	if (spent)
		run_done(&pool, run);
	return true;
}

static void assert_pops(uint64_t watermark, uint64_t object, uint64_t time)
{
	struct event event;

	assert_true(pop(watermark, &event));
	assert_int_equal(event.object, object);
	assert_int_equal(event.time_ns, time);
}

static void records_of_several_rings_come_in_the_order_of_time(void **state)
{
	struct event event;

	(void)state;
	PUSH(1, 1000, 200, 500, 600);
	PUSH(2, 1000, 300, 400);
	PUSH(3, 1000, 550);
	assert_pops(1000, 1000, 200);
	assert_pops(1000, 2000, 300);
	assert_pops(1000, 2001, 400);
	assert_pops(1000, 1001, 500);
	assert_pops(1000, 3000, 550);
	assert_pops(1000, 1002, 600);
	assert_false(pop(1000, &event));
	assert_true(merge_is_empty(&merge));
	assert_int_equal(merge.late, 0);
}

static void nothing_younger_than_the_watermark_comes_out(void **state)
{
	struct event event;

	(void)state;
	PUSH(1, 1000, 200, 500);
	assert_false(pop(199, &event));
	assert_pops(200, 1000, 200);
	assert_false(pop(499, &event));
	assert_true(merge_is_due(&merge, 500));
	assert_pops(500, 1001, 500);
}

static void at_one_time_the_lower_ring_comes_first_and_rings_keep_their_order(void **state)
{
	(void)state;
	PUSH(7, 1000, 200, 200);
	PUSH(3, 1000, 200);
	assert_pops(1000, 3000, 200);
	assert_pops(1000, 7000, 200);
	assert_pops(1000, 7001, 200);
}

static void a_late_record_gets_the_time_of_the_one_before_and_is_counted(void **state)
{
	(void)state;
	PUSH(1, 1000, 500);
	assert_pops(1000, 1000, 500);
	PUSH(2, 1000, 350, 450, 600);
	assert_pops(1000, 2000, 500);
	assert_pops(1000, 2001, 500);
	assert_pops(1000, 2002, 600);
	assert_int_equal(merge.late, 2);
	assert_int_equal(merge.latest, 150);
}

static void time_that_was_promised_to_be_over_is_over(void **state)
{
	(void)state;
	merge_advance(&merge, 700);
	merge_advance(&merge, 600);
	PUSH(1, 1000, 650, 800);
	assert_pops(1000, 1000, 700);
	assert_pops(1000, 1001, 800);
	assert_int_equal(merge.late, 1);
}

static void impossible_times_are_forced_into_their_ring_s_order(void **state)
{
	(void)state;
	PUSH(1, 1000, 0, 900, 300, UINT64_MAX);
	PUSH(1, 2000, 5);
	PUSH(2, 1000, 950);
	assert_pops(UINT64_MAX, 1000, 100); /* before the start */
	assert_pops(UINT64_MAX, 1001, 900);
	assert_pops(UINT64_MAX, 1002, 900); /* ran back */
	assert_pops(UINT64_MAX, 2000, 950);
	assert_pops(UINT64_MAX, 1003, 1000); /* later than it was copied */
	assert_pops(UINT64_MAX, 1000, 1000);
}

static void runs_of_a_process_are_counted_until_they_are_consumed(void **state)
{
	struct event event;

	(void)state;
	PUSH(1, 1000, 200, 210);
	PUSH(2, 1000, 205);
	assert_int_equal(merge.runs_of_process[0], 2);
	assert_true(pop(1000, &event));
	assert_int_equal(merge.runs_of_process[0], 2);
	assert_true(pop(1000, &event));
	assert_int_equal(merge.runs_of_process[0], 1);
	assert_true(pop(1000, &event));
	assert_int_equal(merge.runs_of_process[0], 0);
}

/* Against the plain way: sort everything that is there by time. */
static void random_rings_come_out_sorted_and_complete(void **state)
{
	enum {
		RINGS = 300,
		RUNS = 2000
	};
	static uint64_t last_of_ring[RINGS];
	uint64_t pushed = 0, popped = 0, last = 0;
	struct event event;

	(void)state;
	srand(7);
	for (uint32_t i = 0; i < RINGS; i++)
		last_of_ring[i] = 100;
	for (int round = 0; round < RUNS; round++) {
		uint32_t ring = (uint32_t)rand() % RINGS;
		uint32_t count = 1 + (uint32_t)rand() % 40;
		uint64_t times[40];

		for (uint32_t i = 0; i < count; i++)
			times[i] = last_of_ring[ring] += (uint64_t)rand() % 5;
		push_run(ring, UINT64_MAX, count, times);
		pushed += count;
	}
	while (pop(UINT64_MAX, &event)) {
		assert_true(event.time_ns >= last);
		last = event.time_ns;
		popped++;
	}
	assert_int_equal(popped, pushed);
	assert_int_equal(merge.late, 0);
}

static void slabs_come_back_when_their_runs_are_consumed(void **state)
{
	static const uint64_t time[1] = { 100 };
	struct event event;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		push_run(1, 1000, 1, time);
		assert_true(pop(1000, &event));
	}
	assert_true(pool.made_count <= 3);
}

static void an_exhausted_pool_gives_nothing_and_recovers(void **state)
{
	static struct run *runs[2 * SLABS_MAX];
	uint32_t count = 0;

	(void)state;
	while (count < 2 * SLABS_MAX && (runs[count] = run_cut(&pool, UINT32_MAX)))
		count++;
	assert_int_equal(count, SLABS_MAX);
	assert_null(run_cut(&pool, 1));
	run_done(&pool, runs[5]);
	assert_non_null(run_cut(&pool, 1));
}

int main(void)
{
#define TEST(behaviour) cmocka_unit_test_setup_teardown(behaviour, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(records_of_several_rings_come_in_the_order_of_time),
		TEST(nothing_younger_than_the_watermark_comes_out),
		TEST(at_one_time_the_lower_ring_comes_first_and_rings_keep_their_order),
		TEST(a_late_record_gets_the_time_of_the_one_before_and_is_counted),
		TEST(time_that_was_promised_to_be_over_is_over),
		TEST(impossible_times_are_forced_into_their_ring_s_order),
		TEST(runs_of_a_process_are_counted_until_they_are_consumed),
		TEST(random_rings_come_out_sorted_and_complete),
		TEST(slabs_come_back_when_their_runs_are_consumed),
		TEST(an_exhausted_pool_gives_nothing_and_recovers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
