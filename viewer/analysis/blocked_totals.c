#include "viewer/analysis/blocked_totals.h"

#include <stdlib.h>

void blocked_totals_add(struct blocked_totals *totals, uint8_t reason, uint64_t waited_ns,
		bool still_blocked)
{
	struct blocked_total *total = &totals->by_reason[reason];

	total->reason = reason;
	total->blocks++;
	total->total_ns += waited_ns;
	if (total->max_ns < waited_ns)
		total->max_ns = waited_ns;
	total->still_blocked += still_blocked;
}

static int larger_total_first(const void *left, const void *right)
{
	const struct blocked_total *a = left;
	const struct blocked_total *b = right;

	if (a->total_ns != b->total_ns)
		return a->total_ns > b->total_ns ? -1 : 1;
	return a->reason < b->reason ? -1 : a->reason > b->reason;
}

enum lo_result blocked_totals_list(const struct blocked_totals *totals, struct analysis *analysis,
		struct lo_error *err)
{
	uint32_t count = 0;

	analysis->blocked = calloc(REASON_LIMIT, sizeof(*analysis->blocked));
	if (!analysis->blocked)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for blocked totals");
	for (unsigned reason = 0; reason < REASON_LIMIT; reason++)
		if (totals->by_reason[reason].blocks > 0)
			analysis->blocked[count++] = totals->by_reason[reason];
	qsort(analysis->blocked, count, sizeof(*analysis->blocked), larger_total_first);
	analysis->blocked_count = count;
	return LO_OK;
}
