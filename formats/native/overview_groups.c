#include <stdlib.h>

#include "formats/base/id_index.h"
#include "formats/native/overview_parts.h"

/*
 * Groups and the busiest tasks. Both come from tiles, however coarse; where there are none, from
 * the events of a few blocks, as far as events alone tell.
 */

/* ---- sums by id ---- */

struct weight {
	uint32_t id;
	uint8_t reason;
	double sum;
};

struct weights {
	struct weight *items;
	uint32_t count;
	uint32_t capacity;
	struct id_index index;
};

static void weights_release(struct weights *weights)
{
	free(weights->items);
	id_index_release(&weights->index);
}

/* NULL without memory. */
static struct weight *weight_of(struct weights *weights, uint32_t id)
{
	uint32_t hash = id_hash(id, 0);
	uint32_t probe;

	for (uint32_t at = id_index_first(&weights->index, hash, &probe); at != 0;
			at = id_index_next(&weights->index, hash, &probe))
		if (weights->items[at - 1].id == id)
			return &weights->items[at - 1];
	if (weights->count == weights->capacity) {
		uint32_t capacity = weights->capacity ? weights->capacity * 2 : 256;
		struct weight *items = realloc(weights->items, capacity * sizeof(*items));

		if (!items)
			return NULL;
		weights->items = items;
		weights->capacity = capacity;
	}
	if (id_index_add(&weights->index, hash, weights->count + 1, NULL) != LO_OK)
		return NULL;
	weights->items[weights->count] = (struct weight){ .id = id };
	return &weights->items[weights->count++];
}

static int heaviest_first(const void *a, const void *b)
{
	const struct weight *left = a;
	const struct weight *right = b;

	if (left->sum != right->sum)
		return left->sum < right->sum ? 1 : -1;
	return (left->id > right->id) - (left->id < right->id);
}

static enum lo_result no_memory(struct lo_error *err)
{
	return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for an overview");
}

/* The part of a tile, or of one of its bins, that is in a span. */
static double part_in(struct time_span whole, struct time_span span)
{
	uint64_t length_ns = time_span_length(whole);

	return length_ns ? (double)overview_overlap(whole, span) / (double)length_ns : 0;
}

static struct time_span bin_span(const struct tile *tile, uint32_t bin)
{
	return (struct time_span){ tile_bin_begin(&tile->grid, bin),
		tile_bin_end(&tile->grid, bin) };
}

/* ---- busiest tasks ---- */

static bool add_rows(struct weights *weights, const struct tile *tile, struct time_span span)
{
	double part = part_in((struct time_span){ tile->grid.begin_ns, tile->grid.end_ns }, span);

	for (uint32_t i = 0; i < tile->row_count; i++) {
		struct weight *weight = weight_of(weights, tile->rows[i].task);

		if (!weight)
			return false;
		weight->sum += part * tile->rows[i].changes;
	}
	return true;
}

static enum lo_result add_events(struct weights *weights, struct trace_reader *reader,
		const struct tile_part *part, struct lo_error *err)
{
	const struct cached_block *block = NULL;
	enum lo_result result = trace_block_acquire(reader, part->block, &block, err);

	if (result == LO_CORRUPT)
		return LO_OK;
	for (uint32_t i = 0; result == LO_OK && i < block->count; i++) {
		struct weight *weight;

		if (block->events[i].time_ns < part->span.begin_ns ||
				block->events[i].time_ns > part->span.end_ns)
			continue;
		weight = weight_of(weights, block->events[i].task);
		if (weight)
			weight->sum++;
		else
			result = no_memory(err);
	}
	trace_block_release(reader, block);
	return result;
}

/* Columns of which a view of tiles is thought when no columns are asked for. */
#define COLUMNS_OF_A_SPAN 64u

enum lo_result trace_overview_top(struct trace_overview *overview, struct time_span span,
		struct overview_task *tasks, uint32_t limit, uint32_t *count, struct lo_error *err)
{
	struct tile_plan plan;
	struct weights weights = { 0 };
	enum lo_result result = tile_plan_make(&plan, &overview->tiles, span, COLUMNS_OF_A_SPAN,
			OVERVIEW_EVENTS, true, err);

	for (uint32_t i = 0; i < plan.count && result == LO_OK; i++) {
		const struct tile_part *part = &plan.parts[i];

		if (part->kind == TILE_PART_BLOCK)
			result = add_events(&weights, overview->reader, part, err);
		else if (part->tile && !add_rows(&weights, part->tile, part->span))
			result = no_memory(err);
	}
	qsort(weights.items, weights.count, sizeof(*weights.items), heaviest_first);
	*count = weights.count < limit ? weights.count : limit;
	for (uint32_t i = 0; i < *count; i++)
		tasks[i] = (struct overview_task){ weights.items[i].id, weights.items[i].sum };
	weights_release(&weights);
	tile_plan_release(&plan);
	return result;
}

/* ---- groups ---- */

/* A site or a place of a tile, by position. */
struct group {
	uint32_t stack;
	uint8_t reason;
	const struct tile_site *site;
	const struct tile_place *place;
};

static uint32_t group_count(const struct tile *tile, enum overview_grouping grouping)
{
	return grouping == OVERVIEW_BY_SITE ? tile->site_count : tile->place_count;
}

static struct group group_at(const struct tile *tile, enum overview_grouping grouping, uint32_t i)
{
	if (grouping == OVERVIEW_BY_SITE)
		return (struct group){ tile->sites[i].stack, 0, &tile->sites[i], NULL };
	return (struct group){ tile->places[i].stack, tile->places[i].reason, NULL,
		&tile->places[i] };
}

static double alive_in(const struct group *group, uint32_t bin)
{
	return tile_amount_value(
			group->site ? group->site->alive[bin] : group->place->waiting[bin]);
}

static double blocked_in(const struct group *group, uint32_t bin)
{
	double alive = alive_in(group, bin);

	return group->site ? alive * tile_share_28(group->site->share[bin]) / 28 : alive;
}

static bool weigh_groups(struct weights *weights, const struct tile *tile,
		enum overview_grouping grouping, struct time_span span)
{
	for (uint32_t i = 0; i < group_count(tile, grouping); i++) {
		struct group group = group_at(tile, grouping, i);
		struct weight *weight = weight_of(weights, group.stack);

		if (!weight)
			return false;
		weight->reason = group.reason;
		for (uint32_t k = 0; k < tile->grid.bins; k++)
			weight->sum += alive_in(&group, k) *
				       (double)overview_overlap(bin_span(tile, k), span);
	}
	return true;
}

enum lo_result trace_overview_groups(struct trace_overview *overview,
		enum overview_grouping grouping, struct time_span span,
		struct overview_group *groups, uint32_t limit, uint32_t *count,
		struct lo_error *err)
{
	struct tile_plan plan;
	struct weights weights = { 0 };
	double length_ns = (double)time_span_length(span);
	enum lo_result result = tile_plan_make(
			&plan, &overview->tiles, span, COLUMNS_OF_A_SPAN, 0, true, err);

	for (uint32_t i = 0; i < plan.count && result == LO_OK; i++)
		if (plan.parts[i].tile && !weigh_groups(&weights, plan.parts[i].tile, grouping,
							  plan.parts[i].span))
			result = no_memory(err);
	qsort(weights.items, weights.count, sizeof(*weights.items), heaviest_first);
	*count = weights.count < limit ? weights.count : limit;
	for (uint32_t i = 0; i < *count; i++)
		groups[i] = (struct overview_group){ weights.items[i].id, weights.items[i].reason,
			weights.items[i].sum / length_ns };
	weights_release(&weights);
	tile_plan_release(&plan);
	return result;
}

static bool find_group(const struct tile *tile, enum overview_grouping grouping, uint32_t stack,
		struct group *found)
{
	uint32_t low = 0;
	uint32_t high = group_count(tile, grouping);

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (group_at(tile, grouping, middle).stack < stack)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == group_count(tile, grouping))
		return false;
	*found = group_at(tile, grouping, low);
	return found->stack == stack;
}

static void add_group_bin(const struct overview_view *view, const struct group *group, uint32_t bin,
		struct time_span whole, struct time_span clip, struct overview_group_cell *cells)
{
	struct time_span span = { whole.begin_ns > clip.begin_ns ? whole.begin_ns : clip.begin_ns,
		whole.end_ns < clip.end_ns ? whole.end_ns : clip.end_ns };

	if (span.begin_ns >= span.end_ns)
		return;
	for (uint32_t i = overview_column_at(view, span.begin_ns);
			i < view->columns && view->edges[i] < span.end_ns; i++) {
		struct time_span column = overview_column_span(view, i);
		double share = (double)overview_overlap(column, span) /
			       (double)time_span_length(column);

		cells[i].alive += (float)(share * alive_in(group, bin));
		cells[i].blocked += (float)(share * blocked_in(group, bin));
		if (group->site)
			cells[i].created += (float)(part_in(whole, column) *
						    group->site->created[bin]);
	}
}

static void add_group(const struct overview_view *view, const struct tile_part *part,
		enum overview_grouping grouping, uint32_t stack, struct overview_group_cell *cells)
{
	const struct tile *tile = part->tile;
	struct group group = { 0 };
	bool left_out = !tile || (grouping == OVERVIEW_BY_SITE ? tile->sites_left_out
							       : tile->places_left_out);

	if (tile && find_group(tile, grouping, stack, &group)) {
		for (uint32_t k = 0; k < tile->grid.bins; k++)
			add_group_bin(view, &group, k, bin_span(tile, k), part->span, cells);
		return;
	}
	for (uint32_t i = overview_column_at(view, part->span.begin_ns);
			left_out && i < view->columns && view->edges[i] < part->span.end_ns; i++)
		cells[i].pending = true;
}

enum lo_result trace_overview_group_rows(struct trace_overview *overview,
		enum overview_grouping grouping, const uint32_t *stacks, uint32_t rows,
		struct time_span span, uint32_t columns, struct overview_group_cell *cells,
		struct lo_error *err)
{
	struct overview_view view;
	struct tile_plan plan = { 0 };
	enum lo_result result = overview_view_init(&view, span, columns, err);

	if (result == LO_OK)
		result = tile_plan_make(&plan, &overview->tiles, span, columns, 0, true, err);
	for (size_t i = 0; i < (size_t)rows * columns; i++)
		cells[i] = (struct overview_group_cell){ 0 };
	for (uint32_t i = 0; i < plan.count && result == LO_OK; i++)
		for (uint32_t row = 0; row < rows; row++)
			add_group(&view, &plan.parts[i], grouping, stacks[row],
					cells + (size_t)row * columns);
	tile_plan_release(&plan);
	overview_view_release(&view);
	return result;
}
