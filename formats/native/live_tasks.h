#ifndef LOITER_NATIVE_LIVE_TASKS_H
#define LOITER_NATIVE_LIVE_TASKS_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/model/event.h"

/*
 * The state of every task that is alive, while blocks of events go by: kept once for all that
 * builds sections of an index (section_builder.h), and by readers that go on from a snapshot.
 *
 * A task takes 52 bytes while it is alive. What has exited is dropped, apart from one bit for each
 * id: destructors of a thread may still take locks after it said that it ended, and BLOCK, UNBLOCK
 * and a second EXIT after EXIT mean nothing. CREATE and RUN begin a new life. The other rules are
 * those of every reader of events, see docs/format.md:
 *   - any event of a task that is not there makes it appear; by all but BLOCK it becomes active;
 *   - BLOCK begins a wait, also in the middle of another one;
 *   - RUN and UNBLOCK end a wait, and change nothing when there is none;
 *   - CREATE of a task that is there changes nothing but who made it.
 */
enum live_state {
	LIVE_ABSENT,
	LIVE_ACTIVE,
	LIVE_BLOCKED,
	LIVE_EXITED, /* in this block; dropped with its end */
};

struct live_task {
	uint64_t birth_ns; /* its first event */
	uint64_t since_ns; /* when its state began */
	uint32_t task;
	uint32_t born;           /* sequence of the block with its first event */
	uint32_t changed;        /* sequence of the block in which its state began */
	uint32_t creation_stack; /* STACK_NONE: not known */
	uint32_t wait_stack;     /* of the wait, if blocked */
	uint32_t touch;          /* position in the list of this block's tasks + 1, or 0 */
	uint8_t state;           /* enum live_state */
	uint8_t reason;          /* of the wait, if blocked */
	uint8_t existing;        /* its creation was not seen */
	uint8_t again;           /* it had exited before */
	uint8_t seeded;          /* no event has changed its state since live_tasks_seed() */
};

/*
 * The rules: what an event makes of its task, in the block of the given sequence number. True when
 * a state began. A zeroed task is absent.
 */
bool live_task_step(struct live_task *task, const struct event *event, uint32_t sequence);

/* A task with events in the present block, in order of their appearance. */
struct touched_task {
	uint32_t task;
	uint32_t slot; /* of live_tasks_at(); valid until the next block */
	uint32_t rows; /* its events in this block */
	uint32_t first_row;
	struct live_task before; /* at the begin of the block; state LIVE_ABSENT: not there */
};

/* A life that ended in the present block. */
struct ended_life {
	uint64_t birth_ns;
	uint64_t death_ns;
	uint32_t task;
	uint32_t creation_stack;
	uint32_t born; /* sequence of the block with its first event */
	uint8_t existing;
};

struct live_tasks;

enum lo_result live_tasks_new(struct live_tasks **out, struct lo_error *err);
/* Accepts NULL. */
void live_tasks_free(struct live_tasks *tasks);

/*
 * Goes over the events of the next block, whose section has the given sequence number. What the
 * functions below tell about "this block" holds until the next call. LO_NO_MEMORY. Events of a task
 * beyond LIMIT_TASKS are an error of the caller.
 */
enum lo_result live_tasks_advance(struct live_tasks *tasks, const struct event *events,
		uint32_t rows, uint32_t sequence, struct lo_error *err);

/*
 * For a start in the middle: a task as it was before the first block. Its birth and the time since
 * when it is in its state are not known, and 0. LO_NO_MEMORY.
 */
enum lo_result live_tasks_seed(struct live_tasks *tasks, uint32_t task, enum live_state state,
		uint8_t reason, uint32_t changed, struct lo_error *err);
/* The same for a task that exited before. */
enum lo_result live_tasks_seed_exited(
		struct live_tasks *tasks, uint32_t task, struct lo_error *err);
/* Was it ever alive? */
bool live_tasks_have_seen(const struct live_tasks *tasks, uint32_t task);

uint32_t live_tasks_count(const struct live_tasks *tasks);

/* NULL when it is not alive. */
const struct live_task *live_tasks_find(const struct live_tasks *tasks, uint32_t task);

/* The living task with the least id above `task`; NULL when there is none. Starts with 0. */
const struct live_task *live_tasks_next(const struct live_tasks *tasks, uint32_t task);

/* Of a touched task, at the end of this block; its state may be LIVE_EXITED. */
const struct live_task *live_tasks_at(const struct live_tasks *tasks, uint32_t slot);

/* The tasks with events in this block, and for each of its rows the position in that list. */
const struct touched_task *live_tasks_touched(const struct live_tasks *tasks, uint32_t *count);
const uint32_t *live_tasks_touched_by_row(const struct live_tasks *tasks);

/* In order of time. */
const struct ended_life *live_tasks_ended(const struct live_tasks *tasks, uint32_t *count);

/* The highest id that was ever alive. */
uint32_t live_tasks_highest(const struct live_tasks *tasks);

/*
 * The first stretch of ids, from `from` up to the highest, that were never alive: it begins at the
 * result and ends before *end. 0 when there is none.
 */
uint32_t live_tasks_unseen(const struct live_tasks *tasks, uint32_t from, uint32_t *end);

#endif
