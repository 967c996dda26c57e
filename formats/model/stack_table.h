#ifndef LOITER_MODEL_STACK_TABLE_H
#define LOITER_MODEL_STACK_TABLE_H

#include <stdint.h>

#include "formats/base/error.h"
#include "formats/model/event.h"

/*
 * All call stacks of a trace as one prefix tree, root first.
 *
 * A *frame* is a place in code: (module, offset). Equal frames share one frame id. A *stack* is a
 * node of the tree: its own frame and the stack of its caller. The root's parent is STACK_NONE, so
 * a stack id names a whole call chain, and walking parents yields it innermost first. Ids are
 * dense from 1 in order of appearance; a parent's id is always smaller than its child's.
 *
 * For code the offset is a *return address* as an offset in the module's file addresses (ELF
 * virtual address space); look symbols up at offset - 1. Not thread safe.
 */
#define FRAME_NONE 0u

struct frame {
	uint64_t offset;
	uint32_t module; /* module id, MODULE_NONE: offset is an absolute address */
};

struct stack_node {
	uint32_t parent; /* stack id of the caller, STACK_NONE at the root */
	uint32_t frame;  /* frame id */
};

struct stack_table;

enum lo_result stack_table_new(struct stack_table **out, struct lo_error *err);
void stack_table_free(struct stack_table *table);

/*
 * Find or add a frame, a stack. LO_USAGE for an id that does not exist, LO_NO_MEMORY, or
 * LO_UNSUPPORTED beyond LIMIT_STACKS, LIMIT_FRAMES or LIMIT_STACK_DEPTH. O(1) amortised.
 */
enum lo_result stack_table_frame(struct stack_table *table, struct frame frame, uint32_t *frame_id,
		struct lo_error *err);
enum lo_result stack_table_push(struct stack_table *table, uint32_t parent, uint32_t frame_id,
		uint32_t *stack_id, struct lo_error *err);

/*
 * For readers of a file, where ids are given: the next id is this frame or stack, without looking
 * for an equal one and without ever being found by the functions above. LO_CORRUPT for a parent
 * that is not smaller than the stack itself or a chain deeper than LIMIT_STACK_DEPTH. A frame id
 * out of range is kept: its row may be lost.
 */
enum lo_result stack_table_append_frame(
		struct stack_table *table, struct frame frame, struct lo_error *err);
enum lo_result stack_table_append(
		struct stack_table *table, struct stack_node node, struct lo_error *err);
/* The next `count` ids stand for nothing, since their rows were lost. */
enum lo_result stack_table_leave_out_frames(
		struct stack_table *table, uint32_t count, struct lo_error *err);
enum lo_result stack_table_leave_out(
		struct stack_table *table, uint32_t count, struct lo_error *err);

/* Highest id in use; 0 when empty. */
uint32_t stack_table_frame_count(const struct stack_table *table);
uint32_t stack_table_stack_count(const struct stack_table *table);

/* Ids out of range give a zeroed frame or node, so a damaged file needs no special case. */
struct frame stack_table_get_frame(const struct stack_table *table, uint32_t frame_id);
struct stack_node stack_table_get(const struct stack_table *table, uint32_t stack_id);

/*
 * Frame ids of a stack, innermost first, at most `capacity`; returns how many were stored.
 */
uint32_t stack_table_unwind(const struct stack_table *table, uint32_t stack_id, uint32_t *frames,
		uint32_t capacity);

#endif
