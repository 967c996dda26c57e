#include "viewer/report/text_layout.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "formats/base/printable.h"

/* Bytes of the character at `text` and its columns. */
static size_t next_character(const char *text, int *columns)
{
	uint32_t code_point;
	size_t used = printable_next(text, strlen(text), &code_point);
	int width = wcwidth((wchar_t)code_point);

	*columns = width < 0 ? 1 : width;
	return used;
}

/* Columns of the first `bytes` of a text. */
static int width_of(const char *text, size_t bytes)
{
	int width = 0;
	int columns;

	for (size_t i = 0; i < bytes && text[i]; width += columns)
		i += next_character(text + i, &columns);
	return width;
}

/* How many bytes of `text` go on a line with `room` columns: whole words if one fits. */
static size_t fit(const char *text, int room)
{
	size_t fitting = 0;
	size_t at_blank = 0;
	int used = 0;
	int columns;

	while (text[fitting]) {
		size_t bytes = next_character(text + fitting, &columns);

		if (used + columns > room)
			return at_blank ? at_blank : fitting ? fitting : bytes;
		if (text[fitting] == ' ')
			at_blank = fitting;
		used += columns;
		fitting += bytes;
	}
	return fitting;
}

static void pad(FILE *out, int columns)
{
	if (columns > 0)
		fprintf(out, "%*s", columns, "");
}

/* The first line has `room` columns left, the others begin at `indent`. */
static void write_lines(FILE *out, int room, int indent, const char *text)
{
	while (*text) {
		size_t bytes = fit(text, room);

		fwrite(text, 1, bytes, out);
		fputc('\n', out);
		text += bytes;
		while (*text == ' ')
			text++;
		if (*text)
			pad(out, indent);
		room = TEXT_COLUMNS - indent;
	}
}

void text_paragraph(FILE *out, int indent, const char *first, const char *format, ...)
{
	int used = width_of(first, strlen(first));
	va_list arguments;
	char *text = NULL;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	fputs(first, out);
	pad(out, indent - used);
	if (used < indent)
		used = indent;
	if (text && *text)
		write_lines(out, TEXT_COLUMNS - used, indent, text);
	else
		fputc('\n', out);
	free(text);
}

void text_heading(FILE *out, const char *format, ...)
{
	va_list arguments;

	fputc('\n', out);
	va_start(arguments, format);
	vfprintf(out, format, arguments);
	va_end(arguments);
	fputc('\n', out);
}
