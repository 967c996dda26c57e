#include "viewer/analysis/lane_index.h"

#include <stdlib.h>

#include "viewer/analysis/lane_window.h"
#include "viewer/analysis/replay.h"
#include "viewer/analysis/task_end.h"

/* The first bins are this part of the trace: much less than a column of any screen. */
#define FIRST_BIN_BITS 22

/* Bundling goes on until there is room again for this part of all waits. */
#define ROOM_PART 4

static uint64_t duration_ticks(const struct lane_index *index)
{
	return lane_ticks(index, index->analysis->duration_ns);
}

static void bundle_all(struct lane_index *index)
{
	index->wait_count = 0;
	for (uint32_t task = 1; task < index->limit; task++) {
		lane_bundle(&index->lanes[task], index->bin);
		index->wait_count += index->lanes[task].count;
	}
}

/*
 * New waits come in behind those that are bundled already, so the present bin is tried first. With
 * one bin for the whole trace there is one wait or bundle for each task, and no less.
 */
static void make_room(struct lane_index *index)
{
	uint64_t enough = index->waits_most - index->waits_most / ROOM_PART;

	if (index->bin > 0)
		bundle_all(index);
	while (index->wait_count > enough && index->bin <= duration_ticks(index)) {
		if (index->bin == 0)
			index->bin = (duration_ticks(index) >> FIRST_BIN_BITS) + 1;
		else
			index->bin *= 2;
		bundle_all(index);
	}
	/* More tasks than waits to keep: do not try again at each wait. */
	if (index->wait_count > enough)
		index->waits_most = index->wait_count * 2;
}

static enum lo_result add_wait(struct lane_index *index, uint32_t task, const struct wait *wait,
		uint64_t end_ns, struct lo_error *err)
{
	struct tick_span span = { lane_ticks(index, wait->since_ns), lane_ticks(index, end_ns) };
	enum lo_result result = lane_append(&index->lanes[task], span, wait->reason, err);

	if (result == LO_OK && ++index->wait_count > index->waits_most)
		make_room(index);
	return result;
}

static enum lo_result visit(void *context, const struct event *event, const struct task_step *step,
		struct lo_error *err)
{
	struct lane_index *index = context;

	(void)event;
	if (step->task >= index->limit)
		return LO_OK;
	if (step->again)
		index->lanes[step->task].again = true;
	if (step->end == WAIT_END_NONE)
		return LO_OK;
	return add_wait(index, step->task, &step->wait, step->time_ns, err);
}

static enum lo_result add_open_waits(struct lane_index *index, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	for (uint32_t id = 1; id < index->limit && result == LO_OK; id++) {
		const struct task_summary *task = &index->analysis->tasks[id];
		uint64_t end_ns = task_end_ns(index->reader, id, index->analysis->duration_ns);

		if (task->state != TASK_STATE_BLOCKED)
			continue;
		if (end_ns < task->wait.since_ns)
			end_ns = task->wait.since_ns;
		result = add_wait(index, id, &task->wait, end_ns, err);
	}
	return result;
}

struct tick_span lane_life(const struct lane_index *index, uint32_t task)
{
	const struct task_summary *summary;
	uint64_t end_ns;

	if (task >= index->limit || index->analysis->tasks[task].state == TASK_STATE_ABSENT)
		return (struct tick_span){ 0, 0 };
	summary = &index->analysis->tasks[task];
	end_ns = summary->end_ns;
	if (end_ns == UINT64_MAX)
		end_ns = task_end_ns(index->reader, task, index->analysis->duration_ns);
	return (struct tick_span){ lane_ticks(index, summary->begin_ns),
		lane_ticks(index, end_ns) };
}

static enum lo_result seal(struct lane_index *index, struct lo_error *err)
{
	enum lo_result result = alive_curve_init(&index->alive, index->limit, err);

	for (uint32_t task = 1; task < index->limit && result == LO_OK; task++) {
		struct tick_span life = lane_life(index, task);

		if (index->analysis->tasks[task].state != TASK_STATE_ABSENT)
			alive_curve_add(&index->alive, life.begin, life.end);
		result = lane_seal(&index->lanes[task], err);
	}
	if (result == LO_OK)
		alive_curve_seal(&index->alive);
	return result;
}

static enum lo_result fill(
		struct lane_index *index, const struct progress *progress, struct lo_error *err)
{
	struct replay replay = { visit, index };
	struct task_tracker tracker;
	enum lo_result result;

	index->lanes = calloc(index->limit, sizeof(*index->lanes));
	if (!index->lanes)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks",
				index->limit);
	task_tracker_init(&tracker, index->reader);
	result = replay_run(&replay, index->reader, &tracker, UINT64_MAX, progress, err);
	task_tracker_release(&tracker);
	if (result == LO_OK)
		result = add_open_waits(index, err);
	if (result == LO_OK)
		result = seal(index, err);
	if (result == LO_OK)
		result = lane_window_new(&index->window, index->limit, err);
	return result;
}

enum lo_result lane_index_new_small(struct lane_index **out, struct trace_reader *reader,
		const struct analysis *analysis, uint64_t waits_most,
		const struct progress *progress, struct lo_error *err)
{
	struct lane_index *index = calloc(1, sizeof(*index));
	enum lo_result result;

	if (!index)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the timeline");
	*index = (struct lane_index){
		.reader = reader,
		.analysis = analysis,
		.limit = analysis->task_limit,
		.waits_most = waits_most,
		.window_events = LANE_WINDOW_EVENTS,
	};
	while (analysis->duration_ns >> index->shift >> (LANE_TICK_BITS - 1))
		index->shift++;
	result = fill(index, progress, err);
	if (result == LO_OK)
		*out = index;
	else
		lane_index_free(index);
	return result;
}

enum lo_result lane_index_new(struct lane_index **out, struct trace_reader *reader,
		const struct analysis *analysis, const struct progress *progress,
		struct lo_error *err)
{
	return lane_index_new_small(out, reader, analysis, LANE_INDEX_WAITS, progress, err);
}

void lane_index_free(struct lane_index *index)
{
	if (!index)
		return;
	for (uint32_t task = 0; index->lanes && task < index->limit; task++)
		lane_release(&index->lanes[task]);
	free(index->lanes);
	alive_curve_release(&index->alive);
	lane_window_free(index->window);
	free(index);
}
