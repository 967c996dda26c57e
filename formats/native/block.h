#ifndef LOITER_NATIVE_BLOCK_H
#define LOITER_NATIVE_BLOCK_H

#include <stdint.h>

#include "formats/base/byte_codec.h"
#include "formats/model/event.h"
#include "formats/native/column_choice.h"
#include "formats/native/event_codec.h"
#include "formats/native/section.h"
#include "formats/native/trace_schema.h"

/*
 * A block: up to some ten thousand events, one zstd frame per column, and in its header what can
 * be known without unpacking it. Its times lie in [begin_ns, end_ns], and a block does not begin
 * before the one ahead of it has ended. A block without rows says that time passed, or that events
 * were lost.
 */
struct block_column {
	uint8_t number; /* as in the file's schema */
	uint8_t encoding;
	uint32_t packed_bytes;
	uint32_t raw_bytes;
};

struct block_loss {
	uint32_t cause; /* as in the file's schema */
	uint64_t count;
};

struct block_header {
	uint64_t begin_ns;
	uint64_t end_ns;
	uint32_t task_min; /* of `task` in its events; both 0 without rows */
	uint32_t task_max;
	uint32_t column_count;
	uint32_t loss_count;
	struct block_column columns[LIMIT_BLOCK_COLUMNS];
	struct block_loss losses[LIMIT_BLOCK_LOSSES];
};

/* Checks everything that can be checked without the payload. */
enum lo_result block_header_parse(struct block_header *block, const struct section_header *header,
		struct lo_error *err);

/* One for a writer's life; zeroed is ready. */
struct block_encoder {
	struct event_encoder columns;
	struct column_choice choice;
};

void block_encoder_release(struct block_encoder *encoder);

/*
 * Appends to `payload` the columns of `events` and fills the column directory and the task range of
 * `block`; its times and losses are the caller's. Then block_header_store() makes the extra part.
 */
enum lo_result block_encode(struct block_header *block, struct block_encoder *encoder,
		struct byte_packer *packer, const struct event *events, uint32_t rows,
		struct byte_buffer *payload, struct lo_error *err);
void block_header_store(struct section_header *header, const struct block_header *block);

/*
 * Unpacks and decodes `columns` of a block whose payload was verified. `events` has room for the
 * rows of the header; `stored` is smaller when there are kinds that this build does not know.
 * `scratch` is for unpacked columns.
 */
enum lo_result block_decode(const struct section_header *header, const struct block_header *block,
		const uint8_t *payload, const struct trace_schema *schema, uint32_t columns,
		struct byte_unpacker *unpacker, struct byte_buffer *scratch, struct event *events,
		uint32_t *stored, struct lo_error *err);

#endif
