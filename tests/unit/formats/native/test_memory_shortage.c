#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "formats/native/trace_check.h"
#include "formats/native/trace_cursor.h"
#include "formats/native/trace_writer.h"
#include "tests/support/event_generator.h"

/*
 * Every allocation of the library fails once, one after the other. What was asked for must then
 * fail with LO_NO_MEMORY, and closing everything must free everything (run with LOITER_ASAN to see
 * that it does). The linker leads the library's allocations here: see CMakeLists.txt.
 */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static unsigned long allocations;
static unsigned long failing; /* number of the allocation that fails; 0 = none */

static int fails(void)
{
	return ++allocations == failing;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

#define TRY(call)                                   \
	do {                                        \
		enum lo_result try_result = (call); \
		if (try_result != LO_OK)            \
			return try_result;          \
	} while (0)

static enum lo_result fill(struct trace_writer *writer)
{
	static struct event_generator generator;
	struct module_info module = { .flags = MODULE_FLAG_MAIN };
	struct task_info task = { .id = 2 };
	struct process_info process = { .index = 1 };
	struct symbol symbol = { 0 };
	uint32_t parent = STACK_NONE;
	uint32_t id;

	event_generator_init(&generator, GENERATOR_PING_PONG, 1);
	TRY(trace_writer_string(writer, "worker", 6, &symbol.function, NULL));
	TRY(trace_writer_module(writer, &module, &id, NULL));
	for (uint64_t offset = 1; offset <= 100; offset++) {
		TRY(trace_writer_frame(writer, (struct frame){ offset, 1 }, &id, NULL));
		TRY(trace_writer_stack(writer, parent, id, &parent, NULL));
	}
	TRY(trace_writer_symbols(writer, 1, &symbol, 1, NULL));
	TRY(trace_writer_task(writer, &task, NULL));
	task.id = 1;
	TRY(trace_writer_task(writer, &task, NULL));
	TRY(trace_writer_process(writer, &process, NULL));
	TRY(trace_writer_meta(writer, "key", "value", NULL));
	for (unsigned i = 0; i < 300; i++) {
		struct event event = event_generator_next(&generator);

		TRY(trace_writer_event(writer, &event, NULL));
		if (i % 100 == 50) {
			TRY(trace_writer_lost(writer, LOSS_RING_FULL, 1, NULL));
			TRY(trace_writer_flush(writer, NULL));
		}
	}
	return trace_writer_finish(writer, generator.now_ns, NULL);
}

static enum lo_result write_trace(struct byte_buffer *file)
{
	struct trace_writer *writer = NULL;
	struct byte_sink *sink = NULL;
	enum lo_result result;

	byte_buffer_clear(file);
	TRY(byte_sink_open_buffer(&sink, file, NULL));
	TRY(trace_writer_open(&writer, sink, NULL));
	result = fill(writer);
	trace_writer_close(writer);
	return result;
}

static enum lo_result walk(struct trace_reader *reader)
{
	struct trace_cursor *cursor = NULL;
	struct event event;
	enum lo_result result;
	unsigned count = 0;

	TRY(trace_cursor_open(&cursor, reader, TIME_SPAN_ALL, NULL));
	while ((result = trace_cursor_next(cursor, &event, NULL)) == LO_OK)
		count++;
	trace_cursor_close(cursor);
	if (result != LO_END)
		return result;
	assert_int_equal(count, 300);
	return LO_OK;
}

static enum lo_result read_trace(const struct byte_buffer *file, size_t size)
{
	struct byte_source *source = NULL;
	struct trace_reader *reader = NULL;
	enum lo_result result;

	TRY(byte_source_open_memory(&source, file->bytes, size, NULL));
	TRY(trace_reader_open(&reader, source, NULL, NULL));
	result = walk(reader);
	assert_int_equal(trace_reader_damage_count(reader), 0);
	trace_reader_close(reader);
	return result;
}

static void note(void *context, uint64_t offset, const char *sentence)
{
	(void)context;
	fail_msg("a want of memory was taken for damage at %llu: %s", (unsigned long long)offset,
			sentence);
}

static enum lo_result check_trace(const struct byte_buffer *file)
{
	struct trace_check_listener listener = { note, NULL };
	struct byte_source *source = NULL;
	struct trace_checking *checking = NULL;
	struct trace_check_result found;
	enum lo_result result = LO_OK;

	TRY(byte_source_open_memory(&source, file->bytes, file->size, NULL));
	TRY(trace_checking_open(&checking, source, NULL, NULL));
	for (unsigned i = 0; trace_check_at(i) && result == LO_OK; i++)
		result = trace_checking_run(checking, i, &listener, &found, NULL);
	trace_checking_close(checking);
	return result;
}

/* Fails each allocation in turn until everything passes with none failing. */
#define FAIL_EACH(call)                                                                           \
	do {                                                                                      \
		enum lo_result each_result;                                                       \
		unsigned long each = 0;                                                           \
		do {                                                                              \
			allocations = 0;                                                          \
			failing = ++each;                                                         \
			each_result = (call);                                                     \
			failing = 0;                                                              \
			assert_int_equal(each_result, allocations < each ? LO_OK : LO_NO_MEMORY); \
		} while (each_result != LO_OK);                                                   \
		assert_true(each > 10);                                                           \
	} while (0)

static void writing_fails_in_good_order(void **state)
{
	struct byte_buffer file = { 0 };

	(void)state;
	/* The buffer is the caller's: with room in it, all failures are the library's. */
	byte_buffer_reserve(&file, 1 << 20);
	FAIL_EACH(write_trace(&file));
	byte_buffer_release(&file);
}

static void reading_fails_in_good_order(void **state)
{
	struct byte_buffer file = { 0 };

	(void)state;
	assert_int_equal(write_trace(&file), LO_OK);
	FAIL_EACH(read_trace(&file, file.size));
	byte_buffer_release(&file);
}

static void checking_fails_in_good_order(void **state)
{
	struct byte_buffer file = { 0 };

	(void)state;
	assert_int_equal(write_trace(&file), LO_OK);
	FAIL_EACH(check_trace(&file));
	byte_buffer_release(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writing_fails_in_good_order),
		cmocka_unit_test(reading_fails_in_good_order),
		cmocka_unit_test(checking_fails_in_good_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
