#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/model/object.h"
#include "tests/unit/viewer/analysis/analysed.h"

/* The first lines of most traces here: main and three workers. */
#define THREE_WORKERS                          \
	"program shop\n"                       \
	"name T2 left\n"                       \
	"@0 run T1 existing\n"                 \
	"@1ms create T2 by T1 at main>start\n" \
	"@1ms create T3 by T1 at main>start\n" \
	"@1ms create T4 by T1 at main>start\n"

static void two_locks_in_opposite_order_are_a_cycle(void **state)
{
	const struct analysis *analysis = analysed(
			THREE_WORKERS "@900ms block T2 mutex 0x20 held T3 at left>lock\n"
				      "@910ms block T3 mutex 0x10 held T2 at right>lock\n"
				      "@3s end\n");
	const struct finding *finding = finding_of(analysis, FINDING_DEADLOCK);

	(void)state;
	assert_non_null(finding);
	assert_int_equal(findings_of(analysis, FINDING_DEADLOCK), 1);
	assert_int_equal(analysis->finding_count, 1);
	assert_int_equal(finding->severity, 5);
	assert_int_equal(finding->since_ns, 910000000);
	assert_true(finding->until_ns == UINT64_MAX);
	assert_int_equal(finding->task_count, 2);
	assert_int_equal(finding->tasks[0], 2);
	assert_int_equal(finding->tasks[1], 3);
	assert_int_equal(finding->cycle_count, 2);
	assert_int_equal(finding->cycle[0].task, 2);
	assert_int_equal(finding->cycle[0].held_by, 3);
	assert_int_equal(finding->cycle[0].wait.object, 0x20);
	assert_int_equal(finding->cycle[0].wait.holder, 3);
	assert_int_equal(finding->cycle[1].task, 3);
	assert_int_equal(finding->cycle[1].held_by, 2);
	assert_null(parked_with(analysis, 2));
}

static void a_task_that_waits_for_its_own_lock_is_a_cycle_of_one(void **state)
{
	const struct analysis *analysis = analysed(
			THREE_WORKERS "@1s block T2 mutex 0x10 held T2 at left>lock\n"
				      "@1010ms end\n");
	const struct finding *finding = finding_of(analysis, FINDING_DEADLOCK);

	(void)state;
	assert_non_null(finding); /* certain, however short it was watched */
	assert_int_equal(finding->cycle_count, 1);
	assert_int_equal(finding->cycle[0].held_by, 2);
	assert_non_null(strstr(finding->summary, "holds itself"));
}

static void locks_and_joins_make_one_cycle(void **state)
{
	const struct analysis *analysis = analysed(
			THREE_WORKERS "@1s block T2 mutex 0x10 held T3 at left>lock\n"
				      "@1s block T3 task T4 at right>join\n"
				      "@1s block T4 rwlock 0x20 held T2 at third>lock\n"
				      "@2s end\n");
	const struct finding *finding = finding_of(analysis, FINDING_DEADLOCK);

	(void)state;
	assert_non_null(finding);
	assert_int_equal(finding->cycle_count, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(finding->cycle[i].held_by, finding->cycle[(i + 1) % 3].task);
}

static void two_cycles_are_two_findings(void **state)
{
	const struct analysis *analysis = analysed(THREE_WORKERS "@1ms create T5 by T1\n"
								 "@1s block T2 mutex 0x10 held T3\n"
								 "@1s block T3 mutex 0x20 held T2\n"
								 "@1s block T4 mutex 0x30 held T5\n"
								 "@1s block T5 mutex 0x40 held T4\n"
								 "@2s end\n");

	(void)state;
	assert_int_equal(findings_of(analysis, FINDING_DEADLOCK), 2);
	assert_non_null(finding_with(analysis, FINDING_DEADLOCK, 2));
	assert_ptr_not_equal(finding_with(analysis, FINDING_DEADLOCK, 2),
			finding_with(analysis, FINDING_DEADLOCK, 4));
}

static void who_waits_behind_a_cycle_is_stuck_and_named(void **state)
{
	const struct analysis *analysis = analysed(
			THREE_WORKERS "@100ms block T1 task T2 at main>join\n"
				      "@1s block T2 mutex 0x10 held T3 at left>lock\n"
				      "@1s block T3 mutex 0x20 held T2 at right>lock\n"
				      "@1100ms block T4 mutex 0x10 held T3 at third>lock\n"
				      "@3s end\n");
	const struct finding *deadlock = finding_of(analysis, FINDING_DEADLOCK);
	const struct finding *behind = finding_with(analysis, FINDING_STUCK, 1);

	(void)state;
	assert_non_null(deadlock);
	assert_int_equal(deadlock->task_count, 2);
	assert_true(why_has(deadlock, "behind it wait 2 tasks"));
	assert_non_null(behind);
	assert_non_null(strstr(behind->summary, "deadlock"));
	assert_non_null(finding_with(analysis, FINDING_STUCK, 4));
	assert_null(parked_with(analysis, 1));
}

/* T2 was seen with the lock while it still ran: it may have given it away since. */
static void a_cycle_of_uncertain_holders_must_last(void **state)
{
	static const char *const format = THREE_WORKERS
			"@900ms block T2 mutex 0x20 held T3 at left>lock\n"
			"@910ms block T3 mutex 0x10 held T2 at right>lock\n";
	char text[2048];

	(void)state;
	strcpy(text, format);
	strcat(text, "@1109ms end\n");
	assert_null(finding_of(analysed(text), FINDING_DEADLOCK));
	assert_non_null(parked_with(analysed(text), 2));
	strcpy(text, format);
	strcat(text, "@1110ms end\n");
	assert_non_null(finding_of(analysed(text), FINDING_DEADLOCK));
}

static void a_wait_with_a_time_limit_breaks_the_cycle_by_itself(void **state)
{
	const struct analysis *analysis = analysed(
			THREE_WORKERS "@1s block T2 mutex 0x10 held T3 at left>lock\n"
				      "@1s block T3 mutex 0x20 held T2 timed at right>lock\n"
				      "@30s end\n");

	(void)state;
	assert_int_equal(analysis->finding_count, 0);
	assert_non_null(parked_with(analysis, 3));
}

static void the_newest_holder_seen_counts(void **state)
{
	/* T3 had the lock when T2 began to wait, but T4 got it after that. */
	const struct analysis *analysis = analysed(
			THREE_WORKERS "@100ms block T4 mutex 0x20 held T3 at third>lock\n"
				      "@110ms block T2 mutex 0x20 held T3 at left>lock\n"
				      "@120ms unblock T4 by T3\n"
				      "@130ms block T3 mutex 0x10 held T2 at right>lock\n"
				      "@3s end\n");

	(void)state;
	assert_null(finding_of(analysis, FINDING_DEADLOCK)); /* T4 runs and holds it */
	assert_int_equal(analysis->finding_count, 0);
}

static void nothing_is_sure_when_events_were_lost_while_they_waited(void **state)
{
	const struct analysis *analysis = analysed(
			THREE_WORKERS "@900ms block T2 mutex 0x20 held T3 at left>lock\n"
				      "@910ms block T3 mutex 0x10 held T2 at right>lock\n"
				      "@1s lost 7 ring full\n"
				      "@3s end\n");

	(void)state;
	assert_null(finding_of(analysis, FINDING_DEADLOCK));
	assert_non_null(finding_of(analysis, FINDING_LOSS));
	assert_non_null(strstr(parked_with(analysis, 2)->why, "lost"));
}

static void a_cycle_that_was_closed_before_the_loss_stays_closed(void **state)
{
	const struct analysis *analysis = analysed(
			THREE_WORKERS "@500ms block T1 task T2 at main>join\n"
				      "@900ms block T2 mutex 0x20 held T3 at left>lock\n"
				      "@910ms block T3 mutex 0x10 held T2 at right>lock\n"
				      "@1200ms exit T4\n"
				      "@1200ms flush\n"
				      "@1300ms run T5\n"
				      "@1300ms lost 7 ring full\n"
				      "@3s end\n");

	(void)state;
	assert_non_null(finding_of(analysis, FINDING_DEADLOCK));
	assert_non_null(finding_with(analysis, FINDING_STUCK, 1));
}

static void tasks_of_a_runtime_make_no_finding(void **state)
{
	const struct analysis *analysis = analysed(
			THREE_WORKERS "runtime T2\n"
				      "runtime T3\n"
				      "@1s block T2 mutex 0x10 held T3 at left>lock\n"
				      "@1s block T3 mutex 0x20 held T2 at right>lock\n"
				      "@30s end\n");

	(void)state;
	assert_int_equal(analysis->finding_count, 0);
	assert_int_equal(parked_with(analysis, 2)->task_count, 1);
}

/* The trace ends between the hand-over of the lock and the record of it. */
static void who_was_handed_the_lock_does_not_wait_for_itself(void **state)
{
	const struct analysis *analysis = analysed("@0 run T1 existing\n"
						   "@0 create T2 by T1\n"
						   "@0 create T3 by T1\n"
						   "@1s block T2 mutex 0x10 held T1\n"
						   "@2s block T3 mutex 0x10 held T2\n"
						   "@9s end\n");

	(void)state;
	assert_int_equal(analysis->finding_count, 0);
	assert_non_null(strstr(parked_with(analysis, 2)->why, "has the lock already"));

	/* But who locks twice does. */
	analysis = analysed("@0 run T1 existing\n"
			    "@1s block T1 mutex 0x10 held T1\n"
			    "@9s end\n");
	assert_non_null(finding_with(analysis, FINDING_DEADLOCK, 1));
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
		cmocka_unit_test(who_was_handed_the_lock_does_not_wait_for_itself),
		cmocka_unit_test(two_locks_in_opposite_order_are_a_cycle),
		cmocka_unit_test(a_task_that_waits_for_its_own_lock_is_a_cycle_of_one),
		cmocka_unit_test(locks_and_joins_make_one_cycle),
		cmocka_unit_test(two_cycles_are_two_findings),
		cmocka_unit_test(who_waits_behind_a_cycle_is_stuck_and_named),
		cmocka_unit_test(a_cycle_of_uncertain_holders_must_last),
		cmocka_unit_test(a_wait_with_a_time_limit_breaks_the_cycle_by_itself),
		cmocka_unit_test(the_newest_holder_seen_counts),
		cmocka_unit_test(nothing_is_sure_when_events_were_lost_while_they_waited),
		cmocka_unit_test(a_cycle_that_was_closed_before_the_loss_stays_closed),
		cmocka_unit_test(tasks_of_a_runtime_make_no_finding),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
