#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "formats/model/event_schema.h"
#include "formats/model/loss.h"
#include "formats/model/object.h"
#include "formats/model/reason.h"

/* A table row is all that a new kind needs; these walks are what makes one line safe. */

static void every_event_kind_has_a_complete_row(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		const struct event_schema *schema = &event_schemas[kind];

		assert_non_null(schema->name);
		assert_true(strlen(schema->name) > 0);
		assert_int_equal(schema->peer_name != NULL,
				(schema->fields & EVENT_FIELD_PEER) != 0);
		for (unsigned other = 0; other < kind; other++)
			assert_string_not_equal(schema->name, event_schemas[other].name);
	}
}

static void every_reason_has_a_name_a_help_and_a_class(void **state)
{
	(void)state;
	for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
		const struct reason_info *info = &reason_infos[reason];

		assert_non_null(info->name);
		assert_non_null(info->help);
		assert_in_range(info->wait_class, 0, WAIT_CLASS_COUNT - 1);
		assert_int_equal(reason_by_name(info->name, (uint32_t)strlen(info->name)), reason);
	}
}

static void a_reason_name_is_matched_whole(void **state)
{
	(void)state;
	assert_int_equal(reason_by_name("mutex lock", 10), REASON_MUTEX_LOCK);
	assert_int_equal(reason_by_name("mutex lock", 9), REASON_COUNT);
	assert_int_equal(reason_by_name("mutex locks", 11), REASON_COUNT);
	assert_int_equal(reason_by_name("", 0), REASON_COUNT);
}

static void every_object_kind_has_a_name(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < OBJECT_KIND_COUNT; kind++) {
		assert_non_null(object_infos[kind].name);
		for (unsigned other = 0; other < kind; other++)
			assert_string_not_equal(object_infos[kind].name, object_infos[other].name);
	}
}

static void every_loss_cause_has_a_name(void **state)
{
	(void)state;
	for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT; cause++)
		assert_non_null(loss_cause_name(cause));
	assert_null(loss_cause_name(LOSS_CAUSE_COUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_kind_has_a_complete_row),
		cmocka_unit_test(every_reason_has_a_name_a_help_and_a_class),
		cmocka_unit_test(a_reason_name_is_matched_whole),
		cmocka_unit_test(every_object_kind_has_a_name),
		cmocka_unit_test(every_loss_cause_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
