#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/model/event.h"
#include "tests/unit/viewer/analysis/analysed.h"

static const struct blocked_total *total_of(const struct analysis *analysis, uint8_t reason)
{
	for (uint32_t i = 0; i < analysis->blocked_count; i++)
		if (analysis->blocked[i].reason == reason)
			return &analysis->blocked[i];
	return NULL;
}

static void tasks_are_counted_as_the_contract_says(void **state)
{
	const struct analysis *analysis = analysed("@0 run T1 existing\n"
						   "@1ms create T2 by T1\n"
						   "@2ms create T3 by T1\n"
						   "@3ms exit T2\n"
						   "@4ms create T4 by T3\n"
						   "@5ms run T5 existing\n"
						   "@9ms exit T3\n"
						   "@10ms end\n");

	(void)state;
	assert_int_equal(analysis->duration_ns, 10000000);
	assert_int_equal(analysis->tasks_seen, 5);
	assert_int_equal(analysis->existing_at_start, 2);
	assert_int_equal(analysis->created, 3);
	assert_int_equal(analysis->exited, 2);
	assert_int_equal(analysis->alive_at_end, 3);
	assert_int_equal(analysis->peak_alive, 4);
	assert_int_equal(analysis->peak_alive_at_ns, 5000000);
	assert_int_equal(analysis->task_limit, 6);
	assert_int_equal(analysis->tasks[4].creator, 3);
	assert_int_equal(analysis->tasks[2].end_ns, 3000000);
	assert_true(analysis->tasks[4].end_ns == UINT64_MAX);
	assert_false(analysis->tasks[4].existing);
	assert_true(analysis->tasks[5].existing);
	assert_int_equal(analysis->events[EVENT_CREATE], 3);
	assert_int_equal(analysis->events[EVENT_RUN], 2);
	assert_int_equal(analysis->events[EVENT_EXIT], 2);
	assert_int_equal(analysis->events[EVENT_BLOCK], 0);
}

static void a_task_that_was_there_before_was_alive_all_the_time(void **state)
{
	/* T9 was blocked from the start, as only its wake-up at 5 ms shows. */
	const struct analysis *analysis = analysed("@0 run T1 existing\n"
						   "@1ms create T2 by T1\n"
						   "@2ms exit T2\n"
						   "@5ms unblock T9 by T1\n"
						   "@6ms end\n");

	(void)state;
	assert_int_equal(analysis->peak_alive, 3);
	assert_int_equal(analysis->peak_alive_at_ns, 1000000);
	assert_int_equal(analysis->tasks[9].begin_ns, 0);
	assert_int_equal(analysis->alive_at_end, 2);
}

static void an_exit_makes_room_before_the_next_creation(void **state)
{
	const struct analysis *analysis = analysed("@0 run T1 existing\n"
						   "@1ms create T2 by T1\n"
						   "@2ms exit T2\n"
						   "@2ms create T3 by T1\n"
						   "@3ms end\n");

	(void)state;
	assert_int_equal(analysis->peak_alive, 2);
	assert_int_equal(analysis->peak_alive_at_ns, 1000000);
}

static void ten_milliseconds_are_half_open(void **state)
{
	(void)state;
	assert_int_equal(analysed("@1ms create T1\n"
				  "@5ms create T2\n"
				  "@10999us create T3\n"
				  "@11ms create T4\n")
					 ->max_created_in_10ms,
			3);
	assert_int_equal(analysed("@1ms create T1\n@11ms create T2\n")->max_created_in_10ms, 1);
	assert_int_equal(analysed("@1ms run T1 existing\n")->max_created_in_10ms, 0);
}

static void blocked_time_counts_open_waits_to_the_end(void **state)
{
	const struct analysis *analysis = analysed("@0 run T1 existing\n"
						   "@0 run T2 existing\n"
						   "@1ms block T1 mutex 0x10\n"
						   "@3ms unblock T1\n"
						   "@4ms block T1 mutex 0x10\n"
						   "@5ms block T2 for sleep\n"
						   "@6ms unblock T2 timed out\n"
						   "@10ms end\n");
	const struct blocked_total *mutex = total_of(analysis, REASON_MUTEX_LOCK);
	const struct blocked_total *sleep = total_of(analysis, REASON_SLEEP);

	(void)state;
	assert_int_equal(analysis->blocked_count, 2);
	assert_ptr_equal(mutex, &analysis->blocked[0]); /* the largest total first */
	assert_int_equal(mutex->blocks, 2);
	assert_int_equal(mutex->total_ns, 8000000);
	assert_int_equal(mutex->max_ns, 6000000);
	assert_int_equal(mutex->still_blocked, 1);
	assert_int_equal(sleep->blocks, 1);
	assert_int_equal(sleep->total_ns, 1000000);
	assert_int_equal(sleep->still_blocked, 0);
	assert_int_equal(analysis->tasks[1].blocks, 2);
	assert_int_equal(analysis->tasks[1].blocked_ns, 8000000);
	assert_int_equal(analysis->tasks[1].longest_block_ns, 6000000);
	assert_int_equal(analysis->tasks[1].wait.since_ns, 4000000);
}

static void what_was_blocked_before_the_trace_is_dated_to_its_start(void **state)
{
	const struct analysis *analysis = analysed("@0 run T1 existing\n"
						   "@7ms unblock T2 by T1\n"
						   "@9ms end\n");
	const struct blocked_total *unknown = total_of(analysis, REASON_NONE);

	(void)state;
	assert_non_null(unknown);
	assert_int_equal(unknown->blocks, 1);
	assert_int_equal(unknown->total_ns, 7000000);
	assert_int_equal(analysis->tasks[2].last_waker, 1);
	assert_int_equal(analysis->tasks[2].last_wake_ns, 7000000);
}

static void a_wake_up_whose_wait_was_lost_makes_no_wait(void **state)
{
	const struct analysis *analysis = analysed("@0 run T1 existing\n"
						   "@1ms lost 1 ring full\n"
						   "@7ms unblock T2 by T1\n"
						   "@9ms end\n");

	(void)state;
	assert_int_equal(analysis->blocked_count, 0);
	assert_int_equal(analysis->tasks[2].begin_ns, 7000000);
	assert_int_equal(analysis->lost_total, 1);
}

static void a_second_block_ends_the_first(void **state)
{
	const struct analysis *analysis = analysed("@0 run T1 existing\n"
						   "@1ms block T1 mutex 0x10\n"
						   "@3ms block T1 for sleep\n"
						   "@4ms unblock T1\n"
						   "@9ms end\n");

	(void)state;
	assert_int_equal(total_of(analysis, REASON_MUTEX_LOCK)->total_ns, 2000000);
	assert_int_equal(total_of(analysis, REASON_MUTEX_LOCK)->still_blocked, 0);
	assert_int_equal(total_of(analysis, REASON_SLEEP)->total_ns, 1000000);
}

static void an_exit_ends_the_wait_and_later_events_do_not_count(void **state)
{
	const struct analysis *analysis = analysed("@0 run T1 existing\n"
						   "@1ms block T1 mutex 0x10\n"
						   "@3ms exit T1\n"
						   "@4ms block T1 mutex 0x20\n"
						   "@5ms exit T1\n"
						   "@9ms end\n");

	(void)state;
	assert_int_equal(analysis->tasks[1].state, TASK_STATE_EXITED);
	assert_int_equal(analysis->tasks[1].end_ns, 3000000);
	assert_int_equal(analysis->exited, 1);
	assert_int_equal(analysis->alive_at_end, 0);
	assert_int_equal(total_of(analysis, REASON_MUTEX_LOCK)->blocks, 1);
	assert_int_equal(analysis->events[EVENT_EXIT], 2);
}

static void a_creation_that_comes_late_is_still_a_creation(void **state)
{
	const struct analysis *analysis = analysed("@0 run T1 existing\n"
						   "@1ms run T2\n"
						   "@2ms create T2 by T1\n"
						   "@9ms end\n");

	(void)state;
	assert_int_equal(analysis->tasks_seen, 2);
	assert_int_equal(analysis->existing_at_start, 1);
	assert_int_equal(analysis->created, 1);
	assert_int_equal(analysis->tasks[2].creator, 1);
	assert_int_equal(analysis->peak_alive, 2);
}

static void an_id_that_is_used_again_counts_again(void **state)
{
	const struct analysis *analysis = analysed("@0 run T1 existing\n"
						   "@1ms create T2 by T1\n"
						   "@2ms exit T2\n"
						   "@3ms create T2 by T1\n"
						   "@9ms end\n");

	(void)state;
	assert_int_equal(analysis->created, 2);
	assert_int_equal(analysis->exited, 1);
	assert_int_equal(analysis->tasks_seen, 2);
	assert_int_equal(analysis->alive_at_end, 2);
	assert_true(analysis->tasks[2].end_ns == UINT64_MAX);
}

static void an_empty_trace_is_fine(void **state)
{
	const struct analysis *analysis = analysed("@5s end\n");

	(void)state;
	assert_int_equal(analysis->tasks_seen, 0);
	assert_int_equal(analysis->finding_count, 0);
	assert_int_equal(analysis->parked_count, 0);
	assert_int_equal(analysis->blocked_count, 0);
	assert_int_equal(analysis->duration_ns, 5000000000);
}

static void a_cut_trace_ends_at_its_last_event(void **state)
{
	const struct analysis *analysis = analysed("@0 run T1 existing\n"
						   "@3ms block T1 for sleep\n"
						   "@4ms flush\n"
						   "cut\n");

	(void)state;
	assert_true(analysis->duration_ns >= 3000000);
	assert_int_equal(total_of(analysis, REASON_SLEEP)->still_blocked, 1);
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
		cmocka_unit_test(tasks_are_counted_as_the_contract_says),
		cmocka_unit_test(a_task_that_was_there_before_was_alive_all_the_time),
		cmocka_unit_test(an_exit_makes_room_before_the_next_creation),
		cmocka_unit_test(ten_milliseconds_are_half_open),
		cmocka_unit_test(blocked_time_counts_open_waits_to_the_end),
		cmocka_unit_test(what_was_blocked_before_the_trace_is_dated_to_its_start),
		cmocka_unit_test(a_wake_up_whose_wait_was_lost_makes_no_wait),
		cmocka_unit_test(a_second_block_ends_the_first),
		cmocka_unit_test(an_exit_ends_the_wait_and_later_events_do_not_count),
		cmocka_unit_test(a_creation_that_comes_late_is_still_a_creation),
		cmocka_unit_test(an_id_that_is_used_again_counts_again),
		cmocka_unit_test(an_empty_trace_is_fine),
		cmocka_unit_test(a_cut_trace_ends_at_its_last_event),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
