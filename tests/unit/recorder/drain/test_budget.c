#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "recorder/drain/budget.h"

static void without_limits_everything_is_within_them(void **state)
{
	const struct budget none = { 0, 0 };
	const struct budget_use all = { UINT64_MAX / 2, 1u << 30, 1u << 20, 1u << 20, UINT64_MAX };

	(void)state;
	assert_int_equal(budget_check(&none, &all), BUDGET_LEFT);
}

static void what_is_not_written_yet_counts_towards_the_size(void **state)
{
	const struct budget budget = { .max_bytes = 1 << 20 };
	struct budget_use use = { .file_bytes = 1 << 19 };

	(void)state;
	assert_int_equal(budget_check(&budget, &use), BUDGET_LEFT);
	use.unsealed_events = 200000;
	assert_int_equal(budget_check(&budget, &use), BUDGET_SIZE);
	use.unsealed_events = 0;
	use.frames = 10000;
	assert_int_equal(budget_check(&budget, &use), BUDGET_SIZE);
	use.frames = 0;
	use.file_bytes = 1 << 20;
	assert_int_equal(budget_check(&budget, &use), BUDGET_SIZE);
}

static void the_duration_ends_when_it_is_over_not_before(void **state)
{
	const struct budget budget = { .duration_ns = 1000 };
	struct budget_use use = { .elapsed_ns = 999 };

	(void)state;
	assert_int_equal(budget_check(&budget, &use), BUDGET_LEFT);
	use.elapsed_ns = 1000;
	assert_int_equal(budget_check(&budget, &use), BUDGET_DURATION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_limits_everything_is_within_them),
		cmocka_unit_test(what_is_not_written_yet_counts_towards_the_size),
		cmocka_unit_test(the_duration_ends_when_it_is_over_not_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
