#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/bytes.h"
#include "formats/model/object.h"
#include "formats/native/trace_cursor.h"
#include "formats/native/trace_schema.h"
#include "tests/support/section_forge.h"
#include "tests/support/task_row.h"

/*
 * Files of versions to come: other numbers, more names, columns, fields and sections than this
 * build knows. What is known by name is understood; the rest is left out, and said.
 */
enum {
	/* Numbers of that file; none is this build's. */
	F_TIME = 10,
	F_TASK = 11,
	F_KIND = 12,
	F_REASON = 13,
	F_OBJECT = 14,
	F_PRIORITY = 15, /* unknown here */
	F_MIGRATE = 3,   /* unknown here; has task and priority */
	F_BLOCK = 9,
	F_RUN = 0,
	F_UNHEARD_OF = 77, /* reason, object kind, loss cause, task kind: unknown here */
	F_MUTEX_LOCK = 1,
	F_MUTEX = 200,
	F_RING_FULL = 5,
};

static uint64_t bits(unsigned a, unsigned b, unsigned c)
{
	return 1ull << F_TIME | 1ull << F_TASK | 1ull << F_KIND | 1ull << a | 1ull << b | 1ull << c;
}

static void future_schema(struct row_writer *rows)
{
	*rows = (struct row_writer){ .schema = &row_schemas[SECTION_SCHEMA] };
	forge_schema_row(rows, 99, 1, 2, "a group of later");
	forge_schema_row(rows, SCHEMA_COLUMN, F_TIME, 0, "time");
	forge_schema_row(rows, SCHEMA_COLUMN, F_TASK, 0, "task");
	forge_schema_row(rows, SCHEMA_COLUMN, F_KIND, 0, "kind");
	forge_schema_row(rows, SCHEMA_COLUMN, F_REASON, 0, "reason");
	forge_schema_row(rows, SCHEMA_COLUMN, F_OBJECT, 0, "object");
	forge_schema_row(rows, SCHEMA_COLUMN, F_PRIORITY, 0, "priority");
	forge_schema_row(rows, SCHEMA_EVENT_KIND, F_RUN, bits(F_TIME, F_TIME, F_PRIORITY), "run");
	forge_schema_row(rows, SCHEMA_EVENT_KIND, F_MIGRATE, bits(F_TIME, F_TIME, F_PRIORITY),
			"migrate\x1b[31m");
	forge_schema_row(rows, SCHEMA_EVENT_KIND, F_BLOCK, bits(F_REASON, F_OBJECT, F_PRIORITY),
			"block");
	forge_schema_row(rows, SCHEMA_REASON, F_MUTEX_LOCK, 0, "mutex lock");
	forge_schema_row(rows, SCHEMA_REASON, F_UNHEARD_OF, 0, "quantum wait");
	forge_schema_row(rows, SCHEMA_OBJECT_KIND, F_MUTEX, 0, "mutex");
	forge_schema_row(rows, SCHEMA_OBJECT_KIND, F_UNHEARD_OF, 0, "entanglement");
	forge_schema_row(rows, SCHEMA_LOSS_CAUSE, F_RING_FULL, 0, "ring full");
	forge_schema_row(rows, SCHEMA_LOSS_CAUSE, F_UNHEARD_OF, 0, "cosmic ray");
	forge_schema_row(rows, SCHEMA_TASK_KIND, 4, 0, "goroutine");
	forge_schema_row(rows, SCHEMA_TASK_KIND, F_UNHEARD_OF, 0, "actor");
	/* Tasks with their fields in another order, and two more. */
	forge_schema_row(rows, SCHEMA_TABLE_FIELD, SECTION_TASKS << 8 | 0, ROW_BYTES, "colour");
	forge_schema_row(rows, SCHEMA_TABLE_FIELD, SECTION_TASKS << 8 | 1, ROW_NUMBER, "kind");
	forge_schema_row(rows, SCHEMA_TABLE_FIELD, SECTION_TASKS << 8 | 2, ROW_NUMBER, "id");
	forge_schema_row(rows, SCHEMA_TABLE_FIELD, SECTION_TASKS << 8 | 3, ROW_DELTA, "priority");
	forge_schema_row(rows, SCHEMA_TABLE_FIELD, SECTION_TASKS << 8 | 4, ROW_NUMBER, "tid");
	forge_schema_row(rows, SCHEMA_TABLE_FIELD, 100 << 8, ROW_NUMBER, "of an unknown table");
}

static void future_block(struct forge *forge)
{
	static const uint8_t times[] = { 1, 1, 1, 1 };
	static const uint8_t tasks[] = { 4, 4, 5, 6 };
	static const uint8_t kinds[] = { F_RUN, F_MIGRATE, F_BLOCK, F_BLOCK };
	static const uint8_t reasons[] = { F_MUTEX_LOCK, F_UNHEARD_OF };
	static const uint8_t objects[] = { 1, F_MUTEX, 2 * 7, 1, F_UNHEARD_OF, 2 };
	static const uint8_t priorities[] = { 9, 9, 9, 9 };
	const struct forged_column columns[] = {
		{ F_PRIORITY, 44, priorities, sizeof(priorities), 0 },
		{ F_TIME, ENCODING_DELTA, times, sizeof(times), 0 },
		{ F_TASK, ENCODING_VARINT, tasks, sizeof(tasks), 0 },
		{ F_KIND, ENCODING_BYTES, kinds, sizeof(kinds), 0 },
		{ F_REASON, ENCODING_BYTES, reasons, sizeof(reasons), 0 },
		{ F_OBJECT, ENCODING_OBJECTS, objects, sizeof(objects), 0 },
		{ 60, ENCODING_BYTES, times, sizeof(times), 0 }, /* not even in the schema */
	};
	const struct block_loss losses[] = { { F_RING_FULL, 3 }, { F_UNHEARD_OF, 4 },
		{ 70000, 5 } };

	forge_block(forge, 100, 200, 4, columns, 7, losses, 3);
}

static void forge_future(struct forge *forge)
{
	struct row_writer rows;
	static const uint8_t tasks[] = { 3, 'r', 'e', 'd', 4, 5, 0, 42, /* second row: */ 0,
		F_UNHEARD_OF, 6, 2, 43 };

	forge_init(forge);
	future_schema(&rows);
	forge_table(forge, SECTION_SCHEMA, 0, &rows);
	forge_raw_table(forge, SECTION_TASKS, 0, 2, tasks, sizeof(tasks), sizeof(tasks));
	future_block(forge);
	forge_end(forge, 300);
}

static bool warns_about(const struct trace_reader *reader, const char *name)
{
	for (uint32_t i = 0; i < trace_reader_warning_count(reader); i++)
		if (strstr(trace_reader_warning(reader, i), name))
			return true;
	return false;
}

static void what_is_known_by_name_is_understood(void **state)
{
	struct forge forge;
	struct trace_reader *reader;
	struct trace_cursor *cursor;
	struct event event;

	(void)state;
	forge_future(&forge);
	assert_int_equal(forge_open(&forge, &reader, NULL), LO_OK);
	assert_int_equal(trace_cursor_open(&cursor, reader, TIME_SPAN_ALL, NULL), LO_OK);
	assert_int_equal(trace_cursor_next(cursor, &event, NULL), LO_OK);
	assert_int_equal(event.kind, EVENT_RUN);
	assert_int_equal(event.time_ns, 101);
	assert_int_equal(trace_cursor_next(cursor, &event, NULL), LO_OK);
	assert_int_equal(event.kind, EVENT_BLOCK);
	assert_int_equal(event.time_ns, 103);
	assert_int_equal(event.task, 5);
	assert_int_equal(event.reason, REASON_MUTEX_LOCK);
	assert_int_equal(event.object_kind, OBJECT_MUTEX);
	assert_int_equal(event.object, 7);
	assert_int_equal(trace_cursor_next(cursor, &event, NULL), LO_OK);
	assert_int_equal(event.reason, REASON_COUNT);
	assert_int_equal(event.object_kind, OBJECT_NONE);
	assert_int_equal(event.object, 8);
	assert_int_equal(trace_cursor_next(cursor, &event, NULL), LO_END);
	trace_cursor_close(cursor);
	assert_int_equal(trace_reader_damage_count(reader), 0);
	trace_reader_close(reader);
	forge_release(&forge);
}

static void an_unknown_reason_keeps_its_name(void **state)
{
	struct forge forge;
	struct trace_reader *reader;

	(void)state;
	forge_future(&forge);
	assert_int_equal(forge_open(&forge, &reader, NULL), LO_OK);
	assert_string_equal(trace_reader_reason_name(reader, REASON_COUNT), "quantum wait");
	assert_int_equal(trace_reader_reason_class(reader, REASON_COUNT), WAIT_CLASS_UNKNOWN);
	assert_string_equal(trace_reader_reason_name(reader, REASON_MUTEX_LOCK), "mutex lock");
	assert_string_equal(trace_reader_reason_name(reader, REASON_COUNT + 1), "unknown");
	assert_string_equal(trace_reader_reason_name(reader, 255), "unknown");
	trace_reader_close(reader);
	forge_release(&forge);
}

static void losses_by_unknown_causes_are_counted(void **state)
{
	struct forge forge;
	struct trace_reader *reader;

	(void)state;
	forge_future(&forge);
	assert_int_equal(forge_open(&forge, &reader, NULL), LO_OK);
	assert_int_equal(trace_reader_info(reader)->lost[LOSS_RING_FULL], 3);
	assert_int_equal(trace_reader_info(reader)->lost_unknown, 9);
	trace_reader_close(reader);
	forge_release(&forge);
}

static void table_fields_are_found_by_name(void **state)
{
	struct forge forge;
	struct trace_reader *reader;

	(void)state;
	forge_future(&forge);
	assert_int_equal(forge_open(&forge, &reader, NULL), LO_OK);
	assert_int_equal(task_row(reader, 5).tid, 42);
	assert_int_equal(task_row(reader, 5).kind, TASK_GOROUTINE);
	assert_int_equal(task_row(reader, 5).name, 0); /* the file has no such field */
	assert_int_equal(task_row(reader, 6).tid, 43);
	assert_int_equal(task_row(reader, 6).kind, TASK_THREAD);
	trace_reader_close(reader);
	forge_release(&forge);
}

static void what_is_left_out_is_said(void **state)
{
	struct forge forge;
	struct trace_reader *reader;

	(void)state;
	forge_future(&forge);
	assert_int_equal(forge_open(&forge, &reader, NULL), LO_OK);
	assert_true(warns_about(reader, "'priority'"));
	assert_true(warns_about(reader, "'migrate"));
	assert_true(warns_about(reader, "'quantum wait'"));
	assert_true(warns_about(reader, "'entanglement'"));
	assert_true(warns_about(reader, "'cosmic ray'"));
	assert_true(warns_about(reader, "'actor'"));
	assert_int_equal(trace_reader_warning_count(reader), 6);
	assert_null(trace_reader_warning(reader, 6));
	for (uint32_t i = 0; i < trace_reader_warning_count(reader); i++)
		assert_null(strchr(trace_reader_warning(reader, i), '\x1b'));
	trace_reader_close(reader);
	forge_release(&forge);
}

/* An unknown section is passed over: in silence if it says that it may be. */
static void unknown_sections_are_passed_over(void **state)
{
	struct forge forge;
	struct section_header *header = calloc(1, sizeof(*header));
	struct trace_reader *reader;
	struct trace_damage damage;
	struct trace_section section;

	(void)state;
	assert_non_null(header);
	forge_init(&forge);
	forge_schema(&forge);
	header->type = 500;
	header->flags = SECTION_FLAG_OPTIONAL;
	forge_section(&forge, header, "anything", 8);
	header->flags = 0;
	forge_section(&forge, header, "anything", 8);
	forge_end(&forge, 300);
	assert_int_equal(forge_open(&forge, &reader, NULL), LO_OK);
	assert_int_equal(trace_reader_info(reader)->duration_ns, 300);
	assert_int_equal(trace_reader_damage_count(reader), 1);
	assert_true(trace_reader_section(reader, 1, &section));
	assert_string_equal(section.name, "unknown");
	assert_true(trace_reader_section(reader, 2, &section));
	assert_true(trace_reader_damage(reader, 0, &damage));
	assert_int_equal(damage.offset, section.offset);
	assert_non_null(strstr(damage.what, "later version"));
	trace_reader_close(reader);
	forge_release(&forge);
	free(header);
}

static void a_schema_of_a_later_version_is_unsupported_and_not_corrupt(void **state)
{
	struct forge forge;
	struct section_header *header = calloc(1, sizeof(*header));
	struct trace_reader *reader = NULL;
	struct lo_error err;

	(void)state;
	assert_non_null(header);
	forge_init(&forge);
	header->type = SECTION_SCHEMA;
	header->version = FORMAT_VERSION + 1;
	header->extra_bytes = TABLE_EXTRA_BYTES;
	forge_section(&forge, header, "anything", 8);
	assert_int_equal(forge_open(&forge, &reader, &err), LO_UNSUPPORTED);
	assert_non_null(strstr(err.message, "version 2"));
	forge_release(&forge);
	free(header);
}

static void a_table_of_a_later_version_is_left_out(void **state)
{
	struct forge forge;
	struct section_header *header = calloc(1, sizeof(*header));
	struct trace_reader *reader;

	(void)state;
	assert_non_null(header);
	forge_init(&forge);
	forge_schema(&forge);
	header->type = SECTION_STRINGS;
	header->version = FORMAT_VERSION + 1;
	header->extra_bytes = TABLE_EXTRA_BYTES;
	forge_section(&forge, header, "anything", 8);
	assert_int_equal(forge_open(&forge, &reader, NULL), LO_OK);
	assert_int_equal(trace_reader_damage_count(reader), 1);
	trace_reader_close(reader);
	forge_release(&forge);
	free(header);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_known_by_name_is_understood),
		cmocka_unit_test(an_unknown_reason_keeps_its_name),
		cmocka_unit_test(losses_by_unknown_causes_are_counted),
		cmocka_unit_test(table_fields_are_found_by_name),
		cmocka_unit_test(what_is_left_out_is_said),
		cmocka_unit_test(unknown_sections_are_passed_over),
		cmocka_unit_test(a_schema_of_a_later_version_is_unsupported_and_not_corrupt),
		cmocka_unit_test(a_table_of_a_later_version_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
