#ifndef LOITER_UI_LAYOUT_H
#define LOITER_UI_LAYOUT_H

#include "viewer/ui/app.h"

/*
 * Which views stand where. Under 100 columns: the one that has the keys. From 100 on: a list at
 * the left, the timeline or the flame at the right. From 160 columns and 30 rows on: both.
 */
#define PANES_MAX 3

struct placement {
	enum view_id view;
	struct pane pane;
};

/* Cuts `rest` into panes for the views of `place`; returns how many, first the left one. */
int layout_views(const struct app_place *place, struct pane rest, struct placement out[PANES_MAX]);

#endif
