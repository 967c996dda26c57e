#ifndef LOITER_UI_COUNTER_ROWS_H
#define LOITER_UI_COUNTER_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/native/trace_counters.h"
#include "formats/native/trace_notes.h"
#include "viewer/ui/canvas.h"
#include "viewer/ui/time_axis.h"

/*
 * Rows above the tasks of the timeline, for traces that have something to show there: memory in
 * use, and when garbage was collected and the world stood still. What they show is read once for
 * each position of the time axis.
 */
struct counter_rows {
	bool known;       /* whether the trace has what follows */
	uint32_t counter; /* of the memory; the number of counters = none */
	const char *name;
	bool has_pauses;

	struct time_span span; /* that the cells are of */
	int columns;
	struct counter_cell *cells;
	struct note_column *collections;
	struct note_column *stops;
};

void counter_rows_release(struct counter_rows *rows);

/* How many rows there are to draw: 0 to 2. */
int counter_rows_count(struct counter_rows *rows, struct trace_reader *reader);

/* Cuts them off both panes and draws them. */
void counter_rows_draw(struct counter_rows *rows, struct trace_reader *reader,
		const struct time_axis *axis, struct pane *label, struct pane *strip);

#endif
