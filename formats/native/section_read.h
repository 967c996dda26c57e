#ifndef LOITER_NATIVE_SECTION_READ_H
#define LOITER_NATIVE_SECTION_READ_H

#include <stdint.h>

#include "formats/base/byte_codec.h"
#include "formats/base/byte_source.h"
#include "formats/native/section.h"

/*
 * One section with its payload, read in one go and verified: the header is sound and is the one
 * that the list of sections promised, and the payload has the right checksum. Zeroed is ready;
 * used again and again it keeps its memory.
 */
struct section_payload {
	struct section_header header;
	struct byte_buffer bytes; /* header frame and payload */
	struct byte_buffer raw;   /* of a table: the unpacked rows */
	const uint8_t *payload;
};

void section_payload_release(struct section_payload *section);

/* LO_CORRUPT or LO_TRUNCATED with a sentence when the section cannot be trusted. */
enum lo_result section_payload_read(struct section_payload *section, struct byte_source *source,
		uint64_t offset, uint32_t size, struct lo_error *err);

/* For sections of rows: unpacks the payload into `section->raw`, at most `limit` bytes. */
enum lo_result section_payload_unpack(struct section_payload *section,
		struct byte_unpacker *unpacker, uint32_t limit, struct lo_error *err);

#endif
