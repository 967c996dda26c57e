#ifndef LOITER_NATIVE_TILE_CODEC_H
#define LOITER_NATIVE_TILE_CODEC_H

#include <stdint.h>

#include "formats/base/byte_buffer.h"
#include "formats/base/byte_cursor.h"
#include "formats/base/error.h"
#include "formats/native/tile.h"

/* Tiles to and from the unpacked bytes of a section, in which one stands behind the other. */
struct tile_encoder {
	struct byte_buffer bytes;
	uint64_t last_end_ns; /* of the tile before */
	uint32_t tiles;
};

/* Zeroed is ready. */
void tile_encoder_put(struct tile_encoder *encoder, const struct tile *tile);
void tile_encoder_clear(struct tile_encoder *encoder);
void tile_encoder_release(struct tile_encoder *encoder);

struct tile_decoder {
	struct byte_cursor cursor;
	uint64_t last_end_ns;
	const uint8_t *reasons; /* [256]: what the numbers of the file mean here */
};

/*
 * The next tile, to be released. What comes out is in range: tiles go forward in time, ids are
 * within their limits and increase, states, shares and lives fit each other. LO_CORRUPT otherwise;
 * LO_END when there is no more.
 */
enum lo_result tile_decoder_next(
		struct tile_decoder *decoder, struct tile *tile, struct lo_error *err);

#endif
