#include "formats/import/dump_history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/base/limits.h"
#include "formats/import/grow.h"
#include "formats/model/meta.h"

#define NS_PER_MINUTE 60000000000ull

/* Set in the numbers that are ours; Go counts its goroutines from 1. */
#define COUNTED_NUMBER (1ull << 63)

/* A wait of more minutes than in ten years is not believed. */
#define MINUTES_MAX 5256000u
/* Nor are dumps that were taken as far apart. */
#define APART_NS_MAX (MINUTES_MAX * NS_PER_MINUTE)

enum lo_result dump_history_init(
		struct dump_history *history, struct import_sink *sink, struct lo_error *err)
{
	*history = (struct dump_history){ 0 };
	return go_program_init(&history->program, sink, err);
}

static void release_list(struct dump_list *list)
{
	free(list->items);
	number_map_release(&list->index);
}

void dump_history_release(struct dump_history *history)
{
	go_program_release(&history->program);
	release_list(&history->present);
	release_list(&history->past);
	free(history->remarks);
	number_map_release(&history->members);
}

static struct dump_goroutine *find(const struct dump_list *list, uint64_t number)
{
	uint32_t index = number_map_get(&list->index, number);

	return index ? &list->items[index - 1] : NULL;
}

bool dump_history_has(const struct dump_history *history, uint64_t number)
{
	return find(&history->present, number) != NULL;
}

static bool is_full(const struct dump_history *history)
{
	return history->present.count >= LIMIT_DUMP_GOROUTINES ||
	       history->total >= LIMIT_DUMP_TOTAL;
}

enum lo_result dump_history_add(struct dump_history *history,
		const struct dump_goroutine *goroutine, struct lo_error *err)
{
	struct dump_list *list = &history->present;
	struct dump_goroutine *items;

	if (is_full(history)) {
		history->dropped++;
		return LO_OK;
	}
	history->total++;
	items = grow_array(list->items, list->count, &list->capacity, sizeof(*items), "goroutines",
			err);
	if (!items)
		return LO_NO_MEMORY;
	list->items = items;
	list->items[list->count] = *goroutine;
	if (list->items[list->count].minutes > MINUTES_MAX)
		list->items[list->count].minutes = 0;
	list->count++;
	return number_map_put(&list->index, goroutine->number, list->count, err);
}

enum lo_result dump_history_add_group(struct dump_history *history,
		const struct dump_goroutine *goroutine, uint64_t count, struct lo_error *err)
{
	struct dump_goroutine member = *goroutine;
	uint32_t known = number_map_get(&history->members, goroutine->stack);
	enum lo_result result = LO_OK;
	uint64_t added = 0;

	member.counted = true;
	if (known == 0)
		known = 1;
	while (added < count && result == LO_OK && !is_full(history)) {
		member.number = COUNTED_NUMBER | (uint64_t)goroutine->stack << 32 | known++;
		result = dump_history_add(history, &member, err);
		added++;
	}
	history->dropped += count - added;
	if (result == LO_OK)
		result = number_map_put(&history->members, goroutine->stack, known, err);
	return result;
}

enum lo_result dump_history_remark(struct dump_history *history, const struct note *note,
		uint32_t first, struct lo_error *err)
{
	for (uint32_t item = first; item < history->present.count; item++) {
		struct dump_remark *remarks;

		if (history->remark_total == LIMIT_DUMP_REMARKS) {
			history->dropped += history->present.count - item;
			return LO_OK;
		}
		remarks = grow_array(history->remarks, history->remark_count,
				&history->remark_capacity, sizeof(*remarks), "remarks", err);
		if (!remarks)
			return LO_NO_MEMORY;
		history->remarks = remarks;
		remarks[history->remark_count++] = (struct dump_remark){ *note, item };
		history->remark_total++;
	}
	return LO_OK;
}

static enum lo_result tell_remarks(struct dump_history *history, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < history->remark_count && result == LO_OK; i++) {
		struct note note = history->remarks[i].note;

		note.task = history->present.items[history->remarks[i].item].task;
		note.begin_ns = history->time_ns;
		note.end_ns = history->time_ns;
		result = import_sink_note(history->program.sink, &note, err);
	}
	history->remark_count = 0;
	return result;
}

static bool is_same_wait(const struct dump_goroutine *past, const struct dump_goroutine *present)
{
	return past->blocked && present->blocked && past->reason == present->reason &&
	       past->stack == present->stack &&
	       (present->minutes == 0 || present->minutes >= past->minutes);
}

/* How much later than the last dump the present one was made. */
static uint64_t distance_ns(struct dump_history *history)
{
	const struct dump_list *list = &history->present;
	uint32_t minutes = 0;

	if (history->past_unix_ns && history->taken_unix_ns > history->past_unix_ns &&
			history->taken_unix_ns - history->past_unix_ns <= APART_NS_MAX)
		return history->taken_unix_ns - history->past_unix_ns;
	for (uint32_t i = 0; i < list->count; i++) {
		const struct dump_goroutine *past = find(&history->past, list->items[i].number);

		if (past && past->minutes > 0 && is_same_wait(past, &list->items[i]) &&
				list->items[i].minutes > past->minutes + minutes)
			minutes = list->items[i].minutes - past->minutes;
	}
	/* Whole minutes of two waits may differ by one from the time between them. */
	if (history->watch_ns > 0 && history->watch_ns <= APART_NS_MAX &&
			(minutes == 0 ||
					(history->watch_ns > (minutes - 1) * NS_PER_MINUTE &&
							history->watch_ns <
									(minutes + 1) * NS_PER_MINUTE)))
		return history->watch_ns;
	if (minutes > 0)
		return minutes * NS_PER_MINUTE;
	history->guessed_distance = true;
	return DUMP_DISTANCE_NS;
}

static uint64_t longest_wait_ns(const struct dump_list *list)
{
	uint64_t longest = 0;

	for (uint32_t i = 0; i < list->count; i++)
		if (list->items[i].minutes > longest)
			longest = list->items[i].minutes;
	return longest * NS_PER_MINUTE;
}

/* Dates every wait of the present dump, no earlier than the dump before. */
static void date_waits(struct dump_history *history)
{
	uint64_t earliest = history->dumps == 0 ? 0 : history->time_ns;

	history->time_ns += history->dumps == 0 ? longest_wait_ns(&history->present)
						: distance_ns(history);
	for (uint32_t i = 0; i < history->present.count; i++) {
		struct dump_goroutine *goroutine = &history->present.items[i];
		uint64_t waited_ns = goroutine->minutes * NS_PER_MINUTE;

		goroutine->since_ns = waited_ns < history->time_ns - earliest
						      ? history->time_ns - waited_ns
						      : earliest;
	}
}

static enum lo_result write_row(struct dump_history *history,
		const struct dump_goroutine *goroutine, struct lo_error *err)
{
	return go_program_task(&history->program, goroutine->task,
			goroutine->counted ? 0 : goroutine->number, goroutine->entry, false, err);
}

/* Every goroutine has a task before the first event names another as its creator. */
static enum lo_result give_tasks(struct dump_history *history, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < history->present.count && result == LO_OK; i++) {
		struct dump_goroutine *goroutine = &history->present.items[i];
		const struct dump_goroutine *past = find(&history->past, goroutine->number);

		if (past) {
			goroutine->task = past->task;
			continue;
		}
		result = import_sink_new_task(history->program.sink, &goroutine->task, err);
		if (result == LO_OK)
			result = write_row(history, goroutine, err);
	}
	return result;
}

static uint32_t creator_of(const struct dump_history *history, const struct dump_goroutine *of)
{
	const struct dump_goroutine *creator = find(&history->present, of->creator);

	if (!creator)
		creator = find(&history->past, of->creator);
	return creator && of->creator != 0 && !of->counted ? creator->task : TASK_NONE;
}

static enum lo_result tell_new(struct dump_history *history, const struct dump_goroutine *goroutine,
		struct lo_error *err)
{
	struct import_sink *sink = history->program.sink;
	uint32_t creator = creator_of(history, goroutine);

	if (history->dumps == 0)
		return import_sink_found(sink, goroutine->since_ns, goroutine->task, creator,
				goroutine->creation_stack, err);
	return import_sink_create(sink, goroutine->since_ns, goroutine->task, creator,
			goroutine->creation_stack, err);
}

static enum lo_result tell(struct dump_history *history, const struct dump_goroutine *goroutine,
		struct lo_error *err)
{
	struct import_sink *sink = history->program.sink;
	const struct dump_goroutine *past = find(&history->past, goroutine->number);
	enum lo_result result = LO_OK;

	if (!past)
		result = tell_new(history, goroutine, err);
	else if (is_same_wait(past, goroutine))
		return LO_OK;
	else if (past->blocked)
		result = import_sink_unblock(
				sink, goroutine->since_ns, goroutine->task, TASK_NONE, err);
	if (result == LO_OK && goroutine->blocked)
		result = import_sink_block(sink, goroutine->since_ns, goroutine->task,
				(enum wait_reason)goroutine->reason, goroutine->stack, err);
	return result;
}

static int compare_since(const void *left, const void *right)
{
	const struct dump_goroutine *a = *(const struct dump_goroutine *const *)left;
	const struct dump_goroutine *b = *(const struct dump_goroutine *const *)right;

	if (a->since_ns != b->since_ns)
		return a->since_ns < b->since_ns ? -1 : 1;
	return (a > b) - (a < b);
}

static enum lo_result tell_present(struct dump_history *history, struct lo_error *err)
{
	uint32_t count = history->present.count;
	const struct dump_goroutine **order = calloc(count, sizeof(*order));
	enum lo_result result = LO_OK;

	if (!order)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u goroutines",
				count);
	for (uint32_t i = 0; i < count; i++)
		order[i] = &history->present.items[i];
	qsort(order, count, sizeof(*order), compare_since);
	for (uint32_t i = 0; i < count && result == LO_OK; i++)
		result = tell(history, order[i], err);
	free(order);
	return result;
}

static enum lo_result tell_ended(struct dump_history *history, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < history->past.count && result == LO_OK; i++)
		if (!find(&history->present, history->past.items[i].number))
			result = import_sink_exit(history->program.sink, history->time_ns,
					history->past.items[i].task, err);
	return result;
}

void dump_history_taken(struct dump_history *history, uint64_t unix_ns)
{
	history->taken_unix_ns = unix_ns;
}

/* The wall clock of time 0. */
static enum lo_result tell_start(struct dump_history *history, struct lo_error *err)
{
	char text[24];

	if (history->dumps > 0 || history->taken_unix_ns <= history->time_ns)
		return LO_OK;
	snprintf(text, sizeof(text), "%" PRIu64, history->taken_unix_ns - history->time_ns);
	return trace_writer_meta(history->program.sink->writer, META_START_UNIX_NS, text, err);
}

static void make_past(struct dump_history *history)
{
	struct dump_list emptied = history->past;

	history->past = history->present;
	emptied.count = 0;
	number_map_clear(&emptied.index);
	number_map_clear(&history->members);
	history->present = emptied;
	history->past_unix_ns = history->taken_unix_ns;
	history->taken_unix_ns = 0;
	history->dumps++;
}

enum lo_result dump_history_end_dump(struct dump_history *history, struct lo_error *err)
{
	enum lo_result result;

	if (history->present.count == 0)
		return LO_OK;
	date_waits(history);
	history->watch_ns = 0;
	result = tell_start(history, err);
	if (result == LO_OK)
		result = give_tasks(history, err);
	if (result == LO_OK)
		result = tell_present(history, err);
	if (result == LO_OK)
		result = tell_ended(history, err);
	if (result == LO_OK)
		result = tell_remarks(history, err);
	import_sink_advance(history->program.sink, history->time_ns);
	make_past(history);
	return result;
}
