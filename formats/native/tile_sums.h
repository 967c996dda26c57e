#ifndef LOITER_NATIVE_TILE_SUMS_H
#define LOITER_NATIVE_TILE_SUMS_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/base/id_index.h"
#include "formats/native/live_tasks.h"
#include "formats/native/tile.h"

/*
 * What is added up while a tile is open: the same things as in a tile, but exact, in nanoseconds.
 * Sums of a stretch of time can be added to those of the time before it, which is how the tiles of
 * all levels come from those of single blocks.
 *
 * A task has a row only if each of its events in the tile was added up. So it must have been chosen
 * before its first one; a task that did nothing in the tile so far can still be taken in, since its
 * state was the same all the time.
 */
struct row_sums {
	uint32_t task;
	uint32_t changes;
	uint32_t since; /* sequence of the block in which the state at the begin of the tile began
			 */
	uint8_t start;  /* enum tile_state */
	uint8_t end;
	uint8_t start_reason;
	uint8_t end_reason;
	bool broken; /* some events are missing, or it had two lives */
	bool born;   /* in this tile, at birth_ns */
	bool died;
	uint8_t run_bin;
	uint8_t run_reason;
	uint64_t run_ns; /* blocked without a break up to the end of what was added, in run_bin */
	uint64_t birth_ns;
	uint64_t death_ns;
	struct {
		uint64_t blocked_ns;
		uint64_t longest_ns;
		uint8_t reason;
		uint8_t changes;
	} bins[TILE_BINS];
};

struct site_sums {
	uint32_t stack;
	uint32_t created[TILE_BINS];
	uint64_t alive_ns[TILE_BINS]; /* of all tasks together */
	uint64_t blocked_ns[TILE_BINS];
};

struct place_sums {
	uint32_t stack;
	uint8_t reason;
	uint64_t waiting_ns[TILE_BINS];
};

/* Rows and groups that are added up at once: some 4 MB for each level. */
#define TILE_SUMS_ROWS   2048u
#define TILE_SUMS_GROUPS 512u

struct tile_sums {
	struct tile_grid grid;
	bool open;
	uint32_t children;
	uint32_t blocks;
	uint32_t first_sequence; /* of its first block */
	uint64_t events;
	uint64_t event_bytes; /* that its blocks take in the file */

	struct tile counts; /* only what is known of all tasks: bins, touched, task_min and max */
	struct row_sums *rows;
	uint32_t row_count;
	struct id_index row_index; /* by task */
	struct site_sums *sites;
	uint32_t site_count;
	struct id_index site_index; /* by stack */
	struct place_sums *places;
	uint32_t place_count;
	struct id_index place_index;
	bool sites_left_out;
	bool places_left_out;
	bool failed; /* for want of memory: what was added since is not complete */
};

/* Zeroed is ready; nothing is allocated before the first row. */
void tile_sums_release(struct tile_sums *sums);
/* Closed and empty, keeps its memory. */
void tile_sums_clear(struct tile_sums *sums);

/* Rows by their ids. NULL when there is none. */
struct row_sums *tile_sums_row(const struct tile_sums *sums, uint32_t id);

/* A new and zeroed row. NULL when there are `limit` rows already, or without memory: `failed`. */
struct row_sums *tile_sums_add_row(struct tile_sums *sums, uint32_t task, uint32_t limit);
struct site_sums *tile_sums_site(struct tile_sums *sums, uint32_t stack);
struct place_sums *tile_sums_place(struct tile_sums *sums, uint32_t stack);

/* A wait within the grid; what is outside is cut off. */
void row_sums_add_wait(struct row_sums *row, const struct tile_grid *grid, uint64_t begin_ns,
		uint64_t end_ns, uint8_t reason);
void row_sums_add_change(struct row_sums *row, const struct tile_grid *grid, uint64_t time_ns);

/*
 * Adds what comes next. `next` ends now, and `tasks` tells how every task is now. At most `limit`
 * rows are kept.
 */
void tile_sums_append(struct tile_sums *sums, const struct tile_sums *next,
		const struct live_tasks *tasks, uint32_t limit);

#endif
