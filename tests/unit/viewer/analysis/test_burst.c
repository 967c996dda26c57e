#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/viewer/analysis/analysed.h"

#define TEXT_BYTES (1u << 20)

static char text[TEXT_BYTES];
static unsigned next_task;

static void begin_text(void)
{
	strcpy(text, "program shop\n@0 run T1 existing\n");
	next_task = 2;
}

/* Creations from `first_us` on, `step_us` apart, at one of several places in turn. */
static void add_creations(unsigned count, unsigned first_us, unsigned step_us, unsigned places)
{
	size_t used = strlen(text);

	for (unsigned i = 0; i < count; i++)
		add_lines(text + used, TEXT_BYTES - used,
				"@%uus create T%u by T1 at main>place%u\n", first_us + i * step_us,
				next_task++, i % places);
}

static const struct analysis *analysed_until(unsigned ms)
{
	add_lines(text, TEXT_BYTES, "@%ums end\n", ms);
	return analysed(text);
}

static void a_thousand_from_one_place_are_a_burst(void **state)
{
	const struct finding *finding;

	(void)state;
	begin_text();
	add_creations(1000, 200000, 50, 1);
	add_creations(20, 600000, 20000, 1); /* requests, before and after */
	finding = finding_of(analysed_until(1200), FINDING_BURST);
	assert_non_null(finding);
	assert_int_equal(finding->severity, 2);
	assert_int_equal(finding->since_ns, 200000000);
	assert_int_equal(finding->until_ns, 249950000);
	assert_int_equal(finding->task_count, 1000);
	assert_int_equal(finding->burst.created, 1000);
	assert_int_equal(finding->burst.peak_alive, 1000);
	assert_true(finding->burst.peak_rate_per_s > 19999 &&
			finding->burst.peak_rate_per_s < 20001);
	assert_non_null(strstr(finding->summary, "place0"));
	assert_true(why_has(finding, "by T1"));
}

static void fewer_from_one_place_are_the_start_of_a_pool(void **state)
{
	(void)state;
	begin_text();
	add_creations(999, 200000, 50, 1);
	assert_int_equal(analysed_until(1200)->finding_count, 0);
}

static void five_hundred_from_several_places_are_a_cascade(void **state)
{
	(void)state;
	begin_text();
	add_creations(500, 200000, 50, 2);
	assert_non_null(finding_of(analysed_until(1200), FINDING_BURST));
	begin_text();
	add_creations(499, 200000, 50, 2);
	assert_null(finding_of(analysed_until(1200), FINDING_BURST));
}

static void a_tenth_from_elsewhere_makes_no_cascade(void **state)
{
	(void)state;
	begin_text();
	add_creations(540, 200000, 50, 1);
	next_task += 1;
	add_lines(text, TEXT_BYTES, "@230ms create T3000 by T1 at main>other\n");
	assert_null(finding_of(analysed_until(1200), FINDING_BURST));
}

static void a_short_trace_is_not_judged(void **state)
{
	(void)state;
	begin_text();
	add_creations(1000, 200000, 50, 1);
	assert_int_equal(analysed_until(499)->finding_count, 0);
	begin_text();
	add_creations(1000, 200000, 50, 1);
	assert_non_null(finding_of(analysed_until(500), FINDING_BURST));
}

static void what_repeats_is_a_schedule(void **state)
{
	(void)state;
	begin_text();
	add_creations(1000, 200000, 50, 1);
	add_creations(251, 800000, 50, 1);
	assert_null(finding_of(analysed_until(2000), FINDING_BURST));
	begin_text();
	add_creations(1000, 200000, 50, 1);
	add_creations(250, 800000, 50, 1);
	assert_non_null(finding_of(analysed_until(2000), FINDING_BURST));
}

static void what_goes_on_all_the_time_is_load(void **state)
{
	(void)state;
	begin_text();
	add_creations(4000, 0, 90, 1); /* 1111 in each 100 ms, to the end */
	assert_null(finding_of(analysed_until(500), FINDING_BURST));
}

/* Slower than the window is long: one burst, not two of which each keeps the other from counting.
 */
static void a_burst_may_last_longer_than_the_window(void **state)
{
	const struct finding *finding;

	(void)state;
	begin_text();
	add_creations(2000, 500000, 90, 1); /* 180 ms */
	finding = finding_of(analysed_until(2000), FINDING_BURST);
	assert_non_null(finding);
	assert_int_equal(finding->burst.created, 2000);
}

static void who_has_ended_does_not_count_as_alive(void **state)
{
	const struct finding *finding;

	(void)state;
	begin_text();
	for (unsigned i = 0; i < 1000; i++)
		add_lines(text + strlen(text), 200,
				"@%uus create T%u by T1 at main>spawn\n@%uus exit T%u\n",
				200000 + 50 * i, i + 2, 200020 + 50 * i, i + 2);
	finding = finding_of(analysed_until(1000), FINDING_BURST);
	assert_non_null(finding);
	assert_int_equal(finding->burst.peak_alive, 1);
}

static void tasks_of_the_runtime_do_not_count(void **state)
{
	(void)state;
	begin_text();
	add_lines(text, TEXT_BYTES, "runtime T2\n");
	add_creations(1000, 200000, 50, 1);
	assert_null(finding_of(analysed_until(1200), FINDING_BURST));
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
		cmocka_unit_test(a_thousand_from_one_place_are_a_burst),
		cmocka_unit_test(fewer_from_one_place_are_the_start_of_a_pool),
		cmocka_unit_test(five_hundred_from_several_places_are_a_cascade),
		cmocka_unit_test(a_tenth_from_elsewhere_makes_no_cascade),
		cmocka_unit_test(a_short_trace_is_not_judged),
		cmocka_unit_test(what_repeats_is_a_schedule),
		cmocka_unit_test(what_goes_on_all_the_time_is_load),
		cmocka_unit_test(a_burst_may_last_longer_than_the_window),
		cmocka_unit_test(who_has_ended_does_not_count_as_alive),
		cmocka_unit_test(tasks_of_the_runtime_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
