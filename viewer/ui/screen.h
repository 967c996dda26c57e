#ifndef LOITER_UI_SCREEN_H
#define LOITER_UI_SCREEN_H

#include "formats/base/error.h"
#include "viewer/ui/canvas.h"

/*
 * The terminal: started, resized, suspended, and given back as it was found, on every way out.
 * There can be one only. Signals that end the program (INT, TERM, HUP, QUIT) are noted and left to
 * the loop; after a crash the handler itself gives the terminal back.
 */
struct screen;

struct screen_options {
	bool ascii; /* even if the terminal's character set has more */
	bool mono;  /* even if it has colours */
};

/* LO_UNSUPPORTED with a sentence for a terminal that cannot move its cursor, or is not known. */
enum lo_result screen_open(
		struct screen **out, const struct screen_options *options, struct lo_error *err);
/* Accepts NULL. */
void screen_close(struct screen *screen);

/* What to draw on; as large as the terminal was at the last screen_follow_size(). */
struct canvas *screen_canvas(struct screen *screen);
enum lo_result screen_follow_size(struct screen *screen, struct lo_error *err);
/* Put the canvas on the terminal: only cells that differ are sent. */
void screen_show(struct screen *screen);
/* The next screen_show() sends everything: something else has written to the terminal. */
void screen_repaint(struct screen *screen);
/* Give the terminal back, stop the process group as Ctrl-Z does, take it again afterwards. */
void screen_suspend(struct screen *screen);

/* The first signal that asked the program to end, 0 = none. */
int screen_signal(const struct screen *screen);
/* Becomes readable on a signal and on a change of size. */
int screen_wake_descriptor(const struct screen *screen);
void screen_take_wake(struct screen *screen);

/* Whether the character set of the locale is UTF-8. */
bool screen_locale_is_utf8(void);

#endif
