#include "viewer/analysis/dependence.h"

#include <stdlib.h>

#include "formats/model/object.h"
#include "formats/model/task.h"
#include "viewer/analysis/joined.h"
#include "viewer/analysis/queue.h"
#include "viewer/analysis/thresholds.h"

/* For each process: how many of its tasks are neither blocked on each other nor gone. */
struct still {
	uint32_t *able; /* by process index, 0..highest */
	uint32_t highest;
};

/* What is put together once for the judgement of all tasks. */
struct judging {
	const struct evidence *evidence;
	struct still still;
	struct queues queues;
};

static uint64_t younger_age_ns(const struct evidence *evidence, uint32_t a, uint32_t b)
{
	uint64_t age_a = evidence_age_ns(evidence, a);
	uint64_t age_b = evidence_age_ns(evidence, b);

	return age_a < age_b ? age_a : age_b;
}

static bool queue_moves(const struct evidence *evidence, uint32_t task)
{
	const struct wait_record *record = evidence_record(evidence, task);
	uint64_t end_ns = evidence_end_ns(evidence, task);
	uint64_t gap_ns = record->longest_gap_ns * QUEUE_GAPS;

	if (record->finished == 0)
		return false;
	if (gap_ns < HARD_LEAST_NS)
		gap_ns = HARD_LEAST_NS;
	return end_ns - record->last_finish_ns < gap_ns;
}

/*
 * The holder was seen while it ran, and an unlock leaves no event: it may have let go since, and
 * another may have come first. Only that nothing changes for long makes it sure.
 */
static void judge_blocked_holder(
		const struct evidence *evidence, uint32_t task, struct outlook *outlook)
{
	if (!outlook->certain && younger_age_ns(evidence, task, outlook->on) < HARD_LEAST_NS)
		outlook->kind = OUTLOOK_YOUNG;
}

static void judge_exited_holder(
		const struct evidence *evidence, uint32_t task, struct outlook *outlook)
{
	if (outlook->certain && evidence_age_ns(evidence, task) < HARD_LEAST_NS)
		outlook->kind = OUTLOOK_YOUNG;
	else if (!outlook->certain && !evidence_is_gone(evidence, outlook->on))
		outlook->kind = OUTLOOK_ENDING;
	else if (!outlook->certain &&
			(!evidence_outlasts(evidence, task) || queue_moves(evidence, task)))
		outlook->kind = OUTLOOK_HOLDER_UNKNOWN;
}

static bool is_goroutine(const struct evidence *evidence, uint32_t task)
{
	struct task_info info;

	return trace_reader_task(evidence->reader, task, &info) && info.kind == TASK_GOROUTINE;
}

static struct outlook judge_queue(const struct judging *judging, uint32_t task)
{
	struct queue queue = queues_of(&judging->queues, judging->evidence, task);
	struct outlook outlook = { .kind = OUTLOOK_YOUNG };
	bool outlasts = evidence_outlasts(judging->evidence, task);

	switch ((enum queue_state)queue.state) {
	case QUEUE_YOUNG:
		break;
	case QUEUE_MOVES:
		outlook.kind = OUTLOOK_QUEUE_MOVES;
		break;
	case QUEUE_AT_WORK:
		outlook.kind = OUTLOOK_AT_WORK;
		outlook.on = queue.by;
		break;
	case QUEUE_OVERTAKEN:
		outlook.kind = outlasts ? OUTLOOK_OVERTAKEN : OUTLOOK_YOUNG;
		break;
	case QUEUE_STANDS:
		outlook.kind = outlasts ? OUTLOOK_STANDS : OUTLOOK_YOUNG;
		break;
	}
	return outlook;
}

static struct outlook judge_held(const struct judging *judging, uint32_t task)
{
	const struct evidence *evidence = judging->evidence;
	struct outlook outlook = { .kind = OUTLOOK_HELD };
	const struct task_summary *holder;
	uint64_t seen_ns;

	outlook.on = evidence_holder(evidence, task, &seen_ns);
	/* It saw itself as the holder only if it locked twice; others saw what came of its wait. */
	if (outlook.on == task && seen_ns > evidence_task(evidence, task)->wait.since_ns) {
		outlook.kind = OUTLOOK_HANDED;
		return outlook;
	}
	holder = evidence_task(evidence, outlook.on);
	switch (outlook.on == TASK_NONE ? TASK_STATE_ABSENT : holder->state) {
	case TASK_STATE_ABSENT:
		/* Go has no lock that another process could hold. */
		if (is_goroutine(evidence, task))
			outlook = judge_queue(judging, task);
		else
			outlook.kind = OUTLOOK_HOLDER_UNKNOWN;
		break;
	case TASK_STATE_BLOCKED:
		outlook.certain = holder->wait.since_ns <= seen_ns;
		judge_blocked_holder(evidence, task, &outlook);
		break;
	case TASK_STATE_EXITED:
		outlook.certain = holder->end_ns <= seen_ns;
		judge_exited_holder(evidence, task, &outlook);
		break;
	default:
		break;
	}
	return outlook;
}

/* The end of tasks that the source does not name. */
static struct outlook judge_group(const struct evidence *evidence, uint32_t task)
{
	struct joined joined = joined_count(evidence, task);
	struct outlook outlook = { .kind = OUTLOOK_GROUP };
	uint64_t end_ns = evidence_end_ns(evidence, task);

	if (joined.made == 0)
		outlook.kind = OUTLOOK_UNKNOWN;
	else if (joined.alive == 0 &&
			end_ns - joined.last_exit_ns < evidence_least_hard_ns(evidence))
		outlook.kind = OUTLOOK_YOUNG;
	return outlook;
}

static struct outlook judge_join(const struct evidence *evidence, uint32_t task)
{
	const struct wait *wait = &evidence_task(evidence, task)->wait;
	struct outlook outlook = { .kind = OUTLOOK_JOIN, .certain = true };

	if (wait->object_kind == OBJECT_NONE)
		return judge_group(evidence, task);
	if (wait->object_kind != OBJECT_TASK || wait->object == TASK_NONE ||
			wait->object >= evidence->analysis->task_limit) {
		outlook.kind = OUTLOOK_UNKNOWN;
		return outlook;
	}
	outlook.on = (uint32_t)wait->object;
	if (evidence_task(evidence, outlook.on)->state == TASK_STATE_EXITED &&
			!evidence_is_gone(evidence, outlook.on))
		outlook.kind = OUTLOOK_ENDING;
	return outlook;
}

/* Its condition was signalled when nobody waited, it came after that, and it is alone there. */
static bool missed_its_signal(const struct evidence *evidence, uint32_t task)
{
	const struct wait *wait = &evidence_task(evidence, task)->wait;
	const struct wait_record *object = wait_history_object(&evidence->history, task);

	return wait->flags & EVENT_FLAG_SIGNALLED_BEFORE && wait->holder != TASK_NONE && object &&
	       object->open == 1 && object->last_finish_ns <= wait->since_ns;
}

/* Its wakers are known well enough to say that it needs one of them. */
static bool depends_on_its_wakers(const struct judging *judging, uint32_t task, bool missed)
{
	const struct evidence *evidence = judging->evidence;
	const struct still *still = &judging->still;
	const struct wait_record *record = evidence_record(evidence, task);
	struct task_info info;

	if (record->wakers_missing || !evidence_outlasts(evidence, task))
		return false;
	if (trace_reader_task(evidence->reader, task, &info) && info.process <= still->highest &&
			still->able[info.process] == 0)
		return missed || record->finished > 0;
	return record->finished >= (missed ? HABIT_WAKES_MISSED : HABIT_WAKES);
}

static struct outlook judge_receive(const struct judging *judging, uint32_t task)
{
	const struct evidence *evidence = judging->evidence;
	struct outlook outlook = { .kind = OUTLOOK_YOUNG };
	const struct wait_record *record = evidence_record(evidence, task);
	bool missed;

	if (!record || evidence->analysis->duration_ns < SOFT_TRACE_NS)
		return outlook;
	missed = missed_its_signal(evidence, task);
	if (!depends_on_its_wakers(judging, task, missed)) {
		outlook.kind = record->finished ? OUTLOOK_WOKEN_BEFORE : OUTLOOK_IDLE;
	} else if (missed) {
		outlook.kind = OUTLOOK_MISSED;
		outlook.on = evidence_task(evidence, task)->wait.holder;
	} else {
		outlook.kind = OUTLOOK_WAKERS;
	}
	return outlook;
}

/*
 * A signal, an unlock or an exit may be among what was lost. But a cycle that was closed long
 * before stays closed, so outlook.c decides what to make of a late loss.
 */
static struct outlook judge_losses(
		const struct evidence *evidence, const struct wait *wait, struct outlook outlook)
{
	if (!losses_after(&evidence->losses, wait->since_ns))
		return outlook;
	outlook.late_loss = (outlook.kind == OUTLOOK_HELD || outlook.kind == OUTLOOK_JOIN) &&
			    evidence->losses.span.begin_ns >= wait->since_ns + HARD_LEAST_NS;
	if (!outlook.late_loss)
		outlook.kind = OUTLOOK_LOST;
	return outlook;
}

/* A wait for another task of the program. */
static struct outlook judge_inside(const struct judging *judging, uint32_t task)
{
	const struct evidence *evidence = judging->evidence;
	const struct wait *wait = &evidence_task(evidence, task)->wait;
	struct outlook outlook = { .kind = OUTLOOK_TIMED };

	if (wait->flags & EVENT_FLAG_TIMED)
		return outlook;
	switch (evidence_class(evidence, wait)) {
	case WAIT_CLASS_LOCK:
		outlook = judge_held(judging, task);
		break;
	case WAIT_CLASS_SEND:
		outlook = judge_queue(judging, task);
		break;
	case WAIT_CLASS_JOIN:
		outlook = judge_join(evidence, task);
		break;
	default:
		outlook = judge_receive(judging, task);
		break;
	}
	return judge_losses(evidence, wait, outlook);
}

static struct outlook judge_task(const struct judging *judging, uint32_t task)
{
	const struct evidence *evidence = judging->evidence;
	const struct process_info *process = evidence_process(evidence, task);
	const struct wait *wait = &evidence_task(evidence, task)->wait;
	struct outlook outlook = { .kind = OUTLOOK_UNKNOWN };

	if (evidence_is_runtime(evidence, task)) {
		outlook.kind = OUTLOOK_RUNTIME;
		return outlook;
	}
	if (process && process->end == PROCESS_REPLACED) {
		outlook.kind = OUTLOOK_REPLACED;
		return outlook;
	}
	switch (evidence_class(evidence, wait)) {
	case WAIT_CLASS_OUTSIDE:
		outlook.kind = OUTLOOK_OUTSIDE;
		break;
	case WAIT_CLASS_TIME:
		outlook.kind = OUTLOOK_TIME;
		break;
	case WAIT_CLASS_FOREVER:
		outlook.kind = OUTLOOK_FOREVER;
		break;
	case WAIT_CLASS_LOCK:
	case WAIT_CLASS_SEND:
	case WAIT_CLASS_JOIN:
	case WAIT_CLASS_RECEIVE:
		outlook = judge_inside(judging, task);
		break;
	default:
		break;
	}
	return outlook;
}

/* A task that runs, or whose wait ends by itself or from outside. */
static bool is_able(const struct evidence *evidence, uint32_t task)
{
	const struct task_summary *summary = evidence_task(evidence, task);
	enum wait_class wait_class = evidence_class(evidence, &summary->wait);

	if (summary->state != TASK_STATE_BLOCKED)
		return summary->state == TASK_STATE_ACTIVE;
	return summary->wait.flags & EVENT_FLAG_TIMED ||
	       (wait_class != WAIT_CLASS_LOCK && wait_class != WAIT_CLASS_SEND &&
			       wait_class != WAIT_CLASS_JOIN && wait_class != WAIT_CLASS_RECEIVE);
}

static enum lo_result still_init(
		struct still *still, const struct evidence *evidence, struct lo_error *err)
{
	still->highest = trace_reader_info(evidence->reader)->processes;
	still->able = calloc((size_t)still->highest + 1, sizeof(*still->able));
	if (!still->able)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u processes",
				still->highest);
	for (uint32_t task = 1; task < evidence->analysis->task_limit; task++) {
		struct task_info info;

		if (is_able(evidence, task) && trace_reader_task(evidence->reader, task, &info) &&
				info.process <= still->highest && !(info.flags & TASK_FLAG_RUNTIME))
			still->able[info.process]++;
	}
	return LO_OK;
}

/*
 * Since when somebody has been at one thing, work or sleep, at the earliest: that may be what all
 * who came later wait for.
 */
static uint64_t busy_since_ns(const struct evidence *evidence)
{
	uint64_t earliest_ns = UINT64_MAX;

	for (uint32_t task = 1; task < evidence->analysis->task_limit; task++) {
		const struct task_summary *summary = evidence_task(evidence, task);
		uint64_t active_ns = summary->last_wake_ns > summary->begin_ns
						     ? summary->last_wake_ns
						     : summary->begin_ns;

		if (evidence_is_runtime(evidence, task))
			continue;
		if (summary->state == TASK_STATE_ACTIVE && active_ns < earliest_ns)
			earliest_ns = active_ns;
		if (summary->state == TASK_STATE_BLOCKED && summary->wait.since_ns < earliest_ns &&
				evidence_class(evidence, &summary->wait) == WAIT_CLASS_TIME)
			earliest_ns = summary->wait.since_ns;
	}
	return earliest_ns;
}

/* Who waits for a signal that never came, and keeps a lock that others wait for long enough. */
static void judge_holder(const struct evidence *evidence, uint32_t waiter, uint64_t busy_ns)
{
	struct outlook *held = &evidence->outlooks[waiter];
	struct outlook *holder;

	if (held->kind != OUTLOOK_HELD)
		return;
	holder = &evidence->outlooks[held->on];
	if (holder->kind != OUTLOOK_IDLE || !evidence_outlasts(evidence, waiter) ||
			!evidence_outlasts(evidence, held->on) || queue_moves(evidence, waiter) ||
			busy_ns <= evidence_task(evidence, waiter)->wait.since_ns)
		return;
	holder->kind = OUTLOOK_HOLDS;
	holder->can_move = false;
}

/*
 * A receiver that somebody waits for who does not name it. When the joiner made it and is its only
 * waker, or most of its like have ended and it was never woken, then it waits for what the joiner
 * does not do before it comes.
 */
static void judge_joined(const struct evidence *evidence, uint32_t joiner)
{
	struct joined joined = joined_count(evidence, joiner);
	uint64_t end_ns = evidence_end_ns(evidence, joiner);
	bool most_ended = joined.ended >= joined.made - joined.made / 2 &&
			  end_ns - joined.last_exit_ns >= evidence_least_hard_ns(evidence);
	uint32_t task = lineage_first(&evidence->lineage, joiner);

	for (; task != TASK_NONE; task = lineage_next(&evidence->lineage, task)) {
		struct outlook *outlook = &evidence->outlooks[task];
		const struct wait_record *record = evidence_record(evidence, task);

		if (!record || !evidence_outlasts(evidence, task))
			continue;
		if (outlook->kind == OUTLOOK_WOKEN_BEFORE && !record->wakers_missing)
			outlook->kind = OUTLOOK_WAKERS;
		else if (outlook->kind == OUTLOOK_IDLE && most_ended)
			outlook->kind = OUTLOOK_FORGOTTEN;
		outlook->can_move = outlook->kind < OUTLOOK_HELD;
	}
}

static void judging_release(struct judging *judging)
{
	free(judging->still.able);
	queues_release(&judging->queues);
}

static enum lo_result judging_init(
		struct judging *judging, const struct evidence *evidence, struct lo_error *err)
{
	enum lo_result result;

	*judging = (struct judging){ .evidence = evidence };
	result = still_init(&judging->still, evidence, err);
	if (result == LO_OK)
		result = queues_init(&judging->queues, evidence, err);
	if (result != LO_OK)
		judging_release(judging);
	return result;
}

enum lo_result dependence_judge(const struct evidence *evidence, struct lo_error *err)
{
	uint32_t limit = evidence->analysis->task_limit;
	uint64_t busy_ns = busy_since_ns(evidence);
	struct judging judging;
	enum lo_result result = judging_init(&judging, evidence, err);

	if (result != LO_OK)
		return result;
	for (uint32_t task = 1; task < limit; task++) {
		struct outlook *outlook = &evidence->outlooks[task];

		if (evidence_is_blocked(evidence, task))
			*outlook = judge_task(&judging, task);
		outlook->can_move = outlook->kind < OUTLOOK_HELD;
	}
	judging_release(&judging);
	for (uint32_t task = 1; task < limit; task++) {
		judge_holder(evidence, task, busy_ns);
		if (evidence->outlooks[task].kind == OUTLOOK_GROUP)
			judge_joined(evidence, task);
	}
	return LO_OK;
}
