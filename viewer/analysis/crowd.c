#include "viewer/analysis/crowd.h"

void crowd_advance(struct crowd *crowd, uint64_t time_ns)
{
	uint64_t passed_ns = time_ns > crowd->changed_ns ? time_ns - crowd->changed_ns : 0;

	crowd->waited_ns += passed_ns * crowd->waiting;
	if (crowd->waiting >= 2)
		crowd->crowded_ns += passed_ns;
	crowd->changed_ns += passed_ns;
}

void crowd_enter(struct crowd *crowd, uint64_t time_ns)
{
	crowd_advance(crowd, time_ns);
	crowd->waiting++;
	if (crowd->waiting == 2 && crowd->peak < 2)
		crowd->began_ns = time_ns;
	if (crowd->peak < crowd->waiting)
		crowd->peak = crowd->waiting;
}

void crowd_leave(struct crowd *crowd, uint64_t time_ns, unsigned tenth)
{
	crowd_advance(crowd, time_ns);
	if (crowd->waiting > 0)
		crowd->waiting--;
	crowd->tenths |= (uint16_t)(1u << tenth);
}
