#ifndef LOITER_NATIVE_TILE_H
#define LOITER_NATIVE_TILE_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/base/limits.h"
#include "formats/native/layout.h"

/*
 * A tile is a picture of a stretch of the trace in at most TILE_BINS bins of time: what is needed
 * to draw it without its events.
 *
 * Bins are 2^shift ns wide and begin at multiples of that, so that a bin of a higher level is made
 * of whole bins of the level below, and what is added up is exact on every level; only the first
 * and the last bin are cut, by the borders of the tile. Tiles of level 0 cover one large block or
 * some small ones, those above cover TILE_FAN tiles of the level below.
 *
 * A picture has not all rows: it has the busiest tasks, as many as its share of the file allows.
 * Who had an event in the tile and has no row is not known any more, except by `touched`: a task
 * that is not in there did nothing, and stayed in the state that it was in.
 *
 * A share is one of sixteen codes. 0 and 15 mean exactly nothing and exactly all; the fourteen
 * others divide what lies between, so that the shortest wait still shows, and an error is at most
 * 1/28 of a bin.
 */
#define TILE_FAN 8u

/* Who lives for fewer bins than this, within one tile, has no row of its own. */
#define TILE_LIFE_BINS 5u

/* Bins of time. Zeroed is empty. */
struct tile_grid {
	uint64_t begin_ns;
	uint64_t end_ns; /* the last bin takes events at end_ns too */
	uint64_t first;  /* begin_ns >> shift */
	uint8_t shift;
	uint8_t bins; /* at least 1 */
};

/* As fine as TILE_BINS bins allow. */
struct tile_grid tile_grid_over(uint64_t begin_ns, uint64_t end_ns);

/* Times outside fall into the outermost bins. */
static inline uint32_t tile_grid_bin(const struct tile_grid *grid, uint64_t time_ns)
{
	uint64_t bin = (time_ns >> grid->shift) - grid->first;

	return bin < grid->bins ? (uint32_t)bin : grid->bins - 1u;
}

static inline uint64_t tile_bin_begin(const struct tile_grid *grid, uint32_t bin)
{
	return bin == 0 ? grid->begin_ns : (grid->first + bin) << grid->shift;
}

static inline uint64_t tile_bin_end(const struct tile_grid *grid, uint32_t bin)
{
	return bin + 1u == grid->bins ? grid->end_ns : (grid->first + bin + 1) << grid->shift;
}

/* Counts of one bin. */
struct tile_bin {
	uint64_t events;
	uint64_t created;
	uint32_t alive; /* the most at one time */
	uint32_t blocked;
};

/* One task in one bin. */
struct tile_cell {
	uint8_t share;   /* code: time blocked, of the time that it was alive in the bin */
	uint8_t changes; /* of its state, up to TILE_CHANGES_MAX */
	uint8_t reason;  /* of the longest wait, when the share is not 0 */
};

struct tile_row {
	uint32_t task;
	uint32_t changes;  /* of its state, saturating: what rows are chosen by */
	uint64_t birth_ns; /* when `start` is TILE_ABSENT; too early by 1/256 of a bin at most */
	uint64_t death_ns; /* when `end` is TILE_ABSENT; too late by as much */
	uint8_t start;     /* enum tile_state at the begin of the tile */
	uint8_t end;
	uint8_t start_reason; /* when blocked */
	uint8_t end_reason;
	struct tile_cell cells[TILE_BINS];
};

/* All tasks that were created at one stack. STACK_NONE: where is not known. */
struct tile_site {
	uint32_t stack;
	uint32_t created[TILE_BINS];
	uint8_t alive[TILE_BINS]; /* on average over the bin */
	uint8_t share[TILE_BINS]; /* code: blocked, of the time they were alive */
};

/* All tasks that wait at one stack. */
struct tile_place {
	uint32_t stack;
	uint8_t reason;             /* of a wait there */
	uint8_t waiting[TILE_BINS]; /* on average over the bin */
};

struct tile {
	struct tile_grid grid;
	uint32_t task_min; /* of all events; both 0 without any */
	uint32_t task_max;
	uint8_t touched[TILE_TOUCHED_BITS / 8]; /* bit id % TILE_TOUCHED_BITS: had events */
	struct tile_bin bins[TILE_BINS];

	struct tile_row *rows; /* by task id */
	uint32_t row_count;
	struct tile_site *sites; /* by stack id */
	uint32_t site_count;
	struct tile_place *places; /* by stack id */
	uint32_t place_count;
	bool sites_left_out; /* for want of room */
	bool places_left_out;
};

void tile_release(struct tile *tile);

/* NULL when there is none. */
const struct tile_row *tile_find_row(const struct tile *tile, uint32_t task);

/* False: the task had no event in this tile. True: it may have had some. */
static inline bool tile_may_touch(const struct tile *tile, uint32_t task)
{
	uint32_t bit = task % TILE_TOUCHED_BITS;

	return task >= tile->task_min && task <= tile->task_max &&
	       (tile->touched[bit / 8] >> bit % 8 & 1);
}

static inline void tile_touch(struct tile *tile, uint32_t task)
{
	uint32_t bit = task % TILE_TOUCHED_BITS;

	tile->touched[bit / 8] |= (uint8_t)(1u << bit % 8);
	if (tile->task_max < task)
		tile->task_max = task;
	if (tile->task_min == 0 || tile->task_min > task)
		tile->task_min = task;
}

/* The code of part / whole. A whole of 0 is `part`: nothing or all. */
uint8_t tile_share_code(uint64_t part, uint64_t whole);

/* What a code stands for, in 1/28 of the whole; off by at most 1 unless it is 0 or 28. */
static inline unsigned tile_share_28(uint8_t code)
{
	return code == 0 ? 0 : code >= TILE_SHARE_ALL ? 28 : 2u * code - 1;
}

/*
 * A number of tasks with three binary digits behind the first, so off by 1/16 or by 1/100 task at
 * most: 0, or (8 + code % 8) << code / 8 in 1/1024 of a task. What is not 0 never becomes 0.
 */
uint8_t tile_amount(uint64_t task_ns, uint64_t width_ns);
static inline double tile_amount_value(uint8_t code)
{
	return code == 0 ? 0 : (double)((uint64_t)(8 + code % 8) << code / 8) / 1024;
}

#endif
