#include "viewer/ui/canvas.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "formats/base/printable.h"
#include "viewer/ui/theme.h"
#include "viewer/ui/utf8.h"

static const struct canvas_cell blank = { .character = ' ', .style = STYLE_TEXT, .width = 1 };

void canvas_init(struct canvas *canvas, bool ascii)
{
	*canvas = (struct canvas){ .ascii = ascii };
	canvas->glyphs = ascii ? &glyphs_ascii : &glyphs_utf8;
}

void canvas_release(struct canvas *canvas)
{
	free(canvas->cells);
	canvas->cells = NULL;
	canvas->rows = canvas->columns = 0;
}

static int clip(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

enum lo_result canvas_resize(struct canvas *canvas, int rows, int columns, struct lo_error *err)
{
	struct canvas_cell *cells;

	rows = clip(rows, 1, CANVAS_ROWS_MAX);
	columns = clip(columns, 1, CANVAS_COLUMNS_MAX);
	cells = malloc((size_t)rows * (size_t)columns * sizeof(*cells));
	if (!cells)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a screen of %d x %d",
				columns, rows);
	free(canvas->cells);
	canvas->cells = cells;
	canvas->rows = rows;
	canvas->columns = columns;
	canvas_clear(canvas);
	return LO_OK;
}

void canvas_clear(struct canvas *canvas)
{
	size_t count = (size_t)canvas->rows * (size_t)canvas->columns;

	canvas->shift = (struct canvas_shift){ .by = 0 };
	for (size_t i = 0; i < count; i++)
		canvas->cells[i] = blank;
}

static struct canvas_cell *canvas_row(const struct canvas *canvas, int row)
{
	return canvas->cells + (size_t)row * (size_t)canvas->columns;
}

static void print_character(uint32_t character, FILE *out)
{
	char bytes[UTF8_MAX];

	fwrite(bytes, 1, utf8_put(bytes, character), out);
}

static void print_cell(const struct canvas_cell *cell, FILE *out)
{
	if (cell->width == 0)
		return;
	print_character(cell->character, out);
	for (int i = 0; i < CANVAS_MARKS && cell->marks[i]; i++)
		print_character(cell->marks[i], out);
}

static bool cell_is_blank(const struct canvas_cell *cell)
{
	return cell->character == ' ' && cell->width == 1 && !cell->marks[0];
}

static void print_row(const struct canvas *canvas, int row, FILE *out)
{
	const struct canvas_cell *cells = canvas_row(canvas, row);
	int end = canvas->columns;

	while (end > 0 && cell_is_blank(&cells[end - 1]))
		end--;
	for (int i = 0; i < end; i++)
		print_cell(&cells[i], out);
	fputc('\n', out);
}

static void print_styles(const struct canvas *canvas, int row, FILE *out)
{
	const struct canvas_cell *cells = canvas_row(canvas, row);
	int end = canvas->columns;

	while (end > 0 && cells[end - 1].style == STYLE_TEXT)
		end--;
	for (int i = 0; i < end; i++)
		fputc(style_letter(cells[i].style), out);
	fputc('\n', out);
}

void canvas_print(const struct canvas *canvas, FILE *out, bool marks)
{
	for (int row = 0; row < canvas->rows; row++)
		print_row(canvas, row, out);
	if (!marks)
		return;
	fputs("styles:\n", out);
	for (int row = 0; row < canvas->rows; row++)
		print_styles(canvas, row, out);
}

struct pane pane_of(struct canvas *canvas)
{
	return (struct pane){ canvas, 0, 0, canvas->rows, canvas->columns };
}

struct pane pane_take_top(struct pane *rest, int rows)
{
	struct pane part = *rest;

	part.rows = clip(rows, 0, rest->rows);
	rest->top += part.rows;
	rest->rows -= part.rows;
	return part;
}

struct pane pane_take_bottom(struct pane *rest, int rows)
{
	struct pane part = *rest;

	part.rows = clip(rows, 0, rest->rows);
	rest->rows -= part.rows;
	part.top = rest->top + rest->rows;
	return part;
}

struct pane pane_take_left(struct pane *rest, int columns)
{
	struct pane part = *rest;

	part.columns = clip(columns, 0, rest->columns);
	rest->left += part.columns;
	rest->columns -= part.columns;
	return part;
}

/* One character of a text, as this canvas can show it. */
struct glyph {
	uint32_t character;
	int width; /* 0 = combines with the one before */
};

static size_t next_glyph(
		const struct canvas *canvas, const char *text, size_t length, struct glyph *glyph)
{
	size_t used = printable_next(text, length, &glyph->character);

	if (glyph->character < 0x80) {
		glyph->width = 1;
		return used;
	}
	glyph->width = wcwidth((wchar_t)glyph->character);
	if (canvas->ascii || glyph->width < 0 || glyph->width > 2) {
		glyph->width = glyph->width == 0 ? 0 : 1;
		glyph->character = canvas->ascii ? '?' : 0xfffd;
	}
	return used;
}

int text_columns(const struct canvas *canvas, const char *text)
{
	size_t length = strlen(text);
	struct glyph glyph;
	int columns = 0;

	while (length > 0) {
		size_t used = next_glyph(canvas, text, length, &glyph);

		columns += glyph.width;
		text += used;
		length -= used;
	}
	return columns;
}

/* Before a cell is drawn over: the other half of a wide character must not stay alone. */
static void break_wide(struct canvas_cell *row, int column, int columns)
{
	if (row[column].width == 0 && column > 0) {
		row[column - 1].character = ' ';
		row[column - 1].width = 1;
		memset(row[column - 1].marks, 0, sizeof(row->marks));
	}
	if (row[column].width == 2 && column + 1 < columns) {
		row[column + 1].character = ' ';
		row[column + 1].width = 1;
	}
}

static bool pane_has(struct pane pane, int row, int column)
{
	return row >= 0 && row < pane.rows && column >= 0 && column < pane.columns &&
	       pane.top + row < pane.canvas->rows && pane.left + column < pane.canvas->columns;
}

static struct canvas_cell *pane_row(struct pane pane, int row)
{
	return canvas_row(pane.canvas, pane.top + row);
}

static void put_glyph(
		struct pane pane, int row, int column, enum style_role style, struct glyph glyph)
{
	struct canvas_cell *cells;
	int at = pane.left + column;

	if (!pane_has(pane, row, column) || !pane_has(pane, row, column + glyph.width - 1))
		return;
	cells = pane_row(pane, row);
	break_wide(cells, at, pane.canvas->columns);
	cells[at] = (struct canvas_cell){
		.character = glyph.character, .style = (uint8_t)style, .width = (uint8_t)glyph.width
	};
	if (glyph.width == 2) {
		break_wide(cells, at + 1, pane.canvas->columns);
		cells[at].character = glyph.character;
		cells[at].width = 2;
		cells[at + 1] = (struct canvas_cell){
			.character = ' ', .style = (uint8_t)style, .width = 0
		};
	}
}

static void put_mark(struct pane pane, int row, int column, uint32_t mark)
{
	struct canvas_cell *cell;

	if (column < 0 || !pane_has(pane, row, column))
		return;
	cell = &pane_row(pane, row)[pane.left + column];
	if (cell->width == 0)
		cell--;
	for (int i = 0; i < CANVAS_MARKS; i++)
		if (!cell->marks[i]) {
			cell->marks[i] = mark;
			return;
		}
}

/* Draws whole characters from `text` while they fit into `width`; stores how far it came. */
static int draw_part(struct pane pane, int row, int column, int width, enum style_role style,
		const char **text)
{
	size_t length = strlen(*text);
	struct glyph glyph;
	int used = 0;

	while (length > 0) {
		size_t bytes = next_glyph(pane.canvas, *text, length, &glyph);

		if (used + glyph.width > width)
			break;
		if (glyph.width > 0)
			put_glyph(pane, row, column + used, style, glyph);
		else if (used > 0 && !pane.canvas->ascii)
			put_mark(pane, row, column + used - 1, glyph.character);
		used += glyph.width;
		*text += bytes;
		length -= bytes;
	}
	return used;
}

int pane_text(struct pane pane, int row, int column, enum style_role style, const char *text)
{
	return draw_part(pane, row, column, pane.columns - column, style, &text);
}

int pane_printf(struct pane pane, int row, int column, enum style_role style, const char *format,
		...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return pane_text(pane, row, column, style, text);
}

int pane_text_end(struct pane pane, int row, int column, int width, enum style_role style,
		const char *text)
{
	int used;

	if (width > pane.columns - column)
		width = pane.columns - column;
	if (width <= 0)
		return 0;
	if (text_columns(pane.canvas, text) <= width)
		return draw_part(pane, row, column, width, style, &text);
	used = draw_part(pane, row, column, width - 1, style, &text);
	pane_put(pane, row, column + used, style, pane.canvas->glyphs->ellipsis);
	return used + 1;
}

/* Drops characters from the front of `text` until at most `width` columns are left. */
static const char *last_columns(const struct canvas *canvas, const char *text, int width)
{
	int columns = text_columns(canvas, text);
	size_t length = strlen(text);
	struct glyph glyph;

	while (length > 0 && columns > width) {
		size_t used = next_glyph(canvas, text, length, &glyph);

		columns -= glyph.width;
		text += used;
		length -= used;
	}
	return text;
}

int pane_text_middle(struct pane pane, int row, int column, int width, enum style_role style,
		const char *text)
{
	const char *tail;
	int used;

	if (width > pane.columns - column)
		width = pane.columns - column;
	if (width <= 0)
		return 0;
	if (text_columns(pane.canvas, text) <= width)
		return draw_part(pane, row, column, width, style, &text);
	tail = last_columns(pane.canvas, text, (width - 1) / 2);
	used = draw_part(pane, row, column, width - 1 - (width - 1) / 2, style, &text);
	pane_put(pane, row, column + used, style, pane.canvas->glyphs->ellipsis);
	used++;
	return used + draw_part(pane, row, column + used, width - used, style, &tail);
}

int pane_text_right(struct pane pane, int row, int right, enum style_role style, const char *text)
{
	return pane_text(pane, row, right - text_columns(pane.canvas, text), style, text);
}

void pane_put(struct pane pane, int row, int column, enum style_role style, uint32_t character)
{
	put_glyph(pane, row, column, style, (struct glyph){ character, 1 });
}

void pane_fill(struct pane pane, int row, int column, int width, enum style_role style,
		uint32_t character)
{
	for (int i = 0; i < width; i++)
		pane_put(pane, row, column + i, style, character);
}

void pane_restyle(struct pane pane, int row, int column, int width, enum style_role style)
{
	for (int i = 0; i < width; i++)
		if (pane_has(pane, row, column + i))
			pane_row(pane, row)[pane.left + column + i].style = (uint8_t)style;
}

void pane_shifted(struct pane pane, int by)
{
	if (pane.left + pane.columns != pane.canvas->columns || abs(by) >= pane.columns)
		return;
	pane.canvas->shift = (struct canvas_shift){ pane.top, pane.rows, pane.left, by };
}

void pane_rule(struct pane pane, int row, const char *title, bool strong)
{
	int end;

	pane_fill(pane, row, 0, pane.columns, STYLE_DIM, pane.canvas->glyphs->horizontal);
	if (!*title || pane.columns < 8)
		return;
	pane_put(pane, row, 2, STYLE_DIM, ' ');
	end = 3 + pane_text_end(pane, row, 3, pane.columns - 5, strong ? STYLE_TAB : STYLE_TITLE,
				  title);
	pane_put(pane, row, end, STYLE_DIM, ' ');
}

void pane_vertical(struct pane pane, int column)
{
	for (int row = 0; row < pane.rows; row++)
		pane_put(pane, row, column, STYLE_DIM, pane.canvas->glyphs->vertical);
}
