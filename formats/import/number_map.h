#ifndef LOITER_IMPORT_NUMBER_MAP_H
#define LOITER_IMPORT_NUMBER_MAP_H

#include <stdint.h>

#include "formats/base/error.h"

/*
 * From a foreign 64-bit number (a goroutine, a thread, a string of a file) to an index of ours.
 * The numbers come from files: the hash is keyed at random, so that no file can be made whose
 * numbers all collide. Zeroed is empty. Values are not 0.
 */
struct number_map {
	struct number_slot *slots; /* open addressing, linear probing, at most half full */
	uint64_t key;              /* of the hash */
	uint32_t mask;             /* number of slots - 1 */
	uint32_t used;
};

struct number_slot {
	uint64_t number;
	uint32_t value; /* 0 = free */
};

void number_map_release(struct number_map *map);
/* Forgets all, keeps the memory that was in use. Costs no more than what was put in. */
void number_map_clear(struct number_map *map);

/* Adds or replaces. */
enum lo_result number_map_put(
		struct number_map *map, uint64_t number, uint32_t value, struct lo_error *err);
void number_map_remove(struct number_map *map, uint64_t number);

static inline uint32_t number_map_home(const struct number_map *map, uint64_t number)
{
	uint64_t mixed = (number ^ map->key) * 0x9e3779b97f4a7c15u;

	mixed = (mixed ^ mixed >> 32) * (map->key | 1);
	return (uint32_t)(mixed >> 32) & map->mask;
}

/* 0 when the number is not there. */
static inline uint32_t number_map_get(const struct number_map *map, uint64_t number)
{
	uint32_t at;

	if (map->used == 0)
		return 0;
	at = number_map_home(map, number);
	while (map->slots[at].value != 0 && map->slots[at].number != number)
		at = (at + 1) & map->mask;
	return map->slots[at].value;
}

#endif
