#ifndef LOITER_NATIVE_TRACE_OVERVIEW_H
#define LOITER_NATIVE_TRACE_OVERVIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/base/progress.h"
#include "formats/model/time_span.h"
#include "formats/native/trace_reader.h"

/*
 * The questions that draw a timeline, answered without a pass over the trace: what did these tasks
 * do in each of these columns of time, how many tasks were there, which were the busiest. What is
 * small is answered from events, exactly; the rest from tiles (docs/format.md), in a time that
 * depends on the number of rows and columns and not on the length of the trace.
 *
 * How far an answer may be off stands in each cell. For a row that has its tiles it is at most
 * OVERVIEW_ERROR, as long as no tile is coarser than a sixth of a column; below that, on the way
 * from tiles to events, it may be more.
 *
 * Not every task has a row in every tile. For one that did nothing the answer is still exact. Where
 * a task did something that no tile has kept, the cell is pending: nothing is known, and it must
 * not be shown as idle. overview_filler.h finds out.
 *
 * "Not there" and "did nothing" rely on ids that are never used again, as no recorder does.
 *
 * An overview holds nothing but the reader and may be used from several threads.
 */
struct trace_overview;

enum lo_result trace_overview_open(
		struct trace_overview **out, struct trace_reader *reader, struct lo_error *err);
/* Accepts NULL. The reader must still be open. */
void trace_overview_close(struct trace_overview *overview);

/* Shares are 255ths of the column. What is not zero never rounds to zero. */
struct overview_cell {
	uint8_t active;
	uint8_t blocked;
	uint8_t absent;  /* not yet there, or gone */
	uint8_t changes; /* of its state, saturating; up to three of a bin, so they may be more */
	uint8_t reason;  /* of about the longest wait */
	uint8_t ended;   /* 1: it exits in this column */
	uint8_t pending; /* 1: a part of the column is not known, and the shares leave it out */
	uint8_t error;   /* `active` and `blocked` may be off by so much each */
};

/* An eighth of a column: what a glyph can tell. Rounding included. */
#define OVERVIEW_ERROR 32u

/* Events that are decoded to answer one question exactly: four full blocks. */
#define OVERVIEW_EVENTS (4u * (32768u + 512u))

/*
 * Fills cells[row * columns + column] for tasks in any order, none of them twice. The columns
 * divide the span evenly; one is never narrower than a nanosecond.
 */
enum lo_result trace_overview_rows(struct trace_overview *overview, const uint32_t *tasks,
		uint32_t rows, struct time_span span, uint32_t columns, struct overview_cell *cells,
		struct lo_error *err);

/* The same from events alone, however many there are: `progress` is told of blocks. */
enum lo_result trace_overview_rows_exactly(struct trace_overview *overview, const uint32_t *tasks,
		uint32_t rows, struct time_span span, uint32_t columns, struct overview_cell *cells,
		const struct progress *progress, struct lo_error *err);

/* Of all tasks together. Sums are estimates where a bin is cut by the edge of a column. */
struct overview_column {
	double events;
	double created;
	uint32_t alive; /* the most at one time, in the column or in a bin that reaches into it */
	uint32_t blocked;
	bool pending; /* alive and blocked are too small, for a part is not known */
};
enum lo_result trace_overview_columns(struct trace_overview *overview, struct time_span span,
		uint32_t columns, struct overview_column *out, struct lo_error *err);

/* Tasks that were created at one stack, or that wait at one. */
struct overview_group {
	uint32_t stack;
	uint8_t reason; /* of a place */
	double weight;  /* tasks there, on average over the span: alive, or waiting */
};
struct overview_group_cell {
	float alive;   /* tasks on average; of a place: waiting */
	float blocked; /* of a place: the same */
	float created; /* in the column */
	bool pending;  /* a part of the column is not known */
};
enum overview_grouping {
	OVERVIEW_BY_SITE, /* of creation */
	OVERVIEW_BY_PLACE /* of waiting */
};

/* The heaviest groups of a span, at most `limit` of them. */
enum lo_result trace_overview_groups(struct trace_overview *overview,
		enum overview_grouping grouping, struct time_span span,
		struct overview_group *groups, uint32_t limit, uint32_t *count,
		struct lo_error *err);
/* Fills cells[row * columns + column] for groups by their stacks. */
enum lo_result trace_overview_group_rows(struct trace_overview *overview,
		enum overview_grouping grouping, const uint32_t *stacks, uint32_t rows,
		struct time_span span, uint32_t columns, struct overview_group_cell *cells,
		struct lo_error *err);

/* The tasks with the most changes of state in a span, busiest first, at most `limit` of them. */
struct overview_task {
	uint32_t task;
	double changes;
};
enum lo_result trace_overview_top(struct trace_overview *overview, struct time_span span,
		struct overview_task *tasks, uint32_t limit, uint32_t *count, struct lo_error *err);

#endif
