#ifndef LOITER_SHIM_SHIM_H
#define LOITER_SHIM_SHIM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/ring/clock.h"
#include "recorder/ring/ring_producer.h"
#include "recorder/ring/segment.h"
#include "recorder/shim/stack_capture.h"

/*
 * This process as seen by the shim.
 *
 * The traced program is sacred: it is never changed in what it does, never crashed, never made to
 * wait. Whatever goes wrong in here turns the recording off without a word, and from then on every
 * hook costs one or two loads and a jump.
 */
enum shim_state {
	SHIM_OFF,      /* before the constructor, or for good */
	SHIM_ATTACHED, /* there is a segment, and this process (or its parent) has a slot in it */
};

struct shim {
	enum shim_state state;
	enum segment_clock clock;
	struct segment_header *header;
	struct process_slot *slot;
	uint32_t slot_index;
	uint32_t slot_generation;
	struct ring_space rings;
	struct stack_memo *_Atomic memos[RING_GROUPS]; /* one for each ring of the group */
};

extern struct shim shim;

/*
 * A page that the kernel fills with zeros in every child (MADV_WIPEONFORK), so that a child notices
 * that it is one whichever way it was made, at the price of the load that asks whether the
 * recording is on. A child of vfork() shares its parent's memory: it acts as the parent's thread,
 * which sleeps until the child is gone.
 */
union shim_page {
	struct {
		_Atomic uint32_t live;    /* 1: this process records */
		_Atomic uint32_t claimed; /* 1: a thread of a new child is looking after it */
	} is;
	char bytes[4096];
};

extern union shim_page shim_page;

/* Called when the page says no: true if this is a new child that goes on recording. */
bool shim_revive(void);

/* Is this process recording? Every hook asks first. */
static inline bool shim_is_live(void)
{
	if (__builtin_expect(
			    atomic_load_explicit(&shim_page.is.live, memory_order_relaxed) != 0, 1))
		return true;
	return shim.state != SHIM_OFF && shim_revive();
}

/* Does the recorder want more? */
static inline bool shim_is_wanted(void)
{
	return atomic_load_explicit(&shim.header->recording, memory_order_relaxed) != 0;
}

/* The memo that goes with a ring; NULL: no memory. */
struct stack_memo *shim_memo(uint32_t ring);

/* From now on an end in order is noted in the process's slot. False: it cannot be. */
bool shim_watch_exit(void);

/* Nothing more is recorded in this process. */
void shim_turn_off(void);

/* Memory of ours, of whole pages, becomes zeros in a child. */
bool shim_wipe_on_fork(void *memory, size_t size);

static inline uint64_t shim_ticks(void)
{
	return clock_ticks(shim.clock);
}

#endif
