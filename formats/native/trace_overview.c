#include "formats/native/trace_overview.h"

#include <stdlib.h>

#include "formats/native/overview_parts.h"

enum lo_result trace_overview_open(
		struct trace_overview **out, struct trace_reader *reader, struct lo_error *err)
{
	struct trace_overview *overview = calloc(1, sizeof(*overview));
	enum lo_result result;

	if (!overview)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for an overview");
	overview->reader = reader;
	result = tile_list_init(&overview->tiles, reader, err);
	if (result == LO_OK)
		*out = overview;
	else
		trace_overview_close(overview);
	return result;
}

void trace_overview_close(struct trace_overview *overview)
{
	if (!overview)
		return;
	tile_list_release(&overview->tiles);
	free(overview);
}

/* ---- columns ---- */

static uint64_t edge(struct time_span span, uint32_t columns, uint32_t i)
{
	__extension__ unsigned __int128 offset = (unsigned __int128)time_span_length(span) * i /
						 columns;

	return span.begin_ns + (uint64_t)offset;
}

enum lo_result overview_view_init(struct overview_view *view, struct time_span span,
		uint32_t columns, struct lo_error *err)
{
	*view = (struct overview_view){ .span = span, .columns = columns };
	if (columns == 0 || time_span_length(span) == 0)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "a view of no time or no columns");
	view->edges = malloc(((size_t)columns + 1) * sizeof(*view->edges));
	if (!view->edges)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u columns",
				columns);
	for (uint32_t i = 0; i <= columns; i++)
		view->edges[i] = edge(span, columns, i);
	return LO_OK;
}

void overview_view_release(struct overview_view *view)
{
	free(view->edges);
	*view = (struct overview_view){ 0 };
}

uint32_t overview_column_at(const struct overview_view *view, uint64_t time_ns)
{
	uint32_t low = 0;
	uint32_t high = view->columns;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (overview_column_span(view, middle).end_ns <= time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
