#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/limits.h"
#include "formats/native/layout.h"
#include "formats/native/trace_check.h"
#include "formats/native/trace_counters.h"
#include "formats/native/trace_cursor.h"
#include "formats/native/trace_notes.h"
#include "formats/native/trace_rewrite.h"
#include "tests/support/fault_source.h"
#include "tests/support/section_forge.h"
#include "tests/support/trace_builder.h"
#include "tests/support/trace_sample.h"

static struct trace_reader *open_bytes(const struct byte_buffer *file, struct fault fault)
{
	struct trace_reader *reader;
	struct byte_source *source;
	struct lo_error err;

	fault_source_open(&source, file->bytes, file->size, fault);
	if (trace_reader_open(&reader, source, NULL, &err) != LO_OK)
		fail_msg("cannot open: %s", err.message);
	return reader;
}

static enum lo_result rewrite(struct trace_reader *reader, bool salvage, struct byte_buffer *out,
		struct trace_rewrite_result *result)
{
	struct trace_rewrite_options options = { .salvage = salvage };
	struct trace_writer *writer;
	struct byte_sink *sink;
	struct lo_error err = { .message = "" };
	enum lo_result outcome;

	*out = (struct byte_buffer){ 0 };
	assert_int_equal(byte_sink_open_buffer(&sink, out, NULL), LO_OK);
	assert_int_equal(trace_writer_open(&writer, sink, NULL), LO_OK);
	outcome = trace_rewrite(reader, writer, &options, result, &err);
	if (outcome == LO_NO_MEMORY || outcome == LO_USAGE)
		fail_msg("cannot rewrite: %s", err.message);
	trace_writer_close(writer);
	return outcome;
}

/* ---- equal traces ---- */

static void require_equal_stacks(const struct trace_reader *a, uint32_t stack_a,
		const struct trace_reader *b, uint32_t stack_b)
{
	uint32_t frames_a[LIMIT_STACK_DEPTH];
	uint32_t frames_b[LIMIT_STACK_DEPTH];
	uint32_t depth = stack_table_unwind(
			trace_reader_stacks(a), stack_a, frames_a, LIMIT_STACK_DEPTH);

	/* A caller whose row was lost is no caller. */
	if (depth > 0 && frames_a[depth - 1] == FRAME_NONE)
		depth--;
	assert_int_equal(stack_table_unwind(trace_reader_stacks(b), stack_b, frames_b,
					 LIMIT_STACK_DEPTH),
			depth);
	for (uint32_t i = 0; i < depth; i++) {
		struct frame frame_a = stack_table_get_frame(trace_reader_stacks(a), frames_a[i]);
		struct frame frame_b = stack_table_get_frame(trace_reader_stacks(b), frames_b[i]);
		const struct symbol *chain_a;
		const struct symbol *chain_b;
		uint32_t length = symbol_table_get(trace_reader_symbols(a), frames_a[i], &chain_a);

		assert_int_equal(frame_a.offset, frame_b.offset);
		/* One whose row was lost: it may still have had a name. */
		if (frame_a.offset == 0)
			continue;
		assert_int_equal(length,
				symbol_table_get(trace_reader_symbols(b), frames_b[i], &chain_b));
		for (uint32_t k = 0; k < length; k++) {
			assert_int_equal(chain_a[k].line, chain_b[k].line);
			assert_string_equal(trace_reader_string(a, chain_a[k].function, NULL),
					trace_reader_string(b, chain_b[k].function, NULL));
		}
	}
}

static struct trace_cursor *open_cursor(struct trace_reader *reader)
{
	struct time_span all = { 0, UINT64_MAX };
	struct trace_cursor *cursor;

	assert_int_equal(trace_cursor_open(&cursor, reader, all, NULL), LO_OK);
	return cursor;
}

/* Returns how many there are. */
static uint64_t require_equal_events(struct trace_reader *a, struct trace_reader *b)
{
	struct trace_cursor *cursor_a = open_cursor(a);
	struct trace_cursor *cursor_b = open_cursor(b);
	struct event event_a;
	struct event event_b;
	uint64_t count = 0;

	while (trace_cursor_next(cursor_a, &event_a, NULL) == LO_OK) {
		assert_int_equal(trace_cursor_next(cursor_b, &event_b, NULL), LO_OK);
		if (event_a.stack != event_b.stack || count % 64 == 0)
			require_equal_stacks(a, event_a.stack, b, event_b.stack);
		event_b.stack = event_a.stack;
		assert_string_equal(trace_reader_reason_name(a, event_a.reason),
				trace_reader_reason_name(b, event_b.reason));
		event_b.reason = event_a.reason;
		assert_memory_equal(&event_a, &event_b, sizeof(event_a));
		count++;
	}
	assert_int_equal(trace_cursor_next(cursor_b, &event_b, NULL), LO_END);
	trace_cursor_close(cursor_a);
	trace_cursor_close(cursor_b);
	return count;
}

static void require_equal_tables(struct trace_reader *a, struct trace_reader *b)
{
	const struct trace_info *info_a = trace_reader_info(a);
	const struct trace_info *info_b = trace_reader_info(b);
	const char *key_a;
	const char *key_b;
	const char *value_a;
	const char *value_b;

	assert_int_equal(info_a->tasks, info_b->tasks);
	assert_int_equal(info_a->processes, info_b->processes);
	assert_int_equal(info_a->modules, info_b->modules);
	assert_int_equal(info_a->duration_ns, info_b->duration_ns);
	for (uint32_t id = 1; id <= info_a->tasks; id++) {
		struct task_info task_a;
		struct task_info task_b;

		assert_int_equal(trace_reader_task(a, id, &task_a),
				trace_reader_task(b, id, &task_b));
		assert_int_equal(task_a.tid, task_b.tid);
		assert_int_equal(task_a.kind, task_b.kind);
		assert_int_equal(task_a.flags, task_b.flags);
		assert_int_equal(task_a.process, task_b.process);
		assert_string_equal(trace_reader_string(a, task_a.name, NULL),
				trace_reader_string(b, task_b.name, NULL));
	}
	for (uint32_t index = 1; index <= info_a->processes; index++) {
		const struct process_info *process_a = trace_reader_process(a, index);
		const struct process_info *process_b = trace_reader_process(b, index);

		assert_int_equal(!process_a, !process_b);
		if (!process_a)
			continue;
		assert_int_equal(process_a->pid, process_b->pid);
		assert_int_equal(process_a->end, process_b->end);
		assert_int_equal(process_a->end_value, process_b->end_value);
		assert_int_equal(process_a->end_ns, process_b->end_ns);
	}
	for (uint32_t i = 0; trace_reader_meta_at(a, i, &key_a, &value_a); i++) {
		assert_true(trace_reader_meta_at(b, i, &key_b, &value_b));
		assert_string_equal(key_a, key_b);
		assert_string_equal(value_a, value_b);
	}
}

/* Where events were lost, and how many: a hash of it all would tell less when it differs. */
static void require_equal_losses(struct trace_reader *a, struct trace_reader *b)
{
	struct trace_section section_a;
	struct trace_section section_b;
	uint32_t k = 0;

	for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT; cause++)
		assert_int_equal(trace_reader_info(a)->lost[cause],
				trace_reader_info(b)->lost[cause]);
	for (uint32_t i = 0; trace_reader_section(a, i, &section_a); i++) {
		if (section_a.lost[LOSS_RING_FULL] == 0)
			continue;
		do
			assert_true(trace_reader_section(b, k++, &section_b));
		while (section_b.lost[LOSS_RING_FULL] == 0);
		assert_int_equal(section_a.span.begin_ns, section_b.span.begin_ns);
		assert_int_equal(section_a.span.end_ns, section_b.span.end_ns);
		assert_int_equal(section_a.lost[LOSS_RING_FULL], section_b.lost[LOSS_RING_FULL]);
	}
}

struct notes {
	const struct trace_reader *reader;
	char text[4096];
	size_t used;
};

static bool write_note(void *context, const struct note *note)
{
	struct notes *notes = context;

	notes->used += (size_t)snprintf(notes->text + notes->used,
			sizeof(notes->text) - notes->used, "%u %u %llu %llu %s %s %llu\n",
			note->kind, note->task, (unsigned long long)note->begin_ns,
			(unsigned long long)note->end_ns,
			trace_reader_string(notes->reader, note->name, NULL),
			trace_reader_string(notes->reader, note->text, NULL),
			(unsigned long long)note->value);
	return true;
}

static void list_notes(struct trace_reader *reader, struct notes *notes)
{
	struct note_query query = { { 0, UINT64_MAX }, TASK_NONE, NOTE_KINDS_ALL, 0 };

	*notes = (struct notes){ .reader = reader };
	assert_int_equal(trace_notes_visit(reader, &query, write_note, notes, NULL, NULL), LO_OK);
}

static void require_equal_side(struct trace_reader *a, struct trace_reader *b)
{
	struct time_span span = { 0, trace_reader_info(a)->duration_ns };
	struct counter_cell cells_a[64];
	struct counter_cell cells_b[64];
	struct notes notes_a;
	struct notes notes_b;

	list_notes(a, &notes_a);
	list_notes(b, &notes_b);
	assert_string_equal(notes_a.text, notes_b.text);
	assert_int_equal(trace_counter_count(a), trace_counter_count(b));
	for (uint32_t i = 0; i < trace_counter_count(a); i++) {
		assert_string_equal(trace_counter_get(a, i)->name, trace_counter_get(b, i)->name);
		assert_memory_equal(&trace_counter_get(a, i)->total,
				&trace_counter_get(b, i)->total, sizeof(struct counter_cell));
		assert_int_equal(trace_counter_columns(a, i, span, cells_a, 64, NULL), LO_OK);
		assert_int_equal(trace_counter_columns(b, i, span, cells_b, 64, NULL), LO_OK);
		assert_memory_equal(cells_a, cells_b, sizeof(cells_a));
	}
}

static void count_problem(void *context, uint64_t offset, const char *sentence)
{
	(void)context;
	fail_msg("the new trace is not sound, at byte %llu: %s", (unsigned long long)offset,
			sentence);
}

/* All checks of `loiter verify`. */
static void require_sound(const struct byte_buffer *file)
{
	struct trace_check_listener listener = { count_problem, NULL };
	struct trace_check_result result;
	struct trace_checking *checking;
	struct byte_source *source;

	assert_int_equal(byte_source_open_memory(&source, file->bytes, file->size, NULL), LO_OK);
	assert_int_equal(trace_checking_open(&checking, source, NULL, NULL), LO_OK);
	for (unsigned i = 0; trace_check_at(i); i++)
		assert_int_equal(trace_checking_run(checking, i, &listener, &result, NULL), LO_OK);
	trace_checking_close(checking);
}

/* Rewrites a sound trace: everything must be the same. */
static void check_repacked(struct trace_reader *reader)
{
	struct fault none = { .kind = FAULT_CUT, .offset = UINT64_MAX };
	struct trace_rewrite_result result;
	struct byte_buffer out;
	struct trace_reader *again;

	assert_int_equal(rewrite(reader, false, &out, &result), LO_OK);
	require_sound(&out);
	again = open_bytes(&out, none);
	assert_int_equal(require_equal_events(reader, again), result.events);
	assert_int_equal(result.events, trace_reader_info(reader)->events);
	require_equal_tables(reader, again);
	require_equal_losses(reader, again);
	require_equal_side(reader, again);
	trace_reader_close(again);
	byte_buffer_release(&out);
}

/* ---- repack ---- */

static void a_repacked_trace_has_the_same_contents(void **state)
{
	struct fault none = { .kind = FAULT_CUT, .offset = UINT64_MAX };

	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct trace_sample sample;
		struct trace_reader *reader;

		trace_sample_init(&sample, 3 + (uint32_t)seed, 40 * (uint32_t)(seed * seed), seed);
		reader = open_bytes(&sample.file, none);
		check_repacked(reader);
		trace_reader_close(reader);
		trace_sample_release(&sample);
	}
}

static void must(enum lo_result result)
{
	assert_int_equal(result, LO_OK);
}

/* Two counters whose samples alternate, notes, a reason that only this file knows, and blocks of
 * all kinds of emptiness. */
static void write_rich(struct byte_buffer *file)
{
	struct trace_writer *writer;
	struct byte_sink *sink;
	uint32_t counters[2];
	uint32_t names[2];
	uint8_t reason;

	*file = (struct byte_buffer){ 0 };
	must(byte_sink_open_buffer(&sink, file, NULL));
	must(trace_writer_open(&writer, sink, NULL));
	must(trace_writer_string(writer, "heap", 4, &names[0], NULL));
	must(trace_writer_string(writer, "threads", 7, &names[1], NULL));
	must(trace_writer_reason(writer, "waiting for godot", 17, &reason, NULL));
	for (int i = 0; i < 2; i++)
		must(trace_writer_counter(writer, (struct counter_key){ names[i], 0, 0 },
				&counters[i], NULL));
	for (uint32_t i = 0; i < 6000; i++) {
		struct event event = { .time_ns = i * 1000000ull,
			.task = 1 + i % 7,
			.kind = i % 2 ? EVENT_UNBLOCK : EVENT_BLOCK,
			.reason = i % 2 ? REASON_NONE : reason };
		struct note note = { .kind = NOTE_LOG,
			.begin_ns = event.time_ns,
			.end_ns = event.time_ns,
			.task = event.task,
			.name = names[i % 2] };

		must(trace_writer_event(writer, &event, NULL));
		must(trace_writer_sample(
				writer, counters[i % 3 == 0], event.time_ns, i * 17 % 1000, NULL));
		if (i % 200 == 0)
			must(trace_writer_note(writer, &note, NULL));
		if (i % 1000 == 500)
			must(trace_writer_lost(writer, LOSS_RING_FULL, i, NULL));
		if (i % 300 == 0)
			must(trace_writer_flush(writer, NULL));
		if (i % 1000 == 600)
			must(trace_writer_seal(writer, event.time_ns + 500000, NULL));
	}
	must(trace_writer_advance(writer, 40000000000u, NULL));
	must(trace_writer_lost(writer, LOSS_RING_FULL, 3, NULL));
	must(trace_writer_finish(writer, 50000000000u, NULL));
	trace_writer_close(writer);
}

static void counters_notes_reasons_and_losses_are_kept(void **state)
{
	struct fault none = { .kind = FAULT_CUT, .offset = UINT64_MAX };
	struct trace_reader *reader;
	struct byte_buffer file;

	(void)state;
	write_rich(&file);
	reader = open_bytes(&file, none);
	assert_int_equal(trace_counter_count(reader), 2);
	check_repacked(reader);
	trace_reader_close(reader);
	byte_buffer_release(&file);
}

static void small_blocks_become_large(void **state)
{
	struct trace_reader *reader = trace_from_text("@0 run T1 existing\n"
						      "@1s block T1 mutex 0x10\n flush\n"
						      "@2s unblock T1\n flush\n"
						      "@3s exit T1\n flush\n"
						      "@9s advance\n@20s advance\n@21s end\n");
	struct fault none = { .kind = FAULT_CUT, .offset = UINT64_MAX };
	struct trace_rewrite_result result;
	struct trace_reader *again;
	struct byte_buffer out;

	(void)state;
	assert_true(trace_reader_info(reader)->blocks >= 4);
	assert_int_equal(rewrite(reader, false, &out, &result), LO_OK);
	again = open_bytes(&out, none);
	assert_int_equal(trace_reader_info(again)->blocks, 1);
	assert_int_equal(trace_reader_info(again)->duration_ns, 21000000000u);
	trace_reader_close(again);
	trace_reader_close(reader);
	byte_buffer_release(&out);
}

/* ---- repair ---- */

/* Salvages a damaged file: what a reader had of it is what the new one has. */
static void check_repaired(const struct trace_sample *sample, struct fault fault)
{
	struct fault none = { .kind = FAULT_CUT, .offset = UINT64_MAX };
	struct trace_reader *damaged = open_bytes(&sample->file, fault);
	struct trace_rewrite_result result;
	struct trace_reader *again;
	struct byte_buffer out;
	uint64_t lost = 0;

	assert_int_equal(rewrite(damaged, true, &out, &result), LO_OK);
	require_sound(&out);
	again = open_bytes(&out, none);
	assert_int_equal(require_equal_events(damaged, again), result.events);
	assert_int_equal(trace_reader_info(again)->lost[LOSS_DAMAGED], result.lost);
	/* Nothing is said to be lost beyond what there was, and a stretch counts as one. */
	for (uint32_t i = 0; i < sample->section_count; i++)
		lost += sample->sections[i].event_count;
	assert_true(result.events + result.lost <= lost);
	trace_reader_close(again);
	trace_reader_close(damaged);
	byte_buffer_release(&out);
}

static void whatever_is_hit_the_rest_is_saved(void **state)
{
	struct trace_sample sample;

	(void)state;
	trace_sample_init(&sample, 6, 200, 5);
	for (uint32_t i = 0; i < sample.section_count; i++) {
		const struct sample_section *section = &sample.sections[i];
		struct fault faults[] = {
			/* a header, a payload, and a hole over both ends */
			{ .kind = FAULT_FLIP, .offset = section->offset + 20, .bit = 3 },
			{ .kind = FAULT_FLIP, .offset = section->offset + section->bytes - 1 },
			{ .kind = FAULT_ZERO,
					.offset = section->offset > 30 ? section->offset - 30 : 0,
					.size = section->bytes + 60 },
		};

		/* What stands before the first block are the schema and tables: the file has
		 * another schema at its end. */
		for (size_t k = 0; k < sizeof(faults) / sizeof(faults[0]); k++)
			check_repaired(&sample, faults[k]);
	}
	trace_sample_release(&sample);
}

static void a_cut_trace_gets_an_end(void **state)
{
	struct trace_sample sample;
	uint64_t head;

	(void)state;
	trace_sample_init(&sample, 4, 100, 6);
	head = sample.sections[0].bytes;
	for (uint64_t size = head; size < sample.file.size; size += 97)
		check_repaired(&sample, (struct fault){ .kind = FAULT_CUT, .offset = size });
	trace_sample_release(&sample);
}

static void a_damaged_block_is_counted_where_it_was(void **state)
{
	struct fault none = { .kind = FAULT_CUT, .offset = UINT64_MAX };
	struct trace_rewrite_result result;
	struct trace_section before = { .rows = 0 };
	struct trace_section after = { .rows = 0 };
	struct trace_sample sample;
	struct trace_reader *reader;
	struct byte_buffer out;
	uint32_t second = 0;
	unsigned found = 0;

	(void)state;
	trace_sample_init(&sample, 5, 300, 7);
	for (unsigned blocks = 0; blocks < 2; second++)
		blocks += sample.sections[second].type == SECTION_BLOCK;
	second--;
	reader = open_bytes(&sample.file,
			(struct fault){ .kind = FAULT_FLIP,
					.offset = sample.sections[second].offset +
						  sample.sections[second].bytes - 1 });
	assert_true(trace_reader_section(reader, second, &before));
	assert_int_equal(rewrite(reader, true, &out, &result), LO_OK);
	assert_int_equal(result.lost, 300);
	assert_int_equal(result.lost_blocks, 1);
	assert_int_equal(result.events, 4 * 300);
	assert_int_equal(result.problems, 1);
	trace_reader_close(reader);

	reader = open_bytes(&out, none);
	for (uint32_t i = 0; trace_reader_section(reader, i, &after); i++)
		if (after.lost[LOSS_DAMAGED] > 0) {
			assert_int_equal(after.lost[LOSS_DAMAGED], 300);
			/* What the recorder had lost then is still told. */
			assert_int_equal(after.lost[LOSS_RING_FULL], 2);
			assert_int_equal(after.span.begin_ns, before.span.begin_ns);
			assert_int_equal(after.span.end_ns, before.span.end_ns);
			found++;
		}
	assert_int_equal(found, 1);
	assert_non_null(trace_reader_meta(reader, "warning", 0));
	trace_reader_close(reader);
	byte_buffer_release(&out);
	trace_sample_release(&sample);
}

static void a_sound_trace_is_left_as_it_is(void **state)
{
	struct fault none = { .kind = FAULT_CUT, .offset = UINT64_MAX };
	struct trace_rewrite_result result;
	struct trace_reader *reader;
	struct trace_reader *again;
	struct byte_buffer file;
	struct byte_buffer out;

	(void)state;
	write_rich(&file);
	reader = open_bytes(&file, none);
	assert_int_equal(rewrite(reader, true, &out, &result), LO_OK);
	assert_int_equal(result.lost + result.problems, 0);
	again = open_bytes(&out, none);
	require_equal_events(reader, again);
	require_equal_side(reader, again);
	assert_null(trace_reader_meta(again, "warning", 0));
	trace_reader_close(again);
	trace_reader_close(reader);
	byte_buffer_release(&out);
	byte_buffer_release(&file);
}

/* ---- what is refused ---- */

static void repack_refuses_what_is_not_sound(void **state)
{
	struct trace_rewrite_result result;
	struct trace_sample sample;
	struct trace_reader *reader;
	struct byte_buffer out;

	(void)state;
	trace_sample_init(&sample, 3, 100, 8);
	for (uint32_t i = 1; i < sample.section_count; i++) {
		const struct sample_section *section = &sample.sections[i];
		struct fault flip = { .kind = FAULT_FLIP,
			.offset = section->offset + section->bytes - 1 };

		/* Without them nothing is missing, and they are made anew. */
		if (section->type == SECTION_SNAPSHOT || section->type == SECTION_LIVES ||
				section->type == SECTION_TILES || section->type == SECTION_INDEX ||
				section->type == SECTION_LOCATOR)
			continue;
		reader = open_bytes(&sample.file, flip);
		assert_int_equal(rewrite(reader, false, &out, &result), LO_CORRUPT);
		trace_reader_close(reader);
		byte_buffer_release(&out);
	}
	reader = trace_from_text("@0 run T1 existing\ncut\n");
	assert_int_equal(rewrite(reader, false, &out, &result), LO_TRUNCATED);
	trace_reader_close(reader);
	byte_buffer_release(&out);
	trace_sample_release(&sample);
}

static void repack_refuses_what_a_later_version_wrote(void **state)
{
	struct trace_rewrite_result result;
	struct trace_reader *reader;
	struct row_writer rows;
	struct byte_buffer out;
	struct forge forge;

	(void)state;
	forge_init(&forge);
	forge_schema_rows(&rows);
	forge_schema_row(&rows, SCHEMA_OBJECT_KIND, 200, 0, "spaceship");
	forge_table(&forge, SECTION_SCHEMA, 0, &rows);
	forge_end(&forge, 100);
	assert_int_equal(forge_open(&forge, &reader, NULL), LO_OK);
	assert_int_equal(rewrite(reader, false, &out, &result), LO_UNSUPPORTED);
	byte_buffer_release(&out);
	assert_int_equal(rewrite(reader, true, &out, &result), LO_OK);
	require_sound(&out);
	byte_buffer_release(&out);
	trace_reader_close(reader);
	forge_release(&forge);
}

static void rows_that_no_writer_accepts_are_left_out(void **state)
{
	struct row_writer rows = { .schema = &row_schemas[SECTION_PROCESSES] };
	struct row nobody = { .number = { [PROCESS_INDEX] = 0 } };
	struct row first = { .number = { [PROCESS_INDEX] = 1, [PROCESS_PID] = 42 } };
	struct fault none = { .kind = FAULT_CUT, .offset = UINT64_MAX };
	struct trace_rewrite_result result;
	struct trace_reader *reader;
	struct byte_buffer out;
	struct forge forge;

	(void)state;
	forge_init(&forge);
	forge_schema(&forge);
	row_writer_put(&rows, &nobody);
	row_writer_put(&rows, &first);
	forge_table(&forge, SECTION_PROCESSES, 0, &rows);
	forge_end(&forge, 100);
	assert_int_equal(forge_open(&forge, &reader, NULL), LO_OK);
	assert_int_equal(rewrite(reader, true, &out, &result), LO_OK);
	trace_reader_close(reader);
	reader = open_bytes(&out, none);
	assert_int_equal(trace_reader_process(reader, 1)->pid, 42);
	assert_non_null(trace_reader_meta(reader, "warning", 0));
	trace_reader_close(reader);
	byte_buffer_release(&out);
	forge_release(&forge);
}

static bool stop(void *context, uint64_t done, uint64_t total)
{
	(void)context;
	(void)done;
	(void)total;
	return false;
}

static void rewriting_can_be_stopped(void **state)
{
	struct progress progress = { stop, NULL };
	struct trace_rewrite_options options = { .progress = &progress };
	struct trace_reader *reader = trace_from_text("@0 run T1 existing\n@1s end\n");
	struct trace_rewrite_result result;
	struct trace_writer *writer;
	struct byte_sink *sink;

	(void)state;
	assert_int_equal(byte_sink_open_memory(&sink, NULL), LO_OK);
	assert_int_equal(trace_writer_open(&writer, sink, NULL), LO_OK);
	assert_int_equal(trace_rewrite(reader, writer, &options, &result, NULL), LO_CANCELLED);
	trace_writer_close(writer);
	trace_reader_close(reader);
}

static void a_full_disk_is_a_failure(void **state)
{
	struct trace_sample sample;
	struct fault none = { .kind = FAULT_CUT, .offset = UINT64_MAX };
	struct trace_rewrite_options options = { .salvage = true };
	struct trace_rewrite_result result;
	struct trace_reader *reader;

	(void)state;
	trace_sample_init(&sample, 3, 100, 9);
	reader = open_bytes(&sample.file, none);
	for (uint64_t capacity = 3000; capacity < 6000; capacity += 500) {
		struct trace_writer *writer;
		struct byte_sink *sink;

		fault_sink_open(&sink, capacity);
		assert_int_equal(trace_writer_open(&writer, sink, NULL), LO_OK);
		assert_int_equal(trace_rewrite(reader, writer, &options, &result, NULL), LO_IO);
		trace_writer_close(writer);
	}
	trace_reader_close(reader);
	trace_sample_release(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repacked_trace_has_the_same_contents),
		cmocka_unit_test(counters_notes_reasons_and_losses_are_kept),
		cmocka_unit_test(small_blocks_become_large),
		cmocka_unit_test(whatever_is_hit_the_rest_is_saved),
		cmocka_unit_test(a_cut_trace_gets_an_end),
		cmocka_unit_test(a_damaged_block_is_counted_where_it_was),
		cmocka_unit_test(a_sound_trace_is_left_as_it_is),
		cmocka_unit_test(repack_refuses_what_is_not_sound),
		cmocka_unit_test(repack_refuses_what_a_later_version_wrote),
		cmocka_unit_test(rows_that_no_writer_accepts_are_left_out),
		cmocka_unit_test(rewriting_can_be_stopped),
		cmocka_unit_test(a_full_disk_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
