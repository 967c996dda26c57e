#ifndef LOITER_UI_APP_H
#define LOITER_UI_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/base/macros.h"
#include "formats/native/trace_reader.h"
#include "viewer/analysis/analysis.h"
#include "viewer/analysis/flame.h"
#include "viewer/analysis/lane_query.h"
#include "viewer/ui/background.h"
#include "viewer/ui/canvas.h"
#include "viewer/ui/prompt.h"
#include "viewer/ui/search.h"
#include "viewer/ui/view.h"

/*
 * The state of the terminal program: the only mutable root. Keys come in through app_key(), a
 * screen comes out through app_draw(); neither knows a terminal, so the whole program runs in a
 * test. Work that reads many events is done by a background thread: until its result is there,
 * views show it as pending.
 */
#define APP_MESSAGE_MAX 200
#define APP_HISTORY_MAX 64

#define APP_ROWS_MIN    8
#define APP_COLUMNS_MIN 40

/* What the detail view is about. */
enum detail_kind {
	DETAIL_NONE,
	DETAIL_FINDING, /* id: row of the findings view */
	DETAIL_TASK,    /* id: task */
};

/* Where the user is; what Backspace returns to. */
struct app_place {
	enum view_id focus; /* who has the keys */
	enum view_id left;  /* what stands in the left slot */
	enum view_id right; /* what stands in the right slot when there is only one */
	enum detail_kind detail;
	uint32_t detail_id;
	int finding;        /* row of the findings view: findings, then parked groups */
	uint32_t task;      /* TASK_NONE = none yet */
	uint64_t cursor_ns; /* of the time axis */
};

enum app_work {
	APP_WORK_NONE,
	APP_WORK_ANALYSIS,
	APP_WORK_LANES,
	APP_WORK_FLAME,
	APP_WORK_COUNT,
};

struct app {
	struct trace_reader *reader;
	const char *name; /* of the file, without folders */

	/* Made in this order by the background thread; NULL until then. */
	struct analysis *analysis;
	struct lane_index *lanes;
	struct flame *flame;
	uint32_t *task_findings; /* per task: 1 + index of its most severe finding, or 0 */
	struct background background;
	enum app_work working;
	/* Where the worker puts what it makes; the main thread moves it to its place. */
	struct analysis *analysis_made;
	struct lane_index *lanes_made;
	struct flame *flame_made;
	bool work_failed[APP_WORK_COUNT];

	struct app_place place;
	struct app_place history[APP_HISTORY_MAX];
	int history_count;
	void *states[VIEW_COUNT];
	bool show_runtime; /* tasks of a language runtime are in the lists too */
	bool help_open;

	struct prompt search_prompt;
	struct prompt question; /* of the view that has the keys */
	struct search search;
	char message[APP_MESSAGE_MAX]; /* until the next key */
	bool message_is_bad;
	int columns; /* of the screen, as last drawn */
	int rows;

	/* Wishes to whoever runs the loop. */
	bool quit;
	bool suspend;
	bool repaint;
};

/* `reader` and `name` stay the caller's. */
enum lo_result app_init(struct app *app, struct trace_reader *reader, const char *name,
		struct lo_error *err);
void app_release(struct app *app);

void app_key(struct app *app, uint32_t key);
void app_draw(struct app *app, struct canvas *canvas);

/* The prompt that is open, or NULL. */
const struct prompt *app_prompt(const struct app *app);

/* For views. */
/* Ask the user for a line; it goes to the `answer` of the view that has the keys. */
void app_ask(struct app *app, const char *title);
void app_say(struct app *app, const char *format, ...) LO_PRINTF(2, 3);
void app_warn(struct app *app, const struct lo_error *err);
/* Select; `finding` is a row of the findings view, which also selects its first task. */
void app_select_task(struct app *app, uint32_t task);
void app_select_finding(struct app *app, int finding);
/* Go somewhere, so that Backspace comes back. */
void app_show(struct app *app, enum view_id view);
void app_open_task(struct app *app, uint32_t task);
void app_open_finding(struct app *app, int finding);
/* Open the creator of a task, or who woke it last; say so when nobody knows. */
void app_open_creator(struct app *app, uint32_t task);
void app_open_waker(struct app *app, uint32_t task);
/* Shows or hides the tasks of a language runtime, and says so. */
void app_toggle_runtime(struct app *app);

bool app_matches(const struct app *app, const char *text);

/* Rows of the findings view: findings, then parked groups. */
int app_finding_rows(const struct app *app);
const struct finding *app_finding(const struct app *app, int row);
const struct wait_group *app_parked(const struct app *app, int row);
const struct task_summary *app_task(const struct app *app, uint32_t task);

#endif
