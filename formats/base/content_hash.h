#ifndef LOITER_BASE_CONTENT_HASH_H
#define LOITER_BASE_CONTENT_HASH_H

#include <stddef.h>

#include "formats/base/byte_source.h"

/*
 * XXH3-128 over any number of pieces: names content so that two files that differ practically never
 * share a name unless somebody wants them to. No protection against whoever does.
 */
struct content_hash;

/* NULL when memory is short. */
struct content_hash *content_hash_new(void);
/* Accepts NULL. */
void content_hash_free(struct content_hash *hash);

void content_hash_add(struct content_hash *hash, const void *bytes, size_t size);
/* All bytes of `source`, which stays the caller's. */
enum lo_result content_hash_add_source(
		struct content_hash *hash, struct byte_source *source, struct lo_error *err);

/* 32 hexadecimal digits. */
#define CONTENT_HASH_TEXT_MAX 33
void content_hash_text(const struct content_hash *hash, char text[CONTENT_HASH_TEXT_MAX]);

#endif
