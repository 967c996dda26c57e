#ifndef LOITER_ANALYSIS_CONVOY_H
#define LOITER_ANALYSIS_CONVOY_H

#include "viewer/analysis/evidence.h"
#include "viewer/analysis/finding_list.h"

/*
 * Locks on which two or more tasks wait for at least half of the trace although everything moves.
 * One finding for each top user function, for its most crowded lock.
 */
void convoy_find(const struct evidence *evidence, struct finding_list *list);

#endif
