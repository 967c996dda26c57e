#include <stdlib.h>
#include <string.h>

#include "formats/native/tile_codec.h"
#include "tests/fuzz/fuzz.h"

/*
 * The bytes are the unpacked payload of a section of tiles. What is decoded must be in range, and
 * come out the same when it is encoded and decoded once more.
 */
static void require(int holds)
{
	if (!holds)
		abort();
}

static void check_grid(const struct tile_grid *grid)
{
	require(grid->bins >= 1 && grid->bins <= TILE_BINS);
	require(grid->begin_ns <= grid->end_ns);
	for (uint32_t i = 0; i < grid->bins; i++)
		require(tile_bin_begin(grid, i) <= tile_bin_end(grid, i));
	require(tile_bin_end(grid, grid->bins - 1u) == grid->end_ns);
}

static void check_row(const struct tile *tile, const struct tile_row *row)
{
	require(row->task >= 1 && row->task <= LIMIT_TASKS);
	require(row->start < TILE_STATE_COUNT && row->end < TILE_STATE_COUNT);
	require(row->birth_ns >= tile->grid.begin_ns && row->death_ns <= tile->grid.end_ns);
	require(row->birth_ns <= row->death_ns);
	require(tile_find_row(tile, row->task) == row);
	for (uint32_t i = 0; i < tile->grid.bins; i++) {
		require(row->cells[i].share <= TILE_SHARE_ALL);
		require(row->cells[i].changes <= TILE_CHANGES_MAX);
	}
}

static void check_tile(const struct tile *tile)
{
	check_grid(&tile->grid);
	require(tile->row_count <= LIMIT_TILE_ROWS);
	require(tile->site_count <= LIMIT_TILE_GROUPS && tile->place_count <= LIMIT_TILE_GROUPS);
	for (uint32_t i = 0; i < tile->row_count; i++)
		check_row(tile, &tile->rows[i]);
	for (uint32_t i = 0; i < tile->site_count; i++) {
		require(tile->sites[i].stack <= LIMIT_STACKS);
		require(i == 0 || tile->sites[i - 1].stack < tile->sites[i].stack);
		for (uint32_t k = 0; k < tile->grid.bins; k++)
			require(tile->sites[i].share[k] <= TILE_SHARE_ALL);
	}
	for (uint32_t i = 1; i < tile->place_count; i++)
		require(tile->places[i - 1].stack < tile->places[i].stack);
}

static struct tile_decoder decoder_over(const void *bytes, size_t size)
{
	static uint8_t reasons[256];

	for (unsigned i = 0; i < 256; i++)
		reasons[i] = (uint8_t)i;
	return (struct tile_decoder){ .cursor = byte_cursor_over(bytes, size), .reasons = reasons };
}

/* Lives are rounded outwards once; then they stay. */
static void check_again(const struct tile *tile)
{
	struct tile_encoder encoder = { 0 };
	struct tile_decoder decoder;
	struct tile again;

	tile_encoder_put(&encoder, tile);
	require(!encoder.bytes.failed);
	decoder = decoder_over(encoder.bytes.bytes, encoder.bytes.size);
	require(tile_decoder_next(&decoder, &again, NULL) == LO_OK);
	require(byte_cursor_left(&decoder.cursor) == 0);
	require(again.row_count == tile->row_count && again.site_count == tile->site_count &&
			again.place_count == tile->place_count);
	require(memcmp(again.bins, tile->bins, sizeof(tile->bins)) == 0);
	for (uint32_t i = 0; i < tile->row_count; i++) {
		require(again.rows[i].task == tile->rows[i].task);
		require(again.rows[i].start_reason == tile->rows[i].start_reason);
		require(memcmp(again.rows[i].cells, tile->rows[i].cells,
					sizeof(tile->rows[i].cells)) == 0);
	}
	if (tile->place_count > 0)
		require(memcmp(again.places, tile->places,
					tile->place_count * sizeof(*tile->places)) == 0);
	tile_release(&again);
	tile_encoder_release(&encoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct tile_decoder decoder;
	struct tile tile;

	if (size > LIMIT_TILES_RAW)
		return 0;
	decoder = decoder_over(bytes, size);
	for (unsigned i = 0; i < LIMIT_TILES && tile_decoder_next(&decoder, &tile, NULL) == LO_OK;
			i++) {
		check_tile(&tile);
		check_again(&tile);
		tile_release(&tile);
	}
	return 0;
}
