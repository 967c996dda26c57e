#include "tests/support/generator/stack_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/macros.h"
#include "tests/support/generator/dice.h"

#define MADE_FUNCTIONS 400u /* functions that only pass calls on */
#define NAMED_MOST     400u
#define CALLS          8u /* different places from which a function calls on */
#define PATH_MOST      120u
#define BRANCHES       6u /* functions that a function calls */

enum plan_module {
	PLAN_PROGRAM,
	PLAN_LIBRARY, /* the user's own */
	PLAN_SYSTEM,  /* the C library; in Go a part of the program */
	PLAN_MODULES,
};

struct function {
	char name[56];
	uint32_t name_id; /* strings of the writer */
	uint32_t file_id;
	uint32_t line;
	uint8_t module;
	uint64_t offset;
	uint32_t frames[CALLS]; /* frame ids, 0 = not used so far */
};

struct stack_plan {
	const struct profile *profile;
	struct trace_writer *writer;
	uint64_t seed;
	uint32_t modules[PLAN_MODULES]; /* ids */
	struct function functions[MADE_FUNCTIONS + NAMED_MOST];
	uint32_t function_count;
	uint32_t **first; /* by role and op: where in `stacks` its paths begin */
	uint32_t *stacks; /* stack ids, 0 = not made so far */
};

/* ---- code ---- */

static const char *const verbs[] = { "load", "store", "parse", "check", "send", "fetch", "merge",
	"apply", "visit", "close", "update", "handle", "render", "encode", "route", "retry" };
static const char *const nouns[] = { "order", "cart", "price", "stock", "ledger", "session",
	"invoice", "address", "coupon", "report", "page", "index", "packet", "lease", "batch",
	"account", "audit", "image", "quota", "token", "basket", "refund", "label", "parcel",
	"route" };

static enum lo_result text_id(
		struct stack_plan *plan, const char *text, uint32_t *id, struct lo_error *err)
{
	return trace_writer_string(plan->writer, text, (uint32_t)strlen(text), id, err);
}

/* A function of this name, in a file named after a noun. */
static enum lo_result add_function(
		struct stack_plan *plan, const char *name, uint8_t module, struct lo_error *err)
{
	uint32_t number = plan->function_count;
	struct function *function = &plan->functions[number];
	struct dice dice = dice_for(plan->seed, 1000 + number);
	const char *noun = nouns[dice_below(&dice, LO_COUNT_OF(nouns))];
	char file[64];
	enum lo_result result;

	snprintf(function->name, sizeof(function->name), "%s", name);
	if (module == PLAN_SYSTEM)
		snprintf(file, sizeof(file), "system/%s", name);
	else
		snprintf(file, sizeof(file), plan->profile->language->file, noun);
	function->module = module;
	function->offset = 0x11000 + 0x180 * (uint64_t)number;
	function->line = 20 + dice_below(&dice, 900);
	result = text_id(plan, name, &function->name_id, err);
	if (result == LO_OK)
		result = text_id(plan, file, &function->file_id, err);
	plan->function_count++;
	return result;
}

static enum lo_result add_made_functions(struct stack_plan *plan, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < MADE_FUNCTIONS && result == LO_OK; i++) {
		char name[56];

		snprintf(name, sizeof(name), plan->profile->language->function,
				verbs[i % LO_COUNT_OF(verbs)], nouns[i % LO_COUNT_OF(nouns)]);
		result = add_function(plan, name, i % 5 == 3 ? PLAN_LIBRARY : PLAN_PROGRAM, err);
	}
	return result;
}

/* The function of this name; made if there is none. */
static enum lo_result named_function(struct stack_plan *plan, const char *name, uint8_t module,
		struct function **out, struct lo_error *err)
{
	for (uint32_t i = MADE_FUNCTIONS; i < plan->function_count; i++) {
		*out = &plan->functions[i];
		if (strcmp((*out)->name, name) == 0)
			return LO_OK;
	}
	*out = &plan->functions[plan->function_count];
	if (plan->function_count == MADE_FUNCTIONS + NAMED_MOST)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "a profile with too many functions");
	return add_function(plan, name, module, err);
}

/* The frame of call number `call` in a function. Every ninth made function inlines the next. */
static enum lo_result frame_of(struct stack_plan *plan, struct function *function, uint32_t call,
		uint32_t *frame_id, struct lo_error *err)
{
	uint32_t number = (uint32_t)(function - plan->functions);
	uint32_t count = 0;
	struct symbol chain[2];
	struct frame frame = { function->offset + 0x14 + 0x2cull * call,
		plan->modules[function->module] };
	enum lo_result result;

	*frame_id = function->frames[call];
	if (*frame_id != FRAME_NONE)
		return LO_OK;
	if (number % 9 == 4 && number + 1 < MADE_FUNCTIONS)
		chain[count++] = (struct symbol){ function[1].name_id, function[1].file_id,
			function[1].line + 2 };
	chain[count++] = (struct symbol){ function->name_id, function->file_id,
		function->line + 3 + 5 * call };
	result = trace_writer_frame(plan->writer, frame, frame_id, err);
	if (result == LO_OK)
		result = trace_writer_symbols(plan->writer, *frame_id, chain, count, err);
	function->frames[call] = *frame_id;
	return result;
}

/* ---- what the ops want ---- */

static const struct op *op_of(const struct profile *profile, uint32_t role, uint32_t at_op)
{
	return &profile->roles[role].ops[at_op];
}

const char *stack_plan_leaf(const struct profile *profile, uint32_t role, uint32_t at_op)
{
	const struct op *op = op_of(profile, role, at_op);

	switch ((enum op_code)op->code) {
	case OP_SLEEP:
		return profile->language->sleep_leaf;
	case OP_JOIN:
		return profile->language->join_leaf;
	case OP_SPAWN:
	case OP_DIRECT:
		return profile->language->spawn_leaf;
	case OP_PUT:
		return profile->groups[op->with].put_leaf;
	default:
		return profile->groups[op->with].leaf;
	}
}

/* Names without a package get the one of the language. */
static void full_name(const struct profile *profile, const char *name, char *text, size_t size)
{
	const char *package = strchr(name, '.') ? "" : profile->language->package;

	snprintf(text, size, "%s%s", package, name);
}

void stack_plan_where(const struct profile *profile, uint32_t role, uint32_t at_op, char *text,
		size_t size)
{
	full_name(profile, op_of(profile, role, at_op)->at, text, size);
}

/* ---- paths ---- */

struct path {
	struct stack_plan *plan;
	uint32_t stack; /* so far */
};

static enum lo_result push(
		struct path *path, struct function *function, uint32_t call, struct lo_error *err)
{
	uint32_t frame;
	enum lo_result result = frame_of(path->plan, function, call, &frame, err);

	if (result != LO_OK)
		return result;
	return trace_writer_stack(path->plan->writer, path->stack, frame, &path->stack, err);
}

static enum lo_result push_named(
		struct path *path, const char *name, uint8_t module, struct lo_error *err)
{
	char text[56];
	struct function *function;
	enum lo_result result;

	full_name(path->plan->profile, name, text, sizeof(text));
	result = named_function(path->plan, text, module, &function, err);
	return result == LO_OK ? push(path, function, 0, err) : result;
}

/* Down the tree of calls: likely branches first, deep walks seldom, some recursing. */
static enum lo_result push_walk(
		struct path *path, struct dice *dice, uint64_t node, struct lo_error *err)
{
	uint32_t depth = 1 + dice_rank(dice, 28);
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < depth && result == LO_OK; i++) {
		struct function *function;
		uint32_t times = 1;
		uint32_t call;

		node = dice_mix(node + dice_rank(dice, BRANCHES) + 1);
		function = &path->plan->functions[node % MADE_FUNCTIONS];
		call = (uint32_t)(node >> 40) % CALLS;
		if (node >> 59 == 7)
			times += 1 + dice_rank(dice, 24);
		while (times-- > 0 && result == LO_OK)
			result = push(path, function, call, err);
	}
	return result;
}

static enum lo_result push_roots(struct path *path, uint32_t role, struct lo_error *err)
{
	const struct language *language = path->plan->profile->language;
	const char *const *roots = role == ROLE_MAIN ? language->main_root : language->task_root;
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < 4 && roots[i] && result == LO_OK; i++)
		result = push_named(path, roots[i], PLAN_SYSTEM, err);
	if (result == LO_OK)
		result = push_named(
				path, path->plan->profile->roles[role].entry, PLAN_PROGRAM, err);
	return result;
}

static enum lo_result make_path(struct stack_plan *plan, uint32_t role, uint32_t at_op,
		uint32_t variant, uint32_t *stack_id, struct lo_error *err)
{
	const struct op *op = op_of(plan->profile, role, at_op);
	const char *leaf = stack_plan_leaf(plan->profile, role, at_op);
	struct path path = { .plan = plan };
	struct dice dice = dice_for(plan->seed, plan->first[role][at_op] + variant);
	enum lo_result result = push_roots(&path, role, err);

	if (result == LO_OK && op->paths > 1)
		result = push_walk(&path, &dice, dice_mix(plan->seed + role), err);
	if (result == LO_OK)
		result = push_named(&path, op->at, PLAN_PROGRAM, err);
	if (result == LO_OK && leaf)
		result = push_named(&path, leaf, PLAN_SYSTEM, err);
	*stack_id = path.stack;
	return result;
}

enum lo_result stack_plan_get(struct stack_plan *plan, uint32_t role, uint32_t at_op,
		uint32_t variant, uint32_t *stack_id, struct lo_error *err)
{
	uint32_t *known = &plan->stacks[plan->first[role][at_op] + variant];
	enum lo_result result = LO_OK;

	if (*known == STACK_NONE)
		result = make_path(plan, role, at_op, variant, known, err);
	*stack_id = *known;
	return result;
}

/* ---- life ---- */

static enum lo_result add_modules(struct stack_plan *plan, struct lo_error *err)
{
	const struct profile *profile = plan->profile;
	const char *const paths[PLAN_MODULES] = { profile->program, profile->library,
		profile->language->system };
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < PLAN_MODULES && result == LO_OK; i++) {
		const char *file = paths[i] ? paths[i] : profile->program;
		struct module_info module = { .build_id_size = 20 };
		struct dice dice;

		if (strcmp(file, profile->program) == 0)
			module.flags = MODULE_FLAG_MAIN;
		else if (i == PLAN_SYSTEM)
			module.flags = MODULE_FLAG_SYSTEM;
		dice = dice_for(plan->seed, module.flags);
		for (uint32_t byte = 0; byte < module.build_id_size; byte++)
			module.build_id[byte] = (uint8_t)dice_below(&dice, 256);
		result = text_id(plan, file, &module.path, err);
		if (result == LO_OK)
			result = trace_writer_module(plan->writer, &module, &plan->modules[i], err);
	}
	return result;
}

/* Counts the paths of all ops. */
static enum lo_result lay_out(struct stack_plan *plan, struct lo_error *err)
{
	const struct profile *profile = plan->profile;
	uint32_t total = 0;

	plan->first = calloc(profile->role_count, sizeof(*plan->first));
	if (!plan->first)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for stacks");
	for (uint32_t role = 0; role < profile->role_count; role++) {
		plan->first[role] = calloc(profile->roles[role].op_count, sizeof(**plan->first));
		if (!plan->first[role])
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for stacks");
		for (uint32_t i = 0; i < profile->roles[role].op_count; i++) {
			plan->first[role][i] = total;
			total += profile->roles[role].ops[i].paths;
		}
	}
	plan->stacks = calloc(total, sizeof(*plan->stacks));
	if (!plan->stacks)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for stacks");
	return LO_OK;
}

enum lo_result stack_plan_new(struct stack_plan **out, const struct profile *profile, uint64_t seed,
		struct trace_writer *writer, struct lo_error *err)
{
	struct stack_plan *plan = calloc(1, sizeof(*plan));
	enum lo_result result;

	if (!plan)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for stacks");
	plan->profile = profile;
	plan->writer = writer;
	plan->seed = seed;
	result = lay_out(plan, err);
	if (result == LO_OK)
		result = add_modules(plan, err);
	if (result == LO_OK)
		result = add_made_functions(plan, err);
	if (result != LO_OK) {
		stack_plan_free(plan);
		return result;
	}
	*out = plan;
	return LO_OK;
}

void stack_plan_free(struct stack_plan *plan)
{
	if (!plan)
		return;
	for (uint32_t role = 0; plan->first && role < plan->profile->role_count; role++)
		free(plan->first[role]);
	free(plan->first);
	free(plan->stacks);
	free(plan);
}
