#include "formats/native/tile_list.h"

#include <stdlib.h>

/* ---- all tiles ---- */

static const struct section_entry *entry_of(const struct tile_list *list, uint32_t section)
{
	return &trace_reader_sections(list->reader)->entries[section];
}

/* What claims to be about the time of another section is left out: a writer writes none. */
static void add_section(struct tile_list *list, uint32_t section)
{
	const struct section_entry *entry = entry_of(list, section);
	struct tile_level_list *level;

	if (entry->low != entry->high || entry->low >= LIMIT_TILE_LEVELS)
		return;
	level = &list->levels[entry->low];
	if (level->count > 0 &&
			entry_of(list, level->sections[level->count - 1])->end_ns > entry->begin_ns)
		return;
	level->sections[level->count++] = section;
}

enum lo_result tile_list_init(
		struct tile_list *list, struct trace_reader *reader, struct lo_error *err)
{
	uint32_t count;
	const uint32_t *sections = section_list_of(
			trace_reader_sections(reader), SECTION_TILES, &count);

	*list = (struct tile_list){ .reader = reader };
	for (unsigned level = 0; level < LIMIT_TILE_LEVELS; level++) {
		uint32_t here = 0;

		for (uint32_t i = 0; i < count; i++)
			here += entry_of(list, sections[i])->low == level;
		list->levels[level].sections = malloc(here * sizeof(*sections) + 1);
		if (!list->levels[level].sections)
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tiles",
					count);
	}
	for (uint32_t i = 0; i < count; i++)
		add_section(list, sections[i]);
	return LO_OK;
}

void tile_list_release(struct tile_list *list)
{
	for (unsigned level = 0; level < LIMIT_TILE_LEVELS; level++)
		free(list->levels[level].sections);
	*list = (struct tile_list){ 0 };
}

uint32_t tile_list_find(const struct tile_list *list, unsigned level, uint64_t time_ns)
{
	const struct tile_level_list *sections = &list->levels[level];
	uint32_t low = 0;
	uint32_t high = sections->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (entry_of(list, sections->sections[middle])->end_ns <= time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- one view ---- */

static enum lo_result add_part(struct tile_plan *plan, struct time_span span,
		enum tile_part_kind kind, const struct tile *tile, struct lo_error *err)
{
	if (span.begin_ns >= span.end_ns && kind != TILE_PART_BLOCK)
		return LO_OK;
	if (plan->count == plan->capacity) {
		uint32_t capacity = plan->capacity ? plan->capacity * 2 : 64;
		struct tile_part *parts = realloc(plan->parts, capacity * sizeof(*parts));

		if (!parts)
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET,
					"no memory to look at so much");
		plan->parts = parts;
		plan->capacity = capacity;
	}
	plan->parts[plan->count++] = (struct tile_part){ .span = span, .kind = kind, .tile = tile };
	return LO_OK;
}

static enum lo_result hold(struct tile_plan *plan, uint32_t section, struct lo_error *err)
{
	if (plan->held_count == plan->held_capacity) {
		uint32_t capacity = plan->held_capacity ? plan->held_capacity * 2 : 64;
		uint32_t *held = realloc(plan->held, capacity * sizeof(*held));

		if (!held)
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET,
					"no memory to look at so much");
		plan->held = held;
		plan->held_capacity = capacity;
	}
	plan->held[plan->held_count++] = section;
	return LO_OK;
}

/* Takes hold of a section until the plan is released; NULL and LO_OK when it is damaged. */
static enum lo_result take_section(struct tile_plan *plan, uint32_t section,
		const struct tile_section **out, struct lo_error *err)
{
	const void *object = NULL;
	enum lo_result result = hold(plan, section, err);

	*out = NULL;
	if (result != LO_OK)
		return result;
	result = trace_section_acquire(
			plan->list->reader, section, &tile_section_decoder, &object, err);
	if (result == LO_OK)
		*out = object;
	else
		plan->held_count--;
	return result == LO_CORRUPT ? LO_OK : result;
}

static const struct section_entry *block_at(const struct tile_plan *plan, uint32_t number)
{
	const struct section_list *sections = trace_reader_sections(plan->list->reader);
	uint32_t count;

	return &sections->entries[section_list_of(sections, SECTION_BLOCK, &count)[number]];
}

/* What it costs to read the blocks of a span; `end` is the number of the first one behind it. */
static uint64_t cost_of(const struct tile_plan *plan, struct time_span span, uint32_t *end)
{
	uint32_t count = trace_block_count(plan->list->reader);
	uint32_t number = trace_block_at(plan->list->reader, span.begin_ns);
	uint64_t cost = 0;

	while (number < count && cost <= plan->events_left &&
			block_at(plan, number)->begin_ns < span.end_ns)
		cost += block_at(plan, number++)->rows + TILE_BLOCK_COST;
	*end = number;
	return cost;
}

/* A block ends where the next begins, and events there can be in both. */
static bool is_before(const struct tile_plan *plan, const struct section_entry *block,
		struct time_span span)
{
	return block->end_ns == span.begin_ns && block->begin_ns < span.begin_ns &&
	       span.begin_ns > plan->view.begin_ns;
}

/* Blocks one behind the other, gaps where one is not even listed, and what is behind the last. */
static enum lo_result add_blocks(struct tile_plan *plan, struct time_span span, uint32_t end,
		const struct tile *coarse, struct lo_error *err)
{
	enum tile_part_kind else_kind = coarse ? TILE_PART_TILE : TILE_PART_UNKNOWN;
	uint32_t count = trace_block_count(plan->list->reader);
	uint64_t at_ns = span.begin_ns;
	enum lo_result result = LO_OK;

	for (uint32_t i = trace_block_at(plan->list->reader, at_ns); i < end && result == LO_OK;
			i++) {
		const struct section_entry *block = block_at(plan, i);
		struct time_span there = { at_ns,
			block->end_ns < span.end_ns ? block->end_ns : span.end_ns };

		if (is_before(plan, block, span))
			continue;
		if (block->begin_ns > at_ns) {
			result = add_part(plan, (struct time_span){ at_ns, block->begin_ns },
					else_kind, coarse, err);
			there.begin_ns = block->begin_ns;
		}
		if (result == LO_OK)
			result = add_part(plan, there, TILE_PART_BLOCK, coarse, err);
		if (result == LO_OK)
			plan->parts[plan->count - 1].block = i;
		at_ns = there.end_ns;
	}
	return result == LO_OK ? add_part(plan, (struct time_span){ at_ns, span.end_ns },
						 end == count ? TILE_PART_QUIET : else_kind, coarse,
						 err)
			       : result;
}

/* Time for which there is no tile that is fine enough. */
static enum lo_result add_events(struct tile_plan *plan, struct time_span span,
		const struct tile *coarse, struct lo_error *err)
{
	uint32_t end;
	uint64_t cost = cost_of(plan, span, &end);

	if (cost > plan->events_left || (coarse && plan->prefer_tiles))
		return add_part(plan, span, coarse ? TILE_PART_TILE : TILE_PART_UNKNOWN, coarse,
				err);
	plan->events_left -= cost;
	return add_blocks(plan, span, end, coarse, err);
}

static bool is_fine(const struct tile_plan *plan, const struct tile *tile)
{
	return (uint64_t)1 << tile->grid.shift <= plan->bin_most_ns;
}

static enum lo_result cover(struct tile_plan *plan, unsigned levels, struct time_span span,
		const struct tile *coarse, struct lo_error *err);

/* One tile, from where the parts have come to; moves that on. */
static enum lo_result cover_tile(struct tile_plan *plan, unsigned level, struct time_span *rest,
		const struct tile *tile, const struct tile *coarse, struct lo_error *err)
{
	struct time_span span = *rest;
	enum lo_result result;

	if (tile->grid.end_ns <= rest->begin_ns || tile->grid.begin_ns >= rest->end_ns)
		return LO_OK;
	if (span.begin_ns < tile->grid.begin_ns) {
		span.end_ns = tile->grid.begin_ns;
		result = cover(plan, level, span, coarse, err);
		if (result != LO_OK)
			return result;
		span.begin_ns = tile->grid.begin_ns;
	}
	span.end_ns = rest->end_ns < tile->grid.end_ns ? rest->end_ns : tile->grid.end_ns;
	rest->begin_ns = span.end_ns;
	if (is_fine(plan, tile))
		return add_part(plan, span, TILE_PART_TILE, tile, err);
	return cover(plan, level, span, tile, err);
}

/* With the tiles below level `levels`. */
static enum lo_result cover(struct tile_plan *plan, unsigned levels, struct time_span span,
		const struct tile *coarse, struct lo_error *err)
{
	const struct tile_list *list = plan->list;
	unsigned level = levels - 1;
	enum lo_result result = LO_OK;

	if (span.begin_ns >= span.end_ns)
		return LO_OK;
	if (levels == 0)
		return add_events(plan, span, coarse, err);
	for (uint32_t i = tile_list_find(list, level, span.begin_ns);
			i < list->levels[level].count && result == LO_OK; i++) {
		const struct tile_section *section;

		if (entry_of(list, list->levels[level].sections[i])->begin_ns >= span.end_ns)
			break;
		result = take_section(plan, list->levels[level].sections[i], &section, err);
		for (uint32_t k = 0; section && k < section->count && result == LO_OK; k++)
			result = cover_tile(plan, level, &span, &section->tiles[k], coarse, err);
	}
	return result == LO_OK ? cover(plan, level, span, coarse, err) : result;
}

enum lo_result tile_plan_make(struct tile_plan *plan, const struct tile_list *list,
		struct time_span view, uint32_t columns, uint64_t events_most, bool prefer_tiles,
		struct lo_error *err)
{
	uint32_t end;

	*plan = (struct tile_plan){ .list = list,
		.view = view,
		.bin_most_ns = time_span_length(view) / columns / TILE_PLAN_BINS,
		.events_left = events_most,
		.prefer_tiles = prefer_tiles };
	if (!prefer_tiles && cost_of(plan, view, &end) <= events_most)
		return add_events(plan, view, NULL, err);
	return cover(plan, LIMIT_TILE_LEVELS, view, NULL, err);
}

void tile_plan_release(struct tile_plan *plan)
{
	for (uint32_t i = 0; i < plan->held_count; i++)
		trace_section_release(plan->list->reader, plan->held[i]);
	free(plan->held);
	free(plan->parts);
	*plan = (struct tile_plan){ 0 };
}
