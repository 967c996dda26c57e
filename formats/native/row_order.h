#ifndef LOITER_NATIVE_ROW_ORDER_H
#define LOITER_NATIVE_ROW_ORDER_H

#include <stdint.h>

#include "formats/base/error.h"
#include "formats/model/event.h"

/*
 * The order in which the values of a column stand.
 *
 * A task that blocked somewhere mostly blocks there again, and a wait at one place in the code has
 * mostly the same reason as the last one there. In the order of time these repetitions are torn
 * apart by what other tasks do in between; zstd then pays for every interruption. So a column may
 * stand in the order of another one that the reader has already: rows are dealt into buckets by a
 * number that both sides know, and the buckets follow one another. Within a bucket the order of
 * time remains. Two tasks that share a bucket by accident cost bytes, never correctness.
 *
 * Decoding needs no sorting: a first pass over the rows counts the buckets, which gives where each
 * begins; a second one takes each row's value from the front of its bucket.
 */
enum row_order {
	/* The high half of a column's encoding. The numbers are stored in files. */
	ORDER_TIME = 0x00,  /* one bucket */
	ORDER_KIND = 0x10,  /* kind */
	ORDER_TASK = 0x20,  /* task */
	ORDER_PLACE = 0x30, /* stack + kind */
};
#define ROW_ORDER_COUNT 4u
#define ROW_BUCKETS     8192u /* numbers are taken modulo this */

/* `order` is a constant wherever speed matters, so the switch vanishes. */
static inline uint32_t row_bucket(enum row_order order, const struct event *event)
{
	switch (order) {
	case ORDER_KIND:
		return event->kind;
	case ORDER_TASK:
		return event->task % ROW_BUCKETS;
	case ORDER_PLACE:
		return (event->stack + event->kind) % ROW_BUCKETS;
	default:
		return 0;
	}
}

/* From how many are in each bucket to where each begins. */
static inline void row_buckets_begin(uint32_t buckets[ROW_BUCKETS])
{
	uint32_t begin = 0;

	for (uint32_t i = 0; i < ROW_BUCKETS; i++) {
		uint32_t count = buckets[i];

		buckets[i] = begin;
		begin += count;
	}
}

/* For writers: the rows of a block in each order, made when first asked for. Zeroed is ready. */
struct row_sorter {
	const struct event *events;
	uint32_t rows;
	uint32_t capacity;
	uint32_t *sorted[ROW_ORDER_COUNT];
	uint32_t made; /* set of 1 << (order >> 4) */
	uint32_t buckets[ROW_BUCKETS];
};

enum lo_result row_sorter_start(struct row_sorter *sorter, const struct event *events,
		uint32_t rows, struct lo_error *err);
/* The numbers of all rows. */
const uint32_t *row_sorter_get(struct row_sorter *sorter, enum row_order order);
void row_sorter_release(struct row_sorter *sorter);

#endif
