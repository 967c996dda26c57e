#include "viewer/ui/view.h"

#include <stdio.h>
#include <string.h>

#include "formats/model/event.h"
#include "viewer/ui/app.h"
#include "viewer/ui/document.h"
#include "viewer/ui/list.h"
#include "viewer/ui/phrase.h"

/* Made from the live key table, so it cannot tell of keys that do not work. */
struct help {
	struct document document;
	struct list list;
};

#define KEYS_WIDTH 18

static void add_action(struct document *document, unsigned scope, enum action action)
{
	char keys[80];

	keymap_keys(scope, action, keys, sizeof(keys));
	if (*keys)
		document_add(document, "", STYLE_TEXT, TASK_NONE, "%-*s %s", KEYS_WIDTH, keys,
				action_infos[action].help);
}

static bool group_has_keys(unsigned scope, enum action_group group)
{
	for (int action = ACTION_NONE + 1; action < ACTION_COUNT; action++)
		if (action_infos[action].group == group &&
				keymap_key(scope, (enum action)action, 0) != KEYCODE_NONE)
			return true;
	return false;
}

static void add_group(struct document *document, unsigned scope, enum action_group group)
{
	if (!group_has_keys(scope, group))
		return;
	document_heading(document, action_group_names[group]);
	for (int action = ACTION_NONE + 1; action < ACTION_COUNT; action++)
		if (action_infos[action].group == group)
			add_action(document, scope, (enum action)action);
}

static void add_legend(struct document *document)
{
	document_heading(document, "Legend");
	document_add(document, "", STYLE_TEXT, TASK_NONE,
			"#  active: runs or could run      ~  blocked: waits for something");
	document_add(document, "", STYLE_TEXT, TASK_NONE,
			".  many short waits: it moves     x  exits here");
	document_add(document, "", STYLE_TEXT, TASK_NONE,
			"?  not known: not read yet, or the file is damaged there");
	document_add(document, "", STYLE_TEXT, TASK_NONE,
			"!  member of a finding            L  events were lost about then");
	document_add(document, "", STYLE_TEXT, TASK_NONE,
			"parked on purpose: waits where tasks are meant to wait; never an alarm");
}

static void build(const struct app *app, struct help *view, struct pane pane)
{
	unsigned scope = view_table[app->place.focus]->scope;

	document_begin(&view->document, pane.canvas, pane.columns);
	for (int group = 0; group < ACTION_GROUP_COUNT; group++)
		add_group(&view->document, scope, (enum action_group)group);
	add_legend(&view->document);
}

static void help_draw(struct app *app, void *state, struct pane pane, bool focused)
{
	struct help *view = state;

	(void)focused;
	build(app, view, pane);
	document_draw(&view->document, pane, &view->list, true);
}

static bool help_act(struct app *app, void *state, enum action action)
{
	(void)app;
	return list_act(&((struct help *)state)->list, action);
}

static void help_title(struct app *app, void *state, char *out, size_t capacity)
{
	struct help *view = state;
	char extent[DOCUMENT_EXTENT_MAX];

	phrase(out, capacity, "Help: keys in %s%s", view_table[app->place.focus]->name,
			document_extent(&view->document, &view->list, extent));
}

static int help_rows(struct app *app, void *state)
{
	(void)app;
	return ((struct help *)state)->document.count;
}

static int help_selected(struct app *app, void *state)
{
	(void)app;
	return ((struct help *)state)->list.selected;
}

static void help_text(struct app *app, void *state, int row, char *out, size_t capacity)
{
	(void)app;
	phrase(out, capacity, "%s", ((struct help *)state)->document.lines[row].text);
}

static void help_select(struct app *app, void *state, int row)
{
	(void)app;
	list_select(&((struct help *)state)->list, row);
}

static void help_release(void *state)
{
	document_release(&((struct help *)state)->document);
}

static const struct view_hint help_hints[] = {
	{ ACTION_DOWN, "down" },
	{ ACTION_UP, "up" },
	{ ACTION_SEARCH, "search" },
	{ ACTION_CLOSE, "close" },
	{ ACTION_NONE, NULL },
};

const struct view_ops help_view = {
	.name = "Help",
	.open = ACTION_HELP,
	.scope = SCOPE_HELP,
	.slot = VIEW_SLOT_OVERLAY,
	.state_size = sizeof(struct help),
	.hints = help_hints,
	.release = help_release,
	.title = help_title,
	.act = help_act,
	.draw = help_draw,
	.row_count = help_rows,
	.row_selected = help_selected,
	.row_text = help_text,
	.row_select = help_select,
};
