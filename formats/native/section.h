#ifndef LOITER_NATIVE_SECTION_H
#define LOITER_NATIVE_SECTION_H

#include <stdint.h>

#include "formats/base/byte_buffer.h"
#include "formats/base/error.h"
#include "formats/base/limits.h"
#include "formats/native/layout.h"

/* One section header, checked: its sizes are within limits, though not yet within the file. */
struct section_header {
	uint64_t offset; /* of the header frame in the file */
	uint64_t payload_bytes;
	uint64_t payload_checksum;
	uint32_t header_bytes; /* the whole frame */
	uint32_t sequence;
	uint32_t rows;
	uint16_t type; /* enum section_type, or a later one */
	uint16_t flags;
	uint16_t version;
	uint32_t extra_bytes;
	uint8_t extra[LIMIT_SECTION_HEADER];
};

static inline uint64_t section_bytes(const struct section_header *header)
{
	return header->header_bytes + header->payload_bytes;
}

/*
 * `size` bytes of a file from `offset` on, at least LIMIT_SECTION_HEADER of them unless the file
 * ends before. LO_TRUNCATED when they stop inside a header, LO_CORRUPT when they are none.
 */
enum lo_result section_header_parse(struct section_header *header, const uint8_t *bytes,
		size_t size, uint64_t offset, struct lo_error *err);

/* Appends the header frame, with both checksums. Uses type, flags, sequence, rows and extra. */
void section_header_put(struct byte_buffer *out, struct section_header *header,
		const uint8_t *payload, size_t payload_bytes);

/* "block", "strings", ...; NULL for a type that this build does not know. */
const char *section_type_name(unsigned type);

#endif
