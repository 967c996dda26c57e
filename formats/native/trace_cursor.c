#include "formats/native/trace_cursor.h"

#include <stdlib.h>

#include "formats/native/read_ahead.h"
#include "formats/native/reader_parts.h"

/*
 * The place is between row - 1 and row of block `number`; without a block in hand (`block` is
 * NULL) it is the begin of that block, and `row` is 0. Several pairs of numbers mean the same
 * place: the end of one block and the begin of the next, with damaged and empty blocks in between.
 * Nothing depends on which of them it is.
 */
struct trace_cursor {
	struct trace_reader *reader;
	struct time_span span;
	enum trace_detail detail;
	const struct cached_block *block;
	uint32_t number;
	uint32_t row;
	struct read_ahead *ahead; /* NULL: each block is decoded when it is entered */
	uint32_t ahead_last;      /* no block behind this one has events of the span */
};

/* The place becomes the begin of block `number`. */
static void go_to_block(struct trace_cursor *cursor, uint32_t number)
{
	if (cursor->block && cursor->number != number) {
		trace_block_release(cursor->reader, cursor->block);
		cursor->block = NULL;
	}
	cursor->number = number;
	cursor->row = 0;
}

/* The same, with the block in hand unless it is damaged. A failure leaves the place alone. */
static enum lo_result enter_block(
		struct trace_cursor *cursor, uint32_t number, struct lo_error *err)
{
	const struct cached_block *block = NULL;
	enum lo_result result = LO_OK;

	if (cursor->block && cursor->number == number)
		return LO_OK;
	if (cursor->ahead)
		block = read_ahead_take(cursor->ahead, number);
	if (!block)
		result = trace_block_acquire_detail(
				cursor->reader, number, cursor->detail, &block, err);
	if (result != LO_OK && result != LO_CORRUPT)
		return result;
	go_to_block(cursor, number);
	cursor->block = result == LO_OK ? block : NULL;
	return LO_OK;
}

static uint32_t rows_here(const struct trace_cursor *cursor)
{
	return cursor->block ? cursor->block->count : 0;
}

/* The first row of an array at or after a time. */
static uint32_t first_row_at(const struct cached_block *block, uint64_t time_ns)
{
	uint32_t low = 0;
	uint32_t high = block->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (block->events[middle].time_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum lo_result trace_cursor_seek(
		struct trace_cursor *cursor, uint64_t time_ns, struct lo_error *err)
{
	uint32_t blocks = trace_block_count(cursor->reader);
	uint32_t number;

	if (time_ns < cursor->span.begin_ns)
		time_ns = cursor->span.begin_ns;
	if (time_ns > cursor->span.end_ns)
		time_ns = cursor->span.end_ns;
	for (number = trace_block_at(cursor->reader, time_ns); number < blocks; number++) {
		enum lo_result result = enter_block(cursor, number, err);

		if (result != LO_OK)
			return result;
		if (!cursor->block)
			continue;
		cursor->row = first_row_at(cursor->block, time_ns);
		if (cursor->row < cursor->block->count)
			return LO_OK;
	}
	go_to_block(cursor, blocks);
	return LO_OK;
}

enum lo_result trace_cursor_open(struct trace_cursor **out, struct trace_reader *reader,
		struct time_span span, struct lo_error *err)
{
	return trace_cursor_open_detail(out, reader, span, TRACE_DETAIL_ALL, err);
}

enum lo_result trace_cursor_open_detail(struct trace_cursor **out, struct trace_reader *reader,
		struct time_span span, enum trace_detail detail, struct lo_error *err)
{
	struct trace_cursor *cursor = calloc(1, sizeof(*cursor));
	enum lo_result result;

	if (!cursor)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a cursor");
	cursor->reader = reader;
	cursor->span = span;
	cursor->detail = detail;
	result = trace_cursor_seek(cursor, span.begin_ns, err);
	if (result == LO_OK)
		*out = cursor;
	else
		trace_cursor_close(cursor);
	return result;
}

void trace_cursor_close(struct trace_cursor *cursor)
{
	if (!cursor)
		return;
	read_ahead_stop(cursor->ahead);
	trace_block_release(cursor->reader, cursor->block);
	free(cursor);
}

void trace_cursor_read_ahead(struct trace_cursor *cursor)
{
	uint32_t blocks = trace_block_count(cursor->reader);
	uint32_t last = trace_block_at(cursor->reader, cursor->span.end_ns);

	cursor->ahead_last = last < blocks ? last : blocks ? blocks - 1 : 0;
	if (!cursor->ahead && read_ahead_start(&cursor->ahead, cursor->reader, cursor->detail,
					      NULL) != LO_OK)
		cursor->ahead = NULL;
}

/* Goes to the block that has the next event: afterwards there is a row at the cursor. */
static enum lo_result find_next_row(struct trace_cursor *cursor, struct lo_error *err)
{
	while (cursor->number < trace_block_count(cursor->reader)) {
		enum lo_result result = enter_block(cursor, cursor->number, err);

		if (result != LO_OK)
			return result;
		if (cursor->ahead && cursor->number < cursor->ahead_last)
			read_ahead_want(cursor->ahead, cursor->number + 1);
		if (cursor->row < rows_here(cursor))
			return LO_OK;
		go_to_block(cursor, cursor->number + 1);
	}
	return LO_END;
}

enum lo_result trace_cursor_next(
		struct trace_cursor *cursor, struct event *event, struct lo_error *err)
{
	enum lo_result result = find_next_row(cursor, err);

	if (result != LO_OK)
		return result;
	if (cursor->block->events[cursor->row].time_ns >= cursor->span.end_ns)
		return LO_END;
	*event = cursor->block->events[cursor->row++];
	return LO_OK;
}

/* Goes to the block that has the previous event: afterwards there is a row before the cursor. */
static enum lo_result find_previous_row(struct trace_cursor *cursor, struct lo_error *err)
{
	while (cursor->row == 0) {
		enum lo_result result;

		if (cursor->number == 0)
			return LO_END;
		result = enter_block(cursor, cursor->number - 1, err);
		if (result != LO_OK)
			return result;
		cursor->row = rows_here(cursor);
	}
	return LO_OK;
}

enum lo_result trace_cursor_previous(
		struct trace_cursor *cursor, struct event *event, struct lo_error *err)
{
	enum lo_result result = find_previous_row(cursor, err);

	if (result != LO_OK)
		return result;
	if (cursor->block->events[cursor->row - 1].time_ns < cursor->span.begin_ns)
		return LO_END;
	*event = cursor->block->events[--cursor->row];
	return LO_OK;
}

enum lo_result trace_cursor_next_run(struct trace_cursor *cursor, const struct event **events,
		uint32_t *count, struct lo_error *err)
{
	enum lo_result result = find_next_row(cursor, err);
	uint32_t end;

	if (result != LO_OK)
		return result;
	end = first_row_at(cursor->block, cursor->span.end_ns);
	if (end <= cursor->row)
		return LO_END;
	*events = cursor->block->events + cursor->row;
	*count = end - cursor->row;
	cursor->row = end;
	return LO_OK;
}
