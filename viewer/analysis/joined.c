#include "viewer/analysis/joined.h"

/* The next in a walk over all that `joiner` made, its own children before those of the next. */
static uint32_t walk_next(const struct evidence *evidence, uint32_t joiner, uint32_t task)
{
	const struct lineage *lineage = &evidence->lineage;
	uint32_t child = lineage_first(lineage, task);

	if (child != TASK_NONE)
		return child;
	while (task != joiner && lineage_next(lineage, task) == TASK_NONE)
		task = evidence_task(evidence, task)->creator;
	return task == joiner ? TASK_NONE : lineage_next(lineage, task);
}

static bool is_alive(const struct evidence *evidence, uint32_t task)
{
	uint8_t state = evidence_task(evidence, task)->state;

	return (state == TASK_STATE_ACTIVE || state == TASK_STATE_BLOCKED) &&
	       !evidence_is_runtime(evidence, task);
}

struct joined joined_count(const struct evidence *evidence, uint32_t joiner)
{
	struct joined joined = { 0 };
	uint32_t task = joiner;

	for (uint32_t i = 0; i < JOINED_MOST; i++) {
		const struct task_summary *summary;
		bool ended;

		task = walk_next(evidence, joiner, task);
		if (task == TASK_NONE)
			return joined;
		summary = evidence_task(evidence, task);
		ended = summary->state == TASK_STATE_EXITED;
		joined.alive += is_alive(evidence, task);
		joined.made += summary->creator == joiner;
		joined.ended += summary->creator == joiner && ended;
		if (ended && joined.last_exit_ns < summary->end_ns)
			joined.last_exit_ns = summary->end_ns;
	}
	joined.alive++;
	return joined;
}

bool joined_has(const struct evidence *evidence, uint32_t joiner, joined_test *test)
{
	uint32_t task = joiner;

	for (uint32_t i = 0; i < JOINED_MOST; i++) {
		task = walk_next(evidence, joiner, task);
		if (task == TASK_NONE)
			return false;
		if (is_alive(evidence, task) && test(evidence, task))
			return true;
	}
	return true;
}
