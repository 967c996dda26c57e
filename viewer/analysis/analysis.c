#include "viewer/analysis/analysis.h"

#include <stdlib.h>
#include <string.h>

#include "viewer/analysis/array.h"
#include "viewer/analysis/blocked_totals.h"
#include "viewer/analysis/evidence.h"
#include "viewer/analysis/finding_list.h"
#include "viewer/analysis/finding_table.h"
#include "viewer/analysis/outlook.h"
#include "viewer/analysis/parked.h"
#include "viewer/analysis/replay.h"

#define CREATION_WINDOW_NS 10000000ull /* of max_created_in_10ms */

/* What the one pass over the events fills. */
struct pass {
	struct analysis *analysis;
	struct evidence evidence;
	struct task_tracker tracker;
	struct blocked_totals totals;
	size_t task_capacity;
	uint64_t alive;
};

static enum lo_result make_room(struct pass *pass, uint32_t task, struct lo_error *err)
{
	struct analysis *analysis = pass->analysis;
	struct task_summary *tasks;

	if (task < analysis->task_limit)
		return LO_OK;
	tasks = array_grow(analysis->tasks, &pass->task_capacity, (size_t)task + 1, sizeof(*tasks));
	if (!tasks)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks", task);
	analysis->tasks = tasks;
	analysis->task_limit = task + 1;
	return LO_OK;
}

static void note_peak(struct pass *pass, uint64_t time_ns)
{
	if (pass->alive <= pass->analysis->peak_alive)
		return;
	pass->analysis->peak_alive = pass->alive;
	pass->analysis->peak_alive_at_ns = time_ns;
}

static void note_appearance(
		struct pass *pass, const struct task_step *step, struct task_summary *task)
{
	/* Should an id be used again, its lives count as one that has pauses. */
	if (!step->again) {
		pass->analysis->tasks_seen++;
		task->begin_ns = step->begin_ns;
	}
	task->end_ns = UINT64_MAX;
	task->existing = step->existing;
	pass->analysis->existing_at_start += step->existing;
	pass->alive++;
	/* It was there all the time, so all the sums so far were short by one, the peak too. */
	if (step->begin_ns < step->time_ns && pass->analysis->peak_alive > 0)
		pass->analysis->peak_alive++;
	else
		note_peak(pass, step->begin_ns);
}

static enum lo_result note_creation(struct pass *pass, const struct event *event,
		const struct task_step *step, struct task_summary *task, struct lo_error *err)
{
	task->creator = event->peer;
	task->creation_stack = event->stack;
	if (event->flags & EVENT_FLAG_EXISTING) /* made at some time before: no creation */
		return LO_OK;
	pass->analysis->created++;
	if (step->adopted && task->existing) {
		task->existing = false;
		pass->analysis->existing_at_start--;
	}
	return creations_add(&pass->evidence.creations, step->time_ns, step->task, err);
}

static void note_wait(struct pass *pass, const struct task_step *step, struct task_summary *task)
{
	uint64_t waited_ns = step->time_ns - step->wait.since_ns;

	task->blocks++;
	task->blocked_ns += waited_ns;
	if (task->longest_block_ns < waited_ns)
		task->longest_block_ns = waited_ns;
	blocked_totals_add(&pass->totals, step->wait.reason, waited_ns, false);
}

static void note_exit(struct pass *pass, const struct task_step *step, struct task_summary *task)
{
	task->end_ns = step->time_ns;
	pass->analysis->exited++;
	pass->alive--;
}

static enum lo_result visit(void *context, const struct event *event, const struct task_step *step,
		struct lo_error *err)
{
	struct pass *pass = context;
	struct task_summary *task;
	enum lo_result result;

	if (event->kind < EVENT_KIND_COUNT)
		pass->analysis->events[event->kind]++;
	if (step->task == TASK_NONE)
		return LO_OK;
	result = make_room(pass, step->task, err);
	if (result != LO_OK)
		return result;
	task = &pass->analysis->tasks[step->task];
	if (step->appeared)
		note_appearance(pass, step, task);
	if (event->kind == EVENT_CREATE)
		result = note_creation(pass, event, step, task, err);
	if (step->end != WAIT_END_NONE)
		note_wait(pass, step, task);
	if (event->kind == EVENT_UNBLOCK) {
		task->last_waker = step->waker;
		task->last_wake_ns = step->time_ns;
	}
	if (step->exited)
		note_exit(pass, step, task);
	if (result == LO_OK)
		result = wait_history_step(&pass->evidence.history, step,
				&pass->tracker.tasks[step->task], err);
	return result;
}

/* Waits that are open count up to the end of what was watched. */
static void close_books(struct pass *pass)
{
	struct analysis *analysis = pass->analysis;

	for (uint32_t id = 1; id < analysis->task_limit; id++) {
		struct task_summary *task = &analysis->tasks[id];
		uint64_t end_ns = evidence_end_ns(&pass->evidence, id);
		uint64_t waited_ns;

		task->state = pass->tracker.tasks[id].state;
		if (task->state != TASK_STATE_BLOCKED)
			continue;
		task->wait = pass->tracker.tasks[id].wait;
		waited_ns = end_ns > task->wait.since_ns ? end_ns - task->wait.since_ns : 0;
		task->blocks++;
		task->blocked_ns += waited_ns;
		if (task->longest_block_ns < waited_ns)
			task->longest_block_ns = waited_ns;
		blocked_totals_add(&pass->totals, task->wait.reason, waited_ns, true);
	}
	analysis->alive_at_end = pass->alive;
	analysis->max_created_in_10ms = creations_best_window(
			&pass->evidence.creations, CREATION_WINDOW_NS, (struct time_span){ 0, 0 })
							.count;
}

static enum lo_result find_all(struct pass *pass, struct lo_error *err)
{
	struct finding_list list = { 0 };

	for (unsigned kind = 0; kind < FINDING_KIND_COUNT; kind++) {
		const struct finding_row *row = finding_row((enum finding_kind)kind);

		if (row->find)
			row->find(&pass->evidence, &list);
	}
	if (list.failed) {
		finding_list_release(&list);
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the findings");
	}
	pass->analysis->findings = list.findings;
	pass->analysis->finding_count = list.count;
	return LO_OK;
}

static enum lo_result judge(struct pass *pass, struct lo_error *err)
{
	enum lo_result result;

	/* The end of a cut file is known by its last event only. */
	if (pass->analysis->duration_ns < pass->tracker.now_ns)
		pass->analysis->duration_ns = pass->tracker.now_ns;
	losses_init(&pass->evidence.losses, pass->evidence.reader, pass->analysis->duration_ns);
	pass->analysis->lost_total = pass->evidence.losses.lost;
	wait_history_settle(&pass->evidence.history);
	close_books(pass);
	result = blocked_totals_list(&pass->totals, pass->analysis, err);
	if (result == LO_OK)
		result = outlook_judge(&pass->evidence, err);
	if (result == LO_OK)
		result = find_all(pass, err);
	if (result == LO_OK)
		result = parked_collect(&pass->evidence, err);
	return result;
}

static void pass_release(struct pass *pass)
{
	wait_history_release(&pass->evidence.history);
	creations_release(&pass->evidence.creations);
	free(pass->evidence.outlooks);
	lineage_release(&pass->evidence.lineage);
	task_tracker_release(&pass->tracker);
}

static enum lo_result run(struct pass *pass, const struct progress *progress, struct lo_error *err)
{
	struct trace_reader *reader = pass->evidence.reader;
	struct replay replay = { visit, pass };
	enum lo_result result;

	task_tracker_init(&pass->tracker, reader);
	result = make_room(pass, TASK_NONE, err);
	if (result == LO_OK)
		result = wait_history_init(&pass->evidence.history, reader, err);
	if (result == LO_OK)
		result = replay_run(&replay, reader, &pass->tracker, UINT64_MAX, progress, err);
	if (result == LO_OK)
		result = judge(pass, err);
	pass_release(pass);
	return result;
}

enum lo_result analysis_new(struct analysis **out, struct trace_reader *reader,
		const struct progress *progress, struct lo_error *err)
{
	struct pass pass = { .evidence.reader = reader };
	enum lo_result result;

	pass.analysis = calloc(1, sizeof(*pass.analysis));
	if (!pass.analysis)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for an analysis");
	pass.evidence.analysis = pass.analysis;
	pass.analysis->reader = reader;
	pass.analysis->duration_ns = trace_reader_info(reader)->duration_ns;
	result = run(&pass, progress, err);
	if (result != LO_OK) {
		analysis_free(pass.analysis);
		return result;
	}
	*out = pass.analysis;
	return LO_OK;
}

void analysis_free(struct analysis *analysis)
{
	if (!analysis)
		return;
	for (uint32_t i = 0; i < analysis->finding_count; i++)
		finding_release(&analysis->findings[i]);
	for (uint32_t i = 0; i < analysis->parked_count; i++) {
		free(analysis->parked[i].tasks);
		free(analysis->parked[i].why);
	}
	free(analysis->findings);
	free(analysis->parked);
	free(analysis->blocked);
	free(analysis->tasks);
	free(analysis);
}
