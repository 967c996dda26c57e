#ifndef LOITER_NATIVE_OVERVIEW_PARTS_H
#define LOITER_NATIVE_OVERVIEW_PARTS_H

#include "formats/native/tile_list.h"
#include "formats/native/trace_overview.h"

/* What the files of the overview share. */
struct trace_overview {
	struct trace_reader *reader;
	struct tile_list tiles;
};

/* Columns of a view, with their edges. */
struct overview_view {
	struct time_span span;
	uint32_t columns;
	uint64_t *edges; /* columns + 1 */
};

/* Events that are read to know the states at the begin of a view: those of two full blocks. */
#define OVERVIEW_REPLAY_EVENTS (OVERVIEW_EVENTS / 2)

/*
 * How many events lie between the last snapshot before a time and that time, or more than these.
 * Each block counts for TILE_BLOCK_COST in addition.
 */
uint64_t overview_events_since_snapshot(const struct trace_reader *reader, uint64_t time_ns);

/* LO_USAGE for a span or a number of columns that is empty. */
enum lo_result overview_view_init(struct overview_view *view, struct time_span span,
		uint32_t columns, struct lo_error *err);
void overview_view_release(struct overview_view *view);

static inline struct time_span overview_column_span(const struct overview_view *view, uint32_t i)
{
	uint64_t begin_ns = view->edges[i];

	return (struct time_span){ begin_ns,
		view->edges[i + 1] > begin_ns ? view->edges[i + 1] : begin_ns + 1 };
}

/*
 * As trace_overview_rows() in a given view, decoding at most so many events to be exact;
 * UINT64_MAX: whatever it takes, without tiles.
 */
enum lo_result overview_rows_in_view(struct trace_overview *overview, const uint32_t *tasks,
		uint32_t rows, const struct overview_view *view, uint64_t events_most,
		struct overview_cell *cells, const struct progress *progress, struct lo_error *err);

/* The first column that ends after a time; `columns` when there is none. */
uint32_t overview_column_at(const struct overview_view *view, uint64_t time_ns);

static inline uint64_t overview_overlap(struct time_span a, struct time_span b)
{
	uint64_t begin_ns = a.begin_ns > b.begin_ns ? a.begin_ns : b.begin_ns;
	uint64_t end_ns = a.end_ns < b.end_ns ? a.end_ns : b.end_ns;

	return end_ns > begin_ns ? end_ns - begin_ns : 0;
}

#endif
