#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/byte_cursor.h"
#include "formats/model/object.h"
#include "formats/native/trace_writer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/trace_model.h"
#include "viewer/analysis/flame.h"
#include "viewer/analysis/lane_index.h"
#include "viewer/report/report.h"

/*
 * The first byte says what the rest is: the bytes of a file, or (odd) a recipe for events, so that
 * a mutation is another story of tasks instead of a broken file. Five or more bytes an event: task,
 * kind and flags, reason, object or peer, stack, and how much later it comes.
 */
#define TASKS      12u
#define STACKS     6u
#define COLUMNS    40u
#define EVENTS_MAX 4000u

/* A file may claim many tasks in few bytes; these would only be slow. */
#define TASKS_MAX 20000u

/* Sums over all tasks stay below 2^64. */
#define DURATION_MAX (UINT64_MAX >> 20)

#define promise(condition) keep(condition, #condition, __LINE__)

static void keep(bool kept, const char *condition, int line)
{
	if (kept)
		return;
	fprintf(stderr, "line %d: broken: %s\n", line, condition);
	abort();
}

/* --- a trace from a recipe -----------------------------------------------------------------------
 */

static void write_places(struct trace_writer *writer, uint32_t *stacks)
{
	static const char *const names[STACKS] = { "main", "worker", "lock", "wait", "log",
		"main" };
	struct module_info module = { .flags = MODULE_FLAG_MAIN };
	uint32_t parent = STACK_NONE;
	uint32_t frame;
	struct symbol symbol = { 0 };

	promise(trace_writer_module(writer, &module, &frame, NULL) == LO_OK);
	for (uint32_t i = 0; i < STACKS; i++) {
		struct frame place = { .offset = 16 * i, .module = i % 2 };

		trace_writer_string(writer, names[i], (uint32_t)strlen(names[i]), &symbol.function,
				NULL);
		trace_writer_frame(writer, place, &frame, NULL);
		trace_writer_symbols(writer, frame, &symbol, 1, NULL);
		promise(trace_writer_stack(writer, parent, frame, &stacks[i], NULL) == LO_OK);
		if (i % 3 != 2)
			parent = stacks[i];
	}
}

static void write_tasks(struct trace_writer *writer, struct byte_cursor *recipe)
{
	struct process_info process = { .index = 1,
		.end = byte_cursor_byte(recipe) % PROCESS_END_COUNT };

	process.end_ns = byte_cursor_varint(recipe);
	trace_writer_process(writer, &process, NULL);
	for (uint32_t id = 1; id <= TASKS; id++) {
		struct task_info task = {
			.id = id, .process = 1, .flags = byte_cursor_byte(recipe) & 3
		};

		trace_writer_task(writer, &task, NULL);
	}
}

/* Times in steps that meet the thresholds of the verdicts, and at times a wild one. */
static uint64_t take_step(struct byte_cursor *recipe)
{
	uint8_t byte = byte_cursor_byte(recipe);

	if (byte == 0xff)
		return byte_cursor_varint(recipe);
	return (uint64_t)(byte & 63) << (byte >> 6 << 3) << 4;
}

static struct event take_event(struct byte_cursor *recipe, const uint32_t *stacks, uint64_t now_ns)
{
	uint8_t first = byte_cursor_byte(recipe);
	struct event event = { .time_ns = now_ns, .task = first % TASKS + 1 };

	event.kind = byte_cursor_byte(recipe) % EVENT_KIND_COUNT;
	event.peer = byte_cursor_byte(recipe) % (TASKS + 1);
	if (event.kind == EVENT_BLOCK) {
		event.reason = byte_cursor_byte(recipe) % REASON_COUNT;
		event.object_kind = byte_cursor_byte(recipe) % OBJECT_KIND_COUNT;
		event.object = byte_cursor_byte(recipe) % 16;
	}
	if (event.kind == EVENT_BLOCK || event.kind == EVENT_CREATE)
		event.stack = stacks[first / TASKS % STACKS];
	if (event.kind != EVENT_RUN && event.kind != EVENT_EXIT)
		event.flags = byte_cursor_byte(recipe) & 0x3f;
	return event;
}

static void write_events(
		struct trace_writer *writer, struct byte_cursor *recipe, const uint32_t *stacks)
{
	uint64_t now_ns = 0;

	for (unsigned i = 0; i < EVENTS_MAX && byte_cursor_left(recipe) > 0; i++) {
		uint64_t step_ns = take_step(recipe);
		struct event event;

		if (step_ns > DURATION_MAX - now_ns)
			break;
		now_ns += step_ns;
		event = take_event(recipe, stacks, now_ns);
		if (event.peer == TASKS && event.kind == EVENT_RUN)
			trace_writer_lost(writer, LOSS_RING_FULL, 1, NULL);
		else
			trace_writer_event(writer, &event, NULL);
	}
	trace_writer_finish(writer, now_ns + byte_cursor_varint(recipe) % 4000000000u, NULL);
}

static void write_trace(struct byte_buffer *file, struct byte_cursor *recipe)
{
	struct trace_writer *writer = NULL;
	struct byte_sink *sink = NULL;
	uint32_t stacks[STACKS];

	promise(byte_sink_open_buffer(&sink, file, NULL) == LO_OK);
	promise(trace_writer_open(&writer, sink, NULL) == LO_OK);
	write_places(writer, stacks);
	write_tasks(writer, recipe);
	write_events(writer, recipe, stacks);
	trace_writer_close(writer);
}

/* --- what an analysis promises
 * -------------------------------------------------------------------- */

static uint32_t times_named(const struct analysis *analysis, uint32_t task)
{
	uint32_t times = 0;

	for (uint32_t i = 0; i < analysis->finding_count; i++) {
		const struct finding *finding = &analysis->findings[i];
		bool about_waits = finding->kind == FINDING_DEADLOCK ||
				   finding->kind == FINDING_STUCK;

		for (uint32_t t = 0; about_waits && t < finding->task_count; t++)
			times += finding->tasks[t] == task;
	}
	for (uint32_t i = 0; i < analysis->parked_count; i++)
		for (uint32_t t = 0; t < analysis->parked[i].task_count; t++)
			times += analysis->parked[i].tasks[t] == task;
	return times;
}

static void check_tasks(const struct analysis *analysis)
{
	uint64_t counts[4] = { 0 };
	uint64_t blocked_ns = 0;
	uint64_t total_ns = 0;
	uint64_t still_blocked = 0;

	for (uint32_t task = 1; task < analysis->task_limit; task++) {
		counts[analysis->tasks[task].state]++;
		blocked_ns += analysis->tasks[task].blocked_ns;
		if (analysis->task_limit < 100)
			promise(times_named(analysis, task) ==
					(analysis->tasks[task].state == TASK_STATE_BLOCKED));
	}
	promise(analysis->tasks_seen == counts[TASK_STATE_ACTIVE] + counts[TASK_STATE_BLOCKED] +
							counts[TASK_STATE_EXITED]);
	promise(analysis->alive_at_end == counts[TASK_STATE_ACTIVE] + counts[TASK_STATE_BLOCKED]);
	promise(analysis->peak_alive >= analysis->alive_at_end);
	promise(analysis->peak_alive <= analysis->tasks_seen);
	promise(analysis->created <= analysis->events[EVENT_CREATE]);
	promise(analysis->max_created_in_10ms <= analysis->created);
	for (uint32_t i = 0; i < analysis->blocked_count; i++) {
		promise(analysis->blocked[i].max_ns <= analysis->blocked[i].total_ns);
		promise(i == 0 ||
				analysis->blocked[i].total_ns <= analysis->blocked[i - 1].total_ns);
		total_ns += analysis->blocked[i].total_ns;
		still_blocked += analysis->blocked[i].still_blocked;
	}
	promise(total_ns == blocked_ns);
	promise(still_blocked == counts[TASK_STATE_BLOCKED]);
}

static void check_cycle(const struct finding *finding)
{
	promise((finding->kind == FINDING_DEADLOCK) == (finding->cycle_count > 0));
	promise(finding->cycle_count == 0 || finding->cycle_count == finding->task_count);
	for (uint32_t i = 0; i < finding->cycle_count; i++)
		promise(finding->cycle[i].held_by ==
				finding->cycle[(i + 1) % finding->cycle_count].task);
}

static void check_findings(const struct analysis *analysis)
{
	for (uint32_t i = 0; i < analysis->finding_count; i++) {
		const struct finding *finding = &analysis->findings[i];

		promise(finding->summary && finding->summary[0]);
		promise(finding->why_count > 0);
		promise(i == 0 || finding->severity <= analysis->findings[i - 1].severity);
		check_cycle(finding);
	}
	for (uint32_t i = 0; i < analysis->parked_count; i++)
		promise(analysis->parked[i].why && analysis->parked[i].task_count > 0);
}

static void check_flame(struct trace_reader *reader, const struct analysis *analysis)
{
	struct flame *flame = NULL;
	uint64_t total_ns = 0;
	uint64_t blocks = 0;

	promise(flame_new(&flame, reader, TIME_SPAN_ALL, TASK_NONE, NULL, NULL) == LO_OK);
	for (uint32_t i = 0; i < analysis->blocked_count; i++) {
		total_ns += analysis->blocked[i].total_ns;
		blocks += analysis->blocked[i].blocks;
	}
	promise(flame->nodes[0].total_ns == total_ns);
	promise(flame->nodes[0].blocks == blocks);
	for (uint32_t i = 1; i < flame->node_count; i++)
		promise(flame->nodes[i].parent < flame->node_count && flame->nodes[i].blocks > 0);
	flame_free(flame);
}

/* --- lanes ---------------------------------------------------------------------------------------
 */

static void check_cells(const struct lane_index *exact, const struct lane_index *small,
		uint32_t task, struct time_span span)
{
	struct lane_cell cells[COLUMNS];
	struct lane_cell others[COLUMNS];

	lane_query(exact, &task, 1, span, COLUMNS, cells);
	lane_query(small, &task, 1, span, COLUMNS, others);
	for (uint32_t i = 0; i < COLUMNS; i++) {
		int sum = cells[i].active + cells[i].blocked + cells[i].absent;

		promise(!cells[i].pending);
		promise(sum >= 253 && sum <= 257);
		if (!others[i].pending)
			promise(abs(cells[i].blocked - others[i].blocked) <= 2 &&
					abs(cells[i].active - others[i].active) <= 2 &&
					cells[i].absent == others[i].absent);
	}
}

static void check_lanes(struct trace_reader *reader, const struct analysis *analysis)
{
	struct time_span all = { 0, analysis->duration_ns + 1 };
	struct time_span part = { analysis->duration_ns / 3, analysis->duration_ns / 2 + 1 };
	struct lane_index *exact = NULL;
	struct lane_index *small = NULL;
	struct lane_moment moment;
	uint32_t alive[COLUMNS];

	promise(lane_index_new(&exact, reader, analysis, NULL, NULL) == LO_OK);
	promise(lane_index_new_small(&small, reader, analysis, 8, NULL, NULL) == LO_OK);
	lane_alive(exact, all, COLUMNS, alive);
	for (uint32_t i = 0; i < COLUMNS; i++)
		promise(alive[i] <= analysis->tasks_seen);
	for (uint32_t task = 0; task <= TASKS; task++) {
		check_cells(exact, small, task, all);
		check_cells(exact, small, task, part);
		lane_moment(small, task, analysis->duration_ns / 2, &moment);
		promise(moment.state <= TASK_STATE_EXITED);
	}
	lane_index_free(exact);
	lane_index_free(small);
}

/* --- reports
 * --------------------------------------------------------------------------------------- */

static void check_report(struct trace_reader *reader, const struct analysis *analysis, bool json)
{
	struct report report = { .file = "FILE", .reader = reader, .analysis = analysis };
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	enum lo_result result = json ? report_write_json(&report, out, NULL)
				     : report_write_text(&report, out, NULL);

	fclose(out);
	promise(result == LO_OK || (json && result == LO_UNSUPPORTED));
	for (size_t i = 0; i < size; i++)
		promise((unsigned char)text[i] >= 0x20 || text[i] == '\n');
	free(text);
}

static void check(struct trace_reader *reader)
{
	struct analysis *analysis = NULL;

	promise(analysis_new(&analysis, reader, NULL, NULL) == LO_OK);
	check_tasks(analysis);
	check_findings(analysis);
	check_flame(reader, analysis);
	check_lanes(reader, analysis);
	check_report(reader, analysis, false);
	check_report(reader, analysis, true);
	analysis_free(analysis);
}

static struct trace_reader *open_bytes(const uint8_t *bytes, size_t size)
{
	struct trace_reader *reader = model_open(bytes, size);

	if (reader && (trace_reader_info(reader)->events > MODEL_EVENTS_MAX ||
				      trace_reader_info(reader)->tasks > TASKS_MAX ||
				      trace_reader_info(reader)->duration_ns > DURATION_MAX)) {
		trace_reader_close(reader);
		return NULL;
	}
	return reader;
}

static void check_recipe(const uint8_t *bytes, size_t size)
{
	struct byte_cursor recipe = byte_cursor_over(bytes, size);
	struct byte_buffer file = { 0 };
	struct trace_reader *reader;

	write_trace(&file, &recipe);
	reader = open_bytes(file.bytes, file.size);
	promise(reader != NULL);
	check(reader);
	trace_reader_close(reader);
	byte_buffer_release(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct trace_reader *reader;

	if (size == 0)
		return 0;
	if (bytes[0] & 1) {
		check_recipe(bytes + 1, size - 1);
		return 0;
	}
	reader = open_bytes(bytes + 1, size - 1);
	if (reader)
		check(reader);
	trace_reader_close(reader);
	return 0;
}
