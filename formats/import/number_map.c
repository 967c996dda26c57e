#include "formats/import/number_map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_SLOTS 64u
#define MOST_SLOTS  (1u << 28)
#define SPARSE      32u /* slots per number from which on a map is rather made anew */

void number_map_release(struct number_map *map)
{
	free(map->slots);
	*map = (struct number_map){ 0 };
}

void number_map_clear(struct number_map *map)
{
	uint64_t key = map->key;

	/* A map that was large once must not make every later clearing dear. */
	if (map->used < map->mask / SPARSE) {
		number_map_release(map);
		map->key = key;
	} else if (map->slots) {
		memset(map->slots, 0, ((size_t)map->mask + 1) * sizeof(*map->slots));
	}
	map->used = 0;
}

/* The slot of `number`, or the free one where it belongs. */
static struct number_slot *find_slot(const struct number_map *map, uint64_t number)
{
	uint32_t at = number_map_home(map, number);

	while (map->slots[at].value != 0 && map->slots[at].number != number)
		at = (at + 1) & map->mask;
	return &map->slots[at];
}

static enum lo_result grow(struct number_map *map, struct lo_error *err)
{
	uint32_t old_slots = map->slots ? map->mask + 1 : 0;
	uint32_t slots = old_slots ? old_slots * 2 : FIRST_SLOTS;
	struct number_map larger = { .key = map->key, .mask = slots - 1, .used = map->used };

	if (old_slots >= MOST_SLOTS)
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET, "too many numbered things");
	larger.slots = calloc(slots, sizeof(*larger.slots));
	if (!larger.slots)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u numbers", slots);
	if (map->key == 0 && getrandom(&larger.key, sizeof(larger.key), 0) < 0)
		larger.key = (uint64_t)(uintptr_t)larger.slots; /* better than a constant */
	for (uint32_t i = 0; i < old_slots; i++)
		if (map->slots[i].value != 0)
			*find_slot(&larger, map->slots[i].number) = map->slots[i];
	free(map->slots);
	*map = larger;
	return LO_OK;
}

enum lo_result number_map_put(
		struct number_map *map, uint64_t number, uint32_t value, struct lo_error *err)
{
	struct number_slot *slot;

	if (!map->slots || map->used > map->mask / 2) {
		enum lo_result result = grow(map, err);

		if (result != LO_OK)
			return result;
	}
	slot = find_slot(map, number);
	if (slot->value == 0)
		map->used++;
	*slot = (struct number_slot){ number, value };
	return LO_OK;
}

/* Closes the gap by moving back what would no longer be found behind it. */
void number_map_remove(struct number_map *map, uint64_t number)
{
	struct number_slot *slot;
	uint32_t gap;

	if (map->used == 0)
		return;
	slot = find_slot(map, number);
	if (slot->value == 0)
		return;
	gap = (uint32_t)(slot - map->slots);
	for (uint32_t at = (gap + 1) & map->mask; map->slots[at].value != 0;
			at = (at + 1) & map->mask) {
		uint32_t home = number_map_home(map, map->slots[at].number);

		if (((at - home) & map->mask) >= ((at - gap) & map->mask)) {
			map->slots[gap] = map->slots[at];
			gap = at;
		}
	}
	map->slots[gap].value = 0;
	map->used--;
}
