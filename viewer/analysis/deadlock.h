#ifndef LOITER_ANALYSIS_DEADLOCK_H
#define LOITER_ANALYSIS_DEADLOCK_H

#include "viewer/analysis/evidence.h"
#include "viewer/analysis/finding_list.h"

/*
 * Cycles in the wait-for graph at the end of the trace: each task waits for a lock that the next
 * one holds, or for its end. A task that waits for what it holds itself is a cycle of one. Not
 * counted: waits with a time limit, and cycles that nobody watched for long enough to be sure that
 * the holders seen are still the holders (dependence.c).
 */
void deadlock_find(const struct evidence *evidence, struct finding_list *list);

#endif
