#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/base/limits.h"
#include "formats/model/stack_table.h"
#include "formats/model/symbol_table.h"

static struct stack_table *new_stacks(void)
{
	struct stack_table *table;

	assert_int_equal(stack_table_new(&table, NULL), LO_OK);
	return table;
}

static uint32_t frame(struct stack_table *table, uint64_t offset, uint32_t module)
{
	uint32_t id = 42;

	assert_int_equal(stack_table_frame(table, (struct frame){ offset, module }, &id, NULL),
			LO_OK);
	return id;
}

static uint32_t push(struct stack_table *table, uint32_t parent, uint32_t frame_id)
{
	uint32_t id = 42;

	assert_int_equal(stack_table_push(table, parent, frame_id, &id, NULL), LO_OK);
	return id;
}

static void equal_frames_and_stacks_share_ids(void **state)
{
	struct stack_table *table = new_stacks();
	uint32_t root;

	(void)state;
	assert_int_equal(frame(table, 0x10, 1), 1);
	assert_int_equal(frame(table, 0x10, 2), 2);
	assert_int_equal(frame(table, 0x10, 1), 1);
	root = push(table, STACK_NONE, 1);
	assert_int_equal(root, 1);
	assert_int_equal(push(table, root, 1), 2); /* recursion */
	assert_int_equal(push(table, root, 2), 3);
	assert_int_equal(push(table, STACK_NONE, 1), 1);
	assert_int_equal(push(table, root, 2), 3);
	assert_int_equal(stack_table_frame_count(table), 2);
	assert_int_equal(stack_table_stack_count(table), 3);
	stack_table_free(table);
	stack_table_free(NULL);
}

static void a_stack_is_walked_innermost_first(void **state)
{
	struct stack_table *table = new_stacks();
	uint32_t stack = STACK_NONE;
	uint32_t frames[4];

	(void)state;
	for (uint64_t offset = 1; offset <= 4; offset++)
		stack = push(table, stack, frame(table, offset, 1));
	assert_int_equal(stack_table_unwind(table, stack, frames, 4), 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(frames[i], 4 - i);
	assert_int_equal(stack_table_unwind(table, stack, frames, 2), 2);
	assert_int_equal(frames[1], 3);
	assert_int_equal(stack_table_unwind(table, stack, frames, 0), 0);
	assert_int_equal(stack_table_unwind(table, STACK_NONE, frames, 4), 0);
	assert_int_equal(stack_table_unwind(table, 99, frames, 4), 0);
	stack_table_free(table);
}

static void ids_out_of_range_are_empty(void **state)
{
	struct stack_table *table = new_stacks();

	(void)state;
	frame(table, 7, 1);
	assert_int_equal(stack_table_get_frame(table, 0).offset, 0);
	assert_int_equal(stack_table_get_frame(table, 2).offset, 0);
	assert_int_equal(stack_table_get(table, 1).frame, FRAME_NONE);
	assert_int_equal(stack_table_get(table, UINT32_MAX).parent, STACK_NONE);
	stack_table_free(table);
}

static void parents_and_frames_must_exist(void **state)
{
	struct stack_table *table = new_stacks();
	uint32_t id = 42;

	(void)state;
	frame(table, 7, 1);
	assert_int_equal(stack_table_push(table, 1, 1, &id, NULL), LO_USAGE);
	assert_int_equal(id, STACK_NONE);
	assert_int_equal(stack_table_push(table, STACK_NONE, FRAME_NONE, &id, NULL), LO_USAGE);
	assert_int_equal(stack_table_push(table, STACK_NONE, 2, &id, NULL), LO_USAGE);
	stack_table_free(table);
}

static void the_depth_of_a_stack_has_a_limit(void **state)
{
	struct stack_table *table = new_stacks();
	uint32_t stack = STACK_NONE;
	uint32_t id;

	(void)state;
	frame(table, 7, 1);
	for (uint32_t depth = 0; depth < LIMIT_STACK_DEPTH; depth++)
		stack = push(table, stack, 1);
	assert_int_equal(stack_table_push(table, stack, 1, &id, NULL), LO_UNSUPPORTED);
	assert_int_equal(stack_table_append(table, (struct stack_node){ stack, 1 }, NULL),
			LO_CORRUPT);
	assert_int_equal(stack_table_stack_count(table), LIMIT_STACK_DEPTH);
	stack_table_free(table);
}

static void rows_of_a_file_keep_their_ids(void **state)
{
	struct stack_table *table = new_stacks();
	uint32_t frames[4];

	(void)state;
	assert_int_equal(stack_table_leave_out_frames(table, 2, NULL), LO_OK);
	assert_int_equal(stack_table_append_frame(table, (struct frame){ 9, 1 }, NULL), LO_OK);
	assert_int_equal(stack_table_append(table, (struct stack_node){ STACK_NONE, 3 }, NULL),
			LO_OK);
	assert_int_equal(stack_table_leave_out(table, 1, NULL), LO_OK);
	/* A parent that was lost, one that comes later, the stack itself. */
	assert_int_equal(stack_table_append(table, (struct stack_node){ 2, 3 }, NULL), LO_OK);
	assert_int_equal(stack_table_append(table, (struct stack_node){ 5, 3 }, NULL), LO_CORRUPT);
	assert_int_equal(stack_table_append(table, (struct stack_node){ 4, 3 }, NULL), LO_CORRUPT);
	assert_int_equal(stack_table_get_frame(table, 3).offset, 9);
	assert_int_equal(stack_table_get_frame(table, 1).offset, 0);
	assert_int_equal(stack_table_unwind(table, 2, frames, 4), 0);
	assert_int_equal(stack_table_unwind(table, 3, frames, 4), 1);
	assert_int_equal(stack_table_leave_out(table, UINT32_MAX, NULL), LO_UNSUPPORTED);
	assert_int_equal(stack_table_leave_out_frames(table, LIMIT_FRAMES, NULL), LO_UNSUPPORTED);
	stack_table_free(table);
}

static void many_stacks_are_found_again(void **state)
{
	struct stack_table *table = new_stacks();

	(void)state;
	for (uint32_t i = 1; i <= 20000; i++)
		assert_int_equal(push(table, i / 3, frame(table, i / 2 * 16, i % 2)), i);
	for (uint32_t i = 1; i <= 20000; i++)
		assert_int_equal(push(table, i / 3, frame(table, i / 2 * 16, i % 2)), i);
	stack_table_free(table);
}

static void symbols_of_a_frame_are_a_chain(void **state)
{
	static const struct symbol inlined[2] = { { 1, 2, 3 }, { 4, 5, 6 } };
	static const struct symbol plain = { 7, 8, 9 };
	struct symbol_table *table;
	const struct symbol *chain;

	(void)state;
	assert_int_equal(symbol_table_new(&table, NULL), LO_OK);
	assert_int_equal(symbol_table_get(table, 5, &chain), 0);
	assert_null(chain);
	assert_int_equal(symbol_table_set(table, 5, inlined, 2, NULL), LO_OK);
	assert_int_equal(symbol_table_set(table, 1000, &plain, 1, NULL), LO_OK);
	assert_int_equal(symbol_table_get(table, 5, &chain), 2);
	assert_int_equal(chain[1].line, 6);
	assert_int_equal(symbol_table_get(table, 999, &chain), 0);
	assert_int_equal(symbol_table_set(table, 5, &plain, 1, NULL), LO_OK);
	assert_int_equal(symbol_table_get(table, 5, &chain), 1);
	assert_int_equal(chain[0].function, 7);
	assert_int_equal(symbol_table_get(table, UINT32_MAX, &chain), 0);
	symbol_table_free(table);
	symbol_table_free(NULL);
}

static void a_chain_has_one_to_32_places_of_a_real_frame(void **state)
{
	static const struct symbol chain[SYMBOL_CHAIN_MAX + 1];
	struct symbol_table *table;

	(void)state;
	assert_int_equal(symbol_table_new(&table, NULL), LO_OK);
	assert_int_equal(symbol_table_set(table, 1, chain, 0, NULL), LO_USAGE);
	assert_int_equal(symbol_table_set(table, 1, chain, SYMBOL_CHAIN_MAX, NULL), LO_OK);
	assert_int_equal(symbol_table_set(table, 1, chain, SYMBOL_CHAIN_MAX + 1, NULL), LO_USAGE);
	assert_int_equal(symbol_table_set(table, 0, chain, 1, NULL), LO_USAGE);
	assert_int_equal(symbol_table_set(table, LIMIT_FRAMES + 1, chain, 1, NULL), LO_USAGE);
	symbol_table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_frames_and_stacks_share_ids),
		cmocka_unit_test(a_stack_is_walked_innermost_first),
		cmocka_unit_test(ids_out_of_range_are_empty),
		cmocka_unit_test(parents_and_frames_must_exist),
		cmocka_unit_test(the_depth_of_a_stack_has_a_limit),
		cmocka_unit_test(rows_of_a_file_keep_their_ids),
		cmocka_unit_test(many_stacks_are_found_again),
		cmocka_unit_test(symbols_of_a_frame_are_a_chain),
		cmocka_unit_test(a_chain_has_one_to_32_places_of_a_real_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
