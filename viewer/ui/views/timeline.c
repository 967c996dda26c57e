#include "viewer/ui/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/duration.h"
#include "viewer/analysis/site.h"
#include "viewer/ui/app.h"
#include "viewer/ui/counter_rows.h"
#include "viewer/ui/lanes.h"
#include "viewer/ui/list.h"
#include "viewer/ui/phrase.h"
#include "viewer/ui/ruler.h"
#include "viewer/ui/time_axis.h"

/*
 * Tasks as rows, time as columns. A cell shows the state that fills three fifths of its column or
 * more. Where none does, and where a task was woken and went back to wait within the column, it
 * shows "short waits": a task that moves must not look like one that is stuck, however short its
 * moves are. The selection and the time cursor are the app's.
 */
#define DOMINANT_SHARE 153 /* 60 % of 255 */
#define MOVES          2   /* changes in a column: one wake-up and the next wait */
#define PAN_SHARE      10  /* a pan moves a tenth of the window */
#define FAST           4
#define FAST_STEPS     2 /* doublings: four times */

struct timeline {
	struct lanes lanes;
	struct list list;
	struct time_axis axis;
	struct lane_cell *cells;
	uint32_t *alive;
	size_t cell_capacity;
	int alive_capacity;
	struct counter_rows counters;
	bool failed;
	int label_columns; /* of the longest label, with its marks */
	bool labels_measured;
	/* As last drawn, to see by how much the picture has moved. */
	struct time_axis drawn_axis;
	struct pane drawn_pane;
};

static const struct {
	char glyph;
	enum style_role style;
	const char *name;
} legend[] = {
	{ '#', STYLE_ACTIVE, "active" },
	{ '~', STYLE_BLOCKED, "blocked" },
	{ '.', STYLE_MIXED, "short waits" },
	{ 'x', STYLE_ENDED, "exit" },
	{ '?', STYLE_PENDING, "not known" },
};

enum look {
	LOOK_ACTIVE,
	LOOK_BLOCKED,
	LOOK_MIXED,
	LOOK_ENDED,
	LOOK_PENDING,
	LOOK_ABSENT,
};

static enum look look_of(const struct lane_cell *cell)
{
	if (cell->pending)
		return LOOK_PENDING;
	if (cell->ended)
		return LOOK_ENDED;
	if (cell->active == 0 && cell->blocked == 0)
		return LOOK_ABSENT;
	if (cell->active >= DOMINANT_SHARE || cell->blocked == 0)
		return LOOK_ACTIVE;
	if (cell->changes >= MOVES)
		return LOOK_MIXED;
	if (cell->blocked >= DOMINANT_SHARE || cell->active == 0)
		return LOOK_BLOCKED;
	return LOOK_MIXED;
}

static bool prepare(struct app *app, struct timeline *view)
{
	bool first = !view->lanes.tasks;

	if ((first || view->lanes.with_runtime != app->show_runtime) && !view->failed) {
		struct lo_error err;

		view->failed = lanes_fill(&view->lanes, app->analysis, app->show_runtime, &err) !=
			       LO_OK;
		view->labels_measured = false;
		if (view->failed)
			app_warn(app, &err);
	}
	if (first && !view->failed) {
		/* About as wide as it will be: keys may come before the first picture is drawn. */
		time_axis_init(&view->axis, app->analysis->duration_ns, app->columns * 2 / 3);
	}
	lanes_sort(&view->lanes, app->analysis, app->task_findings);
	return !view->failed && view->lanes.count > 0;
}

static uint32_t selected_task(const struct timeline *view)
{
	if (view->list.selected >= view->lanes.count)
		return TASK_NONE;
	return view->lanes.tasks[view->list.selected];
}

static void follow_selection(struct app *app, struct timeline *view)
{
	int row;

	if (selected_task(view) == app->place.task)
		return;
	row = lanes_row(&view->lanes, app->place.task);
	if (row >= 0)
		list_jump(&view->list, row);
}

static bool reserve(struct timeline *view, int rows, int columns)
{
	size_t wanted = (size_t)rows * (size_t)columns;

	if (wanted > view->cell_capacity) {
		free(view->cells);
		view->cells = calloc(wanted, sizeof(*view->cells));
		view->cell_capacity = view->cells ? wanted : 0;
	}
	if (columns > view->alive_capacity) {
		free(view->alive);
		view->alive = calloc((size_t)columns, sizeof(*view->alive));
		view->alive_capacity = view->alive ? columns : 0;
	}
	return view->cells && view->alive;
}

#define LABEL_COLUMNS_MIN 14 /* room for "alive max 9999" */
#define LABEL_COLUMNS_MAX 28

/* As wide as the longest label of the trace, so that strips begin where they always begin. */
static int label_width(const struct app *app, struct timeline *view, struct pane pane)
{
	int width = pane.columns / 3;

	for (int row = 0; row < view->lanes.count && !view->labels_measured; row++) {
		char text[PHRASE_MAX];
		int columns = text_columns(
				pane.canvas, task_format(app->reader, view->lanes.tasks[row], text,
							     sizeof(text)));

		if (columns + 3 > view->label_columns)
			view->label_columns = columns + 3;
	}
	view->labels_measured = true;
	if (width > view->label_columns)
		width = view->label_columns;
	if (width > LABEL_COLUMNS_MAX)
		width = LABEL_COLUMNS_MAX;
	return width < LABEL_COLUMNS_MIN ? LABEL_COLUMNS_MIN : width;
}

static void draw_alive(
		const struct app *app, struct timeline *view, struct pane label, struct pane strip)
{
	uint32_t most = 0;

	pane_text(label, 0, 2, STYLE_DIM, "alive");
	if (!app->lanes)
		return;
	lane_alive(app->lanes, time_axis_span(&view->axis), (uint32_t)strip.columns, view->alive);
	for (int i = 0; i < strip.columns; i++)
		most = view->alive[i] > most ? view->alive[i] : most;
	for (int i = 0; i < strip.columns && most > 0; i++) {
		uint64_t level = (uint64_t)view->alive[i] * GLYPH_SPARK_LEVELS / most;

		if (view->alive[i] == 0)
			continue;
		level = level > 0 ? level - 1 : 0;
		pane_put(strip, 0, i, STYLE_TEXT, strip.canvas->glyphs->spark[level]);
	}
	pane_printf(label, 0, 8, STYLE_DIM, "max %u", most);
}

static void draw_cells(struct pane strip, int row, const struct lane_cell *cells)
{
	for (int i = 0; i < strip.columns; i++) {
		enum look look = look_of(&cells[i]);

		if (look != LOOK_ABSENT)
			pane_put(strip, row, i, legend[look].style,
					(unsigned char)legend[look].glyph);
	}
}

static void draw_label(const struct app *app, const struct timeline *view, struct pane label,
		int at, int row)
{
	uint32_t task = view->lanes.tasks[row];
	bool selected = row == view->list.selected;
	char text[PHRASE_MAX];

	if (selected)
		pane_put(label, at, 0, STYLE_TITLE, '>');
	if (app->task_findings[task])
		pane_put(label, at, 1, STYLE_BAD, '!');
	task_format(app->reader, task, text, sizeof(text));
	pane_text_middle(label, at, 2, label.columns - 3,
			selected                 ? STYLE_TITLE
			: app_matches(app, text) ? STYLE_MATCH
						 : STYLE_TEXT,
			text);
}

static void query_cells(const struct app *app, struct timeline *view, int rows, int columns)
{
	const uint32_t *tasks = view->lanes.tasks + view->list.top;

	memset(view->cells, 0, (size_t)rows * (size_t)columns * sizeof(*view->cells));
	if (app->lanes) {
		lane_query(app->lanes, tasks, (uint32_t)rows, time_axis_span(&view->axis),
				(uint32_t)columns, view->cells);
		return;
	}
	for (int i = 0; i < rows * columns; i++)
		view->cells[i].pending = 1;
}

/* Nothing is known of a damaged stretch of the file: no state is shown there. */
static void draw_damage(const struct app *app, const struct timeline *view, struct pane strip)
{
	struct trace_damage damage;
	int begin;
	int end;

	for (uint32_t i = 0; trace_reader_damage(app->reader, i, &damage); i++)
		if (time_axis_columns(&view->axis, damage.span, &begin, &end))
			for (int row = 0; row < strip.rows; row++)
				pane_fill(strip, row, begin, end - begin,
						legend[LOOK_PENDING].style,
						(unsigned char)legend[LOOK_PENDING].glyph);
}

/* Columns beyond the end of the trace are nobody's: they must not look idle. */
static void draw_end(const struct timeline *view, struct pane strip)
{
	int end = time_axis_column(&view->axis, view->axis.limit_ns - 1) + 1;

	for (int row = 0; row < strip.rows; row++)
		pane_fill(strip, row, end, strip.columns - end, STYLE_DIM, ' ');
}

static void draw_lanes(
		const struct app *app, struct timeline *view, struct pane label, struct pane strip)
{
	int rows;
	int cursor = time_axis_column(&view->axis, app->place.cursor_ns);

	list_show(&view->list, view->lanes.count, strip.rows);
	rows = view->lanes.count - view->list.top;
	if (rows > strip.rows)
		rows = strip.rows;
	query_cells(app, view, rows, strip.columns);
	for (int i = 0; i < rows; i++) {
		draw_label(app, view, label, i, view->list.top + i);
		draw_cells(strip, i, view->cells + (size_t)i * (size_t)strip.columns);
		pane_restyle(strip, i, cursor, 1, STYLE_CURSOR);
	}
	strip.rows = rows;
	draw_damage(app, view, strip);
	draw_end(view, strip);
}

/* Milliseconds at least, as everywhere else; more where the zoom shows more. */
static const char *time_text(
		const struct timeline *view, uint64_t time_ns, char text[TIME_LABEL_MAX])
{
	uint64_t column_ns = view->axis.column_ns;

	return time_axis_label(
			&view->axis, time_ns, column_ns < 1000000 ? column_ns : 1000000, text);
}

/* A loss is rare, and then it matters more than what '!' means. */
static void draw_legend(struct pane pane, int row, bool lost)
{
	int at = 2;

	for (size_t i = 0; i < LO_COUNT_OF(legend); i++) {
		if (at + 2 + (int)strlen(legend[i].name) > pane.columns)
			return;
		pane_put(pane, row, at, legend[i].style, (unsigned char)legend[i].glyph);
		at += 2 + pane_text(pane, row, at + 2, STYLE_DIM, legend[i].name) + 2;
	}
	if (at + 14 > pane.columns)
		return;
	pane_text(pane, row, at, STYLE_BAD, lost ? "L" : "!");
	pane_text(pane, row, at + 2, STYLE_DIM, lost ? "events lost" : "in a finding");
}

static void draw_inspector(const struct app *app, const struct timeline *view, struct pane pane)
{
	uint32_t task = selected_task(view);
	struct lane_moment moment = { .state = TASK_STATE_ABSENT };
	char text[PHRASE_MAX * 2];
	char title[PHRASE_MAX];
	char time[TIME_LABEL_MAX];

	phrase(title, sizeof(title), "%s at %s", task_format(app->reader, task, text, sizeof(text)),
			time_text(view, app->place.cursor_ns, time));
	pane_rule(pane, 0, title, false);
	draw_legend(pane, pane.rows - 1, app->analysis->lost_total > 0);
	if (!app->lanes || task == TASK_NONE)
		return;
	lane_moment(app->lanes, task, app->place.cursor_ns, &moment);
	moment_phrase(app, &moment, text, sizeof(text));
	pane_text_end(pane, 1, 2, pane.columns - 2,
			moment.state == TASK_STATE_BLOCKED ? STYLE_BLOCKED : STYLE_TEXT, text);
	if (moment.state != TASK_STATE_BLOCKED)
		return;
	others_phrase(app, &moment, text, sizeof(text));
	pane_text_end(pane, 2, 2, pane.columns - 2, STYLE_TEXT, text);
	stack_phrase(app, moment.wait.stack, text, sizeof(text));
	pane_text_end(pane, 3, 2, pane.columns - 2, STYLE_TEXT, text);
}

/* After a pan the cells are the same, elsewhere: what terminals can do by themselves. */
static void tell_shift(struct timeline *view, struct pane pane)
{
	const struct time_axis *last = &view->drawn_axis;
	const struct time_axis *axis = &view->axis;
	bool same = last->column_ns == axis->column_ns && last->columns == axis->columns &&
		    view->drawn_pane.top == pane.top && view->drawn_pane.left == pane.left &&
		    view->drawn_pane.rows == pane.rows;
	int64_t distance_ns = (int64_t)axis->begin_ns - (int64_t)last->begin_ns;

	if (same && distance_ns / (int64_t)axis->column_ns < axis->columns &&
			distance_ns / (int64_t)axis->column_ns > -axis->columns)
		pane_shifted(pane, (int)(distance_ns / (int64_t)axis->column_ns));
	view->drawn_axis = *axis;
	view->drawn_pane = pane;
}

#define INSPECTOR_ROWS 5
#define HEAD_ROWS      3
#define ENOUGH_ROWS    12 /* to spend some on memory and pauses */
#define SMALL_ROWS     8  /* panes smaller than this show no more than a ruler above the tasks */

/* What a pan moves: ruler, number of tasks, and the tasks there are. */
static struct pane moving_part(const struct timeline *view, struct pane rest, int counters)
{
	int rows = HEAD_ROWS - 1 + counters + view->lanes.count;

	return pane_take_top(&rest, rows);
}

/* Map, ruler, number of tasks alive, memory, pauses: one row each, cut off both panes. */
static void draw_head(const struct app *app, struct timeline *view, struct pane *label,
		struct pane *strip)
{
	bool small = strip->rows < SMALL_ROWS;
	int counters = strip->rows < ENOUGH_ROWS ? 0
						 : counter_rows_count(&view->counters, app->reader);
	struct pane head;

	if (strip->rows < HEAD_ROWS)
		return;
	if (!small) {
		head = pane_take_top(label, 1);
		pane_text(head, 0, 2, STYLE_DIM, "map");
		ruler_draw_map(app, &view->axis, pane_take_top(strip, 1));
	}
	tell_shift(view, moving_part(view, *strip, counters));
	pane_take_top(label, 1);
	ruler_draw(app, &view->axis, pane_take_top(strip, 1));
	if (!small) {
		head = pane_take_top(label, 1);
		draw_alive(app, view, head, pane_take_top(strip, 1));
	}
	if (counters > 0)
		counter_rows_draw(&view->counters, app->reader, &view->axis, label, strip);
}

static void timeline_draw(struct app *app, void *state, struct pane pane, bool focused)
{
	struct timeline *view = state;
	struct pane label;

	(void)focused;
	if (!prepare(app, view)) {
		pane_text(pane, 0, 2, STYLE_DIM, "no tasks in this trace");
		return;
	}
	follow_selection(app, view);
	if (pane.rows >= INSPECTOR_ROWS + HEAD_ROWS + 2)
		draw_inspector(app, view, pane_take_bottom(&pane, INSPECTOR_ROWS));
	label = pane_take_left(&pane, label_width(app, view, pane));
	time_axis_resize(&view->axis, pane.columns);
	if (!reserve(view, pane.rows, pane.columns))
		return;
	draw_head(app, view, &label, &pane);
	draw_lanes(app, view, label, pane);
}

static void set_cursor(struct app *app, struct timeline *view, uint64_t time_ns)
{
	if (time_ns >= view->axis.limit_ns)
		time_ns = view->axis.limit_ns - 1;
	app->place.cursor_ns = time_ns;
	time_axis_reveal(&view->axis, time_ns);
}

static void move_cursor(struct app *app, struct timeline *view, int columns)
{
	int column = time_axis_column(&view->axis, app->place.cursor_ns);
	uint64_t now = app->place.cursor_ns;

	if (column < 0 || column >= view->axis.columns) {
		/* The window was moved away from the cursor: bring the cursor into it. */
		set_cursor(app, view, time_axis_time(&view->axis, view->axis.columns / 2));
		return;
	}
	now -= now % view->axis.column_ns;
	if (columns < 0)
		set_cursor(app, view, now > view->axis.column_ns ? now - view->axis.column_ns : 0);
	else
		set_cursor(app, view, now + view->axis.column_ns);
}

static void pan(struct timeline *view, int factor)
{
	int columns = view->axis.columns / PAN_SHARE;

	time_axis_pan(&view->axis, (columns > 0 ? columns : 1) * factor);
}

static void fit_task(struct app *app, struct timeline *view)
{
	const struct task_summary *task = app_task(app, selected_task(view));
	struct time_span life;

	if (!task)
		return;
	life.begin_ns = task->begin_ns;
	life.end_ns = task->end_ns < view->axis.limit_ns ? task->end_ns + 1 : view->axis.limit_ns;
	time_axis_fit(&view->axis, life);
}

static void step_change(struct app *app, struct timeline *view, enum action action)
{
	struct lane_moment moment;

	if (!app->lanes) {
		app_say(app, "events are still being read");
		return;
	}
	lane_moment(app->lanes, selected_task(view), app->place.cursor_ns, &moment);
	if (action == ACTION_NEXT_CHANGE) {
		if (moment.end_ns < view->axis.limit_ns)
			set_cursor(app, view, moment.end_ns);
		else
			app_say(app, "no further change of this task");
		return;
	}
	if (moment.begin_ns < app->place.cursor_ns) {
		set_cursor(app, view, moment.begin_ns);
	} else if (moment.begin_ns > 0) {
		lane_moment(app->lanes, selected_task(view), moment.begin_ns - 1, &moment);
		set_cursor(app, view, moment.begin_ns);
	} else {
		app_say(app, "no earlier change of this task");
	}
}

static bool act_on_time(struct app *app, struct timeline *view, enum action action)
{
	uint64_t cursor_ns = app->place.cursor_ns;

	switch (action) {
	case ACTION_LEFT:
		move_cursor(app, view, -1);
		return true;
	case ACTION_RIGHT:
		move_cursor(app, view, 1);
		return true;
	case ACTION_BEGIN:
		set_cursor(app, view, 0);
		return true;
	case ACTION_END:
		set_cursor(app, view, view->axis.limit_ns - 1);
		return true;
	case ACTION_ZOOM_IN:
		time_axis_zoom(&view->axis, cursor_ns, 1);
		return true;
	case ACTION_ZOOM_IN_FAST:
		time_axis_zoom(&view->axis, cursor_ns, FAST_STEPS);
		return true;
	case ACTION_ZOOM_OUT:
		time_axis_zoom(&view->axis, cursor_ns, -1);
		return true;
	case ACTION_ZOOM_OUT_FAST:
		time_axis_zoom(&view->axis, cursor_ns, -FAST_STEPS);
		return true;
	case ACTION_PAN_LEFT:
		pan(view, -1);
		return true;
	case ACTION_PAN_RIGHT:
		pan(view, 1);
		return true;
	case ACTION_PAN_LEFT_FAST:
		pan(view, -FAST);
		return true;
	case ACTION_PAN_RIGHT_FAST:
		pan(view, FAST);
		return true;
	case ACTION_FIT:
		fit_task(app, view);
		return true;
	case ACTION_FIT_ALL:
		time_axis_fit_all(&view->axis);
		return true;
	case ACTION_GO_TO_TIME:
		app_ask(app, "go to time: ");
		return true;
	case ACTION_PREVIOUS_CHANGE:
	case ACTION_NEXT_CHANGE:
		step_change(app, view, action);
		return true;
	default:
		return false;
	}
}

static bool act_on_task(struct app *app, struct timeline *view, enum action action)
{
	uint32_t task = selected_task(view);

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
		lanes_next_order(&view->lanes, action == ACTION_SORT_LEFT ? -1 : 1);
		app_say(app, "sorted by %s", lane_order_name(view->lanes.order));
		return true;
	case ACTION_REVERSE:
		lanes_reverse(&view->lanes);
		return true;
	case ACTION_RUNTIME:
		app_toggle_runtime(app);
		return true;
	default:
		return false;
	}
}

static bool timeline_act(struct app *app, void *state, enum action action)
{
	struct timeline *view = state;

	if (!prepare(app, view))
		return false;
	follow_selection(app, view);
	if (act_on_time(app, view, action))
		return true;
	if (list_act(&view->list, action)) {
		app_select_task(app, selected_task(view));
		return true;
	}
	return act_on_task(app, view, action);
}

static enum lo_result timeline_answer(
		struct app *app, void *state, const char *text, struct lo_error *err)
{
	struct timeline *view = state;
	uint64_t time_ns;
	enum lo_result result = time_axis_parse(
			&view->axis, text, app->place.cursor_ns, &time_ns, err);

	if (result == LO_OK)
		set_cursor(app, view, time_ns);
	return result;
}

static void timeline_title(struct app *app, void *state, char *out, size_t capacity)
{
	struct timeline *view = state;
	struct time_span window = time_axis_span(&view->axis);
	char begin[TIME_LABEL_MAX];
	char end[TIME_LABEL_MAX];
	char column[DURATION_TEXT_MAX];
	char hidden[LANES_HIDDEN_MAX];

	if (!prepare(app, view)) {
		phrase(out, capacity, "Timeline");
		return;
	}
	phrase(out, capacity, "Timeline  %s..%s  %s/col  by %s%s",
			time_text(view, window.begin_ns, begin),
			time_text(view,
					window.end_ns < view->axis.limit_ns ? window.end_ns
									    : view->axis.limit_ns,
					end),
			duration_format(column, view->axis.column_ns),
			lane_order_name(view->lanes.order), lanes_hidden(&view->lanes, hidden));
}

static int timeline_rows(struct app *app, void *state)
{
	return prepare(app, state) ? ((struct timeline *)state)->lanes.count : 0;
}

static int timeline_selected(struct app *app, void *state)
{
	follow_selection(app, state);
	return ((struct timeline *)state)->list.selected;
}

static void timeline_text(struct app *app, void *state, int row, char *out, size_t capacity)
{
	task_format(app->reader, ((struct timeline *)state)->lanes.tasks[row], out, capacity);
}

static void timeline_select(struct app *app, void *state, int row)
{
	struct timeline *view = state;

	list_select(&view->list, row);
	app_select_task(app, selected_task(view));
}

static void timeline_release(void *state)
{
	struct timeline *view = state;

	lanes_release(&view->lanes);
	free(view->cells);
	free(view->alive);
	counter_rows_release(&view->counters);
}

static const struct view_hint timeline_hints[] = {
	{ ACTION_OPEN, "open" },
	{ ACTION_ZOOM_IN, "zoom in" },
	{ ACTION_ZOOM_OUT, "out" },
	{ ACTION_PAN_LEFT, "earlier" },
	{ ACTION_PAN_RIGHT, "later" },
	{ ACTION_FIT, "fit" },
	{ ACTION_FIT_ALL, "all" },
	{ ACTION_NEXT_CHANGE, "next change" },
	{ ACTION_HELP, "help" },
	{ ACTION_CLOSE, "back" },
	{ ACTION_NONE, NULL },
};

const struct view_ops timeline_view = {
	.name = "Timeline",
	.open = ACTION_TIMELINE,
	.scope = SCOPE_TIMELINE,
	.slot = VIEW_SLOT_RIGHT,
	.needs = VIEW_NEEDS_LANES,
	.state_size = sizeof(struct timeline),
	.hints = timeline_hints,
	.release = timeline_release,
	.title = timeline_title,
	.act = timeline_act,
	.draw = timeline_draw,
	.answer = timeline_answer,
	.row_count = timeline_rows,
	.row_selected = timeline_selected,
	.row_text = timeline_text,
	.row_select = timeline_select,
};
