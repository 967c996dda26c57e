#ifndef LOITER_ANALYSIS_CREATIONS_H
#define LOITER_ANALYSIS_CREATIONS_H

#include <stddef.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/model/time_span.h"

/* All CREATE events of a trace in their order: when, and which task. */
struct creation {
	uint64_t time_ns;
	uint32_t task;
};

struct creations {
	struct creation *items;
	size_t capacity;
	size_t count;
};

void creations_release(struct creations *creations);

/* Times must not decrease. */
enum lo_result creations_add(
		struct creations *creations, uint64_t time_ns, uint32_t task, struct lo_error *err);

/*
 * Position and size of the window [t, t + length_ns) with the most creations, the first of equals.
 * `outside` is left out: no window that touches it counts; an empty span leaves out nothing.
 */
struct creation_window {
	size_t first; /* index of the first creation in it */
	size_t count;
};
struct creation_window creations_best_window(
		const struct creations *creations, uint64_t length_ns, struct time_span outside);

#endif
