#ifndef LOITER_UI_GLYPHS_H
#define LOITER_UI_GLYPHS_H

#include <stdint.h>

/*
 * The few characters that differ between terminals that know UTF-8 and those that do not. The
 * states of tasks are the same ASCII characters everywhere: a screen pasted into a bug report
 * reads alike wherever it was made, and an ASCII cell costs a third of a block character.
 */
#define GLYPH_SPARK_LEVELS 8

struct glyphs {
	uint32_t horizontal;
	uint32_t vertical;
	uint32_t ellipsis;
	uint32_t spark[GLYPH_SPARK_LEVELS]; /* lowest first */
};

extern const struct glyphs glyphs_ascii;
extern const struct glyphs glyphs_utf8;

#endif
