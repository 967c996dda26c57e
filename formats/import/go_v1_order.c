#include "formats/import/go_v1_order.h"

#include <stdlib.h>
#include <string.h>

#include "formats/import/grow.h"
#include "formats/import/time_heap.h"

enum status {
	DEAD,
	RUNNABLE,
	RUNNING,
	WAITING
};

enum concerns {
	NOBODY,   /* always ready */
	ARGUMENT, /* the goroutine that the event names */
	CURRENT,  /* the one that runs on this P */
};

enum sequence {
	ANY,
	NEW,   /* 0, becomes 1 */
	FIRST, /* 1, becomes 2 */
	GIVEN, /* as the event says, becomes one more */
	NEXT,  /* any, becomes one more */
};

/* What an event needs of the goroutine that it concerns, and makes of it. */
struct transition {
	uint8_t concerns;
	uint8_t sequence;
	uint8_t before;
	uint8_t after;
};

#define BLOCKS                                 \
	{                                      \
		CURRENT, ANY, RUNNING, WAITING \
	}
#define YIELDS                                  \
	{                                       \
		CURRENT, ANY, RUNNING, RUNNABLE \
	}

static const struct transition transitions[GO_V1_TYPES] = {
	[GO_V1_GO_CREATE] = { ARGUMENT, NEW, DEAD, RUNNABLE },
	[GO_V1_GO_WAITING] = { ARGUMENT, FIRST, RUNNABLE, WAITING },
	[GO_V1_GO_IN_SYSCALL] = { ARGUMENT, FIRST, RUNNABLE, WAITING },
	[GO_V1_GO_START] = { ARGUMENT, GIVEN, RUNNABLE, RUNNING },
	[GO_V1_GO_START_LABEL] = { ARGUMENT, GIVEN, RUNNABLE, RUNNING },
	[GO_V1_GO_START_LOCAL] = { ARGUMENT, NEXT, RUNNABLE, RUNNING },
	[GO_V1_GO_UNBLOCK] = { ARGUMENT, GIVEN, WAITING, RUNNABLE },
	[GO_V1_GO_UNBLOCK_LOCAL] = { ARGUMENT, NEXT, WAITING, RUNNABLE },
	[GO_V1_GO_SYSCALL_EXIT] = { ARGUMENT, GIVEN, WAITING, RUNNABLE },
	[GO_V1_GO_SYSCALL_EXIT_LOCAL] = { ARGUMENT, NEXT, WAITING, RUNNABLE },
	[GO_V1_GO_SLEEP] = BLOCKS,
	[GO_V1_GO_BLOCK] = BLOCKS,
	[GO_V1_GO_BLOCK_SEND] = BLOCKS,
	[GO_V1_GO_BLOCK_RECEIVE] = BLOCKS,
	[GO_V1_GO_BLOCK_SELECT] = BLOCKS,
	[GO_V1_GO_BLOCK_SYNC] = BLOCKS,
	[GO_V1_GO_BLOCK_COND] = BLOCKS,
	[GO_V1_GO_BLOCK_NET] = BLOCKS,
	[GO_V1_GO_BLOCK_GC] = BLOCKS,
	[GO_V1_GO_SYSCALL_BLOCK] = BLOCKS,
	[GO_V1_GO_SCHED] = YIELDS,
	[GO_V1_GO_PREEMPT] = YIELDS,
};

/* The events of one P, with the goroutine that runs there. */
struct lane {
	struct byte_cursor bytes;
	uint32_t next_batch; /* index + 1 */
	uint64_t ticks;
	uint32_t current; /* index + 1 of the goroutine, 0 = none */
	uint64_t proc;
	struct go_v1_event event;
};

struct ordering {
	struct go_v1_order *order;
	const struct go_v1_file *file;
	struct lane *lanes;
	struct time_heap heap;
	uint64_t tests_left; /* see go_order.c */
	uint64_t gc_sequence;
	bool set_up; /* the first GOMAXPROCS is behind us */
	bool begun;  /* so is the first event that is more than the list of who is there */
};

#define TESTS_PER_BYTE 16u

static bool open_next_batch(struct ordering *ordering, struct lane *lane)
{
	const struct go_v1_batch *batch;

	if (lane->next_batch == 0)
		return false;
	batch = &ordering->file->batches[lane->next_batch - 1];
	lane->bytes = byte_cursor_over(ordering->file->bytes.bytes + batch->begin, batch->size);
	lane->next_batch = batch->next;
	lane->ticks = batch->ticks;
	return true;
}

/* Tables, and samples that stand outside of time, belong to no order. */
static bool is_ordered(const struct go_v1_event *event)
{
	switch (event->type) {
	case GO_V1_BATCH:
	case GO_V1_FREQUENCY:
	case GO_V1_STACK:
	case GO_V1_STRING:
	case GO_V1_TIMER_GOROUTINE:
	case GO_V1_CPU_SAMPLE:
		return false;
	default:
		return true;
	}
}

static bool next_event(struct ordering *ordering, struct lane *lane)
{
	for (;;) {
		if (byte_cursor_left(&lane->bytes) == 0) {
			if (!open_next_batch(ordering, lane))
				return false;
			continue;
		}
		if (!go_v1_parse(&lane->bytes, &lane->event)) {
			ordering->order->broken_batches++;
			lane->bytes = byte_cursor_over(NULL, 0);
			continue;
		}
		if (lane->event.type == GO_V1_CPU_SAMPLE) /* its delta still counts */
			lane->ticks += lane->event.arguments[0];
		if (!is_ordered(&lane->event))
			continue;
		if (lane->event.arguments[0] > UINT64_MAX - lane->ticks)
			continue;
		lane->ticks += lane->event.arguments[0];
		return true;
	}
}

static enum lo_result find_goroutine(
		struct go_v1_order *order, uint64_t number, uint32_t *index, struct lo_error *err)
{
	uint32_t found = number_map_get(&order->goroutine_index, number);
	struct go_v1_goroutine *goroutines;

	*index = found - 1;
	if (found != 0)
		return LO_OK;
	goroutines = grow_array(order->goroutines, order->goroutine_count,
			&order->goroutine_capacity, sizeof(*goroutines), "goroutines", err);
	if (!goroutines)
		return LO_NO_MEMORY;
	order->goroutines = goroutines;
	*index = order->goroutine_count++;
	order->goroutines[*index] = (struct go_v1_goroutine){ .number = number };
	return number_map_put(&order->goroutine_index, number, order->goroutine_count, err);
}

static const struct go_v1_goroutine *concerned(
		const struct ordering *ordering, const struct lane *lane)
{
	static const struct go_v1_goroutine unknown = { .status = DEAD };
	uint32_t index = lane->current;

	if (transitions[lane->event.type].concerns == ARGUMENT)
		index = number_map_get(&ordering->order->goroutine_index, lane->event.arguments[1]);
	return index ? &ordering->order->goroutines[index - 1] : &unknown;
}

static bool is_ready(const struct ordering *ordering, const struct lane *lane)
{
	const struct transition *transition = &transitions[lane->event.type];
	const struct go_v1_goroutine *goroutine;

	if (lane->event.type == GO_V1_GC_START)
		return lane->event.arguments[1] == ordering->gc_sequence;
	if (transition->concerns == NOBODY)
		return true;
	goroutine = concerned(ordering, lane);
	if (goroutine->status != transition->before)
		return false;
	switch (transition->sequence) {
	case NEW:
		return goroutine->sequence == 0;
	case FIRST:
		return goroutine->sequence == 1;
	case GIVEN:
		return goroutine->sequence == lane->event.arguments[2];
	default:
		return true;
	}
}

static uint32_t choose(struct ordering *ordering)
{
	struct time_heap *heap = &ordering->heap;
	uint32_t best = UINT32_MAX;

	if (is_ready(ordering, &ordering->lanes[heap->slots[0].lane]))
		return 0;
	if (ordering->tests_left >= heap->size) {
		ordering->tests_left -= heap->size;
		for (uint32_t i = 1; i < heap->size; i++)
			if ((best == UINT32_MAX || heap->slots[i].time < heap->slots[best].time) &&
					is_ready(ordering, &ordering->lanes[heap->slots[i].lane]))
				best = i;
	}
	if (best != UINT32_MAX)
		return best;
	ordering->order->forced++;
	return 0;
}

static enum lo_result add_step(
		struct go_v1_order *order, const struct go_v1_step *step, struct lo_error *err)
{
	if (order->step_count == order->step_capacity) {
		uint64_t capacity = order->step_capacity ? order->step_capacity * 2 : 4096;
		struct go_v1_step *steps = realloc(order->steps, capacity * sizeof(*steps));

		if (!steps)
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %llu events",
					(unsigned long long)capacity);
		order->steps = steps;
		order->step_capacity = capacity;
	}
	order->steps[order->step_count++] = *step;
	return LO_OK;
}

static void change_state(struct go_v1_goroutine *goroutine, const struct go_v1_event *event)
{
	const struct transition *transition = &transitions[event->type];

	goroutine->status = transition->after;
	switch (transition->sequence) {
	case NEW:
		goroutine->sequence = 1;
		break;
	case FIRST:
		goroutine->sequence = 2;
		break;
	case GIVEN:
		goroutine->sequence = event->arguments[2] + 1;
		break;
	case NEXT:
		goroutine->sequence++;
		break;
	default:
		break;
	}
}

static uint32_t stack_id(uint64_t id)
{
	return id <= UINT32_MAX ? (uint32_t)id : 0;
}

static bool is_start(uint8_t type)
{
	return type == GO_V1_GO_START || type == GO_V1_GO_START_LOCAL ||
	       type == GO_V1_GO_START_LABEL;
}

/* At its start a trace lists who is there as if they were created, by nobody. */
static bool lists_existing(const struct ordering *ordering, const struct lane *lane)
{
	return lane->event.type == GO_V1_GO_CREATE && !ordering->set_up && lane->current == 0;
}

/* Fills what the step needs of the event's arguments; false for events that change no task. */
static bool describe(struct ordering *ordering, const struct lane *lane, struct go_v1_step *step)
{
	const uint64_t *arguments = lane->event.arguments;
	struct go_v1_goroutine *goroutine = &ordering->order->goroutines[step->goroutine];
	uint64_t real_ticks = 0;

	switch (lane->event.type) {
	case GO_V1_GO_CREATE:
		goroutine->existing = lists_existing(ordering, lane);
		step->start = stack_id(arguments[2]);
		step->stack = stack_id(arguments[3]);
		return true;
	case GO_V1_GO_SYSCALL_EXIT:
		real_ticks = arguments[3];
		break;
	case GO_V1_GO_SYSCALL_EXIT_LOCAL:
		real_ticks = arguments[2];
		break;
	case GO_V1_GO_SYSCALL:
		goroutine->syscall_stack = stack_id(arguments[1]);
		return false;
	case GO_V1_GO_SYSCALL_BLOCK:
		step->stack = goroutine->syscall_stack;
		return true;
	case GO_V1_GO_SCHED:
	case GO_V1_GO_PREEMPT:
		return false;
	case GO_V1_GO_UNBLOCK:
	case GO_V1_GO_UNBLOCK_LOCAL:
	case GO_V1_GO_WAITING:
	case GO_V1_GO_IN_SYSCALL:
	case GO_V1_GO_END:
		return true;
	default:
		step->stack = stack_id(arguments[1]);
		return true;
	}
	if (real_ticks != 0)
		step->ticks = real_ticks;
	return true;
}

static bool ends_slice(uint8_t type)
{
	return type == GO_V1_GO_END || type == GO_V1_GO_STOP ||
	       transitions[type].concerns == CURRENT;
}

bool go_v1_is_remark(uint8_t type)
{
	switch (type) {
	case GO_V1_GOMAXPROCS:
	case GO_V1_GC_START:
	case GO_V1_GC_DONE:
	case GO_V1_STW_START:
	case GO_V1_STW_DONE:
	case GO_V1_SWEEP_START:
	case GO_V1_SWEEP_DONE:
	case GO_V1_HEAP_ALLOC:
	case GO_V1_HEAP_GOAL:
	case GO_V1_MARK_ASSIST_START:
	case GO_V1_MARK_ASSIST_DONE:
	case GO_V1_USER_TASK_CREATE:
	case GO_V1_USER_TASK_END:
	case GO_V1_USER_REGION:
	case GO_V1_USER_LOG:
	case GO_V1_LABEL:
		return true;
	default:
		return false;
	}
}

/* Position of the stack among the arguments, the time being the first; 0 = it has none. */
static unsigned stack_argument(uint8_t type)
{
	switch (type) {
	case GO_V1_SWEEP_START:
	case GO_V1_MARK_ASSIST_START:
		return 1;
	case GO_V1_GC_START:
	case GO_V1_USER_TASK_END:
		return 2;
	case GO_V1_USER_LOG:
		return 3;
	case GO_V1_USER_TASK_CREATE:
	case GO_V1_USER_REGION:
		return 4;
	default:
		return 0;
	}
}

static enum lo_result add_remark(struct ordering *ordering, const struct lane *lane, uint8_t type,
		struct lo_error *err)
{
	struct go_v1_order *order = ordering->order;
	const struct go_v1_event *event = &lane->event;
	unsigned stack = stack_argument(event->type);
	struct go_v1_remark remark = { .proc = lane->proc };
	struct go_v1_step step = { .ticks = lane->ticks,
		.goroutine = lane->current ? lane->current - 1 : 0,
		.by = lane->current,
		.stack = stack ? stack_id(event->arguments[stack]) : 0,
		.start = order->remark_count,
		.type = type };
	struct go_v1_remark *remarks = grow_array(order->remarks, order->remark_count,
			&order->remark_capacity, sizeof(*remarks), "remarks", err);

	if (!remarks)
		return LO_NO_MEMORY;
	for (unsigned i = 0; i < LO_COUNT_OF(remark.arguments); i++)
		remark.arguments[i] = event->arguments[i + 1];
	if (event->type == GO_V1_USER_LOG) {
		remark.text = (size_t)(event->rest.next - ordering->file->bytes.bytes);
		remark.text_length = (uint32_t)byte_cursor_left(&event->rest);
	}
	order->remarks = remarks;
	remarks[order->remark_count++] = remark;
	return add_step(order, &step, err);
}

static bool concerns_task(uint8_t type)
{
	return transitions[type].concerns != NOBODY || type == GO_V1_GO_END ||
	       type == GO_V1_GO_STOP || type == GO_V1_GO_SYSCALL;
}

static enum lo_result apply_to_task(
		struct ordering *ordering, struct lane *lane, struct lo_error *err)
{
	struct go_v1_order *order = ordering->order;
	const struct go_v1_event *event = &lane->event;
	struct go_v1_step step = { .ticks = lane->ticks, .by = lane->current, .type = event->type };
	bool first_run;

	if (transitions[event->type].concerns == ARGUMENT) {
		enum lo_result result = find_goroutine(
				order, event->arguments[1], &step.goroutine, err);

		if (result != LO_OK)
			return result;
	} else if (lane->current != 0) {
		step.goroutine = lane->current - 1;
	} else {
		return LO_OK; /* nobody runs here: an earlier event is missing */
	}
	first_run = order->goroutines[step.goroutine].sequence <= 1; /* 1 since its creation */
	if (transitions[event->type].concerns != NOBODY)
		change_state(&order->goroutines[step.goroutine], event);
	if (is_start(event->type))
		lane->current = step.goroutine + 1;
	else if (ends_slice(event->type))
		lane->current = 0;
	if (is_start(event->type) && !first_run)
		return LO_OK;
	return describe(ordering, lane, &step) ? add_step(order, &step, err) : LO_OK;
}

static enum lo_result apply(struct ordering *ordering, struct lane *lane, struct lo_error *err)
{
	struct go_v1_order *order = ordering->order;
	uint8_t type = lane->event.type;
	enum lo_result result = LO_OK;

	if (!ordering->begun && !lists_existing(ordering, lane)) {
		order->first_ticks = lane->ticks;
		ordering->begun = true;
	}
	if (lane->ticks > order->last_ticks)
		order->last_ticks = lane->ticks;
	if (type == GO_V1_GC_START)
		ordering->gc_sequence = lane->event.arguments[1] + 1;
	if (type == GO_V1_GOMAXPROCS)
		ordering->set_up = true;
	if (go_v1_is_remark(type))
		return add_remark(ordering, lane, type, err);
	if (concerns_task(type))
		result = apply_to_task(ordering, lane, err);
	if (result == LO_OK && type == GO_V1_GO_START_LABEL)
		result = add_remark(ordering, lane, GO_V1_LABEL, err);
	return result;
}

static enum lo_result open_lanes(struct ordering *ordering, struct lo_error *err)
{
	uint32_t count = ordering->file->proc_count;

	ordering->lanes = calloc(count ? count : 1, sizeof(*ordering->lanes));
	ordering->heap.slots = calloc(count ? count : 1, sizeof(*ordering->heap.slots));
	if (!ordering->lanes || !ordering->heap.slots)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u Ps", count);
	for (uint32_t i = 0; i < count; i++) {
		struct lane *lane = &ordering->lanes[i];

		lane->next_batch = ordering->file->procs[i].first;
		lane->proc = ordering->file->procs[i].number;
		if (next_event(ordering, lane))
			time_heap_add(&ordering->heap, lane->ticks, i);
	}
	ordering->order->first_ticks = ordering->heap.size ? ordering->heap.slots[0].time : 0;
	ordering->order->last_ticks = ordering->order->first_ticks;
	return LO_OK;
}

static enum lo_result run(struct ordering *ordering, struct lo_error *err)
{
	enum lo_result result = open_lanes(ordering, err);

	while (result == LO_OK && ordering->heap.size > 0) {
		uint32_t at = choose(ordering);
		struct lane *lane = &ordering->lanes[ordering->heap.slots[at].lane];

		result = apply(ordering, lane, err);
		if (next_event(ordering, lane)) {
			ordering->heap.slots[at].time = lane->ticks;
			time_heap_sink(&ordering->heap, at);
		} else {
			time_heap_remove(&ordering->heap, at);
		}
	}
	return result;
}

static bool is_syscall_exit(const struct go_v1_step *step)
{
	return step->type == GO_V1_GO_SYSCALL_EXIT || step->type == GO_V1_GO_SYSCALL_EXIT_LOCAL;
}

/* A call cannot have ended before it began: no earlier than the goroutine's last step. */
static enum lo_result bound_exits(struct go_v1_order *order, struct lo_error *err)
{
	uint64_t *last = calloc(order->goroutine_count ? order->goroutine_count : 1, sizeof(*last));
	uint64_t latest = order->first_ticks;

	if (!last)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to order events");
	for (uint64_t i = 0; i < order->step_count; i++) {
		struct go_v1_step *step = &order->steps[i];

		if (is_syscall_exit(step)) {
			if (step->ticks > latest)
				step->ticks = latest;
			if (step->ticks < last[step->goroutine])
				step->ticks = last[step->goroutine];
		} else {
			if (step->ticks < latest)
				step->ticks = latest; /* a forced event */
			latest = step->ticks;
		}
		if (!go_v1_is_remark(step->type))
			last[step->goroutine] = step->ticks;
	}
	free(last);
	return LO_OK;
}

/* By time, and where that is equal as they stood. */
static int compare_steps(const void *left, const void *right)
{
	const struct go_v1_step *a = *(const struct go_v1_step *const *)left;
	const struct go_v1_step *b = *(const struct go_v1_step *const *)right;

	if (a->ticks != b->ticks)
		return a->ticks < b->ticks ? -1 : 1;
	return (a > b) - (a < b);
}

/* All other steps stand in the order of time already: sort the exits and merge. */
static enum lo_result move_exits(struct go_v1_order *order, struct lo_error *err)
{
	uint64_t exits = 0;
	uint64_t next_exit = 0;
	uint64_t at = 0;
	const struct go_v1_step **list;
	struct go_v1_step *merged;

	for (uint64_t i = 0; i < order->step_count; i++)
		exits += is_syscall_exit(&order->steps[i]);
	if (exits == 0)
		return LO_OK;
	list = calloc(exits, sizeof(*list));
	merged = calloc(order->step_count, sizeof(*merged));
	if (!list || !merged) {
		free(list);
		free(merged);
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to order events");
	}
	exits = 0;
	for (uint64_t i = 0; i < order->step_count; i++)
		if (is_syscall_exit(&order->steps[i]))
			list[exits++] = &order->steps[i];
	qsort(list, exits, sizeof(*list), compare_steps);
	for (uint64_t i = 0; i < order->step_count; i++) {
		const struct go_v1_step *step = &order->steps[i];

		if (is_syscall_exit(step))
			continue;
		while (next_exit < exits && compare_steps(&list[next_exit], &step) < 0)
			merged[at++] = *list[next_exit++];
		merged[at++] = *step;
	}
	while (next_exit < exits)
		merged[at++] = *list[next_exit++];
	free(list);
	free(order->steps);
	order->steps = merged;
	order->step_capacity = order->step_count;
	return LO_OK;
}

enum lo_result go_v1_order_run(
		struct go_v1_order *order, struct go_v1_file *file, struct lo_error *err)
{
	struct ordering ordering = { .order = order,
		.file = file,
		.tests_left = (uint64_t)file->bytes.size * TESTS_PER_BYTE };
	enum lo_result result = run(&ordering, err);

	free(ordering.lanes);
	free(ordering.heap.slots);
	if (result == LO_OK)
		result = bound_exits(order, err);
	if (result == LO_OK)
		result = move_exits(order, err);
	return result;
}

void go_v1_order_release(struct go_v1_order *order)
{
	free(order->steps);
	free(order->remarks);
	free(order->goroutines);
	number_map_release(&order->goroutine_index);
	*order = (struct go_v1_order){ 0 };
}
