#include "formats/native/tile_pass.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/macros.h"

#define NO_ROW UINT32_MAX

/* A touched task while its events go by. */
struct pass_task {
	uint64_t since_ns; /* of the wait */
	uint32_t creation_stack;
	uint32_t wait_stack;
	uint32_t row; /* in the sums, or NO_ROW */
	uint8_t state;
	uint8_t reason;
	bool gone; /* it exited in this block */
};

/*
 * To add up how many tasks are in a state costs the same for an event however many bins follow: the
 * rest of its bin is added at once, and the bins behind get the difference when all are known.
 */
struct pass_group {
	uint32_t first[2]; /* at the begin of the block: alive and blocked, or waiting */
	int32_t change[2][TILE_BINS + 1];
};

struct pass {
	struct tile_pass *of;
	const struct sealed_block *block;
	struct tile_sums *sums;
	/* Of the present event. */
	uint64_t now_ns;
	uint64_t left_ns; /* of its bin */
	uint32_t bin;
	bool failed;
};

void tile_pass_release(struct tile_pass *pass)
{
	free(pass->stacks);
	free(pass->used);
	free(pass->tasks);
	free(pass->sites);
	free(pass->places);
	*pass = (struct tile_pass){ 0 };
}

/* ---- stacks ---- */

static bool grow_stacks(struct tile_pass *pass, uint32_t stack)
{
	uint32_t limit = pass->stack_limit ? pass->stack_limit : 1024;
	struct stack_use *stacks;

	while (limit <= stack)
		limit *= 2;
	stacks = realloc(pass->stacks, limit * sizeof(*stacks));
	if (!stacks)
		return false;
	memset(stacks + pass->stack_limit, 0, (limit - pass->stack_limit) * sizeof(*stacks));
	pass->stacks = stacks;
	pass->stack_limit = limit;
	return true;
}

static bool list_stack(struct tile_pass *pass, uint32_t stack)
{
	if (pass->used_count == pass->used_capacity) {
		uint32_t capacity = pass->used_capacity ? pass->used_capacity * 2 : 256;
		uint32_t *used = realloc(pass->used, capacity * sizeof(*used));

		if (!used)
			return false;
		pass->used = used;
		pass->used_capacity = capacity;
	}
	pass->used[pass->used_count++] = stack;
	pass->stacks[stack].listed = pass->used_count;
	return true;
}

/* NULL without memory, which `pass->failed` remembers. */
static struct stack_use *use_stack(struct pass *pass, uint32_t stack)
{
	struct tile_pass *of = pass->of;

	if (LO_UNLIKELY(stack >= of->stack_limit && !grow_stacks(of, stack))) {
		pass->failed = true;
		return NULL;
	}
	if (LO_UNLIKELY(of->stacks[stack].listed == 0 && !list_stack(of, stack))) {
		pass->failed = true;
		return NULL;
	}
	return &of->stacks[stack];
}

static void give_site(struct pass *pass, uint32_t stack, struct stack_use *use)
{
	struct site_sums *site = tile_sums_site(pass->sums, stack);

	if (!site)
		return;
	use->site = (uint32_t)(site - pass->sums->sites) + 1;
	pass->of->sites[use->site - 1] = (struct pass_group){ .first = { use->alive,
									      use->blocked } };
}

static void give_place(struct pass *pass, uint32_t stack, struct stack_use *use)
{
	struct place_sums *place = tile_sums_place(pass->sums, stack);

	if (!place)
		return;
	place->reason = use->reason;
	use->place = (uint32_t)(place - pass->sums->places) + 1;
	pass->of->places[use->place - 1] = (struct pass_group){ .first = { use->waiting, 0 } };
}

static void change_site(struct pass *pass, uint32_t stack, int alive, int blocked)
{
	struct stack_use *use = use_stack(pass, stack);
	struct pass_group *group;
	struct site_sums *site;

	if (!use)
		return;
	if (use->site == 0 && !pass->sums->sites_left_out)
		give_site(pass, stack, use);
	use->alive += (uint32_t)alive;
	use->blocked += (uint32_t)blocked;
	if (use->site == 0)
		return;
	group = &pass->of->sites[use->site - 1];
	site = &pass->sums->sites[use->site - 1];
	/* Modulo 2^64; what comes out in the end is not negative. */
	site->alive_ns[pass->bin] += (uint64_t)alive * pass->left_ns;
	site->blocked_ns[pass->bin] += (uint64_t)blocked * pass->left_ns;
	group->change[0][pass->bin] += alive;
	group->change[1][pass->bin] += blocked;
}

static void change_place(struct pass *pass, uint32_t stack, int waiting, uint8_t reason)
{
	struct stack_use *use = use_stack(pass, stack);

	if (!use)
		return;
	if (waiting > 0)
		use->reason = reason;
	if (use->place == 0 && !pass->sums->places_left_out)
		give_place(pass, stack, use);
	use->waiting += (uint32_t)waiting;
	if (use->place == 0)
		return;
	pass->sums->places[use->place - 1].waiting_ns[pass->bin] += (uint64_t)waiting *
								    pass->left_ns;
	pass->of->places[use->place - 1].change[0][pass->bin] += waiting;
}

/* ---- begin ---- */

static int by_use(const void *a, const void *b)
{
	const uint64_t *left = a;
	const uint64_t *right = b;

	return (*left < *right) - (*left > *right);
}

/* More groups than there is room for: the largest come first and get it. */
static bool sort_used(struct tile_pass *pass)
{
	uint64_t *order = malloc(pass->used_count * sizeof(*order));

	if (!order)
		return false;
	for (uint32_t i = 0; i < pass->used_count; i++) {
		const struct stack_use *use = &pass->stacks[pass->used[i]];
		uint32_t most = use->alive > use->waiting ? use->alive : use->waiting;

		order[i] = (uint64_t)most << 32 | pass->used[i];
	}
	qsort(order, pass->used_count, sizeof(*order), by_use);
	for (uint32_t i = 0; i < pass->used_count; i++) {
		pass->used[i] = (uint32_t)order[i];
		pass->stacks[pass->used[i]].listed = i + 1;
	}
	free(order);
	return true;
}

static void begin_groups(struct pass *pass)
{
	struct tile_pass *of = pass->of;

	if (of->used_count > TILE_SUMS_GROUPS && !sort_used(of))
		pass->failed = true;
	for (uint32_t i = 0; i < of->used_count; i++) {
		struct stack_use *use = &of->stacks[of->used[i]];

		if (use->alive > 0)
			give_site(pass, of->used[i], use);
		if (use->waiting > 0)
			give_place(pass, of->used[i], use);
	}
}

bool tile_pass_wants(const struct id_index *wanted, uint32_t task)
{
	uint32_t probe;
	uint32_t found = id_index_first(wanted, id_hash(task, 0), &probe);

	while (found != 0 && found != task)
		found = id_index_next(wanted, id_hash(task, 0), &probe);
	return found != 0;
}

/* Least number of events with which not more than `most` tasks are left. */
static uint32_t least_events(const struct touched_task *touched, uint32_t count, uint32_t most)
{
	uint32_t tasks_with[256] = { 0 };
	uint32_t least = LO_COUNT_OF(tasks_with);

	if (count <= most)
		return 0;
	for (uint32_t i = 0; i < count; i++)
		tasks_with[touched[i].rows < 255 ? touched[i].rows : 255]++;
	while (least > 1 && tasks_with[least - 1] <= most)
		most -= tasks_with[--least];
	return least < 255 ? least : 255;
}

static uint8_t tile_state_of(const struct live_task *task)
{
	return task->state == LIVE_ACTIVE    ? TILE_ACTIVE
	       : task->state == LIVE_BLOCKED ? TILE_BLOCKED
					     : TILE_ABSENT;
}

/* Whether it can be worth a row: rule R2 of docs/format.md. */
static bool is_lasting(const struct pass *pass, const struct touched_task *touched)
{
	const struct live_task *after = live_tasks_at(pass->block->tasks, touched->slot);
	const struct tile_grid *grid = &pass->sums->grid;

	if (tile_state_of(&touched->before) != TILE_ABSENT || tile_state_of(after) != TILE_ABSENT)
		return true;
	return tile_grid_bin(grid, after->since_ns) - tile_grid_bin(grid, after->birth_ns) >=
	       TILE_LIFE_BINS;
}

static uint32_t give_row(struct pass *pass, const struct touched_task *touched)
{
	struct row_sums *row = tile_sums_add_row(pass->sums, touched->task, TILE_SUMS_ROWS);

	if (!row)
		return NO_ROW;
	row->since = touched->before.changed;
	row->start = tile_state_of(&touched->before);
	row->start_reason = touched->before.reason;
	/* Whether the earlier life was in this tile nobody knows any more. */
	row->broken = row->start == TILE_ABSENT &&
		      live_tasks_at(pass->block->tasks, touched->slot)->again;
	return (uint32_t)(row - pass->sums->rows);
}

static void begin_tasks(struct pass *pass, const struct id_index *wanted, uint32_t fresh)
{
	const struct live_tasks *tasks = pass->block->tasks;
	uint32_t count;
	const struct touched_task *touched = live_tasks_touched(tasks, &count);
	uint32_t least = least_events(touched, count, fresh);
	uint32_t room = fresh;

	for (uint32_t i = 0; i < count; i++) {
		struct pass_task *task = &pass->of->tasks[i];
		bool takes_part = tile_pass_wants(wanted, touched[i].task);

		if (!takes_part && room > 0 && touched[i].rows >= least &&
				is_lasting(pass, &touched[i])) {
			takes_part = true;
			room--;
		}
		*task = (struct pass_task){
			.since_ns = touched[i].before.since_ns,
			.creation_stack = touched[i].before.creation_stack,
			.wait_stack = touched[i].before.wait_stack,
			.state = tile_state_of(&touched[i].before),
			.reason = touched[i].before.reason,
			.row = takes_part ? give_row(pass, &touched[i]) : NO_ROW,
		};
		tile_touch(&pass->sums->counts, touched[i].task);
	}
}

/* ---- events ---- */

static struct row_sums *row_of(struct pass *pass, const struct pass_task *task)
{
	return task->row != NO_ROW ? &pass->sums->rows[task->row] : NULL;
}

static void change_row(struct pass *pass, const struct pass_task *task)
{
	struct row_sums *row = row_of(pass, task);

	if (row)
		row_sums_add_change(row, &pass->sums->grid, pass->now_ns);
}

static void end_wait(struct pass *pass, struct pass_task *task)
{
	struct row_sums *row = row_of(pass, task);

	if (row)
		row_sums_add_wait(
				row, &pass->sums->grid, task->since_ns, pass->now_ns, task->reason);
	change_row(pass, task);
	change_site(pass, task->creation_stack, 0, -1);
	change_place(pass, task->wait_stack, -1, 0);
	pass->of->blocked--;
	task->state = TILE_ACTIVE;
}

static void begin_wait(struct pass *pass, struct pass_task *task, const struct event *event)
{
	if (task->state == TILE_BLOCKED)
		end_wait(pass, task);
	task->state = TILE_BLOCKED;
	task->since_ns = pass->now_ns;
	task->reason = event->reason;
	task->wait_stack = event->stack;
	change_row(pass, task);
	change_site(pass, task->creation_stack, 0, 1);
	change_place(pass, task->wait_stack, 1, task->reason);
	pass->of->blocked++;
}

static void appear(struct pass *pass, struct pass_task *task, const struct event *event)
{
	struct row_sums *row = row_of(pass, task);

	if (row) {
		row->broken = row->broken || row->died;
		row->born = true;
		row->birth_ns = pass->now_ns;
	}
	/* Whoever is there at the start of the trace did not come then. */
	if (pass->now_ns > 0)
		change_row(pass, task);
	task->state = TILE_ACTIVE;
	task->creation_stack = event->kind == EVENT_CREATE ? event->stack : STACK_NONE;
	change_site(pass, task->creation_stack, 1, 0);
	pass->of->alive++;
}

static void vanish(struct pass *pass, struct pass_task *task)
{
	struct row_sums *row = row_of(pass, task);

	if (task->state == TILE_BLOCKED)
		end_wait(pass, task);
	if (row) {
		row->died = true;
		row->death_ns = pass->now_ns;
	}
	change_row(pass, task);
	change_site(pass, task->creation_stack, -1, 0);
	pass->of->alive--;
	task->state = TILE_ABSENT;
	task->gone = true;
}

/* It may become known only when the task is there already. */
static void learn_creation(struct pass *pass, struct pass_task *task, const struct event *event)
{
	int blocked = task->state == TILE_BLOCKED;
	const struct stack_use *use;

	if (task->creation_stack != event->stack) {
		change_site(pass, task->creation_stack, -1, -blocked);
		task->creation_stack = event->stack;
		change_site(pass, task->creation_stack, 1, blocked);
	}
	if (event->flags & EVENT_FLAG_EXISTING)
		return;
	pass->sums->counts.bins[pass->bin].created++;
	use = use_stack(pass, task->creation_stack);
	if (use && use->site != 0)
		pass->sums->sites[use->site - 1].created[pass->bin]++;
}

/* The same rules as in live_tasks.h. */
static void apply(struct pass *pass, struct pass_task *task, const struct event *event)
{
	if (task->state == TILE_ABSENT) {
		if (task->gone && event->kind != EVENT_CREATE && event->kind != EVENT_RUN)
			return;
		appear(pass, task, event);
	}
	switch (event->kind) {
	case EVENT_CREATE:
		learn_creation(pass, task, event);
		break;
	case EVENT_RUN:
	case EVENT_UNBLOCK:
		if (task->state == TILE_BLOCKED)
			end_wait(pass, task);
		break;
	case EVENT_BLOCK:
		begin_wait(pass, task, event);
		break;
	case EVENT_EXIT:
		vanish(pass, task);
		break;
	default:
		break;
	}
}

/* The number of tasks in a state is also that at the begin of a bin, with or without events. */
static void enter_bin(struct pass *pass, uint32_t bin)
{
	struct tile_bin *counts = pass->sums->counts.bins;

	for (uint32_t i = pass->bin + 1; i <= bin; i++) {
		counts[i].alive = pass->of->alive;
		counts[i].blocked = pass->of->blocked;
	}
	pass->bin = bin;
}

static void count_event(struct pass *pass)
{
	struct tile_bin *bin = &pass->sums->counts.bins[pass->bin];

	bin->events++;
	if (bin->alive < pass->of->alive)
		bin->alive = pass->of->alive;
	if (bin->blocked < pass->of->blocked)
		bin->blocked = pass->of->blocked;
}

static void run_events(struct pass *pass)
{
	const struct tile_grid *grid = &pass->sums->grid;
	const uint32_t *touched = live_tasks_touched_by_row(pass->block->tasks);

	pass->sums->counts.bins[0].alive = pass->of->alive;
	pass->sums->counts.bins[0].blocked = pass->of->blocked;
	for (uint32_t i = 0; i < pass->block->rows && !pass->failed; i++) {
		const struct event *event = &pass->block->events[i];
		uint32_t bin = tile_grid_bin(grid, event->time_ns);

		if (bin != pass->bin)
			enter_bin(pass, bin);
		pass->now_ns = event->time_ns;
		pass->left_ns = tile_bin_end(grid, bin) - event->time_ns;
		if (touched[i] != UINT32_MAX)
			apply(pass, &pass->of->tasks[touched[i]], event);
		else
			tile_touch(&pass->sums->counts, event->task);
		count_event(pass);
	}
	enter_bin(pass, grid->bins - 1u);
}

/* ---- end ---- */

static void finish_sum(
		const struct tile_grid *grid, uint64_t *sums, uint32_t count, const int32_t *change)
{
	for (uint32_t i = 0; i < grid->bins; i++) {
		sums[i] += count * (tile_bin_end(grid, i) - tile_bin_begin(grid, i));
		count += (uint32_t)change[i];
	}
}

static void end_groups(struct pass *pass)
{
	struct tile_pass *of = pass->of;
	struct tile_sums *sums = pass->sums;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < sums->site_count; i++) {
		struct pass_group *group = &of->sites[i];

		finish_sum(&sums->grid, sums->sites[i].alive_ns, group->first[0], group->change[0]);
		finish_sum(&sums->grid, sums->sites[i].blocked_ns, group->first[1],
				group->change[1]);
	}
	for (uint32_t i = 0; i < sums->place_count; i++)
		finish_sum(&sums->grid, sums->places[i].waiting_ns, of->places[i].first[0],
				of->places[i].change[0]);
	for (uint32_t i = 0; i < of->used_count; i++) {
		struct stack_use *use = &of->stacks[of->used[i]];

		use->site = use->place = use->listed = 0;
		if (use->alive == 0 && use->waiting == 0)
			continue;
		of->used[kept] = of->used[i];
		use->listed = ++kept;
	}
	of->used_count = kept;
}

static void end_tasks(struct pass *pass)
{
	const struct tile_grid *grid = &pass->sums->grid;
	uint32_t count;

	live_tasks_touched(pass->block->tasks, &count);
	for (uint32_t i = 0; i < count; i++) {
		const struct pass_task *task = &pass->of->tasks[i];
		struct row_sums *row = row_of(pass, task);

		if (!row)
			continue;
		row->end = task->state;
		row->end_reason = task->state == TILE_BLOCKED ? task->reason : 0;
		if (task->state == TILE_BLOCKED)
			row_sums_add_wait(row, grid, task->since_ns, grid->end_ns, task->reason);
	}
}

static enum lo_result make_room(struct tile_pass *pass, uint32_t tasks, struct lo_error *err)
{
	if (!pass->sites)
		pass->sites = malloc(TILE_SUMS_GROUPS * sizeof(*pass->sites));
	if (!pass->places)
		pass->places = malloc(TILE_SUMS_GROUPS * sizeof(*pass->places));
	if (tasks > pass->task_capacity) {
		free(pass->tasks);
		pass->task_capacity = tasks;
		pass->tasks = malloc(tasks * sizeof(*pass->tasks));
	}
	if (pass->sites && pass->places && (pass->tasks || pass->task_capacity == 0))
		return LO_OK;
	pass->task_capacity = 0;
	return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the overview of a block");
}

enum lo_result tile_pass_run(struct tile_pass *pass, const struct sealed_block *block,
		const struct id_index *wanted, uint32_t fresh, struct tile_sums *sums,
		struct lo_error *err)
{
	struct pass run = { .of = pass, .block = block, .sums = sums };
	enum lo_result result;
	uint32_t count;

	live_tasks_touched(block->tasks, &count);
	result = make_room(pass, count, err);
	if (result != LO_OK)
		return result;
	sums->open = true;
	sums->children = sums->blocks = 1;
	sums->grid = tile_grid_over(block->begin_ns, block->end_ns);
	sums->first_sequence = block->sequence;
	sums->events = block->rows;
	sums->event_bytes = block->bytes;
	begin_groups(&run);
	begin_tasks(&run, wanted, fresh);
	run_events(&run);
	end_tasks(&run);
	end_groups(&run);
	if (run.failed || sums->failed)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET,
				"no memory for the overview of a block");
	return LO_OK;
}
