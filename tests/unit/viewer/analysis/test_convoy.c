#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/viewer/analysis/analysed.h"

#define TEXT_BYTES (1u << 18)

static char text[TEXT_BYTES];

static void begin_text(void)
{
	strcpy(text, "program shop\n"
		     "module libc /lib/libc.so.6 system\n"
		     "@0 run T1 existing\n"
		     "@0 create T2 by T1 at main\n"
		     "@0 create T3 by T1 at main\n"
		     "@0 create T4 by T1 at main\n");
}

/*
 * From `begin_ms` to `end_ms`, in periods of 10 ms: T2 and T3 wait all of it, T4 for `third_ms`.
 */
static void add_queue(unsigned begin_ms, unsigned end_ms, unsigned third_ms, const char *object)
{
	for (unsigned ms = begin_ms; ms < end_ms; ms += 10) {
		size_t used = strlen(text);

		add_lines(text + used, TEXT_BYTES - used,
				"@%uus block T2 %s 0x10 held T1 at worker>look_up>lock!libc\n"
				"@%uus block T3 %s 0x10 held T1 at worker>look_up>lock!libc\n",
				ms * 1000, object, ms * 1000, object);
		used = strlen(text);
		if (third_ms > 0)
			add_lines(text + used, TEXT_BYTES - used,
					"@%uus block T4 %s 0x10 held T1 at worker>look_up>lock!libc\n"
					"@%uus unblock T4 by T1\n",
					ms * 1000, object, (ms + third_ms) * 1000);
		used = strlen(text);
		add_lines(text + used, TEXT_BYTES - used,
				"@%uus unblock T2 by T1\n@%uus unblock T3 by T2\n",
				ms * 1000 + 9990, ms * 1000 + 9990);
	}
}

static const struct analysis *analysed_until(unsigned ms)
{
	add_lines(text + strlen(text), 100, "@%ums end\n", ms);
	return analysed(text);
}

static void two_that_wait_all_the_time_and_a_third_are_a_convoy(void **state)
{
	const struct analysis *analysis;
	const struct finding *finding;

	(void)state;
	begin_text();
	add_queue(0, 1000, 5, "mutex");
	analysis = analysed_until(1000);
	finding = finding_of(analysis, FINDING_CONVOY);
	assert_non_null(finding);
	assert_int_equal(analysis->finding_count, 1);
	assert_int_equal(finding->convoy.waiters_peak, 3);
	assert_true(finding->convoy.share_of_blocked > 0.99);
	assert_int_equal(finding->wait.object, 0x10);
	assert_non_null(strstr(finding->summary, "look_up"));
	assert_int_equal(finding->task_count, 2); /* who handed it on: T1 and T2 */
}

static void less_than_two_on_average_are_none(void **state)
{
	(void)state;
	begin_text();
	add_queue(0, 1000, 0, "mutex"); /* 1.998 on average */
	assert_int_equal(analysed_until(1000)->finding_count, 0);
}

/* Five that wait for half of the trace, less what they need to begin again. */
static void add_crowd(unsigned periods)
{
	for (unsigned i = 0; i < periods; i++) {
		for (unsigned task = 2; task <= 6; task++)
			add_lines(text + strlen(text), 200,
					"@%ums block T%u mutex 0x10 at worker>lock!libc\n", 20 * i,
					task);
		for (unsigned task = 2; task <= 6; task++)
			add_lines(text + strlen(text), 200, "@%ums unblock T%u by T1\n",
					20 * i + 10, task);
	}
}

static void half_of_the_trace_is_the_least(void **state)
{
	(void)state;
	begin_text();
	add_crowd(50);
	assert_int_equal(analysed_until(1000)->finding_count, 1);
	begin_text();
	add_crowd(50);
	assert_int_equal(analysed_until(1001)->finding_count, 0);
}

static void waits_must_end_in_five_tenths_of_the_trace(void **state)
{
	(void)state;
	begin_text();
	add_crowd(25); /* 0 to 490 ms */
	add_queue(490, 520, 9, "mutex");
	assert_int_equal(analysed_until(520)->finding_count, 1);
	begin_text();
	for (unsigned task = 2; task <= 6; task++)
		add_lines(text + strlen(text), 200, "@0 block T%u mutex 0x10 at worker>lock!libc\n",
				task);
	for (unsigned task = 2; task <= 6; task++) /* ends in tenths 6 to 9 */
		add_lines(text + strlen(text), 200, "@%ums unblock T%u by T1\n",
				task == 6 ? 990 : 450 + 100 * task, task);
	assert_int_equal(analysed_until(1000)->finding_count, 0);
}

static void a_crowd_that_moves_in_few_tenths_only_is_a_slow_start(void **state)
{
	(void)state;
	begin_text();
	add_lines(text, TEXT_BYTES,
			"@1ms block T2 once 0x10 at worker>setup\n"
			"@1ms block T3 once 0x10 at worker>setup\n"
			"@1ms block T4 once 0x10 at worker>setup\n"
			"@950ms unblock T2\n@950ms unblock T3\n@950ms unblock T4\n");
	assert_int_equal(analysed_until(1000)->finding_count, 0);
}

static void receivers_that_wait_all_day_are_a_pool(void **state)
{
	(void)state;
	begin_text();
	add_queue(0, 1000, 5, "semaphore");
	assert_int_equal(analysed_until(1000)->finding_count, 0);
}

static void a_short_trace_is_not_judged(void **state)
{
	(void)state;
	begin_text();
	add_queue(0, 490, 5, "mutex");
	assert_int_equal(analysed_until(490)->finding_count, 0);
	begin_text();
	add_queue(0, 500, 5, "mutex");
	assert_int_equal(analysed_until(500)->finding_count, 1);
}

static int tear_down(void **state)
{
	(void)state;
	analysed(NULL);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_that_wait_all_the_time_and_a_third_are_a_convoy),
		cmocka_unit_test(less_than_two_on_average_are_none),
		cmocka_unit_test(half_of_the_trace_is_the_least),
		cmocka_unit_test(waits_must_end_in_five_tenths_of_the_trace),
		cmocka_unit_test(a_crowd_that_moves_in_few_tenths_only_is_a_slow_start),
		cmocka_unit_test(receivers_that_wait_all_day_are_a_pool),
		cmocka_unit_test(a_short_trace_is_not_judged),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
