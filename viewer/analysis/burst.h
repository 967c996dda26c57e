#ifndef LOITER_ANALYSIS_BURST_H
#define LOITER_ANALYSIS_BURST_H

#include "viewer/analysis/evidence.h"
#include "viewer/analysis/finding_list.h"

/*
 * Very many tasks created close together, once. What repeats is a schedule and what goes on all the
 * time is load; some hundreds from one place are the start of a pool. At most one finding.
 */
void burst_find(const struct evidence *evidence, struct finding_list *list);

#endif
