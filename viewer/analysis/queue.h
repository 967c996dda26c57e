#ifndef LOITER_ANALYSIS_QUEUE_H
#define LOITER_ANALYSIS_QUEUE_H

#include <stdint.h>

#include "formats/base/error.h"
#include "viewer/analysis/evidence.h"

/*
 * Waits with work in hand of which nobody knows who could end them: senders, and locks of a source
 * that does not tell holders (Go). What can be told is how the others at the same place fare, and
 * whether somebody may be at work with what they wait for.
 *
 * Who waits longest is judged; what holds for it holds for all behind it that wait long enough.
 */
enum queue_state {
	QUEUE_YOUNG,     /* nobody waits long enough to say */
	QUEUE_MOVES,     /* those who came before it went on, and not long ago */
	QUEUE_AT_WORK,   /* `by` is at one thing since before it began to wait */
	QUEUE_OVERTAKEN, /* many who came later went on: its like is served, it is not */
	QUEUE_STANDS,    /* nothing moves, and nobody is at work */
};

struct queue {
	uint32_t by;   /* of QUEUE_AT_WORK */
	uint8_t state; /* enum queue_state */
};

/* The queues at all records of the history, by record number. Zeroed may be released. */
struct queues {
	struct queue *of_record;
	struct occupied *occupied; /* who is at one thing, by start function */
	uint32_t occupied_count;
};

enum lo_result queues_init(
		struct queues *queues, const struct evidence *evidence, struct lo_error *err);
void queues_release(struct queues *queues);

/* The queue in which a task waits; judged when it is asked for first. */
struct queue queues_of(const struct queues *queues, const struct evidence *evidence, uint32_t task);

#endif
