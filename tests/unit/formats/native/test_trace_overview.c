#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/byte_source.h"
#include "formats/native/overview_filler.h"
#include "formats/native/overview_parts.h"
#include "formats/native/tile_section.h"
#include "tests/support/event_generator.h"
#include "tests/support/task_story.h"

/*
 * Random views of random traces: each cell against what the model says, cell by cell, within the
 * error that the cell itself states.
 */
#define ROWS    24u
#define COLUMNS 120u

enum harm {
	HARM_NONE,
	HARM_CUT, /* no end mark, no index */
	HARM_SOME_TILES,
	HARM_ALL_TILES,
};

struct test {
	struct task_story story;
	struct byte_buffer file;
	struct trace_reader *reader;
	struct trace_overview *overview;
	uint64_t random;
	uint64_t tile_ns; /* the longest tile of level 0 */
	bool tiles_are_whole;
};

static void open_reader(struct test *test)
{
	struct byte_source *source;
	struct lo_error err;

	assert_int_equal(byte_source_open_memory(&source, test->file.bytes, test->file.size, &err),
			LO_OK);
	assert_int_equal(trace_reader_open(&test->reader, source, NULL, &err), LO_OK);
}

/* Flips a bit in the middle of tile sections. */
static void harm_tiles(struct test *test, bool all)
{
	struct trace_section section;

	open_reader(test);
	for (uint32_t i = 0; trace_reader_section(test->reader, i, &section); i++)
		if (strcmp(section.name, "tiles") == 0 &&
				(all || generator_random(&test->random, 3) == 0))
			test->file.bytes[section.offset + section.bytes - 20] ^= 4;
	trace_reader_close(test->reader);
}

static void measure_tiles(struct test *test)
{
	uint32_t count;
	const uint32_t *list = section_list_of(
			trace_reader_sections(test->reader), SECTION_TILES, &count);

	for (uint32_t i = 0; i < count; i++) {
		const struct tile_section *section;
		const void *object;

		if (trace_section_acquire(test->reader, list[i], &tile_section_decoder, &object,
				    NULL) != LO_OK)
			continue;
		section = object;
		for (uint32_t k = 0; k < section->count && section->level == 0; k++) {
			uint64_t length_ns = section->tiles[k].grid.end_ns -
					     section->tiles[k].grid.begin_ns;

			test->tile_ns = length_ns > test->tile_ns ? length_ns : test->tile_ns;
		}
		trace_section_release(test->reader, list[i]);
	}
}

static void test_begin(struct test *test, uint32_t shape, uint64_t seed, enum harm harm)
{
	struct lo_error err;

	*test = (struct test){ .random = seed * 1000 + shape };
	test->tiles_are_whole = harm == HARM_NONE;
	task_story_make(&test->story, shape, seed);
	task_story_write(&test->story, &test->file, harm != HARM_CUT);
	if (harm == HARM_SOME_TILES || harm == HARM_ALL_TILES)
		harm_tiles(test, harm == HARM_ALL_TILES);
	open_reader(test);
	assert_int_equal(trace_overview_open(&test->overview, test->reader, &err), LO_OK);
	measure_tiles(test);
}

static void test_end(struct test *test)
{
	trace_overview_close(test->overview);
	trace_reader_close(test->reader);
	byte_buffer_release(&test->file);
	task_story_release(&test->story);
}

static uint64_t dice(struct test *test, uint64_t limit)
{
	return limit ? generator_random(&test->random, limit) : 0;
}

/* From all of it down to some microseconds, evenly over the zooms. */
static struct time_span random_span(struct test *test)
{
	uint64_t whole_ns = trace_reader_info(test->reader)->duration_ns;
	uint64_t length_ns = whole_ns >> dice(test, 14);
	uint64_t begin_ns;

	length_ns -= dice(test, length_ns / 3);
	begin_ns = dice(test, whole_ns - length_ns + 1);
	return (struct time_span){ begin_ns, begin_ns + length_ns + COLUMNS };
}

/* Does it live twice? Then zoomed out its second life may be missing. */
static bool lives_twice(const struct task_story *story, uint32_t task)
{
	unsigned births = 0;

	for (uint32_t i = 0; i < story->tasks[task].part_count; i++)
		births += story->tasks[task].parts[i].state != STORY_ABSENT &&
			  (i == 0 || story->tasks[task].parts[i - 1].state == STORY_ABSENT);
	return births > 1;
}

static void choose_tasks(struct test *test, uint32_t tasks[ROWS])
{
	for (uint32_t i = 0; i < ROWS; i++) {
		bool again = true;

		while (again) {
			/* The last ids are in use at the end only; one beyond was never there. */
			tasks[i] = (uint32_t)dice(test, test->story.task_limit) + 1;
			if (test->story.task_limit <= ROWS)
				tasks[i] = i + 1;
			again = tasks[i] < test->story.task_limit &&
				lives_twice(&test->story, tasks[i]);
			for (uint32_t k = 0; k < i; k++)
				again = again || tasks[k] == tasks[i];
			if (test->story.task_limit <= ROWS)
				again = false;
		}
	}
}

struct tally {
	uint64_t cells;
	uint64_t pending;
	uint64_t coarse;
};

static struct time_span column_of(struct time_span span, uint32_t i)
{
	uint64_t length_ns = time_span_length(span);

	return (struct time_span){ span.begin_ns + length_ns * i / COLUMNS,
		span.begin_ns + length_ns * (i + 1) / COLUMNS };
}

static struct time_span wider(struct time_span span, uint64_t by_ns)
{
	return (struct time_span){ span.begin_ns > by_ns ? span.begin_ns - by_ns : 0,
		span.end_ns + by_ns };
}

static void complain(const char *what, uint32_t task, struct time_span column,
		const struct overview_cell *cell, const struct story_share *share)
{
	fail_msg("task %u, %llu..%llu: %s: active %u blocked %u absent %u changes %u ended %u "
		 "pending %u error %u; alive %llu blocked %llu changes %u",
			task, (unsigned long long)column.begin_ns,
			(unsigned long long)column.end_ns, what, cell->active, cell->blocked,
			cell->absent, cell->changes, cell->ended, cell->pending, cell->error,
			(unsigned long long)share->alive_ns, (unsigned long long)share->blocked_ns,
			share->changes);
}

static bool is_off(uint8_t share, uint64_t part_ns, double width, uint8_t error)
{
	return fabs(share - (double)part_ns / width * 255) > error;
}

static void check_known(struct test *test, uint32_t task, struct time_span column,
		const struct overview_cell *cell, bool beyond)
{
	struct story_share share = task_story_share(&test->story, task, column);
	struct time_span inner = { column.begin_ns + 1, column.end_ns - 1 };
	struct story_share inside = task_story_share(&test->story, task, inner);
	double width = (double)time_span_length(column);
	/* A bin of the coarsest tile is cut in 256 for births and deaths. */
	uint64_t margin_ns = time_span_length(column) / 64 + test->tile_ns / 4096 + 2;

	if (beyond) /* the model goes on for ever, a trace does not */
		return;
	if (is_off(cell->blocked, share.blocked_ns, width, cell->error))
		complain("blocked", task, column, cell, &share);
	if (is_off(cell->active, share.alive_ns - share.blocked_ns, width, cell->error))
		complain("active", task, column, cell, &share);
	if (inside.changes > 0 && cell->changes == 0)
		complain("no changes", task, column, cell, &inside);
	/* The bins of a higher level may reach far out of the column. */
	if (cell->blocked > 0 && (test->tiles_are_whole || cell->error <= OVERVIEW_ERROR) &&
			!task_story_waits_for(&test->story, task,
					wider(column, time_span_length(column) / 6 + test->tile_ns),
					cell->reason))
		complain("reason", task, column, cell, &share);
	if (inside.death_ns != UINT64_MAX && inside.death_ns + margin_ns < column.end_ns &&
			!cell->ended)
		complain("not ended", task, column, cell, &inside);
	if (cell->ended &&
			task_story_share(&test->story, task, wider(column, margin_ns)).death_ns ==
					UINT64_MAX)
		complain("ended", task, column, cell, &share);
}

/*
 * Pending is allowed where the task did something in a tile that reaches into the column, or some
 * other task whose id looks the same to the tile.
 */
static bool may_be_pending(struct test *test, uint32_t task, struct time_span column)
{
	struct time_span around = wider(column, 6 * time_span_length(column) + test->tile_ns);

	if (!test->tiles_are_whole || test->story.task_limit > TILE_TOUCHED_BITS)
		return true;
	return task < test->story.task_limit &&
	       task_story_share(&test->story, task, around).changes > 0;
}

static void check_cell(struct test *test, uint32_t task, struct time_span span, uint32_t i,
		const struct overview_cell *cell, struct tally *tally)
{
	struct time_span column = column_of(span, i);
	bool beyond = column.end_ns > test->story.end_ns;

	tally->cells++;
	tally->pending += cell->pending;
	if (cell->pending) {
		if (!may_be_pending(test, task, column))
			fail_msg("task %u is pending at %llu..%llu and does nothing there", task,
					(unsigned long long)column.begin_ns,
					(unsigned long long)column.end_ns);
		return;
	}
	if (time_span_length(column) / 6 >= test->tile_ns / 17 && test->tiles_are_whole &&
			cell->error > OVERVIEW_ERROR)
		fail_msg("task %u at %llu..%llu may be off by %u", task,
				(unsigned long long)column.begin_ns,
				(unsigned long long)column.end_ns, cell->error);
	tally->coarse += cell->error > OVERVIEW_ERROR;
	if (task < test->story.task_limit)
		check_known(test, task, column, cell, beyond);
	else
		assert_int_equal(cell->active + cell->blocked, 0);
}

static void ask_reading(struct test *test, const uint32_t *tasks, struct time_span span,
		uint64_t events_most, struct overview_cell *cells)
{
	struct overview_view view;
	struct lo_error err;

	assert_int_equal(overview_view_init(&view, span, COLUMNS, &err), LO_OK);
	assert_int_equal(overview_rows_in_view(test->overview, tasks, ROWS, &view, events_most,
					 cells, NULL, &err),
			LO_OK);
	overview_view_release(&view);
}

static void check_view(struct test *test, bool exactly, struct tally *tally)
{
	struct overview_cell *cells = calloc(ROWS * COLUMNS, sizeof(*cells));
	struct time_span span = random_span(test);
	/* Small traces would hardly need a tile. */
	static const uint64_t budgets[] = { 0, 40000, OVERVIEW_EVENTS };
	uint32_t tasks[ROWS];
	struct lo_error err;

	choose_tasks(test, tasks);
	if (exactly)
		assert_int_equal(trace_overview_rows_exactly(test->overview, tasks, ROWS, span,
						 COLUMNS, cells, NULL, &err),
				LO_OK);
	else
		ask_reading(test, tasks, span, budgets[dice(test, 3)], cells);
	for (uint32_t row = 0; row < ROWS; row++)
		for (uint32_t i = 0; i < COLUMNS; i++) {
			const struct overview_cell *cell = &cells[row * COLUMNS + i];

			if (exactly && (cell->pending || cell->error > 1))
				fail_msg("an exact answer is not exact");
			check_cell(test, tasks[row], span, i, cell, tally);
		}
	free(cells);
}

static void check_views(enum harm harm, bool exactly, unsigned views)
{
	for (uint32_t shape = 0; shape < STORY_SHAPES; shape++) {
		struct tally tally = { 0 };
		struct test test;

		test_begin(&test, shape, 5 + (uint64_t)harm, harm);
		for (unsigned i = 0; i < views; i++)
			check_view(&test, exactly, &tally);
		print_message("shape %u: %.1f%% of the cells pending, %.1f%% coarse\n", shape,
				100.0 * (double)tally.pending / (double)tally.cells,
				100.0 * (double)tally.coarse / (double)tally.cells);
		test_end(&test);
	}
}

static void a_cell_is_off_by_no_more_than_it_says(void **state)
{
	(void)state;
	check_views(HARM_NONE, false, 60);
}

static void an_exact_answer_is_exact(void **state)
{
	(void)state;
	check_views(HARM_NONE, true, 8);
}

static void a_trace_that_was_cut_is_answered_the_same(void **state)
{
	(void)state;
	check_views(HARM_CUT, false, 30);
}

static void damaged_tiles_cost_answers_and_not_truth(void **state)
{
	(void)state;
	check_views(HARM_SOME_TILES, false, 30);
}

static void without_tiles_answers_are_exact_or_pending(void **state)
{
	(void)state;
	check_views(HARM_ALL_TILES, false, 30);
}

/* ---- what is pending ---- */

struct stop {
	unsigned steps;
};

static bool stop_soon(void *context, uint64_t done, uint64_t total)
{
	struct stop *stop = context;

	assert_true(done <= total);
	return stop->steps-- > 0;
}

static void a_filler_finds_out_the_rest_also_when_it_is_stopped(void **state)
{
	(void)state;
	for (uint32_t shape = 0; shape < STORY_SHAPES; shape++) {
		static struct overview_cell cells[ROWS * COLUMNS];
		static struct overview_cell exact[ROWS * COLUMNS];
		struct stop stop = { 1 };
		unsigned patience = 0;
		struct progress progress = { stop_soon, &stop };
		struct overview_filler *filler;
		struct time_span span;
		uint32_t tasks[ROWS];
		uint32_t done = 0;
		struct lo_error err;
		struct test test;

		test_begin(&test, shape, 31, HARM_SOME_TILES);
		span = (struct time_span){ 0, test.story.end_ns };
		choose_tasks(&test, tasks);
		assert_int_equal(overview_filler_new(&filler, test.overview, tasks, ROWS, span,
						 COLUMNS, &err),
				LO_OK);
		while (overview_filler_run(filler, &progress, &err) == LO_CANCELLED) {
			assert_true(overview_filler_take(filler, cells) >= done);
			done = overview_filler_take(filler, cells);
			/* More each time: a step that is stopped begins anew. */
			patience += 40;
			stop.steps = (unsigned)dice(&test, patience);
		}
		assert_int_equal(overview_filler_take(filler, cells), COLUMNS);
		overview_filler_free(filler);
		assert_int_equal(trace_overview_rows_exactly(test.overview, tasks, ROWS, span,
						 COLUMNS, exact, NULL, &err),
				LO_OK);
		for (uint32_t i = 0; i < ROWS * COLUMNS; i++) {
			assert_int_equal(cells[i].active, exact[i].active);
			assert_int_equal(cells[i].blocked, exact[i].blocked);
			assert_int_equal(cells[i].changes, exact[i].changes);
			assert_int_equal(cells[i].pending, 0);
		}
		test_end(&test);
	}
}

/* ---- all tasks together ---- */

/* As far as a bin may reach out of a column. */
static struct time_span with_bins(const struct test *test, struct time_span column)
{
	uint64_t fine_ns = time_span_length(column) / 6;
	uint64_t coarse_ns = test->tile_ns / 16;

	return wider(column, (fine_ns > coarse_ns ? fine_ns : coarse_ns) + 1);
}

static void check_counts(struct test *test)
{
	static struct overview_column columns[COLUMNS];
	struct time_span span = random_span(test);
	struct lo_error err;

	assert_int_equal(trace_overview_columns(test->overview, span, COLUMNS, columns, &err),
			LO_OK);
	for (uint32_t i = 0; i < COLUMNS; i++) {
		struct time_span column = column_of(span, i);
		struct story_counts counts = task_story_counts(&test->story, column);
		struct story_counts around = task_story_counts(
				&test->story, with_bins(test, column));

		if (column.end_ns > test->story.end_ns)
			break;
		if (columns[i].alive > around.alive_touching ||
				columns[i].blocked > around.blocked_touching)
			fail_msg("%u alive and %u blocked, at most %u and %u", columns[i].alive,
					columns[i].blocked, around.alive_touching,
					around.blocked_touching);
		assert_true(columns[i].events <= (double)around.events_touching + 0.001);
		assert_true(columns[i].created <= (double)around.created_touching + 0.001);
		if (columns[i].pending)
			continue;
		assert_true(columns[i].alive >= counts.alive_inside);
		assert_true(columns[i].blocked >= counts.blocked_inside);
	}
}

static void counts_are_those_of_the_column_or_of_its_bins(void **state)
{
	static const enum harm harms[] = { HARM_NONE, HARM_CUT, HARM_ALL_TILES };

	(void)state;
	for (uint32_t shape = 0; shape < STORY_SHAPES; shape++)
		for (size_t harm = 0; harm < sizeof(harms) / sizeof(*harms); harm++) {
			struct test test;

			test_begin(&test, shape, 41, harms[harm]);
			for (unsigned i = 0; i < 12; i++)
				check_counts(&test);
			test_end(&test);
		}
}

static void the_busiest_tasks_come_first(void **state)
{
	(void)state;
	for (uint32_t shape = 0; shape < STORY_SHAPES; shape++) {
		struct overview_task top[8];
		struct time_span all;
		uint32_t count;
		struct lo_error err;
		struct test test;

		test_begin(&test, shape, 51, HARM_NONE);
		all = (struct time_span){ 0, test.story.end_ns };
		assert_int_equal(trace_overview_top(test.overview, all, top, 8, &count, &err),
				LO_OK);
		assert_in_range(count, 1, 8);
		for (uint32_t i = 0; i < count; i++) {
			struct story_share share = task_story_share(&test.story, top[i].task, all);

			assert_true(i == 0 || top[i].changes <= top[i - 1].changes);
			/* A block in the middle of a wait counts for two. */
			assert_true(share.changes > 0);
			assert_true(top[i].changes <=
					2.0 * test.story.tasks[top[i].task].part_count);
		}
		test_end(&test);
	}
}

static void groups_add_up_to_what_their_tasks_did(void **state)
{
	(void)state;
	for (uint32_t shape = 0; shape < STORY_SHAPES; shape++) {
		static struct overview_group_cell cells[STORY_STACKS * COLUMNS];
		struct overview_group groups[STORY_STACKS];
		uint32_t stacks[STORY_STACKS];
		struct time_span all;
		uint32_t count;
		struct lo_error err;
		struct test test;

		test_begin(&test, shape, 61, HARM_NONE);
		all = (struct time_span){ 0, test.story.end_ns };
		assert_int_equal(trace_overview_groups(test.overview, OVERVIEW_BY_SITE, all, groups,
						 STORY_STACKS, &count, &err),
				LO_OK);
		for (uint32_t i = 0; i < count; i++)
			stacks[i] = groups[i].stack;
		assert_int_equal(trace_overview_group_rows(test.overview, OVERVIEW_BY_SITE, stacks,
						 count, all, COLUMNS, cells, &err),
				LO_OK);
		for (uint32_t i = 0; i < count; i++) {
			double exact = (double)task_story_site(&test.story, stacks[i], all)
						       .alive_ns /
				       (double)all.end_ns;
			double sum = 0;
			bool pending = false;

			for (uint32_t k = 0; k < COLUMNS; k++) {
				sum += (double)cells[i * COLUMNS + k].alive / COLUMNS;
				pending = pending || cells[i * COLUMNS + k].pending;
			}
			assert_true(sum <= exact * 17 / 16 + 0.01);
			if (!pending && sum < exact * 15 / 16 - 0.01)
				fail_msg("%f tasks of site %u, %f are told", exact, stacks[i], sum);
			assert_true(fabs(groups[i].weight - sum) < 0.01 + exact / 100);
		}
		test_end(&test);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cell_is_off_by_no_more_than_it_says),
		cmocka_unit_test(an_exact_answer_is_exact),
		cmocka_unit_test(a_trace_that_was_cut_is_answered_the_same),
		cmocka_unit_test(damaged_tiles_cost_answers_and_not_truth),
		cmocka_unit_test(without_tiles_answers_are_exact_or_pending),
		cmocka_unit_test(a_filler_finds_out_the_rest_also_when_it_is_stopped),
		cmocka_unit_test(counts_are_those_of_the_column_or_of_its_bins),
		cmocka_unit_test(the_busiest_tasks_come_first),
		cmocka_unit_test(groups_add_up_to_what_their_tasks_did),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
