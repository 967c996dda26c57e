#include "tests/fuzz/trace_model.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/limits.h"
#include "formats/model/object.h"
#include "formats/native/trace_alive.h"
#include "formats/native/trace_counters.h"
#include "formats/native/trace_cursor.h"
#include "formats/native/trace_notes.h"
#include "formats/native/trace_states.h"

/* Rows looked at in each table; inputs are small. */
#define TABLE_ROWS_MAX 300u

/* Tasks of which it is looked up how their states began. */
#define STATES_MAX 8u

static void promise(bool kept)
{
	if (!kept)
		abort();
}

struct trace_reader *model_open(const uint8_t *bytes, size_t size)
{
	struct byte_source *source;
	struct trace_reader *reader = NULL;
	struct trace_reader_options options = { .cache_bytes = 1 << 20 };
	struct lo_error err = { 0 };
	enum lo_result result;

	promise(byte_source_open_memory(&source, bytes, size, NULL) == LO_OK);
	result = trace_reader_open(&reader, source, &options, &err);
	if (result == LO_OK)
		return reader;
	promise(!reader);
	promise(result == LO_UNSUPPORTED || result == LO_CORRUPT || result == LO_TRUNCATED);
	promise(err.result == result && err.message[0] != '\0');
	return NULL;
}

static void check_event(const struct trace_reader *reader, const struct event *event)
{
	promise(event->kind < EVENT_KIND_COUNT);
	promise(event->task != TASK_NONE && event->task <= LIMIT_TASKS);
	promise(event->peer <= LIMIT_TASKS);
	promise(event->stack <= stack_table_stack_count(trace_reader_stacks(reader)));
	promise(event->object_kind < OBJECT_KIND_COUNT);
	promise(!(event->flags & EVENT_FLAG_PEER_IS_TID));
	promise(event->time_ns <= trace_reader_info(reader)->duration_ns);
	promise(trace_reader_reason_name(reader, event->reason)[0] != '\0' ||
			event->reason >= REASON_COUNT);
	promise(trace_reader_reason_class(reader, event->reason) < WAIT_CLASS_COUNT);
}

static struct trace_cursor *open_cursor(struct trace_reader *reader, struct time_span span)
{
	struct trace_cursor *cursor;

	promise(trace_cursor_open(&cursor, reader, span, NULL) == LO_OK);
	return cursor;
}

static uint32_t read_forwards(struct trace_reader *reader, struct event *events)
{
	struct trace_cursor *cursor = open_cursor(reader, TIME_SPAN_ALL);
	uint64_t last_ns = 0;
	uint32_t count = 0;

	while (count < MODEL_EVENTS_MAX) {
		enum lo_result result = trace_cursor_next(cursor, &events[count], NULL);

		if (result == LO_END)
			break;
		promise(result == LO_OK);
		check_event(reader, &events[count]);
		promise(events[count].time_ns >= last_ns);
		last_ns = events[count++].time_ns;
	}
	trace_cursor_close(cursor);
	return count;
}

/* From behind the last of the events that were read back to the first. */
static void read_backwards(struct trace_reader *reader, const struct event *events, uint32_t count)
{
	uint64_t end_ns = count ? events[count - 1].time_ns + 1 : 0;
	struct trace_cursor *cursor = open_cursor(reader, (struct time_span){ 0, end_ns });
	struct event event;

	promise(trace_cursor_seek(cursor, end_ns, NULL) == LO_OK);
	if (count < MODEL_EVENTS_MAX) {
		while (count > 0) {
			promise(trace_cursor_previous(cursor, &event, NULL) == LO_OK);
			promise(memcmp(&event, &events[--count], sizeof(event)) == 0);
		}
		promise(trace_cursor_previous(cursor, &event, NULL) == LO_END);
	}
	trace_cursor_close(cursor);
}

static void read_runs(struct trace_reader *reader, const struct event *events, uint32_t count)
{
	struct trace_cursor *cursor = open_cursor(reader, TIME_SPAN_ALL);
	const struct event *run;
	uint32_t length;
	uint32_t at = 0;

	while (at < count && trace_cursor_next_run(cursor, &run, &length, NULL) == LO_OK) {
		promise(length > 0);
		if (length > count - at)
			length = count - at;
		promise(memcmp(run, &events[at], length * sizeof(*run)) == 0);
		at += length;
	}
	promise(at == count);
	trace_cursor_close(cursor);
}

static void seek_some(struct trace_reader *reader, const struct event *events, uint32_t count)
{
	struct trace_cursor *cursor = open_cursor(reader, TIME_SPAN_ALL);
	struct event event;

	for (uint32_t step = 0; step < 8 && count > 0; step++) {
		uint32_t at = (uint32_t)((uint64_t)step * (count - 1) / 7);

		while (at > 0 && events[at - 1].time_ns == events[at].time_ns)
			at--;
		promise(trace_cursor_seek(cursor, events[at].time_ns, NULL) == LO_OK);
		promise(trace_cursor_next(cursor, &event, NULL) == LO_OK);
		promise(memcmp(&event, &events[at], sizeof(event)) == 0);
	}
	trace_cursor_close(cursor);
}

uint32_t model_check_events(struct trace_reader *reader, struct event *events)
{
	uint32_t count = read_forwards(reader, events);

	read_backwards(reader, events, count);
	read_runs(reader, events, count);
	seek_some(reader, events, count);
	promise(count <= trace_reader_info(reader)->events);
	return count;
}

static void check_stacks(const struct trace_reader *reader)
{
	const struct stack_table *stacks = trace_reader_stacks(reader);
	uint32_t count = stack_table_stack_count(stacks);
	uint32_t frames[LIMIT_STACK_DEPTH + 1];
	const struct symbol *chain;

	for (uint32_t id = 0; id <= count + 1 && id < TABLE_ROWS_MAX; id++) {
		uint32_t depth = stack_table_unwind(stacks, id, frames, LIMIT_STACK_DEPTH + 1);

		promise(depth <= LIMIT_STACK_DEPTH);
		promise(stack_table_get(stacks, id).parent < id || id == STACK_NONE ||
				stack_table_get(stacks, id).parent == STACK_NONE);
		for (uint32_t i = 0; i < depth; i++) {
			struct frame frame = stack_table_get_frame(stacks, frames[i]);

			trace_reader_module(reader, frame.module);
			promise(symbol_table_get(trace_reader_symbols(reader), frames[i], &chain) <=
					SYMBOL_CHAIN_MAX);
		}
	}
}

static void check_string(const struct trace_reader *reader, uint32_t id)
{
	uint32_t length = 42;
	const char *bytes = trace_reader_string(reader, id, &length);

	promise(bytes[length] == '\0');
}

static void check_rows(const struct trace_reader *reader)
{
	struct task_info nobody;

	for (uint32_t id = 0; id < TABLE_ROWS_MAX; id++) {
		struct task_info task;
		const struct process_info *process = trace_reader_process(reader, id);
		const struct module_info *module = trace_reader_module(reader, id);

		check_string(reader, id);
		if (trace_reader_task(reader, id, &task)) {
			promise(task.id == id && task.kind < TASK_KIND_COUNT);
			check_string(reader, task.name);
		}
		if (process) {
			promise(process->index == id && process->end < PROCESS_END_COUNT);
			check_string(reader, process->program);
		}
		if (module) {
			promise(module->build_id_size <= MODULE_BUILD_ID_MAX);
			check_string(reader, module->path);
		}
	}
	promise(!trace_reader_task(reader, TASK_NONE, &nobody) && nobody.id == TASK_NONE);
	promise(!trace_reader_module(reader, MODULE_NONE));
}

static void check_sections(struct trace_reader *reader)
{
	struct trace_section section;
	struct trace_damage damage;
	uint64_t end = 0;

	for (uint32_t i = 0; trace_reader_section(reader, i, &section); i++) {
		promise(section.name != NULL);
		promise(section.offset >= end && section.bytes > 0);
		end = section.offset + section.bytes;
		promise(end <= trace_reader_info(reader)->file_bytes);
	}
	for (uint32_t i = 0; trace_reader_damage(reader, i, &damage); i++) {
		promise(damage.what[0] != '\0');
		promise(damage.offset + damage.bytes <= trace_reader_info(reader)->file_bytes);
	}
}

void model_check_tables(struct trace_reader *reader)
{
	const char *key;
	const char *value;

	check_stacks(reader);
	check_rows(reader);
	check_sections(reader);
	for (uint32_t i = 0; trace_reader_meta_at(reader, i, &key, &value); i++)
		promise(trace_reader_meta(reader, key, 0) != NULL);
	for (uint32_t i = 0; i < trace_reader_warning_count(reader); i++)
		promise(trace_reader_warning(reader, i)[0] != '\0');
}

/* ---- counters and notes ---- */

#define COLUMNS 37u

static void check_cell(const struct counter_cell *cell)
{
	promise(cell->samples == 0 ||
			(cell->least <= cell->first && cell->first <= cell->greatest &&
					cell->least <= cell->last && cell->last <= cell->greatest &&
					cell->first_ns <= cell->last_ns));
}

static void check_counter(struct trace_reader *reader, uint32_t counter, struct time_span span)
{
	const struct counter_cell *total = &trace_counter_get(reader, counter)->total;
	struct counter_cell cells[COLUMNS];

	promise(trace_counter_columns(reader, counter, span, cells, COLUMNS, NULL) == LO_OK);
	for (unsigned i = 0; i < COLUMNS; i++)
		check_cell(&cells[i]);
	promise(trace_counter_at(reader, counter, span.end_ns, cells, NULL) == LO_OK);
	check_cell(&cells[0]);
	promise(cells[0].samples == 0 || cells[0].last_ns <= span.end_ns);
	promise(total->samples > 0);
	check_cell(total);
}

static bool check_note(void *context, const struct note *note)
{
	const struct note_query *query = context;

	promise(note->begin_ns <= note->end_ns && note->begin_ns < query->span.end_ns &&
			note->end_ns >= query->span.begin_ns);
	promise(note->kind < NOTE_KIND_LIMIT);
	promise(query->task == TASK_NONE || query->task == note->task);
	return true;
}

static void check_notes(struct trace_reader *reader, struct time_span span)
{
	struct note_query query = { .span = span, .kinds = NOTE_KINDS_ALL };
	struct note_column columns[COLUMNS];
	struct note_total total;

	promise(trace_notes_visit(reader, &query, check_note, &query, NULL, NULL) == LO_OK);
	query.task = 1;
	promise(trace_notes_visit(reader, &query, check_note, &query, NULL, NULL) == LO_OK);
	for (unsigned kind = 0; kind <= NOTE_KIND_COUNT + 1; kind++) {
		promise(trace_notes_columns(reader, kind, span, columns, COLUMNS, NULL) == LO_OK);
		promise(trace_notes_total(reader, kind, &total, NULL) == LO_OK);
		promise(total.begin_ns <= total.end_ns);
	}
}

void model_check_side(struct trace_reader *reader)
{
	uint64_t end_ns = trace_reader_info(reader)->duration_ns;
	struct time_span spans[] = { TIME_SPAN_ALL, { 0, end_ns / 2 }, { end_ns / 3, end_ns },
		{ end_ns, end_ns + 1 }, { 7, 7 } };
	uint32_t counters = trace_counter_count(reader);

	promise(counters <= LIMIT_COUNTERS && !trace_counter_get(reader, counters));
	for (unsigned i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		for (uint32_t counter = 0; counter < counters; counter++)
			check_counter(reader, counter, spans[i]);
		check_notes(reader, spans[i]);
	}
}

static bool equal_states(const struct task_state_at *a, const struct task_state_at *b)
{
	return a->task == b->task && a->changed == b->changed && a->state == b->state &&
	       a->reason == b->reason;
}

/* The same from the quicker way of asking, and how they began. */
static void check_some_states(
		struct trace_reader *reader, uint64_t time_ns, const struct trace_states *states)
{
	struct task_state_at some[STATES_MAX];
	uint32_t ids[STATES_MAX];
	uint32_t count = states->count < STATES_MAX ? states->count : STATES_MAX;
	struct event event;
	bool uncertain;

	for (uint32_t i = 0; i < count; i++)
		ids[i] = states->tasks[i].task;
	promise(trace_states_of(reader, time_ns, ids, count, some, &uncertain, NULL, NULL) ==
			LO_OK);
	promise(uncertain == states->uncertain);
	for (uint32_t i = 0; i < count; i++) {
		enum lo_result result = trace_state_began(reader, &some[i], time_ns, &event, NULL);

		promise(equal_states(&some[i], &states->tasks[i]));
		promise(result == LO_OK || result == LO_END);
		promise(result == LO_END || (event.task == ids[i] && event.time_ns < time_ns));
	}
}

static void check_alive(struct trace_reader *reader, struct time_span span)
{
	struct alive_query query = { span, 2, 5 };
	struct alive_tasks alive;

	promise(trace_alive_in(&alive, reader, &query, NULL, NULL) == LO_OK);
	promise(alive.count <= query.limit && alive.total >= alive.count);
	for (uint32_t i = 0; i < alive.count; i++) {
		promise(alive.tasks[i] >= query.from && alive.tasks[i] <= LIMIT_TASKS);
		promise(i == 0 || alive.tasks[i] > alive.tasks[i - 1]);
	}
	alive_tasks_release(&alive);
}

void model_check_states(struct trace_reader *reader)
{
	uint64_t duration_ns = trace_reader_info(reader)->duration_ns;

	for (uint64_t step = 0; step <= 3; step++) {
		uint64_t time_ns = step == 3 ? UINT64_MAX : duration_ns / 2 * step;
		struct trace_states states;

		promise(trace_states_at(&states, reader, time_ns, NULL, NULL) == LO_OK);
		for (uint32_t i = 0; i < states.count; i++) {
			promise(states.tasks[i].state == LIVE_ACTIVE ||
					states.tasks[i].state == LIVE_BLOCKED);
			promise(i == 0 || states.tasks[i].task > states.tasks[i - 1].task);
		}
		check_some_states(reader, time_ns, &states);
		trace_states_release(&states);
		check_alive(reader, (struct time_span){ time_ns / 2, time_ns });
	}
}
