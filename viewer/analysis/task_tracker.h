#ifndef LOITER_ANALYSIS_TASK_TRACKER_H
#define LOITER_ANALYSIS_TASK_TRACKER_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/model/event.h"
#include "formats/native/trace_reader.h"
#include "viewer/analysis/analysis.h"

/*
 * From events to states: the one place that knows what an event means for a task, also when events
 * before it are missing. Everything that needs waits (totals, findings, flame, lanes) steps one of
 * these over the events from the first on.
 *
 * What is missing is filled in like this:
 *   - A task whose first event is UNBLOCK was blocked before the trace: its wait is dated to 0. Not
 *     so when events were lost: then its BLOCK may have been one of them, and the wait is not
 *     counted at all.
 *   - BLOCK while blocked: the UNBLOCK between was lost; the first wait ended here at the latest.
 *   - RUN or EXIT while blocked end the wait.
 *   - BLOCK, UNBLOCK or a second EXIT after EXIT are ignored: destructors of a thread may still
 *     take locks after it said that it ended. CREATE and RUN begin a new life.
 */
struct tracked_task {
	struct wait wait;
	uint8_t state; /* enum task_state */
	bool created;  /* its CREATE was seen */
};

enum wait_end {
	WAIT_END_NONE,    /* this event ended no wait */
	WAIT_END_WOKEN,   /* by UNBLOCK */
	WAIT_END_EXIT,    /* the task ended or began anew while it waited */
	WAIT_END_MISSING, /* the event that ended it is not in the trace: no later than now */
};

/* What one event did. */
struct task_step {
	uint64_t time_ns;
	uint32_t task;
	bool appeared; /* it was absent or had exited; existing and begin_ns hold */
	bool existing; /* and its creation was not seen */
	bool again;    /* it had exited: the id is used again */
	bool adopted;  /* CREATE of a task that had appeared without one */
	bool opened;   /* it waits now, see tracked_task.wait */
	bool exited;
	uint64_t begin_ns;
	enum wait_end end;
	struct wait wait; /* the one that ended */
	uint32_t waker;
	uint8_t end_flags; /* of the UNBLOCK event */
};

struct task_tracker {
	struct tracked_task *tasks; /* indexed by task id */
	size_t capacity;
	uint32_t limit;      /* highest id seen + 1 */
	uint32_t highest;    /* events of tasks beyond are ignored */
	uint64_t now_ns;     /* time of the last event */
	bool missing_events; /* some were lost or damaged */
};

void task_tracker_init(struct task_tracker *tracker, struct trace_reader *reader);
void task_tracker_release(struct task_tracker *tracker);

/* Says what is known of a task before the first event. LO_NO_MEMORY. */
enum lo_result task_tracker_seed(struct task_tracker *tracker, uint32_t task,
		const struct tracked_task *state, struct lo_error *err);

/*
 * Takes the next event. `step` tells what it changed; step->task is TASK_NONE when the event names
 * a task that cannot be. LO_NO_MEMORY.
 */
enum lo_result task_tracker_step(struct task_tracker *tracker, const struct event *event,
		struct task_step *step, struct lo_error *err);

#endif
