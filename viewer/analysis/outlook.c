#include "viewer/analysis/outlook.h"

#include <stdlib.h>

#include "viewer/analysis/dependence.h"
#include "viewer/analysis/joined.h"

/* Creators of creators that are asked before the answer is "perhaps". */
#define CREATORS_ASKED 64u

/*
 * Rounds of spreading "can move". One round is enough for most; a chain of waits needs at worst one
 * per link. What is not settled after all rounds can move.
 */
#define ROUNDS_MOST 1000u

static const struct outlook no_outlook = { .kind = OUTLOOK_NONE, .can_move = true };

const struct outlook *outlook_of(const struct evidence *evidence, uint32_t task)
{
	return task < evidence->analysis->task_limit ? &evidence->outlooks[task] : &no_outlook;
}

bool outlook_can_act(const struct evidence *evidence, uint32_t task)
{
	for (unsigned i = 0; i < CREATORS_ASKED; i++) {
		const struct task_summary *summary = evidence_task(evidence, task);
		struct task_info info;

		if (summary->state == TASK_STATE_BLOCKED)
			return outlook_of(evidence, task)->can_move;
		if (!evidence_is_gone(evidence, task))
			return true;
		trace_reader_task(evidence->reader, task, &info);
		if (info.flags & TASK_FLAG_MAIN)
			return false;
		task = summary->creator;
	}
	return true;
}

static bool wakers_can_act(const struct evidence *evidence, uint32_t task)
{
	const struct wait_record *record = evidence_record(evidence, task);
	const struct outlook *outlook = &evidence->outlooks[task];
	const struct waker *waker;

	if (outlook->on != TASK_NONE && outlook_can_act(evidence, outlook->on))
		return true;
	for (uint32_t id = record->first_waker;
			(waker = wait_history_waker(&evidence->history, id)); id = waker->next)
		if (waker->task != task && outlook_can_act(evidence, waker->task))
			return true;
	return false;
}

static bool can_go_on(const struct evidence *evidence, uint32_t task)
{
	const struct outlook *outlook = &evidence->outlooks[task];

	switch (outlook->kind) {
	case OUTLOOK_HELD:
	case OUTLOOK_JOIN:
		return evidence_task(evidence, outlook->on)->state != TASK_STATE_EXITED &&
		       outlook_can_act(evidence, outlook->on);
	case OUTLOOK_WAKERS:
	case OUTLOOK_MISSED:
		return wakers_can_act(evidence, task);
	case OUTLOOK_GROUP:
		return joined_has(evidence, task, outlook_can_act);
	default:
		return false;
	}
}

/* One round, upwards or downwards, so that a chain along the ids settles in one. */
static bool spread(const struct evidence *evidence, bool upwards)
{
	uint32_t limit = evidence->analysis->task_limit;
	bool changed = false;

	for (uint32_t i = 1; i < limit; i++) {
		uint32_t task = upwards ? i : limit - i;
		struct outlook *outlook = &evidence->outlooks[task];

		if (!outlook->can_move && can_go_on(evidence, task))
			changed = outlook->can_move = true;
	}
	return changed;
}

static void spread_until_settled(const struct evidence *evidence)
{
	unsigned round = 0;

	while (round < ROUNDS_MOST && spread(evidence, round % 2 == 0))
		round++;
	for (uint32_t task = 1; round == ROUNDS_MOST && task < evidence->analysis->task_limit;
			task++)
		evidence->outlooks[task].can_move = true;
}

static bool waits_for_a_message(const struct outlook *outlook)
{
	return outlook->kind == OUTLOOK_WAKERS || outlook->kind == OUTLOOK_MISSED ||
	       outlook->kind == OUTLOOK_FORGOTTEN;
}

/* Tasks that are accused but whose own dependence was not followed yet. */
struct accused {
	uint32_t *tasks;
	size_t count;
};

static void accuse(const struct evidence *evidence, struct accused *accused, uint32_t task)
{
	struct outlook *outlook;

	if (task >= evidence->analysis->task_limit)
		return;
	outlook = &evidence->outlooks[task];
	if (outlook->can_move || outlook->accused)
		return;
	outlook->accused = true;
	accused->tasks[accused->count++] = task;
}

static void accuse_wakers(const struct evidence *evidence, struct accused *accused, uint32_t task)
{
	const struct wait_record *record = evidence_record(evidence, task);
	const struct waker *waker;

	for (uint32_t id = record->first_waker;
			(waker = wait_history_waker(&evidence->history, id)); id = waker->next)
		if (waits_for_a_message(outlook_of(evidence, waker->task)))
			accuse(evidence, accused, waker->task);
}

static void accuse_joined(const struct evidence *evidence, struct accused *accused, uint32_t joiner)
{
	uint32_t task = lineage_first(&evidence->lineage, joiner);

	for (; task != TASK_NONE; task = lineage_next(&evidence->lineage, task))
		if (evidence_is_blocked(evidence, task))
			accuse(evidence, accused, task);
}

/*
 * Locks and joins have work in their hands: that they cannot go on is enough. A receiver is accused
 * when one of those needs it; then the receivers that should have woken it are needed too.
 */
static enum lo_result accuse_all(const struct evidence *evidence, struct lo_error *err)
{
	uint32_t limit = evidence->analysis->task_limit;
	struct accused accused = { .tasks = calloc(limit, sizeof(*accused.tasks)) };

	if (!accused.tasks)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks", limit);
	for (uint32_t task = 1; task < limit; task++)
		if (!waits_for_a_message(&evidence->outlooks[task]))
			accuse(evidence, &accused, task);
	while (accused.count > 0) {
		uint32_t task = accused.tasks[--accused.count];

		if (waits_for_a_message(&evidence->outlooks[task]))
			accuse_wakers(evidence, &accused, task);
		else if (evidence->outlooks[task].kind == OUTLOOK_GROUP)
			accuse_joined(evidence, &accused, task);
		else
			accuse(evidence, &accused, evidence->outlooks[task].on);
	}
	free(accused.tasks);
	return LO_OK;
}

/* A wait for one task that is blocked too, as far as one can see now. */
static bool is_link(const struct evidence *evidence, uint32_t task)
{
	const struct outlook *outlook = outlook_of(evidence, task);

	return !outlook->can_move && evidence_is_blocked(evidence, outlook->on) &&
	       (outlook->kind == OUTLOOK_HELD || outlook->kind == OUTLOOK_JOIN);
}

static void mark_cycle(const struct evidence *evidence, uint32_t first)
{
	uint32_t lowest = first;
	uint32_t task = first;

	do {
		lowest = task < lowest ? task : lowest;
		task = evidence->outlooks[task].on;
	} while (task != first);
	do {
		evidence->outlooks[task].in_cycle = true;
		evidence->outlooks[task].root = lowest;
		task = evidence->outlooks[task].on;
	} while (task != first);
}

/*
 * Each link leads to one task, so from any task there is one way: walk it until it ends, or meets
 * an earlier walk, or itself.
 */
static enum lo_result find_cycles(const struct evidence *evidence, struct lo_error *err)
{
	uint32_t limit = evidence->analysis->task_limit;
	uint32_t *walked_from = calloc(limit, sizeof(*walked_from));

	if (!walked_from)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks", limit);
	for (uint32_t start = 1; start < limit; start++) {
		uint32_t task = start;

		while (is_link(evidence, task) && !walked_from[task]) {
			walked_from[task] = start;
			task = evidence->outlooks[task].on;
		}
		if (is_link(evidence, task) && walked_from[task] == start &&
				!evidence->outlooks[task].in_cycle)
			mark_cycle(evidence, task);
	}
	free(walked_from);
	return LO_OK;
}

/* Two walks along each chain that is not known yet: to its end, and again to note the end. */
static void find_roots(const struct evidence *evidence)
{
	for (uint32_t start = 1; start < evidence->analysis->task_limit; start++) {
		uint32_t end = start;
		uint32_t root;

		while (!evidence->outlooks[end].root && is_link(evidence, end))
			end = evidence->outlooks[end].on;
		root = evidence->outlooks[end].root ? evidence->outlooks[end].root : end;
		for (uint32_t task = start; task != end; task = evidence->outlooks[task].on)
			evidence->outlooks[task].root = root;
		evidence->outlooks[end].root = root;
	}
}

/* Lost events leave nothing sure but the cycles that had been there before, and who waits there. */
static void drop_what_losses_spoil(const struct evidence *evidence)
{
	for (uint32_t task = 1; task < evidence->analysis->task_limit; task++) {
		struct outlook *outlook = &evidence->outlooks[task];

		if (!outlook->late_loss || outlook_of(evidence, outlook->root)->in_cycle)
			continue;
		outlook->kind = OUTLOOK_LOST;
		outlook->can_move = true;
	}
}

static void forget_roots(const struct evidence *evidence)
{
	for (uint32_t task = 1; task < evidence->analysis->task_limit; task++)
		if (!evidence->outlooks[task].in_cycle)
			evidence->outlooks[task].root = TASK_NONE;
}

enum lo_result outlook_judge(struct evidence *evidence, struct lo_error *err)
{
	enum lo_result result;

	evidence->outlooks = calloc(evidence->analysis->task_limit, sizeof(*evidence->outlooks));
	if (!evidence->outlooks)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks",
				evidence->analysis->task_limit);
	result = lineage_init(&evidence->lineage, evidence->analysis, err);
	if (result == LO_OK)
		result = dependence_judge(evidence, err);
	if (result == LO_OK)
		result = find_cycles(evidence, err);
	if (result != LO_OK)
		return result;
	find_roots(evidence);
	drop_what_losses_spoil(evidence);
	forget_roots(evidence);
	spread_until_settled(evidence);
	find_roots(evidence);
	return accuse_all(evidence, err);
}
