#ifndef LOITER_UI_LOOP_H
#define LOITER_UI_LOOP_H

#include "viewer/ui/app.h"
#include "viewer/ui/screen.h"

/*
 * Draw, sleep until there is news (a key, a signal, another size, a result of the worker), act on
 * all of it, draw again; until the user leaves. Nothing is drawn when nothing has changed. Returns
 * the signal that ended it, or 0.
 */
int loop_run(struct app *app, struct screen *screen);

#endif
