#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/native/block.h"
#include "tests/support/event_generator.h"

#define ROWS 4000u

static struct event events[ROWS];

static void generate(enum generator_shape shape, uint64_t seed)
{
	static struct event_generator generator;

	event_generator_init(&generator, shape, seed);
	for (uint32_t i = 0; i < ROWS; i++)
		events[i] = event_generator_next(&generator);
}

static struct trace_schema *own_schema(void)
{
	static struct trace_schema schema;
	struct row_writer rows = { .schema = &row_schemas[SECTION_SCHEMA] };

	trace_schema_put(&rows);
	assert_int_equal(
			trace_schema_read(&schema, rows.bytes.bytes, rows.bytes.size, NULL), LO_OK);
	row_writer_release(&rows);
	return &schema;
}

/* The bytes of a block of `rows` events, which come back. */
static size_t check_block(struct block_encoder *encoder, struct block_header *block, uint32_t rows)
{
	static struct event decoded[ROWS];
	struct section_header header = { .rows = rows };
	struct byte_buffer payload = { 0 };
	struct byte_buffer scratch = { 0 };
	struct byte_packer *packer;
	struct byte_unpacker *unpacker;
	uint32_t stored;
	size_t size;

	assert_int_equal(byte_packer_new(&packer, NULL), LO_OK);
	assert_int_equal(byte_unpacker_new(&unpacker, NULL), LO_OK);
	*block = (struct block_header){ .end_ns = events[rows - 1].time_ns };
	assert_int_equal(block_encode(block, encoder, packer, events, rows, &payload, NULL), LO_OK);
	assert_int_equal(
			block_decode(&header, block, payload.bytes, own_schema(), EVENT_COLUMNS_ALL,
					unpacker, &scratch, decoded, &stored, NULL),
			LO_OK);
	assert_int_equal(stored, rows);
	assert_memory_equal(decoded, events, rows * sizeof(*events));
	size = payload.size;
	byte_packer_free(packer);
	byte_unpacker_free(unpacker);
	byte_buffer_release(&payload);
	byte_buffer_release(&scratch);
	return size;
}

static const struct block_column *column_of(const struct block_header *block, uint8_t number)
{
	for (uint32_t i = 0; i < block->column_count; i++)
		if (block->columns[i].number == number)
			return &block->columns[i];
	return NULL;
}

static void what_is_chosen_comes_back_and_is_smaller(void **state)
{
	(void)state;
	for (unsigned shape = 0; shape < GENERATOR_SHAPE_COUNT; shape++) {
		struct block_encoder plain = { .choice = { .trial_rows = UINT32_MAX } };
		struct block_encoder chosen = { 0 };
		struct block_header block;
		size_t plain_size;

		for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++)
			plain.choice.encodings[column] = event_columns[column].encodings[0];
		generate((enum generator_shape)shape, 3);
		plain_size = check_block(&plain, &block, ROWS);
		assert_true(check_block(&chosen, &block, ROWS) < plain_size);
		assert_false(ORDER_OF(chosen.choice.encodings[COLUMN_KIND]) != ORDER_TIME &&
				ORDER_OF(chosen.choice.encodings[COLUMN_TASK]) != ORDER_TIME);
		block_encoder_release(&plain);
		block_encoder_release(&chosen);
	}
}

static bool tries_all(struct block_encoder *encoder, uint32_t rows)
{
	struct block_header block;

	check_block(encoder, &block, rows);
	return encoder->choice.blocks == 1;
}

static void a_choice_holds_for_some_blocks(void **state)
{
	struct block_encoder encoder = { 0 };

	(void)state;
	generate(GENERATOR_PING_PONG, 1);
	assert_true(tries_all(&encoder, 1000));
	for (unsigned i = 1; i < COLUMN_TRIAL_BLOCKS; i++)
		assert_false(tries_all(&encoder, 1000));
	assert_true(tries_all(&encoder, 1000));
	assert_false(tries_all(&encoder, 1000));
	/* What a small block told does not go for a large one. */
	assert_true(tries_all(&encoder, ROWS));
	block_encoder_release(&encoder);
}

static void a_column_that_would_be_too_large_is_plain(void **state)
{
	struct block_encoder encoder = { .choice = { .trial_rows = UINT32_MAX } };
	struct block_header block;

	(void)state;
	for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++)
		encoder.choice.encodings[column] = event_columns[column].encodings[0];
	generate(GENERATOR_PING_PONG, 1);
	encoder.choice.encodings[COLUMN_TIME] = ENCODING_STEPS;
	check_block(&encoder, &block, 2);
	assert_int_equal(column_of(&block, COLUMN_TIME)->encoding, ENCODING_STEPS);
	/* The length of the step alone takes five bytes, and so long a time nine. */
	events[0].time_ns = 1ull << 60;
	check_block(&encoder, &block, 1);
	assert_int_equal(column_of(&block, COLUMN_TIME)->encoding, ENCODING_DELTA);
	block_encoder_release(&encoder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_chosen_comes_back_and_is_smaller),
		cmocka_unit_test(a_choice_holds_for_some_blocks),
		cmocka_unit_test(a_column_that_would_be_too_large_is_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
