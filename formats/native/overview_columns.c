#include <stdlib.h>

#include "formats/native/overview_parts.h"
#include "formats/native/trace_states.h"

/*
 * Counts of all tasks, by column. In a tile they stand in the bins. From events they come by
 * carrying along the state of every task, which needs all of them at the begin of the first block.
 */
struct columns {
	struct trace_reader *reader;
	const struct overview_view *view;
	struct overview_column *out;

	/* Between two blocks that follow each other. */
	struct live_tasks *tasks;
	uint32_t next_block;
	uint32_t alive;
	uint32_t blocked;
};

static void raise(uint32_t *most, uint32_t count)
{
	if (*most < count)
		*most = count;
}

static void add_most(
		struct columns *columns, struct time_span span, uint32_t alive, uint32_t blocked)
{
	const struct overview_view *view = columns->view;

	for (uint32_t i = overview_column_at(view, span.begin_ns);
			i < view->columns && view->edges[i] < span.end_ns; i++) {
		raise(&columns->out[i].alive, alive);
		raise(&columns->out[i].blocked, blocked);
	}
}

static void add_unknown(struct columns *columns, struct time_span span)
{
	const struct overview_view *view = columns->view;

	for (uint32_t i = overview_column_at(view, span.begin_ns);
			i < view->columns && view->edges[i] < span.end_ns; i++)
		columns->out[i].pending = true;
}

/* ---- tiles ---- */

static void add_bin(struct columns *columns, const struct tile_bin *bin, struct time_span whole,
		struct time_span clip)
{
	const struct overview_view *view = columns->view;
	struct time_span span = { whole.begin_ns > clip.begin_ns ? whole.begin_ns : clip.begin_ns,
		whole.end_ns < clip.end_ns ? whole.end_ns : clip.end_ns };

	if (span.begin_ns >= span.end_ns)
		return;
	for (uint32_t i = overview_column_at(view, span.begin_ns);
			i < view->columns && view->edges[i] < span.end_ns; i++) {
		double part = (double)overview_overlap(overview_column_span(view, i), span) /
			      (double)time_span_length(whole);

		columns->out[i].events += part * (double)bin->events;
		columns->out[i].created += part * (double)bin->created;
	}
	add_most(columns, span, bin->alive, bin->blocked);
}

static void add_tile(struct columns *columns, const struct tile *tile, struct time_span span)
{
	for (uint32_t i = 0; i < tile->grid.bins; i++)
		add_bin(columns, &tile->bins[i],
				(struct time_span){ tile_bin_begin(&tile->grid, i),
						tile_bin_end(&tile->grid, i) },
				span);
}

/* ---- events ---- */

/* Makes `tasks` those that are alive before a block; LO_END when that cannot be known. */
static enum lo_result seed(struct columns *columns, uint32_t number, struct lo_error *err)
{
	const struct section_list *sections = trace_reader_sections(columns->reader);
	uint32_t count;
	const uint32_t *blocks = section_list_of(sections, SECTION_BLOCK, &count);
	struct trace_states states = { 0 };
	enum lo_result result;

	if (columns->tasks && columns->next_block == number)
		return LO_OK;
	live_tasks_free(columns->tasks);
	columns->tasks = NULL;
	columns->alive = columns->blocked = 0;
	result = live_tasks_new(&columns->tasks, err);
	if (result == LO_OK)
		result = trace_states_at(&states, columns->reader,
				sections->entries[blocks[number]].begin_ns, NULL, err);
	for (uint32_t i = 0; i < states.count && result == LO_OK; i++) {
		columns->alive++;
		columns->blocked += states.tasks[i].state == LIVE_BLOCKED;
		result = live_tasks_seed(columns->tasks, states.tasks[i].task,
				states.tasks[i].state, states.tasks[i].reason, 0, err);
	}
	if (result == LO_OK && states.uncertain)
		result = LO_END;
	trace_states_release(&states);
	return result;
}

/* One more event; its task is as in `task`. */
static void count_event(struct columns *columns, struct live_task *task, const struct event *event)
{
	uint8_t before = task->state;
	uint8_t after;

	live_task_step(task, event, 0);
	after = task->state;
	columns->alive += (uint32_t)(after == LIVE_ACTIVE || after == LIVE_BLOCKED);
	columns->alive -= (uint32_t)(before == LIVE_ACTIVE || before == LIVE_BLOCKED);
	columns->blocked += (uint32_t)(after == LIVE_BLOCKED);
	columns->blocked -= (uint32_t)(before == LIVE_BLOCKED);
}

static void count_column(struct columns *columns, const struct event *event)
{
	const struct overview_view *view = columns->view;
	uint64_t end_ns = trace_reader_info(columns->reader)->duration_ns;
	uint32_t column = overview_column_at(view, event->time_ns);

	if (event->time_ns < view->span.begin_ns)
		return;
	/* What happens at the very end of the trace is still shown. */
	if (column == view->columns && event->time_ns == end_ns && view->span.end_ns >= end_ns)
		column--;
	if (column == view->columns)
		return;
	columns->out[column].events++;
	columns->out[column].created += event->kind == EVENT_CREATE &&
					!(event->flags & EVENT_FLAG_EXISTING);
}

/* `now` has the touched tasks as they were before the block; at first the time is its begin. */
static void run_events(struct columns *columns, const struct cached_block *block,
		struct live_task *now, uint64_t time_ns, struct time_span span)
{
	const uint32_t *by_row = live_tasks_touched_by_row(columns->tasks);

	for (uint32_t i = 0; i < block->count; i++) {
		const struct event *event = &block->events[i];

		count_column(columns, event);
		if (by_row[i] == UINT32_MAX)
			continue;
		add_most(columns, (struct time_span){ time_ns, event->time_ns }, columns->alive,
				columns->blocked);
		time_ns = event->time_ns;
		count_event(columns, &now[by_row[i]], event);
	}
	add_most(columns, (struct time_span){ time_ns, span.end_ns }, columns->alive,
			columns->blocked);
}

static enum lo_result add_events(struct columns *columns, const struct tile_part *part,
		const struct cached_block *block, uint64_t begin_ns, struct lo_error *err)
{
	enum lo_result result = live_tasks_advance(
			columns->tasks, block->events, block->count, 0, err);
	const struct touched_task *touched;
	struct live_task *now;
	uint32_t count;

	if (result != LO_OK)
		return result;
	touched = live_tasks_touched(columns->tasks, &count);
	now = malloc(count * sizeof(*now) + 1);
	if (!now)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks", count);
	for (uint32_t i = 0; i < count; i++)
		now[i] = touched[i].before;
	run_events(columns, block, now, begin_ns, part->span);
	free(now);
	columns->next_block = part->block + 1;
	return LO_OK;
}

static enum lo_result add_block(
		struct columns *columns, const struct tile_part *part, struct lo_error *err)
{
	const struct section_list *sections = trace_reader_sections(columns->reader);
	const struct cached_block *block = NULL;
	uint32_t count;
	const uint32_t *blocks = section_list_of(sections, SECTION_BLOCK, &count);
	enum lo_result result = seed(columns, part->block, err);

	if (result == LO_OK)
		result = trace_block_acquire(columns->reader, part->block, &block, err);
	if (result == LO_OK)
		result = add_events(columns, part, block,
				sections->entries[blocks[part->block]].begin_ns, err);
	trace_block_release(columns->reader, block);
	if (result != LO_CORRUPT && result != LO_END)
		return result;
	add_unknown(columns, part->span);
	return LO_OK;
}

/* ---- parts ---- */

/* A tile is good enough here however coarse it is, and needs nothing to be decoded. */
static enum lo_result add_part(
		struct columns *columns, const struct tile_part *part, struct lo_error *err)
{
	uint64_t end_ns = trace_reader_info(columns->reader)->duration_ns;
	struct time_span watched = part->span;

	if (part->tile) {
		add_tile(columns, part->tile, part->span);
		return LO_OK;
	}
	if (part->kind == TILE_PART_BLOCK)
		return add_block(columns, part, err);
	if (part->kind == TILE_PART_UNKNOWN)
		add_unknown(columns, part->span);
	if (watched.end_ns > end_ns)
		watched.end_ns = end_ns;
	if (part->kind == TILE_PART_QUIET)
		add_most(columns, watched, columns->alive, columns->blocked);
	return LO_OK;
}

enum lo_result trace_overview_columns(struct trace_overview *overview, struct time_span span,
		uint32_t columns, struct overview_column *out, struct lo_error *err)
{
	struct overview_view view;
	struct columns answer = { .reader = overview->reader, .view = &view, .out = out };
	struct tile_plan plan = { 0 };
	enum lo_result result = overview_view_init(&view, span, columns, err);

	if (result == LO_OK)
		result = tile_plan_make(
				&plan, &overview->tiles, span, columns, OVERVIEW_EVENTS, err);
	for (uint32_t i = 0; i < columns; i++)
		out[i] = (struct overview_column){ 0 };
	for (uint32_t i = 0; i < plan.count && result == LO_OK; i++)
		result = add_part(&answer, &plan.parts[i], err);
	live_tasks_free(answer.tasks);
	tile_plan_release(&plan);
	overview_view_release(&view);
	return result;
}
