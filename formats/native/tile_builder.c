#include "formats/native/section_builder.h"

#include <stdlib.h>
#include <string.h>

#include "formats/native/tile_codec.h"
#include "formats/native/tile_pass.h"
#include "formats/native/tile_sums.h"

/*
 * The overviews of a trace, made while it is written. Each sealed block is added up, and the sums
 * go into the open tile of level 0; what is full is stored, and its sums go into the open tile of
 * the level above. So there is one open tile for each level, whatever the length of the trace.
 *
 * A tile of level 0 is a block, or as many small ones as make it worth while: a program at rest
 * writes a block of a handful of events each second.
 */
#define TILE_EVENTS 16384u
#define TILE_BLOCKS 64u

/* At the end of a trace less than this gets no tile: to read the events is as quick. */
#define TILE_EVENTS_LEAST 2048u
#define TILE_BLOCKS_LEAST 16u

/* A section is written when it has so many tiles, which have one parent, or so many bytes. */
#define SECTION_RAW_BYTES (48u << 10)

/* Rows that are added up above level 0, and of those of a block that no level asks for. */
#define UPPER_ROWS 512u
#define FRESH_ROWS 384u

/* Part of the bytes of all events that the tiles of a level may take, in 1/1024: 3.4% in all. The
 * lower levels have more tiles, so that a row costs more there. */
static const uint32_t level_share[] = { 24, 7, 2, 1 };

/* No more is saved up than what so many tiles may take. */
#define CREDIT_TILES 4

struct tile_level {
	struct tile_sums sums;
	uint32_t made;               /* tiles */
	struct tile_encoder encoder; /* of the section that is not written yet */
	uint64_t begin_ns;           /* of that section */
	double credit;               /* bytes of the file that it may take */
	double charged;              /* of the bytes in `encoder`, by estimate */
};

struct tile_builder {
	struct tile_level levels[LIMIT_TILE_LEVELS];
	struct tile_sums block;
	struct tile_pass pass;
	struct id_index wanted; /* tasks with a row in an open tile */
	struct row_sums **order;
	double packed_share; /* packed bytes of a raw byte, by experience */
};

static enum lo_result make(void **out, struct lo_error *err)
{
	struct tile_builder *builder = calloc(1, sizeof(*builder));

	*out = builder;
	if (!builder)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for overviews");
	builder->packed_share = 0.5;
	builder->order = malloc(TILE_SUMS_ROWS * sizeof(*builder->order));
	return builder->order ? LO_OK
			      : lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for overviews");
}

static void drop(void *context)
{
	struct tile_builder *builder = context;

	if (!builder)
		return;
	for (unsigned level = 0; level < LIMIT_TILE_LEVELS; level++) {
		tile_sums_release(&builder->levels[level].sums);
		tile_encoder_release(&builder->levels[level].encoder);
	}
	tile_sums_release(&builder->block);
	tile_pass_release(&builder->pass);
	id_index_release(&builder->wanted);
	free(builder->order);
	free(builder);
}

/* ---- from sums to tiles ---- */

static uint64_t alive_in_bin(const struct row_sums *row, const struct tile_grid *grid, uint32_t bin)
{
	uint64_t begin_ns = tile_bin_begin(grid, bin);
	uint64_t end_ns = tile_bin_end(grid, bin);

	if (row->born && begin_ns < row->birth_ns)
		begin_ns = row->birth_ns;
	if (row->died && end_ns > row->death_ns)
		end_ns = row->death_ns;
	return end_ns > begin_ns ? end_ns - begin_ns : 0;
}

static void fill_row(struct tile_row *out, const struct row_sums *row, const struct tile_grid *grid)
{
	*out = (struct tile_row){
		.task = row->task,
		.changes = row->changes,
		.birth_ns = row->birth_ns,
		.death_ns = row->death_ns,
		.start = row->start,
		.end = row->end,
		.start_reason = row->start_reason,
		.end_reason = row->end_reason,
	};
	for (uint32_t i = 0; i < grid->bins; i++) {
		uint8_t share = tile_share_code(
				row->bins[i].blocked_ns, alive_in_bin(row, grid, i));

		out->cells[i] = (struct tile_cell){
			.share = share,
			.changes = row->bins[i].changes,
			.reason = share ? row->bins[i].reason : 0,
		};
	}
}

static void fill_site(
		struct tile_site *out, const struct site_sums *site, const struct tile_grid *grid)
{
	*out = (struct tile_site){ .stack = site->stack };
	for (uint32_t i = 0; i < grid->bins; i++) {
		uint64_t width_ns = tile_bin_end(grid, i) - tile_bin_begin(grid, i);

		out->created[i] = site->created[i];
		out->alive[i] = tile_amount(site->alive_ns[i], width_ns);
		out->share[i] = tile_share_code(site->blocked_ns[i], site->alive_ns[i]);
	}
}

static void fill_place(struct tile_place *out, const struct place_sums *place,
		const struct tile_grid *grid)
{
	*out = (struct tile_place){ .stack = place->stack, .reason = place->reason };
	for (uint32_t i = 0; i < grid->bins; i++)
		out->waiting[i] = tile_amount(place->waiting_ns[i],
				tile_bin_end(grid, i) - tile_bin_begin(grid, i));
}

/* ---- what is worth its bytes ---- */

static int by_weight(const void *a, const void *b)
{
	const uint64_t *left = a;
	const uint64_t *right = b;

	return (*left < *right) - (*left > *right);
}

static int by_number(const void *a, const void *b)
{
	return by_weight(b, a);
}

/*
 * Keeps the `room` heaviest of `count` groups: their positions come out in `order`, whose upper
 * halves are the weights and lower halves the positions. Then by `id`.
 */
static uint32_t choose_groups(uint64_t *order, uint32_t count, uint32_t room,
		uint32_t (*id)(const struct tile_sums *sums, uint32_t i),
		const struct tile_sums *sums)
{
	uint32_t kept = count < room ? count : room;

	if (kept < count)
		qsort(order, count, sizeof(*order), by_weight);
	for (uint32_t i = 0; i < kept; i++) {
		uint32_t position = (uint32_t)order[i];

		order[i] = (uint64_t)id(sums, position) << 32 | position;
	}
	qsort(order, kept, sizeof(*order), by_number);
	return kept;
}

static uint32_t site_id(const struct tile_sums *sums, uint32_t i)
{
	return sums->sites[i].stack;
}

static uint32_t place_id(const struct tile_sums *sums, uint32_t i)
{
	return sums->places[i].stack;
}

/* Task seconds as a weight of 32 bits; what can be told apart stays in order. */
static uint64_t weight_of(const uint64_t *sums, const struct tile_grid *grid)
{
	uint64_t length_ns = grid->end_ns - grid->begin_ns;
	double total = 0;

	for (uint32_t i = 0; i < grid->bins; i++)
		total += (double)sums[i];
	total = length_ns ? total / (double)length_ns * 256 : 0;
	return total < UINT32_MAX ? (uint64_t)total << 32 : (uint64_t)UINT32_MAX << 32;
}

static enum lo_result add_sites(struct tile *tile, const struct tile_sums *sums, uint32_t room,
		struct lo_error *err)
{
	uint64_t order[TILE_SUMS_GROUPS];

	for (uint32_t i = 0; i < sums->site_count; i++) {
		uint64_t created = 0;

		for (uint32_t k = 0; k < sums->grid.bins; k++)
			created += sums->sites[i].created[k];
		order[i] = (weight_of(sums->sites[i].alive_ns, &sums->grid) +
					   (created < UINT16_MAX ? created << 32 : 0)) |
			   i;
	}
	tile->site_count = choose_groups(order, sums->site_count, room, site_id, sums);
	tile->sites_left_out = sums->sites_left_out || tile->site_count < sums->site_count;
	tile->sites = malloc(tile->site_count * sizeof(*tile->sites) + 1);
	if (!tile->sites)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for an overview");
	for (uint32_t i = 0; i < tile->site_count; i++)
		fill_site(&tile->sites[i], &sums->sites[(uint32_t)order[i]], &sums->grid);
	return LO_OK;
}

static enum lo_result add_places(struct tile *tile, const struct tile_sums *sums, uint32_t room,
		struct lo_error *err)
{
	uint64_t order[TILE_SUMS_GROUPS];

	for (uint32_t i = 0; i < sums->place_count; i++)
		order[i] = weight_of(sums->places[i].waiting_ns, &sums->grid) | i;
	tile->place_count = choose_groups(order, sums->place_count, room, place_id, sums);
	tile->places_left_out = sums->places_left_out || tile->place_count < sums->place_count;
	tile->places = malloc(tile->place_count * sizeof(*tile->places) + 1);
	if (!tile->places)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for an overview");
	for (uint32_t i = 0; i < tile->place_count; i++)
		fill_place(&tile->places[i], &sums->places[(uint32_t)order[i]], &sums->grid);
	return LO_OK;
}

static int by_changes(const void *a, const void *b)
{
	const struct row_sums *left = *(struct row_sums *const *)a;
	const struct row_sums *right = *(struct row_sums *const *)b;

	if (left->changes != right->changes)
		return left->changes < right->changes ? 1 : -1;
	return (left->task > right->task) - (left->task < right->task);
}

static int by_task(const void *a, const void *b)
{
	const struct tile_row *left = a;
	const struct tile_row *right = b;

	return (left->task > right->task) - (left->task < right->task);
}

/* A short life within the tile only counts in its group: see is_lasting() in tile_pass.c. */
static bool is_lasting(const struct row_sums *row, const struct tile_grid *grid)
{
	return !row->born || !row->died ||
	       tile_grid_bin(grid, row->death_ns) - tile_grid_bin(grid, row->birth_ns) >=
			       TILE_LIFE_BINS;
}

static enum lo_result add_rows(struct tile_builder *builder, struct tile *tile,
		struct tile_sums *sums, uint32_t room, struct lo_error *err)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < sums->row_count; i++)
		if (!sums->rows[i].broken && sums->rows[i].changes > 0 &&
				is_lasting(&sums->rows[i], &sums->grid))
			builder->order[count++] = &sums->rows[i];
	if (count > room) {
		qsort(builder->order, count, sizeof(struct row_sums *), by_changes);
		count = room;
	}
	tile->rows = malloc(count * sizeof(*tile->rows) + 1);
	if (!tile->rows)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for an overview");
	tile->row_count = count;
	for (uint32_t i = 0; i < count; i++)
		fill_row(&tile->rows[i], builder->order[i], &sums->grid);
	qsort(tile->rows, count, sizeof(*tile->rows), by_task);
	return LO_OK;
}

static uint32_t fit(double bytes, double each)
{
	return bytes < each                     ? 0
	       : bytes / each < LIMIT_TILE_ROWS ? (uint32_t)(bytes / each)
						: LIMIT_TILE_ROWS;
}

/* Counts always; groups up to a quarter of what may be spent; then rows. */
static enum lo_result fill_tile(struct tile_builder *builder, struct tile_level *level,
		struct tile *tile, struct lo_error *err)
{
	struct tile_sums *sums = &level->sums;
	double bins = sums->grid.bins;
	double bytes = level->credit / builder->packed_share - sizeof(tile->touched) / 4.0 -
		       4 * bins;
	enum lo_result result;

	*tile = sums->counts;
	tile->grid = sums->grid;
	result = add_sites(tile, sums, fit(bytes / 8, 3 * bins + 2), err);
	if (result == LO_OK)
		result = add_places(tile, sums, fit(bytes / 8, bins + 3), err);
	bytes -= tile->site_count * (3 * bins + 2) + tile->place_count * (bins + 3);
	if (result == LO_OK)
		result = add_rows(builder, tile, sums, fit(bytes, bins * 1.2 + 7), err);
	return result;
}

/* ---- levels ---- */

static enum lo_result write_level(struct tile_builder *builder, unsigned number,
		struct section_output *output, struct lo_error *err)
{
	struct tile_level *level = &builder->levels[number];
	struct section_draft draft = { .type = SECTION_TILES,
		.rows = level->encoder.tiles,
		.range = { level->begin_ns, level->encoder.last_end_ns, number, number },
		.raw = level->encoder.bytes.bytes,
		.raw_bytes = level->encoder.bytes.size };
	uint64_t bytes = 0;
	enum lo_result result;

	if (level->encoder.tiles == 0)
		return LO_OK;
	result = byte_buffer_check(&level->encoder.bytes, err);
	if (result == LO_OK)
		result = section_output_put(output, &draft, &bytes, err);
	if (result != LO_OK)
		return result;
	level->credit += level->charged - (double)bytes;
	level->charged = 0;
	builder->packed_share += ((double)bytes / (double)draft.raw_bytes - builder->packed_share) /
				 4;
	tile_encoder_clear(&level->encoder);
	return LO_OK;
}

static void charge(struct tile_builder *builder, struct tile_level *level, size_t raw_before)
{
	double bytes = (double)(level->encoder.bytes.size - raw_before) * builder->packed_share;

	level->charged += bytes;
	level->credit -= bytes;
}

static void give_credit(struct tile_level *level, unsigned number)
{
	unsigned last = sizeof(level_share) / sizeof(*level_share) - 1;
	double bytes = (double)level->sums.event_bytes *
		       level_share[number < last ? number : last] / 1024;

	level->credit += bytes;
	if (level->credit > bytes * CREDIT_TILES)
		level->credit = bytes * CREDIT_TILES;
}

static enum lo_result store_tile(struct tile_builder *builder, unsigned number,
		struct section_output *output, struct lo_error *err)
{
	struct tile_level *level = &builder->levels[number];
	size_t raw_before = level->encoder.bytes.size;
	struct tile tile;
	enum lo_result result;

	give_credit(level, number);
	if (level->encoder.tiles == 0)
		level->begin_ns = level->sums.grid.begin_ns;
	result = fill_tile(builder, level, &tile, err);
	if (result == LO_OK) {
		tile_encoder_put(&level->encoder, &tile);
		charge(builder, level, raw_before);
		level->made++;
	}
	tile_release(&tile);
	if (result == LO_OK && (level->encoder.tiles == TILE_FAN ||
					       level->encoder.bytes.size >= SECTION_RAW_BYTES))
		result = write_level(builder, number, output, err);
	return result;
}

static enum lo_result append(struct tile_sums *sums, const struct tile_sums *next,
		const struct live_tasks *tasks, uint32_t limit, struct lo_error *err)
{
	tile_sums_append(sums, next, tasks, limit);
	return sums->failed ? lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for an overview")
			    : LO_OK;
}

/* Stores the open tile of a level, and those above that become full with it. */
static enum lo_result close_tile(struct tile_builder *builder, unsigned number,
		const struct live_tasks *tasks, struct section_output *output, struct lo_error *err)
{
	enum lo_result result = LO_OK;
	bool full = true;

	for (; full && result == LO_OK; number++) {
		struct tile_sums *sums = &builder->levels[number].sums;

		result = store_tile(builder, number, output, err);
		full = false;
		if (number + 1 < LIMIT_TILE_LEVELS) {
			struct tile_sums *above = &builder->levels[number + 1].sums;

			if (result == LO_OK)
				result = append(above, sums, tasks, UPPER_ROWS, err);
			full = above->children == TILE_FAN;
		}
		tile_sums_clear(sums);
	}
	return result;
}

/* ---- blocks ---- */

/* A set of ids; what is in it twice does no harm. */
static enum lo_result list_wanted(struct tile_builder *builder, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	id_index_clear(&builder->wanted);
	for (unsigned level = 0; level < LIMIT_TILE_LEVELS; level++) {
		const struct tile_sums *sums = &builder->levels[level].sums;

		for (uint32_t i = 0; i < sums->row_count && result == LO_OK; i++) {
			uint32_t task = sums->rows[i].task;

			if (!sums->rows[i].broken && !tile_pass_wants(&builder->wanted, task))
				result = id_index_add(
						&builder->wanted, id_hash(task, 0), task, err);
		}
	}
	return result;
}

static bool is_enough(const struct tile_sums *sums, uint32_t events, uint32_t blocks)
{
	return sums->open && (sums->events >= events || sums->blocks >= blocks);
}

static enum lo_result sealed(void *context, const struct sealed_block *block,
		struct section_output *output, struct lo_error *err)
{
	struct tile_builder *builder = context;
	struct tile_sums *sums = &builder->levels[0].sums;
	enum lo_result result = list_wanted(builder, err);

	if (result == LO_OK)
		result = tile_pass_run(&builder->pass, block, &builder->wanted, FRESH_ROWS,
				&builder->block, err);
	if (result != LO_OK)
		return result;
	if (sums->open) {
		result = append(sums, &builder->block, block->tasks, TILE_SUMS_ROWS, err);
	} else {
		struct tile_sums empty = *sums;

		*sums = builder->block;
		builder->block = empty;
	}
	tile_sums_clear(&builder->block);
	if (result != LO_OK || !is_enough(sums, TILE_EVENTS, TILE_BLOCKS))
		return result;
	return close_tile(builder, 0, block->tasks, output, err);
}

/* The root of all is the one tile of the highest level: a copy of it above would tell nothing. */
static bool is_copy(const struct tile_level *level)
{
	return level->made == 0 && level->sums.children <= 1;
}

static enum lo_result finish(void *context, const struct live_tasks *tasks, uint64_t end_ns,
		struct section_output *output, struct lo_error *err)
{
	struct tile_builder *builder = context;
	enum lo_result result = LO_OK;

	(void)end_ns;
	if (!is_enough(&builder->levels[0].sums, TILE_EVENTS_LEAST, TILE_BLOCKS_LEAST))
		tile_sums_clear(&builder->levels[0].sums);
	for (unsigned level = 0; level < LIMIT_TILE_LEVELS && result == LO_OK; level++)
		if (builder->levels[level].sums.open &&
				(level == 0 || !is_copy(&builder->levels[level])))
			result = close_tile(builder, level, tasks, output, err);
	for (unsigned level = 0; level < LIMIT_TILE_LEVELS && result == LO_OK; level++)
		result = write_level(builder, level, output, err);
	return result;
}

const struct section_builder_kind tile_builder_kind = {
	.name = "tiles",
	.make = make,
	.sealed = sealed,
	.finish = finish,
	.drop = drop,
};
