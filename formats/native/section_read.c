#include "formats/native/section_read.h"

#include "formats/base/bytes.h"
#include "formats/base/checksum.h"

void section_payload_release(struct section_payload *section)
{
	if (!section)
		return;
	byte_buffer_release(&section->bytes);
	byte_buffer_release(&section->raw);
}

enum lo_result section_payload_read(struct section_payload *section, struct byte_source *source,
		uint64_t offset, uint32_t size, struct lo_error *err)
{
	struct section_header *header = &section->header;
	enum lo_result result;
	uint8_t *room;

	byte_buffer_clear(&section->bytes);
	room = byte_buffer_reserve(&section->bytes, size);
	if (!room)
		return byte_buffer_check(&section->bytes, err);
	result = byte_source_read_all(source, offset, room, size, err);
	if (result == LO_OK)
		result = section_header_parse(header, room, size, offset, err);
	if (result != LO_OK)
		return result;
	if (section_bytes(header) != size)
		return lo_fail(err, LO_CORRUPT, offset,
				"a section has another size than the index says");
	section->payload = room + header->header_bytes;
	if (!checksum64_matches(section->payload, (size_t)header->payload_bytes,
			    header->payload_checksum))
		return lo_fail(err, LO_CORRUPT, offset, "the contents have a wrong checksum");
	return LO_OK;
}

enum lo_result section_payload_unpack(struct section_payload *section,
		struct byte_unpacker *unpacker, uint32_t limit, struct lo_error *err)
{
	const struct section_header *header = &section->header;
	enum lo_result result;
	uint32_t raw_bytes;
	uint8_t *room;

	if (header->version > FORMAT_VERSION)
		return lo_fail(err, LO_UNSUPPORTED, header->offset,
				"written in version %u of the format, this build knows %u",
				header->version, FORMAT_VERSION);
	if (header->extra_bytes < TABLE_EXTRA_BYTES)
		return lo_fail(err, LO_CORRUPT, header->offset, "a table header is too short");
	raw_bytes = load_le32(header->extra + TABLE_AT_RAW_BYTES);
	if (raw_bytes > limit)
		return lo_fail(err, LO_CORRUPT, header->offset,
				"a table claims %u bytes, the limit is %u", raw_bytes, limit);
	byte_buffer_clear(&section->raw);
	room = byte_buffer_reserve(&section->raw, raw_bytes);
	if (!room)
		return byte_buffer_check(&section->raw, err);
	result = byte_unpacker_unpack(unpacker, section->payload, (size_t)header->payload_bytes,
			room, raw_bytes, err);
	if (result == LO_OK)
		byte_buffer_commit(&section->raw, raw_bytes);
	return result;
}
