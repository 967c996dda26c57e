#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/viewer/analysis/analysed.h"

#define TWO_WORKERS                            \
	"program shop\n"                       \
	"name T2 printer\n"                    \
	"@0 run T1 existing\n"                 \
	"@1ms create T2 by T1 at main>start\n" \
	"@1ms create T3 by T1 at main>start\n"

/* Waits of 20 ms by T2 for T1's signal, `count` times, from `first_ms` on. */
static void add_habit(char *text, size_t capacity, unsigned first_ms, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		add_lines(text, capacity,
				"@%ums block T2 cond 0x70 at printer>wait_for_bell>wait\n"
				"@%ums unblock T2 by T1\n",
				first_ms + 50 * i, first_ms + 50 * i + 20);
}

static void a_lock_whose_holder_has_exited_is_stuck(void **state)
{
	const struct analysis *analysis = analysed(
			TWO_WORKERS "@100ms exit T3\n"
				    "@500ms block T2 mutex 0x10 held T3 at printer>lock\n"
				    "@700ms end\n");
	const struct finding *finding = finding_of(analysis, FINDING_STUCK);

	(void)state;
	assert_non_null(finding); /* it held it after its end: certain from 200 ms on */
	assert_int_equal(finding->severity, 4);
	assert_int_equal(finding->since_ns, 500000000);
	assert_int_equal(finding->wait.holder, 3);
	assert_non_null(strstr(finding->summary, "exited"));
	assert_null(parked_with(analysis, 2));
}

static void a_lock_of_an_exited_holder_needs_200_ms(void **state)
{
	const struct analysis *analysis = analysed(
			TWO_WORKERS "@100ms exit T3\n"
				    "@500ms block T2 mutex 0x10 held T3 at printer>lock\n"
				    "@699ms end\n");

	(void)state;
	assert_int_equal(analysis->finding_count, 0);
	assert_non_null(strstr(parked_with(analysis, 2)->why, "only"));
}

static void a_holder_that_exited_later_must_be_missed_for_a_second(void **state)
{
	/* T3 was seen with the lock while it ran: it may have unlocked before it ended. */
	static const char *const text = TWO_WORKERS
			"@100ms block T2 mutex 0x10 held T3 at printer>lock\n"
			"@200ms exit T3\n";
	char whole[1024];

	(void)state;
	strcpy(whole, text);
	strcat(whole, "@1199ms end\n");
	assert_int_equal(analysed(whole)->finding_count, 0);
	assert_non_null(strstr(parked_with(analysed(whole), 2)->why, "ended only 999 ms before"));
	strcpy(whole, text);
	strcat(whole, "@1200ms end\n");
	assert_non_null(finding_of(analysed(whole), FINDING_STUCK));
}

/* A gate: main keeps helpers waiting at a lock, and holds it until the program ends. */
static void a_holder_that_ends_with_the_program_accuses_nobody(void **state)
{
	const struct analysis *analysis = analysed(
			TWO_WORKERS "@100ms block T2 mutex 0x10 held T1 at printer>lock\n"
				    "@5s exit T1\n"
				    "@5002ms process exited 0\n"
				    "@5100ms end\n");

	(void)state;
	assert_int_equal(analysis->finding_count, 0);
	assert_non_null(strstr(parked_with(analysis, 2)->why, "ended only 2.00 ms before"));
}

static void a_lock_whose_holder_is_at_work_is_not_stuck(void **state)
{
	static const char *const holders[] = {
		"@60s end\n",
		"@200ms block T3 for sleep at clerk>sleep\n@60s end\n",
		"@200ms block T3 descriptor 5 for poll at clerk>poll\n@60s end\n",
		"@200ms block T3 for pause at clerk>pause\n@60s end\n",
		"@200ms block T3 cond 0x50 timed at clerk>wait\n@60s end\n",
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(holders); i++) {
		strcpy(text, TWO_WORKERS "@100ms block T2 mutex 0x10 held T3 at printer>lock\n");
		strcat(text, holders[i]);
		assert_int_equal(analysed(text)->finding_count, 0);
		assert_non_null(strstr(parked_with(analysed(text), 2)->why, "holds the lock"));
	}
}

static void nobody_knows_who_holds_it_so_nobody_is_accused(void **state)
{
	const struct analysis *analysis = analysed(
			TWO_WORKERS "@100ms block T2 rwlock 0x10 at printer>lock\n"
				    "@60s end\n");

	(void)state;
	assert_int_equal(analysis->finding_count, 0);
	assert_non_null(strstr(parked_with(analysis, 2)->why, "cannot be judged"));
}

static void a_holder_that_was_never_woken_keeps_others_stuck(void **state)
{
	static const char *const text = TWO_WORKERS
			"@1100ms block T1 descriptor 3 for poll at main>poll\n"
			"@1200ms block T3 cond 0x50 at clerk>wait_for_paper>wait\n"
			"@1300ms block T2 mutex 0x10 held T3 at printer>lock\n";
	const struct finding *finding;
	char whole[1024];

	(void)state;
	strcpy(whole, text);
	strcat(whole, "@2299ms end\n");
	assert_int_equal(analysed(whole)->finding_count, 0);
	strcpy(whole, text);
	strcat(whole, "@2300ms end\n");
	finding = finding_with(analysed(whole), FINDING_STUCK, 3);
	assert_non_null(finding);
	assert_non_null(finding_with(analysed(whole), FINDING_STUCK, 2));
	finding = finding_of(analysed(whole), FINDING_STUCK); /* the cause comes first */
	assert_int_equal(finding->tasks[0], 3);
}

static void a_holder_is_not_accused_while_somebody_works_since_before(void **state)
{
	/* T1 has computed since before T2 came: it may be what T3 waits for. */
	const struct analysis *analysis = analysed(
			TWO_WORKERS "@1200ms block T3 cond 0x50 at clerk>wait_for_paper>wait\n"
				    "@1300ms block T2 mutex 0x10 held T3 at printer>lock\n"
				    "@60s end\n");

	(void)state;
	assert_int_equal(analysis->finding_count, 0);
}

static void a_lost_wakeup_is_stuck_and_names_the_signaller(void **state)
{
	char text[4096] = TWO_WORKERS;
	const struct analysis *analysis;
	const struct finding *finding;

	(void)state;
	add_habit(text, sizeof(text), 100, 3);
	add_lines(text, sizeof(text), "%s",
			"@250ms block T3 for sleep at watchdog>sleep\n"
			"@300ms block T2 cond 0x70 signalled T1 at printer>wait_for_bell>wait\n"
			"@310ms block T1 task T2 at main>join\n"
			"@1300ms end\n");
	analysis = analysed(text);
	finding = finding_with(analysis, FINDING_STUCK, 2);
	assert_non_null(finding);
	assert_ptr_equal(finding, finding_of(analysis, FINDING_STUCK));
	assert_non_null(strstr(finding->summary, "lost wake-up"));
	assert_non_null(strstr(finding->summary, "T1"));
	assert_int_equal(finding->waker_count, 1);
	assert_int_equal(finding->wakers[0].task, 1);
	assert_int_equal(finding->wakers[0].wakes, 3);
	assert_int_equal(finding->wakers[0].last_ns, 220000000);
	assert_int_equal(finding->wakers[0].state, TASK_STATE_BLOCKED);
	assert_non_null(finding_with(analysis, FINDING_STUCK, 1));
	assert_int_equal(analysis->finding_count, 2);
}

struct missed_case {
	const char *what;
	unsigned habit;
	const char *rest;
	bool stuck;
};

static void a_signal_that_was_missed_accuses_only_where_nobody_else_can_signal(void **state)
{
	static const struct missed_case cases[] = {
		{ "the trace is too short for receivers", 3,
				"@300ms block T2 cond 0x70 signalled T1 at printer>wait\n"
				"@310ms block T1 task T2 at main>join\n"
				"@999ms end\n",
				false },
		{ "and now it is long enough", 3,
				"@300ms block T2 cond 0x70 signalled T1 at printer>wait\n"
				"@310ms block T1 task T2 at main>join\n"
				"@1s end\n",
				true },
		{ "it waits for less than 200 ms", 3,
				"@801ms block T2 cond 0x70 signalled T1 at printer>wait\n"
				"@810ms block T1 task T2 at main>join\n"
				"@1s end\n",
				false },
		{ "nobody waits for its end", 3,
				"@300ms block T2 cond 0x70 signalled T1 at printer>wait\n"
				"@310ms block T1 descriptor 3 for accept at main>accept\n"
				"@60s end\n",
				false },
		{ "the signaller lives and works", 3,
				"@300ms block T2 cond 0x70 signalled T3 at printer>wait\n"
				"@310ms block T1 task T2 at main>join\n"
				"@60s end\n",
				false },
		{ "another waits at the same condition", 3,
				"@280ms create T4 by T3\n"
				"@290ms block T3 cond 0x70 at printer>wait\n"
				"@300ms block T2 cond 0x70 signalled T1 at printer>wait\n"
				"@310ms block T1 task T2 at main>join\n"
				"@60s end\n",
				false },
		{ "woken twice is no habit while others are at work", 2,
				"@300ms block T2 cond 0x70 signalled T1 at printer>wait\n"
				"@310ms block T1 task T2 at main>join\n"
				"@60s end\n",
				false },
		{ "never woken, but the whole program stands still", 0,
				"@300ms block T2 cond 0x70 signalled T1 at printer>wait\n"
				"@305ms exit T3\n"
				"@310ms block T1 task T2 at main>join\n"
				"@60s end\n",
				true },
	};

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(cases); i++) {
		char text[4096] = TWO_WORKERS;
		bool stuck;

		add_habit(text, sizeof(text), 100, cases[i].habit);
		add_lines(text, sizeof(text), "%s", cases[i].rest);
		stuck = finding_with(analysed(text), FINDING_STUCK, 2) != NULL;
		if (stuck != cases[i].stuck)
			print_message("%s\n", cases[i].what);
		assert_int_equal(stuck, cases[i].stuck);
	}
}

static void wakers_that_have_ended_or_are_stuck_leave_a_waiter_stuck(void **state)
{
	static const struct missed_case cases[] = {
		{ "woken ten times by main only, which now waits for its end", 10,
				"@1s block T2 cond 0x70 at printer>wait\n"
				"@1010ms block T1 task T2 at main>join\n"
				"@2s end\n",
				true },
		{ "nine times", 9,
				"@1s block T2 cond 0x70 at printer>wait\n"
				"@1010ms block T1 task T2 at main>join\n"
				"@2s end\n",
				false },
		{ "and nobody waits for its end", 10,
				"@1s block T2 cond 0x70 at printer>wait\n"
				"@1010ms block T1 descriptor 3 for poll at main>poll\n"
				"@2s end\n",
				false },
		{ "less than twice the longest wait before", 10,
				"@1s block T2 cond 0x70 at printer>wait\n"
				"@1s unblock T2 by T1\n"
				"@1s block T2 cond 0x70 at printer>wait\n"
				"@2s unblock T2 by T1\n"
				"@2s block T2 cond 0x70 at printer>wait\n"
				"@2s block T1 task T2 at main>join\n"
				"@3999ms end\n",
				false },
		{ "twice the longest", 10,
				"@1s block T2 cond 0x70 at printer>wait\n"
				"@2s unblock T2 by T1\n"
				"@2s block T2 cond 0x70 at printer>wait\n"
				"@2s block T1 task T2 at main>join\n"
				"@4s end\n",
				true },
		{ "woken once by nobody known: that may happen again", 10,
				"@1s block T2 cond 0x70 at printer>wait\n"
				"@1s unblock T2\n"
				"@1s block T2 cond 0x70 at printer>wait\n"
				"@1010ms block T1 task T2 at main>join\n"
				"@60s end\n",
				false },
		{ "woken once by a task that is at work", 10,
				"@1s block T2 cond 0x70 at printer>wait\n"
				"@1s unblock T2 by T3\n"
				"@1s block T2 cond 0x70 at printer>wait\n"
				"@1010ms block T1 task T2 at main>join\n"
				"@60s end\n",
				false },
		{ "woken once by a task that has ended, and its creator waits", 10,
				"@1s block T2 cond 0x70 at printer>wait\n"
				"@1s unblock T2 by T3\n"
				"@1s exit T3\n"
				"@1s block T2 cond 0x70 at printer>wait\n"
				"@1010ms block T1 task T2 at main>join\n"
				"@60s end\n",
				true },
		{ "woken once by a task that has ended, and its creator may make another", 10,
				"@1s block T2 cond 0x70 at printer>wait\n"
				"@1s create T4 by T3\n"
				"@1s unblock T2 by T4\n"
				"@1s exit T4\n"
				"@1s block T3 descriptor 4 for accept at acceptor>accept\n"
				"@1s block T2 cond 0x70 at printer>wait\n"
				"@1010ms block T1 task T2 at main>join\n"
				"@60s end\n",
				false },
	};

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(cases); i++) {
		char text[8192] = TWO_WORKERS;
		bool stuck;

		add_habit(text, sizeof(text), 100, cases[i].habit);
		add_lines(text, sizeof(text), "%s", cases[i].rest);
		stuck = finding_with(analysed(text), FINDING_STUCK, 2) != NULL;
		if (stuck != cases[i].stuck)
			print_message("%s\n", cases[i].what);
		assert_int_equal(stuck, cases[i].stuck);
	}
}

static void two_that_only_woke_each_other_are_both_stuck(void **state)
{
	char text[8192] = TWO_WORKERS;
	const struct analysis *analysis;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		add_lines(text, sizeof(text),
				"@%ums block T2 semaphore 0x80 at ping>wait\n"
				"@%ums unblock T2 by T3\n"
				"@%ums block T3 semaphore 0x90 at pong>wait\n"
				"@%ums unblock T3 by T2\n",
				100 + 10 * i, 102 + 10 * i, 103 + 10 * i, 105 + 10 * i);
	add_lines(text, sizeof(text), "%s",
			"@300ms block T2 semaphore 0x80 at ping>wait\n"
			"@300ms block T3 semaphore 0x90 at pong>wait\n"
			"@300ms block T1 task T2 at main>join\n"
			"@2s end\n");
	analysis = analysed(text);
	assert_non_null(finding_with(analysis, FINDING_STUCK, 2));
	assert_non_null(finding_with(analysis, FINDING_STUCK, 3));
	assert_non_null(finding_with(analysis, FINDING_STUCK, 1));
}

static void a_join_of_a_task_that_has_exited_is_stuck_after_a_second(void **state)
{
	static const char *const text = TWO_WORKERS "@100ms block T1 task T2 at main>join\n"
						    "@500ms exit T2\n";
	char whole[1024];

	(void)state;
	strcpy(whole, text);
	strcat(whole, "@1499ms end\n");
	assert_int_equal(analysed(whole)->finding_count, 0);
	strcpy(whole, text);
	strcat(whole, "@1500ms end\n");
	assert_non_null(finding_with(analysed(whole), FINDING_STUCK, 1));
}

static void a_chain_is_told_to_its_end(void **state)
{
	const struct analysis *analysis = analysed(
			TWO_WORKERS "module libc /lib/libc.so.6 system\n"
				    "name T5 thief\n"
				    "@1ms create T4 by T1\n"
				    "@1ms create T5 by T1\n"
				    "@10ms exit T5\n"
				    "@100ms block T2 mutex 0x10 held T5 at printer>lock!libc\n"
				    "@200ms block T3 mutex 0x20 held T2 at clerk>lock!libc\n"
				    "@300ms block T4 mutex 0x30 held T3 at shipper>lock!libc\n"
				    "@60s end\n");
	const struct finding *end = finding_with(analysis, FINDING_STUCK, 4);

	(void)state;
	assert_ptr_equal(finding_of(analysis, FINDING_STUCK),
			finding_with(analysis, FINDING_STUCK, 2));
	assert_non_null(end);
	assert_true(why_has(end, "T4 waits for mutex 0x30, which T3 holds"));
	assert_true(why_has(end, "T3 waits for mutex 0x20, which T2 printer holds"));
	assert_true(why_has(end, "T5 thief exited at"));
}

static void one_place_is_one_finding_whatever_the_line(void **state)
{
	const struct analysis *analysis = analysed(TWO_WORKERS
			"@10ms exit T3\n"
			"@100ms block T1 mutex 0x10 held T3 at main>log(shop.c:10)>lock\n"
			"@200ms block T2 mutex 0x20 held T3 at printer>log(shop.c:20)>lock\n"
			"@60s end\n");
	const struct finding *finding = finding_of(analysis, FINDING_STUCK);

	(void)state;
	assert_int_equal(findings_of(analysis, FINDING_STUCK), 1);
	assert_int_equal(finding->task_count, 2);
	assert_int_equal(finding->tasks[0], 1); /* oldest first */
}

static void a_program_that_exits_in_order_says_so(void **state)
{
	const struct analysis *analysis = analysed(
			TWO_WORKERS "@10ms exit T3\n"
				    "@100ms block T2 mutex 0x10 held T3 at printer>lock\n"
				    "@2s process exited 0\n"
				    "@2s end\n");

	(void)state;
	assert_true(why_has(finding_of(analysis, FINDING_STUCK), "when the program ended"));
}

static void waits_are_counted_to_the_end_of_the_process_only(void **state)
{
	const struct analysis *analysis = analysed(
			TWO_WORKERS "@10ms exit T3\n"
				    "@100ms block T2 mutex 0x10 held T3 at printer>lock\n"
				    "@250ms process exited 0\n"
				    "@60s end\n");

	(void)state;
	assert_int_equal(analysis->finding_count, 0);
	assert_int_equal(analysis->blocked[0].total_ns, 150000000);
}

static void a_process_that_became_another_program_has_no_stuck_tasks(void **state)
{
	const struct analysis *analysis = analysed(
			TWO_WORKERS "@10ms exit T3\n"
				    "@100ms block T2 mutex 0x10 held T3 at printer>lock\n"
				    "@30s process replaced\n"
				    "@60s end\n");

	(void)state;
	assert_int_equal(analysis->finding_count, 0);
	assert_non_null(strstr(parked_with(analysis, 2)->why, "another program"));
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
		cmocka_unit_test(a_lock_whose_holder_has_exited_is_stuck),
		cmocka_unit_test(a_lock_of_an_exited_holder_needs_200_ms),
		cmocka_unit_test(a_holder_that_exited_later_must_be_missed_for_a_second),
		cmocka_unit_test(a_holder_that_ends_with_the_program_accuses_nobody),
		cmocka_unit_test(a_lock_whose_holder_is_at_work_is_not_stuck),
		cmocka_unit_test(nobody_knows_who_holds_it_so_nobody_is_accused),
		cmocka_unit_test(a_holder_that_was_never_woken_keeps_others_stuck),
		cmocka_unit_test(a_holder_is_not_accused_while_somebody_works_since_before),
		cmocka_unit_test(a_lost_wakeup_is_stuck_and_names_the_signaller),
		cmocka_unit_test(
				a_signal_that_was_missed_accuses_only_where_nobody_else_can_signal),
		cmocka_unit_test(wakers_that_have_ended_or_are_stuck_leave_a_waiter_stuck),
		cmocka_unit_test(two_that_only_woke_each_other_are_both_stuck),
		cmocka_unit_test(a_join_of_a_task_that_has_exited_is_stuck_after_a_second),
		cmocka_unit_test(a_chain_is_told_to_its_end),
		cmocka_unit_test(one_place_is_one_finding_whatever_the_line),
		cmocka_unit_test(a_program_that_exits_in_order_says_so),
		cmocka_unit_test(waits_are_counted_to_the_end_of_the_process_only),
		cmocka_unit_test(a_process_that_became_another_program_has_no_stuck_tasks),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
