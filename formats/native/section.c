#include "formats/native/section.h"

#include <string.h>

#include "formats/base/bytes.h"
#include "formats/base/checksum.h"

#define FRAME_HEADER_BYTES 8u /* zstd's own: magic and size */

enum numbers {
	NUMBERS_NONE,
	NUMBERS_POSITIONS, /* the ids of the rows are their positions in the whole table */
	NUMBERS_RANGE,     /* as struct section_range */
};

static const struct {
	const char *name;
	uint8_t numbers; /* enum numbers */
	bool is_optional;
} types[SECTION_TYPE_COUNT] = {
	[SECTION_SCHEMA] = { "schema", NUMBERS_NONE, false },
	[SECTION_META] = { "meta", NUMBERS_NONE, false },
	[SECTION_STRINGS] = { "strings", NUMBERS_POSITIONS, false },
	[SECTION_MODULES] = { "modules", NUMBERS_POSITIONS, false },
	[SECTION_FRAMES] = { "frames", NUMBERS_POSITIONS, false },
	[SECTION_STACKS] = { "stacks", NUMBERS_POSITIONS, false },
	[SECTION_TASKS] = { "tasks", NUMBERS_RANGE, false },
	[SECTION_PROCESSES] = { "processes", NUMBERS_NONE, false },
	[SECTION_SYMBOLS] = { "symbols", NUMBERS_NONE, false },
	[SECTION_BLOCK] = { "block", NUMBERS_NONE, false },
	[SECTION_END] = { "end", NUMBERS_NONE, false },
	[SECTION_INDEX] = { "index", NUMBERS_NONE, true },
	[SECTION_LOCATOR] = { "locator", NUMBERS_NONE, true },
	[SECTION_SNAPSHOT] = { "snapshot", NUMBERS_RANGE, true },
	[SECTION_LIVES] = { "lives", NUMBERS_RANGE, true },
	[SECTION_TILES] = { "tiles", NUMBERS_RANGE, true },
	[SECTION_COUNTERS] = { "counters", NUMBERS_RANGE, true },
	[SECTION_NOTES] = { "notes", NUMBERS_RANGE, true },
	[SECTION_CHECKPOINT] = { "checkpoint", NUMBERS_NONE, true },
};

const char *section_type_name(unsigned type)
{
	return type < SECTION_TYPE_COUNT ? types[type].name : NULL;
}

bool section_has_range(unsigned type)
{
	return type < SECTION_TYPE_COUNT && types[type].numbers == NUMBERS_RANGE;
}

bool section_has_positions(unsigned type)
{
	return type < SECTION_TYPE_COUNT && types[type].numbers == NUMBERS_POSITIONS;
}

bool section_is_optional(unsigned type)
{
	return type < SECTION_TYPE_COUNT && types[type].is_optional;
}

enum lo_result section_range_parse(struct section_range *range, const struct section_header *header,
		struct lo_error *err)
{
	*range = SECTION_RANGE_ALL;
	if (header->extra_bytes < RANGE_EXTRA_BYTES)
		return LO_OK;
	range->begin_ns = load_le64(header->extra + RANGE_AT_BEGIN_NS);
	range->end_ns = load_le64(header->extra + RANGE_AT_END_NS);
	range->low = load_le32(header->extra + RANGE_AT_LOW);
	range->high = load_le32(header->extra + RANGE_AT_HIGH);
	if (range->begin_ns > range->end_ns || range->low > range->high)
		return lo_fail(err, LO_CORRUPT, header->offset,
				"a section (%s) ends before it begins",
				section_type_name(header->type));
	return LO_OK;
}

void section_range_store(struct section_header *header, const struct section_range *range)
{
	store_le64(header->extra + RANGE_AT_BEGIN_NS, range->begin_ns);
	store_le64(header->extra + RANGE_AT_END_NS, range->end_ns);
	store_le32(header->extra + RANGE_AT_LOW, range->low);
	store_le32(header->extra + RANGE_AT_HIGH, range->high);
	header->extra_bytes = RANGE_EXTRA_BYTES;
}

/* Finds the size of the header frame; the frame lies wholly in the bytes when this succeeds. */
static enum lo_result check_frame(const uint8_t *bytes, size_t size, uint64_t offset,
		uint32_t *header_bytes, struct lo_error *err)
{
	uint32_t frame_bytes;

	if (size < SECTION_HEADER_LEAST)
		return lo_fail(err, LO_TRUNCATED, offset, "the file ends inside a section header");
	if (load_le32(bytes + SECTION_AT_FRAME_MAGIC) != SECTION_FRAME_MAGIC ||
			load_le64(bytes + SECTION_AT_MAGIC) != SECTION_MAGIC)
		return lo_fail(err, LO_CORRUPT, offset, "no section begins here");
	frame_bytes = load_le32(bytes + SECTION_AT_FRAME_BYTES);
	if (frame_bytes < SECTION_HEADER_LEAST - FRAME_HEADER_BYTES ||
			frame_bytes > LIMIT_SECTION_HEADER - FRAME_HEADER_BYTES)
		return lo_fail(err, LO_CORRUPT, offset,
				"a section header claims %u bytes, possible are %u to %u",
				frame_bytes, SECTION_HEADER_LEAST - FRAME_HEADER_BYTES,
				LIMIT_SECTION_HEADER - FRAME_HEADER_BYTES);
	*header_bytes = frame_bytes + FRAME_HEADER_BYTES;
	if (*header_bytes > size)
		return lo_fail(err, LO_TRUNCATED, offset, "the file ends inside a section header");
	return LO_OK;
}

enum lo_result section_header_parse(struct section_header *header, const uint8_t *bytes,
		size_t size, uint64_t offset, struct lo_error *err)
{
	uint32_t header_bytes = 0;
	uint32_t hashed;
	enum lo_result result = check_frame(bytes, size, offset, &header_bytes, err);

	if (result != LO_OK)
		return result;
	hashed = header_bytes - SECTION_CHECKSUM_BYTES;
	if (!checksum64_matches(bytes, hashed, load_le64(bytes + hashed)))
		return lo_fail(err, LO_CORRUPT, offset, "a section header has a wrong checksum");
	header->offset = offset;
	header->header_bytes = header_bytes;
	header->type = load_le16(bytes + SECTION_AT_TYPE);
	header->flags = load_le16(bytes + SECTION_AT_FLAGS);
	header->version = load_le16(bytes + SECTION_AT_VERSION);
	header->sequence = load_le32(bytes + SECTION_AT_SEQUENCE);
	header->rows = load_le32(bytes + SECTION_AT_ROWS);
	header->payload_bytes = load_le64(bytes + SECTION_AT_PAYLOAD_BYTES);
	header->payload_checksum = load_le64(bytes + SECTION_AT_PAYLOAD_CHECKSUM);
	header->extra_bytes = hashed - SECTION_AT_EXTRA;
	memcpy(header->extra, bytes + SECTION_AT_EXTRA, header->extra_bytes);
	if (header->payload_bytes > LIMIT_SECTION_PAYLOAD)
		return lo_fail(err, LO_CORRUPT, offset,
				"a section claims %llu bytes, the limit is %u",
				(unsigned long long)header->payload_bytes, LIMIT_SECTION_PAYLOAD);
	return LO_OK;
}

void section_header_put(struct byte_buffer *out, struct section_header *header,
		const uint8_t *payload, size_t payload_bytes)
{
	uint8_t *bytes;
	uint32_t hashed = SECTION_AT_EXTRA + header->extra_bytes;

	header->header_bytes = hashed + SECTION_CHECKSUM_BYTES;
	header->version = FORMAT_VERSION;
	header->payload_bytes = payload_bytes;
	header->payload_checksum = checksum64(payload, payload_bytes);
	bytes = byte_buffer_reserve(out, header->header_bytes);
	if (!bytes)
		return;
	store_le32(bytes + SECTION_AT_FRAME_MAGIC, SECTION_FRAME_MAGIC);
	store_le32(bytes + SECTION_AT_FRAME_BYTES, header->header_bytes - FRAME_HEADER_BYTES);
	store_le64(bytes + SECTION_AT_MAGIC, SECTION_MAGIC);
	store_le16(bytes + SECTION_AT_TYPE, header->type);
	store_le16(bytes + SECTION_AT_FLAGS, header->flags);
	store_le16(bytes + SECTION_AT_VERSION, header->version);
	store_le16(bytes + SECTION_AT_RESERVED, 0);
	store_le32(bytes + SECTION_AT_SEQUENCE, header->sequence);
	store_le32(bytes + SECTION_AT_ROWS, header->rows);
	store_le64(bytes + SECTION_AT_PAYLOAD_BYTES, header->payload_bytes);
	store_le64(bytes + SECTION_AT_PAYLOAD_CHECKSUM, header->payload_checksum);
	memcpy(bytes + SECTION_AT_EXTRA, header->extra, header->extra_bytes);
	store_le64(bytes + hashed, checksum64(bytes, hashed));
	byte_buffer_commit(out, header->header_bytes);
}
