#include <stdlib.h>
#include <string.h>

#include "formats/base/byte_cursor.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/trace_model.h"
#include "tests/support/section_forge.h"

/*
 * The bytes are a recipe for a file, so that a mutation changes the contents of tables and columns
 * instead of breaking their compression:
 *
 *	1 byte: bit 0: this build's schema comes first
 *	then sections: type, rows, first id or span, and raw bytes with a length before them;
 *	for a block: its columns, each with number, encoding and raw bytes;
 *	for what has a range: type, rows, extra part, raw bytes
 */
#define SECTIONS_MAX 64u
#define COLUMNS_MAX  12u
#define TYPES        32u /* of sections: more than there are, so that recipes keep their meaning */

/* A length and so many of the bytes that are left. */
static const uint8_t *take_bytes(struct byte_cursor *recipe, size_t *size)
{
	uint64_t wanted = byte_cursor_varint(recipe);

	*size = wanted < byte_cursor_left(recipe) ? (size_t)wanted : byte_cursor_left(recipe);
	return byte_cursor_bytes(recipe, *size);
}

static void forge_one_block(struct forge *forge, struct byte_cursor *recipe, uint64_t *now_ns)
{
	struct forged_column columns[COLUMNS_MAX];
	struct block_loss losses[1];
	uint32_t rows = (uint32_t)byte_cursor_varint(recipe);
	uint64_t begin_ns = *now_ns + byte_cursor_varint(recipe);
	uint64_t end_ns = begin_ns + byte_cursor_varint(recipe);
	unsigned loss_count = byte_cursor_byte(recipe) & 1;
	unsigned count = byte_cursor_byte(recipe) % (COLUMNS_MAX + 1);

	if (loss_count)
		losses[0] = (struct block_loss){ byte_cursor_byte(recipe),
			byte_cursor_varint(recipe) };
	for (unsigned i = 0; i < count; i++) {
		columns[i].number = byte_cursor_byte(recipe);
		columns[i].encoding = byte_cursor_byte(recipe);
		columns[i].raw = take_bytes(recipe, &columns[i].raw_bytes);
		columns[i].announced_bytes = 0;
	}
	forge_block(forge, begin_ns, end_ns, rows, columns, count, losses, loss_count);
	*now_ns = end_ns;
}

#define EXTRA_MAX 3600u

static void forge_one_side(struct forge *forge, struct byte_cursor *recipe, enum section_type type)
{
	uint32_t rows = (uint32_t)byte_cursor_varint(recipe);
	size_t extra_size;
	const uint8_t *extra = take_bytes(recipe, &extra_size);
	size_t size;
	const uint8_t *raw = take_bytes(recipe, &size);

	forge_side(forge, type, rows, extra, extra_size < EXTRA_MAX ? extra_size : EXTRA_MAX, raw,
			size);
}

static void forge_one_section(struct forge *forge, struct byte_cursor *recipe, uint64_t *now_ns)
{
	unsigned type = byte_cursor_byte(recipe) % TYPES;
	uint32_t rows;
	uint32_t first_id;
	const uint8_t *raw;
	size_t size;

	if (type == SECTION_BLOCK) {
		forge_one_block(forge, recipe, now_ns);
		return;
	}
	if (section_has_range(type) && section_is_optional(type)) {
		forge_one_side(forge, recipe, (enum section_type)type);
		return;
	}
	if (type == SECTION_END) {
		forge_end(forge, byte_cursor_varint(recipe));
		return;
	}
	rows = (uint32_t)byte_cursor_varint(recipe);
	first_id = (uint32_t)byte_cursor_varint(recipe);
	raw = take_bytes(recipe, &size);
	forge_raw_table(forge, (enum section_type)type, first_id, rows, raw, size, (uint32_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct event events[MODEL_EVENTS_MAX];
	struct byte_cursor recipe = byte_cursor_over(bytes, size);
	struct trace_reader *reader;
	static struct forge forge; /* kept: making its compressor takes longer than all the rest */
	uint64_t now_ns = 0;

	if (!forge.packer)
		forge_init(&forge);
	byte_buffer_clear(&forge.file);
	forge.sequence = 0;
	if (byte_cursor_byte(&recipe) & 1)
		forge_schema(&forge);
	for (unsigned i = 0; i < SECTIONS_MAX && byte_cursor_left(&recipe) > 0; i++)
		forge_one_section(&forge, &recipe, &now_ns);
	reader = model_open(forge.file.bytes, forge.file.size);
	if (reader) {
		model_check_events(reader, events);
		model_check_tables(reader);
		model_check_side(reader);
		model_check_states(reader);
	}
	trace_reader_close(reader);
	return 0;
}
