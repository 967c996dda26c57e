#include "viewer/analysis/lane_query.h"

#include "formats/native/trace_cursor.h"
#include "viewer/analysis/lane_index.h"
#include "viewer/analysis/lane_window.h"

#define SHARE_WHOLE 255u

/* The edge before column `i`, in nanoseconds. */
static uint64_t edge(struct time_span span, uint32_t columns, uint32_t i)
{
	__extension__ unsigned __int128 offset = (unsigned __int128)time_span_length(span) * i /
						 columns;

	return span.begin_ns + (uint64_t)offset;
}

/* At least one tick wide: however far one zooms in, a column shows some state. */
static struct tick_span column_span(
		const struct lane_index *index, struct time_span span, uint32_t columns, uint32_t i)
{
	struct tick_span column = { lane_ticks(index, edge(span, columns, i)),
		lane_ticks(index, edge(span, columns, i + 1)) };

	if (column.end <= column.begin)
		column.end = column.begin + 1;
	return column;
}

/* What is something never becomes nothing, and what is not all never becomes all. */
static uint8_t share(uint64_t part, uint64_t whole)
{
	double exact;

	if (part == 0)
		return 0;
	if (part >= whole)
		return SHARE_WHOLE;
	exact = (double)part / (double)whole * SHARE_WHOLE + 0.5;
	if (exact < 1)
		return 1;
	return exact < SHARE_WHOLE - 1 ? (uint8_t)exact : SHARE_WHOLE - 1;
}

static struct tick_span intersect(struct tick_span a, struct tick_span b)
{
	struct tick_span both = { a.begin > b.begin ? a.begin : b.begin,
		a.end < b.end ? a.end : b.end };

	if (both.end < both.begin)
		both.end = both.begin;
	return both;
}

/* One row of a query. */
struct row {
	const struct lane_index *index;
	const struct lane *lane;
	uint32_t task;
	struct tick_span life;
	bool exits;
};

static bool falls_in(const struct row *row, uint64_t tick, struct tick_span column)
{
	uint64_t end = lane_ticks(row->index, row->index->analysis->duration_ns);

	/* What happens at the very end of the trace is still shown. */
	return column.begin <= tick &&
	       (tick < column.end || (tick == column.end && column.end == end));
}

static void add_changes(const struct row *row, struct tick_span column, struct lane_cell *cell)
{
	unsigned changes = cell->changes;

	changes += row->life.begin > 0 && falls_in(row, row->life.begin, column);
	cell->ended = row->exits && falls_in(row, row->life.end, column);
	changes += cell->ended;
	cell->changes = (uint8_t)(changes < UINT8_MAX ? changes : UINT8_MAX);
}

/* Fills a cell; false when the index is too coarse for it, and then what is exact is filled. */
static bool fill_cell(const struct row *row, struct tick_span column, struct lane_cell *cell)
{
	struct tick_span alive = intersect(column, row->life);
	uint64_t width = column.end - column.begin;
	uint64_t there = alive.end - alive.begin;
	struct lane_column found = { 0 };

	*cell = (struct lane_cell){ 0 };
	if (there > 0)
		found = lane_column_at(row->lane, alive);
	cell->absent = share(width - there, width);
	cell->blocked = share(found.blocked, width);
	cell->active = share(there - found.blocked, width);
	cell->reason = found.reason;
	cell->changes = found.changes;
	add_changes(row, column, cell);
	/* Half a step of a share; rounding takes the other half. */
	return found.uncertain <= width / (2 * SHARE_WHOLE);
}

static struct row make_row(const struct lane_index *index, uint32_t task)
{
	static const struct lane no_waits;
	bool known = task < index->limit;

	return (struct row){
		.index = index,
		.lane = known ? &index->lanes[task] : &no_waits,
		.task = task,
		.life = lane_life(index, task),
		.exits = known && index->analysis->tasks[task].state == TASK_STATE_EXITED,
	};
}

static void fill_row(const struct lane_index *index, uint32_t task, struct time_span span,
		uint32_t columns, struct lane_cell *cells)
{
	struct row row = make_row(index, task);
	struct tick_span whole = { column_span(index, span, columns, 0).begin,
		column_span(index, span, columns, columns - 1).end };
	bool exact = true;

	for (uint32_t i = 0; i < columns; i++) {
		cells[i].pending = !fill_cell(
				&row, column_span(index, span, columns, i), &cells[i]);
		exact = exact && !cells[i].pending;
	}
	if (exact)
		return;
	row.lane = lane_window_lane(index, task, whole, index->window_events);
	for (uint32_t i = 0; row.lane && i < columns; i++)
		if (cells[i].pending)
			cells[i].pending = !fill_cell(
					&row, column_span(index, span, columns, i), &cells[i]);
}

void lane_query(const struct lane_index *index, const uint32_t *tasks, uint32_t rows,
		struct time_span span, uint32_t columns, struct lane_cell *cells)
{
	for (uint32_t row = 0; row < rows && columns > 0; row++)
		fill_row(index, tasks[row], span, columns, cells + (size_t)row * columns);
}

void lane_alive(const struct lane_index *index, struct time_span span, uint32_t columns,
		uint32_t *alive)
{
	for (uint32_t i = 0; i < columns; i++) {
		struct tick_span column = column_span(index, span, columns, i);

		alive[i] = alive_curve_peak(&index->alive, column.begin, column.end);
	}
}

/* --- one moment
 * ----------------------------------------------------------------------------------- */

/* Finds the event of a task and kind at a tick: the last one, for a state that begins there. */
static bool find_event(const struct lane_index *index, uint32_t task, uint8_t kind, uint64_t tick,
		struct event *found)
{
	struct time_span span = { tick << index->shift, (tick + 1) << index->shift };
	struct trace_cursor *cursor = NULL;
	struct event event;
	bool any = false;

	if (trace_cursor_open(&cursor, index->reader, span, NULL) == LO_OK)
		while (trace_cursor_next(cursor, &event, NULL) == LO_OK)
			if (event.task == task && event.kind == kind) {
				*found = event;
				any = true;
			}
	trace_cursor_close(cursor);
	return any;
}

/* It goes on to the end of the trace. */
static bool is_open(const struct lane_index *index, uint32_t task, const struct lane_wait *wait)
{
	const struct task_summary *summary = &index->analysis->tasks[task];
	struct tick_span span = lane_wait_span(wait);

	return summary->state == TASK_STATE_BLOCKED &&
	       lane_ticks(index, summary->wait.since_ns) == span.begin &&
	       lane_life(index, task).end == span.end;
}

static void fill_blocked(const struct lane_index *index, uint32_t task,
		const struct lane_wait *wait, struct lane_moment *moment)
{
	const struct task_summary *summary = &index->analysis->tasks[task];
	struct tick_span span = lane_wait_span(wait);
	struct event event;

	moment->state = TASK_STATE_BLOCKED;
	moment->begin_ns = span.begin << index->shift;
	moment->end_ns = span.end << index->shift;
	moment->wait = (struct wait){ .since_ns = moment->begin_ns, .reason = wait->reason };
	if (is_open(index, task, wait)) {
		moment->end_ns = UINT64_MAX;
		moment->begin_ns = summary->wait.since_ns;
		moment->wait = summary->wait;
		return;
	}
	if (find_event(index, task, EVENT_BLOCK, span.begin, &event))
		moment->wait = (struct wait){
			.since_ns = event.time_ns,
			.object = event.object,
			.stack = event.stack,
			.holder = event.peer,
			.reason = event.reason,
			.object_kind = event.object_kind,
			.flags = event.flags,
		};
	if (find_event(index, task, EVENT_UNBLOCK, span.end, &event)) {
		moment->end_ns = event.time_ns;
		moment->waker = event.peer;
	}
}

/* Between two waits, or between a wait and the begin or end of the task. */
static void fill_active(const struct lane_index *index, uint32_t task, const struct lane *lane,
		uint32_t next, struct lane_moment *moment)
{
	const struct task_summary *summary = &index->analysis->tasks[task];

	moment->state = TASK_STATE_ACTIVE;
	moment->begin_ns = summary->begin_ns;
	moment->end_ns = summary->end_ns;
	if (next > 0)
		moment->begin_ns = lane_wait_span(&lane->waits[next - 1]).end << index->shift;
	if (next < lane->count)
		moment->end_ns = lane_wait_span(&lane->waits[next]).begin << index->shift;
}

/* The index answers unless the tick is inside of a bundle. */
static const struct lane *lane_at(const struct lane_index *index, uint32_t task, uint64_t tick)
{
	const struct lane *lane = &index->lanes[task];
	uint32_t i = lane_find(lane, tick);

	if (i == lane->count || !lane_wait_is_bundle(&lane->waits[i]) ||
			lane_wait_span(&lane->waits[i]).begin > tick)
		return lane;
	lane = lane_window_lane(index, task, (struct tick_span){ tick, tick + 1 }, UINT64_MAX);
	return lane ? lane : &index->lanes[task];
}

void lane_moment(const struct lane_index *index, uint32_t task, uint64_t time_ns,
		struct lane_moment *moment)
{
	uint64_t tick = lane_ticks(index, time_ns);
	struct tick_span life = lane_life(index, task);
	const struct task_summary *summary;
	const struct lane *lane;
	uint32_t i;

	*moment = (struct lane_moment){ .state = TASK_STATE_ABSENT, .end_ns = UINT64_MAX };
	if (task >= index->limit || life.end == 0)
		return;
	summary = &index->analysis->tasks[task];
	if (time_ns < summary->begin_ns) {
		moment->end_ns = summary->begin_ns;
		moment->waker = summary->creator;
		return;
	}
	if (time_ns >= summary->end_ns) {
		moment->state = TASK_STATE_EXITED;
		moment->begin_ns = summary->end_ns;
		return;
	}
	lane = lane_at(index, task, tick);
	i = lane_find(lane, tick);
	if (i == lane->count && i > 0 && summary->state == TASK_STATE_BLOCKED)
		i--; /* at the very end of the trace, and after it */
	if (i < lane->count && lane_wait_span(&lane->waits[i]).begin <= tick)
		fill_blocked(index, task, &lane->waits[i], moment);
	else
		fill_active(index, task, lane, i, moment);
}
