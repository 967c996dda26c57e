#ifndef LOITER_UI_DOCUMENT_H
#define LOITER_UI_DOCUMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/macros.h"
#include "viewer/ui/canvas.h"
#include "viewer/ui/list.h"

/*
 * Text in lines, wrapped to a width: the evidence of a finding, the page of a task, the help. A
 * line has a label in a column of its own and may lead to a task. Made afresh whenever it is
 * drawn, which costs no more than the lines it has.
 */
struct document_line {
	char *text;
	const char *label; /* static text, "" = none */
	uint32_t task;     /* where Enter leads, TASK_NONE = nowhere */
	uint8_t style;     /* enum style_role */
};

struct document {
	struct document_line *lines;
	int count;
	int capacity;
	int columns; /* of the pane */
	const struct canvas *canvas;
};

/* Labels are at most this long, in columns; text begins behind it. */
#define DOCUMENT_GUTTER 12

void document_init(struct document *document);
void document_release(struct document *document);
/* Remove all lines; what follows is wrapped for a pane of that canvas. */
void document_begin(struct document *document, const struct canvas *canvas, int columns);

/* When memory runs out, lines are left out. */
void document_add(struct document *document, const char *label, enum style_role style,
		uint32_t task, const char *format, ...) LO_PRINTF(5, 6);
void document_heading(struct document *document, const char *text);

/*
 * Draws the lines from `list->top`. With `select` the selected line is marked, which is for panes
 * where j and k move through the lines. What is cut off below is said in the last row.
 */
void document_draw(
		const struct document *document, struct pane pane, struct list *list, bool select);

/* ", lines 1-20 of 45" when the pane shows only a part, else "". Returns `out`. */
#define DOCUMENT_EXTENT_MAX 48
const char *document_extent(const struct document *document, const struct list *list,
		char out[DOCUMENT_EXTENT_MAX]);

#endif
