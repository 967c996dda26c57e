#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "viewer/analysis/finding_table.h"

static void every_kind_has_a_row(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < FINDING_KIND_COUNT; kind++) {
		const struct finding_row *row = finding_row((enum finding_kind)kind);

		assert_non_null(row->name);
		assert_in_range(row->severity, 1, 5);
		assert_string_equal(finding_kind_name((enum finding_kind)kind), row->name);
		for (unsigned other = 0; other < kind; other++)
			assert_string_not_equal(
					finding_row((enum finding_kind)other)->name, row->name);
	}
}

/* The table is walked in its order, and the report promises the most severe first. */
static void rows_are_in_the_order_of_severity(void **state)
{
	(void)state;
	for (unsigned kind = 1; kind < FINDING_KIND_COUNT; kind++)
		assert_true(finding_row((enum finding_kind)kind)->severity <=
				finding_row((enum finding_kind)(kind - 1))->severity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_a_row),
		cmocka_unit_test(rows_are_in_the_order_of_severity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
