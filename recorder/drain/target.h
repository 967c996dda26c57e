#ifndef LOITER_DRAIN_TARGET_H
#define LOITER_DRAIN_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/model/task.h"
#include "formats/native/trace_writer.h"
#include "recorder/ring/segment.h"

/*
 * One traced process, as the recorder sees it: the slot it took in the segment, copied with
 * suspicion, and what is translated from it once and for all: modules and stacks.
 *
 * A target lives from the first sight of a slot's generation until the slot is given to the next
 * process. The process may be long dead by then; its last records are still on their way.
 */
struct target_module {
	uint64_t begin;
	uint64_t end;
	uint64_t bias;
	uint64_t time; /* ticks */
	uint32_t id;   /* in the file; 0 = entry was not ready yet, or makes no sense */
};

struct target {
	struct process_slot *slot;
	uint32_t process; /* index of the slot */
	uint32_t generation;
	bool used;
	bool dead;  /* for certain */
	bool gone;  /* was so when it was taken up */
	bool ended; /* its tasks have been ended, or shall stay as they were */

	struct process_info info; /* as last written to the file */
	int pidfd;                /* -1: none */
	uint32_t name;            /* string id: what tasks without a name of their own are called */
	char program[512];        /* path of the executable, "" when nobody knows */

	struct target_module modules[SEGMENT_MODULES];
	uint32_t module_count; /* entries looked at, ready or not */
	uint32_t *stacks;      /* file's stack id + 1 by arena id; 0 = not translated yet */

	/* Addresses without module: one look into /proc/PID/maps for each page of them at most. */
	uint32_t maps_lookups;
	uint64_t unknown_page;
};

/*
 * The file has limits for each of its tables (formats/base/limits.h), and a program that names a
 * million threads, or is hostile, may reach one. That costs the row, not the recording.
 */
static inline enum lo_result unless_full(enum lo_result result)
{
	return result == LO_UNSUPPORTED ? LO_OK : result;
}

/* Marks a translated stack whose outer end is missing (STACK_WORD_FLAG_CUT). */
#define TARGET_STACK_CUT (1u << 31)

/*
 * Takes up the process that holds `slot` now. `parent` may be NULL; `program` is a path
 * to fall back on when the process has gone already, or NULL. Writes no row yet: `info` has no
 * begin time.
 */
enum lo_result target_init(struct target *target, struct process_slot *slot, uint32_t process,
		const struct target *parent, const char *program, struct trace_writer *writer,
		struct lo_error *err);
/* Accepts a zeroed target. */
void target_release(struct target *target);

/*
 * The file's id of a stack in the arena, perhaps with TARGET_STACK_CUT; STACK_NONE for an id that
 * cannot be one. `ticks` is the time of the event that brought it up.
 */
enum lo_result target_stack(struct target *target, uint32_t arena_id, uint64_t ticks,
		struct trace_writer *writer, uint32_t *stack, struct lo_error *err);

#endif
