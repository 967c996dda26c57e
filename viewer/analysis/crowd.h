#ifndef LOITER_ANALYSIS_CROWD_H
#define LOITER_ANALYSIS_CROWD_H

#include <stdint.h>

/* How many tasks wait at one lock, summed up over time. Zeroed = nobody waited so far. */
#define CROWD_TENTHS 10u

struct crowd {
	uint32_t waiting; /* at `changed_ns` and since */
	uint32_t peak;
	uint64_t changed_ns;
	uint64_t began_ns;   /* when two waited for the first time */
	uint64_t crowded_ns; /* time with two or more waiting, up to changed_ns */
	uint64_t waited_ns;  /* sum of the waiting times of all, up to changed_ns */
	uint16_t tenths;     /* set of tenths of the trace in which a wait ended */
};

void crowd_enter(struct crowd *crowd, uint64_t time_ns);
/* `tenth` is below CROWD_TENTHS. */
void crowd_leave(struct crowd *crowd, uint64_t time_ns, unsigned tenth);
/* Brings the sums up to `time_ns`. */
void crowd_advance(struct crowd *crowd, uint64_t time_ns);

#endif
