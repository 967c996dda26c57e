#include "formats/native/tile.h"

#include <stdlib.h>

struct tile_grid tile_grid_over(uint64_t begin_ns, uint64_t end_ns)
{
	uint64_t last_ns = end_ns > begin_ns ? end_ns - 1 : begin_ns;
	struct tile_grid grid = { .begin_ns = begin_ns, .end_ns = end_ns };

	while ((last_ns >> grid.shift) - (begin_ns >> grid.shift) >= TILE_BINS)
		grid.shift++;
	grid.first = begin_ns >> grid.shift;
	grid.bins = (uint8_t)((last_ns >> grid.shift) - grid.first + 1);
	return grid;
}

void tile_release(struct tile *tile)
{
	free(tile->rows);
	free(tile->sites);
	free(tile->places);
	*tile = (struct tile){ 0 };
}

const struct tile_row *tile_find_row(const struct tile *tile, uint32_t task)
{
	uint32_t low = 0;
	uint32_t high = tile->row_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (tile->rows[middle].task < task)
			low = middle + 1;
		else
			high = middle;
	}
	return low < tile->row_count && tile->rows[low].task == task ? &tile->rows[low] : NULL;
}

uint8_t tile_share_code(uint64_t part, uint64_t whole)
{
	unsigned code;

	if (part == 0)
		return 0;
	if (part >= whole)
		return TILE_SHARE_ALL;
	code = 1 + (unsigned)((double)part / (double)whole * (TILE_SHARE_ALL - 1));
	return (uint8_t)(code < TILE_SHARE_ALL ? code : TILE_SHARE_ALL - 1);
}

uint8_t tile_amount(uint64_t task_ns, uint64_t width_ns)
{
	double amount = width_ns ? (double)task_ns / (double)width_ns * 1024 : 0;
	unsigned exponent = 0;
	unsigned digits;

	if (task_ns == 0 || width_ns == 0)
		return 0;
	while (amount >= 15.5 && exponent < 31) {
		amount /= 2;
		exponent++;
	}
	digits = (unsigned)(amount + 0.5);
	digits = digits < 8 ? 8 : digits > 15 ? 15 : digits;
	/* The code of 8/1024 is 0: so little rounds up to the next. */
	return (uint8_t)(exponent * 8 + digits - 8 > 0 ? exponent * 8 + digits - 8 : 1);
}
