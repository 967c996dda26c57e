#ifndef LOITER_TESTS_GENERATOR_TRUTH_H
#define LOITER_TESTS_GENERATOR_TRUTH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "formats/base/error.h"
#include "formats/model/event.h"
#include "formats/model/reason.h"

/*
 * What is true of a made-up trace, noted by the simulation while it happens and never read back
 * from the trace. Its size does not depend on the number of events.
 */
#define TRUTH_BINS_MOST    8192u
#define TRUTH_INSTANTS     40u
#define TRUTH_SAMPLES      24u /* tasks at each instant */
#define TRUTH_GROUPS_MOST  256u
#define TRUTH_CYCLE_MOST   8u
#define TRUTH_LISTED_TASKS 100u

enum truth_state {
	TRUTH_CREATED, /* has not run so far */
	TRUTH_ACTIVE,
	TRUTH_BLOCKED,
	TRUTH_EXITED,
};

struct truth_wait {
	uint64_t blocks;
	uint64_t total_ns;
	uint64_t max_ns;
	uint64_t still_blocked;
};

/* A task at an instant. */
struct truth_sample {
	uint32_t task;
	uint8_t state; /* enum truth_state */
	uint8_t reason;
	uint64_t since_ns; /* of the wait */
	char where[56];    /* user function that waits */
};

/* After all events up to and including `time_ns`. */
struct truth_instant {
	uint64_t time_ns;
	uint64_t events;
	uint64_t created; /* by CREATE events so far */
	uint32_t alive;
	uint32_t blocked;
	uint32_t sample_count;
	struct truth_sample samples[TRUTH_SAMPLES];
};

/* Tasks that are blocked at the end for the same reason in the same function. */
struct truth_group {
	uint8_t reason;
	uint32_t tasks;
	uint64_t since_ns; /* the oldest */
	char leaf[56];
	char where[56];
};

struct truth_cycle_member {
	uint32_t task;
	uint32_t holder; /* of what it waits for */
	uint64_t since_ns;
	uint64_t object;
	uint8_t object_kind;
	char where[56];
};

/* Tasks that were planted. */
struct truth_plant {
	uint32_t tasks;
	uint64_t first_ns;
	uint64_t last_ns;
	uint32_t listed;
	uint32_t task_ids[TRUTH_LISTED_TASKS];
	char made_at[56];
};

struct truth {
	const char *profile;
	uint64_t seed;
	uint64_t events[EVENT_KIND_COUNT];
	uint64_t total;
	uint32_t existing;
	uint32_t alive;
	uint32_t blocked;
	uint32_t peak_alive;
	uint64_t peak_alive_at_ns;
	uint64_t end_ns;

	struct truth_wait waits[REASON_COUNT];

	/* Creations by time, in bins that become twice as wide when there are too many. */
	uint64_t bin_ns;
	uint32_t bins[TRUTH_BINS_MOST];

	/* The most creations in a window: times of those that are in it now, as a ring. */
	uint64_t *window;
	uint32_t window_capacity; /* a power of two */
	uint32_t window_first;
	uint32_t window_count;
	uint32_t window_most;

	struct truth_instant instants[TRUTH_INSTANTS];
	uint32_t instant_count;
	struct truth_group groups[TRUTH_GROUPS_MOST];
	uint32_t group_count;
	struct truth_cycle_member cycle[TRUTH_CYCLE_MOST];
	uint32_t cycle_length;
	struct truth_plant burst;
	struct truth_plant leaks; /* those that got stuck */
};

void truth_init(struct truth *truth, const char *profile, uint64_t seed);
void truth_release(struct truth *truth);

/* Notes an event that has just happened. `waited_ns` is of an UNBLOCK. LO_NO_MEMORY. */
enum lo_result truth_event(struct truth *truth, const struct event *event, uint8_t waited_for,
		uint64_t waited_ns, struct lo_error *err);

void truth_plant_add(struct truth_plant *plant, uint32_t task, uint64_t time_ns);
/* One task more that is blocked at the end. False: too many groups. */
bool truth_still_blocked(struct truth *truth, uint8_t reason, uint64_t since_ns, const char *leaf,
		const char *where);

/* As one JSON document. */
void truth_print(const struct truth *truth, FILE *out);

#endif
