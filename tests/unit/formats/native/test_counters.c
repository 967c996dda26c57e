#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/byte_buffer.h"
#include "formats/base/limits.h"
#include "formats/native/layout.h"
#include "formats/native/trace_check.h"
#include "formats/native/trace_counters.h"
#include "formats/native/trace_writer.h"
#include "tests/support/fault_source.h"

/* Samples of two counters, at times and values that are easy to say again. */
struct sample {
	uint64_t time_ns;
	uint64_t value;
};

struct made {
	struct byte_buffer file;
	struct sample *heap;
	uint32_t count;
};

#define STEP_NS 1000u

static uint32_t random_state;

static uint32_t random_below(uint32_t bound)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)random_state * bound >> 32);
}

static uint32_t string(struct trace_writer *writer, const char *text)
{
	uint32_t id;

	assert_int_equal(trace_writer_string(writer, text, (uint32_t)strlen(text), &id, NULL),
			LO_OK);
	return id;
}

/* `count` samples, a section each `per_section` of them. */
static struct made make(uint32_t count, uint32_t per_section, bool finish)
{
	struct made made = { .count = count, .heap = calloc(count + 1, sizeof(*made.heap)) };
	struct trace_writer *writer;
	struct byte_sink *sink;
	uint32_t heap;
	uint32_t procs;

	random_state = 42;
	assert_int_equal(byte_sink_open_buffer(&sink, &made.file, NULL), LO_OK);
	assert_int_equal(trace_writer_open(&writer, sink, NULL), LO_OK);
	assert_int_equal(trace_writer_counter(writer,
					 (struct counter_key){ string(writer, "heap"),
							 string(writer, "bytes"), 0 },
					 &heap, NULL),
			LO_OK);
	assert_int_equal(trace_writer_counter(writer,
					 (struct counter_key){ string(writer, "procs"), 0, 3 },
					 &procs, NULL),
			LO_OK);
	for (uint32_t i = 0; i < count; i++) {
		struct sample *sample = &made.heap[i];

		*sample = (struct sample){ (uint64_t)i * STEP_NS + random_below(STEP_NS),
			1000000 + random_below(2000000) };
		assert_int_equal(trace_writer_sample(writer, heap, sample->time_ns, sample->value,
						 NULL),
				LO_OK);
		if (i % 10 == 0)
			assert_int_equal(trace_writer_sample(writer, procs, sample->time_ns, i % 7,
							 NULL),
					LO_OK);
		if (i % per_section == per_section - 1)
			assert_int_equal(trace_writer_flush(writer, NULL), LO_OK);
	}
	assert_int_equal(trace_writer_flush(writer, NULL), LO_OK);
	if (finish)
		assert_int_equal(trace_writer_finish(writer, (uint64_t)count * STEP_NS, NULL),
				LO_OK);
	trace_writer_close(writer);
	return made;
}

static void release(struct made *made)
{
	byte_buffer_release(&made->file);
	free(made->heap);
}

static struct trace_reader *open_bytes(const uint8_t *bytes, size_t size)
{
	struct byte_source *source;
	struct trace_reader *reader;

	assert_int_equal(byte_source_open_memory(&source, bytes, size, NULL), LO_OK);
	assert_int_equal(trace_reader_open(&reader, source, NULL, NULL), LO_OK);
	return reader;
}

static void a_counter_is_found_by_its_name(void **state)
{
	struct made made = make(100, 40, true);
	struct trace_reader *reader = open_bytes(made.file.bytes, made.file.size);
	const struct trace_counter *counter;

	(void)state;
	assert_int_equal(trace_counter_count(reader), 2);
	assert_int_equal(trace_counter_find(reader, "nothing"), 2);
	assert_null(trace_counter_get(reader, 2));
	counter = trace_counter_get(reader, trace_counter_find(reader, "heap"));
	assert_string_equal(counter->unit, "bytes");
	assert_int_equal(counter->process, 0);
	assert_int_equal(counter->total.samples, 100);
	assert_int_equal(counter->total.first, made.heap[0].value);
	assert_int_equal(counter->total.last, made.heap[99].value);
	assert_int_equal(counter->total.last_ns, made.heap[99].time_ns);
	counter = trace_counter_get(reader, trace_counter_find(reader, "procs"));
	assert_string_equal(counter->unit, "");
	assert_int_equal(counter->process, 3);
	assert_int_equal(counter->total.samples, 10);
	assert_int_equal(counter->total.least, 0);
	assert_int_equal(counter->total.greatest, 6);
	trace_reader_close(reader);
	release(&made);
}

/* Every column of a span against the samples themselves. `slack`: how far a value may show. */
static void compare(const struct made *made, struct trace_reader *reader, struct time_span span,
		uint32_t columns, uint32_t per_cell)
{
	struct counter_cell *cells = calloc(columns, sizeof(*cells));
	uint64_t length = span.end_ns - span.begin_ns;
	uint64_t slack_ns = (uint64_t)per_cell * STEP_NS + 1;

	assert_int_equal(trace_counter_columns(reader, trace_counter_find(reader, "heap"), span,
					 cells, columns, NULL),
			LO_OK);
	for (uint32_t i = 0; i < made->count; i++) {
		const struct sample *sample = &made->heap[i];
		uint64_t column;

		if (sample->time_ns < span.begin_ns || sample->time_ns >= span.end_ns)
			continue;
		column = (uint64_t)((double)(sample->time_ns - span.begin_ns) * columns /
				    (double)length);
		assert_true(cells[column].samples > 0);
		assert_true(cells[column].least <= sample->value);
		assert_true(cells[column].greatest >= sample->value);
	}
	for (uint32_t column = 0; column < columns; column++) {
		uint64_t begin_ns = span.begin_ns + length * column / columns;
		uint64_t end_ns = span.begin_ns + length * (column + 1) / columns;
		bool near = false;
		bool least = false;

		for (uint32_t i = 0; i < made->count; i++) {
			const struct sample *sample = &made->heap[i];

			if (sample->time_ns + slack_ns < begin_ns ||
					sample->time_ns > end_ns + slack_ns)
				continue;
			near = true;
			least = least || sample->value == cells[column].least;
		}
		if (cells[column].samples > 0)
			assert_true(near && least);
	}
	free(cells);
}

static void columns_of_any_span_show_what_was_measured(void **state)
{
	static const uint32_t per_section[] = { 1, 3, 50, 5000 };
	uint32_t count = 3000;

	(void)state;
	for (unsigned size = 0; size < 4; size++) {
		struct made made = make(count, per_section[size], true);
		struct trace_reader *reader = open_bytes(made.file.bytes, made.file.size);
		uint64_t end_ns = (uint64_t)count * STEP_NS;

		for (unsigned i = 0; i < 40; i++) {
			uint64_t begin_ns = random_below((uint32_t)end_ns);
			struct time_span span = { begin_ns,
				begin_ns + 1 + random_below((uint32_t)end_ns) };

			/* The cells of level 4 would stand for 16^3 sections each: never needed
			 * here, since there are at least as many cells as columns, or as many
			 * as there are. */
			compare(&made, reader, span, 1 + random_below(80),
					per_section[size] > 1024 ? 1024 : per_section[size] * 256);
		}
		compare(&made, reader, (struct time_span){ 0, end_ns }, 20, 3000);
		trace_reader_close(reader);
		release(&made);
	}
}

static void a_narrow_span_shows_single_samples(void **state)
{
	struct made made = make(20000, 20, true);
	struct trace_reader *reader = open_bytes(made.file.bytes, made.file.size);
	struct counter_cell cells[10];
	struct time_span span = { made.heap[7777].time_ns, made.heap[7777].time_ns + 10 };

	(void)state;
	assert_int_equal(trace_counter_columns(reader, trace_counter_find(reader, "heap"), span,
					 cells, 10, NULL),
			LO_OK);
	assert_int_equal(cells[0].samples, 1);
	assert_int_equal(cells[0].first, made.heap[7777].value);
	assert_int_equal(cells[1].samples, 0);
	trace_reader_close(reader);
	release(&made);
}

static void between_samples_the_value_is_the_last_one(void **state)
{
	struct made made = make(500, 7, true);
	struct trace_reader *reader = open_bytes(made.file.bytes, made.file.size);
	uint32_t heap = trace_counter_find(reader, "heap");
	struct counter_cell cell;

	(void)state;
	for (uint32_t i = 0; i < 499; i++) {
		uint64_t time_ns = made.heap[i + 1].time_ns;

		if (time_ns == made.heap[i].time_ns)
			continue;
		assert_int_equal(trace_counter_at(reader, heap, time_ns - 1, &cell, NULL), LO_OK);
		assert_int_equal(cell.samples, 1);
		assert_int_equal(cell.last, made.heap[i].value);
		assert_int_equal(cell.last_ns, made.heap[i].time_ns);
	}
	if (made.heap[0].time_ns > 0) {
		assert_int_equal(trace_counter_at(reader, heap, 0, &cell, NULL), LO_OK);
		assert_int_equal(cell.samples, 0);
	}
	trace_reader_close(reader);
	release(&made);
}

/* Counts reads of a file in memory. */
struct counting_source {
	struct byte_source source;
	const struct byte_buffer *file;
	uint64_t reads;
};

static struct counting_source *counted;

static enum lo_result counting_read(struct byte_source *source, uint64_t offset, void *bytes,
		size_t size, size_t *got, struct lo_error *err)
{
	struct counting_source *counting = (struct counting_source *)source;

	(void)err;
	counting->reads++;
	*got = offset >= counting->file->size ? 0 : counting->file->size - offset;
	if (*got > size)
		*got = size;
	if (*got > 0)
		memcpy(bytes, counting->file->bytes + offset, *got);
	return LO_OK;
}

static uint64_t counting_size(struct byte_source *source)
{
	return ((struct counting_source *)source)->file->size;
}

static void counting_close(struct byte_source *source)
{
	free(source);
}

static struct trace_reader *open_counted(const struct byte_buffer *file)
{
	static const struct byte_source_ops ops = { counting_read, counting_size, counting_close };
	struct trace_reader *reader;

	counted = calloc(1, sizeof(*counted));
	assert_non_null(counted);
	*counted = (struct counting_source){ { &ops }, file, 0 };
	assert_int_equal(trace_reader_open(&reader, &counted->source, NULL, NULL), LO_OK);
	return reader;
}

static void a_wide_view_reads_little(void **state)
{
	struct made made = make(60000, 2, true); /* 30,000 sections of samples */
	struct trace_reader *reader = open_counted(&made.file);
	uint32_t heap = trace_counter_find(reader, "heap");
	struct counter_cell cells[200];

	(void)state;
	counted->reads = 0;
	for (uint64_t length = 60000ull * STEP_NS; length > 1000; length /= 3) {
		assert_int_equal(trace_counter_columns(reader, heap,
						 (struct time_span){ 0, length }, cells, 200, NULL),
				LO_OK);
		assert_in_range(counted->reads, 1, 300);
		counted->reads = 0;
	}
	trace_reader_close(reader);
	release(&made);
}

/* The levels stand in the file as they come: a cut takes nothing from what is before it. */
static void a_cut_file_has_what_was_written_before(void **state)
{
	struct made made = make(3000, 4, false);

	(void)state;
	for (size_t size = made.file.size; size > made.file.size / 8; size -= made.file.size / 9) {
		struct trace_reader *reader = open_bytes(made.file.bytes, size);
		uint32_t heap = trace_counter_find(reader, "heap");
		const struct trace_counter *counter = trace_counter_get(reader, heap);
		struct made part = made;

		assert_non_null(counter);
		part.count = (uint32_t)counter->total.samples;
		assert_true(part.count % 4 == 0 && part.count > 0);
		compare(&part, reader, (struct time_span){ 0, part.count * STEP_NS }, 64, 256);
		trace_reader_close(reader);
	}
	release(&made);
}

static uint32_t count_lost(struct trace_reader *reader, const struct made *made)
{
	uint32_t heap = trace_counter_find(reader, "heap");
	uint32_t lost = 0;

	for (uint32_t i = 0; i < made->count; i++) {
		struct time_span span = { made->heap[i].time_ns, made->heap[i].time_ns + 1 };
		struct counter_cell cell;

		assert_int_equal(trace_counter_columns(reader, heap, span, &cell, 1, NULL), LO_OK);
		if (cell.samples == 0)
			lost++;
	}
	return lost;
}

static void damage_costs_one_section(void **state)
{
	struct made made = make(600, 10, true);
	struct trace_reader *whole = open_bytes(made.file.bytes, made.file.size);
	struct trace_section section;
	unsigned damaged = 0;

	(void)state;
	for (uint32_t i = 0; trace_reader_section(whole, i, &section); i++) {
		uint64_t at = section.offset + section.bytes - 3;
		struct trace_reader *reader;
		struct trace_damage damage;

		if (strcmp(section.name, "counters") != 0)
			continue;
		made.file.bytes[at] ^= 0x55;
		reader = open_bytes(made.file.bytes, made.file.size);
		assert_in_range(count_lost(reader, &made), 0, 10);
		assert_int_equal(trace_reader_damage_count(reader), 1);
		assert_true(trace_reader_damage(reader, 0, &damage));
		assert_int_equal(damage.offset, section.offset);
		compare(&made, reader, (struct time_span){ 600 * STEP_NS, 600 * STEP_NS + 1 }, 9,
				256);
		trace_reader_close(reader);
		made.file.bytes[at] ^= 0x55;
		damaged++;
	}
	assert_int_equal(damaged, 60 + 3); /* 60 of samples, 3 of the next level */
	trace_reader_close(whole);
	release(&made);
}

static void wrong_use_is_refused(void **state)
{
	struct byte_buffer file = { 0 };
	struct trace_writer *writer;
	struct byte_sink *sink;
	uint32_t counter;

	(void)state;
	assert_int_equal(byte_sink_open_buffer(&sink, &file, NULL), LO_OK);
	assert_int_equal(trace_writer_open(&writer, sink, NULL), LO_OK);
	assert_int_equal(trace_writer_sample(writer, 0, 5, 1, NULL), LO_USAGE);
	for (uint32_t i = 0; i < LIMIT_COUNTERS; i++)
		assert_int_equal(trace_writer_counter(writer, (struct counter_key){ 0, 0, i },
						 &counter, NULL),
				LO_OK);
	assert_int_equal(trace_writer_counter(writer, (struct counter_key){ 0, 0, LIMIT_COUNTERS },
					 &counter, NULL),
			LO_UNSUPPORTED);
	assert_int_equal(trace_writer_counter(
					 writer, (struct counter_key){ 0, 0, 7 }, &counter, NULL),
			LO_OK);
	assert_int_equal(counter, 7);
	assert_int_equal(trace_writer_sample(writer, 7, 5, 1, NULL), LO_OK);
	assert_int_equal(trace_writer_sample(writer, 7, 4, 1, NULL), LO_USAGE);
	assert_int_equal(trace_writer_sample(writer, 6, 5, UINT64_MAX, NULL), LO_OK);
	assert_int_equal(trace_writer_finish(writer, 9, NULL), LO_OK);
	trace_writer_close(writer);
	byte_buffer_release(&file);
}

static void as_many_counters_as_there_may_be_fit_in_a_header(void **state)
{
	struct byte_buffer file = { 0 };
	struct trace_reader *reader;
	struct trace_writer *writer;
	struct byte_sink *sink;
	uint32_t counter;

	(void)state;
	assert_int_equal(byte_sink_open_buffer(&sink, &file, NULL), LO_OK);
	assert_int_equal(trace_writer_open(&writer, sink, NULL), LO_OK);
	for (uint32_t i = 0; i < 40 * LIMIT_COUNTERS; i++) {
		assert_int_equal(trace_writer_counter(writer,
						 (struct counter_key){ 0, 0, i % LIMIT_COUNTERS },
						 &counter, NULL),
				LO_OK);
		assert_int_equal(trace_writer_sample(writer, counter, i, i % 3 ? 0 : UINT64_MAX - i,
						 NULL),
				LO_OK);
	}
	assert_int_equal(trace_writer_finish(writer, 100000, NULL), LO_OK);
	trace_writer_close(writer);
	reader = open_bytes(file.bytes, file.size);
	assert_int_equal(trace_counter_count(reader), LIMIT_COUNTERS);
	for (uint32_t i = 0; i < LIMIT_COUNTERS; i++)
		assert_int_equal(trace_counter_get(reader, i)->total.samples, 40);
	assert_int_equal(trace_reader_damage_count(reader), 0);
	trace_reader_close(reader);
	byte_buffer_release(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_counter_is_found_by_its_name),
		cmocka_unit_test(columns_of_any_span_show_what_was_measured),
		cmocka_unit_test(a_narrow_span_shows_single_samples),
		cmocka_unit_test(between_samples_the_value_is_the_last_one),
		cmocka_unit_test(a_wide_view_reads_little),
		cmocka_unit_test(a_cut_file_has_what_was_written_before),
		cmocka_unit_test(damage_costs_one_section),
		cmocka_unit_test(wrong_use_is_refused),
		cmocka_unit_test(as_many_counters_as_there_may_be_fit_in_a_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
