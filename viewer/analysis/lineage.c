#include "viewer/analysis/lineage.h"

#include <stdlib.h>

/* A strict order, so that a hostile file cannot make a circle of creators. */
static bool came_before(const struct analysis *analysis, uint32_t a, uint32_t b)
{
	uint64_t begin_a = analysis->tasks[a].begin_ns;
	uint64_t begin_b = analysis->tasks[b].begin_ns;

	return begin_a != begin_b ? begin_a < begin_b : a < b;
}

enum lo_result lineage_init(
		struct lineage *lineage, const struct analysis *analysis, struct lo_error *err)
{
	uint32_t limit = analysis->task_limit;

	*lineage = (struct lineage){
		.first = calloc(limit, sizeof(*lineage->first)),
		.next = calloc(limit, sizeof(*lineage->next)),
		.limit = limit,
	};
	if (!lineage->first || !lineage->next)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks", limit);
	/* From the last one down, since each is put in front of those that are there. */
	for (uint32_t task = limit; task-- > 1;) {
		uint32_t creator = analysis->tasks[task].creator;

		if (creator == TASK_NONE || creator >= limit ||
				!came_before(analysis, creator, task))
			continue;
		lineage->next[task] = lineage->first[creator];
		lineage->first[creator] = task;
	}
	return LO_OK;
}

void lineage_release(struct lineage *lineage)
{
	free(lineage->first);
	free(lineage->next);
	*lineage = (struct lineage){ 0 };
}
