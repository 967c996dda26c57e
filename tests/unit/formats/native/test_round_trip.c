#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "formats/base/string_table.h"
#include "formats/model/meta.h"
#include "formats/model/object.h"
#include "formats/native/trace_cursor.h"
#include "formats/native/trace_reader.h"
#include "formats/native/trace_writer.h"
#include "tests/support/task_row.h"

#define OK(call) assert_int_equal((call), LO_OK)

static const struct event sample_events[] = {
	{ .time_ns = 0, .task = 1, .kind = EVENT_RUN, .flags = EVENT_FLAG_EXISTING },
	{ .time_ns = 10, .task = 2, .peer = 1, .stack = 2, .kind = EVENT_CREATE },
	{ .time_ns = 10, .task = 2, .kind = EVENT_RUN },
	{ .time_ns = 500,
			.task = 2,
			.peer = 1,
			.stack = 3,
			.object = 0xffffffffffffff00u,
			.object_kind = OBJECT_MUTEX,
			.reason = REASON_MUTEX_LOCK,
			.kind = EVENT_BLOCK },
	{ .time_ns = 70000000000u, .task = 2, .peer = 1, .kind = EVENT_UNBLOCK },
	{ .time_ns = 70000000001u, .task = 2, .kind = EVENT_EXIT },
};

static void write_sample_tables(struct trace_writer *writer)
{
	struct module_info module = {
		.flags = MODULE_FLAG_MAIN, .build_id_size = 3, .build_id = { 1, 2, 3 }
	};
	struct task_info task = { .id = 2, .process = 1, .tid = 4711 };
	struct process_info process = {
		.index = 1, .pid = 4710, .end = PROCESS_KILLED, .end_value = 9, .end_ns = 77
	};
	struct symbol chain[2] = { { .line = 12 }, { .line = 34 } };
	uint32_t id;
	uint32_t parent = STACK_NONE;

	OK(trace_writer_string(writer, "/bin/thing", 10, &module.path, NULL));
	OK(trace_writer_module(writer, &module, &id, NULL));
	OK(trace_writer_string(writer, "worker", 6, &task.name, NULL));
	OK(trace_writer_task(writer, &task, NULL));
	OK(trace_writer_process(writer, &process, NULL));
	for (uint64_t offset = 0x1000; offset < 0x4000; offset += 0x1000) {
		OK(trace_writer_frame(writer, (struct frame){ offset, id }, &chain[0].file, NULL));
		OK(trace_writer_stack(writer, parent, chain[0].file, &parent, NULL));
	}
	assert_int_equal(parent, 3);
	chain[0].file = STRING_NONE;
	OK(trace_writer_string(writer, "inner", 5, &chain[0].function, NULL));
	OK(trace_writer_string(writer, "outer", 5, &chain[1].function, NULL));
	OK(trace_writer_symbols(writer, 3, chain, 2, NULL));
	OK(trace_writer_meta(writer, META_ARGUMENT, "one", NULL));
	OK(trace_writer_meta(writer, META_ARGUMENT, "", NULL));
}

static void write_sample(struct byte_buffer *file)
{
	struct byte_sink *sink;
	struct trace_writer *writer;

	OK(byte_sink_open_buffer(&sink, file, NULL));
	OK(trace_writer_open(&writer, sink, NULL));
	write_sample_tables(writer);
	for (size_t i = 0; i < LO_COUNT_OF(sample_events); i++)
		OK(trace_writer_event(writer, &sample_events[i], NULL));
	OK(trace_writer_lost(writer, LOSS_RING_FULL, 5, NULL));
	OK(trace_writer_finish(writer, 80000000000u, NULL));
	trace_writer_close(writer);
}

static struct trace_reader *open_bytes(const struct byte_buffer *file)
{
	struct byte_source *source;
	struct trace_reader *reader = NULL;
	struct lo_error err = { 0 };

	OK(byte_source_open_memory(&source, file->bytes, file->size, NULL));
	if (trace_reader_open(&reader, source, NULL, &err) != LO_OK)
		fail_msg("%s", err.message);
	return reader;
}

static void events_come_back_in_both_directions(void **state)
{
	struct byte_buffer file = { 0 };
	struct trace_reader *reader;
	struct trace_cursor *cursor;
	struct event event;

	(void)state;
	write_sample(&file);
	reader = open_bytes(&file);
	OK(trace_cursor_open(&cursor, reader, TIME_SPAN_ALL, NULL));
	for (size_t i = 0; i < LO_COUNT_OF(sample_events); i++) {
		OK(trace_cursor_next(cursor, &event, NULL));
		assert_memory_equal(&event, &sample_events[i], sizeof(event));
	}
	assert_int_equal(trace_cursor_next(cursor, &event, NULL), LO_END);
	for (size_t i = LO_COUNT_OF(sample_events); i > 0; i--) {
		OK(trace_cursor_previous(cursor, &event, NULL));
		assert_memory_equal(&event, &sample_events[i - 1], sizeof(event));
	}
	assert_int_equal(trace_cursor_previous(cursor, &event, NULL), LO_END);
	trace_cursor_close(cursor);
	assert_int_equal(trace_reader_damage_count(reader), 0);
	trace_reader_close(reader);
	byte_buffer_release(&file);
}

static void tables_come_back(void **state)
{
	struct byte_buffer file = { 0 };
	struct trace_reader *reader;
	const struct trace_info *info;
	const struct symbol *chain;
	uint32_t frames[8];

	(void)state;
	write_sample(&file);
	reader = open_bytes(&file);
	info = trace_reader_info(reader);
	assert_int_equal(info->index, TRACE_INDEX_COMPLETE);
	assert_false(info->truncated);
	assert_int_equal(info->duration_ns, 80000000000u);
	assert_int_equal(info->events, LO_COUNT_OF(sample_events));
	assert_int_equal(info->lost[LOSS_RING_FULL], 5);
	assert_int_equal(info->tasks, 2);
	assert_int_equal(task_row(reader, 1).id, TASK_NONE);
	assert_int_equal(task_row(reader, 2).tid, 4711);
	assert_string_equal(trace_reader_string(reader, task_row(reader, 2).name, NULL), "worker");
	assert_int_equal(trace_reader_process(reader, 1)->end, PROCESS_KILLED);
	assert_int_equal(trace_reader_module(reader, 1)->build_id[2], 3);
	assert_int_equal(stack_table_unwind(trace_reader_stacks(reader), 3, frames, 8), 3);
	assert_int_equal(stack_table_get_frame(trace_reader_stacks(reader), frames[0]).offset,
			0x3000);
	assert_int_equal(symbol_table_get(trace_reader_symbols(reader), 3, &chain), 2);
	assert_string_equal(trace_reader_string(reader, chain[1].function, NULL), "outer");
	assert_string_equal(trace_reader_meta(reader, META_ARGUMENT, 0), "one");
	assert_string_equal(trace_reader_meta(reader, META_ARGUMENT, 1), "");
	assert_null(trace_reader_meta(reader, META_ARGUMENT, 2));
	trace_reader_close(reader);
	byte_buffer_release(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_back_in_both_directions),
		cmocka_unit_test(tables_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
