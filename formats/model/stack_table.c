#include "formats/model/stack_table.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/id_index.h"
#include "formats/base/limits.h"

struct stack_entry {
	uint32_t parent;
	uint32_t frame;
	uint32_t depth; /* frames from here to the root, this one included; 0 = row lost */
};

struct stack_table {
	struct frame *frames; /* id - 1 */
	uint32_t frame_count;
	uint32_t frame_capacity;
	struct stack_entry *stacks; /* id - 1 */
	uint32_t stack_count;
	uint32_t stack_capacity;
	struct id_index frame_index;
	struct id_index stack_index;
};

enum lo_result stack_table_new(struct stack_table **out, struct lo_error *err)
{
	*out = calloc(1, sizeof(**out));
	return *out ? LO_OK : lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for stacks");
}

void stack_table_free(struct stack_table *table)
{
	if (!table)
		return;
	free(table->frames);
	free(table->stacks);
	id_index_release(&table->frame_index);
	id_index_release(&table->stack_index);
	free(table);
}

/* Makes room for `more` entries of `size` bytes behind `count`. */
static enum lo_result reserve(void **entries, uint32_t *capacity, uint32_t count, uint32_t more,
		uint32_t limit, size_t size, const char *what, struct lo_error *err)
{
	uint32_t wanted = *capacity ? *capacity : 64;
	void *grown;

	if (more > limit - count)
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET, "more than %u %s", limit, what);
	if (count + more <= *capacity)
		return LO_OK;
	while (wanted < count + more)
		wanted *= 2;
	grown = realloc(*entries, wanted * size);
	if (!grown)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u %s", wanted,
				what);
	*entries = grown;
	*capacity = wanted;
	return LO_OK;
}

static enum lo_result reserve_frames(struct stack_table *table, uint32_t more, struct lo_error *err)
{
	void *entries = table->frames;
	enum lo_result result = reserve(&entries, &table->frame_capacity, table->frame_count, more,
			LIMIT_FRAMES, sizeof(*table->frames), "code places", err);

	table->frames = entries;
	return result;
}

static enum lo_result reserve_stacks(struct stack_table *table, uint32_t more, struct lo_error *err)
{
	void *entries = table->stacks;
	enum lo_result result = reserve(&entries, &table->stack_capacity, table->stack_count, more,
			LIMIT_STACKS, sizeof(*table->stacks), "stacks", err);

	table->stacks = entries;
	return result;
}

enum lo_result stack_table_append_frame(
		struct stack_table *table, struct frame frame, struct lo_error *err)
{
	enum lo_result result = reserve_frames(table, 1, err);

	if (result == LO_OK)
		table->frames[table->frame_count++] = (struct frame){ .offset = frame.offset,
			.module = frame.module };
	return result;
}

static uint32_t depth_of(const struct stack_table *table, uint32_t stack_id)
{
	return stack_id == STACK_NONE ? 0 : table->stacks[stack_id - 1].depth;
}

enum lo_result stack_table_append(
		struct stack_table *table, struct stack_node node, struct lo_error *err)
{
	enum lo_result result = reserve_stacks(table, 1, err);
	uint32_t depth;

	if (result != LO_OK)
		return result;
	if (node.parent > table->stack_count)
		return lo_fail(err, LO_CORRUPT, LO_NO_OFFSET,
				"stack %u has the later stack %u as parent", table->stack_count + 1,
				node.parent);
	depth = depth_of(table, node.parent) + 1;
	if (depth > LIMIT_STACK_DEPTH)
		return lo_fail(err, LO_CORRUPT, LO_NO_OFFSET, "stack %u is deeper than %u frames",
				table->stack_count + 1, LIMIT_STACK_DEPTH);
	table->stacks[table->stack_count++] = (struct stack_entry){ node.parent, node.frame,
		depth };
	return LO_OK;
}

enum lo_result stack_table_leave_out_frames(
		struct stack_table *table, uint32_t count, struct lo_error *err)
{
	enum lo_result result = reserve_frames(table, count, err);

	if (result != LO_OK || count == 0)
		return result;
	memset(table->frames + table->frame_count, 0, count * sizeof(*table->frames));
	table->frame_count += count;
	return LO_OK;
}

enum lo_result stack_table_leave_out(
		struct stack_table *table, uint32_t count, struct lo_error *err)
{
	enum lo_result result = reserve_stacks(table, count, err);

	if (result != LO_OK || count == 0)
		return result;
	memset(table->stacks + table->stack_count, 0, count * sizeof(*table->stacks));
	table->stack_count += count;
	return LO_OK;
}

enum lo_result stack_table_frame(struct stack_table *table, struct frame frame, uint32_t *frame_id,
		struct lo_error *err)
{
	uint32_t hash = id_hash(frame.offset, frame.module);
	enum lo_result result;
	uint32_t probe;
	uint32_t id;

	for (id = id_index_first(&table->frame_index, hash, &probe); id;
			id = id_index_next(&table->frame_index, hash, &probe)) {
		const struct frame *known = &table->frames[id - 1];

		if (known->offset == frame.offset && known->module == frame.module) {
			*frame_id = id;
			return LO_OK;
		}
	}
	result = stack_table_append_frame(table, frame, err);
	if (result == LO_OK)
		result = id_index_add(&table->frame_index, hash, table->frame_count, err);
	*frame_id = result == LO_OK ? table->frame_count : FRAME_NONE;
	return result;
}

enum lo_result stack_table_push(struct stack_table *table, uint32_t parent, uint32_t frame_id,
		uint32_t *stack_id, struct lo_error *err)
{
	uint32_t hash = id_hash(parent, frame_id);
	enum lo_result result;
	uint32_t probe;
	uint32_t id;

	*stack_id = STACK_NONE;
	if (parent > table->stack_count || frame_id == FRAME_NONE || frame_id > table->frame_count)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "no stack %u or no frame %u", parent,
				frame_id);
	for (id = id_index_first(&table->stack_index, hash, &probe); id;
			id = id_index_next(&table->stack_index, hash, &probe)) {
		const struct stack_entry *known = &table->stacks[id - 1];

		if (known->parent == parent && known->frame == frame_id) {
			*stack_id = id;
			return LO_OK;
		}
	}
	if (depth_of(table, parent) >= LIMIT_STACK_DEPTH)
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET, "a stack of more than %u frames",
				LIMIT_STACK_DEPTH);
	result = stack_table_append(table, (struct stack_node){ parent, frame_id }, err);
	if (result == LO_OK)
		result = id_index_add(&table->stack_index, hash, table->stack_count, err);
	if (result == LO_OK)
		*stack_id = table->stack_count;
	return result;
}

uint32_t stack_table_frame_count(const struct stack_table *table)
{
	return table->frame_count;
}

uint32_t stack_table_stack_count(const struct stack_table *table)
{
	return table->stack_count;
}

struct frame stack_table_get_frame(const struct stack_table *table, uint32_t frame_id)
{
	if (frame_id == FRAME_NONE || frame_id > table->frame_count)
		return (struct frame){ 0 };
	return table->frames[frame_id - 1];
}

struct stack_node stack_table_get(const struct stack_table *table, uint32_t stack_id)
{
	if (stack_id == STACK_NONE || stack_id > table->stack_count)
		return (struct stack_node){ 0 };
	return (struct stack_node){ table->stacks[stack_id - 1].parent,
		table->stacks[stack_id - 1].frame };
}

uint32_t stack_table_unwind(const struct stack_table *table, uint32_t stack_id, uint32_t *frames,
		uint32_t capacity)
{
	uint32_t count = 0;

	while (count < capacity && stack_id != STACK_NONE && stack_id <= table->stack_count) {
		const struct stack_entry *entry = &table->stacks[stack_id - 1];

		if (entry->depth == 0)
			break;
		frames[count++] = entry->frame;
		stack_id = entry->parent;
	}
	return count;
}
