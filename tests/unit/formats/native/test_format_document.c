#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/limits.h"
#include "formats/base/macros.h"
#include "formats/model/event_schema.h"
#include "formats/model/note.h"
#include "formats/native/event_codec.h"
#include "formats/native/layout.h"
#include "formats/native/row_codec.h"
#include "formats/native/section.h"
#include "formats/native/trace_schema.h"
#include "tests/support/section_forge.h"

#ifndef SOURCE_ROOT
#error "SOURCE_ROOT comes from the build"
#endif

/*
 * docs/format.md and the code say the same. Values come from the compiler; that no name is
 * forgotten, here or there, is found by reading the headers and the document as text.
 */
#define NAME(constant)              \
	{                           \
#constant, constant \
	}

static const struct {
	const char *name;
	uint64_t value;
} constants[] = {
	NAME(SECTION_FRAME_MAGIC),
	NAME(SECTION_MAGIC),
	NAME(FORMAT_VERSION),
	NAME(SECTION_AT_FRAME_MAGIC),
	NAME(SECTION_AT_FRAME_BYTES),
	NAME(SECTION_AT_MAGIC),
	NAME(SECTION_AT_TYPE),
	NAME(SECTION_AT_FLAGS),
	NAME(SECTION_AT_VERSION),
	NAME(SECTION_AT_RESERVED),
	NAME(SECTION_AT_SEQUENCE),
	NAME(SECTION_AT_ROWS),
	NAME(SECTION_AT_PAYLOAD_BYTES),
	NAME(SECTION_AT_PAYLOAD_CHECKSUM),
	NAME(SECTION_AT_EXTRA),
	NAME(SECTION_CHECKSUM_BYTES),
	NAME(SECTION_HEADER_LEAST),
	NAME(SECTION_SCHEMA),
	NAME(SECTION_META),
	NAME(SECTION_STRINGS),
	NAME(SECTION_MODULES),
	NAME(SECTION_FRAMES),
	NAME(SECTION_STACKS),
	NAME(SECTION_TASKS),
	NAME(SECTION_PROCESSES),
	NAME(SECTION_SYMBOLS),
	NAME(SECTION_BLOCK),
	NAME(SECTION_END),
	NAME(SECTION_INDEX),
	NAME(SECTION_LOCATOR),
	NAME(SECTION_SNAPSHOT),
	NAME(SECTION_LIVES),
	NAME(SECTION_TILES),
	NAME(SECTION_COUNTERS),
	NAME(SECTION_NOTES),
	NAME(SECTION_CHECKPOINT),
	NAME(SECTION_FLAG_OPTIONAL),
	NAME(TABLE_AT_FIRST_ID),
	NAME(TABLE_AT_RAW_BYTES),
	NAME(TABLE_EXTRA_BYTES),
	NAME(RANGE_AT_BEGIN_NS),
	NAME(RANGE_AT_END_NS),
	NAME(RANGE_AT_LOW),
	NAME(RANGE_AT_HIGH),
	NAME(RANGE_EXTRA_BYTES),
	NAME(LIVES_AT_FROM),
	NAME(LIVES_AT_REST),
	NAME(LIVES_AT_SHORT),
	NAME(LIVES_AT_FLAGS),
	NAME(LIVES_EXTRA_BYTES),
	NAME(LIVES_FLAG_ALIVE),
	NAME(BLOCK_AT_BEGIN_NS),
	NAME(BLOCK_AT_END_NS),
	NAME(BLOCK_AT_TASK_MIN),
	NAME(BLOCK_AT_TASK_MAX),
	NAME(BLOCK_AT_COLUMN_COUNT),
	NAME(BLOCK_AT_LOSS_COUNT),
	NAME(BLOCK_AT_COLUMNS),
	NAME(COLUMN_AT_NUMBER),
	NAME(COLUMN_AT_ENCODING),
	NAME(COLUMN_AT_RESERVED),
	NAME(COLUMN_AT_PACKED_BYTES),
	NAME(COLUMN_AT_RAW_BYTES),
	NAME(COLUMN_ENTRY_BYTES),
	NAME(LOSS_AT_CAUSE),
	NAME(LOSS_AT_COUNT),
	NAME(LOSS_ENTRY_BYTES),
	NAME(COUNTERS_AT_FROM),
	NAME(COUNTERS_AT_CELL_COUNT),
	NAME(COUNTERS_AT_RESERVED),
	NAME(COUNTERS_AT_CELLS),
	NAME(COUNTER_AT_NAME),
	NAME(COUNTER_AT_UNIT),
	NAME(COUNTER_AT_PROCESS),
	NAME(COUNTER_AT_ROWS),
	NAME(COUNTER_AT_SAMPLES),
	NAME(COUNTER_AT_FIRST_NS),
	NAME(COUNTER_AT_LAST_NS),
	NAME(COUNTER_AT_FIRST),
	NAME(COUNTER_AT_LAST),
	NAME(COUNTER_AT_LEAST),
	NAME(COUNTER_AT_GREATEST),
	NAME(COUNTER_CELL_BYTES),
	NAME(COUNTER_FAN),
	NAME(COUNTER_LEVELS),
	NAME(CHECKPOINT_AT_PREVIOUS),
	NAME(CHECKPOINT_AT_KEY),
	NAME(CHECKPOINT_EXTRA_BYTES),
	NAME(NOTES_AT_CELL_COUNT),
	NAME(NOTES_AT_RESERVED),
	NAME(NOTES_AT_CELLS),
	NAME(NOTE_AT_KIND),
	NAME(NOTE_AT_COUNT),
	NAME(NOTE_AT_BEGIN_NS),
	NAME(NOTE_AT_END_NS),
	NAME(NOTE_AT_TOTAL_NS),
	NAME(NOTE_CELL_BYTES),
	NAME(TILE_BINS),
	NAME(TILE_TOUCHED_BITS),
	NAME(TILE_ABSENT),
	NAME(TILE_ACTIVE),
	NAME(TILE_BLOCKED),
	NAME(TILE_CELL_SHARE),
	NAME(TILE_CELL_CHANGES),
	NAME(TILE_CELL_REASON),
	NAME(TILE_SHARE_ALL),
	NAME(TILE_CHANGES_MAX),
	NAME(END_AT_TIME_NS),
	NAME(END_EXTRA_BYTES),
	NAME(LOCATOR_AT_INDEX_OFFSET),
	NAME(LOCATOR_EXTRA_BYTES),
	NAME(LOCATOR_BYTES),
	NAME(ROW_NUMBER),
	NAME(ROW_DELTA),
	NAME(ROW_BYTES),
	NAME(ENCODING_BYTES),
	NAME(ENCODING_VARINT),
	NAME(ENCODING_DELTA),
	NAME(ENCODING_OBJECTS),
	NAME(ENCODING_DIFFERENCE),
	NAME(ENCODING_STEPS),
	NAME(ORDER_TIME),
	NAME(ORDER_KIND),
	NAME(ORDER_TASK),
	NAME(ORDER_PLACE),
	NAME(ROW_BUCKETS),
	NAME(STEP_CLASSES),
	NAME(STEP_WIDTH_MAX),
	NAME(STEP_LOW_BITS_MAX),
	NAME(STEP_ESCAPE),
	NAME(STEP_FOLLOW),
	NAME(STEP_MEMORY),
	NAME(SCHEMA_COLUMN),
	NAME(SCHEMA_EVENT_KIND),
	NAME(SCHEMA_REASON),
	NAME(SCHEMA_OBJECT_KIND),
	NAME(SCHEMA_LOSS_CAUSE),
	NAME(SCHEMA_TASK_KIND),
	NAME(SCHEMA_PROCESS_END),
	NAME(SCHEMA_TABLE_FIELD),
	NAME(SCHEMA_NOTE_KIND),
	NAME(LIMIT_SECTION_HEADER),
	NAME(LIMIT_SECTION_PAYLOAD),
	NAME(LIMIT_SECTIONS),
	NAME(LIMIT_TABLE_RAW),
	NAME(LIMIT_INDEX_RAW),
	NAME(LIMIT_BLOCK_ROWS),
	NAME(LIMIT_COLUMN_ROW_BYTES),
	NAME(LIMIT_BLOCK_COLUMNS),
	NAME(LIMIT_BLOCK_LOSSES),
	NAME(LIMIT_SCHEMA_ROWS),
	NAME(LIMIT_SCHEMA_NAME),
	NAME(LIMIT_ROW_FIELDS),
	NAME(LIMIT_TASKS),
	NAME(LIMIT_LIVES),
	NAME(LIMIT_TASK_ROWS),
	NAME(LIMIT_STRINGS),
	NAME(LIMIT_STRING_BYTES),
	NAME(LIMIT_STRING_LENGTH),
	NAME(LIMIT_FRAMES),
	NAME(LIMIT_STACKS),
	NAME(LIMIT_STACK_DEPTH),
	NAME(LIMIT_MODULES),
	NAME(LIMIT_PROCESSES),
	NAME(LIMIT_SYMBOLS),
	NAME(LIMIT_META_ROWS),
	NAME(LIMIT_CHECKPOINT_SEARCH),
	NAME(LIMIT_CHECKPOINT_TRIES),
	NAME(LIMIT_CHECKPOINT_HEAD),
	NAME(LIMIT_CHECKPOINT_LINKS),
	NAME(LIMIT_COUNTERS),
	NAME(LIMIT_COUNTER_ROWS),
	NAME(LIMIT_NOTE_ROWS),
	NAME(LIMIT_NOTE_KINDS),
	NAME(LIMIT_TILES_RAW),
	NAME(LIMIT_TILES),
	NAME(LIMIT_TILE_ROWS),
	NAME(LIMIT_TILE_GROUPS),
	NAME(LIMIT_TILE_LEVELS),
	NAME(LIMIT_DAMAGE),
};

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 1 << 19);

	if (!file || !text)
		fail_msg("cannot read %s", path);
	if (fread(text, 1, (1 << 19) - 1, file) == 0)
		fail_msg("%s is empty", path);
	fclose(file);
	return text;
}

static char *document;

static int load_document(void **state)
{
	(void)state;
	document = read_text(SOURCE_ROOT "/docs/format.md");
	return 0;
}

static int drop_document(void **state)
{
	(void)state;
	free(document);
	return 0;
}

static bool is_listed(const char *name, size_t length)
{
	for (size_t i = 0; i < LO_COUNT_OF(constants); i++)
		if (strlen(constants[i].name) == length &&
				memcmp(constants[i].name, name, length) == 0)
			return true;
	return false;
}

static size_t name_length(const char *text)
{
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
}

static bool document_has(const char *format, ...)
{
	char wanted[128];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(wanted, sizeof(wanted), format, arguments);
	va_end(arguments);
	return strstr(document, wanted) != NULL;
}

static void every_number_stands_in_the_document(void **state)
{
	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(constants); i++) {
		const char *name = constants[i].name;
		unsigned long long value = constants[i].value;

		if (!document_has("| `%s` | %llu |", name, value) &&
				!document_has("`%s` (%llu)", name, value) &&
				!document_has("`%s` (0x%llx)", name, value))
			fail_msg("docs/format.md does not say that %s is %llu", name, value);
	}
}

static void the_document_names_nothing_else(void **state)
{
	(void)state;
	for (const char *at = document; (at = strstr(at, "`")); at++) {
		size_t length = name_length(at + 1);

		if (length > 3 && at[1 + length] == '`' && !is_listed(at + 1, length))
			fail_msg("docs/format.md names %.*s, which is not in the headers",
					(int)length, at + 1);
	}
}

/* Constants defined by a header: `#define NAME value` and enumerators with a value. */
static void check_header(const char *path, const char *const *except)
{
	char full_path[512];
	char *text;

	snprintf(full_path, sizeof(full_path), SOURCE_ROOT "/%s", path);
	text = read_text(full_path);
	for (char *line = strtok(text, "\n"); line && !strstr(line, "not part of docs/format.md");
			line = strtok(NULL, "\n")) {
		const char *name = strncmp(line, "#define ", 8) == 0 ? line + 8
				   : line[0] == '\t'                 ? line + 1
								     : "";
		size_t length = name_length(name);
		bool wanted = length > 3 && name[length] == ' ' && name[length + 1] != '\0';

		for (size_t i = 0; except[i]; i++)
			wanted = wanted && strncmp(name, except[i], strlen(except[i])) != 0;
		if (wanted && !is_listed(name, length))
			fail_msg("%s defines %.*s, which docs/format.md and this test leave out",
					path, (int)length, name);
	}
	free(text);
}

static void no_number_of_the_headers_is_left_out(void **state)
{
	static const char *const nothing[] = { NULL };
	static const char *const not_stored[] = { "ROW_FIELDS_MAX", "ROW_FIELD_UNKNOWN",
		"SCHEMA_UNKNOWN", "SCHEMA_WARNING", "EVENT_", "ROW_ORDER_COUNT",
		"COLUMN_ENCODINGS_MAX", "STEP_ONE", NULL };

	(void)state;
	check_header("formats/native/layout.h", nothing);
	check_header("formats/base/limits.h", nothing);
	check_header("formats/native/row_codec.h", not_stored);
	check_header("formats/native/trace_schema.h", not_stored);
	check_header("formats/native/event_codec.h", not_stored);
	check_header("formats/native/row_order.h", not_stored);
	check_header("formats/native/clock_steps.h", not_stored);
}

static void sections_are_called_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(constants); i++) {
		const char *name = constants[i].name;
		const char *called = section_type_name((unsigned)constants[i].value);

		if (strncmp(name, "SECTION_", 8) == 0 &&
				document_has("| `%s` | %u | %s |", name,
						(unsigned)constants[i].value, called))
			continue;
		/* Only section types have a name as third cell. */
		if (strncmp(name, "SECTION_", 8) == 0 && !strstr(name, "_AT_") &&
				constants[i].value >= SECTION_SCHEMA &&
				constants[i].value < SECTION_TYPE_COUNT && !strstr(name, "FLAG") &&
				!strstr(name, "BYTES"))
			fail_msg("docs/format.md does not call %s '%s'", name, called);
	}
}

/* The rows of the first table below a heading, one at a time: "| `first` | second | ..." */
struct table_rows {
	const char *at;
};

static struct table_rows rows_below(const char *heading)
{
	char line[128];
	const char *at;

	snprintf(line, sizeof(line), "\n%s\n", heading);
	at = strstr(document, line);
	if (!at)
		fail_msg("docs/format.md has no heading '%s'", heading);
	at = strstr(at, "\n|---");
	assert_non_null(at);
	return (struct table_rows){ strchr(at + 1, '\n') + 1 };
}

static bool next_row(struct table_rows *rows, char first[64], char second[128], char third[64])
{
	const char *end = strchr(rows->at, '\n');

	if (rows->at[0] != '|')
		return false;
	first[0] = second[0] = third[0] = '\0';
	sscanf(rows->at, "| `%63[^`]` | %127[^|]| %63[^|]|", first, second, third);
	for (char *cell = second; cell; cell = cell == second ? third : NULL)
		for (size_t length = strlen(cell); length > 0 && cell[length - 1] == ' ';)
			cell[--length] = '\0';
	rows->at = end + 1;
	return true;
}

static void check_fields(const char *heading, unsigned type)
{
	static const char *const types[ROW_FIELD_TYPE_COUNT] = {
		[ROW_NUMBER] = "number", [ROW_DELTA] = "delta", [ROW_BYTES] = "bytes"
	};
	struct table_rows rows = rows_below(heading);
	char first[64];
	char second[128];
	char third[64];

	for (unsigned i = 0; i < row_schemas[type].count; i++) {
		assert_true(next_row(&rows, first, second, third));
		assert_string_equal(first, row_schemas[type].fields[i].name);
		assert_string_equal(second, types[row_schemas[type].fields[i].type]);
	}
	assert_false(next_row(&rows, first, second, third));
}

static void tables_have_the_same_fields(void **state)
{
	char heading[64];

	(void)state;
	for (unsigned type = 0; type < SECTION_TYPE_COUNT; type++) {
		if (row_schemas[type].count == 0)
			continue;
		snprintf(heading, sizeof(heading), "### %s", section_type_name(type));
		check_fields(type == SECTION_INDEX ? "## Index and locator" : heading, type);
	}
}

static void add_encoding(char list[128], uint8_t encoding)
{
	static const char *const encodings[] = { [ENCODING_BYTES] = "bytes",
		[ENCODING_VARINT] = "varint",
		[ENCODING_DELTA] = "delta",
		[ENCODING_OBJECTS] = "objects",
		[ENCODING_DIFFERENCE] = "difference",
		[ENCODING_STEPS] = "steps" };
	static const char *const orders[ROW_ORDER_COUNT] = { [ORDER_TIME >> 4] = "",
		[ORDER_KIND >> 4] = " by kind",
		[ORDER_TASK >> 4] = " by task",
		[ORDER_PLACE >> 4] = " by place" };

	strcat(list, list[0] ? ", " : "");
	strcat(strcat(list, encodings[ENCODING_OF(encoding)]), orders[ORDER_OF(encoding) >> 4]);
}

static void columns_have_the_same_encodings(void **state)
{
	struct table_rows rows = rows_below("### Columns");
	char first[64];
	char second[128];
	char third[64];

	(void)state;
	for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++) {
		char list[128] = "";

		for (unsigned i = 0; i < event_columns[column].count; i++)
			add_encoding(list, event_columns[column].encodings[i]);
		assert_true(next_row(&rows, first, second, third));
		assert_string_equal(first, event_columns[column].name);
		assert_string_equal(second, list);
	}
	assert_false(next_row(&rows, first, second, third));
}

static void events_have_the_same_columns(void **state)
{
	struct table_rows rows = rows_below("### Events");
	char first[64];
	char second[128];
	char third[64];

	(void)state;
	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		uint32_t columns = event_kind_columns((enum event_kind)kind) &
				   ~EVENT_COLUMNS_ALWAYS;
		char list[64] = "";

		for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++)
			if (columns & EVENT_COLUMN_BIT(column))
				strcat(strcat(list, list[0] ? ", " : ""),
						event_columns[column].name);
		assert_true(next_row(&rows, first, second, third));
		assert_string_equal(first, event_schemas[kind].name);
		assert_string_equal(second, list);
		assert_string_equal(third,
				event_schemas[kind].peer_name ? event_schemas[kind].peer_name : "");
	}
	assert_false(next_row(&rows, first, second, third));
}

static void notes_have_the_same_kinds(void **state)
{
	struct table_rows rows = rows_below("### Kinds of notes");
	char first[64];
	char second[128];
	char third[64];

	(void)state;
	for (unsigned kind = 0; kind < NOTE_KIND_COUNT; kind++) {
		const struct note_schema *schema = &note_schemas[kind];

		assert_true(next_row(&rows, first, second, third));
		assert_string_equal(first, schema->name);
		assert_int_equal(second[0] != '\0', (schema->fields & NOTE_HAS_NAME) != 0);
		assert_int_equal(third[0] != '\0', (schema->fields & NOTE_HAS_TEXT) != 0);
	}
	assert_false(next_row(&rows, first, second, third));
}

/* The hex bytes of the next example behind `text`; returns where they end. */
static const char *check_example(const char *text, const uint8_t *bytes, size_t size)
{
	text = strstr(text, "```hex\n");
	assert_non_null(text);
	text += strlen("```hex\n");
	for (size_t i = 0; i < size; i++) {
		char *end;

		if (strtoul(text, &end, 16) != bytes[i])
			fail_msg("byte %zu of an example is %02x", i, bytes[i]);
		text = end;
	}
	assert_memory_equal(text, "\n```", 4);
	return text;
}

static void the_example_is_what_a_writer_writes(void **state)
{
	struct forge forge;

	(void)state;
	forge_init(&forge);
	forge.sequence = 7;
	forge_end(&forge, 31000000000);
	check_example(document, forge.file.bytes, forge.file.size);
	forge_release(&forge);
}

static void the_columns_of_the_example_are_what_a_writer_writes(void **state)
{
	static const struct event events[] = {
		{ .time_ns = 1011, .task = 1, .kind = EVENT_RUN },
		{ .time_ns = 1032, .task = 2, .kind = EVENT_RUN },
		{ .time_ns = 1452,
				.task = 1,
				.stack = 7,
				.object = 0x40,
				.object_kind = 1,
				.reason = 1,
				.kind = EVENT_BLOCK },
		{ .time_ns = 1883,
				.task = 2,
				.stack = 9,
				.object = 0x48,
				.object_kind = 3,
				.reason = 6,
				.kind = EVENT_BLOCK },
		{ .time_ns = 1914, .task = 1, .kind = EVENT_UNBLOCK },
		{ .time_ns = 12414,
				.task = 1,
				.stack = 7,
				.object = 0x40,
				.object_kind = 1,
				.reason = 1,
				.kind = EVENT_BLOCK },
	};
	static const struct {
		enum event_column column;
		uint8_t encoding;
	} shown[] = {
		{ COLUMN_KIND, ENCODING_BYTES },
		{ COLUMN_TASK, ENCODING_DIFFERENCE | ORDER_KIND },
		{ COLUMN_STACK, ENCODING_DIFFERENCE | ORDER_TASK },
		{ COLUMN_REASON, ENCODING_BYTES | ORDER_PLACE },
		{ COLUMN_TIME, ENCODING_STEPS },
		{ COLUMN_OBJECT, ENCODING_OBJECTS },
	};
	struct event_encoder encoder = { 0 };
	const char *text = strstr(document, "### An example of columns");

	(void)state;
	assert_non_null(text);
	assert_int_equal(event_encoder_start(&encoder, events, LO_COUNT_OF(events), 1000, NULL),
			LO_OK);
	encoder.steps.step = STEP_ONE * 21 / 2;
	for (size_t i = 0; i < LO_COUNT_OF(shown); i++) {
		assert_int_equal(event_encoder_column(&encoder, shown[i].column, shown[i].encoding,
						 NULL),
				LO_OK);
		text = check_example(text, encoder.raw.bytes, encoder.raw.size);
	}
	event_encoder_release(&encoder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_stands_in_the_document),
		cmocka_unit_test(the_document_names_nothing_else),
		cmocka_unit_test(no_number_of_the_headers_is_left_out),
		cmocka_unit_test(sections_are_called_the_same),
		cmocka_unit_test(tables_have_the_same_fields),
		cmocka_unit_test(columns_have_the_same_encodings),
		cmocka_unit_test(events_have_the_same_columns),
		cmocka_unit_test(notes_have_the_same_kinds),
		cmocka_unit_test(the_example_is_what_a_writer_writes),
		cmocka_unit_test(the_columns_of_the_example_are_what_a_writer_writes),
	};

	return cmocka_run_group_tests(tests, load_document, drop_document);
}
