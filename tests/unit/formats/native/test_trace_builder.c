#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/model/object.h"
#include "formats/native/trace_cursor.h"
#include "tests/support/task_row.h"
#include "tests/support/trace_builder.h"

static const char shop[] =
		"program /usr/bin/shop\n"
		"module libc /usr/lib/libc.so.6 system\n"
		"meta backend preload\n"
		"name T2 order worker   # a comment\n"
		"\n"
		"@0     run T1 existing\n"
		"@1ms   create T2 by T1 at main>start>pthread_create!libc\n"
		"@1.5ms block T2 mutex 0x10 held T1 at main>helper~worker(shop.c:12)>0x99!libc\n"
		"       lost 12 ring full\n"
		"@2ms   block T1 for cond wait cond 0x20 timed signalled T2\n"
		"       unblock T1 timed out\n"
		"@3ms   block T1 task T2\n"
		"@4s    end\n";

static struct event next_event(struct trace_cursor *cursor)
{
	struct event event = { 0 };

	assert_int_equal(trace_cursor_next(cursor, &event, NULL), LO_OK);
	return event;
}

static void lines_become_events(void **state)
{
	struct trace_reader *reader = trace_from_text(shop);
	struct trace_cursor *cursor;
	struct event event;

	(void)state;
	assert_int_equal(trace_cursor_open(&cursor, reader, TIME_SPAN_ALL, NULL), LO_OK);
	event = next_event(cursor);
	assert_int_equal(event.kind, EVENT_RUN);
	assert_int_equal(event.flags, EVENT_FLAG_EXISTING);
	event = next_event(cursor);
	assert_int_equal(event.time_ns, 1000000);
	assert_int_equal(event.peer, 1);
	event = next_event(cursor);
	assert_int_equal(event.time_ns, 1500000);
	assert_int_equal(event.reason, REASON_MUTEX_LOCK);
	assert_int_equal(event.object, 0x10);
	event = next_event(cursor);
	assert_int_equal(event.reason, REASON_COND_WAIT);
	assert_int_equal(event.object_kind, OBJECT_COND);
	assert_int_equal(event.flags, EVENT_FLAG_TIMED | EVENT_FLAG_SIGNALLED_BEFORE);
	event = next_event(cursor);
	assert_int_equal(event.time_ns, 2000000);
	assert_int_equal(event.flags, EVENT_FLAG_TIMED_OUT);
	event = next_event(cursor);
	assert_int_equal(event.object, 2);
	assert_int_equal(event.reason, REASON_JOIN);
	trace_cursor_close(cursor);
	assert_int_equal(trace_reader_info(reader)->duration_ns, 4000000000u);
	assert_int_equal(trace_reader_info(reader)->lost[LOSS_RING_FULL], 12);
	trace_reader_close(reader);
}

static void frames_have_symbols_and_modules(void **state)
{
	struct trace_reader *reader = trace_from_text(shop);
	const struct stack_table *stacks = trace_reader_stacks(reader);
	uint32_t frames[8];
	uint32_t depth = stack_table_unwind(stacks, stack_table_stack_count(stacks), frames, 8);
	const struct symbol *chain;
	const struct module_info *module;

	(void)state;
	assert_int_equal(depth, 3);
	assert_int_equal(stack_table_get_frame(stacks, frames[0]).offset, 0x99);
	assert_int_equal(symbol_table_get(trace_reader_symbols(reader), frames[0], &chain), 0);
	module = trace_reader_module(reader, stack_table_get_frame(stacks, frames[0]).module);
	assert_int_equal(module->flags, MODULE_FLAG_SYSTEM);
	assert_int_equal(symbol_table_get(trace_reader_symbols(reader), frames[1], &chain), 2);
	assert_string_equal(trace_reader_string(reader, chain[0].function, NULL), "helper");
	assert_string_equal(trace_reader_string(reader, chain[0].file, NULL), "shop.c");
	assert_int_equal(chain[0].line, 12);
	assert_string_equal(trace_reader_string(reader, chain[1].function, NULL), "worker");
	assert_string_equal(trace_reader_string(reader, task_row(reader, 2).name, NULL),
			"order worker");
	trace_reader_close(reader);
}

static void a_cut_trace_has_no_end(void **state)
{
	struct trace_reader *reader = trace_from_text("@1s run T1\ncut\n");

	(void)state;
	assert_true(trace_reader_info(reader)->truncated);
	assert_int_equal(trace_reader_info(reader)->events, 1);
	trace_reader_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_events),
		cmocka_unit_test(frames_have_symbols_and_modules),
		cmocka_unit_test(a_cut_trace_has_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
