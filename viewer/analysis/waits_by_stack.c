#include "viewer/analysis/waits_by_stack.h"

#include <stdlib.h>

#include "viewer/analysis/array.h"
#include "viewer/analysis/replay.h"
#include "viewer/analysis/task_end.h"

struct collection {
	struct waits_by_stack *waits;
	struct time_span span;
	uint32_t task;
};

static enum lo_result find_or_add(struct waits_by_stack *waits, uint32_t stack, uint8_t reason,
		struct stack_waits **item, struct lo_error *err)
{
	uint32_t hash = id_hash(stack, reason);
	struct stack_waits *items;
	uint32_t probe;

	*item = NULL;
	for (uint32_t id = id_index_first(&waits->index, hash, &probe); id;
			id = id_index_next(&waits->index, hash, &probe)) {
		*item = &waits->items[id];
		if ((*item)->stack == stack && (*item)->reason == reason)
			return LO_OK;
	}
	items = array_grow(
			waits->items, &waits->capacity, (size_t)waits->count + 1, sizeof(*items));
	if (!items)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the flame");
	waits->items = items;
	*item = &items[waits->count];
	**item = (struct stack_waits){ .stack = stack, .reason = reason };
	return id_index_add(&waits->index, hash, waits->count++, err);
}

static uint64_t clip(uint64_t time_ns, struct time_span span)
{
	if (time_ns < span.begin_ns)
		return span.begin_ns;
	return time_ns < span.end_ns ? time_ns : span.end_ns;
}

/* A wait of no length belongs to the span that it lies in. */
static bool overlaps(struct time_span span, uint64_t begin_ns, uint64_t end_ns)
{
	return begin_ns < span.end_ns && (end_ns > span.begin_ns || begin_ns >= span.begin_ns);
}

static enum lo_result add_wait(struct collection *collection, const struct wait *wait,
		uint64_t end_ns, bool open, struct lo_error *err)
{
	struct stack_waits *item;
	enum lo_result result;

	if (!overlaps(collection->span, wait->since_ns, end_ns))
		return LO_OK;
	result = find_or_add(collection->waits, wait->stack, wait->reason, &item, err);
	if (result != LO_OK)
		return result;
	item->total_ns += clip(end_ns, collection->span) - clip(wait->since_ns, collection->span);
	item->blocks++;
	item->stuck += open;
	return LO_OK;
}

static enum lo_result visit(void *context, const struct event *event, const struct task_step *step,
		struct lo_error *err)
{
	struct collection *collection = context;

	(void)event;
	if (step->end == WAIT_END_NONE ||
			(collection->task != TASK_NONE && collection->task != step->task))
		return LO_OK;
	return add_wait(collection, &step->wait, step->time_ns, false, err);
}

static enum lo_result add_open_waits(struct collection *collection,
		const struct task_tracker *tracker, const struct trace_reader *reader,
		struct lo_error *err)
{
	uint64_t duration_ns = trace_reader_info(reader)->duration_ns;
	enum lo_result result = LO_OK;

	if (duration_ns < tracker->now_ns)
		duration_ns = tracker->now_ns;
	for (uint32_t id = 1; id < tracker->limit && result == LO_OK; id++) {
		const struct tracked_task *task = &tracker->tasks[id];
		uint64_t end_ns = task_end_ns(reader, id, duration_ns);

		if (task->state != TASK_STATE_BLOCKED ||
				(collection->task != TASK_NONE && collection->task != id))
			continue;
		if (end_ns < task->wait.since_ns)
			end_ns = task->wait.since_ns;
		result = add_wait(collection, &task->wait, end_ns, true, err);
	}
	return result;
}

enum lo_result waits_by_stack_collect(struct waits_by_stack *waits, struct trace_reader *reader,
		struct time_span span, uint32_t task, const struct progress *progress,
		struct lo_error *err)
{
	struct collection collection = { .waits = waits, .span = span, .task = task };
	struct replay replay = { visit, &collection };
	struct task_tracker tracker;
	enum lo_result result;

	*waits = (struct waits_by_stack){ .count = 1 };
	task_tracker_init(&tracker, reader);
	result = replay_run(&replay, reader, &tracker, span.end_ns, progress, err);
	if (result == LO_OK)
		result = add_open_waits(&collection, &tracker, reader, err);
	task_tracker_release(&tracker);
	return result;
}

void waits_by_stack_release(struct waits_by_stack *waits)
{
	free(waits->items);
	id_index_release(&waits->index);
	*waits = (struct waits_by_stack){ 0 };
}
