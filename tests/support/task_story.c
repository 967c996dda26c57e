#include "tests/support/task_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/byte_sink.h"
#include "formats/model/reason.h"
#include "formats/native/trace_writer.h"
#include "tests/support/event_generator.h"

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* ---- the model ---- */

static struct story_part *last_part(struct story_task *task)
{
	return task->part_count ? &task->parts[task->part_count - 1] : NULL;
}

static uint8_t state_of(const struct story_task *task)
{
	return task->part_count ? task->parts[task->part_count - 1].state : STORY_ABSENT;
}

static void begin_part(struct story_task *task, uint64_t now_ns, struct story_part part)
{
	if (last_part(task))
		last_part(task)->end_ns = now_ns;
	if (task->part_count == task->capacity) {
		task->capacity = task->capacity ? task->capacity * 2 : 8;
		task->parts = must(realloc(task->parts, task->capacity * sizeof(*task->parts)));
	}
	part.begin_ns = now_ns;
	part.end_ns = UINT64_MAX;
	task->parts[task->part_count++] = part;
}

static void model_event(struct task_story *story, const struct event *event)
{
	struct story_task *task = &story->tasks[event->task];
	bool begins = event->kind == EVENT_CREATE || event->kind == EVENT_RUN;
	struct story_part part = { .state = STORY_ACTIVE };

	if (state_of(task) == STORY_ABSENT) {
		if (task->gone && !begins)
			return;
		part.site = event->kind == EVENT_CREATE ? event->stack : STACK_NONE;
		begin_part(task, event->time_ns, part);
	}
	part = *last_part(task);
	switch (event->kind) {
	case EVENT_CREATE:
		part.site = event->stack;
		begin_part(task, event->time_ns, part);
		break;
	case EVENT_RUN:
	case EVENT_UNBLOCK:
		part.state = STORY_ACTIVE;
		if (state_of(task) == STORY_BLOCKED)
			begin_part(task, event->time_ns, part);
		break;
	case EVENT_BLOCK:
		part.state = STORY_BLOCKED;
		part.reason = event->reason;
		part.place = event->stack;
		begin_part(task, event->time_ns, part);
		break;
	default:
		part.state = STORY_ABSENT;
		begin_part(task, event->time_ns, part);
		task->gone = true;
		break;
	}
}

static void model(struct task_story *story)
{
	uint32_t alive = 0;
	uint32_t blocked = 0;

	for (uint32_t i = 0; i < story->event_count; i++)
		if (story->events[i].task >= story->task_limit)
			story->task_limit = story->events[i].task + 1;
	story->tasks = must(calloc(story->task_limit, sizeof(*story->tasks)));
	story->levels = must(calloc(story->event_count, sizeof(*story->levels)));
	for (uint32_t i = 0; i < story->event_count; i++) {
		const struct story_task *task = &story->tasks[story->events[i].task];
		uint8_t before = state_of(task);

		model_event(story, &story->events[i]);
		alive += (state_of(task) != STORY_ABSENT) - (uint32_t)(before != STORY_ABSENT);
		blocked += (state_of(task) == STORY_BLOCKED) - (uint32_t)(before == STORY_BLOCKED);
		story->levels[i] = (struct story_level){ story->events[i].time_ns, alive, blocked };
	}
}

/* ---- questions ---- */

static uint64_t overlap(const struct story_part *part, struct time_span span)
{
	uint64_t begin_ns = part->begin_ns > span.begin_ns ? part->begin_ns : span.begin_ns;
	uint64_t end_ns = part->end_ns < span.end_ns ? part->end_ns : span.end_ns;

	return end_ns > begin_ns ? end_ns - begin_ns : 0;
}

/* The first part that ends at or after a time. */
static uint32_t part_at(const struct story_task *task, uint64_t time_ns)
{
	uint32_t low = 0;
	uint32_t high = task->part_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (task->parts[middle].end_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct story_share task_story_share(
		const struct task_story *story, uint32_t id, struct time_span span)
{
	struct story_share share = { .birth_ns = UINT64_MAX, .death_ns = UINT64_MAX };
	const struct story_task *task;

	if (id >= story->task_limit)
		return share;
	task = &story->tasks[id];
	for (uint32_t i = part_at(task, span.begin_ns);
			i < task->part_count && task->parts[i].begin_ns <= span.end_ns; i++) {
		const struct story_part *part = &task->parts[i];
		uint8_t before = i > 0 ? task->parts[i - 1].state : STORY_ABSENT;
		uint64_t length_ns = overlap(part, span);

		share.alive_ns += part->state != STORY_ABSENT ? length_ns : 0;
		share.blocked_ns += part->state == STORY_BLOCKED ? length_ns : 0;
		if (part->begin_ns < span.begin_ns)
			continue;
		if (before == STORY_ABSENT && part->state != STORY_ABSENT)
			share.birth_ns = part->begin_ns;
		if (before != STORY_ABSENT && part->state == STORY_ABSENT)
			share.death_ns = part->begin_ns;
		share.changes += part->state != before;
	}
	return share;
}

bool task_story_waits_for(
		const struct task_story *story, uint32_t id, struct time_span span, uint8_t reason)
{
	const struct story_task *task = &story->tasks[id];

	for (uint32_t i = part_at(task, span.begin_ns);
			i < task->part_count && task->parts[i].begin_ns <= span.end_ns; i++)
		if (task->parts[i].state == STORY_BLOCKED && task->parts[i].reason == reason)
			return true;
	return false;
}

struct story_share task_story_site(
		const struct task_story *story, uint32_t stack, struct time_span span)
{
	struct story_share share = { 0 };

	for (uint32_t id = 0; id < story->task_limit; id++) {
		const struct story_task *task = &story->tasks[id];

		for (uint32_t i = part_at(task, span.begin_ns);
				i < task->part_count && task->parts[i].begin_ns < span.end_ns;
				i++) {
			const struct story_part *part = &task->parts[i];

			if (part->state == STORY_ABSENT || part->site != stack)
				continue;
			share.alive_ns += overlap(part, span);
			share.blocked_ns += part->state == STORY_BLOCKED ? overlap(part, span) : 0;
		}
	}
	return share;
}

uint64_t task_story_place(const struct task_story *story, uint32_t stack, struct time_span span)
{
	uint64_t waiting_ns = 0;

	for (uint32_t id = 0; id < story->task_limit; id++) {
		const struct story_task *task = &story->tasks[id];

		for (uint32_t i = part_at(task, span.begin_ns);
				i < task->part_count && task->parts[i].begin_ns < span.end_ns; i++)
			if (task->parts[i].state == STORY_BLOCKED && task->parts[i].place == stack)
				waiting_ns += overlap(&task->parts[i], span);
	}
	return waiting_ns;
}

/* The first event at or after a time. */
static uint32_t event_at(const struct task_story *story, uint64_t time_ns)
{
	uint32_t low = 0;
	uint32_t high = story->event_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (story->events[middle].time_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void count_level(
		uint32_t alive, uint32_t blocked, uint32_t *most_alive, uint32_t *most_blocked)
{
	*most_alive = alive > *most_alive ? alive : *most_alive;
	*most_blocked = blocked > *most_blocked ? blocked : *most_blocked;
}

struct story_counts task_story_counts(const struct task_story *story, struct time_span span)
{
	struct story_counts counts = { 0 };
	uint32_t first = event_at(story, span.begin_ns);
	uint32_t inner = event_at(story, span.begin_ns + 1);

	if (first > 0)
		count_level(story->levels[first - 1].alive, story->levels[first - 1].blocked,
				&counts.alive_touching, &counts.blocked_touching);
	if (inner > 0)
		count_level(story->levels[inner - 1].alive, story->levels[inner - 1].blocked,
				&counts.alive_inside, &counts.blocked_inside);
	for (uint32_t i = first; i < story->event_count && story->events[i].time_ns <= span.end_ns;
			i++) {
		bool created = story->events[i].kind == EVENT_CREATE &&
			       !(story->events[i].flags & EVENT_FLAG_EXISTING);

		count_level(story->levels[i].alive, story->levels[i].blocked,
				&counts.alive_touching, &counts.blocked_touching);
		counts.events_touching++;
		counts.created_touching += created;
		if (i < inner || story->events[i].time_ns == span.end_ns)
			continue;
		count_level(story->levels[i].alive, story->levels[i].blocked, &counts.alive_inside,
				&counts.blocked_inside);
		counts.events_inside++;
		counts.created_inside += created;
	}
	return counts;
}

/* ---- events ---- */

struct shape {
	uint32_t events;
	uint32_t tasks;   /* at a time */
	uint64_t step_ns; /* the most between two events */
	uint32_t exit_one_in;
	bool rests; /* long pauses now and then */
	bool confused;
};

static const struct shape shapes[STORY_SHAPES] = {
	{ 150000, 8, 20000, 0, false, false },
	{ 150000, 300, 30000, 200, false, false },
	{ 120000, 3000, 15000, 4, false, false },
	{ 30000, 12, 400000000, 300, false, false },
	{ 100000, 60, 8000, 30, false, true },
	{ 200000, 40, 9000, 500, true, false },
};

struct teller {
	struct task_story *story;
	const struct shape *shape;
	uint64_t random;
	uint64_t now_ns;
	uint32_t *ids; /* of those that are there, by slot */
	uint8_t *blocked;
	uint32_t next_id;
};

static uint64_t dice(struct teller *teller, uint64_t limit)
{
	return generator_random(&teller->random, limit);
}

static void tell(struct teller *teller, uint32_t task, uint8_t kind)
{
	static const uint8_t reasons[] = { REASON_MUTEX_LOCK, REASON_SLEEP, REASON_READ,
		REASON_CHAN_RECEIVE };
	struct event *event = &teller->story->events[teller->story->event_count++];

	*event = (struct event){ .time_ns = teller->now_ns, .task = task, .kind = kind };
	if (kind == EVENT_CREATE || kind == EVENT_BLOCK)
		event->stack = (uint32_t)dice(teller, STORY_STACKS);
	if (kind == EVENT_BLOCK)
		event->reason = reasons[dice(teller, 4)];
	if (kind == EVENT_CREATE && dice(teller, 8) == 0)
		event->flags = EVENT_FLAG_EXISTING;
}

/* One event that makes sense for whoever has the slot. */
static void step(struct teller *teller, uint32_t slot)
{
	if (teller->ids[slot] == 0) {
		teller->ids[slot] = ++teller->next_id;
		teller->blocked[slot] = 0;
		tell(teller, teller->ids[slot], dice(teller, 5) ? EVENT_CREATE : EVENT_RUN);
	} else if (teller->shape->exit_one_in && dice(teller, teller->shape->exit_one_in) == 0) {
		tell(teller, teller->ids[slot], EVENT_EXIT);
		teller->ids[slot] = 0;
	} else {
		teller->blocked[slot] = !teller->blocked[slot];
		tell(teller, teller->ids[slot],
				teller->blocked[slot] ? EVENT_BLOCK : EVENT_UNBLOCK);
	}
}

static void pass_time(struct teller *teller)
{
	uint64_t step_ns = teller->shape->step_ns;

	/* Events of one nanosecond are common: they come in pairs. */
	if (dice(teller, 4) > 0)
		teller->now_ns += dice(teller, step_ns);
	if (teller->shape->rests && dice(teller, 20000) == 0)
		teller->now_ns += dice(teller, 7000000000);
	if (teller->shape->rests && dice(teller, 100) == 0)
		teller->now_ns += dice(teller, 100 * step_ns);
}

void task_story_make(struct task_story *story, uint32_t shape, uint64_t seed)
{
	struct teller teller = { .story = story, .shape = &shapes[shape], .random = seed };
	uint32_t tasks = teller.shape->tasks;

	*story = (struct task_story){ 0 };
	story->events = must(calloc(teller.shape->events, sizeof(*story->events)));
	teller.ids = must(calloc(tasks, sizeof(*teller.ids)));
	teller.blocked = must(calloc(tasks, 1));
	while (story->event_count < teller.shape->events) {
		/* Some do much more than others, and the last one hardly anything. */
		uint32_t slot = (uint32_t)(dice(&teller, tasks) * dice(&teller, tasks) / tasks);

		pass_time(&teller);
		if (teller.shape->confused && dice(&teller, 3) == 0)
			tell(&teller, (uint32_t)dice(&teller, teller.next_id + 2) + 1,
					(uint8_t)dice(&teller, EVENT_KIND_COUNT));
		else
			step(&teller, slot);
		if (teller.shape->confused && teller.next_id < story->event_count / 100)
			teller.next_id++;
	}
	story->end_ns = teller.now_ns;
	free(teller.ids);
	free(teller.blocked);
	model(story);
}

void task_story_release(struct task_story *story)
{
	for (uint32_t id = 0; id < story->task_limit; id++)
		free(story->tasks[id].parts);
	free(story->tasks);
	free(story->levels);
	free(story->events);
	*story = (struct task_story){ 0 };
}

static void check(enum lo_result result, const struct lo_error *err)
{
	if (result == LO_OK)
		return;
	fprintf(stderr, "task_story: %s\n", err->message);
	abort();
}

void task_story_write(const struct task_story *story, struct byte_buffer *file, bool whole)
{
	struct trace_writer *writer;
	struct byte_sink *sink;
	struct lo_error err = { 0 };
	uint32_t stack = STACK_NONE;

	check(byte_sink_open_buffer(&sink, file, &err), &err);
	check(trace_writer_open(&writer, sink, &err), &err);
	for (uint32_t i = 1; i < STORY_STACKS; i++) {
		uint32_t frame;

		check(trace_writer_frame(
				      writer, (struct frame){ .offset = 0x1000 + i }, &frame, &err),
				&err);
		check(trace_writer_stack(writer, stack, frame, &stack, &err), &err);
	}
	for (uint32_t i = 0; i < story->event_count; i++) {
		check(trace_writer_advance(writer, story->events[i].time_ns, &err), &err);
		check(trace_writer_event(writer, &story->events[i], &err), &err);
	}
	if (whole)
		check(trace_writer_finish(writer, story->end_ns, &err), &err);
	trace_writer_close(writer);
}
