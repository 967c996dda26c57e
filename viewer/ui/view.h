#ifndef LOITER_UI_VIEW_H
#define LOITER_UI_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "viewer/ui/action.h"
#include "viewer/ui/canvas.h"
#include "viewer/ui/keymap.h"

struct app;

/*
 * A view shows the trace in one way. It keeps its own state, reads what is shared from the app
 * (selection, time cursor, analysis), acts on actions and draws on a pane. It reads no keys and
 * knows no terminal. A new view is one file, one row in view_table.c and its keys.
 */
enum view_id {
	VIEW_FINDINGS,
	VIEW_TIMELINE,
	VIEW_FLAME,
	VIEW_TASKS,
	VIEW_DETAIL,
	VIEW_HELP,
	VIEW_COUNT,
};

/* Where a view stands when there is room for several. */
enum view_slot {
	VIEW_SLOT_LEFT,
	VIEW_SLOT_RIGHT,
	VIEW_SLOT_OVERLAY,
};

/* What a view needs before it can be drawn; the app sees to it that it is made. */
enum view_need {
	VIEW_NEEDS_LANES = 1 << 0,
	VIEW_NEEDS_FLAME = 1 << 1,
};

/* A key worth knowing here, for the last line of the screen. */
struct view_hint {
	enum action action; /* ACTION_NONE ends the list */
	const char *word;
};

struct view_ops {
	const char *name; /* "Findings" */
	enum action open; /* the action that shows it; ACTION_NONE: reached from others */
	enum scope scope;
	enum view_slot slot;
	unsigned needs; /* set of enum view_need */
	size_t state_size;
	const struct view_hint *hints;

	void (*release)(void *state); /* may be NULL */
	/* What stands in the separator above the view. */
	void (*title)(struct app *app, void *state, char *out, size_t capacity);
	/* False: the action means nothing to this view just now. */
	bool (*act)(struct app *app, void *state, enum action action);
	void (*draw)(struct app *app, void *state, struct pane pane, bool focused);

	/* What the user wrote after app_ask(); LO_USAGE with a sentence. NULL: the view never asks.
	 */
	enum lo_result (*answer)(
			struct app *app, void *state, const char *text, struct lo_error *err);

	/* The rows that a search goes through; NULL: nothing to search. */
	int (*row_count)(struct app *app, void *state);
	int (*row_selected)(struct app *app, void *state);
	void (*row_text)(struct app *app, void *state, int row, char *out, size_t capacity);
	void (*row_select)(struct app *app, void *state, int row);
};

extern const struct view_ops findings_view;
extern const struct view_ops timeline_view;
extern const struct view_ops flame_view;
extern const struct view_ops tasks_view;
extern const struct view_ops detail_view;
extern const struct view_ops help_view;

/* Indexed by enum view_id; complete. */
extern const struct view_ops *const view_table[VIEW_COUNT];

#endif
