#ifndef LOITER_BASE_ID_INDEX_H
#define LOITER_BASE_ID_INDEX_H

#include <stdint.h>

#include "formats/base/error.h"

/*
 * From a hash to the ids that were stored under it: the half of a hash table that every interning
 * table needs. What the ids stand for, and when two things are equal, is known to the caller.
 * Ids are not 0. Zeroed is empty.
 *
 *	for (id = id_index_first(index, hash, &probe); id; id = id_index_next(index, hash, &probe))
 *		if (equal(things[id], thing))
 *			return id;
 */
struct id_index {
	struct id_slot *slots; /* open addressing, linear probing, at most three quarters full */
	uint32_t mask;         /* number of slots - 1 */
	uint32_t used;
};

struct id_slot {
	uint32_t hash;
	uint32_t id; /* 0 = free */
};

void id_index_release(struct id_index *index);
/* Forgets all ids, keeps the memory. */
void id_index_clear(struct id_index *index);

enum lo_result id_index_add(
		struct id_index *index, uint32_t hash, uint32_t id, struct lo_error *err);

static inline uint32_t id_index_next(const struct id_index *index, uint32_t hash, uint32_t *probe)
{
	for (;;) {
		const struct id_slot *slot = &index->slots[*probe];

		*probe = (*probe + 1) & index->mask;
		if (slot->id == 0 || slot->hash == hash)
			return slot->id;
	}
}

static inline uint32_t id_index_first(const struct id_index *index, uint32_t hash, uint32_t *probe)
{
	if (index->used == 0)
		return 0;
	*probe = hash & index->mask;
	return id_index_next(index, hash, probe);
}

/* A well mixed hash of two numbers. */
static inline uint32_t id_hash(uint64_t a, uint64_t b)
{
	uint64_t mixed = (a ^ b >> 32 ^ b << 32) * 0x9e3779b97f4a7c15u;

	mixed = (mixed ^ mixed >> 29 ^ b) * 0xbf58476d1ce4e5b9u;
	return (uint32_t)(mixed >> 32 ^ mixed);
}

#endif
