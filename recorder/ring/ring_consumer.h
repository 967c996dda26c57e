#ifndef LOITER_RING_RING_CONSUMER_H
#define LOITER_RING_RING_CONSUMER_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/ring/ring.h"

/*
 * The drain's end of one ring, written as if the other end were an enemy (R6): the traced program
 * may be broken enough to scribble over the segment, and then the worst that may happen is a loss.
 *
 *   C1  `tail` here is the truth; the shared one is only ever stored. A traced program that
 *       overwrites it hurts nobody but itself.
 *   C2  Between `tail` and the head that was read lie at most RING_CAPACITY records, or the ring
 *       is damaged: then everything in it is skipped and the consumer goes on from that head.
 *   C3  A record is looked at only in the private copy.
 */
struct ring_consumer {
	struct ring *ring;
	uint64_t tail;
	uint64_t lost_seen[RING_LOSS_COUNT];
};

/* What one look at the ring found; taken in an order that makes the parts fit together. */
struct ring_view {
	uint64_t head;
	uint64_t pending_word;
	uint32_t state;   /* any number */
	uint32_t records; /* that wait to be copied, at most RING_CAPACITY */
	bool damaged;     /* C2: the records were skipped, nobody knows how many they were */
};

/* Starts at the head the ring has now: 0 for a new segment. */
void ring_consumer_init(struct ring_consumer *consumer, struct ring *ring);

/*
 * State first, pending word second, head last. So a ring seen CLOSED has no record behind `head`,
 * and an event seen ARMED comes after every record before `head` (the owner publishes nothing
 * while it is armed).
 */
struct ring_view ring_consumer_look(struct ring_consumer *consumer);

/* Copies the oldest `count` records, at most view->records, and gives their slots back (R4). */
void ring_consumer_copy(struct ring_consumer *consumer, uint32_t count, struct event *out);

/*
 * Copies the pending event of the view if there is one that began at or before `limit`. The copy
 * is worth nothing until ring_consumer_take_pending() has returned true.
 */
bool ring_consumer_peek_pending(const struct ring_consumer *consumer, const struct ring_view *view,
		uint64_t limit, struct event *out);

/*
 * P3: from now on the pending event of the view is a published record, and what was peeked at
 * is a true copy of it. False when the owner was faster. Call it when all records of the view
 * were copied.
 */
bool ring_consumer_take_pending(const struct ring_consumer *consumer, const struct ring_view *view);

/* Records lost since the last call, by enum ring_loss. A counter that went backwards gives 0. */
void ring_consumer_lost(struct ring_consumer *consumer, uint64_t lost[RING_LOSS_COUNT]);

/* CLOSED -> FREE: the next thread may have it. The caller has copied everything. */
void ring_consumer_free(struct ring_consumer *consumer);

#endif
