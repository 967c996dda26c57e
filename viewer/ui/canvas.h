#ifndef LOITER_UI_CANVAS_H
#define LOITER_UI_CANVAS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "formats/base/error.h"
#include "formats/base/macros.h"
#include "viewer/ui/glyphs.h"
#include "viewer/ui/style.h"

/*
 * A screen as a grid of cells. Views draw here and nowhere else, so a screen can be printed,
 * compared and tested as text; one file (screen.c) puts a canvas on a terminal.
 *
 * Invariants: every cell holds a character that is fit for a terminal (all text passes through
 * printable.h), and the widths of a row's cells always add up to its columns: a wide character
 * owns its cell and the next one (`width` 2, then 0), and drawing over one half blanks the other.
 */
#define CANVAS_MARKS 2 /* combining marks kept with a character; further ones are dropped */

#define CANVAS_COLUMNS_MAX 2000
#define CANVAS_ROWS_MAX    1000

struct canvas_cell {
	uint32_t character;
	uint32_t marks[CANVAS_MARKS]; /* 0 = none */
	uint8_t style;                /* enum style_role */
	uint8_t width;                /* columns: 1, 2, or 0 for the second half of a wide one */
};

/*
 * What a view knows about a picture that has moved: since the last screen, the cells of these rows
 * from `left` to the right edge went `by` columns to the left (to the right when negative). Only a
 * hint, with which a terminal can be told the same in a few bytes; the cells are always complete.
 */
struct canvas_shift {
	int top;
	int rows;
	int left;
	int by; /* 0 = nothing moved */
};

struct canvas {
	struct canvas_cell *cells; /* rows x columns */
	struct canvas_shift shift;
	int rows;
	int columns;
	bool ascii; /* the terminal's character set has nothing else */
	const struct glyphs *glyphs;
};

/* An empty canvas (0 x 0). */
void canvas_init(struct canvas *canvas, bool ascii);
void canvas_release(struct canvas *canvas);
/* Clipped to CANVAS_*_MAX. All cells become blank. */
enum lo_result canvas_resize(struct canvas *canvas, int rows, int columns, struct lo_error *err);
/* Also forgets what has moved. */
void canvas_clear(struct canvas *canvas);

/*
 * Text form, a line per row, trailing blanks removed. With `marks` the rows follow once more with
 * the letter of each cell's style instead of its character ('.' for plain text).
 */
void canvas_print(const struct canvas *canvas, FILE *out, bool marks);

/*
 * A rectangle of a canvas. Everything is drawn through one, relative to its corner, and what falls
 * outside is not drawn.
 */
struct pane {
	struct canvas *canvas;
	int top;
	int left;
	int rows;
	int columns;
};

struct pane pane_of(struct canvas *canvas);
/* Cut a part off `rest` and return it; sizes are clipped to what is there. */
struct pane pane_take_top(struct pane *rest, int rows);
struct pane pane_take_bottom(struct pane *rest, int rows);
struct pane pane_take_left(struct pane *rest, int columns);

/* How many columns `text` takes. */
int text_columns(const struct canvas *canvas, const char *text);

/* All text is UTF-8. They return the columns used. */
int pane_text(struct pane pane, int row, int column, enum style_role style, const char *text);
int pane_printf(struct pane pane, int row, int column, enum style_role style, const char *format,
		...) LO_PRINTF(5, 6);
/* At most `width` columns; what does not fit is replaced by an ellipsis at the end. */
int pane_text_end(struct pane pane, int row, int column, int width, enum style_role style,
		const char *text);
/* The same, cut in the middle: both ends of a name stay readable. */
int pane_text_middle(struct pane pane, int row, int column, int width, enum style_role style,
		const char *text);
/* Ends at column `right` (exclusive). */
int pane_text_right(struct pane pane, int row, int right, enum style_role style, const char *text);

void pane_put(struct pane pane, int row, int column, enum style_role style, uint32_t character);
void pane_fill(struct pane pane, int row, int column, int width, enum style_role style,
		uint32_t character);
/* Another role for cells already drawn. */
void pane_restyle(struct pane pane, int row, int column, int width, enum style_role style);

/* Say that the pane shows its last picture moved; of no effect unless it ends at the right edge. */
void pane_shifted(struct pane pane, int by);

/* A separator line with a title: "-- title ------". */
void pane_rule(struct pane pane, int row, const char *title, bool strong);
void pane_vertical(struct pane pane, int column);

#endif
