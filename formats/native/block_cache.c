#include "formats/native/block_cache.h"

#include <stdlib.h>

enum lo_result block_cache_init(
		struct block_cache *cache, uint32_t numbers, uint64_t budget, struct lo_error *err)
{
	*cache = (struct block_cache){ .numbers = numbers, .budget = budget };
	cache->by_number = calloc(numbers ? numbers : 1, sizeof(struct block_cache_entry *));
	if (!cache->by_number)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u blocks", numbers);
	pthread_mutex_init(&cache->lock, NULL);
	return LO_OK;
}

static uint64_t entry_bytes(const struct block_cache_entry *entry)
{
	return sizeof(*entry) + entry->block.count * sizeof(struct event);
}

static void unlink_entry(struct block_cache *cache, struct block_cache_entry *entry)
{
	if (entry->newer)
		entry->newer->older = entry->older;
	else
		cache->newest = entry->older;
	if (entry->older)
		entry->older->newer = entry->newer;
	else
		cache->oldest = entry->newer;
}

static void link_newest(struct block_cache *cache, struct block_cache_entry *entry)
{
	entry->newer = NULL;
	entry->older = cache->newest;
	if (cache->newest)
		cache->newest->newer = entry;
	else
		cache->oldest = entry;
	cache->newest = entry;
}

static void free_entry(struct block_cache_entry *entry)
{
	free(entry->events);
	free(entry);
}

/* Drops what nobody holds, oldest first, until the rest is within the budget. */
static void shrink(struct block_cache *cache)
{
	struct block_cache_entry *entry = cache->oldest;

	while (entry && cache->bytes > cache->budget) {
		struct block_cache_entry *newer = entry->newer;

		if (entry->holders == 0) {
			unlink_entry(cache, entry);
			cache->by_number[entry->number] = NULL;
			cache->bytes -= entry_bytes(entry);
			free_entry(entry);
		}
		entry = newer;
	}
}

void block_cache_release(struct block_cache *cache)
{
	if (!cache->by_number)
		return;
	while (cache->newest) {
		struct block_cache_entry *entry = cache->newest;

		cache->newest = entry->older;
		free_entry(entry);
	}
	free(cache->by_number);
	pthread_mutex_destroy(&cache->lock);
}

static const struct cached_block *hold(struct block_cache *cache, struct block_cache_entry *entry)
{
	entry->holders++;
	unlink_entry(cache, entry);
	link_newest(cache, entry);
	return &entry->block;
}

const struct cached_block *block_cache_get(struct block_cache *cache, uint32_t number)
{
	const struct cached_block *block = NULL;

	pthread_mutex_lock(&cache->lock);
	if (cache->by_number[number])
		block = hold(cache, cache->by_number[number]);
	pthread_mutex_unlock(&cache->lock);
	return block;
}

enum lo_result block_cache_put(struct block_cache *cache, uint32_t number, struct event *events,
		uint32_t count, const struct cached_block **out, struct lo_error *err)
{
	struct block_cache_entry *entry = calloc(1, sizeof(*entry));

	if (!entry) {
		free(events);
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a block");
	}
	entry->block = (struct cached_block){ events, count };
	entry->events = events;
	entry->number = number;
	pthread_mutex_lock(&cache->lock);
	if (cache->by_number[number]) {
		free_entry(entry);
		entry = cache->by_number[number];
	} else {
		cache->by_number[number] = entry;
		cache->bytes += entry_bytes(entry);
		link_newest(cache, entry);
	}
	*out = hold(cache, entry);
	shrink(cache);
	pthread_mutex_unlock(&cache->lock);
	return LO_OK;
}

void block_cache_unhold(struct block_cache *cache, const struct cached_block *block)
{
	struct block_cache_entry *entry = (struct block_cache_entry *)(uintptr_t)block;

	pthread_mutex_lock(&cache->lock);
	entry->holders--;
	shrink(cache);
	pthread_mutex_unlock(&cache->lock);
}
