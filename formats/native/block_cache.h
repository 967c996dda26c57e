#ifndef LOITER_NATIVE_BLOCK_CACHE_H
#define LOITER_NATIVE_BLOCK_CACHE_H

#include <pthread.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/native/reader_parts.h"

/*
 * Decoded blocks under a budget of bytes; the least recently used go first. A block that somebody
 * holds stays, so the budget may be exceeded by what is in use. All functions lock.
 */
struct block_cache_entry {
	struct cached_block block; /* first: what callers hold */
	struct event *events;
	uint32_t number;
	uint32_t holders;
	struct block_cache_entry *newer; /* neighbours in order of use */
	struct block_cache_entry *older;
};

struct block_cache {
	pthread_mutex_t lock;
	struct block_cache_entry **by_number;
	uint32_t numbers;
	struct block_cache_entry *newest;
	struct block_cache_entry *oldest;
	uint64_t bytes;
	uint64_t budget;
};

enum lo_result block_cache_init(
		struct block_cache *cache, uint32_t numbers, uint64_t budget, struct lo_error *err);
/* Nobody may hold a block any more. Accepts a zeroed cache. */
void block_cache_release(struct block_cache *cache);

/* Takes hold of block `number`; NULL when it is not there. */
const struct cached_block *block_cache_get(struct block_cache *cache, uint32_t number);

/*
 * Adds a block and takes hold of it. The cache becomes the owner of `events`, even on failure. When
 * another thread was faster, its block is returned.
 */
enum lo_result block_cache_put(struct block_cache *cache, uint32_t number, struct event *events,
		uint32_t count, const struct cached_block **out, struct lo_error *err);

void block_cache_unhold(struct block_cache *cache, const struct cached_block *block);

#endif
