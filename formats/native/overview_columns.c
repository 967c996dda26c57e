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

static const struct section_entry *block_entry(const struct columns *columns, uint32_t number)
{
	const struct section_list *sections = trace_reader_sections(columns->reader);
	uint32_t count;

	return &sections->entries[section_list_of(sections, SECTION_BLOCK, &count)[number]];
}

static enum lo_result seed_states(struct columns *columns, uint64_t time_ns, struct lo_error *err)
{
	struct trace_states states = { 0 };
	enum lo_result result = trace_states_at(&states, columns->reader, time_ns, NULL, err);

	for (uint32_t i = 0; i < states.count && result == LO_OK; i++)
		result = live_tasks_seed(columns->tasks, states.tasks[i].task,
				states.tasks[i].state, states.tasks[i].reason, 0, err);
	if (result == LO_OK && states.uncertain)
		result = LO_END;
	trace_states_release(&states);
	return result;
}

/* The blocks before may end with events of the very time that this one begins with. */
static enum lo_result add_border(struct columns *columns, uint32_t number, struct lo_error *err)
{
	uint64_t time_ns = block_entry(columns, number)->begin_ns;
	enum lo_result result = LO_OK;

	for (uint32_t i = trace_block_at(columns->reader, time_ns); i < number && result == LO_OK;
			i++) {
		const struct cached_block *block = NULL;
		uint32_t first = 0;

		result = trace_block_acquire(columns->reader, i, &block, err);
		if (result != LO_OK)
			break;
		while (first < block->count && block->events[first].time_ns < time_ns)
			first++;
		result = live_tasks_advance(columns->tasks, block->events + first,
				block->count - first, 0, err);
		trace_block_release(columns->reader, block);
	}
	return result;
}

static void count_states(struct columns *columns)
{
	columns->alive = live_tasks_count(columns->tasks);
	columns->blocked = 0;
	for (const struct live_task *task = live_tasks_next(columns->tasks, 0); task;
			task = live_tasks_next(columns->tasks, task->task))
		columns->blocked += task->state == LIVE_BLOCKED;
}

/* Makes `tasks` those that are alive before a block; LO_END when that cannot be known, or not soon.
 */
static enum lo_result seed(struct columns *columns, uint32_t number, struct lo_error *err)
{
	uint64_t begin_ns = block_entry(columns, number)->begin_ns;
	enum lo_result result;

	if (columns->tasks && columns->next_block == number)
		return LO_OK;
	if (overview_events_since_snapshot(columns->reader, begin_ns) > OVERVIEW_REPLAY_EVENTS)
		return LO_END;
	live_tasks_free(columns->tasks);
	columns->tasks = NULL;
	result = live_tasks_new(&columns->tasks, err);
	if (result == LO_OK)
		result = seed_states(columns, begin_ns, err);
	if (result == LO_OK)
		result = add_border(columns, number, err);
	if (result == LO_OK)
		count_states(columns);
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

static int by_id(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a;
	uint32_t right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static bool is_stray(const struct touched_task *touched, const struct cached_block *block)
{
	uint8_t kind = block->events[touched->first_row].kind;

	return touched->before.state == LIVE_ABSENT && kind != EVENT_CREATE && kind != EVENT_RUN;
}

/*
 * A task that was not alive and has an event other than a beginning: if it has exited before, this
 * means nothing. There are hardly any.
 */
static enum lo_result drop_strays(struct columns *columns, const struct cached_block *block,
		struct live_task *now, uint64_t begin_ns, struct lo_error *err)
{
	uint32_t count;
	const struct touched_task *touched = live_tasks_touched(columns->tasks, &count);
	uint32_t *ids = malloc(count * sizeof(*ids) + 1);
	struct task_state_at *states = malloc(count * sizeof(*states) + 1);
	enum lo_result result = LO_OK;
	uint32_t strays = 0;

	for (uint32_t i = 0; ids && i < count; i++)
		if (is_stray(&touched[i], block))
			ids[strays++] = touched[i].task;
	if (!ids || !states)
		result = lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks", count);
	else if (strays > 0)
		qsort(ids, strays, sizeof(*ids), by_id);
	if (result == LO_OK && strays > 0)
		result = trace_states_of(
				columns->reader, begin_ns, ids, strays, states, NULL, NULL, err);
	for (uint32_t i = 0; result == LO_OK && strays > 0 && i < count; i++) {
		const uint32_t *at = bsearch(&touched[i].task, ids, strays, sizeof(*ids), by_id);

		if (at)
			now[i].state = states[at - ids].state;
	}
	free(ids);
	free(states);
	return result;
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
	result = drop_strays(columns, block, now, begin_ns, err);
	if (result == LO_OK)
		run_events(columns, block, now, begin_ns, part->span);
	free(now);
	columns->next_block = part->block + 1;
	return result;
}

static enum lo_result add_block(
		struct columns *columns, const struct tile_part *part, struct lo_error *err)
{
	const struct cached_block *block = NULL;
	enum lo_result result = seed(columns, part->block, err);

	if (result == LO_OK)
		result = trace_block_acquire(columns->reader, part->block, &block, err);
	if (result == LO_OK)
		result = add_events(columns, part, block,
				block_entry(columns, part->block)->begin_ns, err);
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
				&plan, &overview->tiles, span, columns, OVERVIEW_EVENTS, true, err);
	for (uint32_t i = 0; i < columns; i++)
		out[i] = (struct overview_column){ 0 };
	for (uint32_t i = 0; i < plan.count && result == LO_OK; i++)
		result = add_part(&answer, &plan.parts[i], err);
	live_tasks_free(answer.tasks);
	tile_plan_release(&plan);
	overview_view_release(&view);
	return result;
}
