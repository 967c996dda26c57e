#include <stdlib.h>
#include <string.h>

#include "formats/base/id_index.h"
#include "formats/native/overview_parts.h"
#include "formats/native/snapshot.h"
#include "formats/native/trace_states.h"

/*
 * Rows of cells. For each row, time goes by in parts: tiles with a row of the task, stretches in
 * which it did nothing, events one by one, and what is not known. Its state is carried along; where
 * it did nothing but nobody knows in what state, the stretch stays open until the next thing that
 * is known of the task tells.
 */

/* What is known of one column of a row, in nanoseconds. */
struct cell_sum {
	double active;
	double blocked;
	double absent;
	double unknown;
	double error;
	double longest;
	uint8_t reason;
	uint8_t changes;
	uint8_t ended;
};

/* One row of the answer. */
struct lane {
	uint32_t task;
	struct cell_sum *sums;

	/* The state where the parts have come to. */
	bool known;
	uint8_t state; /* enum tile_state */
	uint8_t reason;
	bool gone; /* and if it is absent: it was there */
	bool open; /* nothing happened since open_ns, but the state is not known */
	uint64_t open_ns;

	/* It did not change its state from here to the end of the view. */
	uint64_t constant_ns;
	uint8_t constant_state;
	uint8_t constant_reason;

	/* A wait that goes on over several bins. */
	uint64_t run_begin_ns;
	uint64_t run_end_ns;
	uint8_t run_reason;

	uint64_t now_ns; /* within a block */
};

struct rows {
	struct trace_reader *reader;
	const struct overview_view *view;
	struct lane *rows; /* ascending tasks */
	uint32_t count;
	struct cell_sum *sums;
	struct id_index by_task; /* position + 1 */
	uint64_t classes[64];    /* which of 64 x 64 classes of ids have one: most have none */
	uint64_t end_ns;         /* of what was watched */

	/* The snapshot within the view that was needed last; one is mostly good for many rows. */
	const struct snapshot *snapshot;
	uint32_t snapshot_section;
	uint32_t snapshots_left; /* that may still be loaded */
};

/* ---- sums ---- */

static void add_changes(struct cell_sum *sum, unsigned changes)
{
	sum->changes = (uint8_t)(sum->changes + changes < UINT8_MAX ? sum->changes + changes
								    : UINT8_MAX);
}

static void suggest_reason(struct cell_sum *sum, double length_ns, uint8_t reason)
{
	if (length_ns <= sum->longest)
		return;
	sum->longest = length_ns;
	sum->reason = reason;
}

static struct time_span intersection(struct time_span a, struct time_span b)
{
	struct time_span both = { a.begin_ns > b.begin_ns ? a.begin_ns : b.begin_ns,
		a.end_ns < b.end_ns ? a.end_ns : b.end_ns };

	if (both.end_ns < both.begin_ns)
		both.end_ns = both.begin_ns;
	return both;
}

/* Moves the wait that goes on; a part of it is the longest so far, perhaps. */
static void go_on_waiting(struct lane *row, struct time_span span, uint8_t reason)
{
	if (row->run_end_ns != span.begin_ns || row->run_reason != reason)
		row->run_begin_ns = span.begin_ns;
	row->run_end_ns = span.end_ns;
	row->run_reason = reason;
}

/* A stretch in one state, exactly. */
static void add_state(const struct rows *rows, struct lane *row, struct time_span span,
		uint8_t state, uint8_t reason)
{
	const struct overview_view *view = rows->view;

	if (span.begin_ns >= span.end_ns)
		return;
	if (state == TILE_BLOCKED)
		go_on_waiting(row, span, reason);
	for (uint32_t i = overview_column_at(view, span.begin_ns);
			i < view->columns && view->edges[i] < span.end_ns; i++) {
		struct time_span column = overview_column_span(view, i);
		struct cell_sum *sum = &row->sums[i];
		double length_ns = (double)overview_overlap(column, span);

		if (state == TILE_ACTIVE)
			sum->active += length_ns;
		else if (state == TILE_ABSENT)
			sum->absent += length_ns;
		if (state != TILE_BLOCKED)
			continue;
		sum->blocked += length_ns;
		suggest_reason(sum,
				(double)overview_overlap(
						column, (struct time_span){ row->run_begin_ns,
									span.end_ns }),
				reason);
	}
}

static void add_unknown(const struct rows *rows, struct lane *row, struct time_span span)
{
	const struct overview_view *view = rows->view;

	for (uint32_t i = overview_column_at(view, span.begin_ns);
			i < view->columns && view->edges[i] < span.end_ns; i++)
		row->sums[i].unknown += (double)overview_overlap(
				overview_column_span(view, i), span);
}

/*
 * A stretch of which a share was blocked, nobody knows which part of it. The share may be off by a
 * 28th, and of what a column has of the stretch all or nothing may have been blocked.
 */
static void add_share(const struct rows *rows, struct lane *row, struct time_span stretch,
		struct time_span clip, const struct tile_cell *cell)
{
	const struct overview_view *view = rows->view;
	struct time_span span = intersection(stretch, clip);
	double share = tile_share_28(cell->share) / 28.0;
	double whole = (double)time_span_length(stretch);

	for (uint32_t i = overview_column_at(view, span.begin_ns);
			i < view->columns && view->edges[i] < span.end_ns; i++) {
		double part = (double)overview_overlap(overview_column_span(view, i), span);
		double least = (share - 1 / 28.0) * whole - (whole - part);
		double most = (share + 1 / 28.0) * whole;
		double guess = share * part;
		struct cell_sum *sum = &row->sums[i];

		least = least > 0 ? least : 0;
		most = most < part ? most : part;
		sum->blocked += guess;
		sum->active += part - guess;
		sum->error += most - guess > guess - least ? most - guess : guess - least;
		suggest_reason(sum, guess, cell->reason);
	}
}

/* In each column that the span reaches into. */
static void add_changes_in(
		const struct rows *rows, struct lane *row, struct time_span span, unsigned changes)
{
	const struct overview_view *view = rows->view;

	if (changes == 0)
		return;
	for (uint32_t i = overview_column_at(view, span.begin_ns);
			i < view->columns && view->edges[i] < span.end_ns; i++)
		add_changes(&row->sums[i], changes);
}

/* What happens at the very end of the trace is still shown. */
static struct cell_sum *sum_at(const struct rows *rows, struct lane *row, uint64_t time_ns)
{
	uint32_t column = overview_column_at(rows->view, time_ns);

	if (column == rows->view->columns)
		column--;
	return &row->sums[column];
}

/* ---- states ---- */

/* From here on the state is known; so it is for the time before in which nothing happened. */
static void learn(const struct rows *rows, struct lane *row, uint64_t now_ns, uint8_t state,
		uint8_t reason)
{
	if (row->open)
		add_state(rows, row, (struct time_span){ row->open_ns, now_ns }, state, reason);
	row->open = false;
	row->known = true;
	row->state = state;
	row->reason = reason;
}

/* Snapshots that are loaded within a view: each may be of 100,000 tasks, and take a millisecond. */
#define SNAPSHOTS_MOST 8u

/* The last snapshot up to a time; NULL when it is before `from_ns`, or too many were loaded. */
static const struct snapshot *find_snapshot(struct rows *rows, uint64_t from_ns, uint64_t to_ns)
{
	const struct section_list *sections = trace_reader_sections(rows->reader);
	uint32_t count;
	const uint32_t *snapshots = section_list_of(sections, SECTION_SNAPSHOT, &count);
	const void *snapshot = NULL;
	uint32_t low = 0;
	uint32_t high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (sections->entries[snapshots[middle]].begin_ns <= to_ns)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || sections->entries[snapshots[low - 1]].begin_ns < from_ns)
		return NULL;
	if (rows->snapshot && rows->snapshot_section == snapshots[low - 1])
		return rows->snapshot;
	if (rows->snapshots_left == 0 ||
			trace_section_acquire(rows->reader, snapshots[low - 1], &snapshot_decoder,
					&snapshot, NULL) != LO_OK)
		return NULL;
	if (rows->snapshot)
		trace_section_release(rows->reader, rows->snapshot_section);
	rows->snapshots_left--;
	rows->snapshot = snapshot;
	rows->snapshot_section = snapshots[low - 1];
	return snapshot;
}

/* The state of a stretch in which nothing happened stands in every snapshot of that time. */
static void ask_snapshot(struct rows *rows, struct lane *row, uint64_t now_ns)
{
	const struct snapshot *snapshot = find_snapshot(rows, row->open_ns, now_ns);
	const struct snapshot_task *task = snapshot ? snapshot_find(snapshot, row->task) : NULL;

	if (!snapshot)
		return;
	row->gone = !task && snapshot_has_exited(snapshot, row->task);
	learn(rows, row, now_ns,
			!task           ? TILE_ABSENT
			: task->blocked ? TILE_BLOCKED
					: TILE_ACTIVE,
			task ? task->reason : 0);
}

/* Something happens: what the stretch up to now was like must be found out now or not at all. */
static void settle(struct rows *rows, struct lane *row, uint64_t now_ns)
{
	if (row->open)
		ask_snapshot(rows, row, now_ns);
	if (row->open)
		add_unknown(rows, row, (struct time_span){ row->open_ns, now_ns });
	row->open = false;
}

static void forget(struct rows *rows, struct lane *row, uint64_t now_ns)
{
	settle(rows, row, now_ns);
	row->known = false;
}

/* Nothing happens. */
static void stay(const struct rows *rows, struct lane *row, struct time_span span)
{
	if (span.begin_ns >= span.end_ns)
		return;
	if (!row->known && row->constant_ns <= span.begin_ns)
		learn(rows, row, span.begin_ns, row->constant_state, row->constant_reason);
	if (row->known) {
		add_state(rows, row, span, row->state, row->reason);
	} else if (!row->open) {
		row->open = true;
		row->open_ns = span.begin_ns;
	}
}

static void stay_or_forget(struct rows *rows, struct lane *row, struct time_span span, bool stays)
{
	if (stays || row->constant_ns <= span.begin_ns) {
		stay(rows, row, span);
		return;
	}
	forget(rows, row, span.begin_ns);
	add_unknown(rows, row, span);
}

/* ---- tiles ---- */

/* How far births and deaths may be off. */
static uint64_t life_unit(const struct tile_grid *grid)
{
	return grid->shift > 8 ? (uint64_t)1 << (grid->shift - 8) : 1;
}

static void add_bin(const struct rows *rows, struct lane *row, const struct tile *tile,
		const struct tile_row *from, uint32_t bin, struct time_span clip)
{
	struct time_span whole = { tile_bin_begin(&tile->grid, bin),
		tile_bin_end(&tile->grid, bin) };
	struct time_span life = { from->birth_ns, from->death_ns };
	struct time_span alive = intersection(whole, life);
	const struct tile_cell *cell = &from->cells[bin];
	struct time_span seen = intersection(whole, clip);
	unsigned changes = cell->changes;

	if (seen.begin_ns >= seen.end_ns)
		return;
	add_state(rows, row,
			intersection(clip, (struct time_span){ whole.begin_ns, alive.begin_ns }),
			TILE_ABSENT, 0);
	add_state(rows, row, intersection(clip, (struct time_span){ alive.end_ns, whole.end_ns }),
			TILE_ABSENT, 0);
	if (cell->share == 0 || cell->share == TILE_SHARE_ALL)
		add_state(rows, row, intersection(alive, clip),
				cell->share ? TILE_BLOCKED : TILE_ACTIVE, cell->reason);
	else
		add_share(rows, row, alive, clip, cell);
	if (changes == 0 && cell->share != 0 && cell->share != TILE_SHARE_ALL)
		changes = 1;
	add_changes_in(rows, row, seen, changes);
}

/* A birth or death was within this span. */
static void add_life_error(const struct rows *rows, struct lane *row, struct time_span span)
{
	const struct overview_view *view = rows->view;

	for (uint32_t i = overview_column_at(view, span.begin_ns);
			i < view->columns && view->edges[i] < span.end_ns; i++)
		row->sums[i].error += (double)time_span_length(span);
}

static void add_birth(const struct rows *rows, struct lane *row, const struct tile *tile,
		uint64_t birth_ns)
{
	add_life_error(rows, row,
			(struct time_span){ birth_ns, birth_ns + life_unit(&tile->grid) });
}

static void add_death(const struct rows *rows, struct lane *row, const struct tile *tile,
		uint64_t death_ns)
{
	uint64_t unit_ns = life_unit(&tile->grid);

	sum_at(rows, row, death_ns > 0 ? death_ns - 1 : 0)->ended = 1;
	add_life_error(rows, row,
			(struct time_span){
					death_ns > unit_ns ? death_ns - unit_ns : 0, death_ns });
}

static void add_tile_row(struct rows *rows, struct lane *row, const struct tile *tile,
		const struct tile_row *from, struct time_span span)
{
	uint32_t first = tile_grid_bin(&tile->grid, span.begin_ns);

	if (span.begin_ns == tile->grid.begin_ns)
		learn(rows, row, span.begin_ns, from->start, from->start_reason);
	else
		forget(rows, row, span.begin_ns);
	for (uint32_t i = first;
			i < tile->grid.bins && tile_bin_begin(&tile->grid, i) < span.end_ns; i++)
		add_bin(rows, row, tile, from, i, span);
	if (from->start == TILE_ABSENT && time_span_contains(span, from->birth_ns))
		add_birth(rows, row, tile, from->birth_ns);
	if (from->end == TILE_ABSENT && from->death_ns > span.begin_ns &&
			from->death_ns <= span.end_ns)
		add_death(rows, row, tile, from->death_ns);
	row->known = span.end_ns == tile->grid.end_ns;
	row->state = from->end;
	row->reason = from->end_reason;
	row->gone = from->end == TILE_ABSENT;
}

/* What the state is may be known from before the view, if it begins within the tile. */
static void stay_in_tile(const struct rows *rows, struct lane *row, const struct tile *tile,
		struct time_span span)
{
	bool opens = !row->open;

	stay(rows, row, span);
	if (opens && row->open)
		row->open_ns = tile->grid.begin_ns;
}

static void add_tile(struct rows *rows, const struct tile *tile, struct time_span span)
{
	for (uint32_t i = 0; i < rows->count; i++) {
		struct lane *row = &rows->rows[i];
		const struct tile_row *from = tile_find_row(tile, row->task);

		if (from)
			add_tile_row(rows, row, tile, from, span);
		else if (tile_may_touch(tile, row->task))
			stay_or_forget(rows, row, span, false);
		else
			stay_in_tile(rows, row, tile, span);
	}
}

/* ---- events ---- */

static struct lane *find_row(const struct rows *rows, uint32_t task)
{
	uint32_t hash;
	uint32_t probe;

	if (!(rows->classes[task / 64 % 64] >> task % 64 & 1))
		return NULL;
	hash = id_hash(task, 0);
	for (uint32_t at = id_index_first(&rows->by_task, hash, &probe); at != 0;
			at = id_index_next(&rows->by_task, hash, &probe))
		if (rows->rows[at - 1].task == task)
			return &rows->rows[at - 1];
	return NULL;
}

static unsigned count_changes(const struct event *event, uint8_t before)
{
	unsigned waits = before == LIVE_BLOCKED;

	/* Whoever is there at the start of the trace did not come then. */
	waits += (before == LIVE_ABSENT || before == LIVE_EXITED) && event->time_ns > 0;
	return waits + (event->kind == EVENT_BLOCK || event->kind == EVENT_EXIT);
}

static uint8_t tile_state_of(uint8_t live)
{
	return live == LIVE_BLOCKED  ? TILE_BLOCKED
	       : live == LIVE_ACTIVE ? TILE_ACTIVE
				     : TILE_ABSENT;
}

/* Who has an event is there, if nothing else is known. */
static uint8_t live_state_of(const struct lane *row)
{
	if (row->known && row->state == TILE_ABSENT)
		return row->gone ? LIVE_EXITED : LIVE_ABSENT;
	return row->known && row->state == TILE_BLOCKED ? LIVE_BLOCKED : LIVE_ACTIVE;
}

static void add_event(struct rows *rows, struct lane *row, const struct event *event)
{
	struct live_task task = { .reason = row->reason };
	struct time_span span = { row->now_ns, event->time_ns };
	struct cell_sum *sum;
	uint8_t before;

	stay(rows, row, span);
	if (row->now_ns < event->time_ns)
		row->now_ns = event->time_ns;
	settle(rows, row, row->now_ns);
	task.state = live_state_of(row);
	before = task.state;
	if (!live_task_step(&task, event, 0) && row->known)
		return;
	sum = sum_at(rows, row, event->time_ns);
	add_changes(sum, count_changes(event, before));
	sum->ended |= task.state == LIVE_EXITED;
	row->known = true;
	row->reason = task.reason;
	row->state = tile_state_of(task.state);
	row->gone = task.state == LIVE_EXITED;
}

static void add_events(struct rows *rows, const struct cached_block *block, struct time_span span)
{
	bool to_the_end = rows->view->span.end_ns >= rows->end_ns;

	for (uint32_t i = 0; i < rows->count; i++)
		rows->rows[i].now_ns = span.begin_ns;
	for (uint32_t i = 0; i < block->count; i++) {
		const struct event *event = &block->events[i];
		struct lane *row = find_row(rows, event->task);

		if (row && event->time_ns >= span.begin_ns &&
				(event->time_ns < rows->view->span.end_ns || to_the_end))
			add_event(rows, row, event);
	}
	for (uint32_t i = 0; i < rows->count; i++)
		stay(rows, &rows->rows[i], (struct time_span){ rows->rows[i].now_ns, span.end_ns });
}

/* The damaged block is in the list of damage; a tile may still tell something. */
static enum lo_result add_block(
		struct rows *rows, const struct tile_part *part, struct lo_error *err)
{
	const struct cached_block *block = NULL;
	enum lo_result result = trace_block_acquire(rows->reader, part->block, &block, err);

	if (result == LO_OK) {
		add_events(rows, block, part->span);
		trace_block_release(rows->reader, block);
		return LO_OK;
	}
	if (result != LO_CORRUPT)
		return result;
	for (uint32_t i = 0; i < rows->count && !part->tile; i++)
		stay_or_forget(rows, &rows->rows[i], part->span, false);
	if (part->tile)
		add_tile(rows, part->tile, part->span);
	return LO_OK;
}

/* ---- parts ---- */

/* Behind the end of what was watched there is nobody. */
static void add_quiet(const struct rows *rows, struct time_span span)
{
	struct time_span watched = intersection(span, (struct time_span){ 0, rows->end_ns });

	for (uint32_t i = 0; i < rows->count; i++) {
		struct lane *row = &rows->rows[i];

		stay(rows, row, watched);
		add_state(rows, row, (struct time_span){ watched.end_ns, span.end_ns }, TILE_ABSENT,
				0);
	}
}

static enum lo_result add_part(
		struct rows *rows, const struct tile_part *part, struct lo_error *err)
{
	switch (part->kind) {
	case TILE_PART_BLOCK:
		return add_block(rows, part, err);
	case TILE_PART_TILE:
		add_tile(rows, part->tile, part->span);
		break;
	case TILE_PART_QUIET:
		add_quiet(rows, part->span);
		break;
	case TILE_PART_UNKNOWN:
		for (uint32_t i = 0; i < rows->count; i++)
			stay_or_forget(rows, &rows->rows[i], part->span, false);
		break;
	}
	return LO_OK;
}

/* ---- before and behind ---- */

uint64_t overview_events_since_snapshot(const struct trace_reader *reader, uint64_t time_ns)
{
	const struct section_list *sections = trace_reader_sections(reader);
	uint32_t block_count;
	uint32_t count;
	const uint32_t *blocks = section_list_of(sections, SECTION_BLOCK, &block_count);
	const uint32_t *snapshots = section_list_of(sections, SECTION_SNAPSHOT, &count);
	uint32_t number = trace_block_at(reader, time_ns);
	uint64_t events = 0;

	while (count > 0 && number < block_count && snapshots[count - 1] > blocks[number])
		count--;
	while (number > 0 && events <= OVERVIEW_REPLAY_EVENTS &&
			(count == 0 || blocks[number - 1] > snapshots[count - 1]))
		events += sections->entries[blocks[--number]].rows + TILE_BLOCK_COST;
	return events;
}

/* Who was gone in the last snapshot before the view is gone. */
static void look_for_exited(struct rows *rows)
{
	const struct snapshot *snapshot = find_snapshot(rows, 0, rows->view->span.begin_ns);

	for (uint32_t i = 0; snapshot && i < rows->count; i++) {
		if (!snapshot_has_exited(snapshot, rows->rows[i].task))
			continue;
		rows->rows[i].known = rows->rows[i].gone = true;
		rows->rows[i].constant_ns = 0;
		rows->rows[i].constant_state = TILE_ABSENT;
	}
}

/* The states at the begin of the view, if that is quick to know. */
static enum lo_result look_before(struct rows *rows, bool whatever_it_takes,
		const struct progress *progress, struct lo_error *err)
{
	uint64_t begin_ns = rows->view->span.begin_ns;
	struct task_state_at *states;
	uint32_t *tasks;
	bool uncertain = false;
	enum lo_result result = LO_OK;

	if (!whatever_it_takes && overview_events_since_snapshot(rows->reader, begin_ns) >
						  OVERVIEW_REPLAY_EVENTS) {
		look_for_exited(rows);
		return LO_OK;
	}
	states = malloc(rows->count * sizeof(*states));
	tasks = malloc(rows->count * sizeof(*tasks));
	if (states && tasks) {
		for (uint32_t i = 0; i < rows->count; i++)
			tasks[i] = rows->rows[i].task;
		result = trace_states_of(rows->reader, begin_ns, tasks, rows->count, states,
				&uncertain, progress, err);
	} else {
		result = lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u rows",
				rows->count);
	}
	for (uint32_t i = 0; i < rows->count && result == LO_OK && !uncertain; i++) {
		struct lane *row = &rows->rows[i];

		row->known = true;
		row->state = tile_state_of(states[i].state);
		row->reason = states[i].reason;
		row->gone = states[i].state == LIVE_EXITED;
		if (row->gone) {
			row->constant_ns = 0;
			row->constant_state = TILE_ABSENT;
		}
	}
	free(states);
	free(tasks);
	return result;
}

/* When the block with a sequence number ends. */
static uint64_t end_of_section(const struct section_list *sections, uint32_t sequence)
{
	uint32_t low = 0;
	uint32_t high = sections->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (sections->entries[middle].sequence < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == sections->count || sections->entries[low].sequence != sequence ||
			sections->entries[low].type != SECTION_BLOCK)
		return UINT64_MAX;
	return sections->entries[low].end_ns;
}

static void learn_from_behind(struct rows *rows, const struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < rows->count; i++) {
		struct lane *row = &rows->rows[i];
		const struct snapshot_task *task = snapshot_find(snapshot, row->task);

		if (task) {
			row->constant_ns = end_of_section(
					trace_reader_sections(rows->reader), task->changed);
			row->constant_state = task->blocked ? TILE_BLOCKED : TILE_ACTIVE;
			row->constant_reason = task->reason;
		} else if (!snapshot_has_exited(snapshot, row->task)) {
			row->constant_ns = 0;
			row->constant_state = TILE_ABSENT;
		}
	}
}

/* Who is stuck is found in the first snapshot behind the view, with how long it has been so. */
static enum lo_result look_behind(struct rows *rows, struct lo_error *err)
{
	const struct section_list *sections = trace_reader_sections(rows->reader);
	uint32_t block_count;
	uint32_t count;
	const uint32_t *blocks = section_list_of(sections, SECTION_BLOCK, &block_count);
	const uint32_t *snapshots = section_list_of(sections, SECTION_SNAPSHOT, &count);
	uint32_t last = trace_block_at(rows->reader, rows->view->span.end_ns);
	uint32_t low = 0;
	uint32_t high = count;
	const void *snapshot = NULL;
	enum lo_result result;

	if (block_count == 0)
		return LO_OK;
	if (last == block_count)
		last--;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (snapshots[middle] < blocks[last])
			low = middle + 1;
		else
			high = middle;
	}
	if (low == count)
		return LO_OK;
	result = trace_section_acquire(
			rows->reader, snapshots[low], &snapshot_decoder, &snapshot, err);
	if (result != LO_OK)
		return result == LO_CORRUPT ? LO_OK : result;
	learn_from_behind(rows, snapshot);
	trace_section_release(rows->reader, snapshots[low]);
	return LO_OK;
}

/* ---- cells ---- */

static uint8_t share(double part, double whole)
{
	double exact;

	if (part <= 0)
		return 0;
	if (part >= whole)
		return UINT8_MAX;
	exact = part / whole * UINT8_MAX + 0.5;
	return exact < 1 ? 1 : exact < UINT8_MAX - 1 ? (uint8_t)exact : UINT8_MAX - 1;
}

static void fill_cell(struct overview_cell *cell, const struct cell_sum *sum, double width)
{
	double error = sum->error / width * UINT8_MAX + 1.5;

	*cell = (struct overview_cell){
		.active = share(sum->active, width),
		.blocked = share(sum->blocked, width),
		.absent = share(sum->absent, width),
		.changes = sum->changes,
		.reason = sum->reason,
		.ended = sum->ended,
		.pending = sum->unknown > 0,
		.error = (uint8_t)(error < UINT8_MAX ? error : UINT8_MAX),
	};
}

static void fill_cells(const struct rows *rows, struct overview_cell *cells)
{
	const struct overview_view *view = rows->view;

	for (uint32_t i = 0; i < rows->count; i++) {
		size_t first = (size_t)(rows->rows[i].sums - rows->sums);

		for (uint32_t k = 0; k < view->columns; k++)
			fill_cell(&cells[first + k], &rows->rows[i].sums[k],
					(double)time_span_length(overview_column_span(view, k)));
	}
}

/* ---- all together ---- */

static int by_task(const void *a, const void *b)
{
	const struct lane *left = a;
	const struct lane *right = b;

	return (left->task > right->task) - (left->task < right->task);
}

static enum lo_result rows_init(struct rows *rows, struct trace_overview *overview,
		const struct overview_view *view, const uint32_t *tasks, uint32_t count,
		struct lo_error *err)
{
	enum lo_result result = LO_OK;

	*rows = (struct rows){ .reader = overview->reader,
		.view = view,
		.count = count,
		.snapshots_left = SNAPSHOTS_MOST };
	rows->end_ns = trace_reader_info(overview->reader)->duration_ns;
	rows->rows = calloc((size_t)count + 1, sizeof(*rows->rows));
	rows->sums = calloc((size_t)count * view->columns + 1, sizeof(*rows->sums));
	if (!rows->rows || !rows->sums)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u rows", count);
	for (uint32_t i = 0; i < count; i++)
		rows->rows[i] = (struct lane){ .task = tasks[i],
			.sums = rows->sums + (size_t)i * view->columns,
			.constant_ns = UINT64_MAX };
	qsort(rows->rows, count, sizeof(*rows->rows), by_task);
	for (uint32_t i = 0; i < count; i++)
		rows->classes[tasks[i] / 64 % 64] |= 1ull << tasks[i] % 64;
	for (uint32_t i = 0; i < count && result == LO_OK; i++)
		result = id_index_add(&rows->by_task, id_hash(rows->rows[i].task, 0), i + 1, err);
	return result;
}

static void rows_release(struct rows *rows)
{
	if (rows->snapshot)
		trace_section_release(rows->reader, rows->snapshot_section);
	id_index_release(&rows->by_task);
	free(rows->rows);
	free(rows->sums);
}

/* Where nothing happens in the last tile, a snapshot from behind the view is as good. */
static void close_row(struct rows *rows, struct lane *row, const struct tile_plan *plan)
{
	const struct tile *tile = plan->count > 0 ? plan->parts[plan->count - 1].tile : NULL;
	uint64_t end_ns = plan->view.end_ns;

	if (tile && !tile_may_touch(tile, row->task) && tile->grid.end_ns > end_ns)
		end_ns = tile->grid.end_ns;
	settle(rows, row, end_ns);
}

static enum lo_result run_plan(struct rows *rows, const struct tile_plan *plan,
		const struct progress *progress, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < plan->count && result == LO_OK; i++) {
		result = add_part(rows, &plan->parts[i], err);
		if (result == LO_OK && !progress_step(progress, i, plan->count))
			result = lo_fail(err, LO_CANCELLED, LO_NO_OFFSET, "stopped");
	}
	for (uint32_t i = 0; i < rows->count && result == LO_OK; i++)
		close_row(rows, &rows->rows[i], plan);
	return result;
}

static enum lo_result answer(struct trace_overview *overview, struct rows *rows,
		uint64_t events_most, const struct progress *progress, struct lo_error *err)
{
	bool exactly = events_most == UINT64_MAX;
	struct tile_plan plan = { 0 };
	enum lo_result result = look_before(rows, exactly, progress, err);

	if (result == LO_OK && !exactly)
		result = look_behind(rows, err);
	if (result == LO_OK)
		result = tile_plan_make(&plan, &overview->tiles, rows->view->span,
				rows->view->columns, events_most, false, err);
	if (result == LO_OK)
		result = run_plan(rows, &plan, progress, err);
	tile_plan_release(&plan);
	return result;
}

enum lo_result overview_rows_in_view(struct trace_overview *overview, const uint32_t *tasks,
		uint32_t count, const struct overview_view *view, uint64_t events_most,
		struct overview_cell *cells, const struct progress *progress, struct lo_error *err)
{
	struct rows rows = { 0 };
	enum lo_result result = rows_init(&rows, overview, view, tasks, count, err);

	if (result == LO_OK && count > 0)
		result = answer(overview, &rows, events_most, progress, err);
	if (result == LO_OK)
		fill_cells(&rows, cells);
	rows_release(&rows);
	return result;
}

static enum lo_result query(struct trace_overview *overview, const uint32_t *tasks, uint32_t rows,
		struct time_span span, uint32_t columns, uint64_t events_most,
		struct overview_cell *cells, const struct progress *progress, struct lo_error *err)
{
	struct overview_view view;
	enum lo_result result = overview_view_init(&view, span, columns, err);

	if (result == LO_OK)
		result = overview_rows_in_view(
				overview, tasks, rows, &view, events_most, cells, progress, err);
	overview_view_release(&view);
	return result;
}

enum lo_result trace_overview_rows(struct trace_overview *overview, const uint32_t *tasks,
		uint32_t rows, struct time_span span, uint32_t columns, struct overview_cell *cells,
		struct lo_error *err)
{
	return query(overview, tasks, rows, span, columns, OVERVIEW_EVENTS, cells, NULL, err);
}

enum lo_result trace_overview_rows_exactly(struct trace_overview *overview, const uint32_t *tasks,
		uint32_t rows, struct time_span span, uint32_t columns, struct overview_cell *cells,
		const struct progress *progress, struct lo_error *err)
{
	return query(overview, tasks, rows, span, columns, UINT64_MAX, cells, progress, err);
}
