#include "viewer/ui/counter_rows.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/duration.h"
#include "formats/base/macros.h"
#include "formats/model/counter.h"
#include "viewer/ui/glyphs.h"

void counter_rows_release(struct counter_rows *rows)
{
	free(rows->cells);
	free(rows->collections);
	free(rows->stops);
}

/* What the memory of a program is called here, best first. */
static const struct {
	const char *counter;
	const char *label;
} memories[] = {
	{ COUNTER_HEAP, "heap" },
	{ COUNTER_RESIDENT, "mem" },
};

static void look(struct counter_rows *rows, struct trace_reader *reader)
{
	uint32_t count = trace_counter_count(reader);
	struct note_total stops;

	rows->known = true;
	rows->counter = count;
	for (unsigned i = 0; i < LO_COUNT_OF(memories) && rows->counter == count; i++) {
		rows->counter = trace_counter_find(reader, memories[i].counter);
		rows->name = memories[i].label;
	}
	rows->has_pauses = trace_notes_total(reader, NOTE_STOP_WORLD, &stops, NULL) == LO_OK &&
			   stops.count > 0;
}

static bool has_memory(const struct counter_rows *rows, struct trace_reader *reader)
{
	return rows->counter < trace_counter_count(reader);
}

int counter_rows_count(struct counter_rows *rows, struct trace_reader *reader)
{
	if (!rows->known)
		look(rows, reader);
	return has_memory(rows, reader) + rows->has_pauses;
}

static bool reserve(struct counter_rows *rows, int columns)
{
	if (columns == rows->columns && rows->cells)
		return true;
	counter_rows_release(rows);
	rows->cells = calloc((size_t)columns, sizeof(*rows->cells));
	rows->collections = calloc((size_t)columns, sizeof(*rows->collections));
	rows->stops = calloc((size_t)columns, sizeof(*rows->stops));
	rows->columns = columns;
	rows->span = (struct time_span){ 0, 0 };
	return rows->cells && rows->collections && rows->stops;
}

/* What cannot be read stays empty; the damage is told elsewhere. */
static void fill(struct counter_rows *rows, struct trace_reader *reader, struct time_span span)
{
	uint32_t columns = (uint32_t)rows->columns;

	if (span.begin_ns == rows->span.begin_ns && span.end_ns == rows->span.end_ns)
		return;
	rows->span = span;
	if (has_memory(rows, reader))
		trace_counter_columns(reader, rows->counter, span, rows->cells, columns, NULL);
	if (rows->has_pauses) {
		trace_notes_columns(reader, NOTE_GC, span, rows->collections, columns, NULL);
		trace_notes_columns(reader, NOTE_STOP_WORLD, span, rows->stops, columns, NULL);
	}
}

/* Where nothing was measured the value is the last one before. */
static uint64_t value_before(
		const struct counter_rows *rows, struct trace_reader *reader, uint64_t time_ns)
{
	struct counter_cell cell;

	return trace_counter_at(reader, rows->counter, time_ns, &cell, NULL) == LO_OK ? cell.last
										      : 0;
}

/* "8.00M": a label has few columns. */
static const char *short_size(char text[SIZE_TEXT_MAX], uint64_t bytes)
{
	char *unit;

	size_format(text, bytes);
	unit = strchr(text, ' ');
	if (unit) {
		unit[0] = unit[1];
		unit[1] = '\0';
	}
	return text;
}

static void draw_memory(const struct counter_rows *rows, struct trace_reader *reader,
		struct pane label, struct pane strip)
{
	uint64_t value = value_before(rows, reader, rows->span.begin_ns);
	uint64_t end_ns = trace_reader_info(reader)->duration_ns;
	uint64_t length = time_span_length(rows->span);
	uint64_t most = value;
	char text[SIZE_TEXT_MAX];

	for (int i = 0; i < rows->columns; i++)
		if (rows->cells[i].samples > 0 && rows->cells[i].greatest > most)
			most = rows->cells[i].greatest;
	pane_printf(label, 0, 2, STYLE_DIM, "%s %s", rows->name, short_size(text, most));
	for (int i = 0; i < rows->columns && most > 0; i++) {
		const struct counter_cell *cell = &rows->cells[i];
		double time_ns = (double)rows->span.begin_ns +
				 (double)length * i / (double)rows->columns;
		uint64_t highest = cell->samples > 0 && cell->greatest > value ? cell->greatest
									       : value;
		unsigned level = (unsigned)((double)highest * GLYPH_SPARK_LEVELS / (double)most);

		if (cell->samples > 0)
			value = cell->last;
		if (highest == 0 || time_ns > (double)end_ns)
			continue;
		pane_put(strip, 0, i, STYLE_TEXT,
				strip.canvas->glyphs->spark[level ? level - 1 : 0]);
	}
}

static void draw_pauses(const struct counter_rows *rows, struct pane label, struct pane strip)
{
	pane_text(label, 0, 2, STYLE_DIM, "gc, | stops");
	for (int i = 0; i < rows->columns; i++)
		if (rows->stops[i].count > 0)
			pane_put(strip, 0, i, STYLE_WARNING, '|');
		else if (rows->collections[i].count > 0)
			pane_put(strip, 0, i, STYLE_DIM, '-');
}

void counter_rows_draw(struct counter_rows *rows, struct trace_reader *reader,
		const struct time_axis *axis, struct pane *label, struct pane *strip)
{
	if (!reserve(rows, strip->columns))
		return;
	fill(rows, reader, time_axis_span(axis));
	if (has_memory(rows, reader)) {
		struct pane head = pane_take_top(label, 1);

		draw_memory(rows, reader, head, pane_take_top(strip, 1));
	}
	if (rows->has_pauses) {
		struct pane head = pane_take_top(label, 1);

		draw_pauses(rows, head, pane_take_top(strip, 1));
	}
}
