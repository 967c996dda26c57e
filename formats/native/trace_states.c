#include "formats/native/trace_states.h"

#include <stdlib.h>
#include <string.h>

#include "formats/native/reader_parts.h"
#include "formats/native/snapshot.h"

/* Up to where events count: those before a time, in blocks before a section of the list. */
struct place {
	uint64_t time_ns;
	uint32_t section;
};

/* Going from a snapshot to a place. */
struct going {
	struct trace_reader *reader;
	const struct section_list *sections;
	const uint32_t *blocks; /* positions in `sections` */
	uint32_t block_count;
	const struct snapshot *snapshot; /* NULL: from the start of the trace */
	uint32_t snapshot_section;
	struct live_tasks *tasks; /* those with events since the snapshot */
	bool uncertain;

	/* When only some tasks are wanted: they, and which of 64 x 64 classes of ids have one. */
	const uint32_t *wanted;
	uint32_t wanted_count;
	uint64_t classes[64];
	struct event *filtered;
	uint32_t filtered_capacity;
};

/* The first of ascending positions that is at or behind `section`. */
static uint32_t first_behind(const uint32_t *positions, uint32_t count, uint32_t section)
{
	uint32_t low = 0;
	uint32_t high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (positions[middle] < section)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- where to start ---- */

/* Takes hold of the last sound snapshot before a place, if there is any. */
static enum lo_result find_snapshot(struct going *going, struct place end, struct lo_error *err)
{
	uint32_t next_block = trace_block_at(going->reader, end.time_ns);
	uint32_t limit = end.section;
	const uint32_t *positions;
	uint32_t count;

	/* The blocks before a snapshot must all lie before the time. */
	if (next_block < going->block_count && going->blocks[next_block] < limit)
		limit = going->blocks[next_block];
	positions = section_list_of(going->sections, SECTION_SNAPSHOT, &count);
	for (uint32_t i = first_behind(positions, count, limit); i-- > 0;) {
		const void *snapshot = NULL;
		enum lo_result result;

		if (going->sections->entries[positions[i]].begin_ns >= end.time_ns)
			continue;
		result = trace_section_acquire(
				going->reader, positions[i], &snapshot_decoder, &snapshot, err);
		if (result == LO_CORRUPT)
			continue;
		if (result == LO_OK) {
			going->snapshot = snapshot;
			going->snapshot_section = positions[i];
		}
		return result;
	}
	return LO_OK;
}

/* ---- on from there ---- */

static int compare_ids(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a;
	uint32_t right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static bool is_wanted(const struct going *going, uint32_t task)
{
	return going->classes[task / 64 % 64] >> task % 64 & 1 &&
	       bsearch(&task, going->wanted, going->wanted_count, sizeof(task), compare_ids);
}

/* The events of wanted tasks, in place of all. */
static enum lo_result filter_events(struct going *going, const struct event **events,
		uint32_t *count, struct lo_error *err)
{
	uint32_t kept = 0;

	if (!going->wanted)
		return LO_OK;
	if (going->filtered_capacity < *count) {
		struct event *filtered = realloc(going->filtered, *count * sizeof(*filtered));

		if (!filtered)
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u events",
					*count);
		going->filtered = filtered;
		going->filtered_capacity = *count;
	}
	for (uint32_t i = 0; i < *count; i++)
		if (is_wanted(going, (*events)[i].task))
			going->filtered[kept++] = (*events)[i];
	*events = going->filtered;
	*count = kept;
	return LO_OK;
}

/* A task that has its first event since the snapshot begins with what the snapshot says. */
static enum lo_result seed(struct going *going, uint32_t task, struct lo_error *err)
{
	const struct snapshot_task *before = snapshot_find(going->snapshot, task);

	if (before)
		return live_tasks_seed(going->tasks, task,
				before->blocked ? LIVE_BLOCKED : LIVE_ACTIVE, before->reason,
				before->changed, err);
	if (snapshot_has_exited(going->snapshot, task))
		return live_tasks_seed_exited(going->tasks, task, err);
	return LO_OK;
}

static enum lo_result apply_events(struct going *going, const struct event *events, uint32_t count,
		uint32_t sequence, struct lo_error *err)
{
	enum lo_result result = filter_events(going, &events, &count, err);

	for (uint32_t i = 0; i < count && going->snapshot && result == LO_OK; i++)
		if (!live_tasks_have_seen(going->tasks, events[i].task))
			result = seed(going, events[i].task, err);
	return result == LO_OK ? live_tasks_advance(going->tasks, events, count, sequence, err)
			       : result;
}

static uint32_t rows_before(const struct cached_block *block, uint64_t time_ns)
{
	uint32_t low = 0;
	uint32_t high = block->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (block->events[middle].time_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Applies the events in [begin_ns, end_ns) of a block. */
static enum lo_result apply_block(struct going *going, uint32_t number, uint64_t begin_ns,
		uint64_t end_ns, struct lo_error *err)
{
	uint32_t first;
	const struct section_entry *entry = &going->sections->entries[going->blocks[number]];
	const struct cached_block *block = NULL;
	enum lo_result result = trace_block_acquire(going->reader, number, &block, err);

	if (result == LO_CORRUPT) {
		going->uncertain = true;
		return LO_OK;
	}
	if (result != LO_OK)
		return result;
	first = rows_before(block, begin_ns);
	result = apply_events(going, block->events + first, rows_before(block, end_ns) - first,
			entry->sequence, err);
	trace_block_release(going->reader, block);
	return result;
}

/*
 * Are sections missing in the list, from one position up to the block with a number, or to the end?
 * Only a scan can miss some. They may have been blocks.
 */
static bool has_gap(const struct going *going, uint32_t from, uint32_t number)
{
	const struct section_list *sections = going->sections;
	uint32_t first = from > 0 ? sections->entries[from].sequence : 0;
	uint32_t to = number < going->block_count ? going->blocks[number] : sections->count - 1;

	return sections->count > 0 && sections->entries[to].sequence - first != to - from;
}

static enum lo_result go(struct going *going, struct place end, const struct progress *progress,
		struct lo_error *err)
{
	uint32_t from = going->snapshot ? going->snapshot_section : 0;
	uint32_t first = first_behind(going->blocks, going->block_count, from);
	uint32_t behind = trace_block_at(going->reader, end.time_ns);
	enum lo_result result = LO_OK;
	uint32_t number;

	for (number = first; number < going->block_count && result == LO_OK; number++) {
		if (going->blocks[number] >= end.section ||
				going->sections->entries[going->blocks[number]].begin_ns >=
						end.time_ns)
			break;
		result = apply_block(going, number, 0, end.time_ns, err);
		if (result == LO_OK && !progress_step(progress, number - first, behind - first + 1))
			result = lo_fail(err, LO_CANCELLED, LO_NO_OFFSET, "stopped");
	}
	if (has_gap(going, from, number))
		going->uncertain = true;
	return result;
}

static void going_release(struct going *going)
{
	if (going->snapshot)
		trace_section_release(going->reader, going->snapshot_section);
	live_tasks_free(going->tasks);
	free(going->filtered);
}

/* Release in any case. */
static enum lo_result going_run(struct going *going, struct trace_reader *reader, struct place end,
		const struct progress *progress, struct lo_error *err)
{
	enum lo_result result;

	going->reader = reader;
	going->sections = trace_reader_sections(reader);
	going->blocks = section_list_of(going->sections, SECTION_BLOCK, &going->block_count);
	for (uint32_t i = 0; i < going->wanted_count; i++)
		going->classes[going->wanted[i] / 64 % 64] |= 1ull << going->wanted[i] % 64;
	result = live_tasks_new(&going->tasks, err);
	if (result == LO_OK)
		result = find_snapshot(going, end, err);
	return result == LO_OK ? go(going, end, progress, err) : result;
}

/* ---- answers ---- */

static struct task_state_at from_live(const struct live_task *task)
{
	return (struct task_state_at){ task->task, task->changed, task->state, task->reason };
}

static struct task_state_at from_snapshot(const struct snapshot_task *task)
{
	return (struct task_state_at){ task->task, task->changed,
		task->blocked ? LIVE_BLOCKED : LIVE_ACTIVE, task->reason };
}

static struct task_state_at state_of(const struct going *going, uint32_t id)
{
	struct task_state_at state = { .task = id, .state = LIVE_ABSENT };
	const struct live_task *live = live_tasks_find(going->tasks, id);
	const struct snapshot_task *before = NULL;

	if (live)
		return from_live(live);
	if (live_tasks_have_seen(going->tasks, id)) {
		state.state = LIVE_EXITED;
		return state;
	}
	if (!going->snapshot)
		return state;
	before = snapshot_find(going->snapshot, id);
	if (before)
		return from_snapshot(before);
	if (snapshot_has_exited(going->snapshot, id))
		state.state = LIVE_EXITED;
	return state;
}

/* Those of the snapshot without events since, and those with events, in the order of their ids. */
static void merge(const struct going *going, struct trace_states *states)
{
	const struct live_task *live = live_tasks_next(going->tasks, 0);
	uint32_t at = 0;
	uint32_t count = going->snapshot ? going->snapshot->count : 0;

	while (live || at < count) {
		const struct snapshot_task *before = at < count ? &going->snapshot->tasks[at]
								: NULL;

		if (!before || (live && live->task <= before->task)) {
			states->tasks[states->count++] = from_live(live);
			at += before && before->task == live->task;
			live = live_tasks_next(going->tasks, live->task);
			continue;
		}
		if (!live_tasks_have_seen(going->tasks, before->task))
			states->tasks[states->count++] = from_snapshot(before);
		at++;
	}
}

static enum lo_result list_states(
		const struct going *going, struct trace_states *states, struct lo_error *err)
{
	size_t most = (size_t)live_tasks_count(going->tasks) +
		      (going->snapshot ? going->snapshot->count : 0);

	states->tasks = malloc(most * sizeof(*states->tasks) + 1);
	if (!states->tasks)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET,
				"no memory for the states of %zu tasks", most);
	states->uncertain = going->uncertain;
	merge(going, states);
	return LO_OK;
}

enum lo_result trace_states_at(struct trace_states *states, struct trace_reader *reader,
		uint64_t time_ns, const struct progress *progress, struct lo_error *err)
{
	struct going going = { 0 };
	enum lo_result result = going_run(
			&going, reader, (struct place){ time_ns, UINT32_MAX }, progress, err);

	*states = (struct trace_states){ 0 };
	if (result == LO_OK)
		result = list_states(&going, states, err);
	going_release(&going);
	return result;
}

void trace_states_release(struct trace_states *states)
{
	free(states->tasks);
	*states = (struct trace_states){ 0 };
}

static enum lo_result tell_span(struct going *going, struct time_span span,
		void (*alive)(void *context, uint32_t task), void *context,
		const struct progress *progress, struct lo_error *err)
{
	uint32_t first = trace_block_at(going->reader, span.begin_ns);
	uint32_t end = trace_block_at(going->reader, span.end_ns);
	enum lo_result result = LO_OK;
	uint32_t number;

	for (number = first; number <= end && number < going->block_count; number++) {
		const struct touched_task *touched;
		uint32_t count;

		result = apply_block(going, number, span.begin_ns, span.end_ns, err);
		if (result == LO_OK && !progress_step(progress, number - first, end - first + 1))
			result = lo_fail(err, LO_CANCELLED, LO_NO_OFFSET, "stopped");
		if (result != LO_OK)
			break;
		touched = live_tasks_touched(going->tasks, &count);
		for (uint32_t i = 0; i < count; i++)
			alive(context, touched[i].task);
	}
	if (has_gap(going, first > 0 ? going->blocks[first - 1] : 0, number))
		going->uncertain = true;
	return result;
}

enum lo_result trace_states_span(struct trace_reader *reader, struct time_span span,
		void (*alive)(void *context, uint32_t task), void *context, bool *uncertain,
		const struct progress *progress, struct lo_error *err)
{
	struct going going = { 0 };
	struct trace_states states = { 0 };
	enum lo_result result = going_run(
			&going, reader, (struct place){ span.begin_ns, UINT32_MAX }, progress, err);

	if (result == LO_OK)
		result = list_states(&going, &states, err);
	for (uint32_t i = 0; i < states.count; i++)
		alive(context, states.tasks[i].task);
	if (result == LO_OK)
		result = tell_span(&going, span, alive, context, progress, err);
	if (going.uncertain && uncertain)
		*uncertain = true;
	trace_states_release(&states);
	going_release(&going);
	return result;
}

static enum lo_result states_before(struct trace_reader *reader, struct place end,
		const uint32_t *tasks, uint32_t count, struct task_state_at *out, bool *uncertain,
		const struct progress *progress, struct lo_error *err)
{
	struct going going = { .wanted = tasks, .wanted_count = count };
	enum lo_result result = going_run(&going, reader, end, progress, err);

	for (uint32_t i = 0; i < count && result == LO_OK; i++)
		out[i] = state_of(&going, tasks[i]);
	if (uncertain)
		*uncertain = going.uncertain;
	going_release(&going);
	return result;
}

enum lo_result trace_states_of(struct trace_reader *reader, uint64_t time_ns, const uint32_t *tasks,
		uint32_t count, struct task_state_at *out, bool *uncertain,
		const struct progress *progress, struct lo_error *err)
{
	return states_before(reader, (struct place){ time_ns, UINT32_MAX }, tasks, count, out,
			uncertain, progress, err);
}

/* ---- how a state began ---- */

/* The section with a sequence number; the number of sections when it is not there. */
static uint32_t find_section(const struct section_list *sections, uint32_t sequence)
{
	uint32_t low = 0;
	uint32_t high = sections->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (sections->entries[middle].sequence < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low < sections->count && sections->entries[low].sequence == sequence
			       ? low
			       : sections->count;
}

/*
 * What the events of a block make of a task that begins it in some state: the row at which the
 * state began that it ends with, or UINT32_MAX when none began.
 */
static uint32_t row_that_began(const struct cached_block *block, uint32_t rows,
		const struct task_state_at *state, enum live_state begin)
{
	struct live_task task = { .state = (uint8_t)begin };
	uint32_t began = UINT32_MAX;

	for (uint32_t row = 0; row < rows; row++)
		if (block->events[row].task == state->task &&
				live_task_step(&task, &block->events[row], 0))
			began = row;
	return task.state == state->state && task.reason == state->reason ? began : UINT32_MAX;
}

/*
 * The state began in this block, which mostly can mean one event only, in whatever state the task
 * came into it. When it can mean several, what it was like before must be known.
 */
static enum lo_result find_beginning(struct trace_reader *reader, const struct cached_block *block,
		uint32_t rows, const struct task_state_at *state, uint32_t *row,
		struct lo_error *err)
{
	struct place before = { UINT64_MAX, block->section };
	struct task_state_at begin;
	bool ambiguous = false;
	bool uncertain = false;
	enum lo_result result;

	*row = UINT32_MAX;
	for (unsigned i = LIVE_ABSENT; i <= LIVE_EXITED; i++) {
		uint32_t began = row_that_began(block, rows, state, (enum live_state)i);

		if (began == UINT32_MAX)
			continue;
		ambiguous = ambiguous || (*row != UINT32_MAX && *row != began);
		*row = began;
	}
	if (!ambiguous)
		return LO_OK;
	result = states_before(reader, before, &state->task, 1, &begin, &uncertain, NULL, err);
	if (result == LO_OK)
		*row = uncertain ? UINT32_MAX
				 : row_that_began(block, rows, state, (enum live_state)begin.state);
	return result;
}

static uint32_t number_of_block(struct trace_reader *reader, uint32_t section)
{
	uint32_t count;
	const uint32_t *blocks = section_list_of(
			trace_reader_sections(reader), SECTION_BLOCK, &count);
	uint32_t number = first_behind(blocks, count, section);

	return number < count && blocks[number] == section ? number : UINT32_MAX;
}

enum lo_result trace_state_began(struct trace_reader *reader, const struct task_state_at *state,
		uint64_t time_ns, struct event *event, struct lo_error *err)
{
	uint32_t section = find_section(trace_reader_sections(reader), state->changed);
	uint32_t number = number_of_block(reader, section);
	const struct cached_block *block = NULL;
	enum lo_result result;
	uint32_t row = UINT32_MAX;

	if (number == UINT32_MAX || (state->state != LIVE_ACTIVE && state->state != LIVE_BLOCKED))
		return LO_END;
	result = trace_block_acquire(reader, number, &block, err);
	if (result == LO_CORRUPT)
		return LO_END;
	if (result == LO_OK)
		result = find_beginning(
				reader, block, rows_before(block, time_ns), state, &row, err);
	if (result == LO_OK && row != UINT32_MAX)
		*event = block->events[row];
	else if (result == LO_OK)
		result = LO_END;
	trace_block_release(reader, block);
	return result;
}
