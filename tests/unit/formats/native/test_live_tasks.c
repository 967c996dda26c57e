#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/limits.h"
#include "formats/base/macros.h"
#include "formats/native/live_tasks.h"
#include "tests/support/event_generator.h"

/* The same rules, in the plainest way: an array of all ids, and every event from the first on. */
#define IDS 1500u

struct naive_task {
	uint8_t state; /* enum live_state; LIVE_EXITED stays */
	uint8_t reason;
	uint64_t birth_ns;
	uint64_t since_ns;
	uint32_t changed;
	uint32_t creation_stack;
	bool existing;
};

static void naive_change(struct naive_task *task, enum live_state state, const struct event *event,
		uint32_t sequence)
{
	task->state = (uint8_t)state;
	task->reason = state == LIVE_BLOCKED ? event->reason : 0;
	task->since_ns = event->time_ns;
	task->changed = sequence;
}

static void naive_step(struct naive_task *task, const struct event *event, uint32_t sequence)
{
	bool begins = event->kind == EVENT_CREATE || event->kind == EVENT_RUN;

	if (task->state == LIVE_EXITED && !begins)
		return;
	if (task->state == LIVE_ABSENT || task->state == LIVE_EXITED) {
		naive_change(task, LIVE_ACTIVE, event, sequence);
		task->birth_ns = event->time_ns;
		task->existing = event->kind != EVENT_CREATE ||
				 (event->flags & EVENT_FLAG_EXISTING);
		task->creation_stack = STACK_NONE;
	}
	if (event->kind == EVENT_CREATE)
		task->creation_stack = event->stack;
	if (event->kind == EVENT_BLOCK)
		naive_change(task, LIVE_BLOCKED, event, sequence);
	if (event->kind == EVENT_EXIT)
		naive_change(task, LIVE_EXITED, event, sequence);
	if ((event->kind == EVENT_RUN || event->kind == EVENT_UNBLOCK) &&
			task->state == LIVE_BLOCKED)
		naive_change(task, LIVE_ACTIVE, event, sequence);
}

static bool naive_alive(const struct naive_task *task)
{
	return task->state == LIVE_ACTIVE || task->state == LIVE_BLOCKED;
}

/* Any kind of event for any task: most of them make no sense after each other. */
static struct event random_event(uint64_t *dice, uint64_t time_ns)
{
	return (struct event){ .time_ns = time_ns,
		.task = 1 + (uint32_t)generator_random(dice, IDS - 1),
		.kind = (uint8_t)generator_random(dice, EVENT_KIND_COUNT),
		.reason = (uint8_t)generator_random(dice, 4),
		.stack = (uint32_t)generator_random(dice, 9),
		.flags = generator_random(dice, 5) == 0 ? EVENT_FLAG_EXISTING : 0 };
}

static void check_same(const struct live_task *task, const struct naive_task *naive)
{
	assert_non_null(task);
	assert_int_equal(task->state, naive->state);
	assert_int_equal(task->reason, naive->reason);
	assert_int_equal(task->birth_ns, naive->birth_ns);
	assert_int_equal(task->since_ns, naive->since_ns);
	assert_int_equal(task->changed, naive->changed);
	assert_int_equal(task->creation_stack, naive->creation_stack);
	assert_int_equal(task->existing, naive->existing);
}

static void check_all(const struct live_tasks *tasks, const struct naive_task *naive)
{
	const struct live_task *walk = live_tasks_next(tasks, 0);
	uint32_t alive = 0;

	for (uint32_t id = 1; id < IDS; id++) {
		if (!naive_alive(&naive[id])) {
			assert_null(live_tasks_find(tasks, id));
			continue;
		}
		alive++;
		check_same(live_tasks_find(tasks, id), &naive[id]);
		assert_int_equal(walk->task, id);
		walk = live_tasks_next(tasks, id);
	}
	assert_null(walk);
	assert_int_equal(live_tasks_count(tasks), alive);
}

static void check_unseen(const struct live_tasks *tasks, const struct naive_task *naive)
{
	uint32_t highest = live_tasks_highest(tasks);
	bool unseen[IDS] = { false };
	uint32_t end = 1;

	for (uint32_t begin; (begin = live_tasks_unseen(tasks, end, &end)) != 0;) {
		assert_true(begin < end && end <= highest);
		for (uint32_t id = begin; id < end; id++)
			unseen[id] = true;
	}
	for (uint32_t id = 1; id <= highest; id++)
		assert_int_equal(unseen[id], naive[id].state == LIVE_ABSENT);
	assert_true(highest == 0 || naive[highest].state != LIVE_ABSENT);
}

/* `before`: the naive states at the begin of the block. */
static void check_touched(const struct live_tasks *tasks, const struct naive_task *before,
		const struct event *events, uint32_t rows)
{
	uint32_t rows_of[IDS] = { 0 };
	const uint32_t *by_row = live_tasks_touched_by_row(tasks);
	const struct touched_task *touched;
	uint32_t count;

	touched = live_tasks_touched(tasks, &count);
	for (uint32_t row = 0; row < rows; row++) {
		if (by_row[row] == UINT32_MAX) {
			assert_int_equal(before[events[row].task].state, LIVE_EXITED);
			continue;
		}
		assert_true(by_row[row] < count);
		assert_int_equal(touched[by_row[row]].task, events[row].task);
		if (rows_of[events[row].task]++ == 0)
			assert_int_equal(touched[by_row[row]].first_row, row);
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t id = touched[i].task;

		assert_int_equal(touched[i].rows, rows_of[id]);
		if (naive_alive(&before[id]))
			check_same(&touched[i].before, &before[id]);
		else
			assert_int_equal(touched[i].before.state, LIVE_ABSENT);
	}
}

static void states_are_those_of_a_plain_replay(void **state)
{
	static struct naive_task naive[IDS];
	static struct naive_task before[IDS];
	struct event events[64];
	struct live_tasks *tasks;
	uint64_t dice = 7;
	uint64_t now_ns = 0;

	(void)state;
	memset(naive, 0, sizeof(naive));
	assert_int_equal(live_tasks_new(&tasks, NULL), LO_OK);
	for (uint32_t block = 0; block < 600; block++) {
		uint32_t rows = (uint32_t)generator_random(&dice, LO_COUNT_OF(events) + 1);

		memcpy(before, naive, sizeof(naive));
		for (uint32_t row = 0; row < rows; row++) {
			events[row] = random_event(&dice, now_ns += generator_random(&dice, 3));
			naive_step(&naive[events[row].task], &events[row], block);
		}
		assert_int_equal(live_tasks_advance(tasks, events, rows, block, NULL), LO_OK);
		check_all(tasks, naive);
		check_unseen(tasks, naive);
		check_touched(tasks, before, events, rows);
	}
	live_tasks_free(tasks);
}

static struct event event_at(uint64_t time_ns, uint32_t task, enum event_kind kind)
{
	return (struct event){ .time_ns = time_ns, .task = task, .kind = (uint8_t)kind };
}

static void every_life_is_told_when_it_ends(void **state)
{
	struct event events[] = {
		event_at(10, 1, EVENT_CREATE),
		event_at(11, 2, EVENT_BLOCK),
		event_at(20, 1, EVENT_EXIT),
		event_at(21, 1, EVENT_BLOCK), /* a destructor */
		event_at(22, 1, EVENT_RUN),   /* the id is used again */
		event_at(30, 1, EVENT_EXIT),
	};
	const struct ended_life *ended;
	struct live_tasks *tasks;
	uint32_t count;

	(void)state;
	events[0].stack = 5;
	assert_int_equal(live_tasks_new(&tasks, NULL), LO_OK);
	assert_int_equal(live_tasks_advance(tasks, events, LO_COUNT_OF(events), 0, NULL), LO_OK);
	ended = live_tasks_ended(tasks, &count);
	assert_int_equal(count, 2);
	assert_int_equal(ended[0].birth_ns, 10);
	assert_int_equal(ended[0].death_ns, 20);
	assert_int_equal(ended[0].creation_stack, 5);
	assert_false(ended[0].existing);
	assert_int_equal(ended[1].birth_ns, 22);
	assert_int_equal(ended[1].death_ns, 30);
	assert_int_equal(ended[1].creation_stack, STACK_NONE);
	assert_true(ended[1].existing);

	events[0] = event_at(40, 1, EVENT_EXIT); /* a second time: nothing ends */
	assert_int_equal(live_tasks_advance(tasks, events, 1, 1, NULL), LO_OK);
	live_tasks_ended(tasks, &count);
	assert_int_equal(count, 0);
	assert_int_equal(live_tasks_count(tasks), 1);
	live_tasks_free(tasks);
}

static void ids_at_the_limit_are_kept_apart(void **state)
{
	struct event events[] = { event_at(1, LIMIT_TASKS, EVENT_RUN),
		event_at(2, 1, EVENT_BLOCK) };
	struct live_tasks *tasks;
	uint32_t end = 0;

	(void)state;
	assert_int_equal(live_tasks_new(&tasks, NULL), LO_OK);
	assert_int_equal(live_tasks_unseen(tasks, 1, &end), 0);
	assert_null(live_tasks_next(tasks, 0));
	assert_int_equal(live_tasks_advance(tasks, events, 2, 0, NULL), LO_OK);
	assert_int_equal(live_tasks_next(tasks, 1)->task, LIMIT_TASKS);
	assert_null(live_tasks_next(tasks, LIMIT_TASKS));
	assert_int_equal(live_tasks_unseen(tasks, 1, &end), 2);
	assert_int_equal(end, LIMIT_TASKS);
	assert_int_equal(live_tasks_unseen(tasks, end, &end), 0);
	assert_null(live_tasks_find(tasks, UINT32_MAX));
	live_tasks_free(tasks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_are_those_of_a_plain_replay),
		cmocka_unit_test(every_life_is_told_when_it_ends),
		cmocka_unit_test(ids_at_the_limit_are_kept_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
