#include "viewer/ui/theme.h"

#include <stddef.h>

#define NONE THEME_DEFAULT_COLOR

enum palette {
	BLACK,
	RED,
	GREEN,
	YELLOW,
	BLUE,
	MAGENTA,
	CYAN,
	WHITE
};

/*
 * Indices of the 6 x 6 x 6 cube and the grey ramp of 256-colour terminals, chosen to be readable
 * on black and on white.
 */
enum palette_256 {
	ORANGE = 172,
	GREY = 244,
	DARK_RED = 160,
	SAND = 180,
	PALE_SAND = 223,
	LEAF_GREEN = 70,
};

/*
 * States of tasks keep to the first eight colours and to no attribute, also where there are more: a
 * dense timeline changes colour in nearly every cell, at 5 bytes a change instead of 11 to 20.
 */
const struct theme themes[] = {
	{ .name = "mono",
			.colors = 0,
			.styles = {
				[STYLE_TEXT] = { NONE, NONE, 0 },
				[STYLE_TITLE] = { NONE, NONE, THEME_BOLD },
				[STYLE_DIM] = { NONE, NONE, THEME_DIM },
				[STYLE_SELECTED] = { NONE, NONE, THEME_REVERSE },
				[STYLE_TAB] = { NONE, NONE, THEME_REVERSE | THEME_BOLD },
				[STYLE_BAD] = { NONE, NONE, THEME_BOLD },
				[STYLE_WARNING] = { NONE, NONE, THEME_BOLD },
				[STYLE_GOOD] = { NONE, NONE, THEME_BOLD },
				[STYLE_ACTIVE] = { NONE, NONE, THEME_BOLD },
				[STYLE_BLOCKED] = { NONE, NONE, 0 },
				[STYLE_MIXED] = { NONE, NONE, 0 },
				[STYLE_ENDED] = { NONE, NONE, THEME_DIM },
				[STYLE_PENDING] = { NONE, NONE, THEME_DIM },
				[STYLE_CURSOR] = { NONE, NONE, THEME_REVERSE },
				[STYLE_FLAME] = { NONE, NONE, 0 },
				[STYLE_FLAME_OTHER] = { NONE, NONE, 0 },
				[STYLE_FLAME_SELECTED] = { NONE, NONE, THEME_REVERSE },
				[STYLE_MATCH] = { NONE, NONE, THEME_UNDERLINE | THEME_BOLD },
			} },
	{ .name = "8",
			.colors = 8,
			.styles = {
				[STYLE_TEXT] = { NONE, NONE, 0 },
				[STYLE_TITLE] = { NONE, NONE, THEME_BOLD },
				[STYLE_DIM] = { NONE, NONE, THEME_DIM },
				[STYLE_SELECTED] = { NONE, NONE, THEME_REVERSE },
				[STYLE_TAB] = { NONE, NONE, THEME_REVERSE | THEME_BOLD },
				[STYLE_BAD] = { RED, NONE, THEME_BOLD },
				[STYLE_WARNING] = { YELLOW, NONE, 0 },
				[STYLE_GOOD] = { GREEN, NONE, THEME_BOLD },
				[STYLE_ACTIVE] = { CYAN, NONE, 0 },
				[STYLE_BLOCKED] = { YELLOW, NONE, 0 },
				[STYLE_MIXED] = { CYAN, NONE, 0 },
				[STYLE_ENDED] = { NONE, NONE, THEME_DIM },
				[STYLE_PENDING] = { NONE, NONE, THEME_DIM },
				[STYLE_CURSOR] = { NONE, NONE, THEME_REVERSE },
				[STYLE_FLAME] = { BLACK, YELLOW, 0 },
				[STYLE_FLAME_OTHER] = { BLACK, CYAN, 0 },
				[STYLE_FLAME_SELECTED] = { NONE, NONE, THEME_REVERSE | THEME_BOLD },
				[STYLE_MATCH] = { WHITE, MAGENTA, THEME_BOLD },
			} },
	{ .name = "256",
			.colors = 256,
			.styles = {
				[STYLE_TEXT] = { NONE, NONE, 0 },
				[STYLE_TITLE] = { NONE, NONE, THEME_BOLD },
				[STYLE_DIM] = { GREY, NONE, 0 },
				[STYLE_SELECTED] = { NONE, NONE, THEME_REVERSE },
				[STYLE_TAB] = { NONE, NONE, THEME_REVERSE | THEME_BOLD },
				[STYLE_BAD] = { DARK_RED, NONE, THEME_BOLD },
				[STYLE_WARNING] = { ORANGE, NONE, 0 },
				[STYLE_GOOD] = { LEAF_GREEN, NONE, THEME_BOLD },
				[STYLE_ACTIVE] = { CYAN, NONE, 0 },
				[STYLE_BLOCKED] = { YELLOW, NONE, 0 },
				[STYLE_MIXED] = { CYAN, NONE, 0 },
				[STYLE_ENDED] = { GREY, NONE, 0 },
				[STYLE_PENDING] = { GREY, NONE, 0 },
				[STYLE_CURSOR] = { NONE, NONE, THEME_REVERSE },
				[STYLE_FLAME] = { BLACK, SAND, 0 },
				[STYLE_FLAME_OTHER] = { BLACK, PALE_SAND, 0 },
				[STYLE_FLAME_SELECTED] = { NONE, NONE, THEME_REVERSE | THEME_BOLD },
				[STYLE_MATCH] = { WHITE, MAGENTA, THEME_BOLD },
			} },
	{ .name = NULL },
};
