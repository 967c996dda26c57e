#ifndef LOITER_ANALYSIS_LINEAGE_H
#define LOITER_ANALYSIS_LINEAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "viewer/analysis/analysis.h"

/*
 * Who made whom, from the creators down: the children of a task in order of their ids, which is
 * that of their creation.
 */
struct lineage {
	uint32_t *first; /* child by task id, TASK_NONE = has none */
	uint32_t *next;  /* sibling by task id, TASK_NONE = the last */
	uint32_t limit;
};

/* LO_NO_MEMORY. Zeroed is empty and may be released. */
enum lo_result lineage_init(
		struct lineage *lineage, const struct analysis *analysis, struct lo_error *err);
void lineage_release(struct lineage *lineage);

static inline uint32_t lineage_first(const struct lineage *lineage, uint32_t task)
{
	return task < lineage->limit ? lineage->first[task] : TASK_NONE;
}

static inline uint32_t lineage_next(const struct lineage *lineage, uint32_t task)
{
	return task < lineage->limit ? lineage->next[task] : TASK_NONE;
}

#endif
