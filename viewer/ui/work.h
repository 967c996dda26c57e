#ifndef LOITER_UI_WORK_H
#define LOITER_UI_WORK_H

#include "viewer/ui/app.h"

/*
 * What takes long: reading all events for the analysis, the states for the timeline, the waits for
 * the flame. One after the other, each when a view on the screen needs it.
 */

/* Take what is done and start what the views on `columns` columns need next. Never waits. */
void work_step(struct app *app, int columns);

/* All of it, in this thread: for tests and dumps. */
enum lo_result work_finish(struct app *app, int columns, struct lo_error *err);

#endif
