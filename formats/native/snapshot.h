#ifndef LOITER_NATIVE_SNAPSHOT_H
#define LOITER_NATIVE_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/byte_buffer.h"
#include "formats/native/live_tasks.h"
#include "formats/native/reader_parts.h"
#include "formats/native/section_builder.h"

/*
 * A snapshot: the state of every task that is alive between two blocks, so that nobody has to
 * replay a trace from its start. For each task it has the state, the reason, and how far back in
 * the file the state began: since when exactly, at which stack and on which object is found in
 * that block, and would take four times the bytes.
 *
 * How often: the bytes of snapshots stay below a fiftieth of those of blocks. So what has to be
 * replayed from the nearest one is bounded by fifty times its size, whether there are ten tasks or
 * a million.
 */
#define SNAPSHOT_SHARE 50u

extern const struct section_builder_kind snapshot_builder_kind;

/*
 * Appends the raw bytes of a snapshot whose section will have the given sequence number, and tells
 * the least and the greatest id in it.
 */
void snapshot_encode(struct byte_buffer *raw, const struct live_tasks *tasks, uint32_t sequence,
		struct section_range *range);

struct snapshot_task {
	uint32_t task;
	uint32_t changed; /* sequence of the block in which its state began */
	uint8_t blocked;
	uint8_t reason; /* of this build, as in events */
};

/* Ids in [begin, end). */
struct id_run {
	uint32_t begin;
	uint32_t end;
};

/* One snapshot in memory. */
struct snapshot {
	uint32_t count;
	uint32_t unseen_count;
	uint32_t highest;             /* all ids beyond were never alive */
	struct id_run *unseen;        /* up to `highest`, never alive; ascending */
	struct snapshot_task tasks[]; /* ascending ids. Who is in neither list has exited */
};

extern const struct section_decoder snapshot_decoder;

/* NULL when the task is not alive. */
const struct snapshot_task *snapshot_find(const struct snapshot *snapshot, uint32_t task);

/* Was the task alive before, and has it exited? */
bool snapshot_has_exited(const struct snapshot *snapshot, uint32_t task);

#endif
