#include "viewer/ui/app.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viewer/analysis/site.h"
#include "viewer/ui/layout.h"
#include "viewer/ui/phrase.h"
#include "viewer/ui/status_line.h"

/* --- beginning and end --- */

enum lo_result app_init(struct app *app, struct trace_reader *reader, const char *name,
		struct lo_error *err)
{
	enum lo_result result;

	*app = (struct app){ .reader = reader, .name = name };
	app->place = (struct app_place){
		.focus = VIEW_FINDINGS, .left = VIEW_FINDINGS, .right = VIEW_TIMELINE
	};
	app->background.wake_fd = -1;
	search_init(&app->search);
	for (int i = 0; i < VIEW_COUNT; i++) {
		app->states[i] = calloc(1, view_table[i]->state_size);
		if (!app->states[i]) {
			result = lo_fail(
					err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the views");
			goto fail;
		}
	}
	result = background_init(&app->background, err);
	if (result == LO_OK)
		return LO_OK;
fail:
	app_release(app);
	return result;
}

void app_release(struct app *app)
{
	background_release(&app->background);
	for (int i = 0; i < VIEW_COUNT; i++) {
		if (app->states[i] && view_table[i]->release)
			view_table[i]->release(app->states[i]);
		free(app->states[i]);
		app->states[i] = NULL;
	}
	search_release(&app->search);
	/* What was made may not have been taken yet. */
	flame_free(app->flame);
	flame_free(app->flame_made);
	lane_index_free(app->lanes);
	lane_index_free(app->lanes_made);
	analysis_free(app->analysis);
	analysis_free(app->analysis_made);
	free(app->task_findings);
	*app = (struct app){ .background.wake_fd = -1 };
}

/* --- what is shared by the views --- */

void app_say(struct app *app, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(app->message, sizeof(app->message), format, arguments);
	va_end(arguments);
	app->message_is_bad = false;
}

void app_warn(struct app *app, const struct lo_error *err)
{
	app_say(app, "%s", err->message);
	app->message_is_bad = true;
}

const struct task_summary *app_task(const struct app *app, uint32_t task)
{
	if (!app->analysis || task == TASK_NONE || task >= app->analysis->task_limit)
		return NULL;
	return &app->analysis->tasks[task];
}

int app_finding_rows(const struct app *app)
{
	return app->analysis ? (int)(app->analysis->finding_count + app->analysis->parked_count)
			     : 0;
}

const struct finding *app_finding(const struct app *app, int row)
{
	if (!app->analysis || row < 0 || (uint32_t)row >= app->analysis->finding_count)
		return NULL;
	return &app->analysis->findings[row];
}

const struct wait_group *app_parked(const struct app *app, int row)
{
	if (!app->analysis || row < (int)app->analysis->finding_count ||
			row >= app_finding_rows(app))
		return NULL;
	return &app->analysis->parked[(uint32_t)row - app->analysis->finding_count];
}

void app_select_task(struct app *app, uint32_t task)
{
	if (task != TASK_NONE)
		app->place.task = task;
}

void app_select_finding(struct app *app, int row)
{
	const struct finding *finding = app_finding(app, row);
	const struct wait_group *group = app_parked(app, row);

	app->place.finding = row;
	if (finding) {
		app->place.cursor_ns = finding->since_ns;
		if (finding->task_count)
			app_select_task(app, finding->tasks[0]);
	} else if (group) {
		app->place.cursor_ns = group->since_ns;
		if (group->task_count)
			app_select_task(app, group->tasks[0]);
	}
}

void app_toggle_runtime(struct app *app)
{
	app->show_runtime = !app->show_runtime;
	app_say(app, app->show_runtime ? "tasks of the runtime are shown, too"
				       : "tasks of the runtime are hidden");
}

bool app_matches(const struct app *app, const char *text)
{
	return search_matches(&app->search, text);
}

/* --- going places --- */

static void remember_place(struct app *app)
{
	if (app->history_count == APP_HISTORY_MAX) {
		memmove(app->history, app->history + 1,
				(APP_HISTORY_MAX - 1) * sizeof(*app->history));
		app->history_count--;
	}
	app->history[app->history_count++] = app->place;
}

static bool go_back(struct app *app)
{
	if (app->history_count == 0)
		return false;
	app->place = app->history[--app->history_count];
	return true;
}

static void focus_on(struct app *app, enum view_id view)
{
	app->place.focus = view;
	if (view_table[view]->slot == VIEW_SLOT_LEFT)
		app->place.left = view;
	else
		app->place.right = view;
}

void app_show(struct app *app, enum view_id view)
{
	if (app->place.focus == view)
		return;
	remember_place(app);
	focus_on(app, view);
}

static void open_detail(struct app *app, enum detail_kind kind, uint32_t id)
{
	bool open = app->place.focus == VIEW_DETAIL && app->place.detail == kind &&
		    app->place.detail_id == id;

	if (open)
		return;
	remember_place(app);
	app->place.detail = kind;
	app->place.detail_id = id;
	focus_on(app, VIEW_DETAIL);
}

void app_open_task(struct app *app, uint32_t task)
{
	const struct task_summary *summary = app_task(app, task);

	if (!summary || summary->state == TASK_STATE_ABSENT) {
		app_say(app, "this task is not in the trace");
		return;
	}
	open_detail(app, DETAIL_TASK, task);
	app_select_task(app, task);
}

void app_open_finding(struct app *app, int row)
{
	open_detail(app, DETAIL_FINDING, (uint32_t)row);
}

void app_open_creator(struct app *app, uint32_t task)
{
	const struct task_summary *summary = app_task(app, task);

	if (!summary || summary->creator == TASK_NONE)
		app_say(app, "its creator is not known");
	else
		app_open_task(app, summary->creator);
}

void app_open_waker(struct app *app, uint32_t task)
{
	const struct task_summary *summary = app_task(app, task);

	if (!summary || summary->last_waker == TASK_NONE)
		app_say(app, "nobody is known to have woken it");
	else
		app_open_task(app, summary->last_waker);
}

/* --- panes --- */

static void step_pane(struct app *app, int step, int columns, int rows)
{
	struct canvas none = { .rows = rows, .columns = columns };
	struct placement places[PANES_MAX];
	int count = layout_views(&app->place, pane_of(&none), places);

	if (count == 1) {
		/* One pane: Tab goes through the views instead. */
		static const enum view_id ring[] = { VIEW_FINDINGS, VIEW_TIMELINE, VIEW_FLAME,
			VIEW_TASKS };
		const int length = (int)LO_COUNT_OF(ring);
		int at = 0;

		while (at < length && ring[at] != app->place.focus)
			at++;
		app_show(app, ring[((at == length ? 0 : at) + step + length) % length]);
		return;
	}
	for (int i = 0; i < count; i++)
		if (places[i].view == app->place.focus) {
			focus_on(app, places[(i + step + count) % count].view);
			return;
		}
}

/* --- search --- */

struct row_context {
	struct app *app;
	const struct view_ops *view;
	void *state;
};

static bool row_matches(void *context, int row)
{
	struct row_context *rows = context;
	char text[PHRASE_MAX * 3];

	rows->view->row_text(rows->app, rows->state, row, text, sizeof(text));
	return app_matches(rows->app, text);
}

static enum view_id key_view(const struct app *app)
{
	return app->help_open ? VIEW_HELP : app->place.focus;
}

static void search_step(struct app *app, int step)
{
	const struct view_ops *view = view_table[key_view(app)];
	struct row_context context = { app, view, app->states[key_view(app)] };
	struct search_rows rows = { .matches = row_matches, .context = &context };
	struct search_hit hit;

	if (!search_is_set(&app->search)) {
		app_say(app, "nothing to search for yet: / asks for a text");
		return;
	}
	if (!app->analysis && !app->help_open)
		return;
	rows.count = view->row_count(app, context.state);
	hit = search_next(&rows, view->row_selected(app, context.state), step);
	if (hit.row < 0) {
		app_say(app, "no match for /%s/ in %s", app->search.text, view->name);
		return;
	}
	view->row_select(app, context.state, hit.row);
	app_say(app, "match %d of %d for /%s/", hit.rank, hit.count, app->search.text);
}

static void search_for(struct app *app, const char *text)
{
	struct lo_error err;

	if (search_set(&app->search, text, &err) != LO_OK)
		app_warn(app, &err);
	else if (search_is_set(&app->search))
		search_step(app, 1);
}

/* --- prompts --- */

const struct prompt *app_prompt(const struct app *app)
{
	return app->search_prompt.open ? &app->search_prompt
	       : app->question.open    ? &app->question
				       : NULL;
}

void app_ask(struct app *app, const char *title)
{
	prompt_open(&app->question, title);
}

static void answer(struct app *app, const char *text)
{
	const struct view_ops *view = view_table[app->place.focus];
	struct lo_error err;

	if (view->answer(app, app->states[app->place.focus], text, &err) != LO_OK)
		app_warn(app, &err);
}

static void prompt_take_key(struct app *app, uint32_t key)
{
	bool searching = app->search_prompt.open;
	struct prompt *prompt = searching ? &app->search_prompt : &app->question;
	char text[PROMPT_TEXT_MAX];

	if (prompt_key(prompt, key) != PROMPT_DONE)
		return;
	if (searching)
		search_for(app, prompt_text(prompt, text));
	else
		answer(app, prompt_text(prompt, text));
}

/* --- actions --- */

static void step_finding(struct app *app, int step)
{
	int rows = app_finding_rows(app);

	if (rows == 0) {
		app_say(app, "there are no findings");
		return;
	}
	app_select_finding(app, (app->place.finding + step + rows) % rows);
	if (app->place.focus == VIEW_DETAIL && app->place.detail == DETAIL_FINDING)
		app->place.detail_id = (uint32_t)app->place.finding;
}

static void close_or_leave(struct app *app)
{
	if (app->help_open)
		app->help_open = false;
	else if (app->place.focus == VIEW_FINDINGS)
		app->quit = true;
	else if (!go_back(app))
		focus_on(app, VIEW_FINDINGS);
}

static bool show_view_of(struct app *app, enum action action)
{
	for (int i = 0; i < VIEW_COUNT; i++)
		if (view_table[i]->open == action && i != VIEW_HELP) {
			app->help_open = false;
			app_show(app, (enum view_id)i);
			return true;
		}
	return false;
}

/* What means the same in every view. */
static bool act_for_all(struct app *app, enum action action)
{
	switch (action) {
	case ACTION_HELP:
		app->help_open = !app->help_open;
		return true;
	case ACTION_CLOSE:
		close_or_leave(app);
		return true;
	case ACTION_QUIT:
		app->quit = true;
		return true;
	case ACTION_REPAINT:
		app->repaint = true;
		return true;
	case ACTION_SUSPEND:
		app->suspend = true;
		return true;
	case ACTION_NEXT_PANE:
		step_pane(app, 1, app->columns, app->rows);
		return true;
	case ACTION_PREVIOUS_PANE:
		step_pane(app, -1, app->columns, app->rows);
		return true;
	case ACTION_NEXT_FINDING:
		step_finding(app, 1);
		return true;
	case ACTION_PREVIOUS_FINDING:
		step_finding(app, -1);
		return true;
	case ACTION_SEARCH:
		prompt_open(&app->search_prompt, "/");
		return true;
	case ACTION_SEARCH_NEXT:
		search_step(app, 1);
		return true;
	case ACTION_SEARCH_PREVIOUS:
		search_step(app, -1);
		return true;
	default:
		return show_view_of(app, action);
	}
}

/* What Esc and Backspace mean when the view has nothing to leave. */
static bool act_at_last(struct app *app, enum action action)
{
	if (action != ACTION_CANCEL && action != ACTION_BACK)
		return false;
	if (app->help_open)
		app->help_open = false;
	else if (action == ACTION_CANCEL)
		search_release(&app->search);
	else if (!go_back(app))
		app_say(app, "this is where you began");
	return true;
}

static bool act(struct app *app, enum action action)
{
	enum view_id view = key_view(app);
	bool ready = app->analysis || app->help_open;

	return act_for_all(app, action) ||
	       (ready && view_table[view]->act(app, app->states[view], action)) ||
	       act_at_last(app, action);
}

void app_key(struct app *app, uint32_t key)
{
	enum action action;
	char name[KEY_LABEL_MAX];

	app->message[0] = '\0';
	if (app_prompt(app)) {
		prompt_take_key(app, key);
		return;
	}
	action = keymap_find(view_table[key_view(app)]->scope, key);
	if (action != ACTION_NONE && act(app, action))
		return;
	if (action != ACTION_NONE && app->working != APP_WORK_NONE)
		app_say(app, "%s has to wait: events are still being read", key_label(key, name));
	else
		app_say(app, "%s does nothing here; ? shows the keys", key_label(key, name));
}

/* --- drawing --- */

static void draw_view(struct app *app, const struct placement *place, bool alone)
{
	const struct view_ops *view = view_table[place->view];
	bool focused = place->view == key_view(app);
	struct pane pane = place->pane;
	struct pane rule = pane_take_top(&pane, 1);
	char title[PHRASE_MAX];

	/* The title last: only drawing settles what the view shows. */
	view->draw(app, app->states[place->view], pane, focused);
	view->title(app, app->states[place->view], title, sizeof(title));
	pane_rule(rule, 0, title, focused && !alone);
}

static void draw_views(struct app *app, struct pane rest)
{
	struct placement places[PANES_MAX];
	int count = layout_views(&app->place, rest, places);

	if (app->help_open) {
		places[0] = (struct placement){ VIEW_HELP, rest };
		count = 1;
	}
	for (int i = 0; i < count; i++)
		draw_view(app, &places[i], count == 1);
	if (count > 1)
		pane_vertical(rest, places[0].pane.columns);
}

void app_draw(struct app *app, struct canvas *canvas)
{
	struct pane rest = pane_of(canvas);

	canvas_clear(canvas);
	app->columns = canvas->columns;
	app->rows = canvas->rows;
	if (canvas->columns < APP_COLUMNS_MIN || canvas->rows < APP_ROWS_MIN) {
		too_small_draw(app, rest);
		return;
	}
	header_draw(app, pane_take_top(&rest, HEADER_ROWS));
	status_line_draw(app, pane_take_bottom(&rest, 1));
	if (app->analysis || app->help_open)
		draw_views(app, rest);
	else if (app->work_failed[APP_WORK_ANALYSIS])
		pane_text(rest, 1, 2, STYLE_BAD, "the events of this trace could not be read");
	else
		pane_text(rest, 1, 2, STYLE_DIM, "reading the events of the trace ...");
}
