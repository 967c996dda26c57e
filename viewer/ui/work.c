#include "viewer/ui/work.h"

#include <stdlib.h>

#include "viewer/ui/layout.h"

static enum lo_result find_members(struct app *app, struct lo_error *err)
{
	const struct analysis *analysis = app->analysis;

	app->task_findings = calloc((size_t)analysis->task_limit + 1, sizeof(*app->task_findings));
	if (!app->task_findings)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u tasks",
				analysis->task_limit);
	for (uint32_t i = analysis->finding_count; i-- > 0;)
		for (uint32_t k = 0; k < analysis->findings[i].task_count; k++) {
			uint32_t task = analysis->findings[i].tasks[k];

			/* A burst names all that it made: that alone is no reason to mark them. */
			if (task < analysis->task_limit &&
					analysis->findings[i].kind != FINDING_BURST)
				app->task_findings[task] = i + 1;
		}
	return LO_OK;
}

static enum lo_result run_work(void *context, const struct progress *progress, struct lo_error *err)
{
	struct app *app = context;

	switch (app->working) {
	case APP_WORK_ANALYSIS:
		return analysis_new(&app->analysis_made, app->reader, progress, err);
	case APP_WORK_LANES:
		return lane_index_new(&app->lanes_made, app->reader, app->analysis, progress, err);
	case APP_WORK_FLAME:
		return flame_new(&app->flame_made, app->reader, TIME_SPAN_ALL, TASK_NONE, progress,
				err);
	default:
		return LO_OK;
	}
}

static enum lo_result take_work(struct app *app, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	switch (app->working) {
	case APP_WORK_ANALYSIS:
		app->analysis = app->analysis_made;
		app->analysis_made = NULL;
		result = find_members(app, err);
		app_select_finding(app, 0);
		if (app->place.task == TASK_NONE && app->analysis->task_limit > 1)
			app->place.task = 1;
		break;
	case APP_WORK_LANES:
		app->lanes = app->lanes_made;
		app->lanes_made = NULL;
		break;
	case APP_WORK_FLAME:
		app->flame = app->flame_made;
		app->flame_made = NULL;
		break;
	default:
		break;
	}
	return result;
}

static unsigned visible_needs(const struct app *app, int columns)
{
	struct canvas screen = { .rows = CANVAS_ROWS_MAX, .columns = columns };
	struct placement places[PANES_MAX];
	int count = layout_views(&app->place, pane_of(&screen), places);
	unsigned needs = 0;

	for (int i = 0; i < count; i++)
		needs |= view_table[places[i].view]->needs;
	return needs;
}

static enum app_work next_work(const struct app *app, int columns)
{
	unsigned needs = visible_needs(app, columns);

	if (!app->analysis)
		return app->work_failed[APP_WORK_ANALYSIS] ? APP_WORK_NONE : APP_WORK_ANALYSIS;
	if ((needs & VIEW_NEEDS_LANES) && !app->lanes && !app->work_failed[APP_WORK_LANES])
		return APP_WORK_LANES;
	if ((needs & VIEW_NEEDS_FLAME) && !app->flame && !app->work_failed[APP_WORK_FLAME])
		return APP_WORK_FLAME;
	return APP_WORK_NONE;
}

static void work_failed(struct app *app, const struct lo_error *err)
{
	app->work_failed[app->working] = true;
	app_warn(app, err);
}

void work_step(struct app *app, int columns)
{
	struct lo_error err = { .offset = LO_NO_OFFSET };
	enum lo_result result;

	if (app->working != APP_WORK_NONE) {
		if (!background_take(&app->background, &result, &err))
			return;
		if (result == LO_OK)
			result = take_work(app, &err);
		if (result != LO_OK)
			work_failed(app, &err);
		app->working = APP_WORK_NONE;
	}
	app->working = next_work(app, columns);
	if (app->working == APP_WORK_NONE)
		return;
	if (background_start(&app->background, run_work, app, &err) != LO_OK) {
		work_failed(app, &err);
		app->working = APP_WORK_NONE;
	}
}

enum lo_result work_finish(struct app *app, int columns, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	while (result == LO_OK && (app->working = next_work(app, columns)) != APP_WORK_NONE) {
		result = run_work(app, NULL, err);
		if (result == LO_OK)
			result = take_work(app, err);
	}
	app->working = APP_WORK_NONE;
	return result;
}
