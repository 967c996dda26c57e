#include "viewer/ui/view.h"

#include <stdio.h>
#include <string.h>

#include "formats/base/duration.h"
#include "viewer/analysis/site.h"
#include "viewer/ui/app.h"
#include "viewer/ui/evidence.h"
#include "viewer/ui/list.h"
#include "viewer/ui/phrase.h"

/* The home screen: what is stuck, worst first, then what is parked on purpose; evidence below. */
struct findings {
	struct list list;
	struct document evidence;
	struct list evidence_list;
};

#define KIND_COLUMN    6
#define TASKS_COLUMN   17 /* right aligned in 7 */
#define SINCE_COLUMN   25
#define WIDE_COLUMNS   90 /* from here on there is room for how long it lasts */
#define NARROW_COLUMNS 56 /* below there is none for when it began */
#define EVIDENCE_ROWS  9  /* smaller panes show the list only */

static const char *severity_mark(unsigned severity)
{
	static const char *const marks[] = { ".", "-", "*", "!", "!!", "!!!" };

	return marks[severity < LO_COUNT_OF(marks) ? severity : 5];
}

/* What a row says, in columns. */
struct finding_row {
	const char *mark;
	const char *kind;
	uint64_t tasks;
	uint64_t since_ns;
	uint64_t until_ns;
	enum style_role style;
	char where[PHRASE_MAX];
	bool sentence; /* `where` is cut at its end; a name is cut in its middle */
};

static void place_of_finding(const struct app *app, const struct finding *finding, int columns,
		char *out, size_t capacity)
{
	char place[PHRASE_MAX];

	if (finding->kind == FINDING_BURST || finding->kind == FINDING_GROWTH)
		phrase(out, capacity, "created by %s",
				place_phrase(app, finding->creation_stack, place, sizeof(place)));
	else if (finding->wait.reason != REASON_NONE)
		where_phrase(app, &finding->wait, columns, out, capacity);
	else
		phrase(out, capacity, "%s", finding->summary ? finding->summary : "");
}

static void describe_finding(const struct app *app, const struct finding *finding, int columns,
		struct finding_row *row)
{
	row->mark = severity_mark(finding->severity);
	row->kind = finding_kind_name(finding->kind);
	row->tasks = finding->kind == FINDING_BURST ? finding->burst.created : finding->task_count;
	row->since_ns = finding->since_ns;
	row->until_ns = finding->until_ns;
	row->style = finding->severity >= 4 ? STYLE_BAD : STYLE_WARNING;
	row->sentence = finding->wait.reason == REASON_NONE;
	place_of_finding(app, finding, columns, row->where, sizeof(row->where));
}

static void describe_parked(const struct app *app, const struct wait_group *group, int columns,
		struct finding_row *row)
{
	row->mark = severity_mark(0);
	row->kind = "parked";
	row->tasks = group->task_count;
	row->since_ns = group->since_ns;
	row->until_ns = UINT64_MAX;
	row->style = STYLE_DIM;
	row->sentence = false;
	where_phrase(app, &(struct wait){ .reason = group->reason, .stack = group->stack }, columns,
			row->where, sizeof(row->where));
}

/* `columns`: how many there are for the place. */
static void describe(const struct app *app, int index, int columns, struct finding_row *row)
{
	const struct finding *finding = app_finding(app, index);

	if (finding)
		describe_finding(app, finding, columns, row);
	else
		describe_parked(app, app_parked(app, index), columns, row);
}

static int since_width(const struct app *app)
{
	char text[DURATION_TEXT_MAX];

	return (int)strlen(time_point_format(text, app->analysis->duration_ns));
}

/* Where the columns end or begin in a pane; 0 = not shown. */
struct columns {
	int since_end;
	int for_end;
	int where;
};

static struct columns columns_of(const struct app *app, struct pane pane)
{
	struct columns columns = { .where = SINCE_COLUMN + 1 };

	if (pane.columns < NARROW_COLUMNS)
		return columns;
	columns.since_end = SINCE_COLUMN + since_width(app);
	columns.where = columns.since_end + 2;
	if (pane.columns < WIDE_COLUMNS)
		return columns;
	columns.for_end = columns.since_end + 12;
	columns.where = columns.for_end + 2;
	return columns;
}

static void draw_row(const struct app *app, struct pane pane, int at, const struct finding_row *row)
{
	struct columns columns = columns_of(app, pane);
	uint64_t trace_end = app->analysis->duration_ns;
	uint64_t end_ns = row->until_ns < trace_end ? row->until_ns : trace_end;
	char text[DURATION_TEXT_MAX];

	pane_text(pane, at, 2, row->style, row->mark);
	pane_text(pane, at, KIND_COLUMN, row->style, row->kind);
	/* A loss has no tasks: a zero would say that nobody was hurt. */
	snprintf(text, sizeof(text), row->tasks ? "%llu" : "-", (unsigned long long)row->tasks);
	pane_text_right(pane, at, TASKS_COLUMN + 7, row->style, text);
	if (columns.since_end)
		pane_text_right(pane, at, columns.since_end, row->style,
				time_point_format(text, row->since_ns));
	if (columns.for_end)
		pane_text_right(pane, at, columns.for_end, row->style,
				duration_format(text, end_ns > row->since_ns
								      ? end_ns - row->since_ns
								      : 0));
	if (row->sentence)
		pane_text_end(pane, at, columns.where, pane.columns - columns.where, row->style,
				row->where);
	else
		pane_text_middle(pane, at, columns.where, pane.columns - columns.where, row->style,
				row->where);
}

static void draw_heading(const struct app *app, struct pane pane)
{
	struct columns columns = columns_of(app, pane);

	pane_text(pane, 0, 2, STYLE_DIM, "SEV");
	pane_text(pane, 0, KIND_COLUMN, STYLE_DIM, "KIND");
	pane_text_right(pane, 0, TASKS_COLUMN + 7, STYLE_DIM, "TASKS");
	if (columns.since_end)
		pane_text_right(pane, 0, columns.since_end, STYLE_DIM, "SINCE");
	if (columns.for_end)
		pane_text_right(pane, 0, columns.for_end, STYLE_DIM, "FOR");
	pane_text(pane, 0, columns.where, STYLE_DIM, "WHERE");
}

static bool nothing_stuck(const struct app *app)
{
	for (uint32_t i = 0; i < app->analysis->finding_count; i++) {
		enum finding_kind kind = app->analysis->findings[i].kind;

		if (kind == FINDING_DEADLOCK || kind == FINDING_STUCK)
			return false;
	}
	return true;
}

static void draw_all_well(const struct app *app, struct pane pane)
{
	const struct analysis *analysis = app->analysis;
	uint64_t parked = 0;

	for (uint32_t i = 0; i < analysis->parked_count; i++)
		parked += analysis->parked[i].task_count;
	if (analysis->unjudged > 0)
		pane_printf(pane, 0, 2, STYLE_TEXT,
				"nothing seen to be stuck; %llu of %llu tasks alive cannot be judged",
				(unsigned long long)analysis->unjudged,
				(unsigned long long)analysis->alive_at_end);
	else
		pane_printf(pane, 0, 2, STYLE_GOOD,
				"nothing stuck: %llu tasks are alive at the end, %llu parked on purpose",
				(unsigned long long)analysis->alive_at_end,
				(unsigned long long)parked);
}

static void draw_list(const struct app *app, struct findings *view, struct pane pane, bool focused)
{
	draw_heading(app, pane_take_top(&pane, 1));
	if (nothing_stuck(app))
		draw_all_well(app, pane_take_top(&pane, 1));
	list_show(&view->list, app_finding_rows(app), pane.rows);
	for (int i = 0; i < pane.rows && view->list.top + i < view->list.count; i++) {
		struct finding_row row;
		int index = view->list.top + i;

		describe(app, index, pane.columns - columns_of(app, pane).where, &row);
		draw_row(app, pane, i, &row);
		if (index == view->list.selected) {
			pane_put(pane, i, 0, STYLE_TITLE, '>');
			if (focused)
				pane_restyle(pane, i, 0, pane.columns, STYLE_SELECTED);
		} else if (app_matches(app, row.where) || app_matches(app, row.kind)) {
			pane_restyle(pane, i, KIND_COLUMN, pane.columns - KIND_COLUMN, STYLE_MATCH);
		}
	}
}

/* The list gets what it needs, but leaves the evidence at least half. */
static int list_rows(const struct app *app, struct pane pane)
{
	int wanted = app_finding_rows(app) + 1 + nothing_stuck(app);
	int most = pane.rows < EVIDENCE_ROWS ? pane.rows : pane.rows / 2;

	return wanted < most ? wanted : most;
}

static void findings_draw(struct app *app, void *state, struct pane pane, bool focused)
{
	struct findings *view = state;

	bool evidence = pane.rows >= EVIDENCE_ROWS;

	list_select(&view->list, app->place.finding);
	draw_list(app, view, pane_take_top(&pane, list_rows(app, pane)), focused);
	if (!evidence || app_finding_rows(app) == 0)
		return;
	pane_rule(pane_take_top(&pane, 1), 0,
			app_finding(app, view->list.selected) ? "Evidence" : "Why it is parked",
			false);
	document_begin(&view->evidence, pane.canvas, pane.columns);
	evidence_of_finding(&view->evidence, app, view->list.selected);
	view->evidence_list.selected = view->evidence_list.top = 0;
	document_draw(&view->evidence, pane, &view->evidence_list, false);
}

static uint32_t first_task(const struct app *app, int row)
{
	const struct finding *finding = app_finding(app, row);
	const struct wait_group *group = app_parked(app, row);

	if (finding)
		return finding->task_count ? finding->tasks[0] : TASK_NONE;
	return group && group->task_count ? group->tasks[0] : TASK_NONE;
}

static bool findings_act(struct app *app, void *state, enum action action)
{
	struct findings *view = state;
	int row = view->list.selected;

	if (list_act(&view->list, action)) {
		app_select_finding(app, view->list.selected);
		return true;
	}
	switch (action) {
	case ACTION_OPEN:
	case ACTION_WHY:
		if (row < app_finding_rows(app))
			app_open_finding(app, row);
		return true;
	case ACTION_CREATOR:
		app_open_creator(app, first_task(app, row));
		return true;
	case ACTION_WAKER:
		app_open_waker(app, first_task(app, row));
		return true;
	default:
		return false;
	}
}

static void findings_title(struct app *app, void *state, char *out, size_t capacity)
{
	(void)app;
	(void)state;
	phrase(out, capacity, "Findings");
}

static int findings_rows(struct app *app, void *state)
{
	(void)state;
	return app_finding_rows(app);
}

static int findings_selected(struct app *app, void *state)
{
	(void)app;
	return ((struct findings *)state)->list.selected;
}

static void findings_text(struct app *app, void *state, int index, char *out, size_t capacity)
{
	struct finding_row row;

	(void)state;
	describe(app, index, (int)capacity, &row);
	phrase(out, capacity, "%s %s", row.kind, row.where);
}

static void findings_select(struct app *app, void *state, int row)
{
	(void)state;
	app_select_finding(app, row);
}

static void findings_release(void *state)
{
	document_release(&((struct findings *)state)->evidence);
}

static const struct view_hint findings_hints[] = {
	{ ACTION_OPEN, "open" },
	{ ACTION_CREATOR, "creator" },
	{ ACTION_WAKER, "last waker" },
	{ ACTION_TIMELINE, "on timeline" },
	{ ACTION_SEARCH, "search" },
	{ ACTION_HELP, "help" },
	{ ACTION_CLOSE, "quit" },
	{ ACTION_NONE, NULL },
};

const struct view_ops findings_view = {
	.name = "Findings",
	.open = ACTION_FINDINGS,
	.scope = SCOPE_FINDINGS,
	.slot = VIEW_SLOT_LEFT,
	.state_size = sizeof(struct findings),
	.hints = findings_hints,
	.release = findings_release,
	.title = findings_title,
	.act = findings_act,
	.draw = findings_draw,
	.row_count = findings_rows,
	.row_selected = findings_selected,
	.row_text = findings_text,
	.row_select = findings_select,
};
