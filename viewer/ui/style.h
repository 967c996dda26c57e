#ifndef LOITER_UI_STYLE_H
#define LOITER_UI_STYLE_H

/*
 * What a cell of the screen means. Views speak of roles only; a theme gives each role its colours.
 * The letter of a role (theme.h) stands for it in screens printed with style marks.
 */
enum style_role {
	STYLE_TEXT,
	STYLE_TITLE,    /* headings, names of things */
	STYLE_DIM,      /* separators, hints, what is parked on purpose */
	STYLE_SELECTED, /* the row under the cursor of the pane that has the keys */
	STYLE_TAB,      /* the view that has the keys */
	STYLE_BAD,      /* a verdict of severity 4 or 5 */
	STYLE_WARNING,  /* a verdict of severity 1 to 3, a loss */
	STYLE_GOOD,     /* "nothing stuck" */
	STYLE_ACTIVE,   /* states of tasks; their shape says it too */
	STYLE_BLOCKED,
	STYLE_MIXED,
	STYLE_ENDED,
	STYLE_PENDING,
	STYLE_CURSOR, /* the time cursor */
	STYLE_FLAME,  /* frames of the flame: two shades that alternate */
	STYLE_FLAME_OTHER,
	STYLE_FLAME_SELECTED,
	STYLE_MATCH, /* found by a search */
	STYLE_COUNT,
};

#endif
