#ifndef LOITER_BASE_PROGRESS_H
#define LOITER_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Long work tells how far it is and may be stopped. `step` is called now and then (not more often
 * than each few milliseconds of work) from the working thread; returning false asks the work to
 * stop, which it does with LO_CANCELLED, leaving everything as sound as before.
 * A NULL struct progress pointer, or a NULL step, means: nobody is interested.
 */
struct progress {
	bool (*step)(void *context, uint64_t done, uint64_t total);
	void *context;
};

static inline bool progress_step(const struct progress *progress, uint64_t done, uint64_t total)
{
	return !progress || !progress->step || progress->step(progress->context, done, total);
}

#endif
