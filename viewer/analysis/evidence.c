#include "viewer/analysis/evidence.h"

#include "viewer/analysis/task_end.h"
#include "viewer/analysis/thresholds.h"

static const struct task_summary nobody = { .end_ns = UINT64_MAX };

const struct task_summary *evidence_task(const struct evidence *evidence, uint32_t task)
{
	return task < evidence->analysis->task_limit ? &evidence->analysis->tasks[task] : &nobody;
}

bool evidence_is_blocked(const struct evidence *evidence, uint32_t task)
{
	return evidence_task(evidence, task)->state == TASK_STATE_BLOCKED;
}

bool evidence_is_runtime(const struct evidence *evidence, uint32_t task)
{
	struct task_info info;

	return trace_reader_task(evidence->reader, task, &info) && info.flags & TASK_FLAG_RUNTIME;
}

enum wait_class evidence_class(const struct evidence *evidence, const struct wait *wait)
{
	return wait_class_of(&evidence->history.classes, wait->reason, wait->stack);
}

const struct process_info *evidence_process(const struct evidence *evidence, uint32_t task)
{
	struct task_info info;

	return trace_reader_task(evidence->reader, task, &info)
			       ? trace_reader_process(evidence->reader, info.process)
			       : NULL;
}

uint64_t evidence_end_ns(const struct evidence *evidence, uint32_t task)
{
	return task_end_ns(evidence->reader, task, evidence->analysis->duration_ns);
}

uint64_t evidence_age_ns(const struct evidence *evidence, uint32_t task)
{
	uint64_t since_ns = evidence_task(evidence, task)->wait.since_ns;
	uint64_t end_ns = evidence_end_ns(evidence, task);

	return end_ns > since_ns ? end_ns - since_ns : 0;
}

bool evidence_is_gone(const struct evidence *evidence, uint32_t task)
{
	const struct task_summary *summary = evidence_task(evidence, task);
	uint64_t end_ns = evidence_end_ns(evidence, task);

	return summary->state == TASK_STATE_EXITED && end_ns >= summary->end_ns &&
	       end_ns - summary->end_ns >= HARD_MOST_NS;
}

const struct wait_record *evidence_record(const struct evidence *evidence, uint32_t task)
{
	const struct wait_record *object = wait_history_object(&evidence->history, task);

	if (object && object->finished > 0)
		return object;
	return wait_history_place(&evidence->history, task);
}

uint32_t evidence_holder(const struct evidence *evidence, uint32_t task, uint64_t *seen_ns)
{
	const struct wait *wait = &evidence_task(evidence, task)->wait;
	const struct wait_record *object = wait_history_object(&evidence->history, task);

	*seen_ns = wait->since_ns;
	if (!object || object->holder_seen_ns <= wait->since_ns)
		return wait->holder;
	*seen_ns = object->holder_seen_ns;
	return object->holder;
}

uint64_t evidence_least_hard_ns(const struct evidence *evidence)
{
	uint64_t part_ns = evidence->analysis->duration_ns / HARD_TRACE_PART;

	if (part_ns < HARD_LEAST_NS)
		return HARD_LEAST_NS;
	return part_ns < HARD_MOST_NS ? part_ns : HARD_MOST_NS;
}

uint64_t evidence_hard_ns(const struct evidence *evidence, const struct wait_record *record)
{
	return record->finished ? evidence_least_hard_ns(evidence) : HARD_MOST_NS;
}

bool evidence_outlasts(const struct evidence *evidence, uint32_t task)
{
	const struct wait_record *record = evidence_record(evidence, task);
	uint64_t age_ns = evidence_age_ns(evidence, task);

	return record && age_ns >= evidence_hard_ns(evidence, record) &&
	       age_ns / HARD_TIMES_LONGEST >= record->longest_ns;
}
