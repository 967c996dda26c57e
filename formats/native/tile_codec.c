#include "formats/native/tile_codec.h"

#include <stdlib.h>
#include <string.h>

/*
 * What is of one kind stands together, all ids, then all states, and so on: that packs better than
 * row by row. The order is that of docs/format.md.
 */

/* Births and deaths count in 1/256 of a bin, or in ns where bins are that short. */
#define LIFE_BITS 8u

static unsigned life_shift(const struct tile_grid *grid)
{
	return grid->shift > LIFE_BITS ? grid->shift - LIFE_BITS : 0;
}

/* ---- out ---- */

static void put_signed(struct byte_buffer *out, uint64_t value, uint64_t *before)
{
	byte_buffer_put_varint(out, zigzag_fold(value - *before));
	*before = value;
}

static void put_counts(struct byte_buffer *out, const struct tile *tile)
{
	uint64_t before = 0;

	for (uint32_t i = 0; i < tile->grid.bins; i++)
		byte_buffer_put_varint(out, tile->bins[i].events);
	for (uint32_t i = 0; i < tile->grid.bins; i++)
		byte_buffer_put_varint(out, tile->bins[i].created);
	for (uint32_t i = 0; i < tile->grid.bins; i++)
		put_signed(out, tile->bins[i].alive, &before);
	before = 0;
	for (uint32_t i = 0; i < tile->grid.bins; i++)
		put_signed(out, tile->bins[i].blocked, &before);
}

static void put_lives(struct byte_buffer *out, const struct tile *tile)
{
	unsigned shift = life_shift(&tile->grid);
	uint64_t begin = tile->grid.begin_ns;

	for (uint32_t i = 0; i < tile->row_count; i++)
		byte_buffer_put_byte(out, (uint8_t)(tile->rows[i].start | tile->rows[i].end << 2));
	for (uint32_t i = 0; i < tile->row_count; i++)
		if (tile->rows[i].start == TILE_ABSENT)
			byte_buffer_put_varint(out, (tile->rows[i].birth_ns - begin) >> shift);
	for (uint32_t i = 0; i < tile->row_count; i++)
		if (tile->rows[i].end == TILE_ABSENT)
			byte_buffer_put_varint(
					out, ((tile->rows[i].death_ns - begin) >> shift) + 1);
	for (uint32_t i = 0; i < tile->row_count; i++)
		if (tile->rows[i].start == TILE_BLOCKED)
			byte_buffer_put_byte(out, tile->rows[i].start_reason);
	for (uint32_t i = 0; i < tile->row_count; i++)
		if (tile->rows[i].end == TILE_BLOCKED)
			byte_buffer_put_byte(out, tile->rows[i].end_reason);
}

/* Whether the reason of a cell must be told; `last` is the one that stands otherwise. */
static bool changes_reason(const struct tile_cell *cell, uint8_t *last)
{
	if (cell->share == 0 || cell->reason == *last)
		return false;
	*last = cell->reason;
	return true;
}

static void put_cells(struct byte_buffer *out, const struct tile *tile)
{
	for (uint32_t i = 0; i < tile->row_count; i++) {
		uint8_t last = tile->rows[i].start_reason;

		for (uint32_t k = 0; k < tile->grid.bins; k++) {
			const struct tile_cell *cell = &tile->rows[i].cells[k];
			unsigned byte = cell->share | (unsigned)cell->changes << 4;

			if (changes_reason(cell, &last))
				byte |= TILE_CELL_REASON;
			byte_buffer_put_byte(out, (uint8_t)byte);
		}
	}
	for (uint32_t i = 0; i < tile->row_count; i++) {
		uint8_t last = tile->rows[i].start_reason;

		for (uint32_t k = 0; k < tile->grid.bins; k++)
			if (changes_reason(&tile->rows[i].cells[k], &last))
				byte_buffer_put_byte(out, last);
	}
}

static void put_rows(struct byte_buffer *out, const struct tile *tile)
{
	uint32_t before = 0;

	byte_buffer_put_varint(out, tile->row_count);
	for (uint32_t i = 0; i < tile->row_count; i++) {
		byte_buffer_put_varint(out, tile->rows[i].task - before);
		before = tile->rows[i].task;
	}
	put_lives(out, tile);
	for (uint32_t i = 0; i < tile->row_count; i++)
		byte_buffer_put_varint(out, tile->rows[i].changes);
	put_cells(out, tile);
}

/* A number of groups, and whether these are not all. */
static void put_group_count(struct byte_buffer *out, uint32_t count, bool left_out)
{
	byte_buffer_put_varint(out, (uint64_t)count << 1 | left_out);
}

static void put_sites(struct byte_buffer *out, const struct tile *tile)
{
	uint64_t before = 0;

	put_group_count(out, tile->site_count, tile->sites_left_out);
	for (uint32_t i = 0; i < tile->site_count; i++)
		put_signed(out, tile->sites[i].stack, &before);
	for (uint32_t i = 0; i < tile->site_count; i++)
		for (uint32_t k = 0; k < tile->grid.bins; k++)
			byte_buffer_put_varint(out, tile->sites[i].created[k]);
	for (uint32_t i = 0; i < tile->site_count; i++)
		byte_buffer_put(out, tile->sites[i].alive, tile->grid.bins);
	for (uint32_t i = 0; i < tile->site_count; i++)
		byte_buffer_put(out, tile->sites[i].share, tile->grid.bins);
}

static void put_places(struct byte_buffer *out, const struct tile *tile)
{
	uint64_t before = 0;

	put_group_count(out, tile->place_count, tile->places_left_out);
	for (uint32_t i = 0; i < tile->place_count; i++)
		put_signed(out, tile->places[i].stack, &before);
	for (uint32_t i = 0; i < tile->place_count; i++)
		byte_buffer_put_byte(out, tile->places[i].reason);
	for (uint32_t i = 0; i < tile->place_count; i++)
		byte_buffer_put(out, tile->places[i].waiting, tile->grid.bins);
}

void tile_encoder_put(struct tile_encoder *encoder, const struct tile *tile)
{
	struct byte_buffer *out = &encoder->bytes;

	byte_buffer_put_varint(out, tile->grid.begin_ns - encoder->last_end_ns);
	byte_buffer_put_varint(out, tile->grid.end_ns - tile->grid.begin_ns);
	byte_buffer_put_varint(out, tile->task_min);
	byte_buffer_put_varint(out, tile->task_max);
	byte_buffer_put(out, tile->touched, sizeof(tile->touched));
	put_counts(out, tile);
	put_rows(out, tile);
	put_sites(out, tile);
	put_places(out, tile);
	encoder->last_end_ns = tile->grid.end_ns;
	encoder->tiles++;
}

void tile_encoder_clear(struct tile_encoder *encoder)
{
	byte_buffer_clear(&encoder->bytes);
	encoder->last_end_ns = 0;
	encoder->tiles = 0;
}

void tile_encoder_release(struct tile_encoder *encoder)
{
	byte_buffer_release(&encoder->bytes);
	*encoder = (struct tile_encoder){ 0 };
}

/* ---- in ---- */

static uint64_t take_at_most(struct byte_cursor *in, uint64_t limit)
{
	uint64_t value = byte_cursor_varint(in);

	if (value <= limit)
		return value;
	byte_cursor_fail(in);
	return 0;
}

static uint32_t take_signed(struct byte_cursor *in, uint64_t *before)
{
	*before += zigzag_unfold(byte_cursor_varint(in));
	if (*before <= UINT32_MAX)
		return (uint32_t)*before;
	byte_cursor_fail(in);
	return 0;
}

static void take_bytes(struct byte_cursor *in, void *out, size_t size)
{
	const uint8_t *bytes = byte_cursor_bytes(in, size);

	if (bytes)
		memcpy(out, bytes, size);
}

static void take_grid(struct tile_decoder *decoder, struct tile *tile)
{
	struct byte_cursor *in = &decoder->cursor;
	uint64_t begin_ns = decoder->last_end_ns;
	uint64_t end_ns;

	begin_ns += take_at_most(in, UINT64_MAX - begin_ns);
	end_ns = begin_ns + take_at_most(in, UINT64_MAX - begin_ns);
	tile->grid = tile_grid_over(begin_ns, end_ns);
	decoder->last_end_ns = end_ns;
	tile->task_min = (uint32_t)take_at_most(in, LIMIT_TASKS);
	tile->task_max = (uint32_t)take_at_most(in, LIMIT_TASKS);
	take_bytes(in, tile->touched, sizeof(tile->touched));
}

static void take_counts(struct byte_cursor *in, struct tile *tile)
{
	uint64_t before = 0;

	/* So that sums over all tiles fit. */
	for (uint32_t i = 0; i < tile->grid.bins; i++)
		tile->bins[i].events = take_at_most(in, (uint64_t)1 << 48);
	for (uint32_t i = 0; i < tile->grid.bins; i++)
		tile->bins[i].created = take_at_most(in, LIMIT_TASKS);
	for (uint32_t i = 0; i < tile->grid.bins; i++)
		tile->bins[i].alive = take_signed(in, &before);
	before = 0;
	for (uint32_t i = 0; i < tile->grid.bins; i++)
		tile->bins[i].blocked = take_signed(in, &before);
}

/*
 * Room for the announced items, each of which takes at least `least` bytes of those that are left.
 * NULL: none, or the cursor failed, or *memory did.
 */
static void *take_items(struct byte_cursor *in, uint64_t count, uint64_t limit, size_t least,
		size_t size, bool *no_memory)
{
	void *items;

	if (count > limit || count > byte_cursor_left(in) / least)
		byte_cursor_fail(in);
	if (in->failed || count == 0)
		return NULL;
	items = calloc((size_t)count, size);
	*no_memory = *no_memory || !items;
	return items;
}

static void take_ids(struct byte_cursor *in, struct tile *tile)
{
	uint64_t before = 0;

	for (uint32_t i = 0; i < tile->row_count; i++) {
		uint64_t more = take_at_most(in, LIMIT_TASKS);

		before += more;
		if (more == 0 || before > LIMIT_TASKS)
			byte_cursor_fail(in);
		tile->rows[i].task = (uint32_t)before;
	}
}

static uint64_t take_life(struct byte_cursor *in, const struct tile_grid *grid)
{
	uint64_t most = (uint64_t)(TILE_BINS + 1) << LIFE_BITS;
	uint64_t after_ns = take_at_most(in, most) << life_shift(grid);
	uint64_t length_ns = grid->end_ns - grid->begin_ns;

	return grid->begin_ns + (after_ns < length_ns ? after_ns : length_ns);
}

static void take_states(struct byte_cursor *in, struct tile *tile)
{
	for (uint32_t i = 0; i < tile->row_count; i++) {
		uint8_t states = byte_cursor_byte(in);

		tile->rows[i].start = states & 3;
		tile->rows[i].end = states >> 2;
		if (tile->rows[i].start >= TILE_STATE_COUNT ||
				tile->rows[i].end >= TILE_STATE_COUNT)
			byte_cursor_fail(in);
	}
}

static void take_lives(struct tile_decoder *decoder, struct tile *tile)
{
	struct byte_cursor *in = &decoder->cursor;

	take_states(in, tile);
	for (uint32_t i = 0; i < tile->row_count; i++)
		tile->rows[i].birth_ns = tile->rows[i].start == TILE_ABSENT
							 ? take_life(in, &tile->grid)
							 : tile->grid.begin_ns;
	for (uint32_t i = 0; i < tile->row_count; i++)
		tile->rows[i].death_ns = tile->rows[i].end == TILE_ABSENT
							 ? take_life(in, &tile->grid)
							 : tile->grid.end_ns;
	for (uint32_t i = 0; i < tile->row_count; i++)
		if (tile->rows[i].birth_ns > tile->rows[i].death_ns)
			byte_cursor_fail(in);
	for (uint32_t i = 0; i < tile->row_count; i++)
		if (tile->rows[i].start == TILE_BLOCKED)
			tile->rows[i].start_reason = byte_cursor_byte(in);
	for (uint32_t i = 0; i < tile->row_count; i++)
		if (tile->rows[i].end == TILE_BLOCKED)
			tile->rows[i].end_reason = byte_cursor_byte(in);
}

/* The bytes of the cells and the list of reasons behind them, side by side. */
static void take_cells(struct tile_decoder *decoder, struct tile *tile)
{
	struct byte_cursor *in = &decoder->cursor;
	const uint8_t *bytes = byte_cursor_bytes(in, (uint64_t)tile->row_count * tile->grid.bins);

	for (uint32_t i = 0; bytes && i < tile->row_count; i++) {
		struct tile_row *row = &tile->rows[i];
		uint8_t reason = row->start_reason;

		for (uint32_t k = 0; k < tile->grid.bins; k++) {
			uint8_t byte = *bytes++;

			if (byte & TILE_CELL_REASON)
				reason = byte_cursor_byte(in);
			row->cells[k] = (struct tile_cell){
				.share = byte & TILE_CELL_SHARE,
				.changes = (uint8_t)((byte & TILE_CELL_CHANGES) >> 4),
				.reason = byte & TILE_CELL_SHARE ? decoder->reasons[reason] : 0,
			};
		}
		row->start_reason = decoder->reasons[row->start_reason];
		row->end_reason = decoder->reasons[row->end_reason];
	}
}

static void take_rows(struct tile_decoder *decoder, struct tile *tile, bool *no_memory)
{
	struct byte_cursor *in = &decoder->cursor;
	uint64_t count = byte_cursor_varint(in);

	/* An id, states, changes and a cell. */
	tile->rows = take_items(in, count, LIMIT_TILE_ROWS, 3u + tile->grid.bins,
			sizeof(*tile->rows), no_memory);
	if (!tile->rows)
		return;
	tile->row_count = (uint32_t)count;
	take_ids(in, tile);
	take_lives(decoder, tile);
	for (uint32_t i = 0; i < tile->row_count; i++)
		tile->rows[i].changes = (uint32_t)take_at_most(in, UINT32_MAX);
	take_cells(decoder, tile);
}

static uint32_t take_stack(struct byte_cursor *in, uint64_t *before, bool first)
{
	uint64_t last = *before;
	uint32_t stack = take_signed(in, before);

	if ((!first && stack <= last) || stack > LIMIT_STACKS)
		byte_cursor_fail(in);
	return stack;
}

static void take_sites(struct byte_cursor *in, struct tile *tile, bool *no_memory)
{
	uint64_t count = byte_cursor_varint(in);
	uint64_t before = 0;

	tile->sites_left_out = count & 1;
	tile->sites = take_items(in, count >> 1, LIMIT_TILE_GROUPS, 1u + 3u * tile->grid.bins,
			sizeof(*tile->sites), no_memory);
	if (!tile->sites)
		return;
	tile->site_count = (uint32_t)(count >> 1);
	for (uint32_t i = 0; i < tile->site_count; i++)
		tile->sites[i].stack = take_stack(in, &before, i == 0);
	for (uint32_t i = 0; i < tile->site_count; i++)
		for (uint32_t k = 0; k < tile->grid.bins; k++)
			tile->sites[i].created[k] = (uint32_t)take_at_most(in, LIMIT_TASKS);
	for (uint32_t i = 0; i < tile->site_count; i++)
		take_bytes(in, tile->sites[i].alive, tile->grid.bins);
	for (uint32_t i = 0; i < tile->site_count; i++) {
		take_bytes(in, tile->sites[i].share, tile->grid.bins);
		for (uint32_t k = 0; k < tile->grid.bins; k++)
			tile->sites[i].share[k] &= TILE_CELL_SHARE;
	}
}

static void take_places(struct tile_decoder *decoder, struct tile *tile, bool *no_memory)
{
	struct byte_cursor *in = &decoder->cursor;
	uint64_t count = byte_cursor_varint(in);
	uint64_t before = 0;

	tile->places_left_out = count & 1;
	tile->places = take_items(in, count >> 1, LIMIT_TILE_GROUPS, 2u + tile->grid.bins,
			sizeof(*tile->places), no_memory);
	if (!tile->places)
		return;
	tile->place_count = (uint32_t)(count >> 1);
	for (uint32_t i = 0; i < tile->place_count; i++)
		tile->places[i].stack = take_stack(in, &before, i == 0);
	for (uint32_t i = 0; i < tile->place_count; i++)
		tile->places[i].reason = decoder->reasons[byte_cursor_byte(in)];
	for (uint32_t i = 0; i < tile->place_count; i++)
		take_bytes(in, tile->places[i].waiting, tile->grid.bins);
}

enum lo_result tile_decoder_next(
		struct tile_decoder *decoder, struct tile *tile, struct lo_error *err)
{
	bool no_memory = false;

	*tile = (struct tile){ 0 };
	if (byte_cursor_left(&decoder->cursor) == 0)
		return LO_END;
	take_grid(decoder, tile);
	take_counts(&decoder->cursor, tile);
	take_rows(decoder, tile, &no_memory);
	if (!no_memory)
		take_sites(&decoder->cursor, tile, &no_memory);
	if (!no_memory)
		take_places(decoder, tile, &no_memory);
	if (!no_memory && !decoder->cursor.failed)
		return LO_OK;
	tile_release(tile);
	return no_memory ? lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a tile")
			 : lo_fail(err, LO_CORRUPT, LO_NO_OFFSET, "a tile makes no sense");
}
