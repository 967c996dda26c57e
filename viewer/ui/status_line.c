#include "viewer/ui/status_line.h"

#include <stdio.h>
#include <string.h>

#include "formats/base/duration.h"
#include "viewer/ui/phrase.h"

static void draw_prompt(const struct app *app, struct pane pane)
{
	const struct prompt *prompt = app_prompt(app);
	struct prompt before = *prompt;
	char text[PROMPT_TEXT_MAX];
	int column = pane_text(pane, 0, 0, STYLE_TITLE, prompt->title);

	before.length = before.cursor;
	pane_text(pane, 0, column, STYLE_TEXT, prompt_text(prompt, text));
	column += text_columns(pane.canvas, prompt_text(&before, text));
	pane_restyle(pane, 0, column < pane.columns ? column : pane.columns - 1, 1, STYLE_CURSOR);
}

static void draw_hints(const struct app *app, struct pane pane)
{
	const struct view_ops *view = view_table[app->help_open ? VIEW_HELP : app->place.focus];
	int at = 1;

	for (const struct view_hint *hint = view->hints; hint->action; hint++) {
		char name[KEY_LABEL_MAX];
		char text[KEY_LABEL_MAX + 32];

		key_label(keymap_key(view->scope, hint->action, 0), name);
		snprintf(text, sizeof(text), "%s %s", name, hint->word);
		if (at + text_columns(pane.canvas, text) > pane.columns)
			break;
		pane_text(pane, 0, at, STYLE_DIM, text);
		at += pane_text(pane, 0, at, STYLE_TITLE, name) + 3;
		at += text_columns(pane.canvas, hint->word);
	}
}

static const char *const work_names[APP_WORK_COUNT] = {
	[APP_WORK_ANALYSIS] = "reading events",
	[APP_WORK_LANES] = "reading states",
	[APP_WORK_FLAME] = "adding up waits",
};

void status_line_draw(const struct app *app, struct pane pane)
{
	char text[64];

	if (app_prompt(app)) {
		draw_prompt(app, pane);
		return;
	}
	if (*app->message)
		pane_text_end(pane, 0, 1, pane.columns - 1,
				app->message_is_bad ? STYLE_BAD : STYLE_TEXT, app->message);
	else
		draw_hints(app, pane);
	if (app->working == APP_WORK_NONE)
		return;
	snprintf(text, sizeof(text), " %s %3u %% ", work_names[app->working],
			background_percent(&app->background));
	pane_text_right(pane, 0, pane.columns, STYLE_CURSOR, text);
}

#define TAB_NAMES_COLUMNS 72 /* narrower screens show only the numbers of the views */

/* "[1 Findings] 2 Timeline  ...": brackets take the place of blanks, so nothing moves. */
static const char *tab_text(const struct app *app, int view, bool names, char *out, size_t capacity)
{
	bool active = view == (app->help_open ? VIEW_HELP : (int)app->place.focus);
	char key[KEY_LABEL_MAX];

	key_label(keymap_key(SCOPE_ANY, view_table[view]->open, 0), key);
	names = names && view != VIEW_HELP; /* everybody knows what ? means */
	snprintf(out, capacity, "%c%s%s%s%c", active ? '[' : ' ', key, names ? " " : "",
			names ? view_table[view]->name : "", active ? ']' : ' ');
	return out;
}

/* Right aligned; returns the column where they begin. */
static int draw_tabs(const struct app *app, struct pane pane)
{
	bool names = pane.columns >= TAB_NAMES_COLUMNS;
	char text[64];
	int begin = pane.columns;
	int at;

	for (int i = 0; i < VIEW_COUNT; i++)
		if (view_table[i]->open)
			begin -= (int)strlen(tab_text(app, i, names, text, sizeof(text)));
	at = begin;
	for (int i = 0; i < VIEW_COUNT; i++) {
		bool active = i == (app->help_open ? VIEW_HELP : (int)app->place.focus);

		if (view_table[i]->open)
			at += pane_text(pane, 0, at, active ? STYLE_TITLE : STYLE_DIM,
					tab_text(app, i, names, text, sizeof(text)));
	}
	return begin;
}

struct totals {
	uint64_t stuck;
	unsigned stuck_kinds;
	unsigned by_kind[FINDING_KIND_COUNT];
	uint64_t parked;
	uint64_t oldest_ns;
};

static struct totals count_findings(const struct analysis *analysis)
{
	struct totals totals = { .oldest_ns = UINT64_MAX };

	for (uint32_t i = 0; i < analysis->finding_count; i++) {
		const struct finding *finding = &analysis->findings[i];

		if (finding->kind < FINDING_KIND_COUNT)
			totals.by_kind[finding->kind]++;
		if (finding->kind != FINDING_DEADLOCK && finding->kind != FINDING_STUCK)
			continue;
		totals.stuck += finding->task_count;
		totals.stuck_kinds++;
		if (finding->since_ns < totals.oldest_ns)
			totals.oldest_ns = finding->since_ns;
	}
	for (uint32_t i = 0; i < analysis->parked_count; i++)
		totals.parked += analysis->parked[i].task_count;
	return totals;
}

static int draw_kind(struct pane pane, int at, unsigned count, const char *name)
{
	char text[64];

	if (count == 0)
		return at;
	snprintf(text, sizeof(text), "%s %u", name, count);
	return at + pane_text(pane, 0, at, STYLE_WARNING, text) + 3;
}

static void draw_summary(const struct app *app, struct pane pane)
{
	const struct trace_info *info = trace_reader_info(app->reader);
	struct totals totals = count_findings(app->analysis);
	int at = 1;

	if (totals.stuck)
		at += pane_printf(pane, 0, at, STYLE_BAD, "stuck %llu in %u kind%s",
				      (unsigned long long)totals.stuck, totals.stuck_kinds,
				      totals.stuck_kinds == 1 ? "" : "s") +
		      3;
	else if (app->analysis->unjudged > 0)
		at += pane_printf(pane, 0, at, STYLE_TEXT, "%llu not judged",
				      (unsigned long long)app->analysis->unjudged) +
		      3;
	else
		at += pane_text(pane, 0, at, STYLE_GOOD, "nothing stuck") + 3;
	if (info->truncated)
		at += pane_text(pane, 0, at, STYLE_BAD, "cut short") + 3;
	if (trace_reader_damage_count(app->reader) > 0)
		at += pane_text(pane, 0, at, STYLE_BAD, "damaged") + 3;
	at = draw_kind(pane, at, totals.by_kind[FINDING_DEADLOCK], "deadlocks");
	at = draw_kind(pane, at, totals.by_kind[FINDING_GROWTH], "growths");
	at = draw_kind(pane, at, totals.by_kind[FINDING_BURST], "bursts");
	at = draw_kind(pane, at, totals.by_kind[FINDING_CONVOY], "convoys");
	at = draw_kind(pane, at, totals.by_kind[FINDING_LONG_BLOCK], "long blocks");
	at += pane_printf(pane, 0, at, app->analysis->lost_total ? STYLE_BAD : STYLE_DIM,
			      "lost %llu", (unsigned long long)app->analysis->lost_total) +
	      3;
	pane_printf(pane, 0, at, STYLE_DIM, "parked on purpose %llu",
			(unsigned long long)totals.parked);
}

#define FULL_TITLE_COLUMNS 100

/* The name gives way when there is little room, the length of the trace does not. */
static void draw_name(const struct app *app, struct pane pane, int width)
{
	char text[PHRASE_MAX];
	char span[DURATION_TEXT_MAX];
	int at = 1;

	time_point_format(span, trace_reader_info(app->reader)->duration_ns);
	if (pane.columns >= FULL_TITLE_COLUMNS)
		at += pane_text(pane, 0, at, STYLE_DIM, "loiter") + 1;
	if (app->analysis && pane.columns >= FULL_TITLE_COLUMNS)
		snprintf(text, sizeof(text), "%s   %llu tasks, %llu alive", span,
				(unsigned long long)app->analysis->tasks_seen,
				(unsigned long long)app->analysis->alive_at_end);
	else
		snprintf(text, sizeof(text), "%s", span);
	at += pane_text_middle(pane, 0, at, width - at - 2 - (int)strlen(text), STYLE_TITLE,
			      app->name) +
	      2;
	pane_text_end(pane, 0, at, width - at, STYLE_TITLE, text);
}

void header_draw(const struct app *app, struct pane pane)
{
	struct pane line = pane_take_top(&pane, 1);

	draw_name(app, line, draw_tabs(app, line) - 1);
	if (pane.rows > 0 && app->analysis)
		draw_summary(app, pane);
}

void too_small_draw(const struct app *app, struct pane pane)
{
	char text[DURATION_TEXT_MAX];
	struct totals totals;

	if (!app->analysis) {
		pane_printf(pane, 0, 0, STYLE_TEXT, "too small, need %dx%d", APP_COLUMNS_MIN,
				APP_ROWS_MIN);
		return;
	}
	totals = count_findings(app->analysis);
	if (totals.stuck)
		pane_printf(pane, 0, 0, STYLE_BAD,
				"stuck %llu in %u kinds, oldest %s; too small, need %dx%d",
				(unsigned long long)totals.stuck, totals.stuck_kinds,
				duration_format(text, until_end(app, totals.oldest_ns)),
				APP_COLUMNS_MIN, APP_ROWS_MIN);
	else
		pane_printf(pane, 0, 0, STYLE_TEXT, "nothing stuck; too small, need %dx%d",
				APP_COLUMNS_MIN, APP_ROWS_MIN);
}
