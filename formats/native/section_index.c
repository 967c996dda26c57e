#include "formats/native/section_list_parts.h"

#include <stdlib.h>

#include "formats/base/byte_cursor.h"
#include "formats/base/bytes.h"

static enum lo_result find_index(
		struct byte_source *source, uint64_t size, uint64_t *offset, struct lo_error *err)
{
	struct section_header *header;
	uint8_t bytes[LOCATOR_BYTES];
	enum lo_result result;

	if (size < LOCATOR_BYTES)
		return lo_fail(err, LO_TRUNCATED, size, "too short for an index");
	result = byte_source_read_all(source, size - LOCATOR_BYTES, bytes, sizeof(bytes), err);
	if (result != LO_OK)
		return result;
	header = malloc(sizeof(*header));
	if (!header)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a header");
	result = section_header_parse(header, bytes, sizeof(bytes), size - LOCATOR_BYTES, err);
	if (result == LO_OK && (header->type != SECTION_LOCATOR || header->payload_bytes != 0 ||
					       header->extra_bytes < LOCATOR_EXTRA_BYTES))
		result = lo_fail(err, LO_CORRUPT, size - LOCATOR_BYTES, "not a locator");
	if (result == LO_OK)
		*offset = load_le64(header->extra + LOCATOR_AT_INDEX_OFFSET);
	free(header);
	return result;
}

static enum lo_result bad_index(struct lo_error *err, uint64_t offset)
{
	return lo_fail(err, LO_CORRUPT, offset, "the index makes no sense");
}

static enum lo_result read_losses(struct section_list *list, const struct row *row,
		uint64_t index_offset, struct lo_error *err)
{
	struct byte_cursor cursor = byte_cursor_over(
			row->bytes[INDEX_DETAIL], row->number[INDEX_DETAIL]);
	enum lo_result result = LO_OK;

	for (unsigned i = 0; byte_cursor_left(&cursor) > 0 && result == LO_OK; i++) {
		uint64_t cause = byte_cursor_varint(&cursor);
		uint64_t count = byte_cursor_varint(&cursor);

		if (cursor.failed || cause > UINT32_MAX || i == LIMIT_BLOCK_LOSSES)
			return bad_index(err, index_offset);
		result = section_list_add_loss(list, (uint32_t)cause, count, err);
	}
	return result;
}

/* Files of before there were ranges have none, which is no damage. */
static enum lo_result read_range(struct section_entry *entry, const struct row *row,
		uint64_t index_offset, struct lo_error *err)
{
	struct byte_cursor cursor = byte_cursor_over(
			row->bytes[INDEX_DETAIL], row->number[INDEX_DETAIL]);
	struct section_range range = SECTION_RANGE_ALL;

	if (byte_cursor_left(&cursor) > 0) {
		uint64_t low = byte_cursor_varint(&cursor);
		uint64_t more = byte_cursor_varint(&cursor);

		range = (struct section_range){ row->number[INDEX_BEGIN],
			row->number[INDEX_BEGIN] + row->number[INDEX_LENGTH], (uint32_t)low,
			(uint32_t)(low + more) };
		if (cursor.failed || low > UINT32_MAX || more > UINT32_MAX - low ||
				range.end_ns < range.begin_ns)
			return bad_index(err, index_offset);
	}
	section_entry_set_range(entry, &range);
	return LO_OK;
}

/* Without a detail, ids go on where those of the section before ended. */
static enum lo_result read_positions(
		struct index_reading *reading, const struct row *row, struct section_entry *entry)
{
	struct byte_cursor cursor = byte_cursor_over(
			row->bytes[INDEX_DETAIL], row->number[INDEX_DETAIL]);
	uint64_t first_id = reading->last_id[entry->type] + 1ull;

	if (byte_cursor_left(&cursor) > 0)
		first_id = byte_cursor_varint(&cursor);
	if (cursor.failed || first_id > UINT32_MAX ||
			section_entry_set_positions(entry, (uint32_t)first_id, NULL) != LO_OK)
		return bad_index(reading->err, reading->index_offset);
	reading->last_id[entry->type] = entry->high;
	return LO_OK;
}

/* What a row says beyond the size of its section. */
static enum lo_result read_index_detail(
		struct index_reading *reading, const struct row *row, struct section_entry *entry)
{
	if (section_has_range(entry->type))
		return read_range(entry, row, reading->index_offset, reading->err);
	if (section_has_positions(entry->type))
		return read_positions(reading, row, entry);
	if (entry->type != SECTION_BLOCK)
		return LO_OK;
	entry->begin_ns = row->number[INDEX_BEGIN];
	entry->end_ns = entry->begin_ns + row->number[INDEX_LENGTH];
	reading->gap_in_time = reading->gap_in_time || entry->begin_ns != reading->last_end_ns;
	if (entry->begin_ns < reading->last_end_ns || entry->end_ns < entry->begin_ns ||
			entry->rows > LIMIT_BLOCK_ROWS)
		return bad_index(reading->err, reading->index_offset);
	reading->last_end_ns = entry->end_ns;
	return LO_OK;
}

/* The sections tile the file up to the index without a gap, and blocks go forward in time. */
static enum lo_result read_index_row(struct index_reading *reading, const struct row *row)
{
	uint64_t index_offset = reading->index_offset;
	struct section_list *list = reading->list;
	struct section_entry entry = {
		.offset = reading->offset,
		.bytes = (uint32_t)row->number[INDEX_BYTES],
		.rows = (uint32_t)row->number[INDEX_ROWS],
		.sequence = list->count,
		.type = (uint16_t)row->number[INDEX_TYPE],
	};
	enum lo_result result;

	if (entry.bytes != row->number[INDEX_BYTES] || entry.rows != row->number[INDEX_ROWS] ||
			entry.type != row->number[INDEX_TYPE] ||
			entry.bytes < SECTION_HEADER_LEAST ||
			entry.bytes > index_offset - reading->offset)
		return bad_index(reading->err, index_offset);
	reading->offset += entry.bytes;
	result = read_index_detail(reading, row, &entry);
	if (result == LO_OK)
		result = section_list_add(list, &entry, reading->err);
	return result == LO_OK && entry.type == SECTION_BLOCK
			       ? read_losses(list, row, index_offset, reading->err)
			       : result;
}

enum lo_result index_reading_add(struct index_reading *reading, const uint8_t *raw, size_t size)
{
	enum lo_result result = LO_OK;
	struct row row;

	if (!reading->rows.map) {
		row_map_identity(&reading->map, &row_schemas[SECTION_INDEX]);
		reading->rows.map = &reading->map;
	}
	reading->rows.cursor = byte_cursor_over(raw, size);
	while (result == LO_OK && row_reader_next(&reading->rows, &row))
		result = read_index_row(reading, &row);
	if (result == LO_OK && reading->rows.cursor.failed)
		result = bad_index(reading->err, reading->index_offset);
	return result;
}

static enum lo_result read_index_rows(struct section_list *list,
		const struct section_payload *section, struct lo_error *err)
{
	struct index_reading reading = {
		.list = list, .index_offset = section->header.offset, .err = err
	};
	enum lo_result result = index_reading_add(&reading, section->raw.bytes, section->raw.size);

	if (result == LO_OK && (reading.offset != reading.index_offset ||
					       list->count != section->header.rows))
		result = bad_index(err, reading.index_offset);
	return result;
}

static enum lo_result load_index(struct section_list *list, struct byte_source *source,
		uint64_t size, uint64_t index_offset, struct lo_error *err)
{
	struct section_payload section = { 0 };
	struct byte_unpacker *unpacker = NULL;
	enum lo_result result;

	if (index_offset >= size - LOCATOR_BYTES ||
			size - LOCATOR_BYTES - index_offset > LIMIT_SECTION_PAYLOAD)
		return bad_index(err, size - LOCATOR_BYTES);
	result = byte_unpacker_new(&unpacker, err);
	if (result == LO_OK)
		result = section_payload_read(&section, source, index_offset,
				(uint32_t)(size - LOCATOR_BYTES - index_offset), err);
	if (result == LO_OK && section.header.type != SECTION_INDEX)
		result = bad_index(err, index_offset);
	/* A row of the index is smaller than the section that it stands for. */
	if (result == LO_OK)
		result = section_payload_unpack(&section, unpacker,
				index_offset < LIMIT_INDEX_RAW ? (uint32_t)index_offset
							       : LIMIT_INDEX_RAW,
				err);
	if (result == LO_OK)
		result = read_index_rows(list, &section, err);
	byte_unpacker_free(unpacker);
	section_payload_release(&section);
	return result;
}

enum lo_result section_index_load(struct section_list *list, struct byte_source *source,
		uint64_t size, uint64_t *offset, struct lo_error *err)
{
	enum lo_result result = find_index(source, size, offset, err);

	return result == LO_OK ? load_index(list, source, size, *offset, err) : result;
}
