#include "viewer/ui/lanes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const order_names[LANE_ORDER_COUNT] = {
	[LANE_ORDER_FINDING] = "finding",
	[LANE_ORDER_TASK] = "task",
	[LANE_ORDER_NAME] = "name",
	[LANE_ORDER_STATE] = "state",
	[LANE_ORDER_BLOCKED] = "blocked",
	[LANE_ORDER_LONGEST] = "longest",
	[LANE_ORDER_WAITS] = "waits",
	[LANE_ORDER_SINCE] = "since",
};

const char *lane_order_name(enum lane_order order)
{
	return order < LANE_ORDER_COUNT ? order_names[order] : "";
}

static bool is_runtime(const struct analysis *analysis, uint32_t id)
{
	struct task_info info;

	return trace_reader_task(analysis->reader, id, &info) && info.flags & TASK_FLAG_RUNTIME;
}

enum lo_result lanes_fill(struct lanes *lanes, const struct analysis *analysis, bool with_runtime,
		struct lo_error *err)
{
	uint32_t *tasks = malloc(((size_t)analysis->task_limit + 1) * sizeof(*tasks));

	if (!tasks)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u rows",
				analysis->task_limit);
	free(lanes->tasks);
	lanes->tasks = tasks;
	lanes->with_runtime = with_runtime;
	lanes->count = lanes->hidden = 0;
	lanes->sorted = false;
	for (uint32_t id = 1; id < analysis->task_limit; id++)
		if (analysis->tasks[id].state == TASK_STATE_ABSENT)
			continue;
		else if (!with_runtime && is_runtime(analysis, id))
			lanes->hidden++;
		else
			tasks[lanes->count++] = id;
	if (lanes->count > 0 || lanes->hidden == 0)
		return LO_OK;
	for (uint32_t id = 1; id < analysis->task_limit; id++)
		if (analysis->tasks[id].state != TASK_STATE_ABSENT)
			tasks[lanes->count++] = id;
	lanes->hidden = 0;
	return LO_OK;
}

void lanes_release(struct lanes *lanes)
{
	free(lanes->tasks);
	*lanes = (struct lanes){ .tasks = NULL };
}

uint64_t task_state_since(const struct task_summary *task)
{
	if (task->state == TASK_STATE_BLOCKED)
		return task->wait.since_ns;
	if (task->state == TASK_STATE_EXITED)
		return task->end_ns;
	return task->last_wake_ns > task->begin_ns ? task->last_wake_ns : task->begin_ns;
}

struct sorting {
	const struct lanes *lanes;
	const struct analysis *analysis;
	const uint32_t *findings;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static const char *name_of(const struct analysis *analysis, uint32_t id)
{
	struct task_info info;

	trace_reader_task(analysis->reader, id, &info);
	return trace_reader_string(analysis->reader, info.name, NULL);
}

/* Blocked first, then active, then exited: what asks for attention is on top. */
static uint64_t state_rank(const struct task_summary *task)
{
	static const uint8_t ranks[] = {
		[TASK_STATE_ABSENT] = 3,
		[TASK_STATE_ACTIVE] = 1,
		[TASK_STATE_BLOCKED] = 0,
		[TASK_STATE_EXITED] = 2,
	};

	return task->state < sizeof(ranks) ? ranks[task->state] : 3;
}

static int compare_in_order(const struct sorting *sorting, uint32_t a, uint32_t b)
{
	const struct task_summary *left = &sorting->analysis->tasks[a];
	const struct task_summary *right = &sorting->analysis->tasks[b];

	switch (sorting->lanes->order) {
	case LANE_ORDER_FINDING:
		/* 0 (no finding) minus one wraps to the largest number: last. */
		return compare_numbers(sorting->findings[a] - 1u, sorting->findings[b] - 1u);
	case LANE_ORDER_NAME:
		return strcmp(name_of(sorting->analysis, a), name_of(sorting->analysis, b));
	case LANE_ORDER_STATE:
		return compare_numbers(state_rank(left), state_rank(right));
	case LANE_ORDER_BLOCKED:
		return compare_numbers(right->blocked_ns, left->blocked_ns);
	case LANE_ORDER_LONGEST:
		return compare_numbers(right->longest_block_ns, left->longest_block_ns);
	case LANE_ORDER_WAITS:
		return compare_numbers(right->blocks, left->blocks);
	case LANE_ORDER_SINCE:
		return compare_numbers(task_state_since(left), task_state_since(right));
	default:
		return compare_numbers(a, b);
	}
}

/* Ties fall back to the id, so that the order is total and rows never swap by chance. */
static int compare_tasks(const void *a, const void *b, void *context)
{
	const struct sorting *sorting = context;
	uint32_t left = *(const uint32_t *)a;
	uint32_t right = *(const uint32_t *)b;
	int order = compare_in_order(sorting, left, right);

	if (order == 0)
		order = compare_numbers(left, right);
	return sorting->lanes->reversed ? -order : order;
}

void lanes_sort(struct lanes *lanes, const struct analysis *analysis, const uint32_t *findings)
{
	struct sorting sorting = { lanes, analysis, findings };

	if (lanes->sorted)
		return;
	qsort_r(lanes->tasks, (size_t)lanes->count, sizeof(*lanes->tasks), compare_tasks, &sorting);
	lanes->sorted = true;
}

void lanes_next_order(struct lanes *lanes, int step)
{
	int order = (int)lanes->order + step;

	lanes->order = (enum lane_order)((order + LANE_ORDER_COUNT) % LANE_ORDER_COUNT);
	lanes->reversed = false;
	lanes->sorted = false;
}

void lanes_reverse(struct lanes *lanes)
{
	lanes->reversed = !lanes->reversed;
	lanes->sorted = false;
}

const char *lanes_hidden(const struct lanes *lanes, char out[LANES_HIDDEN_MAX])
{
	out[0] = '\0';
	if (lanes->hidden > 0)
		snprintf(out, LANES_HIDDEN_MAX, ", %d hidden (R)", lanes->hidden);
	return out;
}

int lanes_row(const struct lanes *lanes, uint32_t task)
{
	for (int row = 0; row < lanes->count; row++)
		if (lanes->tasks[row] == task)
			return row;
	return -1;
}
