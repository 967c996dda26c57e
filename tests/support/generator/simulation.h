#ifndef LOITER_TESTS_GENERATOR_SIMULATION_H
#define LOITER_TESTS_GENERATOR_SIMULATION_H

#include <stdint.h>

#include "formats/base/error.h"
#include "formats/model/event.h"
#include "tests/support/generator/dice.h"
#include "tests/support/generator/program.h"
#include "tests/support/generator/truth.h"

/*
 * Runs the tasks of a profile in virtual time on the CPUs that the profile has, and tells what
 * happens in the order of time. A task keeps its CPU until it waits; who is ready when no CPU is
 * free gets one in turn. So events of one task and of those that it wakes come close together, as
 * in real traces.
 *
 * A task that has something to do at a certain time stands in a heap by that time; one that waits
 * for another stands in the line of a resource, or in no line when only its parent's end or nothing
 * at all can wake it. Memory is a few hundred bytes for each task that is alive.
 */
struct simulation;

struct simulation_options {
	const struct profile *profile;
	uint64_t seed;
	uint64_t events; /* roughly: ends with the first step that reaches it */
	uint32_t tasks;
	unsigned plants; /* set of enum plant_kind */
};

/* Where the events go. A task is told before the first event that names it. */
struct simulation_listener {
	void *context;
	/* `variant` of the stack of op number `at_op` in `role`, when the event has one. */
	enum lo_result (*event)(void *context, const struct event *event, uint32_t role,
			uint32_t at_op, uint32_t variant, bool has_stack, struct lo_error *err);
	enum lo_result (*task)(void *context, uint32_t id, uint32_t role, uint32_t number,
			uint32_t process, struct lo_error *err);
};

enum lo_result simulation_new(struct simulation **out, const struct simulation_options *options,
		const struct simulation_listener *listener, struct truth *truth,
		struct lo_error *err);
void simulation_free(struct simulation *simulation);

/* The next thing that happens. LO_END when the trace is long enough, or nothing can happen. */
enum lo_result simulation_step(struct simulation *simulation, struct lo_error *err);

/* Completes the truth: what is still blocked, who holds whom up. */
enum lo_result simulation_finish(struct simulation *simulation, struct lo_error *err);

#endif
