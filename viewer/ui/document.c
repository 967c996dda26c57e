#include "viewer/ui/document.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/model/event.h"

#define LINE_TEXT_MAX 4096

void document_init(struct document *document)
{
	*document = (struct document){ .lines = NULL };
}

static void clear(struct document *document)
{
	for (int i = 0; i < document->count; i++)
		free(document->lines[i].text);
	document->count = 0;
}

void document_release(struct document *document)
{
	clear(document);
	free(document->lines);
	document_init(document);
}

void document_begin(struct document *document, const struct canvas *canvas, int columns)
{
	clear(document);
	document->canvas = canvas;
	document->columns = columns;
}

static struct document_line *append(struct document *document)
{
	if (document->count == document->capacity) {
		int capacity = document->capacity ? document->capacity * 2 : 32;
		struct document_line *lines = realloc(
				document->lines, (size_t)capacity * sizeof(*document->lines));

		if (!lines)
			return NULL;
		document->lines = lines;
		document->capacity = capacity;
	}
	return &document->lines[document->count++];
}

static void add_line(struct document *document, struct document_line line, const char *text,
		size_t length)
{
	struct document_line *place;

	line.text = strndup(text, length);
	if (!line.text)
		return;
	place = append(document);
	if (!place) {
		free(line.text);
		return;
	}
	*place = line;
}

/* How many bytes of `text` fit into `width` columns, cut at a space if there is one. */
static size_t fitting(const struct document *document, const char *text, int width)
{
	size_t length = strlen(text);
	size_t space = 0;
	char part[LINE_TEXT_MAX];

	if (text_columns(document->canvas, text) <= width)
		return length;
	for (size_t i = 1; i <= length; i++) {
		if (i < length && ((unsigned char)text[i] & 0xc0) == 0x80)
			continue; /* inside a character */
		memcpy(part, text, i);
		part[i] = '\0';
		if (text_columns(document->canvas, part) > width)
			return space ? space : i - 1 ? i - 1 : 1;
		if (text[i] == ' ')
			space = i;
	}
	return length;
}

void document_add(struct document *document, const char *label, enum style_role style,
		uint32_t task, const char *format, ...)
{
	struct document_line line = { .label = label, .task = task, .style = (uint8_t)style };
	char text[LINE_TEXT_MAX];
	const char *rest = text;
	int width = document->columns - DOCUMENT_GUTTER - 1;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (width < 8)
		width = 8;
	do {
		size_t length = fitting(document, rest, width);

		add_line(document, line, rest, length);
		line.label = "";
		rest += length;
		rest += strspn(rest, " ");
	} while (*rest);
}

void document_heading(struct document *document, const char *text)
{
	struct document_line line = { .label = text, .style = STYLE_TITLE };

	if (document->count > 0)
		add_line(document, (struct document_line){ .label = "" }, "", 0);
	add_line(document, line, "", 0);
}

static void draw_line(const struct document_line *line, struct pane pane, int row, bool selected)
{
	bool heading = line->style == STYLE_TITLE && !*line->text;

	pane_text(pane, row, 1, heading ? STYLE_TITLE : STYLE_DIM, line->label);
	pane_text_end(pane, row, DOCUMENT_GUTTER, pane.columns - DOCUMENT_GUTTER,
			(enum style_role)line->style, line->text);
	if (selected) {
		pane_put(pane, row, 0, STYLE_TITLE, '>');
		if (line->task != TASK_NONE)
			pane_restyle(pane, row, 0, pane.columns, STYLE_SELECTED);
	}
}

void document_draw(
		const struct document *document, struct pane pane, struct list *list, bool select)
{
	int hidden;

	list_show(list, document->count, pane.rows);
	for (int row = 0; row < pane.rows && list->top + row < document->count; row++)
		draw_line(&document->lines[list->top + row], pane, row,
				select && list->top + row == list->selected);
	hidden = document->count - list->top - pane.rows;
	if (hidden > 0 && pane.rows > 1 && !select) {
		pane_fill(pane, pane.rows - 1, 0, pane.columns, STYLE_TEXT, ' ');
		pane_printf(pane, pane.rows - 1, DOCUMENT_GUTTER, STYLE_DIM,
				"and %d more lines (Enter shows them)", hidden + 1);
	}
}

const char *document_extent(const struct document *document, const struct list *list,
		char out[DOCUMENT_EXTENT_MAX])
{
	int last = list->top + list->rows;

	*out = '\0';
	if (document->count > list->rows)
		snprintf(out, DOCUMENT_EXTENT_MAX, ", lines %d-%d of %d", list->top + 1,
				last < document->count ? last : document->count, document->count);
	return out;
}
