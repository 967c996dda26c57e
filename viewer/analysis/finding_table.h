#ifndef LOITER_ANALYSIS_FINDING_TABLE_H
#define LOITER_ANALYSIS_FINDING_TABLE_H

#include "viewer/analysis/analysis.h"
#include "viewer/analysis/evidence.h"
#include "viewer/analysis/finding_list.h"

/*
 * All kinds of findings, the most severe first. A kind is a row here and a file with its rule:
 * `find` adds what it finds, the worst first. A row without `find` names a kind that only other
 * programs make so far.
 */
struct finding_row {
	const char *name; /* as in the report contract */
	uint8_t severity; /* 1..5, 5 worst */
	void (*find)(const struct evidence *evidence, struct finding_list *list);
};

/* Indexed by enum finding_kind. */
const struct finding_row *finding_row(enum finding_kind kind);

#endif
