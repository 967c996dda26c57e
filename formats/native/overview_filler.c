#include "formats/native/overview_filler.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "formats/native/overview_parts.h"

/*
 * Blocks of one step. Each step first has to find out how the tasks were at its begin, which can
 * take as many blocks as lie between two snapshots: some 40 where 100,000 tasks are alive.
 */
#define STEP_BLOCKS 64u

struct overview_filler {
	struct trace_overview *overview;
	struct overview_view view;
	uint32_t *tasks;
	uint32_t rows;
	uint32_t step;                    /* columns */
	struct overview_cell *step_cells; /* of the columns of one step */

	pthread_mutex_t lock;
	struct overview_cell *cells;
	bool *done; /* by column */
	uint32_t done_count;
};

static uint32_t blocks_in(const struct trace_overview *overview, struct time_span span)
{
	return trace_block_at(overview->reader, span.end_ns) + 1 -
	       trace_block_at(overview->reader, span.begin_ns);
}

static uint32_t columns_of_a_step(const struct overview_filler *filler)
{
	uint64_t blocks = blocks_in(filler->overview, filler->view.span);
	uint64_t columns = (uint64_t)filler->view.columns * STEP_BLOCKS / blocks;

	return columns < 1                      ? 1
	       : columns < filler->view.columns ? (uint32_t)columns
						: filler->view.columns;
}

static enum lo_result filler_init(struct overview_filler *filler, const uint32_t *tasks,
		struct time_span span, uint32_t columns, struct lo_error *err)
{
	size_t cells = (size_t)filler->rows * columns + 1;
	enum lo_result result = overview_view_init(&filler->view, span, columns, err);

	if (result != LO_OK)
		return result;
	filler->step = columns_of_a_step(filler);
	filler->tasks = malloc(filler->rows * sizeof(*tasks) + 1);
	filler->cells = calloc(cells, sizeof(*filler->cells));
	filler->done = calloc(columns, sizeof(*filler->done));
	filler->step_cells = calloc(
			(size_t)filler->rows * filler->step + 1, sizeof(*filler->step_cells));
	if (!filler->tasks || !filler->cells || !filler->done || !filler->step_cells)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u rows",
				filler->rows);
	memcpy(filler->tasks, tasks, filler->rows * sizeof(*tasks));
	return LO_OK;
}

enum lo_result overview_filler_new(struct overview_filler **out, struct trace_overview *overview,
		const uint32_t *tasks, uint32_t rows, struct time_span span, uint32_t columns,
		struct lo_error *err)
{
	struct overview_filler *filler = calloc(1, sizeof(*filler));
	enum lo_result result;

	if (!filler)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u rows", rows);
	filler->overview = overview;
	filler->rows = rows;
	pthread_mutex_init(&filler->lock, NULL);
	result = filler_init(filler, tasks, span, columns, err);
	if (result == LO_OK)
		*out = filler;
	else
		overview_filler_free(filler);
	return result;
}

void overview_filler_free(struct overview_filler *filler)
{
	if (!filler)
		return;
	overview_view_release(&filler->view);
	pthread_mutex_destroy(&filler->lock);
	free(filler->tasks);
	free(filler->cells);
	free(filler->step_cells);
	free(filler->done);
	free(filler);
}

static void keep(struct overview_filler *filler, uint32_t first, uint32_t columns)
{
	pthread_mutex_lock(&filler->lock);
	for (uint32_t row = 0; row < filler->rows; row++)
		memcpy(filler->cells + (size_t)row * filler->view.columns + first,
				filler->step_cells + (size_t)row * columns,
				columns * sizeof(*filler->cells));
	memset(filler->done + first, true, columns * sizeof(*filler->done));
	filler->done_count += columns;
	pthread_mutex_unlock(&filler->lock);
}

/* Tells the caller's progress of columns, whatever the step itself counts. */
struct forwarding {
	const struct progress *to;
	uint64_t done;
	uint64_t total;
};

static bool forward(void *context, uint64_t done, uint64_t total)
{
	const struct forwarding *forwarding = context;

	(void)done;
	(void)total;
	return progress_step(forwarding->to, forwarding->done, forwarding->total);
}

static enum lo_result run_step(struct overview_filler *filler, uint32_t first,
		const struct progress *progress, struct lo_error *err)
{
	const struct overview_view *whole = &filler->view;
	uint32_t left = whole->columns - first;
	struct overview_view view = { .columns = left < filler->step ? left : filler->step,
		.edges = whole->edges + first };
	struct forwarding forwarding = { progress, filler->done_count, whole->columns };
	struct progress inner = { forward, &forwarding };
	enum lo_result result;

	view.span.begin_ns = view.edges[0];
	view.span.end_ns = overview_column_span(&view, view.columns - 1).end_ns;
	result = overview_rows_in_view(filler->overview, filler->tasks, filler->rows, &view,
			UINT64_MAX, filler->step_cells, &inner, err);
	if (result == LO_OK)
		keep(filler, first, view.columns);
	return result;
}

/* The step that is number `i` by its distance from the middle of `steps`. */
static uint32_t step_at(uint32_t steps, uint32_t i)
{
	uint32_t middle = (steps - 1) / 2;

	return i % 2 ? middle + (i + 1) / 2 : middle - i / 2;
}

enum lo_result overview_filler_run(struct overview_filler *filler, const struct progress *progress,
		struct lo_error *err)
{
	uint32_t steps = (filler->view.columns + filler->step - 1) / filler->step;
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < steps && result == LO_OK; i++) {
		uint32_t first = step_at(steps, i) * filler->step;

		if (filler->done[first])
			continue;
		result = run_step(filler, first, progress, err);
		if (result == LO_OK &&
				!progress_step(progress, filler->done_count, filler->view.columns))
			result = lo_fail(err, LO_CANCELLED, LO_NO_OFFSET, "stopped");
	}
	return result;
}

uint32_t overview_filler_take(struct overview_filler *filler, struct overview_cell *cells)
{
	uint32_t columns = filler->view.columns;
	uint32_t done;

	pthread_mutex_lock(&filler->lock);
	done = filler->done_count;
	for (uint32_t i = 0; i < columns; i++)
		for (uint32_t row = 0; row < filler->rows && filler->done[i]; row++)
			cells[(size_t)row * columns + i] = filler->cells[(size_t)row * columns + i];
	pthread_mutex_unlock(&filler->lock);
	return done;
}
