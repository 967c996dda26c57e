#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/byte_buffer.h"
#include "formats/model/event.h"
#include "formats/native/layout.h"
#include "formats/native/note_section.h"
#include "formats/native/trace_notes.h"
#include "formats/native/trace_writer.h"
#include "tests/support/section_forge.h"

#define NOTES 5000u

static uint32_t random_state;

static uint32_t random_below(uint32_t bound)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)random_state * bound >> 32);
}

struct made {
	struct byte_buffer file;
	struct note notes[NOTES];
};

static struct note random_note(uint32_t i)
{
	uint64_t end_ns = 1000000 + (uint64_t)i * 1000;
	uint32_t kind = random_below(NOTE_KIND_COUNT);
	uint64_t length = note_schemas[kind].fields & NOTE_IS_RANGE ? random_below(900000) : 0;

	return (struct note){ .begin_ns = end_ns - length,
		.end_ns = end_ns,
		.id = i + 1,
		.parent = random_below(10),
		.value = random_below(1000),
		.task = random_below(8),
		.name = random_below(3),
		.text = random_below(3),
		.kind = (uint8_t)kind,
		.flags = random_below(100) == 0 ? NOTE_FLAG_STILL_OPEN : 0 };
}

static struct made *make(bool finish, bool flush)
{
	struct made *made = calloc(1, sizeof(*made));
	struct trace_writer *writer;
	struct byte_sink *sink;
	uint32_t id;

	random_state = 7;
	assert_non_null(made);
	assert_int_equal(byte_sink_open_buffer(&sink, &made->file, NULL), LO_OK);
	assert_int_equal(trace_writer_open(&writer, sink, NULL), LO_OK);
	assert_int_equal(trace_writer_string(writer, "checkout", 8, &id, NULL), LO_OK);
	assert_int_equal(trace_writer_string(writer, "paid", 4, &id, NULL), LO_OK);
	for (uint32_t i = 0; i < NOTES; i++) {
		made->notes[i] = random_note(i);
		assert_int_equal(trace_writer_note(writer, &made->notes[i], NULL), LO_OK);
		if (flush && i % 100 == 99)
			assert_int_equal(trace_writer_flush(writer, NULL), LO_OK);
	}
	assert_int_equal(trace_writer_flush(writer, NULL), LO_OK);
	if (finish)
		assert_int_equal(trace_writer_finish(writer, 10000000, NULL), LO_OK);
	trace_writer_close(writer);
	return made;
}

static void release(struct made *made)
{
	byte_buffer_release(&made->file);
	free(made);
}

static struct trace_reader *open_made(const struct made *made)
{
	struct byte_source *source;
	struct trace_reader *reader;

	assert_int_equal(byte_source_open_memory(&source, made->file.bytes, made->file.size, NULL),
			LO_OK);
	assert_int_equal(trace_reader_open(&reader, source, NULL, NULL), LO_OK);
	return reader;
}

struct expectation {
	const struct made *made;
	const struct note_query *query;
	uint32_t next;
	uint32_t seen;
};

static bool is_wanted(const struct note_query *query, const struct note *note)
{
	return (query->kinds >> note->kind & 1) &&
	       (query->task == TASK_NONE || query->task == note->task) &&
	       note->begin_ns < query->span.end_ns && note->end_ns >= query->span.begin_ns;
}

static void pass_over(struct expectation *expected)
{
	while (expected->next < NOTES &&
			!is_wanted(expected->query, &expected->made->notes[expected->next]))
		expected->next++;
}

/* One by one: nobody says what lies between the members. */
static void assert_same_note(const struct note *a, const struct note *b)
{
	assert_int_equal(a->begin_ns, b->begin_ns);
	assert_int_equal(a->end_ns, b->end_ns);
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->parent, b->parent);
	assert_int_equal(a->value, b->value);
	assert_int_equal(a->task, b->task);
	assert_int_equal(a->stack, b->stack);
	assert_int_equal(a->name, b->name);
	assert_int_equal(a->text, b->text);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->flags, b->flags);
}

static bool take(void *context, const struct note *note)
{
	struct expectation *expected = context;

	pass_over(expected);
	assert_true(expected->next < NOTES);
	assert_same_note(note, &expected->made->notes[expected->next]);
	expected->next++;
	expected->seen++;
	return true;
}

static void check_query(
		const struct made *made, struct trace_reader *reader, struct note_query query)
{
	struct expectation expected = { .made = made, .query = &query };
	bool complete = false;

	assert_int_equal(
			trace_notes_visit(reader, &query, take, &expected, &complete, NULL), LO_OK);
	assert_true(complete);
	pass_over(&expected);
	assert_int_equal(expected.next, NOTES);
}

static void what_is_written_is_read(void **state)
{
	(void)state;
	for (unsigned way = 0; way < 4; way++) {
		struct made *made = make(way & 1, way & 2);
		struct trace_reader *reader = open_made(made);

		check_query(made, reader,
				(struct note_query){ TIME_SPAN_ALL, TASK_NONE, NOTE_KINDS_ALL, 0 });
		for (unsigned i = 0; i < 200; i++) {
			uint64_t begin_ns = random_below(7000000);

			check_query(made, reader,
					(struct note_query){
							{ begin_ns, begin_ns + random_below(500000) },
							random_below(9), 1ull << random_below(14),
							0 });
		}
		assert_int_equal(trace_reader_damage_count(reader), 0);
		trace_reader_close(reader);
		release(made);
	}
}

static void totals_are_those_of_the_notes(void **state)
{
	struct made *made = make(true, true);
	struct trace_reader *reader = open_made(made);

	(void)state;
	for (unsigned kind = 0; kind < NOTE_KIND_COUNT; kind++) {
		struct note_total total;
		uint64_t count = 0;
		uint64_t length = 0;

		for (uint32_t i = 0; i < NOTES; i++)
			if (made->notes[i].kind == kind) {
				count++;
				length += made->notes[i].end_ns - made->notes[i].begin_ns;
			}
		assert_int_equal(trace_notes_total(reader, kind, &total, NULL), LO_OK);
		assert_int_equal(total.count, count);
		assert_int_equal(total.total_ns, length);
	}
	trace_reader_close(reader);
	release(made);
}

static void columns_show_ranges_where_they_are(void **state)
{
	struct byte_buffer file = { 0 };
	struct note note = { .begin_ns = 250, .end_ns = 600, .kind = NOTE_GC };
	struct note_column columns[10];
	struct trace_writer *writer;
	struct byte_source *source;
	struct trace_reader *reader;
	struct byte_sink *sink;

	(void)state;
	assert_int_equal(byte_sink_open_buffer(&sink, &file, NULL), LO_OK);
	assert_int_equal(trace_writer_open(&writer, sink, NULL), LO_OK);
	assert_int_equal(trace_writer_note(writer, &note, NULL), LO_OK);
	assert_int_equal(trace_writer_finish(writer, 1000, NULL), LO_OK);
	trace_writer_close(writer);
	assert_int_equal(byte_source_open_memory(&source, file.bytes, file.size, NULL), LO_OK);
	assert_int_equal(trace_reader_open(&reader, source, NULL, NULL), LO_OK);
	assert_int_equal(trace_notes_columns(reader, NOTE_GC, (struct time_span){ 0, 1000 },
					 columns, 10, NULL),
			LO_OK);
	assert_int_equal(columns[1].count, 0);
	assert_int_equal(columns[2].count, 1);
	assert_int_equal(columns[2].covered_ns, 50);
	assert_int_equal(columns[3].covered_ns, 100);
	assert_int_equal(columns[5].covered_ns, 100);
	assert_int_equal(columns[7].count, 0);
	trace_reader_close(reader);
	byte_buffer_release(&file);
}

static bool count_note(void *context, const struct note *note)
{
	(void)note;
	return ++*(uint32_t *)context < 10;
}

static void a_visitor_may_stop_and_work_may_be_bounded(void **state)
{
	struct made *made = make(true, true);
	struct trace_reader *reader = open_made(made);
	struct note_query query = { TIME_SPAN_ALL, TASK_NONE, NOTE_KINDS_ALL, 0 };
	struct expectation expected = { .made = made, .query = &query };
	uint32_t seen = 0;
	bool complete = true;

	(void)state;
	assert_int_equal(trace_notes_visit(reader, &query, count_note, &seen, &complete, NULL),
			LO_OK);
	assert_int_equal(seen, 10);
	assert_false(complete);
	query.sections_max = 3;
	assert_int_equal(
			trace_notes_visit(reader, &query, take, &expected, &complete, NULL), LO_OK);
	assert_int_equal(expected.seen, 300);
	assert_false(complete);
	trace_reader_close(reader);
	release(made);
}

static void damage_costs_one_section(void **state)
{
	struct made *made = make(true, true);
	struct trace_reader *whole = open_made(made);
	struct trace_section section;
	unsigned damaged = 0;

	(void)state;
	for (uint32_t i = 0; trace_reader_section(whole, i, &section); i++) {
		uint64_t at = section.offset + section.bytes - 1;
		struct note_query query = { TIME_SPAN_ALL, TASK_NONE, NOTE_KINDS_ALL, 0 };
		struct trace_reader *reader;
		struct note_total total;
		uint64_t count = 0;

		if (strcmp(section.name, "notes") != 0)
			continue;
		made->file.bytes[at] ^= 1;
		reader = open_made(made);
		for (unsigned kind = 0; kind < NOTE_KIND_COUNT; kind++) {
			assert_int_equal(trace_notes_total(reader, kind, &total, NULL), LO_OK);
			count += total.count;
		}
		assert_int_equal(count, NOTES - 100);
		assert_int_equal(trace_notes_visit(reader, &query, count_note, &(uint32_t){ 0 },
						 NULL, NULL),
				LO_OK);
		assert_int_equal(trace_reader_damage_count(reader), 1);
		trace_reader_close(reader);
		made->file.bytes[at] ^= 1;
		damaged++;
	}
	assert_int_equal(damaged, NOTES / 100);
	trace_reader_close(whole);
	release(made);
}

static void wrong_notes_are_refused(void **state)
{
	static const struct note bad[] = {
		{ .kind = NOTE_KIND_COUNT },
		{ .begin_ns = 2, .end_ns = 1 },
		{ .task = LIMIT_TASKS + 1 },
		{ .stack = 1 },
	};
	struct byte_buffer file = { 0 };
	struct trace_writer *writer;
	struct byte_sink *sink;

	(void)state;
	assert_int_equal(byte_sink_open_buffer(&sink, &file, NULL), LO_OK);
	assert_int_equal(trace_writer_open(&writer, sink, NULL), LO_OK);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(trace_writer_note(writer, &bad[i], NULL), LO_USAGE);
	assert_int_equal(trace_writer_finish(writer, 0, NULL), LO_OK);
	trace_writer_close(writer);
	byte_buffer_release(&file);
}

static bool keep(void *context, const struct note *note)
{
	*(struct note *)context = *note;
	return true;
}

/* A file of a later version, whose kinds have other numbers. */
static void kinds_of_later_versions_keep_their_names(void **state)
{
	struct note_query query = { TIME_SPAN_ALL, TASK_NONE, NOTE_KINDS_ALL, 0 };
	struct note_header header;
	struct note note = { .begin_ns = 5, .end_ns = 9, .task = 3, .kind = 77 };
	struct row_writer schema;
	struct row_writer rows = { .schema = &row_schemas[SECTION_NOTES] };
	struct section_header extra = { 0 };
	struct trace_reader *reader;
	struct forge forge;

	(void)state;
	forge_init(&forge);
	forge_schema_rows(&schema);
	forge_schema_row(&schema, SCHEMA_NOTE_KIND, 77, NOTE_IS_RANGE, "solar flare");
	forge_table(&forge, SECTION_SCHEMA, 0, &schema);
	note_header_init(&header);
	note_header_add(&header, &note);
	note_row_put(&rows, &note);
	note_header_store(&extra, &header);
	forge_side(&forge, SECTION_NOTES, 1, extra.extra, extra.extra_bytes, rows.bytes.bytes,
			rows.bytes.size);
	forge_end(&forge, 10);
	assert_int_equal(forge_open(&forge, &reader, NULL), LO_OK);
	memset(&note, 0, sizeof(note));
	assert_int_equal(trace_notes_visit(reader, &query, keep, &note, NULL, NULL), LO_OK);
	assert_int_equal(note.begin_ns, 5);
	assert_int_equal(note.kind, NOTE_KIND_COUNT);
	assert_string_equal(trace_note_kind_name(reader, note.kind), "solar flare");
	assert_int_equal(trace_note_kind_fields(reader, note.kind), NOTE_IS_RANGE);
	assert_null(trace_note_kind_name(reader, NOTE_KIND_COUNT + 1));
	assert_int_equal(trace_reader_damage_count(reader), 0);
	trace_reader_close(reader);
	row_writer_release(&rows);
	forge_release(&forge);
}

static void every_kind_has_a_name_and_a_help(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < NOTE_KIND_COUNT; kind++) {
		const struct note_schema *schema = &note_schemas[kind];

		assert_true(strlen(schema->name) > 1 && strlen(schema->name) <= LIMIT_SCHEMA_NAME);
		assert_true(strlen(schema->help) > 10);
		assert_int_equal(
				schema->value_name != NULL, (schema->fields & NOTE_HAS_VALUE) != 0);
		for (unsigned other = 0; other < kind; other++)
			assert_string_not_equal(schema->name, note_schemas[other].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(totals_are_those_of_the_notes),
		cmocka_unit_test(columns_show_ranges_where_they_are),
		cmocka_unit_test(a_visitor_may_stop_and_work_may_be_bounded),
		cmocka_unit_test(damage_costs_one_section),
		cmocka_unit_test(wrong_notes_are_refused),
		cmocka_unit_test(kinds_of_later_versions_keep_their_names),
		cmocka_unit_test(every_kind_has_a_name_and_a_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
