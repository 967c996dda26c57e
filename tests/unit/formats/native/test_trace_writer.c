#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/limits.h"
#include "formats/base/macros.h"
#include "formats/model/meta.h"
#include "formats/model/object.h"
#include "formats/native/reader_parts.h"
#include "formats/native/trace_cursor.h"
#include "formats/native/trace_reader.h"
#include "formats/native/trace_writer.h"
#include "tests/support/event_generator.h"
#include "tests/support/fault_source.h"
#include "tests/support/task_row.h"
#include "tests/support/trace_sample.h"

#define OK(call) assert_int_equal((call), LO_OK)

static struct trace_writer *open_writer(struct byte_buffer *file)
{
	struct byte_sink *sink;
	struct trace_writer *writer;

	OK(byte_sink_open_buffer(&sink, file, NULL));
	OK(trace_writer_open(&writer, sink, NULL));
	return writer;
}

static struct trace_reader *open_reader(const struct byte_buffer *file)
{
	struct byte_source *source;
	struct trace_reader *reader;

	OK(byte_source_open_memory(&source, file->bytes, file->size, NULL));
	OK(trace_reader_open(&reader, source, NULL, NULL));
	return reader;
}

static void run_at(struct trace_writer *writer, uint64_t time_ns)
{
	struct event event = { .time_ns = time_ns, .task = 1, .kind = EVENT_RUN };

	OK(trace_writer_event(writer, &event, NULL));
}

static uint64_t blocks_of(const struct trace_writer *writer)
{
	struct trace_writer_stats stats;

	trace_writer_stats(writer, &stats);
	return stats.blocks;
}

static void a_block_is_sealed_when_it_is_full(void **state)
{
	struct byte_buffer file = { 0 };
	struct trace_writer *writer = open_writer(&file);
	struct trace_reader *reader;

	(void)state;
	for (uint64_t i = 0; i < TRACE_BLOCK_ROWS - 1; i++)
		run_at(writer, i);
	assert_int_equal(blocks_of(writer), 0);
	run_at(writer, TRACE_BLOCK_ROWS);
	assert_int_equal(blocks_of(writer), 1);
	/* What was sealed is in the file, whatever becomes of the writer. */
	reader = open_reader(&file);
	assert_int_equal(trace_reader_info(reader)->events, TRACE_BLOCK_ROWS);
	trace_reader_close(reader);
	trace_writer_close(writer);
	byte_buffer_release(&file);
}

static void a_block_is_sealed_when_it_is_old(void **state)
{
	struct byte_buffer file = { 0 };
	struct trace_writer *writer = open_writer(&file);

	(void)state;
	run_at(writer, 10);
	OK(trace_writer_advance(writer, TRACE_BLOCK_SPAN_NS - 1, NULL));
	assert_int_equal(blocks_of(writer), 0);
	OK(trace_writer_advance(writer, TRACE_BLOCK_SPAN_NS, NULL));
	assert_int_equal(blocks_of(writer), 1);
	run_at(writer, TRACE_BLOCK_SPAN_NS);
	OK(trace_writer_advance(writer, 2 * TRACE_BLOCK_SPAN_NS - 1, NULL));
	assert_int_equal(blocks_of(writer), 1);
	OK(trace_writer_flush(writer, NULL));
	assert_int_equal(blocks_of(writer), 2);
	OK(trace_writer_flush(writer, NULL));
	assert_int_equal(blocks_of(writer), 2);
	trace_writer_close(writer);
	byte_buffer_release(&file);
}

static void quiet_time_is_in_the_file_without_an_end(void **state)
{
	struct byte_buffer file = { 0 };
	struct trace_writer *writer = open_writer(&file);
	struct trace_reader *reader;

	(void)state;
	run_at(writer, 0);
	OK(trace_writer_flush(writer, NULL));
	for (uint64_t now_ns = 0; now_ns <= 60000000000; now_ns += 100000000)
		OK(trace_writer_advance(writer, now_ns, NULL));
	assert_int_equal(blocks_of(writer), 1 + 60000000000 / TRACE_HEARTBEAT_NS);
	trace_writer_close(writer);
	reader = open_reader(&file);
	assert_true(trace_reader_info(reader)->truncated);
	assert_int_equal(trace_reader_info(reader)->duration_ns, 60000000000);
	assert_int_equal(trace_reader_info(reader)->events, 1);
	trace_reader_close(reader);
	byte_buffer_release(&file);
}

static void time_may_not_go_back(void **state)
{
	struct byte_buffer file = { 0 };
	struct trace_writer *writer = open_writer(&file);
	struct event event = { .time_ns = 99, .task = 1, .kind = EVENT_RUN };

	(void)state;
	run_at(writer, 100);
	assert_int_equal(trace_writer_event(writer, &event, NULL), LO_USAGE);
	OK(trace_writer_advance(writer, 200, NULL));
	OK(trace_writer_advance(writer, 150, NULL)); /* a promise stays made */
	event.time_ns = 199;
	assert_int_equal(trace_writer_event(writer, &event, NULL), LO_USAGE);
	run_at(writer, 200);
	trace_writer_close(writer);
	byte_buffer_release(&file);
}

static void losses_have_a_place_in_time_and_a_cause(void **state)
{
	struct byte_buffer file = { 0 };
	struct trace_writer *writer = open_writer(&file);
	struct trace_reader *reader;
	struct trace_section section;
	uint64_t found = 0;

	(void)state;
	run_at(writer, 100);
	OK(trace_writer_flush(writer, NULL));
	OK(trace_writer_advance(writer, 500, NULL));
	OK(trace_writer_lost(writer, LOSS_RING_FULL, 3, NULL));
	OK(trace_writer_lost(writer, LOSS_RING_FULL, 4, NULL));
	OK(trace_writer_lost(writer, LOSS_WRITE_FAILED, UINT64_MAX, NULL));
	OK(trace_writer_lost(writer, LOSS_NESTED, 0, NULL));
	OK(trace_writer_flush(writer, NULL)); /* a block without rows */
	run_at(writer, 600);
	OK(trace_writer_lost(writer, LOSS_RING_FULL, 1, NULL));
	OK(trace_writer_finish(writer, 1000, NULL));
	assert_int_equal(trace_writer_lost(writer, LOSS_NESTED, 1, NULL), LO_USAGE);
	trace_writer_close(writer);

	reader = open_reader(&file);
	assert_int_equal(trace_reader_info(reader)->lost[LOSS_RING_FULL], 8);
	assert_true(trace_reader_info(reader)->lost[LOSS_WRITE_FAILED] == UINT64_MAX);
	assert_int_equal(trace_reader_info(reader)->lost[LOSS_NESTED], 0);
	for (uint32_t i = 0; trace_reader_section(reader, i, &section); i++)
		if (section.lost[LOSS_RING_FULL] == 7) {
			found++;
			assert_int_equal(section.rows, 0);
			assert_int_equal(section.span.begin_ns, 100);
			assert_int_equal(section.span.end_ns, 501);
		}
	assert_int_equal(found, 1);
	trace_reader_close(reader);
	byte_buffer_release(&file);
}

static void impossible_events_and_rows_are_refused(void **state)
{
	static const struct event impossible[] = {
		{ .task = 0, .kind = EVENT_RUN },
		{ .task = LIMIT_TASKS + 1, .kind = EVENT_RUN },
		{ .task = 1, .kind = EVENT_KIND_COUNT },
		{ .task = 1, .kind = EVENT_BLOCK, .reason = REASON_COUNT },
		{ .task = 1, .kind = EVENT_BLOCK, .object_kind = OBJECT_KIND_COUNT },
		{ .task = 1, .kind = EVENT_BLOCK, .peer = LIMIT_TASKS + 1 },
		{ .task = 1, .kind = EVENT_BLOCK, .stack = 1 },
		{ .task = 1, .kind = EVENT_RUN, .flags = EVENT_FLAG_PEER_IS_TID },
	};
	static const struct symbol symbol;
	struct task_info task = { .id = 0 };
	struct process_info process = { .index = 0 };
	struct byte_buffer file = { 0 };
	struct trace_writer *writer = open_writer(&file);
	struct lo_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++)
		assert_int_equal(trace_writer_event(writer, &impossible[i], &err), LO_USAGE);
	assert_int_equal(trace_writer_task(writer, &task, &err), LO_USAGE);
	task = (struct task_info){ .id = 1, .kind = TASK_KIND_COUNT };
	assert_int_equal(trace_writer_task(writer, &task, &err), LO_USAGE);
	assert_int_equal(trace_writer_process(writer, &process, &err), LO_USAGE);
	assert_int_equal(trace_writer_symbols(writer, 1, &symbol, 1, &err), LO_USAGE);
	assert_int_equal(trace_writer_lost(writer, LOSS_CAUSE_COUNT, 1, &err), LO_USAGE);
	/* The writer is none the worse for it. */
	run_at(writer, 1);
	OK(trace_writer_finish(writer, 1, NULL));
	trace_writer_close(writer);
	byte_buffer_release(&file);
}

static void later_rows_replace_earlier_ones(void **state)
{
	struct byte_buffer file = { 0 };
	struct trace_writer *writer = open_writer(&file);
	struct trace_reader *reader;
	struct task_info task = { .id = 7, .tid = 1 };
	struct process_info process = { .index = 2, .end = PROCESS_RUNNING };

	(void)state;
	OK(trace_writer_task(writer, &task, NULL));
	OK(trace_writer_process(writer, &process, NULL));
	task.id = 3;
	OK(trace_writer_task(writer, &task, NULL));
	OK(trace_writer_flush(writer, NULL));
	task = (struct task_info){ .id = 7, .tid = 2 };
	OK(trace_writer_task(writer, &task, NULL));
	process.end = PROCESS_EXITED;
	OK(trace_writer_process(writer, &process, NULL));
	OK(trace_writer_finish(writer, 0, NULL));
	trace_writer_close(writer);

	reader = open_reader(&file);
	assert_int_equal(task_row(reader, 7).tid, 2);
	assert_int_equal(task_row(reader, 3).tid, 1);
	assert_int_equal(task_row(reader, 1).id, TASK_NONE);
	assert_int_equal(task_row(reader, 8).id, TASK_NONE);
	assert_int_equal(trace_reader_process(reader, 2)->end, PROCESS_EXITED);
	assert_null(trace_reader_process(reader, 1));
	assert_int_equal(trace_reader_info(reader)->tasks, 7);
	trace_reader_close(reader);
	byte_buffer_release(&file);
}

/* Tables of many megabytes go into several sections, and every row is found again. */
static void large_tables_are_split(void **state)
{
	enum {
		STRINGS = 60000
	};
	struct byte_buffer file = { 0 };
	struct trace_writer *writer = open_writer(&file);
	struct trace_reader *reader;
	struct trace_section section;
	unsigned string_sections = 0;
	char text[64];
	uint32_t id;

	(void)state;
	for (uint32_t i = 1; i <= STRINGS; i++) {
		struct task_info task = { .id = i, .tid = i * 7 };

		snprintf(text, sizeof(text), "a text that is long enough to fill pages %u", i);
		OK(trace_writer_string(writer, text, (uint32_t)strlen(text), &task.name, NULL));
		assert_int_equal(task.name, i);
		OK(trace_writer_task(writer, &task, NULL));
	}
	OK(trace_writer_string(
			writer, "a text that is long enough to fill pages 5", 42, &id, NULL));
	assert_int_equal(id, 5);
	OK(trace_writer_finish(writer, 0, NULL));
	trace_writer_close(writer);

	reader = open_reader(&file);
	for (uint32_t i = 0; trace_reader_section(reader, i, &section); i++)
		string_sections += strcmp(section.name, "strings") == 0;
	assert_true(string_sections > 1);
	for (uint32_t i = 1; i <= STRINGS; i++) {
		struct task_info task = task_row(reader, i);

		snprintf(text, sizeof(text), "a text that is long enough to fill pages %u", i);
		assert_int_equal(task.tid, i * 7);
		assert_string_equal(trace_reader_string(reader, task.name, NULL), text);
	}
	trace_reader_close(reader);
	byte_buffer_release(&file);
}

static void equal_modules_share_an_id(void **state)
{
	struct byte_buffer file = { 0 };
	struct trace_writer *writer = open_writer(&file);
	struct module_info module = { .path = 1, .build_id_size = 2, .build_id = { 1, 2, 3 } };
	uint32_t id;

	(void)state;
	OK(trace_writer_module(writer, &module, &id, NULL));
	assert_int_equal(id, 1);
	module.build_id[2] = 9; /* beyond its size */
	OK(trace_writer_module(writer, &module, &id, NULL));
	assert_int_equal(id, 1);
	module.build_id[1] = 9;
	OK(trace_writer_module(writer, &module, &id, NULL));
	assert_int_equal(id, 2);
	module.build_id_size = MODULE_BUILD_ID_MAX + 1;
	assert_int_equal(trace_writer_module(writer, &module, &id, NULL), LO_USAGE);
	assert_int_equal(trace_writer_module_count(writer), 2);
	assert_null(trace_writer_get_module(writer, 0));
	assert_null(trace_writer_get_module(writer, 3));
	trace_writer_close(writer);
	byte_buffer_release(&file);
}

/* Whenever the disk becomes full: the first error is the answer from then on. */
static void a_full_disk_stays_full(void **state)
{
	static struct event_generator generator;

	(void)state;
	for (uint64_t room = 0; room < 6000; room += 97) {
		struct trace_writer *writer = NULL;
		struct byte_sink *sink;
		struct lo_error first = { 0 };
		struct lo_error later = { 0 };
		enum lo_result result;
		uint32_t id;

		fault_sink_open(&sink, room);
		result = trace_writer_open(&writer, sink, &first);
		if (result != LO_OK) {
			assert_int_equal(result, LO_IO);
			assert_null(writer);
			continue;
		}
		event_generator_init(&generator, GENERATOR_SERVER, room);
		event_generator_write_stacks(&generator, writer);
		for (unsigned i = 0; result == LO_OK && i < 5000; i++) {
			struct event event = event_generator_next(&generator);

			result = trace_writer_event(writer, &event, &first);
			if (result == LO_OK && i % 100 == 99)
				result = trace_writer_flush(writer, &first);
		}
		assert_int_equal(result, LO_IO);
		assert_non_null(strstr(first.message, "No space left"));
		assert_int_equal(trace_writer_flush(writer, &later), LO_IO);
		assert_string_equal(later.message, first.message);
		assert_int_equal(trace_writer_string(writer, "x", 1, &id, NULL), LO_IO);
		assert_int_equal(trace_writer_meta(writer, "a", "b", NULL), LO_IO);
		assert_int_equal(trace_writer_advance(writer, UINT64_MAX, NULL), LO_IO);
		assert_int_equal(trace_writer_finish(writer, UINT64_MAX, NULL), LO_IO);
		trace_writer_close(writer);
	}
	trace_writer_close(NULL);
}

static void a_finished_trace_takes_nothing_more(void **state)
{
	struct byte_buffer file = { 0 };
	struct trace_writer *writer = open_writer(&file);
	struct event event = { .time_ns = 5, .task = 1, .kind = EVENT_RUN };
	size_t size;

	(void)state;
	run_at(writer, 5);
	OK(trace_writer_finish(writer, 3, NULL)); /* an end before the last event is moved to it */
	size = file.size;
	assert_int_equal(trace_writer_event(writer, &event, NULL), LO_USAGE);
	assert_int_equal(trace_writer_flush(writer, NULL), LO_USAGE);
	assert_int_equal(trace_writer_finish(writer, 9, NULL), LO_USAGE);
	trace_writer_close(writer);
	assert_int_equal(file.size, size);
	byte_buffer_release(&file);
}

/* The format promises that ordinary tools accept it, also two files in a row. */
static void zstd_accepts_the_file(void **state)
{
	struct trace_sample sample;
	FILE *zstd;

	(void)state;
	if (system("command -v zstd >/dev/null 2>&1") != 0) {
		print_message("zstd is not installed here: nothing was checked\n");
		skip();
	}
	trace_sample_init(&sample, 5, 200, 17);
	zstd = popen("zstd -q -t", "w");
	assert_non_null(zstd);
	for (unsigned copy = 0; copy < 2; copy++)
		assert_int_equal(fwrite(sample.file.bytes, 1, sample.file.size, zstd),
				sample.file.size);
	assert_int_equal(pclose(zstd), 0);
	trace_sample_release(&sample);
}

static void block_at(struct trace_writer *writer, uint64_t time_ns, uint8_t reason)
{
	struct event event = {
		.time_ns = time_ns, .task = 1, .kind = EVENT_BLOCK, .reason = reason
	};

	OK(trace_writer_event(writer, &event, NULL));
}

static uint8_t reason_called(struct trace_writer *writer, const char *name)
{
	uint8_t reason;

	OK(trace_writer_reason(writer, name, (uint32_t)strlen(name), &reason, NULL));
	return reason;
}

/* The first event of block `number`, by the name of its reason. */
static const char *reason_of_block(struct trace_reader *reader, uint32_t number)
{
	const struct cached_block *block;
	uint8_t reason;

	OK(trace_block_acquire(reader, number, &block, NULL));
	reason = block->events[0].reason;
	trace_block_release(reader, block);
	return trace_reader_reason_name(reader, reason);
}

/* At every length of the file, whole blocks have the reasons that were written. */
static void reasons_that_only_the_file_knows_are_named_in_it(void **state)
{
	static const char *const names[] = { "mutex lock", "quantum wait", "flux", "quantum wait" };
	struct byte_buffer file = { 0 };
	struct trace_writer *writer = open_writer(&file);
	size_t sizes[5];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		block_at(writer, i, reason_called(writer, names[i]));
		OK(trace_writer_flush(writer, NULL));
		sizes[i] = file.size;
	}
	assert_int_equal(reason_called(writer, "mutex lock"), REASON_MUTEX_LOCK);
	assert_int_equal(reason_called(writer, "flux"), REASON_COUNT + 1);
	OK(trace_writer_finish(writer, 10, NULL));
	sizes[4] = file.size;
	trace_writer_close(writer);
	for (unsigned i = 0; i < 5; i++) {
		struct byte_buffer part = { .bytes = file.bytes, .size = sizes[i] };
		struct trace_reader *reader = open_reader(&part);

		assert_int_equal(trace_block_count(reader), i < 4 ? i + 1 : 4);
		for (uint32_t block = 0; block < trace_block_count(reader); block++)
			assert_string_equal(reason_of_block(reader, block), names[block]);
		trace_reader_close(reader);
	}
	byte_buffer_release(&file);
}

static void the_numbers_of_reasons_run_out(void **state)
{
	struct byte_buffer file = { 0 };
	struct trace_writer *writer = open_writer(&file);
	char name[LIMIT_SCHEMA_NAME + 2] = "";
	uint8_t reason;

	(void)state;
	memset(name, 'x', LIMIT_SCHEMA_NAME + 1);
	assert_int_equal(trace_writer_reason(writer, name, LIMIT_SCHEMA_NAME + 1, &reason, NULL),
			LO_UNSUPPORTED);
	assert_int_equal(trace_writer_reason(writer, "a\0b", 3, &reason, NULL), LO_UNSUPPORTED);
	for (unsigned i = REASON_COUNT; i < REASON_LIMIT; i++) {
		snprintf(name, sizeof(name), "reason %u", i);
		assert_int_equal(reason_called(writer, name), i);
	}
	assert_int_equal(trace_writer_reason(writer, "one more", 8, &reason, NULL), LO_UNSUPPORTED);
	trace_writer_close(writer);
	byte_buffer_release(&file);
}

static uint64_t time_of_next(struct trace_cursor *cursor)
{
	struct event event;

	OK(trace_cursor_next(cursor, &event, NULL));
	return event.time_ns;
}

static void times_are_multiples_of_the_resolution(void **state)
{
	static const uint64_t times[] = { 0, 63, 64, 127, 5000, 5063 };
	static const uint64_t wanted[] = { 0, 0, 64, 64, 4992, 5056 };
	struct byte_buffer file = { 0 };
	struct trace_writer *writer = open_writer(&file);
	struct trace_reader *reader;
	struct trace_cursor *cursor;

	(void)state;
	OK(trace_writer_resolution(writer, 100, NULL));
	for (size_t i = 0; i < LO_COUNT_OF(times); i++) {
		run_at(writer, times[i]);
		/* A border between blocks does not forbid a time that is rounded down to it. */
		OK(trace_writer_advance(writer, times[i] + 1, NULL));
		OK(trace_writer_flush(writer, NULL));
	}
	OK(trace_writer_finish(writer, 5077, NULL));
	trace_writer_close(writer);
	reader = open_reader(&file);
	assert_string_equal(trace_reader_meta(reader, META_RESOLUTION, 0), "64");
	assert_int_equal(trace_reader_info(reader)->duration_ns, 5077);
	OK(trace_cursor_open(&cursor, reader, TIME_SPAN_ALL, NULL));
	for (size_t i = 0; i < LO_COUNT_OF(wanted); i++)
		assert_int_equal(time_of_next(cursor), wanted[i]);
	trace_cursor_close(cursor);
	assert_int_equal(trace_reader_damage_count(reader), 0);
	trace_reader_close(reader);
	byte_buffer_release(&file);
}

static void a_resolution_out_of_range_or_too_late_is_refused(void **state)
{
	struct byte_buffer file = { 0 };
	struct trace_writer *writer = open_writer(&file);

	(void)state;
	assert_int_equal(trace_writer_resolution(writer, 0, NULL), LO_USAGE);
	assert_int_equal(trace_writer_resolution(writer, TRACE_RESOLUTION_MAX_NS + 1, NULL),
			LO_USAGE);
	OK(trace_writer_resolution(writer, TRACE_RESOLUTION_MAX_NS, NULL));
	run_at(writer, 0);
	assert_int_equal(trace_writer_resolution(writer, 2, NULL), LO_USAGE);
	trace_writer_close(writer);
	byte_buffer_release(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_is_sealed_when_it_is_full),
		cmocka_unit_test(a_block_is_sealed_when_it_is_old),
		cmocka_unit_test(quiet_time_is_in_the_file_without_an_end),
		cmocka_unit_test(time_may_not_go_back),
		cmocka_unit_test(losses_have_a_place_in_time_and_a_cause),
		cmocka_unit_test(impossible_events_and_rows_are_refused),
		cmocka_unit_test(later_rows_replace_earlier_ones),
		cmocka_unit_test(large_tables_are_split),
		cmocka_unit_test(equal_modules_share_an_id),
		cmocka_unit_test(a_full_disk_stays_full),
		cmocka_unit_test(a_finished_trace_takes_nothing_more),
		cmocka_unit_test(zstd_accepts_the_file),
		cmocka_unit_test(reasons_that_only_the_file_knows_are_named_in_it),
		cmocka_unit_test(the_numbers_of_reasons_run_out),
		cmocka_unit_test(times_are_multiples_of_the_resolution),
		cmocka_unit_test(a_resolution_out_of_range_or_too_late_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
