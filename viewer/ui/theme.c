#include "viewer/ui/theme.h"

#include <stdlib.h>

static const char style_letters[STYLE_COUNT] = {
	[STYLE_TEXT] = '.',
	[STYLE_TITLE] = 'T',
	[STYLE_DIM] = 'd',
	[STYLE_SELECTED] = 'S',
	[STYLE_TAB] = 'V',
	[STYLE_BAD] = '!',
	[STYLE_WARNING] = 'w',
	[STYLE_GOOD] = 'g',
	[STYLE_ACTIVE] = 'a',
	[STYLE_BLOCKED] = 'b',
	[STYLE_MIXED] = 'm',
	[STYLE_ENDED] = 'x',
	[STYLE_PENDING] = 'p',
	[STYLE_CURSOR] = 'C',
	[STYLE_FLAME] = 'f',
	[STYLE_FLAME_OTHER] = 'o',
	[STYLE_FLAME_SELECTED] = 'F',
	[STYLE_MATCH] = 'M',
};

char style_letter(unsigned style)
{
	return style < STYLE_COUNT ? style_letters[style] : '?';
}

const struct theme *theme_choose(int colors, bool mono)
{
	const struct theme *best = themes;

	for (const struct theme *theme = themes; theme->name && !mono; theme++)
		if (theme->colors <= colors)
			best = theme;
	return best;
}

bool theme_no_color(void)
{
	const char *wish = getenv("NO_COLOR");

	return wish && *wish;
}
