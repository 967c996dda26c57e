#ifndef LOITER_ANALYSIS_DEPENDENCE_H
#define LOITER_ANALYSIS_DEPENDENCE_H

#include "formats/base/error.h"
#include "viewer/analysis/evidence.h"
#include "viewer/analysis/outlook.h"

/*
 * What each open wait is and by whom it depends, taken for itself: fills kind, on, certain and the
 * first can_move of evidence->outlooks. The rules and their numbers are here; what follows from
 * them for others is outlook.c.
 */
enum lo_result dependence_judge(const struct evidence *evidence, struct lo_error *err);

#endif
