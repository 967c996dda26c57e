#ifndef LOITER_NATIVE_SECTION_CACHE_H
#define LOITER_NATIVE_SECTION_CACHE_H

#include <pthread.h>
#include <stdint.h>

#include "formats/base/error.h"

/*
 * Decoded sections, blocks and others alike, under one budget of bytes; the least recently used go
 * first. What somebody holds stays, so the budget may be exceeded by what is in use. All functions
 * lock.
 */
struct section_cache_entry {
	void *object;
	void (*free_object)(void *object);
	uint64_t bytes;
	uint32_t section; /* position in the list of sections */
	uint32_t holders;
	struct section_cache_entry *newer; /* neighbours in order of use */
	struct section_cache_entry *older;
};

struct section_cache {
	pthread_mutex_t lock;
	struct section_cache_entry **by_section;
	struct section_cache_entry *newest;
	struct section_cache_entry *oldest;
	uint64_t bytes;
	uint64_t budget;
};

enum lo_result section_cache_init(struct section_cache *cache, uint32_t sections, uint64_t budget,
		struct lo_error *err);
/* Nobody may hold anything any more. Accepts a zeroed cache. */
void section_cache_release(struct section_cache *cache);

/* Takes hold of what is there of a section; NULL when nothing is. */
const void *section_cache_get(struct section_cache *cache, uint32_t section);

/*
 * Adds what a section was decoded to, `bytes` in memory, and takes hold of it. The cache becomes
 * the owner of `object`, even on failure. When another thread was faster, what that one made is
 * returned.
 */
enum lo_result section_cache_put(struct section_cache *cache, uint32_t section, void *object,
		uint64_t bytes, void (*free_object)(void *object), const void **out,
		struct lo_error *err);

void section_cache_unhold(struct section_cache *cache, uint32_t section);

#endif
