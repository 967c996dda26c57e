#ifndef LOITER_ANALYSIS_WAIT_HISTORY_H
#define LOITER_ANALYSIS_WAIT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/base/id_index.h"
#include "formats/native/trace_reader.h"
#include "viewer/analysis/crowd.h"
#include "viewer/analysis/task_tracker.h"
#include "viewer/analysis/wait_class.h"

/*
 * What went on before at the objects and at the places where tasks wait: how many waits ended, how
 * long they took, who ended them. A verdict on an open wait is a comparison with this.
 *
 * A *place* is a reason and a stack with direct recursion folded. An *object* is a lock, condition
 * and the like in one process; descriptors, tasks and sleeps have no record of their own. Object
 * beats place, because many locks share one line of code.
 *
 * Memory is bounded: beyond HISTORY_OBJECTS objects, HISTORY_PLACES places and HISTORY_WAKERS pairs
 * of record and waker, new ones are not kept. Who finds no record must not conclude anything.
 */
#define HISTORY_OBJECTS (1u << 17)
#define HISTORY_PLACES  (1u << 16)
#define HISTORY_WAKERS  (1u << 19)
#define HISTORY_NONE    0u

/* A record of a place has this plus the reason as its kind, one of an object the object kind. */
#define HISTORY_PLACE_KIND 0x100u

/*
 * The waits of a record are numbered in the order in which they began: their *turns*. A queue that
 * serves who came first ends them in that order. A passage is one that ended; kept are, newest
 * first, those whose turn is lower than that of all newer ones, for no other can be the last that
 * ended of those before a given turn.
 */
struct passage {
	uint64_t time_ns;
	uint64_t turn; /* 0 = no passage */
};
#define PASSAGES_KEPT 4

struct wait_record {
	uint64_t value;   /* object, or folded stack */
	uint32_t process; /* of an object */
	uint16_t kind;

	uint8_t reason;      /* of the first wait */
	bool wakers_missing; /* some did not fit, or nobody knows who woke */
	uint32_t stack;      /* of the longest wait that ended; until then of the first */

	uint64_t finished; /* waits that ended by a wake-up */
	uint64_t longest_ns;
	uint64_t last_finish_ns; /* 0 = none */
	uint64_t longest_gap_ns; /* between two finishes in a row */
	uint32_t timed_out;      /* waits that ended by their time-out */
	uint32_t first_waker;    /* list of struct waker, HISTORY_NONE ends it */

	uint32_t last_block_task; /* whose wait began last */
	uint32_t open;            /* waits that have not ended */
	uint32_t oldest;          /* task whose open wait has the lowest turn; see _settle() */
	uint64_t oldest_turn;
	uint64_t begun; /* waits so far, the turn of the last */
	struct passage passages[PASSAGES_KEPT];

	uint32_t holder; /* locks: seen by a waiter, or who got it last; TASK_NONE = unknown */
	uint64_t holder_seen_ns;
	struct crowd crowd; /* locks */
};

struct waker {
	uint32_t task;
	uint32_t record;
	uint32_t next;
	uint32_t wakes;
	uint64_t last_ns;
};

struct wait_history {
	struct trace_reader *reader;
	struct wait_classes classes;
	uint64_t duration_ns;
	uint64_t key[2]; /* nobody who makes a trace can know which records share a hash */

	struct wait_record *records; /* [0] unused */
	size_t record_capacity;
	uint32_t record_count;
	uint32_t object_count;
	struct id_index record_index;

	struct waker *wakers; /* [0] unused */
	size_t waker_capacity;
	uint32_t waker_count;
	struct id_index waker_index;

	uint64_t *folded; /* by stack id: what stands for it with direct recursion folded */
	uint32_t stack_count;

	struct open_records *open; /* by task id */
	size_t open_capacity;
};

enum lo_result wait_history_init(
		struct wait_history *history, struct trace_reader *reader, struct lo_error *err);
void wait_history_release(struct wait_history *history);

/* Takes note of one step. `task` is the state of its task after the step. */
enum lo_result wait_history_step(struct wait_history *history, const struct task_step *step,
		const struct tracked_task *task, struct lo_error *err);

/* After the last step, before the questions about the oldest wait of a record. */
void wait_history_settle(struct wait_history *history);

/* How many waits that began after the oldest open one are over. */
uint64_t wait_record_overtakers(const struct wait_record *record);
/* When a wait that had begun before the oldest open one ended last; 0 = none is known. */
uint64_t wait_record_last_ahead_ns(const struct wait_record *record);

/* The records of the open wait of a task; NULL when there is none. */
const struct wait_record *wait_history_object(const struct wait_history *history, uint32_t task);
const struct wait_record *wait_history_place(const struct wait_history *history, uint32_t task);

/* The next of a list of wakers, NULL at the end. Begin with record->first_waker. */
const struct waker *wait_history_waker(const struct wait_history *history, uint32_t id);

/* Two stacks are one place when these are equal. */
uint64_t wait_history_fold(const struct wait_history *history, uint32_t stack);

#endif
