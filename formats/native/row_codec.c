#include "formats/native/row_codec.h"

#include "formats/base/varint.h"

/* Fields are found by position here and by name in files: append, never reorder. */
#define FIELDS(...)                                                            \
	{                                                                      \
		{ __VA_ARGS__ }, sizeof((struct row_field[]){ __VA_ARGS__ }) / \
						 sizeof(struct row_field)      \
	}

const struct row_schema row_schemas[SECTION_TYPE_COUNT] = {
	/* These two are read before a schema is known: their fields are fixed for ever. */
	[SECTION_SCHEMA] = FIELDS({ "group", ROW_NUMBER }, { "number", ROW_NUMBER },
			{ "value", ROW_NUMBER }, { "name", ROW_BYTES }),
	[SECTION_INDEX] = FIELDS({ "type", ROW_NUMBER }, { "bytes", ROW_NUMBER },
			{ "rows", ROW_NUMBER }, { "begin", ROW_DELTA }, { "length", ROW_NUMBER },
			{ "detail", ROW_BYTES }),

	[SECTION_META] = FIELDS({ "key", ROW_BYTES }, { "value", ROW_BYTES }),
	[SECTION_STRINGS] = FIELDS({ "bytes", ROW_BYTES }),
	[SECTION_MODULES] = FIELDS(
			{ "path", ROW_NUMBER }, { "flags", ROW_NUMBER }, { "build id", ROW_BYTES }),
	[SECTION_FRAMES] = FIELDS({ "module", ROW_NUMBER }, { "offset", ROW_DELTA }),
	[SECTION_STACKS] = FIELDS({ "up", ROW_NUMBER }, { "frame", ROW_DELTA }),
	[SECTION_TASKS] = FIELDS({ "id", ROW_DELTA }, { "process", ROW_NUMBER },
			{ "tid", ROW_DELTA }, { "name", ROW_NUMBER }, { "kind", ROW_NUMBER },
			{ "flags", ROW_NUMBER }),
	[SECTION_PROCESSES] = FIELDS({ "index", ROW_NUMBER }, { "parent", ROW_NUMBER },
			{ "pid", ROW_NUMBER }, { "program", ROW_NUMBER }, { "begin", ROW_NUMBER },
			{ "end", ROW_NUMBER }, { "end kind", ROW_NUMBER },
			{ "end value", ROW_NUMBER }),
	[SECTION_SYMBOLS] = FIELDS({ "frame", ROW_DELTA }, { "place", ROW_NUMBER },
			{ "function", ROW_DELTA }, { "file", ROW_DELTA }, { "line", ROW_DELTA }),
	[SECTION_COUNTERS] = FIELDS({ "time", ROW_DELTA }, { "length", ROW_NUMBER },
			{ "samples", ROW_NUMBER }, { "value", ROW_DELTA }, { "rise", ROW_NUMBER },
			{ "below", ROW_NUMBER }, { "above", ROW_NUMBER }),
	[SECTION_NOTES] = FIELDS({ "kind", ROW_NUMBER }, { "flags", ROW_NUMBER },
			{ "task", ROW_DELTA }, { "begin", ROW_DELTA }, { "length", ROW_NUMBER },
			{ "stack", ROW_DELTA }, { "name", ROW_NUMBER }, { "text", ROW_DELTA },
			{ "id", ROW_DELTA }, { "parent", ROW_DELTA }, { "value", ROW_NUMBER }),
};

void row_writer_put(struct row_writer *writer, const struct row *row)
{
	for (unsigned i = 0; i < writer->schema->count; i++) {
		uint64_t number = row->number[i];

		switch (writer->schema->fields[i].type) {
		case ROW_DELTA:
			byte_buffer_put_varint(
					&writer->bytes, zigzag_fold(number - writer->previous[i]));
			writer->previous[i] = number;
			break;
		case ROW_BYTES:
			byte_buffer_put_varint(&writer->bytes, number);
			byte_buffer_put(&writer->bytes, row->bytes[i], number);
			break;
		default:
			byte_buffer_put_varint(&writer->bytes, number);
		}
	}
	writer->rows++;
}

void row_writer_clear(struct row_writer *writer)
{
	byte_buffer_clear(&writer->bytes);
	for (unsigned i = 0; i < ROW_FIELDS_MAX; i++)
		writer->previous[i] = 0;
	writer->rows = 0;
}

void row_writer_release(struct row_writer *writer)
{
	byte_buffer_release(&writer->bytes);
}

void row_map_identity(struct row_map *map, const struct row_schema *schema)
{
	*map = (struct row_map){ .count = schema->count };
	for (unsigned i = 0; i < schema->count; i++) {
		map->fields[i].type = (uint8_t)schema->fields[i].type;
		map->fields[i].own = (uint8_t)i;
	}
}

static uint64_t read_field(struct row_reader *reader, unsigned field, const uint8_t **bytes)
{
	uint64_t number = byte_cursor_varint(&reader->cursor);

	switch (reader->map->fields[field].type) {
	case ROW_DELTA:
		return reader->previous[field] += zigzag_unfold(number);
	case ROW_BYTES:
		*bytes = byte_cursor_bytes(&reader->cursor, number);
		return *bytes ? number : 0;
	default:
		return number;
	}
}

bool row_reader_next(struct row_reader *reader, struct row *row)
{
	*row = (struct row){ 0 };
	if (byte_cursor_left(&reader->cursor) == 0 || reader->map->count == 0)
		return false;
	for (unsigned i = 0; i < reader->map->count; i++) {
		const uint8_t *bytes = NULL;
		uint64_t number = read_field(reader, i, &bytes);
		uint8_t own = reader->map->fields[i].own;

		if (own != ROW_FIELD_UNKNOWN) {
			row->number[own] = number;
			row->bytes[own] = bytes;
		}
	}
	return !reader->cursor.failed;
}
