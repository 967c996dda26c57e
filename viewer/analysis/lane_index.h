#ifndef LOITER_ANALYSIS_LANE_INDEX_H
#define LOITER_ANALYSIS_LANE_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "viewer/analysis/alive_curve.h"
#include "viewer/analysis/lane.h"
#include "viewer/analysis/lane_query.h"

/* Waits kept one by one, 64 MiB of them: more are bundled. 6.7 million events fit exactly. */
#define LANE_INDEX_WAITS ((64u << 20) / sizeof(struct lane_wait))

/*
 * One lane per task, and who was alive when. Asking changes only `window`, so one thread at a time
 * may ask.
 */
struct lane_index {
	struct trace_reader *reader;
	const struct analysis *analysis;
	unsigned shift;     /* ticks are 2^shift ns */
	uint64_t bin;       /* of the bundles, in ticks; 0 = there are none */
	struct lane *lanes; /* by task id */
	uint32_t limit;     /* highest id + 1 */
	uint64_t wait_count;
	uint64_t waits_most;
	uint64_t window_events; /* more are not read again to answer a query */
	struct alive_curve alive;
	struct lane_window *window; /* see lane_window.h */
};

/* As lane_index_new() with another number of waits to keep. */
enum lo_result lane_index_new_small(struct lane_index **out, struct trace_reader *reader,
		const struct analysis *analysis, uint64_t waits_most,
		const struct progress *progress, struct lo_error *err);

static inline uint64_t lane_ticks(const struct lane_index *index, uint64_t time_ns)
{
	uint64_t ticks = time_ns >> index->shift;

	return ticks >> LANE_TICK_BITS ? ((uint64_t)1 << LANE_TICK_BITS) - 1 : ticks;
}

/* From when to when a task is there, in ticks: after its process ended it is not. */
struct tick_span lane_life(const struct lane_index *index, uint32_t task);

#endif
