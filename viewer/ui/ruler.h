#ifndef LOITER_UI_RULER_H
#define LOITER_UI_RULER_H

#include "viewer/ui/app.h"
#include "viewer/ui/time_axis.h"

/* Time in one row, above whatever is drawn over it. */

/* The whole trace: where the window lies, and where findings began. */
void ruler_draw_map(const struct app *app, const struct time_axis *axis, struct pane strip);

/* The window: ticks at round times, L where events were lost, the time cursor. */
void ruler_draw(const struct app *app, const struct time_axis *axis, struct pane strip);

#endif
