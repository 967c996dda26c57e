#ifndef LOITER_DRAIN_TICK_MAP_H
#define LOITER_DRAIN_TICK_MAP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * From the ticks in records to nanoseconds of the monotonic clock, after the fact.
 *
 * While recording, both clocks are read together now and then: an anchor. Records are translated
 * only when an anchor later than they exists (the lateness bound sees to that), so every time is
 * interpolated between the two anchors around it and no frequency is ever guessed ahead. The map
 * is continuous and never decreases, whatever the clocks do to each other in between.
 *
 * Times must be asked for in non-decreasing order; anchors that lie behind are forgotten.
 */
#define TICK_MAP_ANCHORS 64u

struct tick_anchor {
	uint64_t ticks;
	uint64_t ns;
};

struct tick_map {
	struct tick_anchor anchors[TICK_MAP_ANCHORS]; /* a circle of `count` from `first` */
	uint32_t first;
	uint32_t count;
	uint64_t slope; /* ns per tick between the first two anchors, times 2^32 */
};

void tick_map_init(struct tick_map *map, struct tick_anchor start);

/*
 * False, and nothing changed, when a clock did not advance since the last anchor. When all places
 * are taken the newest anchor is moved forward instead.
 */
bool tick_map_add(struct tick_map *map, struct tick_anchor anchor);

/* Ticks before the first anchor count as it, ticks after the last as that one. */
uint64_t tick_map_ns(struct tick_map *map, uint64_t ticks);

/* The same for any time and without forgetting; as exact as the anchors that are left. */
uint64_t tick_map_peek_ns(const struct tick_map *map, uint64_t ticks);

struct tick_anchor tick_map_last(const struct tick_map *map);

#endif
