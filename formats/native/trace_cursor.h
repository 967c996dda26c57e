#ifndef LOITER_NATIVE_TRACE_CURSOR_H
#define LOITER_NATIVE_TRACE_CURSOR_H

#include "formats/base/error.h"
#include "formats/model/event.h"
#include "formats/model/time_span.h"
#include "formats/native/trace_reader.h"

/*
 * A place between two events of a trace, that moves in both directions over a time span.
 *
 * Events come in the order of the file, in which times never decrease. A block that turns out to
 * be damaged is skipped and added to the reader's damage list; that is not a failure. Holds at
 * most one decoded block of the reader's cache. One thread at a time.
 */
struct trace_cursor;

/* Starts before the first event of `span` (clipped to the trace). */
enum lo_result trace_cursor_open(struct trace_cursor **out, struct trace_reader *reader,
		struct time_span span, struct lo_error *err);

/* Which members of its events a cursor fills in. */
enum trace_detail {
	TRACE_DETAIL_ALL,
	TRACE_DETAIL_STATES, /* time, task, kind and reason; the others may be right or 0 */
};

/* The same; with less detail blocks are decoded in less time. */
enum lo_result trace_cursor_open_detail(struct trace_cursor **out, struct trace_reader *reader,
		struct time_span span, enum trace_detail detail, struct lo_error *err);
void trace_cursor_close(struct trace_cursor *cursor);

/*
 * For whoever goes through all of a long span: from now on, while this cursor moves forward, a
 * thread of its own decodes the next block, which holds one more block in memory. The thread ends
 * with the cursor. Without a thread to be had it is as before.
 */
void trace_cursor_read_ahead(struct trace_cursor *cursor);

/* Step over one event and copy it. LO_END past the last or before the first in the span. */
enum lo_result trace_cursor_next(
		struct trace_cursor *cursor, struct event *event, struct lo_error *err);
enum lo_result trace_cursor_previous(
		struct trace_cursor *cursor, struct event *event, struct lo_error *err);

/*
 * The fast way forward: the rest of the current block within the span as an array that is valid
 * until the next call on this cursor. LO_END past the last event.
 */
enum lo_result trace_cursor_next_run(struct trace_cursor *cursor, const struct event **events,
		uint32_t *count, struct lo_error *err);

/* Move before the first event at or after `time_ns`, within the span. */
enum lo_result trace_cursor_seek(
		struct trace_cursor *cursor, uint64_t time_ns, struct lo_error *err);

#endif
