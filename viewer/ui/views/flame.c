#include "viewer/ui/view.h"

#include <stdio.h>
#include <string.h>

#include "formats/base/duration.h"
#include "viewer/analysis/site.h"
#include "viewer/ui/app.h"
#include "viewer/ui/phrase.h"

/*
 * Blocked time by call stack, root on top. A frame is as wide as its share of the frame zoomed
 * into: its edges are the exact sums of what lies left of them, rounded once, so that rounding
 * never adds up and children never stick out of their caller. What is narrower than a column is
 * not drawn; zooming in shows it.
 */
struct flame_state {
	uint32_t zoom;     /* node that fills the width */
	uint32_t selected; /* node */
	enum flame_weight weight;
	int top; /* first depth shown, counted from the zoomed frame */
	int columns;
};

static const char *const weight_names[] = {
	[FLAME_BLOCKED_TIME] = "blocked time",
	[FLAME_BLOCKS] = "number of waits",
	[FLAME_STUCK] = "still blocked at the end",
};

static uint64_t weight_of(const struct flame_state *view, const struct flame_node *node)
{
	switch (view->weight) {
	case FLAME_BLOCKS:
		return node->blocks;
	case FLAME_STUCK:
		return node->stuck;
	default:
		return node->total_ns;
	}
}

static const char *weight_text(
		const struct flame_state *view, uint64_t weight, char text[DURATION_TEXT_MAX])
{
	if (view->weight == FLAME_BLOCKED_TIME)
		return duration_format(text, weight);
	snprintf(text, DURATION_TEXT_MAX, "%llu", (unsigned long long)weight);
	return text;
}

__extension__ typedef unsigned __int128 wide_number; /* ten thousand tasks x hours x columns */

/* Where `weight` of `total` lies in `columns`, rounded to the nearest. */
static int column_of(uint64_t weight, uint64_t total, int columns)
{
	if (total == 0)
		return 0;
	return (int)(((wide_number)weight * (unsigned)columns + total / 2) / total);
}

/* The columns [begin, end) of a node; it must lie below the zoomed one, or be it. */
struct extent {
	int begin;
	int end;
};

static uint64_t weight_left_of(
		const struct flame *flame, const struct flame_state *view, uint32_t index)
{
	uint64_t left = 0;

	while (index != view->zoom && index != 0) {
		uint32_t parent = flame->nodes[index].parent;

		for (uint32_t i = flame->nodes[parent].first_child; i && i != index;
				i = flame->nodes[i].next_sibling)
			left += weight_of(view, &flame->nodes[i]);
		index = parent;
	}
	return left;
}

static struct extent extent_at(const struct flame *flame, const struct flame_state *view,
		uint64_t left, uint32_t index)
{
	uint64_t total = weight_of(view, &flame->nodes[view->zoom]);
	uint64_t weight = weight_of(view, &flame->nodes[index]);

	return (struct extent){ column_of(left, total, view->columns),
		column_of(left + weight, total, view->columns) };
}

static bool is_visible(const struct flame *flame, const struct flame_state *view, uint32_t index)
{
	struct extent extent = extent_at(flame, view, weight_left_of(flame, view, index), index);

	return extent.end > extent.begin;
}

static bool is_below(const struct flame *flame, uint32_t index, uint32_t ancestor)
{
	while (index != ancestor && index != 0)
		index = flame->nodes[index].parent;
	return index == ancestor;
}

static bool is_empty(const struct app *app)
{
	return !app->flame || app->flame->node_count < 2;
}

static void draw_frame(const struct app *app, const struct flame_state *view, struct pane pane,
		int row, struct extent extent, uint32_t index, bool odd)
{
	const struct flame_node *node = &app->flame->nodes[index];
	const char *name = index ? flame_name(app->flame, node) : "all";
	enum style_role style = odd ? STYLE_FLAME_OTHER : STYLE_FLAME;
	char text[DURATION_TEXT_MAX];
	int width = extent.end - extent.begin;
	int used;

	if (index == view->selected)
		style = STYLE_FLAME_SELECTED;
	else if (index && app_matches(app, name))
		style = STYLE_MATCH;
	pane_fill(pane, row, extent.begin, width, style, ' ');
	if (extent.begin > 0)
		pane_put(pane, row, extent.begin, style, pane.canvas->glyphs->vertical);
	used = pane_text_end(pane, row, extent.begin + 1, width - 1, style, name);
	weight_text(view, weight_of(view, node), text);
	if (used + (int)strlen(text) + 3 <= width)
		pane_text(pane, row, extent.begin + used + 2, style, text);
}

/* A node to draw, and the weight of everything left of it. */
struct drawing {
	const struct app *app;
	const struct flame_state *view;
	struct pane pane;
};

static void draw_tree(
		const struct drawing *drawing, uint32_t index, uint64_t left, int depth, bool odd)
{
	const struct flame *flame = drawing->app->flame;
	const struct flame_node *node = &flame->nodes[index];
	struct extent extent = extent_at(flame, drawing->view, left, index);
	int row = depth - drawing->view->top;

	if (extent.end <= extent.begin || row >= drawing->pane.rows)
		return;
	draw_frame(drawing->app, drawing->view, drawing->pane, row, extent, index, odd);
	for (uint32_t i = node->first_child; i; i = flame->nodes[i].next_sibling) {
		odd = !odd;
		draw_tree(drawing, i, left, depth + 1, odd);
		left += weight_of(drawing->view, &flame->nodes[i]);
	}
}

static int depth_below(const struct flame *flame, const struct flame_state *view, uint32_t index)
{
	return flame->nodes[index].depth - flame->nodes[view->zoom].depth;
}

#define PATH_FRAMES 16 /* more than a line can show */

/* "all > main > serve"; a long path loses its outer frames. */
static void path_text(const struct flame *flame, uint32_t index, char *out, size_t capacity)
{
	uint32_t path[PATH_FRAMES];
	int count = 0;

	for (; index && count < PATH_FRAMES; index = flame->nodes[index].parent)
		path[count++] = index;
	phrase(out, capacity, "%s", index ? "..." : "all");
	while (count-- > 0) {
		size_t length = strlen(out);

		phrase(out + length, capacity - length, " > %s",
				flame_name(flame, &flame->nodes[path[count]]));
	}
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

static uint64_t self_weight(
		const struct flame *flame, const struct flame_state *view, uint32_t index)
{
	uint64_t self = weight_of(view, &flame->nodes[index]);

	for (uint32_t i = flame->nodes[index].first_child; i; i = flame->nodes[i].next_sibling) {
		uint64_t child = weight_of(view, &flame->nodes[i]);

		self -= child < self ? child : self;
	}
	return self;
}

static void draw_details(const struct app *app, const struct flame_state *view, struct pane pane)
{
	const struct flame *flame = app->flame;
	const struct flame_node *node = &flame->nodes[view->selected];
	const struct flame_node *parent = &flame->nodes[node->parent];
	char text[PHRASE_MAX];
	char total[DURATION_TEXT_MAX];
	char all[DURATION_TEXT_MAX];
	char self[DURATION_TEXT_MAX];

	pane_rule(pane, 0, view->selected ? flame_name(flame, node) : "all", false);
	pane_printf(pane, 1, 2, STYLE_TEXT, "%s blocked in %llu waits; %u still blocked at the end",
			duration_format(total, node->total_ns), (unsigned long long)node->blocks,
			node->stuck);
	pane_printf(pane, 2, 2, STYLE_TEXT, "%.1f %% of %s in all; %.1f %% of its caller; self %s",
			percent(weight_of(view, node), weight_of(view, &flame->nodes[0])),
			weight_text(view, weight_of(view, &flame->nodes[0]), all),
			percent(weight_of(view, node), weight_of(view, parent)),
			weight_text(view, self_weight(flame, view, view->selected), self));
	path_text(flame, view->selected, text, sizeof(text));
	pane_text_middle(pane, 3, 2, pane.columns - 2, STYLE_DIM, text);
}

static void flame_draw(struct app *app, void *state, struct pane pane, bool focused)
{
	struct flame_state *view = state;
	struct drawing drawing = { .app = app, .view = view };
	int depth;

	(void)focused;
	if (!app->flame) {
		pane_text(pane, 0, 2, STYLE_PENDING, "waits are being added up ...");
		return;
	}
	if (is_empty(app)) {
		pane_text(pane, 0, 2, STYLE_GOOD, "no task was ever blocked in this trace");
		return;
	}
	if (pane.rows >= 9)
		draw_details(app, view, pane_take_bottom(&pane, 4));
	view->columns = pane.columns;
	depth = depth_below(app->flame, view, view->selected);
	if (view->top > depth)
		view->top = depth > 0 ? depth : 0;
	if (depth >= view->top + pane.rows)
		view->top = depth - pane.rows + 1;
	if (weight_of(view, &app->flame->nodes[view->zoom]) == 0) {
		pane_text(pane, 0, 2, STYLE_GOOD, "nothing is still blocked at the end here");
		return;
	}
	drawing.pane = pane;
	draw_tree(&drawing, view->zoom, 0, 0, false);
}

/* The next sibling with a visible width; several levels up if there is none (cousins). */
static uint32_t next_beside(
		const struct flame *flame, const struct flame_state *view, uint32_t index)
{
	for (uint32_t i = flame->nodes[index].next_sibling; i; i = flame->nodes[i].next_sibling)
		if (is_visible(flame, view, i))
			return i;
	return index;
}

static uint32_t previous_beside(
		const struct flame *flame, const struct flame_state *view, uint32_t index)
{
	uint32_t best = index;

	for (uint32_t i = flame->nodes[flame->nodes[index].parent].first_child; i && i != index;
			i = flame->nodes[i].next_sibling)
		if (is_visible(flame, view, i))
			best = i;
	return best;
}

static uint32_t first_below(
		const struct flame *flame, const struct flame_state *view, uint32_t index)
{
	for (uint32_t i = flame->nodes[index].first_child; i; i = flame->nodes[i].next_sibling)
		if (is_visible(flame, view, i))
			return i;
	return index;
}

static uint32_t deepest_below(
		const struct flame *flame, const struct flame_state *view, uint32_t index)
{
	uint32_t next = first_below(flame, view, index);

	while (next != index) {
		index = next;
		next = first_below(flame, view, index);
	}
	return index;
}

/* Zoom out until the node has a visible width. */
static void reveal(const struct flame *flame, struct flame_state *view, uint32_t index)
{
	view->selected = index;
	if (!is_below(flame, index, view->zoom))
		view->zoom = 0;
	while (view->zoom != index && !is_visible(flame, view, index)) {
		uint32_t step = index;

		/* One level down towards the node: its share grows with each. */
		while (flame->nodes[step].parent != view->zoom)
			step = flame->nodes[step].parent;
		view->zoom = step;
	}
}

static bool zoom_out(const struct flame *flame, struct flame_state *view)
{
	if (view->zoom == 0)
		return false;
	view->selected = view->zoom;
	view->zoom = flame->nodes[view->zoom].parent;
	return true;
}

static bool move(const struct flame *flame, struct flame_state *view, enum action action)
{
	uint32_t at = view->selected;

	switch (action) {
	case ACTION_DOWN:
		view->selected = first_below(flame, view, at);
		return true;
	case ACTION_UP:
		if (at != view->zoom)
			view->selected = flame->nodes[at].parent;
		return true;
	case ACTION_RIGHT:
		if (at != view->zoom)
			view->selected = next_beside(flame, view, at);
		return true;
	case ACTION_LEFT:
		if (at != view->zoom)
			view->selected = previous_beside(flame, view, at);
		return true;
	case ACTION_FIRST:
	case ACTION_BEGIN:
		view->selected = view->zoom;
		return true;
	case ACTION_LAST:
	case ACTION_END:
		view->selected = deepest_below(flame, view, at);
		return true;
	default:
		return false;
	}
}

static bool flame_act(struct app *app, void *state, enum action action)
{
	struct flame_state *view = state;

	if (is_empty(app))
		return false;
	if (view->columns == 0)
		view->columns = app->columns; /* not drawn yet: about as wide as it will be */
	if (move(app->flame, view, action))
		return true;
	switch (action) {
	case ACTION_OPEN:
		view->zoom = view->selected;
		return true;
	case ACTION_BACK:
	case ACTION_CANCEL:
		return zoom_out(app->flame, view);
	case ACTION_WEIGHT:
		view->weight = view->weight == FLAME_STUCK ? FLAME_BLOCKED_TIME
							   : (enum flame_weight)(view->weight + 1);
		app_say(app, "width: %s", weight_names[view->weight]);
		return true;
	default:
		return false;
	}
}

static void flame_title(struct app *app, void *state, char *out, size_t capacity)
{
	struct flame_state *view = state;
	char path[PHRASE_MAX / 2] = "all";

	if (!is_empty(app))
		path_text(app->flame, view->zoom, path, sizeof(path));
	phrase(out, capacity, "Flame by %s: %s", weight_names[view->weight], path);
}

static int flame_rows(struct app *app, void *state)
{
	(void)state;
	return is_empty(app) ? 0 : (int)app->flame->node_count;
}

static int flame_selected(struct app *app, void *state)
{
	(void)app;
	return (int)((struct flame_state *)state)->selected;
}

static void flame_text(struct app *app, void *state, int row, char *out, size_t capacity)
{
	(void)state;
	phrase(out, capacity, "%s", row ? flame_name(app->flame, &app->flame->nodes[row]) : "");
}

static void flame_select(struct app *app, void *state, int row)
{
	reveal(app->flame, state, (uint32_t)row);
}

static const struct view_hint flame_hints[] = {
	{ ACTION_OPEN, "zoom" },
	{ ACTION_BACK, "out" },
	{ ACTION_WEIGHT, "width by" },
	{ ACTION_SEARCH, "search" },
	{ ACTION_SEARCH_NEXT, "next match" },
	{ ACTION_HELP, "help" },
	{ ACTION_CLOSE, "back" },
	{ ACTION_NONE, NULL },
};

const struct view_ops flame_view = {
	.name = "Flame",
	.open = ACTION_FLAME,
	.scope = SCOPE_FLAME,
	.slot = VIEW_SLOT_RIGHT,
	.needs = VIEW_NEEDS_FLAME,
	.state_size = sizeof(struct flame_state),
	.hints = flame_hints,
	.title = flame_title,
	.act = flame_act,
	.draw = flame_draw,
	.row_count = flame_rows,
	.row_selected = flame_selected,
	.row_text = flame_text,
	.row_select = flame_select,
};
