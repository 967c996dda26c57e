#ifndef LOITER_ANALYSIS_PARKED_H
#define LOITER_ANALYSIS_PARKED_H

#include "viewer/analysis/evidence.h"

/*
 * Who is blocked at the end and in no finding: groups of one place, one reason and one kind of
 * outlook, each with the sentence why it is parked. Fills analysis->parked, most tasks first.
 */
enum lo_result parked_collect(const struct evidence *evidence, struct lo_error *err);

#endif
