#include "viewer/analysis/task_tracker.h"

#include <stdlib.h>

#include "formats/base/limits.h"
#include "viewer/analysis/array.h"

/*
 * Task ids are dense, so a trace of few rows has few tasks. Ids that are not named by a task row
 * are believed up to this many per event: far more than a damaged file needs, and little memory for
 * a file that was made to take much.
 */
#define IDS_PER_EVENT 64u
#define IDS_AT_LEAST  65536u

void task_tracker_init(struct task_tracker *tracker, struct trace_reader *reader)
{
	const struct trace_info *info = trace_reader_info(reader);
	uint64_t lost = info->lost_unknown;
	uint64_t highest = LIMIT_TASKS;

	for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT; cause++)
		lost |= info->lost[cause];
	if (info->events < LIMIT_TASKS / IDS_PER_EVENT)
		highest = info->events * IDS_PER_EVENT + IDS_AT_LEAST;
	if (highest < info->tasks)
		highest = info->tasks;
	if (highest > LIMIT_TASKS)
		highest = LIMIT_TASKS;
	*tracker = (struct task_tracker){
		.highest = (uint32_t)highest,
		.missing_events = lost != 0 || trace_reader_damage_count(reader) > 0,
	};
}

void task_tracker_release(struct task_tracker *tracker)
{
	free(tracker->tasks);
	*tracker = (struct task_tracker){ 0 };
}

static struct wait wait_of(const struct event *event, uint64_t since_ns)
{
	return (struct wait){
		.since_ns = since_ns,
		.object = event->object,
		.stack = event->stack,
		.holder = event->peer,
		.reason = event->reason,
		.object_kind = event->object_kind,
		.flags = event->flags,
	};
}

static void appear(struct tracked_task *task, const struct event *event, struct task_step *step)
{
	step->appeared = true;
	step->again = task->state == TASK_STATE_EXITED;
	step->begin_ns = step->time_ns;
	task->created = event->kind == EVENT_CREATE;
	step->existing = !task->created || (event->flags & EVENT_FLAG_EXISTING);
	task->state = TASK_STATE_ACTIVE;
}

static void end_wait(struct tracked_task *task, struct task_step *step, enum wait_end end)
{
	if (task->state != TASK_STATE_BLOCKED)
		return;
	step->end = end;
	step->wait = task->wait;
	task->state = TASK_STATE_ACTIVE;
}

static void step_create(struct tracked_task *task, struct task_step *step)
{
	step->adopted = !task->created;
	task->created = true;
}

static void step_unblock(const struct task_tracker *tracker, struct tracked_task *task,
		const struct event *event, struct task_step *step)
{
	step->waker = event->peer;
	step->end_flags = event->flags;
	if (step->appeared && !tracker->missing_events) {
		step->begin_ns = 0;
		step->end = WAIT_END_WOKEN;
		step->wait = (struct wait){ .reason = REASON_NONE };
		return;
	}
	end_wait(task, step, WAIT_END_WOKEN);
}

static void step_block(struct tracked_task *task, const struct event *event, struct task_step *step)
{
	end_wait(task, step, WAIT_END_MISSING);
	task->state = TASK_STATE_BLOCKED;
	task->wait = wait_of(event, step->time_ns);
	step->opened = true;
}

static bool begins_a_life(const struct event *event)
{
	return event->kind == EVENT_CREATE || event->kind == EVENT_RUN;
}

static enum lo_result make_room(struct task_tracker *tracker, uint32_t task, struct lo_error *err)
{
	struct tracked_task *tasks;

	if (task < tracker->limit)
		return LO_OK;
	tasks = array_grow(tracker->tasks, &tracker->capacity, (size_t)task + 1, sizeof(*tasks));
	if (!tasks)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks", task);
	tracker->tasks = tasks;
	tracker->limit = task + 1;
	return LO_OK;
}

enum lo_result task_tracker_seed(struct task_tracker *tracker, uint32_t task,
		const struct tracked_task *state, struct lo_error *err)
{
	enum lo_result result = make_room(tracker, task, err);

	if (result == LO_OK)
		tracker->tasks[task] = *state;
	return result;
}

enum lo_result task_tracker_step(struct task_tracker *tracker, const struct event *event,
		struct task_step *step, struct lo_error *err)
{
	struct tracked_task *task;
	enum lo_result result;

	*step = (struct task_step){ 0 };
	if (event->task == TASK_NONE || event->task > tracker->highest)
		return LO_OK;
	result = make_room(tracker, event->task, err);
	if (result != LO_OK)
		return result;
	task = &tracker->tasks[event->task];
	if (task->state == TASK_STATE_EXITED && !begins_a_life(event))
		return LO_OK;

	if (tracker->now_ns < event->time_ns)
		tracker->now_ns = event->time_ns;
	step->task = event->task;
	step->time_ns = tracker->now_ns;
	if (task->state == TASK_STATE_ABSENT || task->state == TASK_STATE_EXITED)
		appear(task, event, step);
	switch (event->kind) {
	case EVENT_CREATE:
		step_create(task, step);
		break;
	case EVENT_RUN:
		end_wait(task, step, WAIT_END_MISSING);
		break;
	case EVENT_BLOCK:
		step_block(task, event, step);
		break;
	case EVENT_UNBLOCK:
		step_unblock(tracker, task, event, step);
		break;
	case EVENT_EXIT:
		end_wait(task, step, WAIT_END_EXIT);
		task->state = TASK_STATE_EXITED;
		step->exited = true;
		break;
	default:
		break;
	}
	return LO_OK;
}
