#include "viewer/analysis/parked.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "viewer/analysis/joined.h"
#include "viewer/analysis/name.h"
#include "viewer/analysis/outlook.h"
#include "viewer/analysis/thresholds.h"

struct waiter {
	uint32_t task;
	uint8_t reason;
	uint8_t kind; /* enum outlook_kind */
	uint64_t place;
	uint64_t since_ns;
};

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_groups(const struct waiter *a, const struct waiter *b)
{
	int order = compare(a->reason, b->reason);

	if (order == 0)
		order = compare(a->kind, b->kind);
	return order ? order : compare(a->place, b->place);
}

static int by_group_then_age(const void *left, const void *right)
{
	const struct waiter *a = left;
	const struct waiter *b = right;
	int order = compare_groups(a, b);

	if (order == 0)
		order = compare(a->since_ns, b->since_ns);
	return order ? order : compare(a->task, b->task);
}

static int larger_group_first(const void *left, const void *right)
{
	const struct wait_group *a = left;
	const struct wait_group *b = right;
	int order = compare(b->task_count, a->task_count);

	if (order == 0)
		order = compare(a->since_ns, b->since_ns);
	return order ? order : compare(a->tasks[0], b->tasks[0]);
}

static uint32_t collect(const struct evidence *evidence, struct waiter *waiters)
{
	uint32_t count = 0;

	for (uint32_t task = 1; task < evidence->analysis->task_limit; task++) {
		const struct outlook *outlook = outlook_of(evidence, task);
		const struct wait *wait = &evidence_task(evidence, task)->wait;

		if (outlook->kind == OUTLOOK_NONE || outlook->accused)
			continue;
		waiters[count++] = (struct waiter){
			.task = task,
			.reason = wait->reason,
			.kind = outlook->kind,
			.place = wait_history_fold(&evidence->history, wait->stack),
			.since_ns = wait->since_ns,
		};
	}
	return count;
}

static char *text(const char *format, ...) LO_PRINTF(1, 2);
static char *text(const char *format, ...)
{
	va_list arguments;
	char *out = NULL;

	va_start(arguments, format);
	if (vasprintf(&out, format, arguments) < 0)
		out = NULL;
	va_end(arguments);
	return out;
}

static const struct waker *best_waker(
		const struct evidence *evidence, const struct wait_record *record)
{
	const struct waker *best = NULL;
	const struct waker *waker;

	for (uint32_t id = record->first_waker;
			(waker = wait_history_waker(&evidence->history, id)); id = waker->next)
		if (!best || waker->wakes > best->wakes)
			best = waker;
	return best;
}

static char *why_woken_before(const struct evidence *evidence, uint32_t task)
{
	const struct wait_record *record = evidence_record(evidence, task);
	const struct waker *waker = record ? best_waker(evidence, record) : NULL;

	if (!record || record->finished == 0)
		return text("idle so far: nothing speaks against it");
	if (!waker)
		return text("it moves: woken from here %s, last at %s",
				name_count(record->finished, "time", "times").text,
				name_time(record->last_finish_ns).text);
	return text("it moves: woken from here %s, last at %s, most often by %s",
			name_count(record->finished, "time", "times").text,
			name_time(record->last_finish_ns).text,
			name_task(evidence->reader, waker->task).text);
}

static char *why_held(const struct evidence *evidence, uint32_t task)
{
	uint32_t holder = outlook_of(evidence, task)->on;
	const struct task_summary *summary = evidence_task(evidence, holder);
	struct name name = name_task(evidence->reader, holder);

	if (summary->state != TASK_STATE_BLOCKED)
		return text("%s holds the lock and is at work", name.text);
	return text("%s holds the lock and can be expected to go on (%s)", name.text,
			trace_reader_reason_name(evidence->reader, summary->wait.reason));
}

static char *why_ending(const struct evidence *evidence, uint32_t task)
{
	uint32_t on = outlook_of(evidence, task)->on;
	uint64_t end_ns = evidence_end_ns(evidence, on);
	uint64_t exit_ns = evidence_task(evidence, on)->end_ns;

	return text("waits for %s, which had ended only %s before",
			name_task(evidence->reader, on).text,
			name_duration(end_ns > exit_ns ? end_ns - exit_ns : 0).text);
}

static char *why_young(const struct evidence *evidence, uint32_t task)
{
	return text("cannot be judged: it had waited only %s",
			name_duration(evidence_age_ns(evidence, task)).text);
}

static char *why_group(const struct evidence *evidence, uint32_t task)
{
	struct joined joined = joined_count(evidence, task);

	return text("waits for %s, made by it, of which %" PRIu32 " ended",
			name_count(joined.made, "task", "tasks").text, joined.ended);
}

static char *why(const struct evidence *evidence, uint32_t task)
{
	const struct outlook *outlook = outlook_of(evidence, task);
	const struct wait_record *record = evidence_record(evidence, task);

	switch (outlook->kind) {
	case OUTLOOK_RUNTIME:
		return text("a background task of the language runtime or of the recorder");
	case OUTLOOK_REPLACED:
		return text("its process became another program");
	case OUTLOOK_OUTSIDE:
		return text("waits for something from outside of the program");
	case OUTLOOK_TIME:
		return text("goes on by itself when the time has come");
	case OUTLOOK_FOREVER:
		return text("waits for a signal: an idiom to keep a program alive");
	case OUTLOOK_TIMED:
		if (record && record->timed_out > 0)
			return text("a timer: its time limit ended %s from here",
					name_count(record->timed_out, "wait", "waits").text);
		return text("the wait has a time limit");
	case OUTLOOK_LOST:
		return text("cannot be judged: events were lost while it waited");
	case OUTLOOK_YOUNG:
		return why_young(evidence, task);
	case OUTLOOK_ENDING:
		return why_ending(evidence, task);
	case OUTLOOK_HANDED:
		return text("it has the lock already: others met it as the holder since");
	case OUTLOOK_HOLDER_UNKNOWN:
		return text("cannot be judged: nobody saw who holds the lock");
	case OUTLOOK_QUEUE_MOVES:
		return why_woken_before(evidence, task);
	case OUTLOOK_AT_WORK:
		return text("%s is at work since before, perhaps with what it waits for",
				name_task(evidence->reader, outlook->on).text);
	case OUTLOOK_GROUP:
		return why_group(evidence, task);
	case OUTLOOK_FORGOTTEN:
	case OUTLOOK_IDLE:
		return text("idle so far: never woken in this trace, and nothing speaks against it");
	case OUTLOOK_HELD:
		return why_held(evidence, task);
	case OUTLOOK_JOIN:
		return text("waits for the end of %s, which can be expected to go on",
				name_task(evidence->reader, outlook->on).text);
	case OUTLOOK_UNKNOWN:
		return text("cannot be judged: why it waits is not known");
	default:
		return why_woken_before(evidence, task);
	}
}

/*
 * A wait that is merely young is not among them, for short waits are what healthy programs do;
 * unless there is no more than a moment to look at, as in one dump, where every wait is young.
 */
static bool is_unjudged(const struct evidence *evidence, uint32_t task)
{
	switch (outlook_of(evidence, task)->kind) {
	case OUTLOOK_LOST:
	case OUTLOOK_HOLDER_UNKNOWN:
	case OUTLOOK_UNKNOWN:
		return true;
	case OUTLOOK_YOUNG:
		return evidence->analysis->duration_ns < HARD_LEAST_NS;
	default:
		return false;
	}
}

static bool fill_group(const struct evidence *evidence, struct wait_group *group,
		const struct waiter *first, uint32_t count)
{
	*group = (struct wait_group){
		.reason = first->reason,
		.stack = evidence_task(evidence, first->task)->wait.stack,
		.tasks = calloc(count, sizeof(*group->tasks)),
		.task_count = count,
		.since_ns = first->since_ns,
		.creation_stack = evidence_task(evidence, first->task)->creation_stack,
		.why = why(evidence, first->task),
	};
	for (uint32_t i = 0; group->tasks && i < count; i++)
		group->tasks[i] = first[i].task;
	return group->tasks && group->why;
}

/* The number of waiters from `first` on that are one group. */
static uint32_t run_length(const struct waiter *first, uint32_t left)
{
	uint32_t count = 1;

	while (count < left && compare_groups(first, &first[count]) == 0)
		count++;
	return count;
}

static enum lo_result make_groups(const struct evidence *evidence, const struct waiter *waiters,
		uint32_t count, struct lo_error *err)
{
	struct analysis *analysis = evidence->analysis;
	uint32_t length;

	analysis->parked = calloc((size_t)count + 1, sizeof(*analysis->parked));
	if (!analysis->parked)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u groups", count);
	for (uint32_t i = 0; i < count; i += length) {
		length = run_length(&waiters[i], count - i);
		if (!fill_group(evidence, &analysis->parked[analysis->parked_count++], &waiters[i],
				    length))
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a group");
		if (is_unjudged(evidence, waiters[i].task))
			analysis->unjudged += length;
	}
	qsort(analysis->parked, analysis->parked_count, sizeof(*analysis->parked),
			larger_group_first);
	return LO_OK;
}

enum lo_result parked_collect(const struct evidence *evidence, struct lo_error *err)
{
	struct waiter *waiters = calloc(evidence->analysis->task_limit, sizeof(*waiters));
	enum lo_result result;
	uint32_t count;

	if (!waiters)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks",
				evidence->analysis->task_limit);
	count = collect(evidence, waiters);
	qsort(waiters, count, sizeof(*waiters), by_group_then_age);
	result = make_groups(evidence, waiters, count, err);
	free(waiters);
	return result;
}
