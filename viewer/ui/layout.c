#include "viewer/ui/layout.h"

#define TWO_PANES_COLUMNS   100
#define THREE_PANES_COLUMNS 160
#define THREE_PANES_ROWS    30
#define LEFT_COLUMNS        62 /* the list of findings with a readable place */

/* Half of the screen up to LEFT_COLUMNS; on very wide ones a third. */
static int left_columns(int columns)
{
	if (columns / 2 < LEFT_COLUMNS)
		return columns / 2;
	return columns * 31 / 100 > LEFT_COLUMNS ? columns * 31 / 100 : LEFT_COLUMNS;
}

int layout_views(const struct app_place *place, struct pane rest, struct placement out[PANES_MAX])
{
	bool three = rest.columns >= THREE_PANES_COLUMNS && rest.rows >= THREE_PANES_ROWS;

	if (rest.columns < TWO_PANES_COLUMNS) {
		out[0] = (struct placement){ place->focus, rest };
		return 1;
	}
	out[0] = (struct placement){ place->left,
		pane_take_left(&rest, left_columns(rest.columns)) };
	pane_take_left(&rest, 1); /* the line between them */
	if (!three) {
		out[1] = (struct placement){ place->right, rest };
		return 2;
	}
	out[1] = (struct placement){ VIEW_TIMELINE, pane_take_top(&rest, rest.rows * 3 / 5) };
	out[2] = (struct placement){ VIEW_FLAME, rest };
	return 3;
}
