#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/byte_sink.h"
#include "formats/native/reader_parts.h"
#include "formats/native/trace_writer.h"
#include "tests/support/event_generator.h"

/* Rows about tasks against an array of what was written last for each id. */
#define IDS  4000u
#define ROWS 9000u

struct written {
	struct byte_buffer file;
	uint32_t tid[IDS + 1]; /* 0: no row */
	uint32_t highest;
};

/* Mostly the next id; sometimes one of before again, or some left out. */
static uint32_t next_id(uint64_t *dice, uint32_t *highest)
{
	if (*highest > 0 && generator_random(dice, 4) == 0)
		return 1 + (uint32_t)generator_random(dice, *highest);
	*highest += generator_random(dice, 9) ? 1 : 3;
	if (*highest > IDS)
		*highest = IDS;
	return *highest;
}

static void write_rows(struct written *written, uint64_t dice)
{
	struct trace_writer *writer;
	struct byte_sink *sink;

	*written = (struct written){ 0 };
	assert_int_equal(byte_sink_open_buffer(&sink, &written->file, NULL), LO_OK);
	assert_int_equal(trace_writer_open(&writer, sink, NULL), LO_OK);
	for (uint32_t row = 1; row <= ROWS; row++) {
		struct task_info task = { .id = next_id(&dice, &written->highest), .tid = row };

		assert_int_equal(trace_writer_task(writer, &task, NULL), LO_OK);
		written->tid[task.id] = row;
		if (generator_random(&dice, 50) == 0)
			assert_int_equal(trace_writer_flush(writer, NULL), LO_OK);
	}
	assert_int_equal(trace_writer_finish(writer, 1, NULL), LO_OK);
	trace_writer_close(writer);
}

static struct trace_reader *open_rows(const struct written *written, size_t size, uint64_t cache)
{
	struct trace_reader_options options = { .cache_bytes = cache };
	struct byte_source *source;
	struct trace_reader *reader;

	assert_int_equal(byte_source_open_memory(&source, written->file.bytes, size, NULL), LO_OK);
	assert_int_equal(trace_reader_open(&reader, source, &options, NULL), LO_OK);
	return reader;
}

static void check_rows(const struct written *written, const struct trace_reader *reader)
{
	uint64_t dice = 9;

	for (uint32_t i = 0; i < 2 * IDS; i++) {
		uint32_t id = i <= IDS ? i : (uint32_t)generator_random(&dice, IDS + 1);
		struct task_info task;

		assert_int_equal(trace_reader_task(reader, id, &task), written->tid[id] != 0);
		assert_int_equal(task.tid, written->tid[id]);
		assert_int_equal(task.id, written->tid[id] ? id : TASK_NONE);
	}
	assert_int_equal(trace_reader_info(reader)->tasks, written->highest);
}

static void the_last_row_for_an_id_counts(void **state)
{
	static struct written written;

	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct trace_reader *reader;

		write_rows(&written, seed);
		reader = open_rows(&written, written.file.size, 0);
		check_rows(&written, reader);
		trace_reader_close(reader);
		reader = open_rows(&written, written.file.size, 1); /* nothing is kept */
		check_rows(&written, reader);
		trace_reader_close(reader);
		/* Without locator: found by a scan. */
		reader = open_rows(&written, written.file.size - 20, 0);
		check_rows(&written, reader);
		trace_reader_close(reader);
		byte_buffer_release(&written.file);
	}
}

static void a_lost_section_costs_its_rows(void **state)
{
	static struct written written;
	const struct section_list *list;
	struct trace_reader *reader;
	struct task_info task;
	const uint32_t *sections;
	uint32_t count;
	uint32_t found = 0;
	uint32_t high;

	(void)state;
	write_rows(&written, 4);
	reader = open_rows(&written, written.file.size, 0);
	list = trace_reader_sections(reader);
	sections = section_list_of(list, SECTION_TASKS, &count);
	assert_true(count > 50);
	high = list->entries[sections[0]].high;
	written.file.bytes[list->entries[sections[0]].offset + list->entries[sections[0]].bytes -
			   1] ^= 1;
	for (uint32_t id = 1; id <= IDS; id++) {
		/* Rows for ids of the lost section may also be in later ones. */
		if (trace_reader_task(reader, id, &task))
			assert_int_equal(task.tid, written.tid[id]);
		else
			assert_true(id <= high || written.tid[id] == 0);
		found += task.id == id;
	}
	assert_true(found > 2000);
	assert_int_equal(trace_reader_damage_count(reader), 1);
	trace_reader_close(reader);
	byte_buffer_release(&written.file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_row_for_an_id_counts),
		cmocka_unit_test(a_lost_section_costs_its_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
