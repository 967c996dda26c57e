#ifndef LOITER_TESTS_GENERATOR_STACK_PLAN_H
#define LOITER_TESTS_GENERATOR_STACK_PLAN_H

#include "formats/native/trace_writer.h"
#include "tests/support/generator/program.h"

/*
 * Code that a made-up program could consist of: modules, functions with files and lines, and for
 * each op that takes a stack as many call paths as the op wants. Paths of one role walk one tree
 * of calls, so they share their outer frames; a few recurse, a few frames are inlined.
 *
 * A path is made when it is first asked for, and given to the writer then, with its symbols.
 */
struct stack_plan;

enum lo_result stack_plan_new(struct stack_plan **out, const struct profile *profile, uint64_t seed,
		struct trace_writer *writer, struct lo_error *err);
void stack_plan_free(struct stack_plan *plan);

/* Stack id of path `variant` (below op->paths) to op number `at_op` of a role. */
enum lo_result stack_plan_get(struct stack_plan *plan, uint32_t role, uint32_t at_op,
		uint32_t variant, uint32_t *stack_id, struct lo_error *err);

/* Innermost function of a wait at this op, or of the call that spawns; and the user's function. */
const char *stack_plan_leaf(const struct profile *profile, uint32_t role, uint32_t at_op);
void stack_plan_where(const struct profile *profile, uint32_t role, uint32_t at_op, char *text,
		size_t size);

#endif
