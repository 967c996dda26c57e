#include "formats/native/block.h"

#include <string.h>

#include "formats/base/bytes.h"

static void parse_column(struct block_column *column, const uint8_t *bytes)
{
	column->number = bytes[COLUMN_AT_NUMBER];
	column->encoding = bytes[COLUMN_AT_ENCODING];
	column->packed_bytes = load_le32(bytes + COLUMN_AT_PACKED_BYTES);
	column->raw_bytes = load_le32(bytes + COLUMN_AT_RAW_BYTES);
}

static enum lo_result check_columns(const struct block_header *block,
		const struct section_header *header, struct lo_error *err)
{
	uint64_t packed = 0;

	for (uint32_t i = 0; i < block->column_count; i++) {
		packed += block->columns[i].packed_bytes;
		if (block->columns[i].raw_bytes > (uint64_t)header->rows * LIMIT_COLUMN_ROW_BYTES)
			return lo_fail(err, LO_CORRUPT, header->offset,
					"a column claims %u bytes for %u rows",
					block->columns[i].raw_bytes, header->rows);
	}
	if (packed != header->payload_bytes)
		return lo_fail(err, LO_CORRUPT, header->offset,
				"the columns of a block do not fill its payload");
	return LO_OK;
}

enum lo_result block_header_parse(struct block_header *block, const struct section_header *header,
		struct lo_error *err)
{
	const uint8_t *extra = header->extra;
	const uint8_t *entry = extra + BLOCK_AT_COLUMNS;

	if (header->extra_bytes < BLOCK_AT_COLUMNS)
		return lo_fail(err, LO_CORRUPT, header->offset, "a block header is too short");
	block->begin_ns = load_le64(extra + BLOCK_AT_BEGIN_NS);
	block->end_ns = load_le64(extra + BLOCK_AT_END_NS);
	block->task_min = load_le32(extra + BLOCK_AT_TASK_MIN);
	block->task_max = load_le32(extra + BLOCK_AT_TASK_MAX);
	block->column_count = load_le16(extra + BLOCK_AT_COLUMN_COUNT);
	block->loss_count = load_le16(extra + BLOCK_AT_LOSS_COUNT);
	if (header->rows > LIMIT_BLOCK_ROWS || block->begin_ns > block->end_ns ||
			block->column_count > LIMIT_BLOCK_COLUMNS ||
			block->loss_count > LIMIT_BLOCK_LOSSES ||
			header->extra_bytes <
					BLOCK_AT_COLUMNS +
							block->column_count * COLUMN_ENTRY_BYTES +
							block->loss_count * LOSS_ENTRY_BYTES)
		return lo_fail(err, LO_CORRUPT, header->offset, "a block header makes no sense");
	for (uint32_t i = 0; i < block->column_count; i++, entry += COLUMN_ENTRY_BYTES)
		parse_column(&block->columns[i], entry);
	for (uint32_t i = 0; i < block->loss_count; i++, entry += LOSS_ENTRY_BYTES)
		block->losses[i] = (struct block_loss){ load_le32(entry + LOSS_AT_CAUSE),
			load_le64(entry + LOSS_AT_COUNT) };
	return check_columns(block, header, err);
}

static bool all_zero(const struct byte_buffer *raw)
{
	return raw->size == 0 ||
	       (raw->bytes[0] == 0 && memcmp(raw->bytes, raw->bytes + 1, raw->size - 1) == 0);
}

/* Appends what `encoder` holds of a column. */
static enum lo_result pack_column(struct block_header *block, enum event_column number,
		uint8_t encoding, const struct event_encoder *encoder, struct byte_packer *packer,
		struct byte_buffer *payload, struct lo_error *err)
{
	size_t before = payload->size;
	enum lo_result result = byte_packer_pack_parts(packer, encoder->raw.bytes,
			encoder->raw.size, &encoder->parts, payload, err);

	if (result != LO_OK)
		return result;
	block->columns[block->column_count++] = (struct block_column){ (uint8_t)number, encoding,
		(uint32_t)(payload->size - before), (uint32_t)encoder->raw.size };
	return LO_OK;
}

/* A column that would be larger than readers allow gets its plain encoding, which never is. */
static enum lo_result encode_column(struct block_header *block, struct block_encoder *encoder,
		enum event_column column, struct byte_packer *packer, struct byte_buffer *payload,
		struct lo_error *err)
{
	struct event_encoder *columns = &encoder->columns;
	uint8_t encoding = encoder->choice.encodings[column];
	enum lo_result result = event_encoder_column(columns, column, encoding, err);

	if (result == LO_OK && columns->raw.size > (size_t)columns->rows * LIMIT_COLUMN_ROW_BYTES) {
		encoding = event_columns[column].encodings[0];
		result = event_encoder_column(columns, column, encoding, err);
	}
	if (result != LO_OK || all_zero(&columns->raw))
		return result;
	return pack_column(block, column, encoding, columns, packer, payload, err);
}

static void find_task_range(struct block_header *block, const struct event *events, uint32_t rows)
{
	block->task_min = rows ? events[0].task : 0;
	block->task_max = block->task_min;
	for (uint32_t row = 1; row < rows; row++) {
		if (events[row].task < block->task_min)
			block->task_min = events[row].task;
		if (events[row].task > block->task_max)
			block->task_max = events[row].task;
	}
}

enum lo_result block_encode(struct block_header *block, struct block_encoder *encoder,
		struct byte_packer *packer, const struct event *events, uint32_t rows,
		struct byte_buffer *payload, struct lo_error *err)
{
	enum lo_result result = event_encoder_start(
			&encoder->columns, events, rows, block->begin_ns, err);

	block->column_count = 0;
	find_task_range(block, events, rows);
	if (result == LO_OK && rows > 0)
		result = column_choice_make(&encoder->choice, &encoder->columns, packer, err);
	for (unsigned column = 0; result == LO_OK && rows > 0 && column < EVENT_COLUMN_COUNT;
			column++)
		result = encode_column(
				block, encoder, (enum event_column)column, packer, payload, err);
	return result;
}

void block_encoder_release(struct block_encoder *encoder)
{
	event_encoder_release(&encoder->columns);
	column_choice_release(&encoder->choice);
}

void block_header_store(struct section_header *header, const struct block_header *block)
{
	uint8_t *extra = header->extra;
	uint8_t *entry = extra + BLOCK_AT_COLUMNS;

	store_le64(extra + BLOCK_AT_BEGIN_NS, block->begin_ns);
	store_le64(extra + BLOCK_AT_END_NS, block->end_ns);
	store_le32(extra + BLOCK_AT_TASK_MIN, block->task_min);
	store_le32(extra + BLOCK_AT_TASK_MAX, block->task_max);
	store_le16(extra + BLOCK_AT_COLUMN_COUNT, (uint16_t)block->column_count);
	store_le16(extra + BLOCK_AT_LOSS_COUNT, (uint16_t)block->loss_count);
	for (uint32_t i = 0; i < block->column_count; i++, entry += COLUMN_ENTRY_BYTES) {
		entry[COLUMN_AT_NUMBER] = block->columns[i].number;
		entry[COLUMN_AT_ENCODING] = block->columns[i].encoding;
		store_le16(entry + COLUMN_AT_RESERVED, 0);
		store_le32(entry + COLUMN_AT_PACKED_BYTES, block->columns[i].packed_bytes);
		store_le32(entry + COLUMN_AT_RAW_BYTES, block->columns[i].raw_bytes);
	}
	for (uint32_t i = 0; i < block->loss_count; i++, entry += LOSS_ENTRY_BYTES) {
		store_le32(entry + LOSS_AT_CAUSE, block->losses[i].cause);
		store_le64(entry + LOSS_AT_COUNT, block->losses[i].count);
	}
	header->extra_bytes = (uint32_t)(entry - extra);
}

/* Unpacks one column behind the others in `scratch`. */
static enum lo_result unpack_column(const struct block_column *column, const uint8_t *packed,
		struct byte_unpacker *unpacker, struct byte_buffer *scratch, struct lo_error *err)
{
	uint8_t *room = byte_buffer_reserve(scratch, column->raw_bytes);
	enum lo_result result;

	if (!room)
		return byte_buffer_check(scratch, err);
	result = byte_unpacker_unpack(
			unpacker, packed, column->packed_bytes, room, column->raw_bytes, err);
	if (result == LO_OK)
		byte_buffer_commit(scratch, column->raw_bytes);
	return result;
}

/* Which of this build's columns are there, by the last entry of each, and where in the payload. */
struct block_columns {
	struct column_view views[EVENT_COLUMN_COUNT];
	const struct block_column *entries[EVENT_COLUMN_COUNT];
	size_t at[EVENT_COLUMN_COUNT];
};

static void find_columns(struct block_columns *columns, const struct block_header *block,
		const struct trace_schema *schema)
{
	size_t at = 0;

	memset(columns, 0, sizeof(*columns));
	for (uint32_t i = 0; i < block->column_count; i++) {
		const struct block_column *column = &block->columns[i];
		uint8_t own = column->number < LIMIT_BLOCK_COLUMNS ? schema->column[column->number]
								   : SCHEMA_UNKNOWN;

		if (own < EVENT_COLUMN_COUNT) {
			columns->views[own] = (struct column_view){ NULL, column->raw_bytes,
				column->encoding, true };
			columns->entries[own] = column;
			columns->at[own] = at;
		}
		at += column->packed_bytes;
	}
}

static enum lo_result unpack_columns(struct block_columns *columns, uint32_t needed,
		const uint8_t *payload, struct byte_unpacker *unpacker, struct byte_buffer *scratch,
		struct lo_error *err)
{
	size_t begin[EVENT_COLUMN_COUNT] = { 0 };

	byte_buffer_clear(scratch);
	for (unsigned own = 0; own < EVENT_COLUMN_COUNT; own++) {
		enum lo_result result;

		if (!columns->views[own].present || !(needed & EVENT_COLUMN_BIT(own)))
			continue;
		begin[own] = scratch->size;
		result = unpack_column(columns->entries[own], payload + columns->at[own], unpacker,
				scratch, err);
		if (result != LO_OK)
			return result;
	}
	/* Only now has the scratch stopped moving; without any column there is none. */
	for (unsigned own = 0; own < EVENT_COLUMN_COUNT && scratch->bytes; own++)
		columns->views[own].bytes = scratch->bytes + begin[own];
	return LO_OK;
}

enum lo_result block_decode(const struct section_header *header, const struct block_header *block,
		const uint8_t *payload, const struct trace_schema *schema, uint32_t columns,
		struct byte_unpacker *unpacker, struct byte_buffer *scratch, struct event *events,
		uint32_t *stored, struct lo_error *err)
{
	struct block_columns found;
	struct event_decoding decoding = { &schema->events, columns, block->begin_ns,
		block->end_ns };
	enum lo_result result;

	find_columns(&found, block, schema);
	result = unpack_columns(&found, event_columns_needed(found.views, columns), payload,
			unpacker, scratch, err);
	if (result != LO_OK)
		return result;
	return event_columns_decode(found.views, header->rows, &decoding, events, stored, err);
}
