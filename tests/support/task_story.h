#ifndef LOITER_TESTS_TASK_STORY_H
#define LOITER_TESTS_TASK_STORY_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/byte_buffer.h"
#include "formats/model/event.h"
#include "formats/model/time_span.h"

/*
 * Random events, and what they mean by a model as simple as can be: a list of what each task did
 * from when to when. What an overview says is compared with sums over these lists.
 */
enum story_state {
	STORY_ABSENT,
	STORY_ACTIVE,
	STORY_BLOCKED,
};

struct story_part {
	uint64_t begin_ns;
	uint64_t end_ns;
	uint32_t site; /* where it was created, as far as is known then */
	uint32_t place;
	uint8_t state;
	uint8_t reason;
};

struct story_task {
	struct story_part *parts; /* without a gap, from the first event to the end of the story */
	uint32_t part_count;
	uint32_t capacity;
	bool gone;
};

struct task_story {
	struct event *events;
	uint32_t event_count;
	uint64_t end_ns;
	struct story_task *tasks; /* by id */
	uint32_t task_limit;
	struct story_level {
		uint64_t time_ns;
		uint32_t alive; /* after the event */
		uint32_t blocked;
	} * levels; /* one for each event */
};

#define STORY_STACKS 24u

/*
 * Shapes: 0 few busy tasks, 1 some hundred that come and go, 2 thousands that live short, 3 hours
 * of a program at rest, 4 events that do not fit each other, 5 busy and then quiet in turns.
 */
#define STORY_SHAPES 6u
void task_story_make(struct task_story *story, uint32_t shape, uint64_t seed);
void task_story_release(struct task_story *story);

/* As a recorder would, with an end mark if `whole`; otherwise like after a kill. */
void task_story_write(const struct task_story *story, struct byte_buffer *file, bool whole);

struct story_share {
	uint64_t alive_ns;
	uint64_t blocked_ns;
	uint64_t birth_ns; /* within the span; UINT64_MAX: not */
	uint64_t death_ns;
	uint32_t changes;
};
struct story_share task_story_share(
		const struct task_story *story, uint32_t task, struct time_span span);
/* Is there a wait for this reason in the span? */
bool task_story_waits_for(const struct task_story *story, uint32_t task, struct time_span span,
		uint8_t reason);
/* Of all tasks of a site, and the time waited at a place. */
struct story_share task_story_site(
		const struct task_story *story, uint32_t stack, struct time_span span);
uint64_t task_story_place(const struct task_story *story, uint32_t stack, struct time_span span);

/* Inside: without what is at the ends of the span. Touching: with both ends. */
struct story_counts {
	uint64_t events_inside;
	uint64_t events_touching;
	uint64_t created_inside;
	uint64_t created_touching;
	uint32_t alive_inside; /* the most at one time */
	uint32_t alive_touching;
	uint32_t blocked_inside;
	uint32_t blocked_touching;
};
struct story_counts task_story_counts(const struct task_story *story, struct time_span span);

#endif
