#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/bytes.h"
#include "formats/base/limits.h"
#include "formats/base/macros.h"
#include "formats/base/string_table.h"
#include "formats/native/trace_cursor.h"
#include "formats/native/trace_writer.h"
#include "tests/support/section_forge.h"

/* Files made to hurt: all checksums are right, what is said is not. */

static struct trace_reader *open_forged(const struct forge *forge)
{
	struct trace_reader *reader = NULL;
	struct lo_error err = { .message = "" };

	if (forge_open(forge, &reader, &err) != LO_OK)
		fail_msg("%s", err.message);
	return reader;
}

/* Reads all events; returns how many there are. */
static uint64_t read_all(struct trace_reader *reader)
{
	struct trace_cursor *cursor;
	struct event event;
	uint64_t count = 0;

	assert_int_equal(trace_cursor_open(&cursor, reader, TIME_SPAN_ALL, NULL), LO_OK);
	while (trace_cursor_next(cursor, &event, NULL) == LO_OK)
		count++;
	trace_cursor_close(cursor);
	return count;
}

/* The file opens, has no events, and exactly one stretch of damage that is told with `word`. */
static void expect_one_damage(struct forge *forge, const char *word)
{
	struct trace_reader *reader = open_forged(forge);
	struct trace_damage damage;

	assert_int_equal(read_all(reader), 0);
	assert_int_equal(trace_reader_damage_count(reader), 1);
	assert_true(trace_reader_damage(reader, 0, &damage));
	if (!strstr(damage.what, word))
		fail_msg("'%s' does not say '%s'", damage.what, word);
	trace_reader_close(reader);
	forge_release(forge);
	forge_init(forge);
	forge_schema(forge);
}

static void start(struct forge *forge)
{
	forge_init(forge);
	forge_schema(forge);
}

static void tables_that_lie_about_their_size_are_left_out(void **state)
{
	static const uint8_t one_string[] = { 1, 'x' };
	struct forge forge;

	(void)state;
	start(&forge);
	forge_raw_table(&forge, SECTION_STRINGS, 1, 1, one_string, 2, UINT32_MAX);
	expect_one_damage(&forge, "limit");
	forge_raw_table(&forge, SECTION_STRINGS, 1, 1, one_string, 2, LIMIT_TABLE_RAW);
	expect_one_damage(&forge, "holds 2 bytes");
	forge_raw_table(&forge, SECTION_STRINGS, 1, 1, one_string, 2, 1);
	expect_one_damage(&forge, "cannot decompress");
	forge_raw_table(&forge, SECTION_STRINGS, 1, 2, one_string, 2, 2);
	expect_one_damage(&forge, "announced");
	forge_raw_table(&forge, SECTION_STRINGS, 1, 1, "\x05x", 2, 2);
	expect_one_damage(&forge, "announced");
	forge_release(&forge);
}

/* A few bytes of zstd that stand for a hundred megabytes are never unpacked beyond the limit. */
static void a_bomb_does_not_explode(void **state)
{
	struct forge forge;
	size_t size = 100u << 20;
	uint8_t *zeros = calloc(1, size);

	(void)state;
	assert_non_null(zeros);
	start(&forge);
	forge_raw_table(&forge, SECTION_STRINGS, 1, 1, zeros, size, (uint32_t)size);
	assert_true(forge.file.size < 50000);
	expect_one_damage(&forge, "limit");
	forge_raw_table(&forge, SECTION_STRINGS, 1, 1, zeros, size, 1000);
	expect_one_damage(&forge, "cannot decompress");
	forge_release(&forge);
	free(zeros);
}

static void ids_far_away_do_not_take_memory(void **state)
{
	static const uint8_t one_string[] = { 1, 'x' };
	static const uint8_t one_stack[] = { 1, 2 };
	static const uint8_t one_frame[] = { 1, 2 };
	static const uint8_t one_module[] = { 1, 2, 0 };
	struct forge forge;

	(void)state;
	start(&forge);
	forge_raw_table(&forge, SECTION_STRINGS, UINT32_MAX, 1, one_string, 2, 2);
	expect_one_damage(&forge, "strings");
	forge_raw_table(&forge, SECTION_STACKS, UINT32_MAX, 1, one_stack, 2, 2);
	expect_one_damage(&forge, "stacks");
	forge_raw_table(&forge, SECTION_FRAMES, LIMIT_FRAMES + 1, 1, one_frame, 2, 2);
	expect_one_damage(&forge, "code places");
	forge_raw_table(&forge, SECTION_MODULES, LIMIT_MODULES + 1, 1, one_module, 3, 3);
	expect_one_damage(&forge, "modules");
	forge_release(&forge);
}

static void rows_may_not_come_twice(void **state)
{
	static const uint8_t two_strings[] = { 1, 'x', 1, 'y' };
	struct forge forge;

	(void)state;
	start(&forge);
	forge_raw_table(&forge, SECTION_STRINGS, 1, 2, two_strings, 4, 4);
	forge_raw_table(&forge, SECTION_STRINGS, 2, 2, two_strings, 4, 4);
	expect_one_damage(&forge, "second time");
	forge_raw_table(&forge, SECTION_STRINGS, 0, 2, two_strings, 4, 4);
	expect_one_damage(&forge, "second time");
	forge_release(&forge);
}

static void stacks_cannot_form_a_circle(void **state)
{
	static const uint8_t own_parent[] = { 0, 2 };
	static const uint8_t below_zero[] = { 2, 2 };
	struct forge forge;

	(void)state;
	start(&forge);
	forge_raw_table(&forge, SECTION_STACKS, 1, 1, own_parent, 2, 2);
	expect_one_damage(&forge, "parent");
	forge_raw_table(&forge, SECTION_STACKS, 1, 1, below_zero, 2, 2);
	expect_one_damage(&forge, "parent");
	forge_release(&forge);
}

static void stacks_cannot_be_endless(void **state)
{
	static uint8_t chain[2 * (LIMIT_STACK_DEPTH + 1)];
	struct forge forge;

	(void)state;
	for (size_t i = 0; i < sizeof(chain); i += 2)
		chain[i] = 1; /* the parent is the row before */
	start(&forge);
	forge_raw_table(&forge, SECTION_STACKS, 1, LIMIT_STACK_DEPTH + 1, chain, sizeof(chain),
			sizeof(chain));
	expect_one_damage(&forge, "deeper");
	forge_release(&forge);
}

static void task_ids_have_a_limit(void **state)
{
	/* id, process, tid, name, kind, flags; ids as folded differences */
	static const uint8_t no_task[] = { 0, 0, 0, 0, 0, 0 };
	static const uint8_t too_high[] = { 0x82, 0x80, 0x80, 0x10, 0, 0, 0, 0, 0 };
	struct forge forge;

	(void)state;
	start(&forge);
	forge_raw_table(&forge, SECTION_TASKS, 0, 1, no_task, sizeof(no_task), sizeof(no_task));
	expect_one_damage(&forge, "no task 0");
	forge_raw_table(&forge, SECTION_TASKS, 0, 1, too_high, sizeof(too_high), sizeof(too_high));
	expect_one_damage(&forge, "no task 16777217");
	forge_release(&forge);
}

static void symbols_out_of_their_chain_are_refused(void **state)
{
	/* frame, place, function, file, line */
	static const uint8_t starts_at_one[] = { 2, 1, 0, 0, 0 };
	static const uint8_t of_no_frame[] = { 0, 0, 0, 0, 0 };
	uint8_t too_long[5 * (SYMBOL_CHAIN_MAX + 1)] = { 2 };
	struct forge forge;

	(void)state;
	start(&forge);
	forge_raw_table(&forge, SECTION_SYMBOLS, 0, 1, starts_at_one, 5, 5);
	expect_one_damage(&forge, "chain");
	forge_raw_table(&forge, SECTION_SYMBOLS, 0, 1, of_no_frame, 5, 5);
	expect_one_damage(&forge, "symbols");
	for (uint8_t place = 0; place <= SYMBOL_CHAIN_MAX; place++)
		too_long[5 * place + 1] = place;
	forge_raw_table(&forge, SECTION_SYMBOLS, 0, SYMBOL_CHAIN_MAX + 1, too_long,
			sizeof(too_long), sizeof(too_long));
	expect_one_damage(&forge, "chain");
	forge_release(&forge);
}

static void a_schema_that_makes_no_sense_is_refused(void **state)
{
	struct forge forge;
	struct row_writer rows;
	struct trace_reader *reader = NULL;
	char name[LIMIT_SCHEMA_NAME + 2];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	forge_init(&forge);
	forge_schema_rows(&rows);
	forge_schema_row(&rows, 1, 60, 0, name);
	forge_table(&forge, SECTION_SCHEMA, 0, &rows);
	assert_int_equal(forge_open(&forge, &reader, NULL), LO_CORRUPT);
	forge_release(&forge);

	forge_init(&forge);
	forge_schema_rows(&rows);
	for (unsigned i = 0; i < LIMIT_SCHEMA_ROWS; i++)
		forge_schema_row(&rows, 90, i, 0, "x");
	forge_table(&forge, SECTION_SCHEMA, 0, &rows);
	assert_int_equal(forge_open(&forge, &reader, NULL), LO_CORRUPT);
	forge_release(&forge);

	/* A second description of the same field would shift all that follow. */
	forge_init(&forge);
	forge_schema_rows(&rows);
	forge_schema_row(&rows, 8, SECTION_TASKS << 8, ROW_NUMBER, "id");
	forge_table(&forge, SECTION_SCHEMA, 0, &rows);
	assert_int_equal(forge_open(&forge, &reader, NULL), LO_CORRUPT);
	forge_release(&forge);
}

/* Every name that a schema may bring along, and then one more. */
static void foreign_reasons_have_a_limit(void **state)
{
	struct forge forge;
	struct row_writer rows;
	struct trace_reader *reader;
	char name[32];

	(void)state;
	forge_init(&forge);
	rows = (struct row_writer){ .schema = &row_schemas[SECTION_SCHEMA] };
	for (unsigned i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "reason %03u", i);
		forge_schema_row(&rows, 3, i % 256, 0, name);
	}
	forge_table(&forge, SECTION_SCHEMA, 0, &rows);
	reader = open_forged(&forge);
	snprintf(name, sizeof(name), "reason %03u", REASON_LIMIT - REASON_COUNT - 1);
	assert_string_equal(trace_reader_reason_name(reader, REASON_LIMIT - 1), name);
	trace_reader_close(reader);
	forge_release(&forge);
}

static void blocks_that_lie_are_lost_alone(void **state)
{
	static const uint8_t ones[] = { 1, 1 };
	static const uint8_t kinds[] = { 1, 1 };
	struct forged_column columns[] = {
		{ 0, 2, ones, 2, 0 },
		{ 1, 1, ones, 2, 0 },
		{ 2, 0, kinds, 2, 0 },
	};
	struct forge forge;
	struct trace_reader *reader;

	(void)state;
	start(&forge);
	forge_block(&forge, 0, 10, 2, columns, 3, NULL, 0);
	reader = open_forged(&forge);
	assert_int_equal(read_all(reader), 2);
	trace_reader_close(reader);
	forge_release(&forge);

	start(&forge);
	forge_block(&forge, 20, 10, 2, columns, 3, NULL, 0);
	expect_one_damage(&forge, "makes no sense");
	forge_block(&forge, 0, 10, LIMIT_BLOCK_ROWS + 1, columns, 3, NULL, 0);
	expect_one_damage(&forge, "makes no sense");
	forge_block(&forge, 0, 1, 2, columns, 3, NULL, 0); /* its times go to 2 */
	expect_one_damage(&forge, "time column");
	forge_block(&forge, 0, 10, 3, columns, 3, NULL, 0);
	expect_one_damage(&forge, "kind column");
	columns[1].announced_bytes = 2 * LIMIT_COLUMN_ROW_BYTES;
	forge_block(&forge, 0, 10, 2, columns, 3, NULL, 0);
	expect_one_damage(&forge, "holds 2 bytes");
	columns[1].announced_bytes = 2 * LIMIT_COLUMN_ROW_BYTES + 1;
	forge_block(&forge, 0, 10, 2, columns, 3, NULL, 0);
	expect_one_damage(&forge, "claims 33 bytes for 2 rows");
	columns[1].announced_bytes = UINT32_MAX;
	forge_block(&forge, 0, 10, 2, columns, 3, NULL, 0);
	expect_one_damage(&forge, "claims");
	forge_release(&forge);
}

static void a_column_may_come_twice_and_means_the_last(void **state)
{
	static const uint8_t tasks_a[] = { 7 };
	static const uint8_t tasks_b[] = { 8 };
	static const uint8_t kinds[] = { 1 };
	const struct forged_column columns[] = {
		{ 1, 1, tasks_a, 1, 0 },
		{ 1, 1, tasks_b, 1, 0 },
		{ 2, 0, kinds, 1, 0 },
	};
	struct forge forge;
	struct trace_reader *reader;
	struct trace_cursor *cursor;
	struct event event;

	(void)state;
	start(&forge);
	forge_block(&forge, 5, 10, 1, columns, 3, NULL, 0);
	reader = open_forged(&forge);
	assert_int_equal(trace_cursor_open(&cursor, reader, TIME_SPAN_ALL, NULL), LO_OK);
	assert_int_equal(trace_cursor_next(cursor, &event, NULL), LO_OK);
	assert_int_equal(event.task, 8);
	trace_cursor_close(cursor);
	trace_reader_close(reader);
	forge_release(&forge);
}

static void a_block_that_goes_back_in_time_is_damage(void **state)
{
	static const uint8_t tasks[] = { 1 };
	static const uint8_t kinds[] = { 1 };
	const struct forged_column columns[] = { { 1, 1, tasks, 1, 0 }, { 2, 0, kinds, 1, 0 } };
	struct forge forge;
	struct trace_reader *reader;
	struct trace_damage damage;

	(void)state;
	start(&forge);
	forge_block(&forge, 100, 200, 1, columns, 2, NULL, 0);
	forge_block(&forge, 199, 300, 1, columns, 2, NULL, 0);
	forge_block(&forge, 200, 300, 1, columns, 2, NULL, 0);
	reader = open_forged(&forge);
	assert_int_equal(read_all(reader), 2);
	assert_int_equal(trace_reader_damage_count(reader), 1);
	assert_true(trace_reader_damage(reader, 0, &damage));
	assert_int_equal(damage.rows, 1);
	assert_int_equal(damage.span.begin_ns, 199);
	trace_reader_close(reader);
	forge_release(&forge);
}

static void a_stack_that_is_nowhere_is_no_stack(void **state)
{
	static const uint8_t tasks[] = { 1 };
	static const uint8_t kinds[] = { 0 };
	static const uint8_t stacks[] = { 99 };
	const struct forged_column columns[] = { { 1, 1, tasks, 1, 0 }, { 2, 0, kinds, 1, 0 },
		{ 4, 1, stacks, 1, 0 } };
	struct forge forge;
	struct trace_reader *reader;
	struct trace_cursor *cursor;
	struct event event;

	(void)state;
	start(&forge);
	forge_block(&forge, 0, 1, 1, columns, 3, NULL, 0);
	reader = open_forged(&forge);
	assert_int_equal(trace_cursor_open(&cursor, reader, TIME_SPAN_ALL, NULL), LO_OK);
	assert_int_equal(trace_cursor_next(cursor, &event, NULL), LO_OK);
	assert_int_equal(event.stack, STACK_NONE);
	trace_cursor_close(cursor);
	trace_reader_close(reader);
	forge_release(&forge);
}

/* Losses that together are more than a number can hold stay at the highest number. */
static void losses_cannot_wrap(void **state)
{
	static const struct block_loss losses[] = { { 0, UINT64_MAX }, { 0, 2 },
		{ 900, UINT64_MAX }, { 901, UINT64_MAX } };
	struct forge forge;
	struct trace_reader *reader;

	(void)state;
	start(&forge);
	forge_block(&forge, 0, 1, 0, NULL, 0, losses, 4);
	reader = open_forged(&forge);
	assert_true(trace_reader_info(reader)->lost[LOSS_RING_FULL] == UINT64_MAX);
	assert_true(trace_reader_info(reader)->lost_unknown == UINT64_MAX);
	trace_reader_close(reader);
	forge_release(&forge);
}

static void forge_index(struct forge *forge, const struct row *rows, unsigned count)
{
	struct row_writer writer = { .schema = &row_schemas[SECTION_INDEX] };
	struct section_header *locator = calloc(1, sizeof(*locator));
	uint64_t offset = forge->file.size;

	assert_non_null(locator);
	for (unsigned i = 0; i < count; i++)
		row_writer_put(&writer, &rows[i]);
	forge_table(forge, SECTION_INDEX, 0, &writer);
	locator->type = SECTION_LOCATOR;
	locator->extra_bytes = LOCATOR_EXTRA_BYTES;
	store_le64(locator->extra + LOCATOR_AT_INDEX_OFFSET, offset);
	forge_section(forge, locator, NULL, 0);
	free(locator);
}

/* One block between a schema and an index that says something else about it. */
static void check_index_lie(enum index_field field, uint64_t value)
{
	static const uint8_t tasks[] = { 1 };
	static const uint8_t kinds[] = { 1 };
	const struct forged_column columns[] = { { 1, 1, tasks, 1, 0 }, { 2, 0, kinds, 1, 0 } };
	struct row rows[2] = { 0 };
	struct forge forge;
	struct trace_reader *reader = NULL;
	uint64_t schema_bytes;
	uint64_t truth;

	start(&forge);
	schema_bytes = forge.file.size;
	forge_block(&forge, 10, 20, 1, columns, 2, NULL, 0);
	rows[0].number[INDEX_TYPE] = SECTION_SCHEMA;
	rows[0].number[INDEX_BYTES] = schema_bytes;
	rows[0].number[INDEX_ROWS] = load_le32(forge.file.bytes + SECTION_AT_ROWS);
	rows[1].number[INDEX_TYPE] = SECTION_BLOCK;
	rows[1].number[INDEX_BYTES] = forge.file.size - schema_bytes;
	rows[1].number[INDEX_ROWS] = 1;
	rows[1].number[INDEX_BEGIN] = 10;
	rows[1].number[INDEX_LENGTH] = 10;
	truth = rows[1].number[field];
	rows[1].number[field] = value;
	forge_index(&forge, rows, 2);
	reader = open_forged(&forge);
	/* Either the whole index is not believed and a scan finds the block, or the block is not
	 * believed since it is not the one that the index promised. */
	if (value == truth) {
		assert_int_equal(trace_reader_info(reader)->index, TRACE_INDEX_COMPLETE);
		assert_int_equal(read_all(reader), 1);
		assert_int_equal(trace_reader_damage_count(reader), 0);
	} else {
		uint64_t events = read_all(reader);

		assert_int_equal(events,
				trace_reader_info(reader)->index == TRACE_INDEX_PARTIAL ? 1 : 0);
		assert_int_equal(trace_reader_damage_count(reader), 1);
	}
	trace_reader_close(reader);
	forge_release(&forge);
}

static void an_index_that_lies_is_noticed(void **state)
{
	(void)state;
	check_index_lie(INDEX_ROWS, 1);
	check_index_lie(INDEX_ROWS, 2);
	check_index_lie(INDEX_ROWS, LIMIT_BLOCK_ROWS + 1);
	check_index_lie(INDEX_ROWS, UINT64_MAX);
	check_index_lie(INDEX_BEGIN, 9);
	check_index_lie(INDEX_LENGTH, 11);
	check_index_lie(INDEX_LENGTH, UINT64_MAX);
	check_index_lie(INDEX_BYTES, 1);
	check_index_lie(INDEX_BYTES, 0);
	check_index_lie(INDEX_BYTES, UINT64_MAX);
	check_index_lie(INDEX_TYPE, UINT64_MAX);
}

/* A section is found behind rubbish of any length, also where a search reads in pieces, and
 * whatever the rubbish looks like. */
static void a_section_behind_rubbish_is_found(void **state)
{
	static const char *const rubbish[] = { "\xab", "\xabloiter", "\xabloiter\n",
		"\x5c\x2a\x4d\x18\x38..." };
	static const size_t lengths[] = { 1, 7, 8, 9, 15, 16, 17, 55, 56, 57, 4088, 4095, 4096,
		4104, 61440, 65519, 65520, 65521, 65527, 65528, 65529, 65535, 65536, 65537, 65543,
		65544, 65552, 131056, 131072, 300000 };

	(void)state;
	for (size_t kind = 0; kind < LO_COUNT_OF(rubbish); kind++)
		for (size_t i = 0; i < LO_COUNT_OF(lengths); i++) {
			struct forge forge;
			struct trace_reader *reader;
			struct trace_damage damage;
			size_t begin;

			start(&forge);
			begin = forge.file.size;
			for (size_t at = 0; at < lengths[i]; at++)
				byte_buffer_put(&forge.file,
						&rubbish[kind][at % strlen(rubbish[kind])], 1);
			forge_end(&forge, 77);
			reader = open_forged(&forge);
			assert_int_equal(trace_reader_info(reader)->duration_ns, 77);
			assert_int_equal(trace_reader_damage_count(reader), 1);
			assert_true(trace_reader_damage(reader, 0, &damage));
			assert_int_equal(damage.offset, begin);
			assert_int_equal(damage.bytes, lengths[i]);
			trace_reader_close(reader);
			forge_release(&forge);
		}
}

static bool refuse(void *context, uint64_t done, uint64_t total)
{
	(void)context;
	assert_true(done <= total);
	return false;
}

static void opening_can_be_stopped(void **state)
{
	struct progress progress = { refuse, NULL };
	struct trace_reader_options options = { .progress = &progress };
	struct trace_reader *reader = NULL;
	struct byte_source *source;
	struct forge forge;

	(void)state;
	start(&forge);
	assert_int_equal(byte_source_open_memory(&source, forge.file.bytes, forge.file.size, NULL),
			LO_OK);
	assert_int_equal(trace_reader_open(&reader, source, &options, NULL), LO_CANCELLED);
	assert_null(reader);
	forge_release(&forge);
}

static void what_is_no_trace_is_told_from_a_damaged_one(void **state)
{
	static const uint8_t skippable[16] = { 0x5c, 0x2a, 0x4d, 0x18, 8, 0, 0, 0, 'o', 't' };
	struct byte_source *source;
	struct trace_reader *reader = NULL;
	struct lo_error err;
	struct forge forge;

	(void)state;
	assert_int_equal(byte_source_open_memory(&source, "hello, world, I am a text", 25, NULL),
			LO_OK);
	assert_int_equal(trace_reader_open(&reader, source, NULL, &err), LO_UNSUPPORTED);
	assert_int_equal(byte_source_open_memory(&source, skippable, 16, NULL), LO_OK);
	assert_int_equal(trace_reader_open(&reader, source, NULL, &err), LO_UNSUPPORTED);
	assert_int_equal(byte_source_open_memory(&source, "", 0, NULL), LO_OK);
	assert_int_equal(trace_reader_open(&reader, source, NULL, &err), LO_TRUNCATED);

	start(&forge);
	forge.file.bytes[SECTION_AT_ROWS] ^= 1;
	assert_int_equal(forge_open(&forge, &reader, &err), LO_CORRUPT);
	assert_null(reader);
	forge_release(&forge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_that_lie_about_their_size_are_left_out),
		cmocka_unit_test(a_bomb_does_not_explode),
		cmocka_unit_test(ids_far_away_do_not_take_memory),
		cmocka_unit_test(rows_may_not_come_twice),
		cmocka_unit_test(stacks_cannot_form_a_circle),
		cmocka_unit_test(stacks_cannot_be_endless),
		cmocka_unit_test(task_ids_have_a_limit),
		cmocka_unit_test(symbols_out_of_their_chain_are_refused),
		cmocka_unit_test(a_schema_that_makes_no_sense_is_refused),
		cmocka_unit_test(foreign_reasons_have_a_limit),
		cmocka_unit_test(blocks_that_lie_are_lost_alone),
		cmocka_unit_test(a_column_may_come_twice_and_means_the_last),
		cmocka_unit_test(a_block_that_goes_back_in_time_is_damage),
		cmocka_unit_test(a_stack_that_is_nowhere_is_no_stack),
		cmocka_unit_test(losses_cannot_wrap),
		cmocka_unit_test(an_index_that_lies_is_noticed),
		cmocka_unit_test(a_section_behind_rubbish_is_found),
		cmocka_unit_test(opening_can_be_stopped),
		cmocka_unit_test(what_is_no_trace_is_told_from_a_damaged_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
