#ifndef LOITER_NATIVE_TILE_PASS_H
#define LOITER_NATIVE_TILE_PASS_H

#include <stdint.h>

#include "formats/base/error.h"
#include "formats/native/live_tasks.h"
#include "formats/native/section_builder.h"
#include "formats/native/tile_sums.h"

/*
 * Goes over the events of one block and adds up the sums of a tile. It comes after live_tasks has
 * counted the events of each task, so that only the busiest get rows: a block of 32,768 events can
 * be about 27,000 tasks, and to add up a row for each would cost twenty times as much.
 */
struct tile_pass {
	/* Of every stack, how many tasks that were created there are alive and blocked, and how
	 * many wait there. */
	struct stack_use {
		uint32_t alive;
		uint32_t blocked;
		uint32_t waiting;
		uint32_t site; /* in this block, + 1 */
		uint32_t place;
		uint32_t listed; /* position in `used` + 1 */
		uint8_t reason;
	} * stacks;
	uint32_t stack_limit;
	uint32_t *used; /* stacks with one of the three, or a site or place in this block */
	uint32_t used_count;
	uint32_t used_capacity;

	uint32_t alive; /* of all tasks, now */
	uint32_t blocked;

	/* Of this block. */
	struct pass_task *tasks; /* as live_tasks_touched() */
	uint32_t task_capacity;
	struct pass_group *sites; /* what changes with the begin of a bin, TILE_SUMS_GROUPS */
	struct pass_group *places;
};

void tile_pass_release(struct tile_pass *pass);

/* `wanted` has ids under id_hash(id, 0). */
bool tile_pass_wants(const struct id_index *wanted, uint32_t task);

/*
 * Fills `sums`, which must be clear. A touched task of `wanted` gets a row whatever it does (up to
 * TILE_SUMS_ROWS); others when they are among the busiest `fresh`. LO_NO_MEMORY.
 */
enum lo_result tile_pass_run(struct tile_pass *pass, const struct sealed_block *block,
		const struct id_index *wanted, uint32_t fresh, struct tile_sums *sums,
		struct lo_error *err);

#endif
