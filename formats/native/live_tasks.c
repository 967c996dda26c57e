#include "formats/native/live_tasks.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/limits.h"
#include "formats/base/macros.h"

/*
 * Ids lead to slots through pages of 256, so that finding one takes no hashing and walking all in
 * order of their ids is free. A page loses its slots when none of its tasks is alive any more; the
 * bits that tell who was ever alive stay, 32 bytes for 256 ids.
 */
#define PAGE_IDS 256u

struct id_page {
	uint32_t *slots; /* slot + 1, 0 = not alive; NULL when nobody is */
	uint32_t alive;
	uint64_t seen[PAGE_IDS / 64];
};

struct live_tasks {
	struct id_page **pages; /* by id / PAGE_IDS */
	uint32_t page_limit;    /* pages beyond are not there */
	uint32_t page_capacity;

	struct live_task *slots;
	uint32_t slot_count; /* in use or free */
	uint32_t slot_capacity;
	uint32_t free_slot; /* + 1; chained by `touch` */
	uint32_t alive;     /* with those that exited in this block */
	uint32_t highest;

	/* Of this block. */
	struct touched_task *touched;
	uint32_t touched_count;
	uint32_t touched_capacity;
	uint32_t *touched_by_row;
	uint32_t row_capacity;
	struct ended_life *ended;
	uint32_t ended_count;
	uint32_t ended_capacity;
	uint32_t exited; /* touched tasks that are to be dropped */
	uint32_t sequence;
};

enum lo_result live_tasks_new(struct live_tasks **out, struct lo_error *err)
{
	*out = calloc(1, sizeof(**out));
	return *out ? LO_OK : lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for tasks");
}

void live_tasks_free(struct live_tasks *tasks)
{
	if (!tasks)
		return;
	for (uint32_t i = 0; i < tasks->page_limit; i++) {
		if (tasks->pages[i])
			free(tasks->pages[i]->slots);
		free(tasks->pages[i]);
	}
	free(tasks->pages);
	free(tasks->slots);
	free(tasks->touched);
	free(tasks->touched_by_row);
	free(tasks->ended);
	free(tasks);
}

/* Makes room for `count` elements in an array that doubles. */
static enum lo_result make_room(
		void *array, uint32_t *capacity, uint32_t count, size_t size, struct lo_error *err)
{
	uint32_t wanted = *capacity ? *capacity : 64;
	void *old;
	void *grown;

	if (count <= *capacity)
		return LO_OK;
	while (wanted < count)
		wanted *= 2;
	memcpy(&old, array, sizeof(old));
	grown = realloc(old, wanted * size);
	if (!grown)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks", wanted);
	memcpy(array, &grown, sizeof(grown));
	*capacity = wanted;
	return LO_OK;
}

/* ---- ids and slots ---- */

static struct id_page *find_page(const struct live_tasks *tasks, uint32_t task)
{
	return task / PAGE_IDS < tasks->page_limit ? tasks->pages[task / PAGE_IDS] : NULL;
}

static bool was_seen(const struct id_page *page, uint32_t task)
{
	return page && page->seen[task % PAGE_IDS / 64] >> task % 64 & 1;
}

/* The slot of a living task + 1, or 0. */
static uint32_t find_slot(const struct live_tasks *tasks, uint32_t task)
{
	const struct id_page *page = find_page(tasks, task);

	return page && page->slots ? page->slots[task % PAGE_IDS] : 0;
}

static enum lo_result make_page(
		struct live_tasks *tasks, uint32_t task, struct id_page **out, struct lo_error *err)
{
	uint32_t number = task / PAGE_IDS;
	enum lo_result result = make_room(&tasks->pages, &tasks->page_capacity, number + 1,
			sizeof(struct id_page *), err);
	struct id_page *page;

	if (result != LO_OK)
		return result;
	while (tasks->page_limit <= number)
		tasks->pages[tasks->page_limit++] = NULL;
	page = tasks->pages[number];
	if (!page)
		page = tasks->pages[number] = calloc(1, sizeof(*page));
	if (!page)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for task %u", task);
	*out = page;
	return LO_OK;
}

static void see(struct live_tasks *tasks, struct id_page *page, uint32_t task)
{
	page->seen[task % PAGE_IDS / 64] |= 1ull << task % 64;
	if (tasks->highest < task)
		tasks->highest = task;
}

static enum lo_result take_slot(struct live_tasks *tasks, uint32_t *slot, struct lo_error *err)
{
	enum lo_result result;

	if (tasks->free_slot != 0) {
		*slot = tasks->free_slot - 1;
		tasks->free_slot = tasks->slots[*slot].touch;
		return LO_OK;
	}
	result = make_room(&tasks->slots, &tasks->slot_capacity, tasks->slot_count + 1,
			sizeof(*tasks->slots), err);
	if (result == LO_OK)
		*slot = tasks->slot_count++;
	return result;
}

/* A slot for a task that has none, in state LIVE_ABSENT. */
static enum lo_result add_task(
		struct live_tasks *tasks, uint32_t task, uint32_t *slot, struct lo_error *err)
{
	struct id_page *page = NULL;
	enum lo_result result = make_page(tasks, task, &page, err);

	if (result == LO_OK && !page->slots) {
		page->slots = calloc(PAGE_IDS, sizeof(*page->slots));
		if (!page->slots)
			result = lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for task %u",
					task);
	}
	if (result == LO_OK)
		result = take_slot(tasks, slot, err);
	if (result != LO_OK)
		return result;
	tasks->slots[*slot] = (struct live_task){ .task = task };
	page->slots[task % PAGE_IDS] = *slot + 1;
	tasks->slots[*slot].again = was_seen(page, task);
	see(tasks, page, task);
	page->alive++;
	tasks->alive++;
	return LO_OK;
}

static void drop_task(struct live_tasks *tasks, uint32_t slot)
{
	struct live_task *task = &tasks->slots[slot];
	struct id_page *page = find_page(tasks, task->task);

	page->slots[task->task % PAGE_IDS] = 0;
	if (--page->alive == 0) {
		free(page->slots);
		page->slots = NULL;
	}
	tasks->alive--;
	*task = (struct live_task){ .touch = tasks->free_slot };
	tasks->free_slot = slot + 1;
}

/* ---- events ---- */

static void forget_block(struct live_tasks *tasks)
{
	for (uint32_t i = 0; i < tasks->touched_count; i++) {
		uint32_t slot = tasks->touched[i].slot;

		tasks->slots[slot].touch = 0;
		if (tasks->slots[slot].state == LIVE_EXITED)
			drop_task(tasks, slot);
	}
	tasks->touched_count = 0;
	tasks->ended_count = 0;
	tasks->exited = 0;
}

static bool begins_a_life(const struct event *event)
{
	return event->kind == EVENT_CREATE || event->kind == EVENT_RUN;
}

static enum lo_result touch(
		struct live_tasks *tasks, uint32_t slot, uint32_t row, struct lo_error *err)
{
	struct live_task *task = &tasks->slots[slot];
	enum lo_result result;

	if (task->touch != 0)
		return LO_OK;
	result = make_room(&tasks->touched, &tasks->touched_capacity, tasks->touched_count + 1,
			sizeof(*tasks->touched), err);
	if (result != LO_OK)
		return result;
	tasks->touched[tasks->touched_count++] = (struct touched_task){
		.task = task->task, .slot = slot, .first_row = row, .before = *task
	};
	task->touch = tasks->touched_count;
	return LO_OK;
}

static void set_state(struct live_task *task, enum live_state state, const struct event *event,
		uint32_t sequence)
{
	task->state = (uint8_t)state;
	task->reason = state == LIVE_BLOCKED ? event->reason : 0;
	task->wait_stack = state == LIVE_BLOCKED ? event->stack : STACK_NONE;
	task->since_ns = event->time_ns;
	task->changed = sequence;
	task->seeded = false;
}

static void appear(struct live_task *task, const struct event *event, uint32_t sequence)
{
	set_state(task, LIVE_ACTIVE, event, sequence);
	task->birth_ns = event->time_ns;
	task->born = sequence;
	task->creation_stack = STACK_NONE;
	task->existing = event->kind != EVENT_CREATE || (event->flags & EVENT_FLAG_EXISTING);
}

bool live_task_step(struct live_task *task, const struct event *event, uint32_t sequence)
{
	bool appears = task->state == LIVE_ABSENT || task->state == LIVE_EXITED;

	if (task->state == LIVE_EXITED && !begins_a_life(event))
		return false;
	if (appears)
		appear(task, event, sequence);
	switch (event->kind) {
	case EVENT_CREATE:
		task->creation_stack = event->stack;
		return appears;
	case EVENT_RUN:
	case EVENT_UNBLOCK:
		if (task->state != LIVE_BLOCKED)
			return appears;
		set_state(task, LIVE_ACTIVE, event, sequence);
		return true;
	case EVENT_BLOCK:
		set_state(task, LIVE_BLOCKED, event, sequence);
		return true;
	case EVENT_EXIT:
		set_state(task, LIVE_EXITED, event, sequence);
		return true;
	default:
		return appears;
	}
}

static enum lo_result end_life(struct live_tasks *tasks, const struct live_task *task,
		const struct event *event, struct lo_error *err)
{
	enum lo_result result = make_room(&tasks->ended, &tasks->ended_capacity,
			tasks->ended_count + 1, sizeof(*tasks->ended), err);

	if (result != LO_OK)
		return result;
	tasks->ended[tasks->ended_count++] = (struct ended_life){ task->birth_ns, event->time_ns,
		task->task, task->creation_stack, task->born, task->existing };
	return LO_OK;
}

static enum lo_result apply(struct live_tasks *tasks, uint32_t slot, const struct event *event,
		struct lo_error *err)
{
	struct live_task *task = &tasks->slots[slot];
	bool was_exited = task->state == LIVE_EXITED;
	bool changed = live_task_step(task, event, tasks->sequence);

	if (!changed)
		return LO_OK;
	if (was_exited) {
		tasks->exited--;
		task->again = true;
	}
	if (task->state != LIVE_EXITED)
		return LO_OK;
	tasks->exited++;
	return end_life(tasks, task, event, err);
}

/* A row of a task that exited in an earlier block and does not begin a new life. */
#define NO_SLOT UINT32_MAX

static enum lo_result find_or_add(struct live_tasks *tasks, const struct event *event,
		uint32_t *slot, struct lo_error *err)
{
	*slot = find_slot(tasks, event->task);
	if (LO_LIKELY(*slot != 0)) {
		--*slot;
		return LO_OK;
	}
	*slot = NO_SLOT;
	if (was_seen(find_page(tasks, event->task), event->task) && !begins_a_life(event))
		return LO_OK;
	return add_task(tasks, event->task, slot, err);
}

enum lo_result live_tasks_advance(struct live_tasks *tasks, const struct event *events,
		uint32_t rows, uint32_t sequence, struct lo_error *err)
{
	enum lo_result result;

	forget_block(tasks);
	tasks->sequence = sequence;
	result = make_room(&tasks->touched_by_row, &tasks->row_capacity, rows,
			sizeof(*tasks->touched_by_row), err);
	for (uint32_t row = 0; row < rows && result == LO_OK; row++) {
		uint32_t slot = 0;

		result = find_or_add(tasks, &events[row], &slot, err);
		tasks->touched_by_row[row] = UINT32_MAX;
		if (result != LO_OK || slot == NO_SLOT)
			continue;
		result = touch(tasks, slot, row, err);
		if (result != LO_OK)
			break;
		tasks->touched_by_row[row] = tasks->slots[slot].touch - 1;
		tasks->touched[tasks->touched_by_row[row]].rows++;
		result = apply(tasks, slot, &events[row], err);
	}
	return result;
}

/* ---- starting in the middle ---- */

enum lo_result live_tasks_seed(struct live_tasks *tasks, uint32_t task, enum live_state state,
		uint8_t reason, uint32_t changed, struct lo_error *err)
{
	uint32_t slot = 0;
	enum lo_result result = add_task(tasks, task, &slot, err);

	if (result == LO_OK)
		tasks->slots[slot] = (struct live_task){ .task = task,
			.state = (uint8_t)state,
			.reason = reason,
			.changed = changed,
			.seeded = true };
	return result;
}

enum lo_result live_tasks_seed_exited(struct live_tasks *tasks, uint32_t task, struct lo_error *err)
{
	struct id_page *page = NULL;
	enum lo_result result = make_page(tasks, task, &page, err);

	if (result == LO_OK)
		see(tasks, page, task);
	return result;
}

/* ---- looking ---- */

bool live_tasks_have_seen(const struct live_tasks *tasks, uint32_t task)
{
	return was_seen(find_page(tasks, task), task);
}

uint32_t live_tasks_count(const struct live_tasks *tasks)
{
	return tasks->alive - tasks->exited;
}

static bool is_alive(const struct live_task *task)
{
	return task->state == LIVE_ACTIVE || task->state == LIVE_BLOCKED;
}

const struct live_task *live_tasks_find(const struct live_tasks *tasks, uint32_t task)
{
	uint32_t slot = find_slot(tasks, task);

	return slot != 0 && is_alive(&tasks->slots[slot - 1]) ? &tasks->slots[slot - 1] : NULL;
}

const struct live_task *live_tasks_next(const struct live_tasks *tasks, uint32_t task)
{
	for (uint64_t id = (uint64_t)task + 1; id / PAGE_IDS < tasks->page_limit; id++) {
		const struct id_page *page = tasks->pages[id / PAGE_IDS];
		uint32_t slot;

		if (!page || !page->slots) {
			id |= PAGE_IDS - 1;
			continue;
		}
		slot = page->slots[id % PAGE_IDS];
		if (slot != 0 && is_alive(&tasks->slots[slot - 1]))
			return &tasks->slots[slot - 1];
	}
	return NULL;
}

const struct live_task *live_tasks_at(const struct live_tasks *tasks, uint32_t slot)
{
	return &tasks->slots[slot];
}

const struct touched_task *live_tasks_touched(const struct live_tasks *tasks, uint32_t *count)
{
	*count = tasks->touched_count;
	return tasks->touched;
}

const uint32_t *live_tasks_touched_by_row(const struct live_tasks *tasks)
{
	return tasks->touched_by_row;
}

const struct ended_life *live_tasks_ended(const struct live_tasks *tasks, uint32_t *count)
{
	*count = tasks->ended_count;
	return tasks->ended;
}

uint32_t live_tasks_highest(const struct live_tasks *tasks)
{
	return tasks->highest;
}

/* The first id from `from` up to the highest that was seen, or was not; 0 when there is none. */
static uint32_t find_id(const struct live_tasks *tasks, uint32_t from, bool seen)
{
	for (uint32_t word = from / 64; word <= tasks->highest / 64; word++) {
		const struct id_page *page = find_page(tasks, word * 64);
		uint64_t bits = page ? page->seen[word % (PAGE_IDS / 64)] : 0;
		uint32_t task;

		if (!seen)
			bits = ~bits;
		if (word == from / 64)
			bits &= UINT64_MAX << from % 64;
		if (bits == 0)
			continue;
		task = word * 64 + (uint32_t)__builtin_ctzll(bits);
		return task <= tasks->highest ? task : 0;
	}
	return 0;
}

uint32_t live_tasks_unseen(const struct live_tasks *tasks, uint32_t from, uint32_t *end)
{
	uint32_t begin = find_id(tasks, from > TASK_NONE ? from : 1, false);

	if (begin != 0)
		*end = find_id(tasks, begin, true);
	return begin;
}
