#include "formats/native/tile_section.h"

#include <stdlib.h>

#include "formats/native/tile_codec.h"

static void free_section(void *object)
{
	struct tile_section *section = object;

	for (uint32_t i = 0; i < section->count; i++)
		tile_release(&section->tiles[i]);
	free(section->tiles);
	free(section);
}

static uint64_t memory_of(const struct tile_section *section)
{
	uint64_t bytes = sizeof(*section) + section->count * sizeof(*section->tiles);

	for (uint32_t i = 0; i < section->count; i++)
		bytes += section->tiles[i].row_count * sizeof(struct tile_row) +
			 section->tiles[i].site_count * sizeof(struct tile_site) +
			 section->tiles[i].place_count * sizeof(struct tile_place);
	return bytes;
}

static enum lo_result decode_tiles(struct tile_section *section, const struct trace_schema *schema,
		const struct section_payload *payload, struct lo_error *err)
{
	struct tile_decoder decoder = {
		.cursor = byte_cursor_over(payload->raw.bytes, payload->raw.size),
		.reasons = schema->events.reason,
	};
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < payload->header.rows && result == LO_OK; i++) {
		result = tile_decoder_next(&decoder, &section->tiles[i], err);
		section->count += result == LO_OK;
	}
	if (result == LO_END || (result == LO_OK && byte_cursor_left(&decoder.cursor) > 0))
		return lo_fail(err, LO_CORRUPT, payload->header.offset,
				"there are more or fewer tiles than announced");
	return result;
}

/* The range was used to choose this section. */
static enum lo_result check_range(struct tile_section *section, const struct section_header *header,
		struct lo_error *err)
{
	struct section_range range;
	enum lo_result result = section_range_parse(&range, header, err);

	if (result != LO_OK)
		return result;
	if (range.low != range.high || range.low >= LIMIT_TILE_LEVELS ||
			section->tiles[0].grid.begin_ns != range.begin_ns ||
			section->tiles[section->count - 1].grid.end_ns != range.end_ns)
		return lo_fail(err, LO_CORRUPT, header->offset,
				"the tiles are of another time or level than announced");
	section->level = range.low;
	return LO_OK;
}

static enum lo_result decode(void **object, uint64_t *bytes, const struct trace_schema *schema,
		const struct section_payload *payload, struct lo_error *err)
{
	const struct section_header *header = &payload->header;
	struct tile_section *section;
	enum lo_result result;

	if (header->rows == 0 || header->rows > LIMIT_TILES || payload->raw.size > LIMIT_TILES_RAW)
		return lo_fail(err, LO_CORRUPT, header->offset,
				"no section can have %u tiles in %zu bytes", header->rows,
				payload->raw.size);
	section = calloc(1, sizeof(*section));
	if (section)
		section->tiles = calloc(header->rows, sizeof(*section->tiles));
	if (!section || !section->tiles) {
		free(section);
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for tiles");
	}
	result = decode_tiles(section, schema, payload, err);
	if (result == LO_OK)
		result = check_range(section, header, err);
	if (result != LO_OK) {
		free_section(section);
		return result;
	}
	*object = section;
	*bytes = memory_of(section);
	return LO_OK;
}

const struct section_decoder tile_section_decoder = { decode, free_section };
