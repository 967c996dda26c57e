#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/native/layout.h"
#include "formats/native/lives.h"
#include "formats/native/snapshot.h"
#include "formats/native/task_pages.h"
#include "formats/native/tile_section.h"
#include "formats/native/trace_reader.h"
#include "tests/support/event_generator.h"
#include "tests/support/fault_source.h"
#include "tests/support/trace_sample.h"

/*
 * A harmed byte costs the section that it is part of, and nothing else; and it is never taken for
 * good. What must survive is known from the writer's side (trace_sample.h).
 */

/* Bytes [begin, end) of the file are not what was written. */
struct harm {
	uint64_t begin;
	uint64_t end;
};

static bool is_harmed(const struct sample_section *section, const void *context)
{
	const struct harm *harm = context;

	return section->offset < harm->end && harm->begin < section->offset + section->bytes;
}

static bool is_listed(struct trace_reader *reader, uint64_t offset)
{
	struct trace_damage damage;

	for (uint32_t i = 0; trace_reader_damage(reader, i, &damage); i++)
		if (damage.offset <= offset &&
				(damage.bytes == 0 || offset < damage.offset + damage.bytes))
			return true;
	return false;
}

/* What is loaded when it is needed is found damaged then. */
static void need_all(struct trace_reader *reader, enum section_type type,
		const struct section_decoder *decoder)
{
	uint32_t count;
	const uint32_t *list = section_list_of(trace_reader_sections(reader), type, &count);

	for (uint32_t i = 0; i < count; i++) {
		const void *object;

		if (trace_section_acquire(reader, list[i], decoder, &object, NULL) == LO_OK)
			trace_section_release(reader, list[i]);
	}
}

static void need_everything(struct trace_reader *reader)
{
	need_all(reader, SECTION_TASKS, &task_page_decoder);
	need_all(reader, SECTION_SNAPSHOT, &snapshot_decoder);
	need_all(reader, SECTION_LIVES, &lives_decoder);
	need_all(reader, SECTION_TILES, &tile_section_decoder);
}

/* Every listed stretch is made of harmed sections, and every harmed section is in one. */
static void check_damage_list(
		const struct trace_sample *sample, struct trace_reader *reader, struct harm harm)
{
	struct trace_damage damage;

	for (uint32_t i = 0; i < sample->section_count; i++)
		if (is_harmed(&sample->sections[i], &harm))
			assert_true(is_listed(reader, sample->sections[i].offset));
	for (uint32_t i = 0; trace_reader_damage(reader, i, &damage); i++) {
		const struct sample_section *first = trace_sample_section_at(sample, damage.offset);
		const struct sample_section *last = trace_sample_section_at(
				sample, damage.bytes ? damage.offset + damage.bytes - 1
						     : sample->file.size - 1);

		for (; first <= last; first++)
			assert_true(is_harmed(first, &harm));
		assert_true(strlen(damage.what) > 10);
	}
}

/* The bytes that really change: where a hole only covers zeros nothing is harmed. */
static struct harm harm_of(const struct trace_sample *sample, struct fault fault)
{
	struct harm harm = { fault.offset, fault.offset + 1 };

	if (fault.kind != FAULT_ZERO)
		return harm;
	harm.end = fault.offset + fault.size;
	while (sample->file.bytes[harm.begin] == 0)
		harm.begin++;
	while (sample->file.bytes[harm.end - 1] == 0)
		harm.end--;
	return harm;
}

static void check_fault(const struct trace_sample *sample, struct fault fault)
{
	struct harm harm = harm_of(sample, fault);
	struct byte_source *source;
	struct trace_reader *reader;
	struct lo_error err = { 0 };
	uint32_t survivors = 0;

	for (uint32_t i = 0; i < sample->section_count; i++)
		if (!is_harmed(&sample->sections[i], &harm))
			survivors += sample->sections[i].event_count;
	fault_source_open(&source, sample->file.bytes, sample->file.size, fault);
	if (trace_reader_open(&reader, source, NULL, &err) != LO_OK)
		fail_msg("harm at byte %llu: %s", (unsigned long long)fault.offset, err.message);
	assert_int_equal(trace_sample_compare(sample, reader, is_harmed, &harm), survivors);
	need_everything(reader);
	check_damage_list(sample, reader, harm);
	trace_reader_close(reader);
}

static void every_flipped_bit_of_a_small_trace_costs_its_section(void **state)
{
	struct trace_sample sample;

	(void)state;
	trace_sample_init(&sample, 2, 10, 5);
	for (uint64_t offset = 0; offset < sample.file.size; offset++)
		check_fault(&sample, (struct fault){ FAULT_FLIP, offset, 0, offset % 8 });
	trace_sample_release(&sample);
}

static void thousands_of_flipped_bits_cost_one_section_each(void **state)
{
	struct trace_sample sample;
	uint64_t random = 6;

	(void)state;
	trace_sample_init(&sample, 40, 100, 6);
	for (unsigned i = 0; i < 4000; i++) {
		uint64_t bit = generator_random(&random, sample.file.size * 8);

		check_fault(&sample, (struct fault){ FAULT_FLIP, bit / 8, 0, (unsigned)(bit % 8) });
	}
	trace_sample_release(&sample);
}

static void a_hole_of_zeros_costs_the_sections_that_it_touches(void **state)
{
	struct trace_sample sample;
	uint64_t random = 7;

	(void)state;
	trace_sample_init(&sample, 40, 100, 7);
	for (unsigned i = 0; i < 1000; i++) {
		struct fault hole = { .kind = FAULT_ZERO, .size = 4096 };

		/* Pages of a file, and any other place. */
		hole.offset = generator_random(&random, sample.file.size - hole.size);
		if (i % 2 == 0)
			hole.offset &= ~4095ull;
		check_fault(&sample, hole);
	}
	trace_sample_release(&sample);
}

/* Without an index the harmed place is met by the scan, which is another path. */
static void a_flipped_bit_of_an_unfinished_trace_costs_its_section(void **state)
{
	struct trace_sample sample;
	uint64_t random = 8;

	(void)state;
	trace_sample_init(&sample, 30, 100, 8);
	sample.section_count -= 4; /* schema, end, index, locator */
	sample.file.size = sample.sections[sample.section_count].offset;
	for (unsigned i = 0; i < 3000; i++) {
		uint64_t first = sample.sections[1].offset; /* there is one schema now */
		uint64_t offset = first + generator_random(&random, sample.file.size - first);

		check_fault(&sample, (struct fault){ FAULT_FLIP, offset, 0, i % 8 });
	}
	trace_sample_release(&sample);
}

static void the_lost_time_of_a_harmed_header_lies_between_its_neighbours(void **state)
{
	struct trace_sample sample;
	struct sample_section *block;
	struct byte_source *source;
	struct trace_reader *reader;
	struct trace_damage damage;
	uint64_t before_ns;
	uint64_t after_ns;

	(void)state;
	trace_sample_init(&sample, 3, 20, 9);
	sample.file.size = sample.sections[sample.section_count - 2].offset; /* no index */
	for (block = sample.sections; block->first_event != 20; block++)
		;
	before_ns = sample.events[19].time_ns;
	after_ns = sample.events[39].time_ns;
	fault_source_open(&source, sample.file.bytes, sample.file.size,
			(struct fault){ FAULT_FLIP, block->offset + SECTION_AT_ROWS, 0, 0 });
	assert_int_equal(trace_reader_open(&reader, source, NULL, NULL), LO_OK);
	assert_int_equal(trace_reader_damage_count(reader), 1);
	assert_true(trace_reader_damage(reader, 0, &damage));
	assert_int_equal(damage.span.begin_ns, before_ns);
	assert_int_equal(damage.span.end_ns, after_ns);
	trace_reader_close(reader);
	trace_sample_release(&sample);
}

static void a_second_trace_behind_the_first_is_not_mixed_in(void **state)
{
	struct trace_sample sample;
	struct byte_buffer both = { 0 };
	struct byte_source *source;
	struct trace_reader *reader;
	struct trace_damage damage;

	(void)state;
	trace_sample_init(&sample, 2, 20, 10);
	byte_buffer_put(&both, sample.file.bytes, sample.file.size);
	byte_buffer_put(&both, sample.file.bytes, sample.file.size);
	assert_int_equal(byte_source_open_memory(&source, both.bytes, both.size, NULL), LO_OK);
	assert_int_equal(trace_reader_open(&reader, source, NULL, NULL), LO_OK);
	assert_int_equal(trace_sample_compare(&sample, reader, NULL, NULL), 40);
	assert_true(trace_reader_damage(reader, 0, &damage));
	assert_int_equal(damage.offset, sample.file.size);
	assert_int_equal(trace_reader_info(reader)->index, TRACE_INDEX_PARTIAL);
	trace_reader_close(reader);
	byte_buffer_release(&both);
	trace_sample_release(&sample);
}

static void a_failing_disk_is_an_error_and_no_damage(void **state)
{
	struct trace_sample sample;

	(void)state;
	trace_sample_init(&sample, 4, 20, 11);
	for (uint64_t offset = 0; offset < sample.file.size; offset += 7) {
		struct fault fault = { .kind = FAULT_READ, .offset = offset };
		struct byte_source *source;
		struct trace_reader *reader = NULL;

		fault_source_open(&source, sample.file.bytes, sample.file.size, fault);
		assert_int_equal(trace_reader_open(&reader, source, NULL, NULL), LO_IO);
		assert_null(reader);
	}
	trace_sample_release(&sample);
}

/* The comparison itself must notice: a test that cannot fail proves nothing. */
static void the_comparison_sees_a_missing_block(void **state)
{
	struct trace_sample sample;
	struct sample_section *block;
	struct harm harm;
	struct byte_source *source;
	struct trace_reader *reader;

	(void)state;
	trace_sample_init(&sample, 3, 20, 12);
	for (block = sample.sections; block->first_event != 20; block++)
		;
	harm = (struct harm){ block->offset, block->offset + 1 };
	fault_source_open(&source, sample.file.bytes, sample.file.size,
			(struct fault){ FAULT_FLIP, block->offset + block->bytes - 1, 0, 3 });
	assert_int_equal(trace_reader_open(&reader, source, NULL, NULL), LO_OK);
	assert_int_equal(trace_reader_damage_count(reader), 0);
	assert_int_equal(trace_sample_compare(&sample, reader, is_harmed, &harm), 40);
	assert_int_equal(trace_reader_damage_count(reader), 1);
	trace_reader_close(reader);
	trace_sample_release(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_flipped_bit_of_a_small_trace_costs_its_section),
		cmocka_unit_test(thousands_of_flipped_bits_cost_one_section_each),
		cmocka_unit_test(a_hole_of_zeros_costs_the_sections_that_it_touches),
		cmocka_unit_test(a_flipped_bit_of_an_unfinished_trace_costs_its_section),
		cmocka_unit_test(the_lost_time_of_a_harmed_header_lies_between_its_neighbours),
		cmocka_unit_test(a_second_trace_behind_the_first_is_not_mixed_in),
		cmocka_unit_test(a_failing_disk_is_an_error_and_no_damage),
		cmocka_unit_test(the_comparison_sees_a_missing_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
