#include "formats/native/event_codec.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/byte_cursor.h"
#include "formats/base/bytes.h"
#include "formats/base/limits.h"
#include "formats/base/macros.h"

struct decoded_object {
	uint64_t value;
	uint8_t kind;
};

/* Work space of one block. */
struct decoder_space {
	uint32_t buckets[ROW_BUCKETS]; /* place of the next value of each */
	struct clock_steps_decoder steps;
};

struct decoder {
	const struct event_decoding *how;
	struct event *events; /* `kind` and `reason` hold the file's numbers until the last step */
	uint32_t rows;
	struct decoder_space *space;
	uint32_t *values;      /* of one column in its own order; has room for all rows */
	uint32_t rows_of[256]; /* by the file's kind */
	bool has[256];         /* by the file's kind: has it a value in the column in hand? */
	struct lo_error *err;
};

static void choose_column(struct decoder *decoder, enum event_column column)
{
	for (unsigned kind = 0; kind < LO_COUNT_OF(decoder->has); kind++)
		decoder->has[kind] = ((decoder->how->map->columns[kind] | EVENT_COLUMNS_ALWAYS) &
						     EVENT_COLUMN_BIT(column)) != 0;
}

static enum lo_result bad_column(const struct decoder *decoder, enum event_column column)
{
	return lo_fail(decoder->err, LO_CORRUPT, LO_NO_OFFSET, "the %s column makes no sense",
			event_columns[column].name);
}

/* ---- order ---- */

static uint32_t count_values(const struct decoder *decoder)
{
	uint32_t count = 0;

	for (unsigned kind = 0; kind < LO_COUNT_OF(decoder->has); kind++)
		count += decoder->has[kind] ? decoder->rows_of[kind] : 0;
	return count;
}

static inline void count_buckets(struct decoder *decoder, enum row_order order)
{
	uint32_t *buckets = decoder->space->buckets;

	memset(buckets, 0, sizeof(decoder->space->buckets));
	for (uint32_t row = 0; row < decoder->rows; row++) {
		const struct event *event = &decoder->events[row];

		buckets[row_bucket(order, event)] += decoder->has[event->kind];
	}
	row_buckets_begin(buckets);
}

/* Where the values of each bucket begin. A constant order in each call, so that each has its loop.
 */
static void begin_order(struct decoder *decoder, enum row_order order)
{
	switch (order) {
	case ORDER_KIND:
		count_buckets(decoder, ORDER_KIND);
		break;
	case ORDER_TASK:
		count_buckets(decoder, ORDER_TASK);
		break;
	case ORDER_PLACE:
		count_buckets(decoder, ORDER_PLACE);
		break;
	default:
		break;
	}
}

/* Members by their offset, so that a loop is one for all columns of a size. */
static const size_t member_offsets[EVENT_COLUMN_COUNT] = {
	[COLUMN_TASK] = offsetof(struct event, task),
	[COLUMN_KIND] = offsetof(struct event, kind),
	[COLUMN_PEER] = offsetof(struct event, peer),
	[COLUMN_STACK] = offsetof(struct event, stack),
	[COLUMN_REASON] = offsetof(struct event, reason),
	[COLUMN_FLAGS] = offsetof(struct event, flags),
};

static inline void *member(struct event *event, size_t offset)
{
	return (uint8_t *)event + offset;
}

/*
 * Whether a row has a value follows no pattern that a processor could guess when many tasks run at
 * once; so in these loops nothing is decided by branching. Rows without a value read one that they
 * then leave out: `last` keeps that within bounds.
 */
static inline uint32_t take_place(struct decoder *decoder, enum row_order order,
		const struct event *event, uint32_t *all, uint32_t last)
{
	uint32_t *next = order == ORDER_TIME ? all
					     : &decoder->space->buckets[row_bucket(order, event)];
	uint32_t place = *next;

	*next += decoder->has[event->kind];
	return place < last ? place : last;
}

static inline void deal_numbers(struct decoder *decoder, enum event_column column,
		enum row_order order, uint32_t count)
{
	size_t offset = member_offsets[column];
	uint32_t all = 0;

	for (uint32_t row = 0; row < decoder->rows; row++) {
		struct event *event = &decoder->events[row];
		bool has = decoder->has[event->kind];
		uint32_t value =
				decoder->values[take_place(decoder, order, event, &all, count - 1)];
		uint32_t *number = member(event, offset);

		*number = has ? value : 0;
	}
}

static inline void deal_bytes(struct decoder *decoder, enum event_column column,
		enum row_order order, const uint8_t *bytes, uint32_t count)
{
	size_t offset = member_offsets[column];
	uint32_t all = 0;

	for (uint32_t row = 0; row < decoder->rows; row++) {
		struct event *event = &decoder->events[row];
		bool has = decoder->has[event->kind];
		uint8_t value = bytes[take_place(decoder, order, event, &all, count - 1)];
		uint8_t *byte = member(event, offset);

		*byte = has ? value : 0;
	}
}

static inline void deal_objects(struct decoder *decoder, enum row_order order,
		const struct decoded_object *objects, uint32_t count)
{
	uint32_t all = 0;

	for (uint32_t row = 0; row < decoder->rows; row++) {
		struct event *event = &decoder->events[row];
		uint32_t number =
				decoder->values[take_place(decoder, order, event, &all, count - 1)];
		const struct decoded_object
				*object = &objects[decoder->has[event->kind] ? number : 0];

		event->object = object->value;
		event->object_kind = object->kind;
	}
}

/* ---- values ---- */

static enum lo_result decode_bytes(struct decoder *decoder, enum event_column column,
		enum row_order order, struct byte_cursor cursor)
{
	uint32_t count = count_values(decoder);

	if (count != byte_cursor_left(&cursor))
		return bad_column(decoder, column);
	if (count == 0)
		return LO_OK;
	begin_order(decoder, order);
	switch (order) {
	case ORDER_KIND:
		deal_bytes(decoder, column, ORDER_KIND, cursor.next, count);
		break;
	case ORDER_TASK:
		deal_bytes(decoder, column, ORDER_TASK, cursor.next, count);
		break;
	case ORDER_PLACE:
		deal_bytes(decoder, column, ORDER_PLACE, cursor.next, count);
		break;
	default:
		deal_bytes(decoder, column, ORDER_TIME, cursor.next, count);
	}
	return LO_OK;
}

/* As byte_cursor_varint(), without a branch between one and two bytes. */
static inline uint64_t next_varint(struct byte_cursor *cursor)
{
	const uint8_t *bytes = cursor->next;
	uint32_t two;

	if (LO_UNLIKELY(byte_cursor_left(cursor) < 2 || (bytes[0] & bytes[1]) >= 0x80))
		return byte_cursor_varint(cursor);
	two = bytes[0] >> 7;
	cursor->next += 1 + two;
	return (bytes[0] & 0x7fu) | ((uint32_t)bytes[1] << 7 & (0 - two));
}

/* Eight numbers below 128 at once; false when they are not. */
static inline bool expand_eight(struct byte_cursor *cursor, uint32_t *values)
{
	const uint8_t *bytes = cursor->next;

	if (byte_cursor_left(cursor) < 8 || load_le64(bytes) & 0x8080808080808080u)
		return false;
	for (unsigned i = 0; i < 8; i++)
		values[i] = bytes[i];
	cursor->next += 8;
	return true;
}

/* False when a value is not from `least` to `most`. */
static bool expand_varints(struct byte_cursor *cursor, uint32_t *values, uint32_t count,
		uint32_t least, uint32_t most)
{
	for (uint32_t i = 0; i < count; i++) {
		uint64_t value;

		while (least == 0 && count - i >= 8 && expand_eight(cursor, values + i))
			i += 8;
		if (i == count)
			break;
		value = next_varint(cursor);
		if (LO_UNLIKELY(value < least || value > most))
			return false;
		values[i] = (uint32_t)value;
	}
	return true;
}

static bool expand_differences(struct byte_cursor *cursor, uint32_t *values, uint32_t count,
		uint32_t least, uint32_t most)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < count; i++) {
		value += zigzag_unfold(next_varint(cursor));
		if (LO_UNLIKELY(value < least || value > most))
			return false;
		values[i] = (uint32_t)value;
	}
	return true;
}

static enum lo_result decode_numbers(struct decoder *decoder, enum event_column column,
		uint8_t encoding, struct byte_cursor cursor)
{
	enum row_order order = (enum row_order)ORDER_OF(encoding);
	uint32_t least = column == COLUMN_TASK ? 1 : 0;
	uint32_t most = column == COLUMN_STACK ? LIMIT_STACKS : LIMIT_TASKS;
	uint32_t count = count_values(decoder);
	bool sound = ENCODING_OF(encoding) == ENCODING_VARINT
				     ? expand_varints(&cursor, decoder->values, count, least, most)
				     : expand_differences(&cursor, decoder->values, count, least,
						       most);

	/* Whatever is left over, or was missing, is damage. */
	if (!sound || cursor.failed || byte_cursor_left(&cursor) > 0)
		return bad_column(decoder, column);
	if (count == 0)
		return LO_OK;
	begin_order(decoder, order);
	switch (order) {
	case ORDER_KIND:
		deal_numbers(decoder, column, ORDER_KIND, count);
		break;
	case ORDER_TASK:
		deal_numbers(decoder, column, ORDER_TASK, count);
		break;
	case ORDER_PLACE:
		deal_numbers(decoder, column, ORDER_PLACE, count);
		break;
	default:
		deal_numbers(decoder, column, ORDER_TIME, count);
	}
	return LO_OK;
}

/* ---- objects ---- */

/* `objects[0]` is none. False when a reference leads to nothing. */
static bool expand_references(struct decoder *decoder, struct byte_cursor *cursor, uint32_t values,
		struct decoded_object *objects, uint32_t capacity)
{
	uint64_t value = 0;
	uint32_t count = 0;

	objects[0] = (struct decoded_object){ 0, 0 };
	for (uint32_t i = 0; i < values; i++) {
		uint64_t reference = next_varint(cursor);

		if (reference == 1) {
			uint8_t kind = byte_cursor_byte(cursor);

			value += zigzag_unfold(byte_cursor_varint(cursor));
			if (++count == capacity)
				return false;
			objects[count] = (struct decoded_object){ value,
				decoder->how->map->object_kind[kind] };
			decoder->values[i] = count;
			continue;
		}
		reference -= reference > 1;
		if (reference > count)
			return false;
		decoder->values[i] = (uint32_t)reference;
	}
	return !cursor->failed && byte_cursor_left(cursor) == 0;
}

static enum lo_result decode_objects(
		struct decoder *decoder, uint8_t encoding, struct byte_cursor cursor)
{
	/* An object takes three bytes where it is introduced, so there cannot be more than this. */
	uint32_t capacity = (uint32_t)(byte_cursor_left(&cursor) / 3 + 2);
	struct decoded_object *objects = malloc(capacity * sizeof(*objects));
	uint32_t count = count_values(decoder);
	enum lo_result result = LO_OK;

	if (!objects)
		return lo_fail(decoder->err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u objects",
				capacity);
	begin_order(decoder, (enum row_order)ORDER_OF(encoding));
	if (!expand_references(decoder, &cursor, count, objects, capacity))
		result = bad_column(decoder, COLUMN_OBJECT);
	else if (count == 0)
		result = LO_OK;
	else if (ORDER_OF(encoding) == ORDER_TASK)
		deal_objects(decoder, ORDER_TASK, objects, count);
	else if (ORDER_OF(encoding) == ORDER_PLACE)
		deal_objects(decoder, ORDER_PLACE, objects, count);
	else
		deal_objects(decoder, ORDER_TIME, objects, count);
	free(objects);
	return result;
}

/* ---- times ---- */

static enum lo_result decode_deltas(struct decoder *decoder, struct byte_cursor cursor)
{
	uint64_t time_ns = decoder->how->begin_ns;

	for (uint32_t row = 0; row < decoder->rows; row++) {
		uint64_t step = byte_cursor_varint(&cursor);

		if (step > decoder->how->end_ns - time_ns)
			return bad_column(decoder, COLUMN_TIME);
		time_ns += step;
		decoder->events[row].time_ns = time_ns;
	}
	return cursor.failed || byte_cursor_left(&cursor) > 0 ? bad_column(decoder, COLUMN_TIME)
							      : LO_OK;
}

static enum lo_result decode_times(
		struct decoder *decoder, uint8_t encoding, struct byte_cursor cursor)
{
	if (ENCODING_OF(encoding) == ENCODING_DELTA)
		return decode_deltas(decoder, cursor);
	choose_column(decoder, COLUMN_REASON);
	return clock_steps_decode(&decoder->space->steps, cursor, decoder->has, decoder->events,
			       decoder->rows, decoder->how->begin_ns, decoder->how->end_ns)
			       ? LO_OK
			       : bad_column(decoder, COLUMN_TIME);
}

/* ---- columns ---- */

static enum lo_result decode_column(
		struct decoder *decoder, enum event_column column, const struct column_view *view)
{
	struct byte_cursor cursor = byte_cursor_over(view->bytes, view->size);

	choose_column(decoder, column);
	switch (column) {
	case COLUMN_TIME:
		return decode_times(decoder, view->encoding, cursor);
	case COLUMN_TASK:
	case COLUMN_PEER:
	case COLUMN_STACK:
		return decode_numbers(decoder, column, view->encoding, cursor);
	case COLUMN_OBJECT:
		return decode_objects(decoder, view->encoding, cursor);
	default:
		return decode_bytes(
				decoder, column, (enum row_order)ORDER_OF(view->encoding), cursor);
	}
}

/* A column that was left out has zeros, which are there already. */
static enum lo_result absent_column(struct decoder *decoder, enum event_column column)
{
	if (column == COLUMN_TASK)
		return bad_column(decoder, column);
	for (uint32_t row = 0; column == COLUMN_TIME && row < decoder->rows; row++)
		decoder->events[row].time_ns = decoder->how->begin_ns;
	return LO_OK;
}

static enum lo_result count_kinds(struct decoder *decoder)
{
	memset(decoder->rows_of, 0, sizeof(decoder->rows_of));
	for (uint32_t row = 0; row < decoder->rows; row++)
		decoder->rows_of[decoder->events[row].kind]++;
	for (unsigned kind = 0; kind < LO_COUNT_OF(decoder->rows_of); kind++)
		if (decoder->rows_of[kind] > 0 &&
				decoder->how->map->kind[kind] == EVENT_KIND_UNDEFINED)
			return bad_column(decoder, COLUMN_KIND);
	return LO_OK;
}

/* What must be known before a column in this encoding can be decoded. */
static uint32_t columns_before(uint8_t encoding)
{
	if (ENCODING_OF(encoding) == ENCODING_STEPS)
		return EVENT_COLUMN_BIT(COLUMN_KIND) | EVENT_COLUMN_BIT(COLUMN_TASK) |
		       EVENT_COLUMN_BIT(COLUMN_REASON);
	switch (ORDER_OF(encoding)) {
	case ORDER_KIND:
		return EVENT_COLUMN_BIT(COLUMN_KIND);
	case ORDER_TASK:
		return EVENT_COLUMN_BIT(COLUMN_TASK);
	case ORDER_PLACE:
		return EVENT_COLUMN_BIT(COLUMN_KIND) | EVENT_COLUMN_BIT(COLUMN_STACK);
	default:
		return 0;
	}
}

/* No column needs one that stands behind it here, but for the first two, which may change places.
 */
static const enum event_column decode_order[EVENT_COLUMN_COUNT] = { COLUMN_KIND, COLUMN_TASK,
	COLUMN_STACK, COLUMN_REASON, COLUMN_TIME, COLUMN_PEER, COLUMN_OBJECT, COLUMN_FLAGS };

uint32_t event_columns_needed(const struct column_view views[EVENT_COLUMN_COUNT], uint32_t columns)
{
	columns |= EVENT_COLUMNS_ALWAYS;
	for (size_t i = EVENT_COLUMN_COUNT; i-- > 0;) {
		const struct column_view *view = &views[decode_order[i]];

		if (columns & EVENT_COLUMN_BIT(decode_order[i]) && view->present)
			columns |= columns_before(view->encoding);
	}
	return columns;
}

static enum lo_result decode_if_needed(struct decoder *decoder, enum event_column column,
		const struct column_view *view, uint32_t needed)
{
	enum lo_result result;

	if (!(needed & EVENT_COLUMN_BIT(column)))
		return LO_OK;
	if (view->present && !event_column_reads(column, view->encoding))
		return lo_fail(decoder->err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"the %s column has encoding %u, which a later version knows",
				event_columns[column].name, view->encoding);
	result = view->present ? decode_column(decoder, column, view)
			       : absent_column(decoder, column);
	if (result == LO_OK && column == COLUMN_KIND)
		result = count_kinds(decoder);
	return result;
}

static enum lo_result decode_needed(
		struct decoder *decoder, const struct column_view views[EVENT_COLUMN_COUNT])
{
	uint32_t needed = event_columns_needed(views, decoder->how->columns);
	const struct column_view *kinds = &views[COLUMN_KIND];
	const struct column_view *tasks = &views[COLUMN_TASK];
	bool kinds_by_task = kinds->present && ORDER_OF(kinds->encoding) != ORDER_TIME;
	enum lo_result result = LO_OK;

	if (kinds_by_task && tasks->present && ORDER_OF(tasks->encoding) != ORDER_TIME)
		return bad_column(decoder, COLUMN_TASK);
	if (kinds_by_task)
		result = decode_if_needed(decoder, COLUMN_TASK, tasks, needed);
	for (size_t i = 0; i < EVENT_COLUMN_COUNT && result == LO_OK; i++)
		if (!kinds_by_task || decode_order[i] != COLUMN_TASK)
			result = decode_if_needed(
					decoder, decode_order[i], &views[decode_order[i]], needed);
	return result;
}

/* Gives the events this build's numbers and closes the gaps of those that it does not know. */
static uint32_t keep_known(struct decoder *decoder)
{
	const struct event_map *map = decoder->how->map;
	uint32_t kept = 0;

	choose_column(decoder, COLUMN_REASON);
	for (uint32_t row = 0; row < decoder->rows; row++) {
		struct event *event = &decoder->events[row];
		uint8_t kind = map->kind[event->kind];

		if (kind >= EVENT_KIND_COUNT)
			continue;
		event->reason = decoder->has[event->kind] ? map->reason[event->reason]
							  : event->reason;
		event->kind = kind;
		event->flags &= (uint8_t)~EVENT_FLAG_PEER_IS_TID;
		if (kept != row)
			decoder->events[kept] = *event;
		kept++;
	}
	return kept;
}

static enum lo_result make_space(struct decoder *decoder)
{
	size_t size = sizeof(*decoder->space) +
		      decoder->rows * (sizeof(uint32_t) + sizeof(uint16_t));

	decoder->space = malloc(size);
	if (!decoder->space)
		return lo_fail(decoder->err, LO_NO_MEMORY, LO_NO_OFFSET,
				"no memory to decode %u events", decoder->rows);
	decoder->values = (uint32_t *)(void *)(decoder->space + 1);
	decoder->space->steps.class_of = (uint16_t *)(void *)(decoder->values + decoder->rows);
	return LO_OK;
}

enum lo_result event_columns_decode(const struct column_view columns[EVENT_COLUMN_COUNT],
		uint32_t rows, const struct event_decoding *decoding, struct event *events,
		uint32_t *stored, struct lo_error *err)
{
	/* Before kinds are known, all rows are of kind 0. */
	struct decoder decoder = {
		.how = decoding, .events = events, .rows = rows, .rows_of = { rows }, .err = err
	};
	enum lo_result result;

	*stored = 0;
	if (rows == 0)
		return LO_OK;
	result = make_space(&decoder);
	if (result != LO_OK)
		return result;
	memset(events, 0, rows * sizeof(*events));
	result = decode_needed(&decoder, columns);
	if (result == LO_OK)
		*stored = keep_known(&decoder);
	free(decoder.space);
	return result;
}
