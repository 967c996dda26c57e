#include "viewer/analysis/lane_window.h"

#include <stdlib.h>
#include <string.h>

#include "formats/native/trace_cursor.h"
#include "viewer/analysis/task_tracker.h"

enum lo_result lane_window_new(struct lane_window **out, uint32_t limit, struct lo_error *err)
{
	struct lane_window *window = calloc(1, sizeof(*window));

	*out = window;
	if (!window)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the timeline");
	window->limit = limit;
	window->lanes = calloc(limit, sizeof(*window->lanes));
	window->has_events = calloc(limit, sizeof(*window->has_events));
	if (!window->lanes || !window->has_events)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks", limit);
	return LO_OK;
}

static void forget(struct lane_window *window)
{
	for (uint32_t task = 0; task < window->limit; task++)
		if (window->has_events[task])
			lane_release(&window->lanes[task]);
	memset(window->has_events, 0, window->limit * sizeof(*window->has_events));
	window->span = (struct tick_span){ 0, 0 };
}

void lane_window_free(struct lane_window *window)
{
	if (!window)
		return;
	if (window->lanes && window->has_events)
		forget(window);
	free(window->lanes);
	free(window->has_events);
	free(window);
}

static bool contains(struct tick_span outer, struct tick_span inner)
{
	return outer.begin <= inner.begin && inner.end <= outer.end;
}

static struct time_span time_of(const struct lane_index *index, struct tick_span span)
{
	return (struct time_span){ span.begin << index->shift, span.end << index->shift };
}

static uint64_t count_events(const struct lane_index *index, struct tick_span span)
{
	struct time_span time = time_of(index, span);
	struct trace_section section;
	uint64_t events = 0;

	for (uint32_t i = 0; trace_reader_section(index->reader, i, &section); i++)
		if (strcmp(section.name, "block") == 0 && section.span.begin_ns < time.end_ns &&
				section.span.end_ns > time.begin_ns)
			events += section.rows;
	return events;
}

static struct tick_span bins_around(const struct lane_index *index, struct tick_span span)
{
	uint64_t bin = index->bin;

	return (struct tick_span){ span.begin / bin * bin, (span.end + bin - 1) / bin * bin };
}

/* With half as much on both sides if that is not too much, for whoever pans. */
static bool choose_span(const struct lane_index *index, struct tick_span wanted,
		uint64_t events_most, struct tick_span *chosen)
{
	uint64_t margin = (wanted.end - wanted.begin) / 2;
	struct tick_span wide = { wanted.begin > margin ? wanted.begin - margin : 0,
		wanted.end + margin };

	*chosen = bins_around(index, wide);
	if (count_events(index, *chosen) <= events_most)
		return true;
	*chosen = bins_around(index, wanted);
	return count_events(index, *chosen) <= events_most;
}

/* The state of a task where the window begins, as the index has it. */
static void seed(const struct lane_index *index, uint32_t id, struct tracked_task *task)
{
	const struct lane *lane = &index->lanes[id];
	uint64_t begin = index->window->span.begin;
	struct tick_span life = lane_life(index, id);
	uint32_t i = lane_find(lane, begin);

	if (begin <= life.begin)
		return;
	task->state = begin < life.end ? TASK_STATE_ACTIVE : TASK_STATE_EXITED;
	if (i == lane->count || lane_wait_span(&lane->waits[i]).begin >= begin)
		return;
	task->state = TASK_STATE_BLOCKED;
	task->wait = (struct wait){
		.since_ns = lane_wait_span(&lane->waits[i]).begin << index->shift,
		.reason = lane->waits[i].reason,
	};
}

/* Where a wait that is open at the end of the window ends. */
static uint64_t end_of_open_wait(const struct lane_index *index, uint32_t task)
{
	const struct lane *lane = &index->lanes[task];
	uint64_t end = index->window->span.end;
	uint32_t i = lane_find(lane, end);

	if (i < lane->count && lane_wait_span(&lane->waits[i]).begin < end)
		return lane_wait_span(&lane->waits[i]).end;
	return end;
}

static enum lo_result take_event(const struct lane_index *index, struct task_tracker *tracker,
		const struct event *event, struct lo_error *err)
{
	struct lane_window *window = index->window;
	uint32_t id = event->task;
	struct tracked_task state = { 0 };
	struct task_step step;
	enum lo_result result;

	if (id == TASK_NONE || id >= window->limit)
		return LO_OK;
	if (!window->has_events[id]) {
		window->has_events[id] = true;
		seed(index, id, &state);
		result = task_tracker_seed(tracker, id, &state, err);
		if (result != LO_OK)
			return result;
	}
	result = task_tracker_step(tracker, event, &step, err);
	if (result != LO_OK || step.end == WAIT_END_NONE)
		return result;
	return lane_append(&window->lanes[id],
			(struct tick_span){ lane_ticks(index, step.wait.since_ns),
					lane_ticks(index, step.time_ns) },
			step.wait.reason, err);
}

static enum lo_result close_lane(const struct lane_index *index, struct task_tracker *tracker,
		uint32_t id, struct lo_error *err)
{
	const struct tracked_task *task = &tracker->tasks[id];
	struct lane *lane = &index->window->lanes[id];
	enum lo_result result = LO_OK;

	if (task->state == TASK_STATE_BLOCKED)
		result = lane_append(lane,
				(struct tick_span){ lane_ticks(index, task->wait.since_ns),
						end_of_open_wait(index, id) },
				task->wait.reason, err);
	if (result == LO_OK)
		result = lane_seal(lane, err);
	return result;
}

static enum lo_result read_window(
		const struct lane_index *index, struct task_tracker *tracker, struct lo_error *err)
{
	struct lane_window *window = index->window;
	struct trace_cursor *cursor = NULL;
	const struct event *events;
	uint32_t count;
	enum lo_result result;

	result = trace_cursor_open_detail(&cursor, index->reader, time_of(index, window->span),
			TRACE_DETAIL_STATES, err);
	while (result == LO_OK) {
		result = trace_cursor_next_run(cursor, &events, &count, err);
		for (uint32_t i = 0; result == LO_OK && i < count; i++)
			result = take_event(index, tracker, &events[i], err);
	}
	trace_cursor_close(cursor);
	if (result == LO_END)
		result = LO_OK;
	for (uint32_t id = 1; id < tracker->limit && result == LO_OK; id++)
		if (window->has_events[id])
			result = close_lane(index, tracker, id, err);
	return result;
}

static bool move_window(
		const struct lane_index *index, struct tick_span wanted, uint64_t events_most)
{
	struct lane_window *window = index->window;
	struct task_tracker tracker;
	struct tick_span span;
	enum lo_result result;

	if (events_most < UINT64_MAX && window->refused.end > 0 &&
			contains(wanted, window->refused))
		return false;
	if (!choose_span(index, wanted, events_most, &span)) {
		window->refused = wanted;
		return false;
	}
	forget(window);
	window->span = span;
	task_tracker_init(&tracker, index->reader);
	result = read_window(index, &tracker, NULL);
	task_tracker_release(&tracker);
	if (result == LO_OK)
		return true;
	forget(window);
	return false;
}

const struct lane *lane_window_lane(const struct lane_index *index, uint32_t task,
		struct tick_span span, uint64_t events_most)
{
	struct lane_window *window = index->window;

	if (index->bin == 0)
		return &index->lanes[task];
	if (!contains(window->span, span) && !move_window(index, span, events_most))
		return NULL;
	if (!window->has_events[task])
		return &index->lanes[task];
	/* Nobody knows which of its lives it was in where the window begins. */
	return index->lanes[task].again ? NULL : &window->lanes[task];
}
