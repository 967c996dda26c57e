#ifndef LOITER_MODEL_COUNTER_H
#define LOITER_MODEL_COUNTER_H

#include <stdint.h>

/*
 * A quantity that a source measures now and then: bytes of a heap, a number of processors. What
 * can be counted from the events themselves (tasks alive, blocked) is no counter.
 *
 * A counter is known by its name, its unit and its process; values are whole numbers of the unit.
 */
struct counter_key {
	uint32_t name;    /* string id: "heap" */
	uint32_t unit;    /* string id: "bytes"; 0 = plain number */
	uint32_t process; /* index of a process_info; 0 = of the whole trace */
};

/* What is known of a counter over a stretch of time; one sample is the smallest stretch. */
struct counter_cell {
	uint64_t samples; /* 0: nothing is known, and the rest is 0 */
	uint64_t first_ns;
	uint64_t last_ns;
	uint64_t first;
	uint64_t last;
	uint64_t least;
	uint64_t greatest;
};

/* Names that are used by several sources, so that they mean the same everywhere. */
#define COUNTER_RESIDENT   "resident" /* memory of the process that is in use, by the system */
#define COUNTER_HEAP       "heap"
#define COUNTER_HEAP_GOAL  "heap goal" /* at this size the next garbage collection begins */
#define COUNTER_GOMAXPROCS "GOMAXPROCS"
#define COUNTER_BYTES      "bytes"

#endif
