#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/viewer/analysis/analysed.h"

/* A Go program: T1 made the others, sleeps, and can be expected to go on. */
#define THREE_SENDERS                          \
	"program shop\n"                       \
	"kind T1 goroutine\n"                  \
	"kind T2 goroutine\n"                  \
	"kind T3 goroutine\n"                  \
	"kind T4 goroutine\n"                  \
	"name T1 main.main\n"                  \
	"name T2 main.send\n"                  \
	"name T3 main.send\n"                  \
	"name T4 main.send\n"                  \
	"@0 run T1 existing\n"                 \
	"@0 create T2 by T1 at main.main\n"    \
	"@0 create T3 by T1 at main.main\n"    \
	"@0 create T4 by T1 at main.main\n"    \
	"@0 block T1 for sleep at main.main\n" \
	"@0 exit T4\n"

#define SEND_AT " for chan send at main.send>main.put>runtime.chansend1\n"
#define LOCK_AT " for sync at main.send>main.keep>sync.(*Mutex).Lock>sync.(*Mutex).lockSlow\n"

static void a_sender_that_nobody_serves_is_stuck_after_a_second(void **state)
{
	const struct analysis *analysis = analysed(THREE_SENDERS
			"@100ms block T2" SEND_AT "@200ms block T3" SEND_AT "@1200ms end\n");
	const struct finding *finding = finding_of(analysis, FINDING_STUCK);

	(void)state;
	assert_non_null(finding);
	assert_int_equal(finding->task_count, 2);
	assert_int_equal(finding->since_ns, 100000000);
	assert_non_null(strstr(finding->summary, "nothing moves"));
	assert_int_equal(analysis->unjudged, 0);

	analysis = analysed(THREE_SENDERS "@100ms block T2" SEND_AT "@1099ms end\n");
	assert_int_equal(analysis->finding_count, 0);
	assert_non_null(strstr(parked_with(analysis, 2)->why, "only"));
}

/* T3 began later and waits 999 ms: not long enough to be told of. */
static void only_who_waits_long_enough_belongs_to_it(void **state)
{
	const struct analysis *analysis = analysed(THREE_SENDERS
			"@100ms block T2" SEND_AT "@201ms block T3" SEND_AT "@1200ms end\n");

	(void)state;
	assert_int_equal(finding_of(analysis, FINDING_STUCK)->task_count, 1);
	assert_non_null(parked_with(analysis, 3));
}

/* `count` sends of 1 ms by T3, one each 10 ms from `first_ms` on. */
static void add_sends(char *text, size_t capacity, unsigned first_ms, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		add_lines(text, capacity, "@%ums block T3" SEND_AT "@%ums unblock T3 by T1\n",
				first_ms + 10 * i, first_ms + 10 * i + 1);
}

static const struct analysis *overtaken(unsigned sends, const char *end)
{
	char text[8192] = THREE_SENDERS "@100ms block T2" SEND_AT;

	add_sends(text, sizeof(text), 110, sends);
	add_lines(text, sizeof(text), "%s", end);
	return analysed(text);
}

static void a_sender_that_ten_have_overtaken_is_stuck(void **state)
{
	const struct analysis *analysis = overtaken(10, "@310ms end\n");
	const struct finding *finding = finding_of(analysis, FINDING_STUCK);

	(void)state;
	assert_non_null(finding);
	assert_int_equal(finding->task_count, 1);
	assert_true(why_has(finding, "10 waits that began later at this place are over"));
}

/* It stands still in its queue, all the same. */
static void nine_overtakers_prove_nothing_by_themselves(void **state)
{
	const struct finding *finding = finding_of(overtaken(9, "@310ms end\n"), FINDING_STUCK);

	(void)state;
	assert_non_null(finding);
	assert_non_null(strstr(finding->summary, "nothing moves"));
}

static void overtaken_or_not_a_short_wait_is_no_finding(void **state)
{
	(void)state;
	assert_int_equal(overtaken(10, "@299ms end\n")->finding_count, 0);
}

/* 150 ms each: T2 after T3 and so on. The last waits when the trace ends. */
static void a_sender_whose_queue_moves_is_parked(void **state)
{
	char text[8192] = THREE_SENDERS;
	const struct analysis *analysis;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		add_lines(text, sizeof(text),
				"@%ums block T3" SEND_AT "@%ums unblock T3 by T1\n"
				"@%ums block T2" SEND_AT "@%ums unblock T2 by T1\n",
				200 * i + 1, 200 * i + 90, 200 * i + 91, 200 * i + 180);
	add_lines(text, sizeof(text), "@2100ms block T2" SEND_AT "@2105ms block T3" SEND_AT);
	add_lines(text, sizeof(text), "@2310ms end\n");
	analysis = analysed(text);
	assert_int_equal(analysis->finding_count, 0);
	assert_non_null(parked_with(analysis, 2));
	assert_non_null(parked_with(analysis, 3));
}

static void who_may_be_at_work_inside_keeps_the_others_waiting(void **state)
{
	const struct analysis *analysis = analysed(
			THREE_SENDERS "@50ms block T3 for sleep at main.send>main.work\n"
				      "@100ms block T2" LOCK_AT "@9s end\n");

	(void)state;
	assert_int_equal(analysis->finding_count, 0);
	assert_non_null(strstr(parked_with(analysis, 2)->why, "T3 main.send is at work"));

	/* Asleep only since after it began to wait: it cannot have what the other wants. */
	analysis = analysed(THREE_SENDERS "@100ms block T2" LOCK_AT
					  "@101ms block T3 for sleep at main.send>main.work\n"
					  "@9s end\n");
	assert_non_null(finding_with(analysis, FINDING_STUCK, 2));
}

static void a_channel_that_was_never_made_helps_nobody(void **state)
{
	const struct analysis *analysis = analysed(
			THREE_SENDERS "@10ms block T3 for sleep at main.send>main.work\n"
				      "@100ms block T2 for chan receive (nil chan) at main.send\n"
				      "@1100ms end\n");

	(void)state;
	assert_non_null(finding_with(analysis, FINDING_STUCK, 2));
}

static void a_lost_event_silences_it(void **state)
{
	const struct analysis *analysis = analysed(THREE_SENDERS
			"@100ms block T2" SEND_AT "@500ms lost 1 ring full\n@9s end\n");

	(void)state;
	assert_int_equal(findings_of(analysis, FINDING_STUCK), 0);
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
		cmocka_unit_test(a_sender_that_nobody_serves_is_stuck_after_a_second),
		cmocka_unit_test(only_who_waits_long_enough_belongs_to_it),
		cmocka_unit_test(a_sender_that_ten_have_overtaken_is_stuck),
		cmocka_unit_test(nine_overtakers_prove_nothing_by_themselves),
		cmocka_unit_test(overtaken_or_not_a_short_wait_is_no_finding),
		cmocka_unit_test(a_sender_whose_queue_moves_is_parked),
		cmocka_unit_test(who_may_be_at_work_inside_keeps_the_others_waiting),
		cmocka_unit_test(a_channel_that_was_never_made_helps_nobody),
		cmocka_unit_test(a_lost_event_silences_it),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
