#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/import/import_probe.h"
#include "formats/import/import_sink.h"
#include "formats/native/trace_cursor.h"
#include "tests/support/go_trace_text.h"

struct fixture {
	struct byte_buffer native;
	struct trace_writer *writer;
	struct import_sink sink;
};

static uint32_t add_task(struct fixture *fixture)
{
	struct task_info info = { .process = 1, .kind = TASK_GOROUTINE };

	assert_int_equal(import_sink_new_task(&fixture->sink, &info.id, NULL), LO_OK);
	info.tid = info.id;
	assert_int_equal(trace_writer_task(fixture->writer, &info, NULL), LO_OK);
	return info.id;
}

static int open_sink(void **state)
{
	static struct fixture fixture;
	struct byte_sink *sink;

	fixture = (struct fixture){ 0 };
	assert_int_equal(byte_sink_open_buffer(&sink, &fixture.native, NULL), LO_OK);
	assert_int_equal(trace_writer_open(&fixture.writer, sink, NULL), LO_OK);
	import_sink_init(&fixture.sink, fixture.writer);
	*state = &fixture;
	return 0;
}

static int close_sink(void **state)
{
	struct fixture *fixture = *state;

	import_sink_release(&fixture->sink);
	trace_writer_close(fixture->writer);
	byte_buffer_release(&fixture->native);
	return 0;
}

static void assert_written(struct fixture *fixture, const char *expected)
{
	struct byte_buffer text = { 0 };
	struct byte_source *source;
	struct trace_reader *reader;

	assert_int_equal(trace_writer_finish(fixture->writer, fixture->sink.now_ns, NULL), LO_OK);
	assert_int_equal(byte_source_open_memory(&source, fixture->native.bytes,
					 fixture->native.size, NULL),
			LO_OK);
	assert_int_equal(trace_reader_open(&reader, source, NULL, NULL), LO_OK);
	events_to_text(reader, &text);
	assert_string_equal((char *)text.bytes, expected);
	byte_buffer_release(&text);
	trace_reader_close(reader);
}

static void times_never_go_back(void **state)
{
	struct fixture *fixture = *state;
	uint32_t one = add_task(fixture);

	import_sink_exists(&fixture->sink, 100, one, NULL);
	import_sink_block(&fixture->sink, 40, one, REASON_SLEEP, STACK_NONE, NULL);
	import_sink_advance(&fixture->sink, 70);
	import_sink_unblock(&fixture->sink, 101, one, TASK_NONE, NULL);
	assert_written(fixture, "100 run 1 existing\n100 block 1 sleep\n101 unblock 1\n");
}

static void a_second_block_and_a_second_unblock_are_left_out(void **state)
{
	struct fixture *fixture = *state;
	uint32_t one = add_task(fixture);

	import_sink_exists(&fixture->sink, 0, one, NULL);
	import_sink_unblock(&fixture->sink, 1, one, TASK_NONE, NULL);
	import_sink_block(&fixture->sink, 2, one, REASON_SLEEP, STACK_NONE, NULL);
	import_sink_block(&fixture->sink, 3, one, REASON_SELECT, STACK_NONE, NULL);
	assert_true(import_sink_is_blocked(&fixture->sink, one));
	assert_int_equal(fixture->sink.left_out, 2);
	assert_written(fixture, "0 run 1 existing\n2 block 1 sleep\n");
}

static void nothing_comes_before_birth_or_after_death(void **state)
{
	struct fixture *fixture = *state;
	uint32_t one = add_task(fixture);

	import_sink_block(&fixture->sink, 1, one, REASON_SLEEP, STACK_NONE, NULL);
	import_sink_exit(&fixture->sink, 2, one, NULL);
	import_sink_create(&fixture->sink, 3, one, 99, STACK_NONE, NULL);
	import_sink_create(&fixture->sink, 4, one, TASK_NONE, STACK_NONE, NULL);
	import_sink_run(&fixture->sink, 5, one, NULL);
	import_sink_run(&fixture->sink, 6, one, NULL);
	import_sink_exit(&fixture->sink, 7, one, NULL);
	import_sink_run(&fixture->sink, 8, one, NULL);
	import_sink_exit(&fixture->sink, 9, one, NULL);
	assert_int_equal(fixture->sink.left_out, 4);
	assert_written(fixture, "3 create 1\n5 run 1\n7 exit 1\n");
}

static void who_exits_while_blocked_is_unblocked_before(void **state)
{
	struct fixture *fixture = *state;
	uint32_t one = add_task(fixture);

	import_sink_create(&fixture->sink, 0, one, TASK_NONE, STACK_NONE, NULL);
	import_sink_block(&fixture->sink, 1, one, REASON_COROUTINE, STACK_NONE, NULL);
	import_sink_exit(&fixture->sink, 2, one, NULL);
	assert_written(fixture, "0 create 1\n1 block 1 coroutine\n2 unblock 1\n2 exit 1\n");
}

static void events_of_no_task_are_left_out(void **state)
{
	struct fixture *fixture = *state;

	import_sink_exists(&fixture->sink, 0, TASK_NONE, NULL);
	import_sink_block(&fixture->sink, 1, 7, REASON_SLEEP, STACK_NONE, NULL);
	assert_false(import_sink_is_blocked(&fixture->sink, TASK_NONE));
	assert_int_equal(fixture->sink.left_out, 2);
}

static void every_importer_is_complete_and_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (unsigned i = 0; importers[i]; i++) {
		assert_non_null(importers[i]->name);
		assert_non_null(importers[i]->help);
		assert_non_null(importers[i]->probe);
		assert_non_null(importers[i]->run);
		assert_false(importers[i]->probe((const uint8_t *)"", 0));
		for (unsigned other = 0; other < i; other++)
			assert_string_not_equal(importers[i]->name, importers[other]->name);
	}
}

static void what_is_not_a_trace_is_named(void **state)
{
	static const char html[] = "<html>404 page not found";
	static const char elf[] = "\177ELF\2\1\1";

	(void)state;
	assert_null(import_probe((const uint8_t *)html, sizeof(html)));
	assert_non_null(strstr(import_probe_guess((const uint8_t *)html, sizeof(html)), "HTML"));
	assert_non_null(strstr(import_probe_guess((const uint8_t *)elf, sizeof(elf)), "program"));
	assert_non_null(strstr(import_probe_guess((const uint8_t *)elf, 0), "empty"));
	assert_non_null(strstr(import_probe_guess((const uint8_t *)"x", 1), "no known format"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(times_never_go_back, open_sink, close_sink),
		cmocka_unit_test_setup_teardown(a_second_block_and_a_second_unblock_are_left_out,
				open_sink, close_sink),
		cmocka_unit_test_setup_teardown(
				nothing_comes_before_birth_or_after_death, open_sink, close_sink),
		cmocka_unit_test_setup_teardown(
				who_exits_while_blocked_is_unblocked_before, open_sink, close_sink),
		cmocka_unit_test_setup_teardown(
				events_of_no_task_are_left_out, open_sink, close_sink),
		cmocka_unit_test(every_importer_is_complete_and_has_a_name_of_its_own),
		cmocka_unit_test(what_is_not_a_trace_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
