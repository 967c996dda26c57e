#include "formats/native/tile_sums.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/macros.h"

void tile_sums_release(struct tile_sums *sums)
{
	free(sums->rows);
	free(sums->sites);
	free(sums->places);
	id_index_release(&sums->row_index);
	id_index_release(&sums->site_index);
	id_index_release(&sums->place_index);
	*sums = (struct tile_sums){ 0 };
}

void tile_sums_clear(struct tile_sums *sums)
{
	struct tile_sums empty = { .rows = sums->rows,
		.row_index = sums->row_index,
		.sites = sums->sites,
		.site_index = sums->site_index,
		.places = sums->places,
		.place_index = sums->place_index };

	id_index_clear(&empty.row_index);
	id_index_clear(&empty.site_index);
	id_index_clear(&empty.place_index);
	*sums = empty;
}

/* ---- rows and groups by id ---- */

/* What rows, sites and places have in common: an id in front. */
struct sums_list {
	void *items;
	uint32_t *count;
	struct id_index *index;
	size_t size;
	uint32_t limit;
	bool *failed;
};

static void *item_at(const struct sums_list *list, uint32_t i)
{
	return (char *)list->items + i * list->size;
}

static uint32_t item_id(const struct sums_list *list, uint32_t i)
{
	uint32_t id;

	memcpy(&id, item_at(list, i), sizeof(id));
	return id;
}

static void *find_item(const struct sums_list *list, uint32_t id)
{
	uint32_t hash = id_hash(id, 0);
	uint32_t probe;

	for (uint32_t at = id_index_first(list->index, hash, &probe); at != 0;
			at = id_index_next(list->index, hash, &probe))
		if (item_id(list, at - 1) == id)
			return item_at(list, at - 1);
	return NULL;
}

static void *add_item(struct sums_list *list, uint32_t id)
{
	void *item;

	if (*list->count >= list->limit)
		return NULL;
	if (!list->items || id_index_add(list->index, id_hash(id, 0), *list->count + 1, NULL) !=
					    LO_OK) {
		*list->failed = true;
		return NULL;
	}
	item = item_at(list, (*list->count)++);
	memset(item, 0, list->size);
	memcpy(item, &id, sizeof(id));
	return item;
}

static struct sums_list rows_of(struct tile_sums *sums)
{
	if (!sums->rows)
		sums->rows = malloc(TILE_SUMS_ROWS * sizeof(*sums->rows));
	return (struct sums_list){ sums->rows, &sums->row_count, &sums->row_index,
		sizeof(*sums->rows), TILE_SUMS_ROWS, &sums->failed };
}

static struct sums_list sites_of(struct tile_sums *sums)
{
	if (!sums->sites)
		sums->sites = malloc(TILE_SUMS_GROUPS * sizeof(*sums->sites));
	return (struct sums_list){ sums->sites, &sums->site_count, &sums->site_index,
		sizeof(*sums->sites), TILE_SUMS_GROUPS, &sums->failed };
}

static struct sums_list places_of(struct tile_sums *sums)
{
	if (!sums->places)
		sums->places = malloc(TILE_SUMS_GROUPS * sizeof(*sums->places));
	return (struct sums_list){ sums->places, &sums->place_count, &sums->place_index,
		sizeof(*sums->places), TILE_SUMS_GROUPS, &sums->failed };
}

struct row_sums *tile_sums_row(const struct tile_sums *sums, uint32_t id)
{
	uint32_t hash = id_hash(id, 0);
	uint32_t probe;

	for (uint32_t at = id_index_first(&sums->row_index, hash, &probe); at != 0;
			at = id_index_next(&sums->row_index, hash, &probe))
		if (sums->rows[at - 1].task == id)
			return &sums->rows[at - 1];
	return NULL;
}

struct row_sums *tile_sums_add_row(struct tile_sums *sums, uint32_t task, uint32_t limit)
{
	struct sums_list rows = rows_of(sums);

	if (rows.limit > limit)
		rows.limit = limit;
	return add_item(&rows, task);
}

struct site_sums *tile_sums_site(struct tile_sums *sums, uint32_t stack)
{
	struct sums_list sites = sites_of(sums);
	struct site_sums *site = find_item(&sites, stack);

	if (!site)
		site = add_item(&sites, stack);
	sums->sites_left_out = sums->sites_left_out || !site;
	return site;
}

struct place_sums *tile_sums_place(struct tile_sums *sums, uint32_t stack)
{
	struct sums_list places = places_of(sums);
	struct place_sums *place = find_item(&places, stack);

	if (!place)
		place = add_item(&places, stack);
	sums->places_left_out = sums->places_left_out || !place;
	return place;
}

/* ---- one row ---- */

static uint8_t add_changes(uint8_t changes, unsigned more)
{
	return (uint8_t)(changes + more < TILE_CHANGES_MAX ? changes + more : TILE_CHANGES_MAX);
}

void row_sums_add_change(struct row_sums *row, const struct tile_grid *grid, uint64_t time_ns)
{
	uint32_t bin = tile_grid_bin(grid, time_ns);

	row->bins[bin].changes = add_changes(row->bins[bin].changes, 1);
	row->changes += row->changes < UINT32_MAX;
}

void row_sums_add_wait(struct row_sums *row, const struct tile_grid *grid, uint64_t begin_ns,
		uint64_t end_ns, uint8_t reason)
{
	if (begin_ns < grid->begin_ns)
		begin_ns = grid->begin_ns;
	while (begin_ns < end_ns) {
		uint32_t bin = tile_grid_bin(grid, begin_ns);
		uint64_t bin_end_ns = tile_bin_end(grid, bin);
		uint64_t length_ns = (end_ns < bin_end_ns ? end_ns : bin_end_ns) - begin_ns;

		row->bins[bin].blocked_ns += length_ns;
		if (row->bins[bin].longest_ns < length_ns) {
			row->bins[bin].longest_ns = length_ns;
			row->bins[bin].reason = reason;
		}
		if (end_ns <= bin_end_ns)
			return;
		begin_ns = bin_end_ns;
	}
}

/* A part of a bin, behind what the row has. Waits that meet at a border count as one. */
struct row_part {
	uint64_t width_ns;
	uint64_t blocked_ns;
	uint64_t longest_ns;
	uint8_t reason;
	uint8_t changes;
};

static void append_part(struct row_sums *row, uint32_t bin, const struct row_part *part)
{
	bool whole = part->width_ns > 0 && part->longest_ns == part->width_ns;
	uint64_t longest_ns = part->longest_ns;

	if (whole) {
		if (row->run_bin != bin || row->run_reason != part->reason)
			row->run_ns = 0;
		row->run_ns += part->width_ns;
		longest_ns = row->run_ns;
	} else if (part->width_ns > 0) {
		row->run_ns = 0;
	}
	row->run_bin = (uint8_t)bin;
	row->run_reason = part->reason;
	row->bins[bin].blocked_ns += part->blocked_ns;
	row->bins[bin].changes = add_changes(row->bins[bin].changes, part->changes);
	if (row->bins[bin].longest_ns < longest_ns) {
		row->bins[bin].longest_ns = longest_ns;
		row->bins[bin].reason = part->reason;
	}
}

/* The bins of `next`, which are parts of those of `grid`. */
static void append_bins(struct row_sums *row, const struct tile_grid *grid,
		const struct row_sums *next, const struct tile_grid *next_grid)
{
	for (uint32_t i = 0; i < next_grid->bins; i++) {
		uint64_t begin_ns = tile_bin_begin(next_grid, i);
		struct row_part part = {
			.width_ns = tile_bin_end(next_grid, i) - begin_ns,
			.blocked_ns = next->bins[i].blocked_ns,
			.longest_ns = next->bins[i].longest_ns,
			.reason = next->bins[i].reason,
			.changes = next->bins[i].changes,
		};

		append_part(row, tile_grid_bin(grid, begin_ns), &part);
	}
}

static void append_constant(struct row_sums *row, const struct tile_grid *grid, uint64_t begin_ns,
		uint64_t end_ns, uint8_t state, uint8_t reason)
{
	while (begin_ns < end_ns) {
		uint32_t bin = tile_grid_bin(grid, begin_ns);
		uint64_t bin_end_ns = tile_bin_end(grid, bin);
		uint64_t width_ns = (end_ns < bin_end_ns ? end_ns : bin_end_ns) - begin_ns;
		uint64_t blocked_ns = state == TILE_BLOCKED ? width_ns : 0;

		append_part(row, bin,
				&(struct row_part){ width_ns, blocked_ns, blocked_ns, reason, 0 });
		begin_ns += width_ns;
	}
}

static void append_row(struct row_sums *row, const struct tile_grid *grid,
		const struct row_sums *next, const struct tile_grid *next_grid)
{
	append_bins(row, grid, next, next_grid);
	row->broken = row->broken || next->broken;
	row->changes = next->changes < UINT32_MAX - row->changes ? row->changes + next->changes
								 : UINT32_MAX;
	if (next->born) {
		/* A second life: there is room for one. */
		row->broken = row->broken || row->born || row->start != TILE_ABSENT;
		row->birth_ns = next->birth_ns;
		row->born = true;
	}
	if (next->died) {
		row->death_ns = next->death_ns;
		row->died = true;
	}
	row->end = next->end;
	row->end_reason = next->end_reason;
}

/* ---- all of a tile ---- */

static void regrid_rows(struct tile_sums *sums, const struct tile_grid *old)
{
	for (uint32_t i = 0; i < sums->row_count; i++) {
		struct row_sums row = sums->rows[i];
		struct row_sums *to = &sums->rows[i];

		memset(to->bins, 0, sizeof(to->bins));
		to->run_ns = 0;
		append_bins(to, &sums->grid, &row, old);
	}
}

static void regrid_groups(struct tile_sums *sums, const struct tile_grid *old)
{
	for (uint32_t i = 0; i < sums->site_count; i++) {
		struct site_sums site = sums->sites[i];

		sums->sites[i] = (struct site_sums){ .stack = site.stack };
		for (uint32_t from = 0; from < old->bins; from++) {
			uint32_t bin = tile_grid_bin(&sums->grid, tile_bin_begin(old, from));

			sums->sites[i].created[bin] += site.created[from];
			sums->sites[i].alive_ns[bin] += site.alive_ns[from];
			sums->sites[i].blocked_ns[bin] += site.blocked_ns[from];
		}
	}
	for (uint32_t i = 0; i < sums->place_count; i++) {
		struct place_sums place = sums->places[i];

		memset(sums->places[i].waiting_ns, 0, sizeof(place.waiting_ns));
		for (uint32_t from = 0; from < old->bins; from++)
			sums->places[i].waiting_ns[tile_grid_bin(&sums->grid,
					tile_bin_begin(old, from))] += place.waiting_ns[from];
	}
}

static void add_counts(struct tile_bin *bin, const struct tile_bin *more)
{
	bin->events += more->events;
	bin->created += more->created;
	if (bin->alive < more->alive)
		bin->alive = more->alive;
	if (bin->blocked < more->blocked)
		bin->blocked = more->blocked;
}

static void append_counts(
		struct tile_sums *sums, const struct tile *next, const struct tile_grid *next_grid)
{
	for (uint32_t i = 0; i < next_grid->bins; i++)
		add_counts(&sums->counts.bins[tile_grid_bin(
					   &sums->grid, tile_bin_begin(next_grid, i))],
				&next->bins[i]);
	for (uint32_t i = 0; i < sizeof(next->touched); i++)
		sums->counts.touched[i] |= next->touched[i];
	if (sums->counts.task_max < next->task_max)
		sums->counts.task_max = next->task_max;
	if (next->task_min != 0 &&
			(sums->counts.task_min == 0 || sums->counts.task_min > next->task_min))
		sums->counts.task_min = next->task_min;
}

/* Makes room for what comes up to `end_ns`. Wider bins are made of whole ones. */
static void extend_grid(struct tile_sums *sums, uint64_t end_ns)
{
	struct tile_grid old = sums->grid;
	struct tile counts = { 0 };

	sums->grid = tile_grid_over(old.begin_ns, end_ns);
	if (sums->grid.shift == old.shift)
		return;
	memcpy(counts.bins, sums->counts.bins, sizeof(counts.bins));
	memset(sums->counts.bins, 0, sizeof(sums->counts.bins));
	append_counts(sums, &counts, &old);
	regrid_rows(sums, &old);
	regrid_groups(sums, &old);
}

/* The task of a row did nothing in `next`, which ends now. */
static bool stayed(const struct row_sums *row, const struct tile_sums *next,
		const struct live_tasks *tasks)
{
	const struct live_task *task;

	if (!tile_may_touch(&next->counts, row->task))
		return true;
	task = live_tasks_find(tasks, row->task);
	if (!task)
		return row->end == TILE_ABSENT;
	return row->end != TILE_ABSENT && task->changed < next->first_sequence;
}

static void extend_rows(struct tile_sums *sums, const struct tile_sums *next,
		const struct live_tasks *tasks)
{
	for (uint32_t i = 0; i < sums->row_count; i++) {
		struct row_sums *row = &sums->rows[i];
		const struct row_sums *more = tile_sums_row(next, row->task);

		if (row->broken)
			continue;
		if (more)
			append_row(row, &sums->grid, more, &next->grid);
		else if (stayed(row, next, tasks))
			append_constant(row, &sums->grid, next->grid.begin_ns, next->grid.end_ns,
					row->end, row->end_reason);
		else
			row->broken = true;
	}
}

/* Least number of changes with which not more than `room` rows are left. */
static uint32_t least_changes(const struct tile_sums *next, uint32_t room)
{
	uint32_t rows_with[256] = { 0 };
	uint32_t least = LO_COUNT_OF(rows_with);

	if (next->row_count <= room)
		return 0;
	for (uint32_t i = 0; i < next->row_count; i++) {
		uint32_t changes = next->rows[i].changes;

		rows_with[changes < 255 ? changes : 255]++;
	}
	while (least > 1 && rows_with[least - 1] <= room)
		room -= rows_with[--least];
	return least;
}

/* Tasks that did nothing in this tile before `next`. */
static void adopt_rows(struct tile_sums *sums, const struct tile_sums *next, uint32_t limit)
{
	uint32_t room = sums->row_count < limit ? limit - sums->row_count : 0;
	uint32_t least = least_changes(next, room);

	for (uint32_t i = 0; i < next->row_count && sums->row_count < limit; i++) {
		const struct row_sums *from = &next->rows[i];
		struct row_sums *row;

		if (from->broken || (from->changes < least && from->changes < 255) ||
				(from->start != TILE_ABSENT &&
						from->since >= sums->first_sequence) ||
				tile_sums_row(sums, from->task))
			continue;
		row = tile_sums_add_row(sums, from->task, limit);
		if (!row)
			return;
		row->since = from->since;
		row->start = row->end = from->start;
		row->start_reason = row->end_reason = from->start_reason;
		append_constant(row, &sums->grid, sums->grid.begin_ns, next->grid.begin_ns,
				row->start, row->start_reason);
		append_row(row, &sums->grid, from, &next->grid);
	}
}

static void append_groups(struct tile_sums *sums, const struct tile_sums *next)
{
	for (uint32_t i = 0; i < next->site_count; i++) {
		const struct site_sums *from = &next->sites[i];
		struct site_sums *to = tile_sums_site(sums, from->stack);

		for (uint32_t k = 0; to && k < next->grid.bins; k++) {
			uint32_t bin = tile_grid_bin(&sums->grid, tile_bin_begin(&next->grid, k));

			to->created[bin] += from->created[k];
			to->alive_ns[bin] += from->alive_ns[k];
			to->blocked_ns[bin] += from->blocked_ns[k];
		}
	}
	for (uint32_t i = 0; i < next->place_count; i++) {
		const struct place_sums *from = &next->places[i];
		struct place_sums *to = tile_sums_place(sums, from->stack);

		if (to && from->reason)
			to->reason = from->reason;
		for (uint32_t k = 0; to && k < next->grid.bins; k++)
			to->waiting_ns[tile_grid_bin(&sums->grid,
					tile_bin_begin(&next->grid, k))] += from->waiting_ns[k];
	}
	sums->sites_left_out = sums->sites_left_out || next->sites_left_out;
	sums->places_left_out = sums->places_left_out || next->places_left_out;
}

void tile_sums_append(struct tile_sums *sums, const struct tile_sums *next,
		const struct live_tasks *tasks, uint32_t limit)
{
	if (!sums->open) {
		sums->open = true;
		sums->grid = tile_grid_over(next->grid.begin_ns, next->grid.begin_ns);
		sums->first_sequence = next->first_sequence;
	}
	extend_grid(sums, next->grid.end_ns);
	append_counts(sums, &next->counts, &next->grid);
	extend_rows(sums, next, tasks);
	adopt_rows(sums, next, limit);
	append_groups(sums, next);
	sums->children++;
	sums->blocks += next->blocks;
	sums->events += next->events;
	sums->event_bytes += next->event_bytes;
}
