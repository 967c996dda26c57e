#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/native/layout.h"
#include "formats/native/trace_reader.h"
#include "tests/support/event_generator.h"
#include "tests/support/fault_source.h"
#include "tests/support/trace_sample.h"

/* A file cut anywhere gives exactly the blocks whose last byte is still there. */

static bool is_cut_off(const struct sample_section *section, const void *context)
{
	const uint64_t *size = context;

	return section->offset + section->bytes > *size;
}

/* What the writer knows to be complete in the first `size` bytes. */
struct expectation {
	uint64_t events;
	uint64_t blocks;
	uint64_t lost; /* ring full: the sample loses n + 1 events in block n */
	bool head;
	bool end;
};

static struct expectation expect(const struct trace_sample *sample, uint64_t size)
{
	struct expectation expected = { 0 };

	for (uint32_t i = 0; i < sample->section_count; i++) {
		const struct sample_section *section = &sample->sections[i];

		if (is_cut_off(section, &size))
			break;
		expected.head = true;
		expected.end = expected.end || section->type == SECTION_END;
		if (section->type == SECTION_BLOCK) {
			expected.events += section->event_count;
			expected.lost += ++expected.blocks;
		}
	}
	return expected;
}

static void check_cut(const struct trace_sample *sample, uint64_t size)
{
	struct expectation expected = expect(sample, size);
	struct fault cut = { .kind = FAULT_CUT, .offset = size };
	struct byte_source *source;
	struct trace_reader *reader = NULL;
	struct lo_error err = { 0 };
	enum lo_result result;

	fault_source_open(&source, sample->file.bytes, sample->file.size, cut);
	result = trace_reader_open(&reader, source, NULL, &err);
	if (!expected.head) {
		assert_int_equal(result, LO_TRUNCATED);
		return;
	}
	assert_int_equal(result, LO_OK);
	assert_int_equal(trace_reader_info(reader)->truncated, !expected.end);
	assert_int_equal(trace_reader_info(reader)->events, expected.events);
	assert_int_equal(trace_reader_info(reader)->blocks, expected.blocks);
	assert_int_equal(trace_reader_info(reader)->lost[LOSS_RING_FULL], expected.lost);
	assert_int_equal(trace_sample_compare(sample, reader, is_cut_off, &size), expected.events);
	trace_reader_close(reader);
}

static void a_small_trace_may_be_cut_at_every_byte(void **state)
{
	struct trace_sample sample;

	(void)state;
	trace_sample_init(&sample, 3, 12, 1);
	for (uint64_t size = 0; size <= sample.file.size; size++)
		check_cut(&sample, size);
	trace_sample_release(&sample);
}

static void a_larger_trace_may_be_cut_at_thousands_of_places(void **state)
{
	struct trace_sample sample;
	uint64_t random = 2;

	(void)state;
	trace_sample_init(&sample, 40, 100, 2);
	for (unsigned i = 0; i < 3000; i++)
		check_cut(&sample, generator_random(&random, sample.file.size + 1));
	trace_sample_release(&sample);
}

static void a_cut_at_a_border_is_no_damage(void **state)
{
	struct trace_sample sample;

	(void)state;
	trace_sample_init(&sample, 3, 12, 3);
	for (uint32_t i = 0; i < sample.section_count; i++) {
		struct fault cut = { .kind = FAULT_CUT,
			.offset = sample.sections[i].offset + sample.sections[i].bytes };
		struct byte_source *source;
		struct trace_reader *reader;

		fault_source_open(&source, sample.file.bytes, sample.file.size, cut);
		assert_int_equal(trace_reader_open(&reader, source, NULL, NULL), LO_OK);
		assert_int_equal(trace_reader_damage_count(reader), 0);
		trace_reader_close(reader);
	}
	trace_sample_release(&sample);
}

static void a_cut_block_is_named_with_its_time_and_rows(void **state)
{
	struct trace_sample sample;
	struct trace_reader *reader;
	struct trace_damage damage;
	struct byte_source *source;
	struct fault cut = { .kind = FAULT_CUT };
	const struct sample_section *block;

	(void)state;
	trace_sample_init(&sample, 1, 50, 4);
	for (block = sample.sections; block->type != SECTION_BLOCK; block++)
		;
	cut.offset = block->offset + block->bytes - 1;
	fault_source_open(&source, sample.file.bytes, sample.file.size, cut);
	assert_int_equal(trace_reader_open(&reader, source, NULL, NULL), LO_OK);
	assert_int_equal(trace_reader_damage_count(reader), 1);
	assert_true(trace_reader_damage(reader, 0, &damage));
	assert_int_equal(damage.offset, block->offset);
	assert_int_equal(damage.bytes, 0);
	assert_int_equal(damage.rows, 50);
	assert_int_equal(damage.span.begin_ns, 0);
	assert_int_equal(damage.span.end_ns, sample.events[49].time_ns + 1);
	assert_false(trace_reader_damage(reader, 1, &damage));
	trace_reader_close(reader);
	trace_sample_release(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_trace_may_be_cut_at_every_byte),
		cmocka_unit_test(a_larger_trace_may_be_cut_at_thousands_of_places),
		cmocka_unit_test(a_cut_at_a_border_is_no_damage),
		cmocka_unit_test(a_cut_block_is_named_with_its_time_and_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
