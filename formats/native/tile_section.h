#ifndef LOITER_NATIVE_TILE_SECTION_H
#define LOITER_NATIVE_TILE_SECTION_H

#include "formats/native/reader_parts.h"
#include "formats/native/tile.h"

/* What a section of tiles is decoded to: tiles of one level, one behind the other in time. */
struct tile_section {
	struct tile *tiles;
	uint32_t count;
	uint32_t level;
};

extern const struct section_decoder tile_section_decoder;

#endif
