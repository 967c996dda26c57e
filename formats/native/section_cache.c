#include "formats/native/section_cache.h"

#include <stdlib.h>

enum lo_result section_cache_init(struct section_cache *cache, uint32_t sections, uint64_t budget,
		struct lo_error *err)
{
	*cache = (struct section_cache){ .budget = budget };
	cache->by_section = calloc(sections ? sections : 1, sizeof(struct section_cache_entry *));
	if (!cache->by_section)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u sections",
				sections);
	pthread_mutex_init(&cache->lock, NULL);
	return LO_OK;
}

static void unlink_entry(struct section_cache *cache, struct section_cache_entry *entry)
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

static void link_newest(struct section_cache *cache, struct section_cache_entry *entry)
{
	entry->newer = NULL;
	entry->older = cache->newest;
	if (cache->newest)
		cache->newest->newer = entry;
	else
		cache->oldest = entry;
	cache->newest = entry;
}

static void free_entry(struct section_cache_entry *entry)
{
	entry->free_object(entry->object);
	free(entry);
}

/* Drops what nobody holds, oldest first, until the rest is within the budget. */
static void shrink(struct section_cache *cache)
{
	struct section_cache_entry *entry = cache->oldest;

	while (entry && cache->bytes > cache->budget) {
		struct section_cache_entry *newer = entry->newer;

		if (entry->holders == 0) {
			unlink_entry(cache, entry);
			cache->by_section[entry->section] = NULL;
			cache->bytes -= entry->bytes;
			free_entry(entry);
		}
		entry = newer;
	}
}

void section_cache_release(struct section_cache *cache)
{
	if (!cache->by_section)
		return;
	while (cache->newest) {
		struct section_cache_entry *entry = cache->newest;

		cache->newest = entry->older;
		free_entry(entry);
	}
	free(cache->by_section);
	pthread_mutex_destroy(&cache->lock);
}

static const void *hold(struct section_cache *cache, struct section_cache_entry *entry)
{
	entry->holders++;
	unlink_entry(cache, entry);
	link_newest(cache, entry);
	return entry->object;
}

const void *section_cache_get(struct section_cache *cache, uint32_t section)
{
	const void *object = NULL;

	pthread_mutex_lock(&cache->lock);
	if (cache->by_section[section])
		object = hold(cache, cache->by_section[section]);
	pthread_mutex_unlock(&cache->lock);
	return object;
}

enum lo_result section_cache_put(struct section_cache *cache, uint32_t section, void *object,
		uint64_t bytes, void (*free_object)(void *object), const void **out,
		struct lo_error *err)
{
	struct section_cache_entry *entry = calloc(1, sizeof(*entry));

	if (!entry) {
		free_object(object);
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a section");
	}
	*entry = (struct section_cache_entry){ .object = object,
		.free_object = free_object,
		.bytes = bytes + sizeof(*entry),
		.section = section };
	pthread_mutex_lock(&cache->lock);
	if (cache->by_section[section]) {
		free_entry(entry);
		entry = cache->by_section[section];
	} else {
		cache->by_section[section] = entry;
		cache->bytes += entry->bytes;
		link_newest(cache, entry);
	}
	*out = hold(cache, entry);
	shrink(cache);
	pthread_mutex_unlock(&cache->lock);
	return LO_OK;
}

void section_cache_unhold(struct section_cache *cache, uint32_t section)
{
	pthread_mutex_lock(&cache->lock);
	cache->by_section[section]->holders--;
	shrink(cache);
	pthread_mutex_unlock(&cache->lock);
}
