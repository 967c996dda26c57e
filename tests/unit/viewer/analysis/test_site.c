#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "formats/model/event.h"
#include "formats/model/object.h"
#include "formats/native/trace_cursor.h"
#include "tests/support/trace_builder.h"
#include "viewer/analysis/site.h"

static struct trace_reader *reader;

/* The stack of the first event of a trace whose event is `block T1 for sleep at STACK`. */
static uint32_t stack_of(const char *stack)
{
	struct trace_cursor *cursor = NULL;
	struct event event;
	char text[1024];

	snprintf(text, sizeof(text),
			"program /opt/shop/bin/shop\n"
			"module libc /usr/lib/x86_64-linux-gnu/libc.so.6 system\n"
			"module ld /lib64/ld-linux-x86-64.so.2 system\n"
			"module cxx /usr/lib/x86_64-linux-gnu/libstdc++.so.6 system\n"
			"module shim /opt/loiter/lib/libloiter-preload.so\n"
			"module ssl /usr/lib/x86_64-linux-gnu/libssl.so.3 system\n"
			"module plugin /opt/shop/lib/plugin.so\n"
			"@0 block T1 for sleep at %s\n",
			stack);
	trace_reader_close(reader);
	reader = trace_from_text(text);
	assert_int_equal(trace_cursor_open(&cursor, reader, TIME_SPAN_ALL, NULL), LO_OK);
	assert_int_equal(trace_cursor_next(cursor, &event, NULL), LO_OK);
	trace_cursor_close(cursor);
	return event.stack;
}

static const struct {
	const char *stack;
	const char *function;
} user_places[] = {
	/* the innermost of the main program, or of a library that is not of the system */
	{ "main>worker>lock!libc", "worker" },
	{ "main>worker", "worker" },
	{ "main>worker>hook!plugin>lock!libc", "hook" },
	{ "main>callback!ssl>worker>lock!libc", "worker" },
	{ "main>hook!shim>lock!libc", "main" },
	/* none: outside of the plumbing */
	{ "start!libc>run!ssl>wait!cxx>lock!libc", "run" },
	{ "start!libc>run!ssl>read!ssl>lock!libc", "read" },
	/* only plumbing: the innermost */
	{ "start!ld>clone!libc>wait!cxx", "wait" },
	{ "start!ld>hook!shim", "hook" },
	/* inlined functions are places of their own */
	{ "main>lock_guard~worker>lock!libc", "lock_guard" },
	/* what comes from a header of the system is the user's only if nothing else is */
	{ "main>left(a.cc:5)>lock(/usr/include/c++/12/mutex:9)>lock!libc", "left" },
	{ "main>guard~left(/usr/include/c++/12/mutex:9)>lock!libc", "left" },
	{ "run(/usr/include/c++/12/thread:9)>lock!libc", "run" },
	{ "run!cxx>call(/usr/include/c++/12/thread:9)>lock!libc", "call" },
	{ "worker(src/a.rs:1)>wait(/rustc/90b35a/library/std/src/sys/futex.rs:7)>w!libc",
			"worker" },
	/* no symbol */
	{ "main>0x1234>lock!libc", "shop+0x1234" },
	{ "0x99!ssl", "libssl.so.3+0x99" },
};

static void the_top_user_place_is_found_as_the_contract_says(void **state)
{
	struct place place;

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(user_places); i++) {
		uint32_t stack = stack_of(user_places[i].stack);

		stack_user_place(reader, stack, &place);
		assert_string_equal(place.function, user_places[i].function);
	}
}

static const struct {
	const char *stack;
	const char *function;
} go_places[] = {
	{ "main.main>main.transfer>sync.(*Mutex).Lock>runtime.gopark", "main.transfer" },
	{ "main.main>example.org/bank/v2.(*Ledger).Post>sync.(*Mutex).Lock",
			"example.org/bank/v2.(*Ledger).Post" },
	{ "net/http.(*conn).serve>bufio.(*Reader).Peek>runtime.gopark", "bufio.(*Reader).Peek" },
	{ "slices.Sort[go.shape.int,a.b/c.T]>runtime.gopark", "slices.Sort[go.shape.int,a.b/c.T]" },
	{ "runtime.main>runtime.gcBgMarkWorker>runtime.gopark", "runtime.gopark" },
	{ "runtime.main>runtime/trace.Start", "runtime/trace.Start" },
};

static void the_packages_of_go_tell_whose_code_it_is(void **state)
{
	char text[512];
	struct place place;

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(go_places); i++) {
		struct trace_cursor *cursor = NULL;
		struct event event;

		snprintf(text, sizeof(text),
				"meta source_format go-trace-v2\n@0 block T1 for sleep at %s\n",
				go_places[i].stack);
		trace_reader_close(reader);
		reader = trace_from_text(text);
		assert_int_equal(trace_cursor_open(&cursor, reader, TIME_SPAN_ALL, NULL), LO_OK);
		assert_int_equal(trace_cursor_next(cursor, &event, NULL), LO_OK);
		trace_cursor_close(cursor);
		stack_user_place(reader, event.stack, &place);
		assert_string_equal(place.function, go_places[i].function);
	}
}

static void no_stack_has_no_place(void **state)
{
	struct place place;
	char text[64] = "x";

	(void)state;
	stack_of("main");
	stack_user_place(reader, STACK_NONE, &place);
	assert_string_equal(place.function, "");
	stack_leaf_place(reader, 12345, &place);
	assert_string_equal(place.function, "");
	assert_int_equal(stack_places(reader, STACK_NONE, &place, 1), 0);
	assert_string_equal(site_format(reader, STACK_NONE, text, sizeof(text)), "");
}

static void places_come_innermost_first_with_file_line_and_module(void **state)
{
	struct place places[8];
	uint32_t stack = stack_of("main>step~worker(shop.c:12)>lock!libc");

	(void)state;
	assert_int_equal(stack_places(reader, stack, places, LO_COUNT_OF(places)), 4);
	assert_string_equal(places[0].function, "lock");
	assert_string_equal(places[0].module, "libc.so.6");
	assert_string_equal(places[1].function, "step");
	assert_string_equal(places[1].file, "shop.c");
	assert_int_equal(places[1].line, 12);
	assert_string_equal(places[2].function, "worker");
	assert_string_equal(places[2].file, "");
	assert_int_equal(places[2].line, 0);
	assert_string_equal(places[3].function, "main");
	assert_string_equal(places[3].module, "shop");
	assert_int_equal(stack_places(reader, stack, places, 2), 2);
	assert_int_equal(stack_places(reader, stack, places, 0), 0);
	assert_int_equal(stack_frame_places(reader, stack, places, 8), 1);
}

static const char *site_of(const char *stack, char *text, size_t capacity)
{
	uint32_t id = stack_of(stack); /* opens the reader */

	return site_format(reader, id, text, capacity);
}

static void a_site_is_leaf_and_user_function(void **state)
{
	char text[64];

	(void)state;
	assert_string_equal(site_of("main>worker>lock!libc", text, sizeof(text)), "lock < worker");
	assert_string_equal(site_of("main>worker", text, sizeof(text)), "worker");
	assert_string_equal(site_of("main>worker>lock!libc", text, 8), "lock < ");
}

static void names_that_would_move_the_cursor_are_cleaned(void **state)
{
	uint32_t stack = stack_of("main>wor\x1b[2Jker");
	struct place place;
	char text[64];

	(void)state;
	stack_user_place(reader, stack, &place);
	assert_null(strchr(place.function, '\x1b'));
	trace_reader_close(reader);
	reader = trace_from_text("name T1 bad\x1b]0;name\x07\n@0 run T1\n");
	task_format(reader, 1, text, sizeof(text));
	assert_null(strchr(text, '\x1b'));
	assert_null(strchr(text, '\x07'));
	assert_memory_equal(text, "T1 bad", 6);
}

static void tasks_have_a_number_and_perhaps_a_name(void **state)
{
	char text[64];

	(void)state;
	trace_reader_close(reader);
	reader = trace_from_text("name T2 order-worker\n@0 run T1\n");
	assert_string_equal(task_format(reader, 1, text, sizeof(text)), "T1");
	assert_string_equal(task_format(reader, 2, text, sizeof(text)), "T2 order-worker");
	assert_string_equal(task_format(reader, 777, text, sizeof(text)), "T777");
}

static void objects_are_named_by_their_kind(void **state)
{
	char text[64];

	(void)state;
	assert_string_equal(object_format(OBJECT_MUTEX, 0x55d0c8a012c0, text, sizeof(text)),
			"mutex 0x55d0c8a012c0");
	assert_string_equal(
			object_format(OBJECT_DESCRIPTOR, 5, text, sizeof(text)), "descriptor 5");
	assert_string_equal(object_format(OBJECT_TASK, 3, text, sizeof(text)), "task T3");
	assert_string_equal(object_format(OBJECT_PROCESS, 0, text, sizeof(text)), "any process");
	assert_string_equal(object_format(OBJECT_NONE, 0, text, sizeof(text)), "");
	assert_string_equal(object_format(250, 0x10, text, sizeof(text)), "object 0x10");
	for (unsigned kind = 1; kind < OBJECT_KIND_COUNT; kind++)
		assert_true(strlen(object_format((uint8_t)kind, 1, text, sizeof(text))) > 0);
}

static int tear_down(void **state)
{
	(void)state;
	trace_reader_close(reader);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_top_user_place_is_found_as_the_contract_says),
		cmocka_unit_test(the_packages_of_go_tell_whose_code_it_is),
		cmocka_unit_test(no_stack_has_no_place),
		cmocka_unit_test(places_come_innermost_first_with_file_line_and_module),
		cmocka_unit_test(a_site_is_leaf_and_user_function),
		cmocka_unit_test(names_that_would_move_the_cursor_are_cleaned),
		cmocka_unit_test(tasks_have_a_number_and_perhaps_a_name),
		cmocka_unit_test(objects_are_named_by_their_kind),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
