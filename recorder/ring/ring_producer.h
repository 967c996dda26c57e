#ifndef LOITER_RING_RING_PRODUCER_H
#define LOITER_RING_RING_PRODUCER_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/ring/ring.h"
#include "recorder/ring/segment.h"

/*
 * The traced thread's end of one ring. Storage is the thread's own; all zero bytes: no ring.
 *
 * Nothing here waits, allocates, takes a lock or sets errno. A signal handler of the same thread
 * must not get in between: the caller refuses it (thread.h).
 */
struct ring_producer {
	struct ring *ring;
	struct segment_header *header; /* whom to wake */
	uint64_t last_ticks;           /* time of the newest record (R7) */
};

/*
 * The rings as one process sees them: mapped in groups, each when it is first needed, so that a
 * program with a dozen threads has no address space taken for thousands. A group stays mapped.
 */
#define RING_GROUP  16u
#define RING_GROUPS (SEGMENT_RINGS / RING_GROUP)
_Static_assert(SEGMENT_RINGS % RING_GROUP == 0, "groups are whole");

struct ring_space {
	struct segment_header *header;
	struct ring *_Atomic groups[RING_GROUPS]; /* NULL: not mapped yet */
	/* Maps a group, or returns NULL; the same one when several threads ask at once. */
	struct ring *(*map_group)(uint32_t group);
};

/* Who takes a ring; copied into it (R8). */
struct ring_owner {
	uint32_t process;
	uint32_t generation;
	uint32_t task;
	uint32_t tid;
};

/*
 * Slots that a record must leave free, so that a full ring never tears a story apart: whoever said
 * BLOCK can say UNBLOCK, and whoever runs can say EXIT. What may be lost is a whole wait, or a
 * record that stands alone.
 */
enum ring_spare {
	RING_SPARE_EXIT = 0,    /* for EXIT itself, the last record there is */
	RING_SPARE_UNBLOCK = 1, /* leaves room for EXIT */
	RING_SPARE_OTHER = 2,   /* leaves room for the UNBLOCK of an open wait, and EXIT */
};

#define RING_NONE SEGMENT_RINGS /* no index */

/*
 * Looks for a free ring, beginning where one was seen last. Returns its index; RING_NONE: there is
 * none. Costs tens of nanoseconds usually, and a look at each ring when most of them are taken.
 */
uint32_t ring_producer_take(struct ring_producer *producer, struct ring_space *space,
		const struct ring_owner *owner);

/*
 * The ring is full: leaves it to the drain, and goes on in another one with the same owner; pending
 * is idle. Records keep their order, as the first one in the new ring is later than the last one in
 * the old. Only the first RINGS_FOR_MORE rings are taken for that, which bounds the memory that a
 * recorder without a CPU costs; RING_NONE: they are all taken, and nothing has changed.
 */
#define RINGS_FOR_MORE 512u /* 32 MiB: half a million records */
uint32_t ring_producer_move(struct ring_producer *producer, struct ring_space *space,
		const struct ring_owner *owner);

/* After the last record, pending idle. The drain frees the ring when it has read everything. */
void ring_producer_close(struct ring_producer *producer);

/*
 * Publishes one record. A time older than the one before is raised to it (R7). False: there was
 * no room for it and `spare` more. ring_producer_push() counts it as lost then.
 */
bool ring_producer_try_push(
		struct ring_producer *producer, const struct event *event, enum ring_spare spare);
bool ring_producer_push(
		struct ring_producer *producer, const struct event *event, enum ring_spare spare);

/*
 * Arms the pending event (P1). False: there would be no room for its end; nothing was done or
 * counted. Until disarmed nothing may be pushed.
 */
bool ring_producer_arm(struct ring_producer *producer, const struct event *event);

/* Back to IDLE. True: the drain has taken the event (P4). False: nobody knows of it (P2). */
bool ring_producer_disarm(struct ring_producer *producer);

/* Counts `records` that were not pushed because of `cause`. */
void ring_producer_count_lost(
		struct ring_producer *producer, enum ring_loss cause, uint32_t records);

#endif
