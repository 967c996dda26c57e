#include "viewer/ui/view.h"

#include <stdio.h>

#include "formats/base/duration.h"
#include "viewer/analysis/site.h"
#include "viewer/ui/app.h"
#include "viewer/ui/lanes.h"
#include "viewer/ui/list.h"
#include "viewer/ui/phrase.h"

/* Every task in one list, sortable by each column. */
struct tasks {
	struct lanes lanes;
	struct list list;
	bool failed;
};

/* Columns with a fixed width; the label stands before them and the place takes the rest. */
enum column {
	COLUMN_STATE,
	COLUMN_BLOCKED,
	COLUMN_LONGEST,
	COLUMN_WAITS,
	COLUMN_SINCE,
	COLUMN_COUNT,
};

static const struct {
	const char *heading;
	int width;
	bool left;        /* aligned */
	int pane_columns; /* shown in panes at least this wide */
	enum lane_order order;
} columns[COLUMN_COUNT] = {
	[COLUMN_STATE] = { "STATE", 7, true, 0, LANE_ORDER_STATE },
	[COLUMN_BLOCKED] = { "BLOCKED", 10, false, 72, LANE_ORDER_BLOCKED },
	[COLUMN_LONGEST] = { "LONGEST", 10, false, 100, LANE_ORDER_LONGEST },
	[COLUMN_WAITS] = { "WAITS", 7, false, 92, LANE_ORDER_WAITS },
	[COLUMN_SINCE] = { "SINCE", 9, false, 50, LANE_ORDER_SINCE },
};

static int label_width(struct pane pane)
{
	return pane.columns >= 100 ? 26 : pane.columns >= 72 ? 20 : 16;
}

/* What the list is sorted by is always shown. */
static bool is_shown(const struct tasks *view, struct pane pane, int column)
{
	return pane.columns >= columns[column].pane_columns ||
	       columns[column].order == view->lanes.order;
}

static bool prepare(struct app *app, struct tasks *view)
{
	if ((!view->lanes.tasks || view->lanes.with_runtime != app->show_runtime) &&
			!view->failed) {
		struct lo_error err;

		view->failed = lanes_fill(&view->lanes, app->analysis, app->show_runtime, &err) !=
			       LO_OK;
		if (view->failed)
			app_warn(app, &err);
	}
	lanes_sort(&view->lanes, app->analysis, app->task_findings);
	return !view->failed && view->lanes.count > 0;
}

static uint32_t selected_task(const struct tasks *view)
{
	if (view->list.selected >= view->lanes.count)
		return TASK_NONE;
	return view->lanes.tasks[view->list.selected];
}

/* The selection is the app's: after a jump or another order, find its row. */
static void follow_selection(struct app *app, struct tasks *view)
{
	int row;

	if (selected_task(view) == app->place.task)
		return;
	row = lanes_row(&view->lanes, app->place.task);
	if (row >= 0)
		list_jump(&view->list, row);
}

static const char *cell_text(const struct app *app, const struct task_summary *task,
		enum column column, char text[DURATION_TEXT_MAX])
{
	switch (column) {
	case COLUMN_STATE:
		return state_name(task->state);
	case COLUMN_BLOCKED:
		return task->blocks ? duration_format(text, task->blocked_ns) : "-";
	case COLUMN_LONGEST:
		return task->blocks ? duration_format(text, task->longest_block_ns) : "-";
	case COLUMN_WAITS:
		snprintf(text, DURATION_TEXT_MAX, "%u", task->blocks);
		return text;
	case COLUMN_SINCE:
		return time_point_format(text, task_state_since(task));
	default:
		(void)app;
		return "";
	}
}

static enum style_role state_style(uint8_t state)
{
	switch (state) {
	case TASK_STATE_ACTIVE:
		return STYLE_ACTIVE;
	case TASK_STATE_BLOCKED:
		return STYLE_BLOCKED;
	default:
		return STYLE_ENDED;
	}
}

/* Draws one cell and returns where the next one begins. */
static int draw_cell(struct pane pane, int row, int at, enum column column, enum style_role style,
		const char *text)
{
	int width = columns[column].width;

	if (columns[column].left)
		pane_text_end(pane, row, at, width, style, text);
	else
		pane_text_right(pane, row, at + width, style, text);
	return at + width + 2;
}

/* Where it waits, else where it was created. */
static void where_text(const struct app *app, const struct task_summary *task, int width, char *out,
		size_t capacity)
{
	struct place place;

	*out = '\0';
	if (task->state == TASK_STATE_BLOCKED) {
		where_phrase(app, &task->wait, width, out, capacity);
	} else if (task->creation_stack != STACK_NONE) {
		stack_user_place(app->reader, task->creation_stack, &place);
		phrase(out, capacity, "created in %s", place.function);
	}
}

static void draw_task(
		struct app *app, const struct tasks *view, struct pane pane, int row, uint32_t id)
{
	const struct task_summary *task = app_task(app, id);
	char text[PHRASE_MAX];
	char cell[DURATION_TEXT_MAX];
	int at = label_width(pane) + 4;

	if (app->task_findings[id])
		pane_put(pane, row, 1, STYLE_BAD, '!');
	task_format(app->reader, id, text, sizeof(text));
	pane_text_middle(pane, row, 2, label_width(pane), STYLE_TEXT, text);
	for (int i = 0; i < COLUMN_COUNT; i++)
		if (is_shown(view, pane, i))
			at = draw_cell(pane, row, at, (enum column)i,
					i == COLUMN_STATE ? state_style(task->state) : STYLE_TEXT,
					cell_text(app, task, (enum column)i, cell));
	where_text(app, task, pane.columns - at, text, sizeof(text));
	pane_text_middle(pane, row, at, pane.columns - at,
			task->state == TASK_STATE_BLOCKED ? STYLE_TEXT : STYLE_DIM, text);
}

static void draw_headings(const struct tasks *view, struct pane pane)
{
	int at = label_width(pane) + 4;
	bool by_name = view->lanes.order == LANE_ORDER_TASK || view->lanes.order == LANE_ORDER_NAME;

	pane_text(pane, 0, 2, by_name ? STYLE_TITLE : STYLE_DIM, "TASK");
	for (int i = 0; i < COLUMN_COUNT; i++)
		if (is_shown(view, pane, i))
			at = draw_cell(pane, 0, at, (enum column)i,
					columns[i].order == view->lanes.order ? STYLE_TITLE
									      : STYLE_DIM,
					columns[i].heading);
	pane_text(pane, 0, at, STYLE_DIM, "WHERE");
}

static void tasks_draw(struct app *app, void *state, struct pane pane, bool focused)
{
	struct tasks *view = state;

	if (!prepare(app, view)) {
		pane_text(pane, 0, 2, STYLE_DIM, "no tasks in this trace");
		return;
	}
	draw_headings(view, pane_take_top(&pane, 1));
	follow_selection(app, view);
	list_show(&view->list, view->lanes.count, pane.rows);
	for (int i = 0; i < pane.rows && view->list.top + i < view->list.count; i++) {
		int row = view->list.top + i;

		draw_task(app, view, pane, i, view->lanes.tasks[row]);
		if (row == view->list.selected) {
			pane_put(pane, i, 0, STYLE_TITLE, '>');
			if (focused)
				pane_restyle(pane, i, 0, pane.columns, STYLE_SELECTED);
		} else if (search_is_set(&app->search)) {
			char text[PHRASE_MAX];

			view_table[VIEW_TASKS]->row_text(app, state, row, text, sizeof(text));
			if (app_matches(app, text))
				pane_restyle(pane, i, 2, label_width(pane), STYLE_MATCH);
		}
	}
}

static bool change_order(struct app *app, struct tasks *view, enum action action)
{
	if (action == ACTION_REVERSE)
		lanes_reverse(&view->lanes);
	else
		lanes_next_order(&view->lanes, action == ACTION_SORT_LEFT ? -1 : 1);
	app_say(app, "sorted by %s%s", lane_order_name(view->lanes.order),
			view->lanes.reversed ? ", reversed" : "");
	return true;
}

static bool tasks_act(struct app *app, void *state, enum action action)
{
	struct tasks *view = state;
	uint32_t task;

	if (!prepare(app, view))
		return false;
	follow_selection(app, view);
	if (list_act(&view->list, action)) {
		app_select_task(app, selected_task(view));
		return true;
	}
	task = selected_task(view);
	switch (action) {
	case ACTION_OPEN:
	case ACTION_WHY:
		app_open_task(app, task);
		return true;
	case ACTION_CREATOR:
		app_open_creator(app, task);
		return true;
	case ACTION_WAKER:
		app_open_waker(app, task);
		return true;
	case ACTION_SORT_LEFT:
	case ACTION_SORT_RIGHT:
	case ACTION_REVERSE:
		return change_order(app, view, action);
	case ACTION_RUNTIME:
		app_toggle_runtime(app);
		return true;
	default:
		return false;
	}
}

static void tasks_title(struct app *app, void *state, char *out, size_t capacity)
{
	struct tasks *view = state;

	char hidden[LANES_HIDDEN_MAX];

	(void)app;
	phrase(out, capacity, "Tasks by %s%s%s", lane_order_name(view->lanes.order),
			view->lanes.reversed ? ", reversed" : "",
			lanes_hidden(&view->lanes, hidden));
}

static int tasks_rows(struct app *app, void *state)
{
	return prepare(app, state) ? ((struct tasks *)state)->lanes.count : 0;
}

static int tasks_selected(struct app *app, void *state)
{
	(void)app;
	return ((struct tasks *)state)->list.selected;
}

static void tasks_text(struct app *app, void *state, int row, char *out, size_t capacity)
{
	struct tasks *view = state;
	uint32_t id = view->lanes.tasks[row];
	char task[PHRASE_MAX];
	char where[PHRASE_MAX];

	where_text(app, app_task(app, id), PHRASE_MAX, where, sizeof(where));
	phrase(out, capacity, "%s %s %s", task_format(app->reader, id, task, sizeof(task)),
			state_name(app_task(app, id)->state), where);
}

static void tasks_select(struct app *app, void *state, int row)
{
	struct tasks *view = state;

	list_select(&view->list, row);
	app_select_task(app, selected_task(view));
}

static void tasks_release(void *state)
{
	lanes_release(&((struct tasks *)state)->lanes);
}

static const struct view_hint tasks_hints[] = {
	{ ACTION_OPEN, "open" },
	{ ACTION_CREATOR, "creator" },
	{ ACTION_WAKER, "last waker" },
	{ ACTION_SORT_RIGHT, "sort" },
	{ ACTION_REVERSE, "reverse" },
	{ ACTION_SEARCH, "search" },
	{ ACTION_TIMELINE, "on timeline" },
	{ ACTION_HELP, "help" },
	{ ACTION_CLOSE, "back" },
	{ ACTION_NONE, NULL },
};

const struct view_ops tasks_view = {
	.name = "Tasks",
	.open = ACTION_TASKS,
	.scope = SCOPE_TASKS,
	.slot = VIEW_SLOT_LEFT,
	.state_size = sizeof(struct tasks),
	.hints = tasks_hints,
	.release = tasks_release,
	.title = tasks_title,
	.act = tasks_act,
	.draw = tasks_draw,
	.row_count = tasks_rows,
	.row_selected = tasks_selected,
	.row_text = tasks_text,
	.row_select = tasks_select,
};
