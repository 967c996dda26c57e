#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "formats/model/event.h"
#include "tests/unit/viewer/analysis/analysed.h"

static const struct {
	const char *lines;
	const char *why; /* of T2 at the end, 30 s later */
} reasons[] = {
	{ "@1s block T2 descriptor 4 for accept\n", "outside" },
	{ "@1s block T2 descriptor 4 for poll timed\n", "outside" },
	{ "@1s block T2 for signal wait\n", "outside" },
	{ "@1s block T2 for child wait\n", "outside" },
	{ "@1s block T2 for sleep timed\n", "by itself" },
	{ "@1s block T2 for pause\n", "keep a program alive" },
	{ "@1s block T2 cond 0x10 timed\n", "time limit" },
	{ "@1s block T2 cond 0x10 timed\n@2s unblock T2 timed out\n@2s block T2 cond 0x10 timed\n",
			"ended 1 wait" },
	{ "@1s block T2 mutex 0x10 timed held T1\n", "time limit" },
	{ "@1s block T2 cond 0x10\n", "never woken" },
	{ "@1s block T2 cond 0x10\n@2s unblock T2 by T1\n@3s block T2 cond 0x10\n",
			"woken from here 1 time, last at 0:02.000, most often by T1" },
	{ "@1s block T2 cond 0x10\n@2s unblock T2\n@3s block T2 cond 0x10\n",
			"woken from here 1 time, last at 0:02.000" },
	{ "@1s block T2 semaphore 0x10\n", "idle so far" },
	{ "@1s block T2 barrier 0x10\n", "idle so far" },
	{ "@1s block T2 futex 0x10\n", "idle so far" },
	{ "@1s block T2 task T1\n", "waits for the end of T1" },
	{ "@1s block T2 mutex 0x10 held T1\n", "T1 holds the lock and is at work" },
	{ "@1s block T2 mutex 0x10\n", "cannot be judged" },
	{ "@30900ms block T2 mutex 0x10 held T3\n@30900ms block T3 cond 0x20\n",
			"can be expected to go on" },
	{ "runtime T2\n@1s block T2 cond 0x10\n", "runtime" },
};

static void every_kind_of_wait_says_why_it_is_parked(void **state)
{
	char text[1024];

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(reasons); i++) {
		const struct analysis *analysis;
		const struct wait_group *group;

		strcpy(text, "@0 run T1 existing\n@0 create T2 by T1\n@0 create T3 by T1\n");
		strcat(text, reasons[i].lines);
		strcat(text, "@31s end\n");
		analysis = analysed(text);
		group = parked_with(analysis, 2);
		assert_int_equal(analysis->finding_count, 0);
		assert_non_null(group);
		if (!strstr(group->why, reasons[i].why))
			print_message("'%s' is not in '%s'\n", reasons[i].why, group->why);
		assert_non_null(strstr(group->why, reasons[i].why));
	}
}

static void a_lock_that_was_just_taken_by_a_blocked_task_is_too_young(void **state)
{
	const struct analysis *analysis = analysed("@0 run T1 existing\n"
						   "@0 create T2 by T1\n"
						   "@0 create T3 by T1\n"
						   "@1s block T2 mutex 0x10 held T3\n"
						   "@1001ms block T3 mutex 0x20 held T2\n"
						   "@1100ms end\n");

	(void)state;
	assert_int_equal(analysis->finding_count, 0);
	assert_non_null(strstr(parked_with(analysis, 2)->why, "had waited only 100 ms"));
}

static void equal_places_are_one_group_and_the_largest_comes_first(void **state)
{
	const struct analysis *analysis = analysed(
			"program shop\n"
			"@0 run T1 existing\n"
			"@1ms create T2 by T1 at main\n"
			"@1ms create T3 by T1 at main\n"
			"@1ms create T4 by T1 at main\n"
			"@1ms create T5 by T1 at main\n"
			"@9ms block T1 for sleep at main>nap\n"
			"@11ms block T3 cond 0x20 at worker>take\n"
			"@12ms block T2 cond 0x10 at worker>take\n"
			"@13ms block T4 cond 0x10 at worker>give\n"
			"@14ms block T5 cond 0x10 at worker>worker>take\n"
			"@2s end\n");
	const struct wait_group *group = &analysis->parked[0];

	(void)state;
	assert_int_equal(analysis->parked_count, 3);
	assert_int_equal(group->task_count, 3); /* direct recursion does not make a place */
	assert_int_equal(group->tasks[0], 3);   /* the oldest first */
	assert_int_equal(group->tasks[1], 2);
	assert_int_equal(group->tasks[2], 5);
	assert_int_equal(group->since_ns, 11000000);
	assert_int_equal(group->reason, REASON_COND_WAIT);
	assert_int_not_equal(group->creation_stack, STACK_NONE);
	assert_int_equal(analysis->parked[1].tasks[0], 1); /* older than the other of one */
}

static void every_blocked_task_is_in_a_finding_or_in_one_group(void **state)
{
	const struct analysis *analysis = analysed("program shop\n"
						   "@0 run T1 existing\n"
						   "@1ms block T1 for sleep\n"
						   "@1ms block T2 cond 0x10\n"
						   "@1ms block T3 mutex 0x10 held T4\n"
						   "@1ms block T4 mutex 0x20 held T3\n"
						   "@1ms block T5 task T3\n"
						   "@1ms run T6\n"
						   "@5s end\n");

	(void)state;
	for (uint32_t task = 1; task < analysis->task_limit; task++) {
		int places = (parked_with(analysis, task) != NULL) +
			     (finding_with(analysis, FINDING_DEADLOCK, task) != NULL) +
			     (finding_with(analysis, FINDING_STUCK, task) != NULL);

		assert_int_equal(places, analysis->tasks[task].state == TASK_STATE_BLOCKED ? 1 : 0);
	}
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
		cmocka_unit_test(every_kind_of_wait_says_why_it_is_parked),
		cmocka_unit_test(a_lock_that_was_just_taken_by_a_blocked_task_is_too_young),
		cmocka_unit_test(equal_places_are_one_group_and_the_largest_comes_first),
		cmocka_unit_test(every_blocked_task_is_in_a_finding_or_in_one_group),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
