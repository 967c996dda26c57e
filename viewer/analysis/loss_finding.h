#ifndef LOITER_ANALYSIS_LOSS_FINDING_H
#define LOITER_ANALYSIS_LOSS_FINDING_H

#include "viewer/analysis/evidence.h"
#include "viewer/analysis/finding_list.h"

/* That events are missing: how many, when, why. At most one finding. */
void loss_find(const struct evidence *evidence, struct finding_list *list);

#endif
