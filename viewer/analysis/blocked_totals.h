#ifndef LOITER_ANALYSIS_BLOCKED_TOTALS_H
#define LOITER_ANALYSIS_BLOCKED_TOTALS_H

#include <stdint.h>

#include "formats/base/error.h"
#include "formats/model/reason.h"
#include "viewer/analysis/analysis.h"

/* Blocked time by reason. Zeroed is empty. */
struct blocked_totals {
	struct blocked_total by_reason[REASON_LIMIT];
};

void blocked_totals_add(struct blocked_totals *totals, uint8_t reason, uint64_t waited_ns,
		bool still_blocked);

/* The rows of reasons that occurred, largest total first, into analysis->blocked. */
enum lo_result blocked_totals_list(const struct blocked_totals *totals, struct analysis *analysis,
		struct lo_error *err);

#endif
