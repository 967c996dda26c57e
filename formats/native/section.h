#ifndef LOITER_NATIVE_SECTION_H
#define LOITER_NATIVE_SECTION_H

#include <stdbool.h>
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

/* True when the header and the index tell a stretch of time and of numbers that it is about. */
bool section_has_range(unsigned type);

/* True for tables whose rows have their positions as ids, TABLE_AT_FIRST_ID and up. */
bool section_has_positions(unsigned type);

/* True for sections that only save time: written with SECTION_FLAG_OPTIONAL. */
bool section_is_optional(unsigned type);

/* Ends included. A section that does not tell is about everything. */
struct section_range {
	uint64_t begin_ns;
	uint64_t end_ns;
	uint32_t low;
	uint32_t high;
};

#define SECTION_RANGE_ALL ((struct section_range){ 0, UINT64_MAX, 0, UINT32_MAX })

/* From the extra part, which was written before there were ranges if it is too short. LO_CORRUPT
 * when an end is before its begin. */
enum lo_result section_range_parse(struct section_range *range, const struct section_header *header,
		struct lo_error *err);
void section_range_store(struct section_header *header, const struct section_range *range);

#endif
