#ifndef LOITER_TESTS_EVENT_GENERATOR_H
#define LOITER_TESTS_EVENT_GENERATOR_H

#include <stdint.h>

#include "formats/model/event.h"
#include "formats/native/trace_writer.h"

/*
 * An endless stream of events that hang together: tasks are created, block, are woken and exit, in
 * proportions that depend on the shape. The same seed gives the same stream.
 */
enum generator_shape {
	GENERATOR_PING_PONG, /* two tasks hand over to each other through two conditions */
	GENERATOR_SERVER,    /* 64 long-lived tasks, few locks, some tens of stacks */
	GENERATOR_CHURN,     /* 4,000 short-lived tasks at a time, hundreds of stacks */
	GENERATOR_SHAPE_COUNT,
};

#define GENERATOR_TASKS_MAX 4096u

struct event_generator {
	enum generator_shape shape;
	uint64_t random;
	uint64_t now_ns;
	uint32_t task_count; /* slots in use */
	uint32_t next_task;  /* id of the next task to be created */
	uint32_t step;
	struct {
		uint32_t task; /* 0 = nobody */
		uint8_t blocked;
	} slots[GENERATOR_TASKS_MAX];
};

void event_generator_init(
		struct event_generator *generator, enum generator_shape shape, uint64_t seed);

/* Gives the writer the stacks that the events will name. */
void event_generator_write_stacks(
		const struct event_generator *generator, struct trace_writer *writer);

struct event event_generator_next(struct event_generator *generator);

/* A pseudo-random number below `limit`, for tests that need more of the same dice. */
uint64_t generator_random(uint64_t *state, uint64_t limit);

const char *generator_shape_name(enum generator_shape shape);

#endif
