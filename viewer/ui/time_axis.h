#ifndef LOITER_UI_TIME_AXIS_H
#define LOITER_UI_TIME_AXIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/model/time_span.h"

/*
 * Nanoseconds to columns and back. A column is a whole number of nanoseconds and the window begins
 * on a whole number of columns counted from time 0: so a pan by k columns shows the very same
 * cells k columns further, and only the new ones differ on the terminal.
 *
 * Invariants: columns >= 1, column_ns >= 1, begin_ns % column_ns == 0, and the window never shows
 * less of the trace than one column.
 */
struct time_axis {
	uint64_t begin_ns;
	uint64_t column_ns;
	uint64_t limit_ns; /* length of the trace */
	int columns;
};

#define TIME_LABEL_MAX 32

/* The whole trace. */
void time_axis_init(struct time_axis *axis, uint64_t limit_ns, int columns);
/* Another width: the zoom stays where it was, a view of the whole trace stays one. */
void time_axis_resize(struct time_axis *axis, int columns);

/* Show all of `span`; a little more when columns do not divide it. */
void time_axis_fit(struct time_axis *axis, struct time_span span);
void time_axis_fit_all(struct time_axis *axis);

/* Halve the span `steps` times (double it, when negative); `anchor_ns` keeps its column. */
void time_axis_zoom(struct time_axis *axis, uint64_t anchor_ns, int steps);
/* Move by whole columns; stops at both ends of the trace. */
void time_axis_pan(struct time_axis *axis, int columns);
/* Pan as little as needed to have `time_ns` in the window. */
void time_axis_reveal(struct time_axis *axis, uint64_t time_ns);

/* -1 before the window, `columns` behind it. */
int time_axis_column(const struct time_axis *axis, uint64_t time_ns);
uint64_t time_axis_time(const struct time_axis *axis, int column);
/* All columns together; may reach beyond the end of the trace. */
struct time_span time_axis_span(const struct time_axis *axis);
/* The columns [begin, end) that a span touches, clipped to the window; false when there are none.
 */
bool time_axis_columns(const struct time_axis *axis, struct time_span span, int *begin, int *end);
bool time_axis_shows_all(const struct time_axis *axis);

/* The smallest round step that is at least `columns` wide; first tick: the next multiple of it. */
uint64_t time_axis_tick_step(const struct time_axis *axis, int columns);

/*
 * A point in time with as many decimals as `resolution_ns` needs, always the same number of
 * columns for one trace and resolution, so that digits change in place. Returns `text`.
 */
const char *time_axis_label(const struct time_axis *axis, uint64_t time_ns, uint64_t resolution_ns,
		char text[TIME_LABEL_MAX]);

/*
 * A place on the axis as people write it: "12.4s", "1:02.5", "2:00:00", "+3ms" and "-3ms" from
 * `now_ns`, "40%" of the trace, "start", "end". Clipped to the trace. LO_USAGE with a sentence.
 */
enum lo_result time_axis_parse(const struct time_axis *axis, const char *text, uint64_t now_ns,
		uint64_t *time_ns, struct lo_error *err);

#endif
