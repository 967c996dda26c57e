#include "formats/base/content_hash.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

/* Few system calls, and still in the processor's cache when it is hashed. */
#define PIECE_BYTES (256u << 10)

struct content_hash {
	XXH3_state_t *state;
	uint8_t piece[PIECE_BYTES];
};

struct content_hash *content_hash_new(void)
{
	struct content_hash *hash = malloc(sizeof(*hash));

	if (!hash)
		return NULL;
	hash->state = XXH3_createState();
	if (!hash->state) {
		free(hash);
		return NULL;
	}
	XXH3_128bits_reset(hash->state);
	return hash;
}

void content_hash_free(struct content_hash *hash)
{
	if (hash)
		XXH3_freeState(hash->state);
	free(hash);
}

void content_hash_add(struct content_hash *hash, const void *bytes, size_t size)
{
	XXH3_128bits_update(hash->state, bytes, size);
}

enum lo_result content_hash_add_source(
		struct content_hash *hash, struct byte_source *source, struct lo_error *err)
{
	uint64_t offset = 0;
	size_t got = PIECE_BYTES;

	while (got == PIECE_BYTES) {
		enum lo_result result = byte_source_read(
				source, offset, hash->piece, PIECE_BYTES, &got, err);

		if (result != LO_OK)
			return result;
		content_hash_add(hash, hash->piece, got);
		offset += got;
	}
	return LO_OK;
}

void content_hash_text(const struct content_hash *hash, char text[CONTENT_HASH_TEXT_MAX])
{
	XXH128_hash_t digest = XXH3_128bits_digest(hash->state);

	snprintf(text, CONTENT_HASH_TEXT_MAX, "%016llx%016llx", (unsigned long long)digest.high64,
			(unsigned long long)digest.low64);
}
