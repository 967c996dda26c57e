#ifndef LOITER_UI_THEME_H
#define LOITER_UI_THEME_H

#include <stdbool.h>
#include <stdint.h>

#include "viewer/ui/style.h"

/*
 * From roles to colours. Pairs that must be told apart differ in lightness or in an attribute, not
 * in hue alone; colours 0 to 7 are the terminal's own palette, so light themes stay readable.
 */
#define THEME_DEFAULT_COLOR (-1)

enum theme_attribute {
	THEME_BOLD = 1 << 0,
	THEME_DIM = 1 << 1,
	THEME_REVERSE = 1 << 2,
	THEME_UNDERLINE = 1 << 3,
};

struct theme_style {
	int16_t foreground; /* palette index or THEME_DEFAULT_COLOR */
	int16_t background;
	uint8_t attributes; /* set of enum theme_attribute */
};

struct theme {
	const char *name; /* "mono", "8", "256" */
	int colors;       /* the terminal must have at least so many; 0 = none needed */
	struct theme_style styles[STYLE_COUNT];
};

/* Fewest colours first; ends with a row whose name is NULL. */
extern const struct theme themes[];

/* The richest theme for a terminal with `colors` colours; the first one when `mono`. Never NULL. */
const struct theme *theme_choose(int colors, bool mono);
/* The user's wish: NO_COLOR (no-color.org) set to anything but nothing. */
bool theme_no_color(void);

/* One printable character for each role, '.' for STYLE_TEXT; '?' out of range. */
char style_letter(unsigned style);

#endif
