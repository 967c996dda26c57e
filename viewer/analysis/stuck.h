#ifndef LOITER_ANALYSIS_STUCK_H
#define LOITER_ANALYSIS_STUCK_H

#include "viewer/analysis/evidence.h"
#include "viewer/analysis/finding_list.h"

/*
 * Tasks that are blocked at the end, that nobody can be expected to let go on, and that are in no
 * cycle themselves: one finding for each reason and top user function. Causes come before what only
 * waits behind them; among equals the certain ones, then the one that began first.
 */
void stuck_find(const struct evidence *evidence, struct finding_list *list);

#endif
