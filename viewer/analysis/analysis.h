#ifndef LOITER_ANALYSIS_ANALYSIS_H
#define LOITER_ANALYSIS_ANALYSIS_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/base/progress.h"
#include "formats/model/event.h"
#include "formats/model/reason.h"
#include "formats/native/trace_reader.h"

/*
 * Everything a report says about a whole trace, computed in one pass over its events: totals, the
 * state of each task at the end, groups, findings. Pure functions of the reader: no printing.
 * Read-only once made, so several threads may look at it. Times in nanoseconds from the start.
 */
enum task_state {
	TASK_STATE_ABSENT,
	TASK_STATE_ACTIVE,
	TASK_STATE_BLOCKED,
	TASK_STATE_EXITED
};

/* An open or finished wait. */
struct wait {
	uint64_t since_ns;
	uint64_t object;
	uint32_t stack;
	uint32_t holder; /* task that held the object when the wait began; TASK_NONE = unknown */
	uint8_t reason;
	uint8_t object_kind;
	uint8_t flags; /* of the BLOCK event */
};

struct task_summary {
	uint64_t begin_ns; /* creation, or first event */
	uint64_t end_ns;   /* exit; UINT64_MAX = alive at the end */
	uint64_t blocked_ns;
	uint64_t longest_block_ns;
	uint32_t blocks;
	uint32_t creator;        /* TASK_NONE = unknown */
	uint32_t creation_stack; /* STACK_NONE = unknown */
	uint32_t last_waker;     /* of its last unblock */
	uint64_t last_wake_ns;
	struct wait wait; /* valid when state is BLOCKED */
	uint8_t state;    /* enum task_state, at the end of the trace */
	bool existing;    /* there before the trace, or its creation was not seen */
};

struct blocked_total {
	uint8_t reason;
	uint64_t blocks;
	uint64_t total_ns; /* open waits count up to the end of the trace */
	uint64_t max_ns;
	uint64_t still_blocked;
};

/* Tasks that wait at one place for one reason at the end of the trace. */
struct wait_group {
	uint8_t reason;
	uint32_t stack;  /* of the oldest member */
	uint32_t *tasks; /* ids, oldest wait first */
	uint32_t task_count;
	uint64_t since_ns;       /* of the oldest member */
	uint32_t creation_stack; /* of the oldest member, STACK_NONE when unknown */
	char *why;               /* one line: why it is parked; NULL when it is part of a finding */
};

enum finding_kind {
	FINDING_DEADLOCK,
	FINDING_STUCK,
	FINDING_GROWTH,
	FINDING_BURST,
	FINDING_CONVOY,
	FINDING_LONG_BLOCK,
	FINDING_LOSS,
	FINDING_KIND_COUNT,
};

/* "deadlock", "stuck", ... as in the report contract. */
const char *finding_kind_name(enum finding_kind kind);

/* One edge of a wait-for cycle: `task` waits for what `held_by` holds (or for its end). */
struct cycle_edge {
	uint32_t task;
	uint32_t held_by;
	struct wait wait;
};

/* A task that used to wake waiters at the place of a finding. */
struct expected_waker {
	uint32_t task;
	uint32_t wakes;
	uint64_t last_ns;
	uint8_t state; /* enum task_state, at the end */
};

/* A verdict with its evidence. Members that do not apply are zero, NULL or UINT64_MAX (until). */
struct finding {
	enum finding_kind kind;
	uint8_t severity; /* 1..5, 5 worst */
	char *summary;    /* one line for a person */
	char **why;       /* the rule and its numbers, one per line */
	uint32_t why_count;
	uint32_t *tasks; /* ids, oldest first */
	uint32_t task_count;
	uint64_t since_ns;
	uint64_t until_ns; /* UINT64_MAX = to the end of the trace */
	struct wait wait;  /* representative: the oldest member's (deadlock, stuck) */
	uint32_t creation_stack;
	struct cycle_edge *cycle;
	uint32_t cycle_count;
	struct expected_waker *wakers; /* most wakes first */
	uint32_t waker_count;
	struct {
		uint64_t created;
		double peak_rate_per_s;
		uint64_t peak_alive;
	} burst;
	struct {
		double share_of_blocked; /* of all blocked time of the trace, 0..1 */
		uint64_t waiters_peak;
	} convoy;
};

struct analysis {
	const struct trace_reader *reader;
	uint64_t duration_ns;
	uint64_t events[EVENT_KIND_COUNT];

	struct task_summary *tasks; /* indexed by task id; entry 0 unused */
	uint32_t task_limit;        /* highest id + 1 */

	uint64_t tasks_seen;
	uint64_t existing_at_start;
	uint64_t created;
	uint64_t exited;
	uint64_t alive_at_end;
	uint64_t unjudged; /* tasks in groups of which the trace does not tell whether they are
			      stuck */
	uint64_t peak_alive;
	uint64_t peak_alive_at_ns;
	uint64_t max_created_in_10ms;

	struct blocked_total *blocked; /* only reasons that occur, largest total first */
	uint32_t blocked_count;
	struct finding *findings; /* most severe first */
	uint32_t finding_count;
	struct wait_group *parked; /* most tasks first */
	uint32_t parked_count;

	uint64_t lost_total;
};

/* LO_CANCELLED when the callback asked to stop. Damage in the trace is not a failure. */
enum lo_result analysis_new(struct analysis **out, struct trace_reader *reader,
		const struct progress *progress, struct lo_error *err);
void analysis_free(struct analysis *analysis);

#endif
