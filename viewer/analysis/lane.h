#ifndef LOITER_ANALYSIS_LANE_H
#define LOITER_ANALYSIS_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "viewer/analysis/lane_query.h"

/*
 * The waits of one task in the order of time, 20 bytes each, with sums over 16, 256, ... of them,
 * so that a column with a million waits costs as little as one with ten.
 *
 * Times are in *ticks* of 2^shift nanoseconds, so that they fit 48 bits; the shift is 0 for traces
 * of up to three days. When memory gets short, waits that lie close together become one *bundle*: a
 * stretch of time of which is known how much was blocked, the reason of the longest wait in it, and
 * how often the state changed, but not when exactly. A bundle never crosses a multiple of the bin
 * it was made with, and begins and ends with a wait.
 */
#define LANE_TICK_BITS 48

struct lane_wait {
	uint32_t begin_low;
	uint32_t end_low;
	uint16_t begin_high;
	uint16_t end_high;
	uint16_t blocked; /* share of the stretch, LANE_WHOLE = all */
	uint16_t longest; /* share of the longest wait */
	uint8_t reason;   /* of the longest wait */
	uint8_t changes;  /* state changes, saturating; 2 for a single wait */
};
#define LANE_WHOLE 0xffffu

struct lane {
	struct lane_wait *waits;
	size_t capacity;
	struct lane_sum *sums; /* all levels one behind the other, see lane.c */
	uint32_t count;
	bool again; /* the task lived more than once: an id was used again */
};

/* Half open, in ticks. */
struct tick_span {
	uint64_t begin;
	uint64_t end;
};

void lane_release(struct lane *lane);

struct tick_span lane_wait_span(const struct lane_wait *wait);
bool lane_wait_is_bundle(const struct lane_wait *wait);

/* Behind all others; `span` must not begin before the end of the last. */
enum lo_result lane_append(
		struct lane *lane, struct tick_span span, uint8_t reason, struct lo_error *err);

/* Bundles waits that lie in one bin of `bin` ticks. Only before lane_seal(). */
void lane_bundle(struct lane *lane, uint64_t bin);

/* Gives back spare room and makes the sums: needed before the questions below. */
enum lo_result lane_seal(struct lane *lane, struct lo_error *err);

/* Index of the first wait that ends after `tick`; count when there is none. */
uint32_t lane_find(const struct lane *lane, uint64_t tick);

/* What the waits say about one column. */
struct lane_column {
	uint64_t blocked;   /* ticks */
	uint64_t uncertain; /* of these, at most so many too many, or as many too few */
	uint64_t longest;   /* ticks of the longest wait within the column */
	uint8_t reason;
	uint8_t changes;
};
struct lane_column lane_column_at(const struct lane *lane, struct tick_span column);

#endif
