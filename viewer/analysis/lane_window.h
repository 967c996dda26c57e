#ifndef LOITER_ANALYSIS_LANE_WINDOW_H
#define LOITER_ANALYSIS_LANE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "viewer/analysis/lane.h"
#include "viewer/analysis/lane_index.h"

/*
 * A part of the trace that is read again because the index has bundles there: every wait one by
 * one. Its bounds are bounds of bins, where the index knows the state of every task. A task that
 * has no event in it has no bundle in it either, so the lane of the index is exact there.
 */
struct lane_window {
	struct tick_span span;    /* empty = nothing was read yet */
	struct tick_span refused; /* the last span that had too many events */
	struct lane *lanes;       /* by task id */
	bool *has_events;         /* by task id */
	uint32_t limit;
};

/* More events than this are not read while somebody waits for a screen: some 50 ms. */
#define LANE_WINDOW_EVENTS (1u << 19)

enum lo_result lane_window_new(struct lane_window **out, uint32_t limit, struct lo_error *err);
void lane_window_free(struct lane_window *window);

/*
 * The lane of a task, exact within `span`: reads that part of the trace when the window is
 * elsewhere. NULL when it has more than `events_most` events, or cannot be read, and for tasks
 * whose id was used again.
 */
const struct lane *lane_window_lane(const struct lane_index *index, uint32_t task,
		struct tick_span span, uint64_t events_most);

#endif
