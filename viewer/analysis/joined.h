#ifndef LOITER_ANALYSIS_JOINED_H
#define LOITER_ANALYSIS_JOINED_H

#include <stdbool.h>
#include <stdint.h>

#include "viewer/analysis/evidence.h"

/*
 * Whom a task may wait for that waits for the end of others without naming them, as on a wait group
 * of Go: those that it made, and those that these made in turn, since who was handed the work may
 * have handed it on.
 */
struct joined {
	uint32_t made;  /* by the joiner itself */
	uint32_t ended; /* of these */
	uint32_t alive; /* of these and of those that they made, and so on */
	uint64_t last_exit_ns;
};

/* So many are looked at; a joiner that has more is not judged: `alive` is then above 0. */
#define JOINED_MOST 100000u

struct joined joined_count(const struct evidence *evidence, uint32_t joiner);

/* Is there one that is alive and passes? Also true when there are too many to look at. */
typedef bool joined_test(const struct evidence *evidence, uint32_t task);
bool joined_has(const struct evidence *evidence, uint32_t joiner, joined_test *test);

#endif
