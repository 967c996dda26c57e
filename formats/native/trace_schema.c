#include "formats/native/trace_schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "formats/base/macros.h"
#include "formats/base/printable.h"
#include "formats/model/event_schema.h"
#include "formats/model/loss.h"
#include "formats/model/object.h"
#include "formats/model/task.h"

/* The names of these two live nowhere else: outputs word them for people. */
static const char *const task_kind_names[TASK_KIND_COUNT] = {
	[TASK_THREAD] = "thread",
	[TASK_GOROUTINE] = "goroutine",
	[TASK_FIBER] = "fiber",
};

static const char *const process_end_names[PROCESS_END_COUNT] = {
	[PROCESS_RUNNING] = "running",
	[PROCESS_EXITED] = "exited",
	[PROCESS_KILLED] = "killed",
	[PROCESS_REPLACED] = "replaced",
};

/* ---- this build's names, one function per group: NULL past the last ---- */

static const char *column_name(unsigned number)
{
	return number < EVENT_COLUMN_COUNT ? event_columns[number].name : NULL;
}

static const char *event_kind_name(unsigned number)
{
	return number < EVENT_KIND_COUNT ? event_schemas[number].name : NULL;
}

static const char *reason_name(unsigned number)
{
	return number < REASON_COUNT ? reason_infos[number].name : NULL;
}

static const char *object_kind_name(unsigned number)
{
	return number < OBJECT_KIND_COUNT ? object_infos[number].name : NULL;
}

static const char *task_kind_name(unsigned number)
{
	return number < TASK_KIND_COUNT ? task_kind_names[number] : NULL;
}

static const char *process_end_name(unsigned number)
{
	return number < PROCESS_END_COUNT ? process_end_names[number] : NULL;
}

static const char *note_kind_name(unsigned number)
{
	return number < NOTE_KIND_COUNT ? note_schemas[number].name : NULL;
}

static const struct {
	enum schema_group group;
	const char *(*name)(unsigned number);
} named_groups[] = {
	{ SCHEMA_COLUMN, column_name },
	{ SCHEMA_EVENT_KIND, event_kind_name },
	{ SCHEMA_REASON, reason_name },
	{ SCHEMA_OBJECT_KIND, object_kind_name },
	{ SCHEMA_LOSS_CAUSE, loss_cause_name },
	{ SCHEMA_TASK_KIND, task_kind_name },
	{ SCHEMA_PROCESS_END, process_end_name },
	{ SCHEMA_NOTE_KIND, note_kind_name },
};

/* ---- writing ---- */

static void put_row(struct row_writer *rows, enum schema_group group, unsigned number,
		uint64_t value, const char *name)
{
	struct row row = { .number = { [SCHEMA_GROUP] = group,
					   [SCHEMA_NUMBER] = number,
					   [SCHEMA_VALUE] = value,
					   [SCHEMA_NAME] = strlen(name) },
		.bytes = { [SCHEMA_NAME] = (const uint8_t *)name } };

	row_writer_put(rows, &row);
}

static uint64_t value_of(enum schema_group group, unsigned number)
{
	switch (group) {
	case SCHEMA_EVENT_KIND:
		return event_kind_columns((enum event_kind)number);
	case SCHEMA_NOTE_KIND:
		return note_schemas[number].fields;
	default:
		return 0;
	}
}

void trace_schema_put(struct row_writer *rows)
{
	for (size_t i = 0; i < LO_COUNT_OF(named_groups); i++)
		for (unsigned number = 0; named_groups[i].name(number); number++)
			put_row(rows, named_groups[i].group, number,
					value_of(named_groups[i].group, number),
					named_groups[i].name(number));
	for (unsigned type = 0; type < SECTION_TYPE_COUNT; type++)
		for (unsigned field = 0; field < row_schemas[type].count; field++)
			put_row(rows, SCHEMA_TABLE_FIELD, type << 8 | field,
					row_schemas[type].fields[field].type,
					row_schemas[type].fields[field].name);
}

void trace_schema_put_reason(struct row_writer *rows, unsigned number, const char *name)
{
	put_row(rows, SCHEMA_REASON, number, 0, name);
}

/* ---- reading ---- */

static void LO_PRINTF(2, 3) warn(struct trace_schema *schema, const char *format, ...)
{
	char text[SCHEMA_WARNING_BYTES];
	va_list arguments;
	int length;

	if (schema->warning_count == SCHEMA_WARNINGS)
		return;
	va_start(arguments, format);
	length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	printable_copy(schema->warnings[schema->warning_count++], SCHEMA_WARNING_BYTES, text,
			strlen(text), 0);
}

/* One row, its name as a C string. */
struct schema_row {
	uint64_t group;
	uint64_t number;
	uint64_t value;
	char name[LIMIT_SCHEMA_NAME + 1];
};

/* The number of a name of this build; SCHEMA_UNKNOWN when it has none. */
static uint8_t find_name(const char *(*name_of)(unsigned), const char *name)
{
	for (unsigned number = 0; name_of(number); number++)
		if (strcmp(name_of(number), name) == 0)
			return (uint8_t)number;
	return SCHEMA_UNKNOWN;
}

static void read_column(struct trace_schema *schema, const struct schema_row *row)
{
	if (row->number >= LIMIT_BLOCK_COLUMNS)
		return;
	schema->column[row->number] = find_name(column_name, row->name);
	if (schema->column[row->number] == SCHEMA_UNKNOWN)
		warn(schema, "the column '%s' is not known to this version and is left out",
				row->name);
}

static void read_event_kind(struct trace_schema *schema, const struct schema_row *row)
{
	struct event_map *map = &schema->events;
	uint8_t kind = find_name(event_kind_name, row->name);

	map->kind[row->number] = kind == SCHEMA_UNKNOWN ? EVENT_KIND_FOREIGN : kind;
	map->columns[row->number] = 0;
	/* Column rows come before those of kinds, so the file's numbers can be turned into ours. */
	for (unsigned column = 0; column < LIMIT_BLOCK_COLUMNS; column++)
		if (row->value >> column & 1 && schema->column[column] != SCHEMA_UNKNOWN)
			map->columns[row->number] |= EVENT_COLUMN_BIT(schema->column[column]);
	if (kind == SCHEMA_UNKNOWN)
		warn(schema, "events of the kind '%s' are not known to this version and are left out",
				row->name);
}

static void read_reason(struct trace_schema *schema, const struct schema_row *row)
{
	uint8_t reason = find_name(reason_name, row->name);

	if (reason == SCHEMA_UNKNOWN) {
		if (schema->foreign_reasons == LO_COUNT_OF(schema->reason_names))
			return;
		reason = (uint8_t)(REASON_COUNT + schema->foreign_reasons);
		printable_copy(schema->reason_names[schema->foreign_reasons++],
				sizeof(schema->reason_names[0]), row->name, strlen(row->name), 0);
		warn(schema, "the reason '%s' is not known to this version: it is shown, not judged",
				row->name);
	}
	schema->events.reason[row->number] = reason;
}

static void read_object_kind(struct trace_schema *schema, const struct schema_row *row)
{
	uint8_t kind = find_name(object_kind_name, row->name);

	schema->events.object_kind[row->number] = kind == SCHEMA_UNKNOWN ? OBJECT_NONE : kind;
	if (kind == SCHEMA_UNKNOWN)
		warn(schema, "objects of the kind '%s' are not known to this version", row->name);
}

static void read_loss_cause(struct trace_schema *schema, const struct schema_row *row)
{
	schema->loss_cause[row->number] = find_name(loss_cause_name, row->name);
	if (schema->loss_cause[row->number] == SCHEMA_UNKNOWN)
		warn(schema, "losses by '%s' are counted as unknown", row->name);
}

static void read_task_kind(struct trace_schema *schema, const struct schema_row *row)
{
	schema->task_kind[row->number] = find_name(task_kind_name, row->name);
	if (schema->task_kind[row->number] == SCHEMA_UNKNOWN)
		warn(schema, "tasks of the kind '%s' are shown as threads", row->name);
}

static void read_process_end(struct trace_schema *schema, const struct schema_row *row)
{
	schema->process_end[row->number] = find_name(process_end_name, row->name);
}

static void read_note_kind(struct trace_schema *schema, const struct schema_row *row)
{
	uint8_t kind = find_name(note_kind_name, row->name);

	if (kind == SCHEMA_UNKNOWN) {
		if (schema->foreign_notes == LO_COUNT_OF(schema->notes))
			return;
		kind = (uint8_t)(NOTE_KIND_COUNT + schema->foreign_notes);
		printable_copy(schema->notes[schema->foreign_notes].name,
				sizeof(schema->notes[0].name), row->name, strlen(row->name), 0);
		schema->notes[schema->foreign_notes++].fields = (uint8_t)row->value;
	}
	schema->note_kind[row->number] = kind;
}

static uint8_t find_field(const struct row_schema *own, const struct schema_row *row)
{
	for (unsigned i = 0; i < own->count; i++)
		if (strcmp(own->fields[i].name, row->name) == 0 &&
				(own->fields[i].type == ROW_BYTES) == (row->value == ROW_BYTES))
			return (uint8_t)i;
	return ROW_FIELD_UNKNOWN;
}

/* Fields come in order of their position; one out of order would shift all others. */
static enum lo_result read_table_field(
		struct trace_schema *schema, const struct schema_row *row, struct lo_error *err)
{
	uint64_t type = row->number >> 8;
	unsigned position = row->number & 0xff;
	struct row_map *map;

	if (type >= SECTION_TYPE_COUNT)
		return LO_OK;
	map = &schema->tables[type];
	if (position != map->count || position >= LIMIT_ROW_FIELDS ||
			row->value >= ROW_FIELD_TYPE_COUNT)
		return lo_fail(err, LO_CORRUPT, LO_NO_OFFSET,
				"the schema describes field %u of table %u in a way that makes no sense",
				position, (unsigned)type);
	map->fields[position].type = (uint8_t)row->value;
	map->fields[position].own = find_field(&row_schemas[type], row);
	map->count++;
	return LO_OK;
}

static enum lo_result read_row(
		struct trace_schema *schema, const struct schema_row *row, struct lo_error *err)
{
	static void (*const readers[])(struct trace_schema *, const struct schema_row *) = {
		[SCHEMA_COLUMN] = read_column,
		[SCHEMA_EVENT_KIND] = read_event_kind,
		[SCHEMA_REASON] = read_reason,
		[SCHEMA_OBJECT_KIND] = read_object_kind,
		[SCHEMA_LOSS_CAUSE] = read_loss_cause,
		[SCHEMA_TASK_KIND] = read_task_kind,
		[SCHEMA_PROCESS_END] = read_process_end,
		[SCHEMA_NOTE_KIND] = read_note_kind,
	};

	if (row->group == SCHEMA_TABLE_FIELD)
		return read_table_field(schema, row, err);
	/* Everything else that events and tables name by number fits in a byte. */
	if (row->group < LO_COUNT_OF(readers) && readers[row->group] && row->number < 256)
		readers[row->group](schema, row);
	return LO_OK;
}

static void reset(struct trace_schema *schema)
{
	memset(schema, 0, sizeof(*schema));
	memset(schema->events.kind, EVENT_KIND_UNDEFINED, sizeof(schema->events.kind));
	memset(schema->column, SCHEMA_UNKNOWN, sizeof(schema->column));
	memset(schema->loss_cause, SCHEMA_UNKNOWN, sizeof(schema->loss_cause));
	memset(schema->task_kind, SCHEMA_UNKNOWN, sizeof(schema->task_kind));
	memset(schema->process_end, SCHEMA_UNKNOWN, sizeof(schema->process_end));
	memset(schema->note_kind, SCHEMA_UNKNOWN, sizeof(schema->note_kind));
}

enum lo_result trace_schema_read(struct trace_schema *schema, const uint8_t *bytes, size_t size,
		struct lo_error *err)
{
	struct row_map map;
	struct row_reader reader = { .map = &map, .cursor = byte_cursor_over(bytes, size) };
	struct row row;

	row_map_identity(&map, &row_schemas[SECTION_SCHEMA]);
	reset(schema);
	for (unsigned count = 0; row_reader_next(&reader, &row); count++) {
		struct schema_row named = { row.number[SCHEMA_GROUP], row.number[SCHEMA_NUMBER],
			row.number[SCHEMA_VALUE], { 0 } };
		enum lo_result result;

		if (count == LIMIT_SCHEMA_ROWS || row.number[SCHEMA_NAME] > LIMIT_SCHEMA_NAME)
			return lo_fail(err, LO_CORRUPT, LO_NO_OFFSET,
					"the schema has more than %u rows or a name of more than %u bytes",
					LIMIT_SCHEMA_ROWS, LIMIT_SCHEMA_NAME);
		memcpy(named.name, row.bytes[SCHEMA_NAME], row.number[SCHEMA_NAME]);
		result = read_row(schema, &named, err);
		if (result != LO_OK)
			return result;
	}
	if (reader.cursor.failed)
		return lo_fail(err, LO_CORRUPT, LO_NO_OFFSET, "the schema is cut short");
	return LO_OK;
}
