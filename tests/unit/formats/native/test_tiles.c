#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/byte_sink.h"
#include "formats/base/byte_source.h"
#include "formats/native/tile_codec.h"
#include "formats/native/tile_section.h"
#include "formats/native/trace_writer.h"
#include "tests/support/task_story.h"

/*
 * What stands in the tiles of a file, against what a simple model says that the tasks did.
 */
#define STORIES STORY_SHAPES

static struct trace_reader *write_and_open(const struct task_story *story, struct byte_buffer *file)
{
	struct byte_source *source;
	struct trace_reader *reader = NULL;
	struct lo_error err;

	task_story_write(story, file, true);
	assert_int_equal(byte_source_open_memory(&source, file->bytes, file->size, &err), LO_OK);
	assert_int_equal(trace_reader_open(&reader, source, NULL, &err), LO_OK);
	return reader;
}

/* Calls `check` with each tile. Returns how many there were. */
static uint32_t each_tile(struct trace_reader *reader, const struct task_story *story,
		void (*check)(const struct task_story *story, const struct tile *tile))
{
	uint32_t sections;
	const uint32_t *list = section_list_of(
			trace_reader_sections(reader), SECTION_TILES, &sections);
	uint32_t tiles = 0;

	for (uint32_t i = 0; i < sections; i++) {
		const void *object = NULL;
		const struct tile_section *section;
		struct lo_error err;

		assert_int_equal(trace_section_acquire(reader, list[i], &tile_section_decoder,
						 &object, &err),
				LO_OK);
		section = object;
		for (uint32_t k = 0; k < section->count; k++)
			check(story, &section->tiles[k]);
		tiles += section->count;
		trace_section_release(reader, list[i]);
	}
	return tiles;
}

static void each_story(void (*check)(const struct task_story *story, const struct tile *tile))
{
	for (uint32_t shape = 0; shape < STORIES; shape++) {
		struct byte_buffer file = { 0 };
		struct task_story story;
		struct trace_reader *reader;

		task_story_make(&story, shape, shape + 1);
		reader = write_and_open(&story, &file);
		assert_true(each_tile(reader, &story, check) > 0);
		trace_reader_close(reader);
		task_story_release(&story);
		byte_buffer_release(&file);
	}
}

/* The bin in which the model puts an event: the last bin takes what is at the end of the tile. */
static struct time_span bin_span(const struct tile *tile, uint32_t bin)
{
	return (struct time_span){ tile_bin_begin(&tile->grid, bin),
		tile_bin_end(&tile->grid, bin) };
}

/* ---- rows ---- */

static void check_row(
		const struct task_story *story, const struct tile *tile, const struct tile_row *row)
{
	struct time_span whole = { tile->grid.begin_ns, tile->grid.end_ns };
	uint64_t unit_ns = tile->grid.shift > 8 ? (uint64_t)1 << (tile->grid.shift - 8) : 1;
	struct story_share all = task_story_share(story, row->task, whole);

	if (row->start == TILE_ABSENT) {
		assert_true(row->birth_ns <= all.birth_ns);
		assert_true(all.birth_ns - row->birth_ns < unit_ns);
	}
	if (row->end == TILE_ABSENT) {
		assert_true(row->death_ns >= all.death_ns || row->death_ns == whole.end_ns);
		assert_true(row->death_ns - all.death_ns <= unit_ns);
	}
	for (uint32_t i = 0; i < tile->grid.bins; i++) {
		struct story_share share = task_story_share(story, row->task, bin_span(tile, i));

		assert_int_equal(row->cells[i].share,
				tile_share_code(share.blocked_ns, share.alive_ns));
		if (share.blocked_ns > 0)
			assert_true(task_story_waits_for(
					story, row->task, bin_span(tile, i), row->cells[i].reason));
	}
}

static void check_rows(const struct task_story *story, const struct tile *tile)
{
	for (uint32_t i = 0; i < tile->row_count; i++) {
		assert_true(i == 0 || tile->rows[i - 1].task < tile->rows[i].task);
		check_row(story, tile, &tile->rows[i]);
	}
}

static void a_row_has_the_exact_share_of_each_bin(void **state)
{
	(void)state;
	each_story(check_rows);
}

/* ---- counts ---- */

static void check_counts(const struct task_story *story, const struct tile *tile)
{
	uint64_t events = 0;

	for (uint32_t i = 0; i < tile->grid.bins; i++) {
		struct time_span span = bin_span(tile, i);
		struct story_counts counts = task_story_counts(story, span);

		/* What falls on the border of a block belongs to one of two bins. */
		assert_in_range(tile->bins[i].events, counts.events_inside, counts.events_touching);
		assert_in_range(tile->bins[i].created, counts.created_inside,
				counts.created_touching);
		assert_in_range(tile->bins[i].alive, counts.alive_inside, counts.alive_touching);
		assert_in_range(tile->bins[i].blocked, counts.blocked_inside,
				counts.blocked_touching);
		events += tile->bins[i].events;
	}
	assert_true(events > 0);
}

static void counts_are_those_of_all_tasks(void **state)
{
	(void)state;
	each_story(check_counts);
}

/* ---- groups ---- */

static void check_amount(uint8_t code, double exact)
{
	double value = tile_amount_value(code);

	assert_true((code == 0) == (exact == 0));
	if (value < exact * 15 / 16 - 0.01 || value > exact * 17 / 16 + 0.01)
		fail_msg("%f tasks are stored as %f", exact, value);
}

static void check_groups(const struct task_story *story, const struct tile *tile)
{
	for (uint32_t i = 0; i < tile->site_count; i++)
		for (uint32_t k = 0; k < tile->grid.bins; k++) {
			struct time_span span = bin_span(tile, k);
			struct story_share share = task_story_site(
					story, tile->sites[i].stack, span);

			check_amount(tile->sites[i].alive[k],
					(double)share.alive_ns / (double)time_span_length(span));
			assert_int_equal(tile->sites[i].share[k],
					tile_share_code(share.blocked_ns, share.alive_ns));
		}
	for (uint32_t i = 0; i < tile->place_count; i++)
		for (uint32_t k = 0; k < tile->grid.bins; k++) {
			struct time_span span = bin_span(tile, k);

			check_amount(tile->places[i].waiting[k],
					(double)task_story_place(
							story, tile->places[i].stack, span) /
							(double)time_span_length(span));
		}
}

static void groups_are_the_sums_of_their_tasks(void **state)
{
	(void)state;
	each_story(check_groups);
}

/* ---- what is not there ---- */

static void check_touched(const struct task_story *story, const struct tile *tile)
{
	struct time_span inside = { tile->grid.begin_ns + 1, tile->grid.end_ns };

	for (uint32_t i = 0; i < story->event_count; i++)
		if (time_span_contains(inside, story->events[i].time_ns))
			assert_true(tile_may_touch(tile, story->events[i].task));
}

static void a_task_with_events_is_never_untouched(void **state)
{
	(void)state;
	each_story(check_touched);
}

static uint64_t overhead(struct trace_reader *reader, uint64_t *blocks)
{
	uint64_t tiles = 0;
	struct trace_section section;

	*blocks = 0;
	for (uint32_t i = 0; trace_reader_section(reader, i, &section); i++) {
		if (strcmp(section.name, "tiles") == 0)
			tiles += section.bytes;
		if (strcmp(section.name, "block") == 0)
			*blocks += section.bytes;
	}
	return tiles;
}

static void tiles_take_no_more_than_their_part_of_the_file(void **state)
{
	(void)state;
	for (uint32_t shape = 0; shape < STORIES; shape++) {
		struct byte_buffer file = { 0 };
		struct task_story story;
		struct trace_reader *reader;
		uint64_t tiles;
		uint64_t blocks;

		task_story_make(&story, shape, 77);
		reader = write_and_open(&story, &file);
		tiles = overhead(reader, &blocks);
		if (tiles * 1000 > blocks * 40)
			fail_msg("shape %u: %llu bytes of tiles for %llu bytes of blocks", shape,
					(unsigned long long)tiles, (unsigned long long)blocks);
		trace_reader_close(reader);
		task_story_release(&story);
		byte_buffer_release(&file);
	}
}

/* ---- codes ---- */

static void a_share_is_wrong_by_a_28th_at_most(void **state)
{
	uint64_t whole = 1000003;

	(void)state;
	assert_int_equal(tile_share_code(0, whole), 0);
	assert_int_equal(tile_share_code(whole, whole), TILE_SHARE_ALL);
	assert_int_equal(tile_share_code(1, UINT64_MAX), 1);
	assert_int_equal(tile_share_code(UINT64_MAX - 1, UINT64_MAX), TILE_SHARE_ALL - 1);
	for (uint64_t part = 1; part < whole; part += 997) {
		uint8_t code = tile_share_code(part, whole);
		double exact = (double)part / (double)whole * 28;
		double value = tile_share_28(code);

		assert_in_range(code, 1, TILE_SHARE_ALL - 1);
		assert_true(value - exact <= 1.0001 && exact - value <= 1.0001);
	}
}

static void an_amount_is_wrong_by_a_16th_at_most(void **state)
{
	(void)state;
	assert_int_equal(tile_amount(0, 100), 0);
	for (uint64_t tasks = 1; tasks < 20000000; tasks += tasks / 7 + 1) {
		check_amount(tile_amount(tasks * 1000, 1000), (double)tasks);
		check_amount(tile_amount(tasks, 1000), (double)tasks / 1000);
		check_amount(tile_amount(1, tasks), 1 / (double)tasks);
	}
	for (uint64_t tasks = 0; tasks <= 16; tasks++)
		assert_true(tile_amount_value(tile_amount(tasks * 77, 77)) == (double)tasks);
}

static void bins_are_as_fine_as_their_number_allows(void **state)
{
	static const uint64_t times[] = { 0, 1, 31, 32, 33, 63, 1000, 123456789, 1ull << 40,
		(1ull << 40) + 1, UINT64_MAX - 1, UINT64_MAX };

	(void)state;
	for (size_t a = 0; a < sizeof(times) / sizeof(*times); a++)
		for (size_t b = a; b < sizeof(times) / sizeof(*times); b++) {
			struct tile_grid grid = tile_grid_over(times[a], times[b]);

			assert_in_range(grid.bins, 1, TILE_BINS);
			assert_int_equal(tile_bin_begin(&grid, 0), times[a]);
			assert_int_equal(tile_bin_end(&grid, grid.bins - 1u), times[b]);
			for (uint32_t i = 1; i < grid.bins; i++) {
				assert_int_equal(tile_bin_begin(&grid, i),
						tile_bin_end(&grid, i - 1));
				assert_int_equal(tile_grid_bin(&grid, tile_bin_begin(&grid, i)), i);
			}
			assert_int_equal(tile_grid_bin(&grid, times[b]), grid.bins - 1u);
			assert_true(grid.shift == 0 || grid.bins > TILE_BINS / 2);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_is_wrong_by_a_28th_at_most),
		cmocka_unit_test(an_amount_is_wrong_by_a_16th_at_most),
		cmocka_unit_test(bins_are_as_fine_as_their_number_allows),
		cmocka_unit_test(a_row_has_the_exact_share_of_each_bin),
		cmocka_unit_test(counts_are_those_of_all_tasks),
		cmocka_unit_test(groups_are_the_sums_of_their_tasks),
		cmocka_unit_test(a_task_with_events_is_never_untouched),
		cmocka_unit_test(tiles_take_no_more_than_their_part_of_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
