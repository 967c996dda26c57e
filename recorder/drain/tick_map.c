#include "recorder/drain/tick_map.h"

__extension__ typedef unsigned __int128 uint128;

static struct tick_anchor *anchor_at(struct tick_map *map, uint32_t i)
{
	return &map->anchors[(map->first + i) % TICK_MAP_ANCHORS];
}

/* Rounded down, so that the end of a piece never lies behind the begin of the next. */
static void set_slope(struct tick_map *map)
{
	const struct tick_anchor *from = anchor_at(map, 0);
	const struct tick_anchor *to = anchor_at(map, 1);

	if (map->count < 2)
		return;
	map->slope = (uint64_t)(((uint128)(to->ns - from->ns) << 32) / (to->ticks - from->ticks));
}

void tick_map_init(struct tick_map *map, struct tick_anchor start)
{
	*map = (struct tick_map){ .count = 1 };
	map->anchors[0] = start;
}

bool tick_map_add(struct tick_map *map, struct tick_anchor anchor)
{
	struct tick_anchor last = tick_map_last(map);

	if (anchor.ticks <= last.ticks || anchor.ns <= last.ns)
		return false;
	if (map->count == TICK_MAP_ANCHORS)
		map->count--;
	*anchor_at(map, map->count++) = anchor;
	if (map->count == 2)
		set_slope(map);
	return true;
}

uint64_t tick_map_ns(struct tick_map *map, uint64_t ticks)
{
	const struct tick_anchor *from;

	while (map->count > 1 && ticks >= anchor_at(map, 1)->ticks) {
		map->first = (map->first + 1) % TICK_MAP_ANCHORS;
		map->count--;
		set_slope(map);
	}
	from = anchor_at(map, 0);
	if (ticks <= from->ticks || map->count == 1)
		return from->ns;
	return from->ns + (uint64_t)(((uint128)(ticks - from->ticks) * map->slope) >> 32);
}

uint64_t tick_map_peek_ns(const struct tick_map *map, uint64_t ticks)
{
	struct tick_map copy = *map;

	return tick_map_ns(&copy, ticks);
}

struct tick_anchor tick_map_last(const struct tick_map *map)
{
	return map->anchors[(map->first + map->count - 1) % TICK_MAP_ANCHORS];
}
