#ifndef LOITER_DRAIN_MERGE_H
#define LOITER_DRAIN_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/drain/harvest.h"
#include "recorder/ring/segment.h"

/*
 * Many rings to one stream in the order of time.
 *
 * Within a ring order is given (R7); between rings it is the merge's business. A record is let
 * out when it is older than the watermark, which trails the drain by the lateness bound: the time
 * a thread may take from reading the clock to publishing the record. What comes later than that
 * (the thread was stopped in between) can no longer be put in its place: it is let out with the
 * time of the record before it, and counted.
 */
struct merge_queue {
	struct run *first;
	struct run *last;
	uint32_t next; /* record in `first` */
	uint64_t time; /* ticks of the last record that came out: R7 holds from here on */
};

struct merge_entry {
	uint64_t time; /* of the next record in the queue */
	uint32_t ring;
};

struct merge {
	struct merge_queue queues[SEGMENT_RINGS];
	struct merge_entry heap[SEGMENT_RINGS]; /* rings with records, the earliest at 0 */
	uint32_t heap_count;
	uint32_t runs_of_process[SEGMENT_PROCESSES]; /* not consumed yet */
	uint64_t time;                               /* ticks of the last record let out */
	uint64_t late;                               /* records that came too late */
	uint64_t latest;                             /* by how many ticks at most */
};

/* No record is earlier than `start` (ticks). */
void merge_init(struct merge *merge, uint64_t start);

/* Takes over a run, whose owner and ring are in range. */
void merge_push(struct merge *merge, struct run *run);

/*
 * The next record at or before `watermark`, with its time put right; false when there is none.
 * `*run` says whose it is. When it was the run's last record, `*spent` is true and the run is the
 * caller's again.
 */
bool merge_pop(struct merge *merge, uint64_t watermark, struct event *event, struct run **run,
		bool *spent);

/* Time has gone on to `ticks` for everybody: what is earlier counts as late from now on. */
void merge_advance(struct merge *merge, uint64_t ticks);

static inline bool merge_is_empty(const struct merge *merge)
{
	return merge->heap_count == 0;
}

/* Would merge_pop() find a record? */
static inline bool merge_is_due(const struct merge *merge, uint64_t watermark)
{
	return merge->heap_count > 0 && merge->heap[0].time <= watermark;
}

#endif
