#ifndef LOITER_ANALYSIS_ALIVE_CURVE_H
#define LOITER_ANALYSIS_ALIVE_CURVE_H

#include <stddef.h>
#include <stdint.h>

#include "formats/base/error.h"

/* How many tasks are alive over time. A task is alive from its begin up to, not at, its end. */
struct alive_curve {
	uint64_t *begins; /* sorted */
	uint64_t *ends;   /* sorted */
	uint32_t *after;  /* alive right after each begin */
	uint32_t *peaks;  /* highest of each ALIVE_FAN of them */
	size_t count;
};
#define ALIVE_FAN 64u

void alive_curve_release(struct alive_curve *curve);

/* Room for `most` tasks, none in it. */
enum lo_result alive_curve_init(struct alive_curve *curve, size_t most, struct lo_error *err);
void alive_curve_add(struct alive_curve *curve, uint64_t begin, uint64_t end);
/* After the last one was added. */
void alive_curve_seal(struct alive_curve *curve);

/* The highest number within [begin, end). O(log tasks + tasks begun in it / ALIVE_FAN). */
uint32_t alive_curve_peak(const struct alive_curve *curve, uint64_t begin, uint64_t end);

#endif
