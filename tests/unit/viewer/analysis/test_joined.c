#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/viewer/analysis/analysed.h"

/* T1 made T2, and T2 made T3 and T4; T2 waits for them on a wait group. */
#define WORKERS                                  \
	"program shop\n"                         \
	"kind T1 goroutine\n"                    \
	"kind T2 goroutine\n"                    \
	"kind T3 goroutine\n"                    \
	"kind T4 goroutine\n"                    \
	"@0 run T1 existing\n"                   \
	"@0 block T1 for sleep at main.main\n"   \
	"@0 create T2 by T1 at main.main\n"      \
	"@1ms create T3 by T2 at main.publish\n" \
	"@1ms create T4 by T2 at main.publish\n"

#define JOIN_AT " for sync at main.publish>sync.(*WaitGroup).Wait>sync.runtime_Semacquire\n"
#define TAKE_AT " for chan receive at main.upload>runtime.chanrecv1\n"

static void a_joiner_whose_tasks_have_all_ended_is_stuck(void **state)
{
	const struct analysis *analysis = analysed(WORKERS "@2ms block T2" JOIN_AT "@50ms exit T3\n"
							   "@100ms exit T4\n@1100ms end\n");
	const struct finding *finding = finding_of(analysis, FINDING_STUCK);

	(void)state;
	assert_non_null(finding);
	assert_int_equal(finding->task_count, 1);
	assert_int_equal(finding->tasks[0], 2);
	assert_non_null(strstr(finding->summary, "all ended"));
	assert_true(why_has(finding, "it made 2 tasks, of which 2 ended, the last at 0:00.100"));
}

static void a_joiner_may_need_a_moment_after_the_last_end(void **state)
{
	const struct analysis *analysis = analysed(WORKERS "@2ms block T2" JOIN_AT "@50ms exit T3\n"
							   "@910ms exit T4\n@1100ms end\n");

	(void)state;
	assert_int_equal(analysis->finding_count, 0);
}

static void a_joiner_of_living_tasks_is_parked(void **state)
{
	const struct analysis *analysis = analysed(WORKERS "@2ms block T2" JOIN_AT "@50ms exit T3\n"
							   "@9s end\n");

	(void)state;
	assert_int_equal(analysis->finding_count, 0);
	assert_non_null(strstr(parked_with(analysis, 2)->why, "waits for 2 tasks"));
}

/* T3 handed its work to T5, which runs. */
static void what_its_tasks_made_counts_too(void **state)
{
	const struct analysis *analysis = analysed(
			WORKERS "kind T5 goroutine\n@2ms create T5 by T3 at main.upload\n"
				"@2ms block T2" JOIN_AT "@50ms exit T3\n@60ms exit T4\n@9s end\n");

	(void)state;
	assert_int_equal(analysis->finding_count, 0);
}

static void who_made_nobody_is_not_judged(void **state)
{
	const struct analysis *analysis = analysed(WORKERS "@2ms block T3" JOIN_AT "@9s end\n");

	(void)state;
	assert_int_equal(analysis->finding_count, 0);
	assert_int_equal(analysis->unjudged, 1);
}

/* T4 waits for work that T2 gave it before and will not give: both stand still. */
static void a_worker_that_only_its_joiner_feeds_is_stuck_with_it(void **state)
{
	char text[8192] = WORKERS;
	const struct analysis *analysis;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		add_lines(text, sizeof(text), "@%ums block T4" TAKE_AT "@%ums unblock T4 by T2\n",
				10 * i + 2, 10 * i + 5);
	add_lines(text, sizeof(text),
			"@110ms block T4" TAKE_AT "@120ms exit T3\n@130ms block T2" JOIN_AT
			"@3s end\n");
	analysis = analysed(text);
	assert_int_equal(findings_of(analysis, FINDING_STUCK), 2);
	/* The worker before the joiner. */
	assert_int_equal(analysis->findings[0].tasks[0], 4);
	assert_int_equal(analysis->findings[1].tasks[0], 2);
}

static void a_worker_that_somebody_else_feeds_is_not(void **state)
{
	char text[8192] = WORKERS;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		add_lines(text, sizeof(text), "@%ums block T4" TAKE_AT "@%ums unblock T4 by T%u\n",
				10 * i + 2, 10 * i + 5, 1 + i % 2);
	add_lines(text, sizeof(text),
			"@110ms block T4" TAKE_AT "@120ms exit T3\n@130ms block T2" JOIN_AT
			"@3s end\n");
	assert_int_equal(analysed(text)->finding_count, 0);
}

static void a_worker_that_was_forgotten_is_stuck_when_most_have_ended(void **state)
{
	const struct analysis *analysis = analysed(WORKERS
			"@2ms block T2" JOIN_AT "@2ms block T4" TAKE_AT "@50ms exit T3\n@2s end\n");

	(void)state;
	assert_non_null(finding_with(analysis, FINDING_STUCK, 4));
	assert_non_null(finding_with(analysis, FINDING_STUCK, 2));

	/* The same, but nobody has ended: perhaps the work comes yet. */
	analysis = analysed(WORKERS "@2ms block T2" JOIN_AT "@2ms block T4" TAKE_AT
				    "@2ms block T3" TAKE_AT "@2s end\n");
	assert_int_equal(analysis->finding_count, 0);
}

static void a_condition_of_go_is_no_lock(void **state)
{
	const struct analysis *analysis = analysed(
			WORKERS "@2ms block T3 for sync at main.upload>sync.(*Cond).Wait\n"
				"@9s end\n");

	(void)state;
	assert_int_equal(analysis->finding_count, 0);
	assert_non_null(strstr(parked_with(analysis, 3)->why, "idle so far"));
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
		cmocka_unit_test(a_joiner_whose_tasks_have_all_ended_is_stuck),
		cmocka_unit_test(a_joiner_may_need_a_moment_after_the_last_end),
		cmocka_unit_test(a_joiner_of_living_tasks_is_parked),
		cmocka_unit_test(what_its_tasks_made_counts_too),
		cmocka_unit_test(who_made_nobody_is_not_judged),
		cmocka_unit_test(a_worker_that_only_its_joiner_feeds_is_stuck_with_it),
		cmocka_unit_test(a_worker_that_somebody_else_feeds_is_not),
		cmocka_unit_test(a_worker_that_was_forgotten_is_stuck_when_most_have_ended),
		cmocka_unit_test(a_condition_of_go_is_no_lock),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
