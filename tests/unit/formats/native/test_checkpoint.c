#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/bytes.h"
#include "formats/base/checksum.h"
#include "formats/native/checkpoint.h"
#include "formats/native/damage_list.h"
#include "formats/native/section_list.h"
#include "tests/support/fault_source.h"
#include "tests/support/section_forge.h"
#include "tests/support/trace_sample.h"

/* ---- when they are written ---- */

/* Writes sections of `section` bytes, with rows of `row` bytes, up to `file` bytes; the chain is
 * followed as it would be read. */
static void check_plans(uint64_t section, size_t row, uint64_t file, unsigned links_most)
{
	struct checkpoint_writer *writer = calloc(1, sizeof(*writer));
	struct checkpoint_plan plan;
	uint64_t at = 0;
	size_t rows_end = 0;
	uint32_t sequence = 0;
	unsigned written = 0;

	assert_non_null(writer);
	while (at < file) {
		at += section;
		rows_end += row;
		sequence++;
		if (!checkpoint_is_due(writer, at, rows_end, &plan))
			continue;
		/* It goes on where the one before in its chain ends, or begins with the file. */
		assert_true(plan.keep <= writer->count);
		if (plan.keep == 0) {
			assert_int_equal(plan.previous, 0);
			assert_int_equal(plan.rows_begin, 0);
			assert_int_equal(plan.first, 0);
		} else {
			assert_int_equal(plan.previous, writer->marks[plan.keep - 1].offset);
			assert_int_equal(plan.rows_begin, writer->marks[plan.keep - 1].rows_end);
			assert_int_equal(plan.first, writer->marks[plan.keep - 1].sequence);
		}
		/* The worst: nothing is gained by compressing it. */
		uint64_t bytes = 80 + rows_end - plan.rows_begin;

		checkpoint_written(writer, &plan, at, bytes, rows_end, sequence);
		at += bytes;
		rows_end += row;
		sequence++;
		written++;
		assert_true(writer->bytes <= at / CHECKPOINT_SHARE);
		assert_true(writer->count <= links_most);
	}
	if (links_most > 0)
		assert_true(at - writer->file_end < 3 * CHECKPOINT_SPACING + 2 * section);
	else
		assert_int_equal(written, 0);
	free(writer);
}

static void checkpoints_follow_each_other_and_take_a_thousandth_of_a_file(void **state)
{
	(void)state;
	check_plans(60000, 10, 100ull << 20, 15 + 15);
	check_plans(60000, 10, 5ull << 30, 15 + 15 + 15 + 15);
	check_plans(1 << 20, 10, 20ull << 30, 15 + 15 + 15 + 15);
	check_plans(30000, 12, 1ull << 30, CHECKPOINT_LINKS);
	check_plans(200ull << 20, 10, 20ull << 30, 15 + 15 + 15);
}

static void there_are_none_where_sections_are_tiny(void **state)
{
	(void)state;
	check_plans(400, 10, 100ull << 20, 0);
}

/* ---- how files are opened by them ---- */

static struct trace_sample sample;

static int write_sample(void **state)
{
	(void)state;
	trace_sample_init(&sample, 48, 32768, 11);
	return 0;
}

static int release_sample(void **state)
{
	(void)state;
	trace_sample_release(&sample);
	return 0;
}

static struct byte_source *open_cut(const struct byte_buffer *file, uint64_t size)
{
	struct fault cut = { .kind = FAULT_CUT, .offset = size };
	struct byte_source *source;

	fault_source_open(&source, file->bytes, file->size, cut);
	return source;
}

static bool equal_entries(const struct section_entry *a, const struct section_entry *b)
{
	return a->offset == b->offset && a->begin_ns == b->begin_ns && a->end_ns == b->end_ns &&
	       a->low == b->low && a->high == b->high && a->bytes == b->bytes &&
	       a->rows == b->rows && a->sequence == b->sequence && a->type == b->type;
}

/* Opens the first `size` bytes: the sections must be those that a scan finds, the losses too. */
static enum trace_index_state require_as_scanned(const struct byte_buffer *file, uint64_t size)
{
	struct byte_source *source = open_cut(file, size);
	enum trace_index_state index;
	struct section_list found;
	struct section_list scanned;
	struct damage_list damage[2];
	struct lo_error err;

	for (int i = 0; i < 2; i++)
		damage_list_init(&damage[i]);
	assert_int_equal(section_list_find(&found, source, &damage[0], NULL, &err), LO_OK);
	assert_int_equal(section_list_scan(&scanned, source, &damage[1], NULL, &err), LO_OK);
	index = found.index;
	assert_int_equal(found.count, scanned.count);
	for (uint32_t i = 0; i < found.count; i++)
		assert_true(equal_entries(&found.entries[i], &scanned.entries[i]));
	assert_int_equal(found.loss_count, scanned.loss_count);
	if (found.loss_count > 0)
		assert_memory_equal(found.losses, scanned.losses,
				found.loss_count * sizeof(*found.losses));
	assert_int_equal(found.cut, scanned.cut);
	if (index != TRACE_INDEX_COMPLETE)
		assert_int_equal(damage_list_count(&damage[0]), damage_list_count(&damage[1]));
	for (int i = 0; i < 2; i++)
		damage_list_release(&damage[i]);
	section_list_release(&found);
	section_list_release(&scanned);
	byte_source_close(source);
	return index;
}

static const struct sample_section *nth_checkpoint(unsigned n)
{
	for (uint32_t i = 0; i < sample.section_count; i++)
		if (sample.sections[i].type == SECTION_CHECKPOINT && n-- == 0)
			return &sample.sections[i];
	return NULL;
}

static void the_sample_has_checkpoints(void **state)
{
	uint64_t bytes = 0;
	unsigned count = 0;

	(void)state;
	for (const struct sample_section *at; (at = nth_checkpoint(count)); count++)
		bytes += at->bytes;
	assert_true(count >= 4);
	assert_true(bytes <= sample.file.size / CHECKPOINT_SHARE);
}

static void a_cut_file_is_opened_by_its_last_checkpoint(void **state)
{
	const struct sample_section *first = nth_checkpoint(0);
	unsigned by_checkpoint = 0;

	(void)state;
	for (uint32_t i = 1; i < sample.section_count; i++) {
		uint64_t end = sample.sections[i].offset + sample.sections[i].bytes;
		bool has_one = end >= first->offset + first->bytes;

		assert_int_equal(require_as_scanned(&sample.file, end),
				end == sample.file.size ? TRACE_INDEX_COMPLETE
				: i == sample.section_count - 2
						? TRACE_INDEX_PARTIAL /* the locator is cut off */
				: has_one ? TRACE_INDEX_CHECKPOINT
					  : TRACE_INDEX_NONE);
		by_checkpoint += has_one;
		/* Inside of a section. */
		require_as_scanned(&sample.file, end - sample.sections[i].bytes / 2);
		require_as_scanned(&sample.file, end - 1);
	}
	assert_true(by_checkpoint > 20);
}

static void a_cut_file_gives_the_same_events(void **state)
{
	uint64_t size = sample.file.size * 9 / 10;
	struct trace_reader *reader;
	struct lo_error err;
	uint32_t expected = 0;

	(void)state;
	for (uint32_t i = 0; i < sample.section_count; i++)
		if (sample.sections[i].offset + sample.sections[i].bytes <= size)
			expected += sample.sections[i].event_count;
	assert_int_equal(trace_reader_open(&reader, open_cut(&sample.file, size), NULL, &err),
			LO_OK);
	assert_int_equal(trace_reader_info(reader)->index, TRACE_INDEX_CHECKPOINT);
	assert_true(trace_reader_info(reader)->truncated);
	assert_int_equal(trace_reader_info(reader)->events, expected);
	assert_int_equal(trace_reader_damage_count(reader), 1);
	trace_reader_close(reader);
}

/* ---- checkpoints that are not to be believed ---- */

/* A copy of the sample, cut behind its third checkpoint. */
static void copy_cut(struct byte_buffer *file)
{
	const struct sample_section *last = nth_checkpoint(2);

	*file = (struct byte_buffer){ 0 };
	byte_buffer_put(file, sample.file.bytes, last->offset + last->bytes);
	assert_int_equal(byte_buffer_check(file, NULL), LO_OK);
}

static void a_damaged_checkpoint_gives_way_to_the_one_before(void **state)
{
	struct byte_buffer file;

	(void)state;
	copy_cut(&file);
	file.bytes[file.size - 1] ^= 1; /* its payload: a scan lists it nevertheless */
	assert_int_equal(require_as_scanned(&file, file.size), TRACE_INDEX_CHECKPOINT);
	byte_buffer_release(&file);
}

/* Sets a number in the extra part of the last checkpoint, with the right checksum. */
static void forge_extra(struct byte_buffer *file, unsigned at, unsigned bytes, uint64_t value)
{
	uint8_t *header = file->bytes + nth_checkpoint(2)->offset;
	size_t hashed = load_le32(header + SECTION_AT_FRAME_BYTES) + SECTION_AT_MAGIC -
			SECTION_CHECKSUM_BYTES;

	if (bytes == 4)
		store_le32(header + SECTION_AT_EXTRA + at, (uint32_t)value);
	else
		store_le64(header + SECTION_AT_EXTRA + at, value);
	store_le64(header + hashed, checksum64(header, hashed));
}

static void what_contradicts_the_file_is_not_used(void **state)
{
	static const struct {
		unsigned at;
		unsigned bytes;
		uint64_t value;
	} lies[] = {
		{ CHECKPOINT_AT_KEY, 8, 1 },
		{ CHECKPOINT_AT_PREVIOUS, 8, 0 },
		{ CHECKPOINT_AT_PREVIOUS, 8, 64 },
		{ CHECKPOINT_AT_PREVIOUS, 8, UINT64_MAX },
		{ TABLE_AT_FIRST_ID, 4, 0 },
		{ TABLE_AT_FIRST_ID, 4, UINT32_MAX },
		{ TABLE_AT_RAW_BYTES, 4, 0 },
		{ TABLE_AT_RAW_BYTES, 4, UINT32_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct byte_buffer file;

		copy_cut(&file);
		forge_extra(&file, lies[i].at, lies[i].bytes, lies[i].value);
		/* The second is still good. */
		assert_int_equal(require_as_scanned(&file, file.size), TRACE_INDEX_CHECKPOINT);
		byte_buffer_release(&file);
	}
}

static void a_chain_in_a_circle_ends(void **state)
{
	struct byte_buffer file;

	(void)state;
	copy_cut(&file);
	forge_extra(&file, CHECKPOINT_AT_PREVIOUS, 8, nth_checkpoint(2)->offset);
	assert_int_equal(require_as_scanned(&file, file.size), TRACE_INDEX_CHECKPOINT);
	byte_buffer_release(&file);
}

/* Another trace inside of a payload, as when loiter itself is traced. */
static void a_checkpoint_of_another_trace_is_not_used(void **state)
{
	struct forged_column columns[] = { { COLUMN_TASK, ENCODING_VARINT, "\1", 1, 0 } };
	struct section_header *header = calloc(1, sizeof(*header));
	struct forge forge;

	(void)state;
	assert_non_null(header);
	forge_init(&forge);
	forge_schema(&forge);
	forge_block(&forge, 0, 10, 1, columns, 1, NULL, 0);
	header->type = 999;
	header->flags = SECTION_FLAG_OPTIONAL;
	forge_section(&forge, header, sample.file.bytes,
			nth_checkpoint(1)->offset + nth_checkpoint(1)->bytes);
	assert_int_equal(require_as_scanned(&forge.file, forge.file.size), TRACE_INDEX_NONE);
	forge_release(&forge);
	free(header);
}

static void two_traces_in_one_file_are_not_mixed(void **state)
{
	struct byte_buffer file;

	(void)state;
	copy_cut(&file);
	byte_buffer_put(&file, sample.file.bytes, sample.file.size * 3 / 4);
	assert_int_equal(byte_buffer_check(&file, NULL), LO_OK);
	assert_int_equal(require_as_scanned(&file, file.size), TRACE_INDEX_CHECKPOINT);
	byte_buffer_release(&file);
}

/* ---- by hand ---- */

struct forged_row {
	unsigned type;
	uint64_t bytes;
	uint32_t rows;
	uint64_t begin_ns;
	uint64_t length_ns;
};

static void forge_checkpoint(struct forge *forge, const struct forged_row *list, uint32_t count,
		uint64_t previous, uint32_t first, uint64_t key)
{
	struct row_writer rows = { .schema = &row_schemas[SECTION_INDEX] };
	uint8_t extra[CHECKPOINT_EXTRA_BYTES];

	for (uint32_t i = 0; i < count; i++) {
		struct row row = { .number = { [INDEX_TYPE] = list[i].type,
						   [INDEX_BYTES] = list[i].bytes,
						   [INDEX_ROWS] = list[i].rows,
						   [INDEX_BEGIN] = list[i].begin_ns,
						   [INDEX_LENGTH] = list[i].length_ns } };

		row_writer_put(&rows, &row);
	}
	store_le32(extra + TABLE_AT_FIRST_ID, first);
	store_le64(extra + CHECKPOINT_AT_PREVIOUS, previous);
	store_le64(extra + CHECKPOINT_AT_KEY, key);
	forge_side(forge, SECTION_CHECKPOINT, count, extra, sizeof(extra), rows.bytes.bytes,
			rows.bytes.size);
	row_writer_release(&rows);
}

/* Three blocks of one event, behind which a checkpoint says that there are those of `list`. */
static enum trace_index_state open_forged(uint64_t covers[3][2], uint64_t *events)
{
	struct forged_column columns[] = { { COLUMN_TASK, ENCODING_VARINT, "\1", 1, 0 } };
	struct forged_row list[4] = { { .type = SECTION_SCHEMA } };
	enum trace_index_state index;
	struct trace_reader *reader;
	struct forge forge;
	struct lo_error err;
	uint64_t key = 0;
	size_t before;

	forge_init(&forge);
	forge_schema(&forge);
	list[0].bytes = forge.file.size;
	list[0].rows = load_le32(forge.file.bytes + SECTION_AT_ROWS);
	for (unsigned i = 0; i < 3; i++) {
		before = forge.file.size;
		forge_block(&forge, 10 * i, 10 * i + 10, 1, columns, 1, NULL, 0);
		if (i == 0)
			key = load_le64(forge.file.bytes + before + SECTION_AT_PAYLOAD_CHECKSUM);
		list[i + 1] = (struct forged_row){ SECTION_BLOCK, forge.file.size - before, 1,
			covers[i][0], covers[i][1] - covers[i][0] };
	}
	forge_checkpoint(&forge, list, 4, 0, 0, key);
	assert_int_equal(forge_open(&forge, &reader, &err), LO_OK);
	index = trace_reader_info(reader)->index;
	*events = trace_reader_info(reader)->events;
	trace_reader_close(reader);
	forge_release(&forge);
	return index;
}

static void blocks_that_leave_a_gap_are_not_believed(void **state)
{
	uint64_t truth[3][2] = { { 0, 10 }, { 10, 20 }, { 20, 30 } };
	uint64_t gap[3][2] = { { 0, 10 }, { 11, 20 }, { 20, 30 } };
	uint64_t late[3][2] = { { 1, 10 }, { 10, 20 }, { 20, 30 } };
	uint64_t back[3][2] = { { 0, 10 }, { 9, 20 }, { 20, 30 } };
	uint64_t events;

	(void)state;
	assert_int_equal(open_forged(truth, &events), TRACE_INDEX_CHECKPOINT);
	assert_int_equal(events, 3);
	assert_int_equal(open_forged(gap, &events), TRACE_INDEX_NONE);
	assert_int_equal(open_forged(late, &events), TRACE_INDEX_NONE);
	assert_int_equal(open_forged(back, &events), TRACE_INDEX_NONE);
	assert_int_equal(events, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checkpoints_follow_each_other_and_take_a_thousandth_of_a_file),
		cmocka_unit_test(there_are_none_where_sections_are_tiny),
		cmocka_unit_test(the_sample_has_checkpoints),
		cmocka_unit_test(a_cut_file_is_opened_by_its_last_checkpoint),
		cmocka_unit_test(a_cut_file_gives_the_same_events),
		cmocka_unit_test(a_damaged_checkpoint_gives_way_to_the_one_before),
		cmocka_unit_test(what_contradicts_the_file_is_not_used),
		cmocka_unit_test(a_chain_in_a_circle_ends),
		cmocka_unit_test(a_checkpoint_of_another_trace_is_not_used),
		cmocka_unit_test(two_traces_in_one_file_are_not_mixed),
		cmocka_unit_test(blocks_that_leave_a_gap_are_not_believed),
	};

	return cmocka_run_group_tests(tests, write_sample, release_sample);
}
