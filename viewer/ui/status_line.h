#ifndef LOITER_UI_STATUS_LINE_H
#define LOITER_UI_STATUS_LINE_H

#include "viewer/ui/app.h"

/* The last line: what is typed, else what has to be said, else the keys worth knowing here. */
void status_line_draw(const struct app *app, struct pane pane);

/* The first two lines: which trace, which views; how many are stuck, lost, parked. */
#define HEADER_ROWS 2
void header_draw(const struct app *app, struct pane pane);

/* One line for a terminal that is too small: still says whether anything is stuck. */
void too_small_draw(const struct app *app, struct pane pane);

#endif
