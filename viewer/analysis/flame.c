#include "viewer/analysis/flame.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/id_index.h"
#include "formats/base/printable.h"
#include "formats/base/string_table.h"
#include "formats/model/symbol_table.h"
#include "viewer/analysis/array.h"
#include "viewer/analysis/site.h"
#include "viewer/analysis/waits_by_stack.h"

/* Longest key of a name: function, NUL, module. */
#define KEY_MAX 512

#define NOT_WANTED UINT32_MAX

/* Takes the place of a module in the key of a reason, which no file can be called. */
#define REASON_MODULE "/reason"

struct builder {
	struct trace_reader *reader;
	struct flame *flame;
	size_t node_capacity;
	struct id_index children; /* from parent and name to node */
	uint32_t *node_of_stack;  /* NOT_WANTED, or the innermost node of the stack */
	uint32_t stack_count;
};

/* A name is told apart by its module, but shown without: it ends at the first NUL. */
static enum lo_result intern_name(struct builder *builder, const char *function, const char *module,
		uint32_t *name, struct lo_error *err)
{
	char key[KEY_MAX];
	size_t function_size = strlen(function) + 1;
	size_t module_size = strlen(module);

	memcpy(key, function, function_size);
	memcpy(key + function_size, module, module_size);
	return string_table_add(builder->flame->names, key, (uint32_t)(function_size + module_size),
			name, err);
}

static enum lo_result add_node(struct builder *builder, uint32_t parent, uint32_t name,
		uint32_t stack, uint32_t *node, struct lo_error *err)
{
	struct flame *flame = builder->flame;
	struct flame_node *nodes = array_grow(flame->nodes, &builder->node_capacity,
			(size_t)flame->node_count + 1, sizeof(*nodes));

	if (!nodes)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the flame");
	flame->nodes = nodes;
	*node = flame->node_count++;
	nodes[*node] = (struct flame_node){
		.name = name,
		.parent = parent,
		.stack = stack,
		.depth = (uint16_t)(nodes[parent].depth + (*node != 0)),
	};
	if (flame->max_depth < nodes[*node].depth)
		flame->max_depth = nodes[*node].depth;
	return LO_OK;
}

static enum lo_result find_or_add_child(struct builder *builder, uint32_t parent, uint32_t name,
		uint32_t stack, uint32_t *child, struct lo_error *err)
{
	uint32_t hash = id_hash(parent, name);
	enum lo_result result;
	uint32_t probe;

	for (*child = id_index_first(&builder->children, hash, &probe); *child;
			*child = id_index_next(&builder->children, hash, &probe))
		if (builder->flame->nodes[*child].parent == parent &&
				builder->flame->nodes[*child].name == name)
			return LO_OK;
	result = add_node(builder, parent, name, stack, child, err);
	if (result == LO_OK)
		result = id_index_add(&builder->children, hash, *child, err);
	return result;
}

/* One step inwards; a function that calls itself stays where it is. */
static enum lo_result descend(struct builder *builder, const char *function, const char *module,
		uint32_t stack, uint32_t *node, struct lo_error *err)
{
	enum lo_result result;
	uint32_t name;

	result = intern_name(builder, function, module, &name, err);
	if (result != LO_OK || (*node != 0 && builder->flame->nodes[*node].name == name))
		return result;
	return find_or_add_child(builder, *node, name, stack, node, err);
}

/* The caller's node is known already, because its stack id is smaller. */
static enum lo_result place_stack(struct builder *builder, uint32_t stack, struct lo_error *err)
{
	struct stack_node chain = stack_table_get(trace_reader_stacks(builder->reader), stack);
	struct place places[SYMBOL_CHAIN_MAX];
	uint32_t count = stack_frame_places(builder->reader, stack, places, SYMBOL_CHAIN_MAX);
	uint32_t node = chain.parent < stack ? builder->node_of_stack[chain.parent] : 0;
	enum lo_result result = LO_OK;

	while (count-- > 0 && result == LO_OK)
		result = descend(builder, places[count].function, places[count].module, stack,
				&node, err);
	builder->node_of_stack[stack] = node;
	return result;
}

/* Only the stacks of waits and their callers get a node. */
static enum lo_result place_stacks(
		struct builder *builder, const struct waits_by_stack *waits, struct lo_error *err)
{
	const struct stack_table *stacks = trace_reader_stacks(builder->reader);
	enum lo_result result = LO_OK;

	memset(builder->node_of_stack, 0xff,
			((size_t)builder->stack_count + 1) * sizeof(*builder->node_of_stack));
	builder->node_of_stack[STACK_NONE] = 0;
	for (uint32_t i = 1; i < waits->count; i++)
		if (waits->items[i].stack <= builder->stack_count)
			builder->node_of_stack[waits->items[i].stack] = 0;
	for (uint32_t stack = builder->stack_count; stack > 0; stack--) {
		uint32_t parent = stack_table_get(stacks, stack).parent;

		if (builder->node_of_stack[stack] != NOT_WANTED && parent < stack)
			builder->node_of_stack[parent] = 0;
	}
	for (uint32_t stack = 1; stack <= builder->stack_count && result == LO_OK; stack++)
		if (builder->node_of_stack[stack] != NOT_WANTED)
			result = place_stack(builder, stack, err);
	return result;
}

static enum lo_result add_waits(
		struct builder *builder, const struct stack_waits *waits, struct lo_error *err)
{
	const char *reason = trace_reader_reason_name(builder->reader, waits->reason);
	bool has_stack = waits->stack <= builder->stack_count;
	uint32_t node = has_stack ? builder->node_of_stack[waits->stack] : 0;
	char clean[128];
	enum lo_result result;

	printable_copy(clean, sizeof(clean), reason, strlen(reason), 0);
	result = descend(builder, clean, REASON_MODULE, waits->stack, &node, err);
	if (result != LO_OK)
		return result;
	for (;;) {
		struct flame_node *here = &builder->flame->nodes[node];

		here->total_ns += waits->total_ns;
		here->blocks += waits->blocks;
		here->stuck += waits->stuck;
		if (node == 0)
			return LO_OK;
		node = here->parent;
	}
}

/* Siblings next to each other, the largest first. */
static int by_parent_then_size(const void *left, const void *right, void *context)
{
	const struct flame_node *nodes = context;
	const struct flame_node *a = &nodes[*(const uint32_t *)left];
	const struct flame_node *b = &nodes[*(const uint32_t *)right];

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	if (a->total_ns != b->total_ns)
		return a->total_ns > b->total_ns ? -1 : 1;
	return a < b ? -1 : a > b;
}

static enum lo_result link_children(struct flame *flame, struct lo_error *err)
{
	uint32_t count = flame->node_count - 1; /* without the root */
	uint32_t *order = calloc((size_t)count + 1, sizeof(*order));

	if (!order)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the flame");
	for (uint32_t i = 0; i < count; i++)
		order[i] = i + 1;
	qsort_r(order, count, sizeof(*order), by_parent_then_size, flame->nodes);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t parent = flame->nodes[order[i]].parent;

		if (i > 0 && flame->nodes[order[i - 1]].parent == parent)
			flame->nodes[order[i - 1]].next_sibling = order[i];
		else
			flame->nodes[parent].first_child = order[i];
	}
	free(order);
	return LO_OK;
}

static enum lo_result build(
		struct builder *builder, const struct waits_by_stack *waits, struct lo_error *err)
{
	enum lo_result result;
	uint32_t root;

	builder->stack_count = stack_table_stack_count(trace_reader_stacks(builder->reader));
	builder->node_of_stack = calloc(
			(size_t)builder->stack_count + 1, sizeof(*builder->node_of_stack));
	if (!builder->node_of_stack)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the flame");
	result = string_table_new(&builder->flame->names, err);
	if (result == LO_OK)
		result = add_node(builder, 0, STRING_NONE, STACK_NONE, &root, err);
	if (result == LO_OK)
		result = place_stacks(builder, waits, err);
	for (uint32_t i = 1; i < waits->count && result == LO_OK; i++)
		result = add_waits(builder, &waits->items[i], err);
	if (result == LO_OK)
		result = link_children(builder->flame, err);
	return result;
}

enum lo_result flame_new(struct flame **out, struct trace_reader *reader, struct time_span span,
		uint32_t task, const struct progress *progress, struct lo_error *err)
{
	struct builder builder = { .reader = reader };
	struct waits_by_stack waits;
	enum lo_result result;

	builder.flame = calloc(1, sizeof(*builder.flame));
	if (!builder.flame)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the flame");
	result = waits_by_stack_collect(&waits, reader, span, task, progress, err);
	if (result == LO_OK)
		result = build(&builder, &waits, err);
	waits_by_stack_release(&waits);
	id_index_release(&builder.children);
	free(builder.node_of_stack);
	if (result == LO_OK)
		*out = builder.flame;
	else
		flame_free(builder.flame);
	return result;
}

void flame_free(struct flame *flame)
{
	if (!flame)
		return;
	free(flame->nodes);
	string_table_free(flame->names);
	free(flame);
}

const char *flame_name(const struct flame *flame, const struct flame_node *node)
{
	return string_table_get(flame->names, node->name, NULL);
}
