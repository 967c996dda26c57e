#ifndef LOITER_NATIVE_OVERVIEW_FILLER_H
#define LOITER_NATIVE_OVERVIEW_FILLER_H

#include "formats/native/trace_overview.h"

/*
 * Finds out, from events, what an overview left pending or coarse: one picture, its middle first.
 * One thread runs it, others may look meanwhile. Memory: the cells of the picture, and the one
 * block that is being read.
 */
struct overview_filler;

/* The picture is that of trace_overview_rows(). The overview must stay open. */
enum lo_result overview_filler_new(struct overview_filler **out, struct trace_overview *overview,
		const uint32_t *tasks, uint32_t rows, struct time_span span, uint32_t columns,
		struct lo_error *err);
/* Accepts NULL. Nobody may be in overview_filler_run() any more. */
void overview_filler_free(struct overview_filler *filler);

/*
 * Reads all events of the span, in the order of distance from its middle. `progress` is told of
 * columns and may stop it with LO_CANCELLED; what is done stays, and to run again goes on there.
 */
enum lo_result overview_filler_run(struct overview_filler *filler, const struct progress *progress,
		struct lo_error *err);

/*
 * Replaces the cells of the columns that are done; from any thread. Returns how many columns are:
 * when it has not grown, nothing has changed.
 */
uint32_t overview_filler_take(struct overview_filler *filler, struct overview_cell *cells);

#endif
