#ifndef LOITER_MODEL_EVENT_H
#define LOITER_MODEL_EVENT_H

#include <stdint.h>

/*
 * One change of one task's state. Types only, no pointers, fixed size: this struct is what a task
 * of the traced program stores into its ring, what the writer takes and what a cursor returns.
 * Which members a kind uses is said once, in event_schema.c; unused members are zero.
 */
enum event_kind {
	EVENT_CREATE,  /* `task` came into being; `peer` made it, at `stack` */
	EVENT_RUN,     /* `task` runs for the first time, or was found already running */
	EVENT_BLOCK,   /* `task` waits for `object` because of `reason`, at `stack` */
	EVENT_UNBLOCK, /* `task` goes on; `peer` woke it */
	EVENT_EXIT,    /* `task` has ended */
	EVENT_KIND_COUNT,
};

#define TASK_NONE  0u /* no task, or not known which */
#define STACK_NONE 0u /* no stack was taken */

enum event_flag {
	/*
	 * RUN: the task was there before the recording, or began without a hook seeing it.
	 * CREATE: the same, but it is known who made it and where; not a creation at this time.
	 */
	EVENT_FLAG_EXISTING = 1 << 0,
	/* UNBLOCK: the wait ended by its time-out, nobody woke the task. */
	EVENT_FLAG_TIMED_OUT = 1 << 1,
	/* BLOCK: the wait has a time limit. */
	EVENT_FLAG_TIMED = 1 << 2,
	/*
	 * BLOCK on a condition: `peer` signalled it last, at a moment when nobody waited there.
	 * If nobody signals again, this is a lost wake-up.
	 */
	EVENT_FLAG_SIGNALLED_BEFORE = 1 << 3,
	/* The stack is cut at the depth limit or where no unwind data exists. */
	EVENT_FLAG_STACK_CUT = 1 << 4,
	/* UNBLOCK: the wait failed or was interrupted (EINTR, cancellation, EDEADLK). */
	EVENT_FLAG_INTERRUPTED = 1 << 5,
	/* In a ring only: `peer` is a kernel thread id; the recorder turns it into a task id. */
	EVENT_FLAG_PEER_IS_TID = 1 << 7,
};

struct event {
	uint64_t time_ns; /* from the first event of the trace; in a ring: clock ticks */
	uint64_t object;  /* value of the object, see object.h; RUN in a ring: kernel thread id */
	uint32_t task;    /* dense id from 1, never reused in a trace; in a ring: see ring.h */
	uint32_t peer;    /* CREATE: creator. BLOCK: holder of the object. UNBLOCK: waker */
	uint32_t stack;   /* id in the stack table */
	uint8_t kind;     /* enum event_kind */
	uint8_t reason;   /* enum wait_reason, or a number that the file named (reason.h) */
	uint8_t object_kind; /* enum object_kind */
	uint8_t flags;       /* enum event_flag */
};

_Static_assert(sizeof(struct event) == 32, "two events to a cache line; rings rely on it");

#endif
