#ifndef LOITER_UI_LIST_H
#define LOITER_UI_LIST_H

#include <stdbool.h>

#include "viewer/ui/action.h"

/*
 * Which row of a list is selected and which is the first one shown. Invariants after any call:
 * 0 <= selected < count (0 when empty), and list_show() makes the selected row visible.
 */
struct list {
	int count;
	int selected;
	int top;  /* first row shown */
	int rows; /* rows of the pane, as last drawn */
	bool jumped;
};

/* Before drawing: `count` rows in a pane of `rows`. Moves as little as possible. */
void list_show(struct list *list, int count, int rows);
void list_select(struct list *list, int row);
/* Select a row that may be far away: if it is not shown, it comes into the middle. */
void list_jump(struct list *list, int row);
/* Up, down, pages, first, last. False when the action is not one of these. */
bool list_act(struct list *list, enum action action);

#endif
