#ifndef LOITER_DRAIN_DRAIN_H
#define LOITER_DRAIN_DRAIN_H

#include <stdint.h>

#include "formats/base/error.h"
#include "recorder/drain/harvest.h"
#include "recorder/drain/tick_clock.h"
#include "recorder/ring/segment.h"

/*
 * Empties the rings of a segment, in a thread of its own.
 *
 * The thread looks at all rings every DRAIN_INTERVAL_NS, or at once when a traced thread has half
 * filled its ring, and copies what it finds. It never waits for the encoder: when the encoder's
 * memory is used up, records stay in their rings until there is room or the rings overflow, which
 * their owners count.
 *
 * Hostile memory: nothing read from the segment steers more than the look at one ring. The work
 * of a pass is bounded by the size of the segment, the number of passes by time.
 */
#define DRAIN_INTERVAL_NS     20000000ull
#define DRAIN_INTERVAL_MAX_NS 100000000ull
#define DRAIN_LATENESS_NS     50000000ull

struct drain_options {
	const struct segment_owner *segment; /* must outlive the drain */
	struct tick_clock clock;
	uint64_t lateness_ticks; /* how old a pending event is when it is taken */
	uint64_t wait_ticks;     /* shortest wait that counts, at the end of the recording */
	int wake_fd;             /* eventfd, written when the encoder should look before its time */
};

struct drain;

enum lo_result drain_new(
		struct drain **out, const struct drain_options *options, struct lo_error *err);
/* Accepts NULL. Ends the thread if it runs. Runs that were not given back are gone. */
void drain_free(struct drain *drain);

enum lo_result drain_start(struct drain *drain, struct lo_error *err);

/*
 * Asks the thread to look once more, to take what is pending, and to end. Returns at once; the
 * harvest is complete when one with `finished` was taken.
 */
void drain_stop(struct drain *drain);

/* After the finished harvest: the thread is gone, the process has one thread less. */
void drain_join(struct drain *drain);

/* One look at all rings, by the thread or, when none was started, by the caller. Returns the
 * number of records copied. */
uint64_t drain_pass(struct drain *drain, bool final);

/* Moves everything that was copied so far behind `into`. Any thread. */
void drain_take(struct drain *drain, struct harvest *into);
void drain_run_done(struct drain *drain, struct run *run);

/*
 * The process in slot `process` with this generation is dead, for certain: its rings can be
 * given to others, what was pending in them is taken. Any thread.
 */
void drain_process_died(struct drain *drain, uint32_t process, uint32_t generation);

#endif
