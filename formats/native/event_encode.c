#include "formats/native/event_codec.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/varint.h"

struct encoded_object {
	uint64_t value;
	uint8_t kind;
};

/* The rows that have a value in one column, in one order. */
struct column_rows {
	const struct event *events;
	const uint32_t *order; /* numbers of all rows; NULL = as they stand */
	uint32_t rows;
	bool has[EVENT_KIND_COUNT];
};

static struct column_rows column_rows(
		struct event_encoder *encoder, enum event_column column, enum row_order order)
{
	struct column_rows rows = { .events = encoder->events, .rows = encoder->rows };

	if (order != ORDER_TIME)
		rows.order = row_sorter_get(&encoder->sorter, order);
	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++)
		rows.has[kind] = (event_kind_columns((enum event_kind)kind) &
						 EVENT_COLUMN_BIT(column)) != 0;
	return rows;
}

/* NULL when this row has no value. */
static inline const struct event *row_at(const struct column_rows *rows, uint32_t i)
{
	const struct event *event = &rows->events[rows->order ? rows->order[i] : i];

	return rows->has[event->kind] ? event : NULL;
}

/* `column` is a constant wherever these are called, so the switches vanish. */
static inline uint32_t number_in(const struct event *event, enum event_column column)
{
	switch (column) {
	case COLUMN_TASK:
		return event->task;
	case COLUMN_KIND:
		return event->kind;
	case COLUMN_PEER:
		return event->peer;
	case COLUMN_STACK:
		return event->stack;
	case COLUMN_REASON:
		return event->reason;
	default:
		return event->flags;
	}
}

static inline void encode_numbers(struct byte_buffer *raw, const struct column_rows *rows,
		enum event_column column, bool differences)
{
	uint8_t *room = byte_buffer_reserve(raw, (size_t)rows->rows * VARINT_MAX);
	uint64_t previous = 0;
	size_t size = 0;

	for (uint32_t i = 0; room && i < rows->rows; i++) {
		const struct event *event = row_at(rows, i);
		uint64_t value;

		if (!event)
			continue;
		value = number_in(event, column);
		size += varint_put(
				room + size, differences ? zigzag_fold(value - previous) : value);
		previous = value;
	}
	byte_buffer_commit(raw, size);
}

static inline void encode_bytes(
		struct byte_buffer *raw, const struct column_rows *rows, enum event_column column)
{
	uint8_t *room = byte_buffer_reserve(raw, rows->rows);
	size_t size = 0;

	for (uint32_t i = 0; room && i < rows->rows; i++) {
		const struct event *event = row_at(rows, i);

		if (event)
			room[size++] = (uint8_t)number_in(event, column);
	}
	byte_buffer_commit(raw, size);
}

static void encode_deltas(struct byte_buffer *raw, const struct event *events, uint32_t rows,
		uint64_t begin_ns)
{
	uint8_t *room = byte_buffer_reserve(raw, (size_t)rows * VARINT_MAX);
	uint64_t previous = begin_ns;
	size_t size = 0;

	for (uint32_t row = 0; room && row < rows; row++) {
		size += varint_put(room + size, events[row].time_ns - previous);
		previous = events[row].time_ns;
	}
	byte_buffer_commit(raw, size);
}

/* ---- objects ---- */

/* The reference of an object that this block already has; 0 when it is new. */
static uint32_t find_object(
		const struct event_encoder *encoder, uint64_t value, uint8_t kind, uint32_t hash)
{
	uint32_t probe;
	uint32_t id;

	for (id = id_index_first(&encoder->object_index, hash, &probe); id;
			id = id_index_next(&encoder->object_index, hash, &probe))
		if (encoder->objects[id - 1].value == value &&
				encoder->objects[id - 1].kind == kind)
			break;
	return id;
}

static enum lo_result add_object(struct event_encoder *encoder, uint64_t value, uint8_t kind,
		uint32_t hash, struct lo_error *err)
{
	if (encoder->object_count == encoder->object_capacity) {
		uint32_t capacity = encoder->object_capacity ? encoder->object_capacity * 2 : 64;
		struct encoded_object *objects = realloc(
				encoder->objects, capacity * sizeof(*objects));

		if (!objects)
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u objects",
					capacity);
		encoder->objects = objects;
		encoder->object_capacity = capacity;
	}
	encoder->objects[encoder->object_count++] = (struct encoded_object){ value, kind };
	return id_index_add(&encoder->object_index, hash, encoder->object_count, err);
}

/*
 * Objects are 64-bit addresses of which a block mostly has few. A value is a reference: 0 is no
 * object, 1 introduces one that was not there before, by its kind (a byte) and the folded
 * difference of its value to that of the one introduced before; and 1 + n is the n-th introduced.
 */
static enum lo_result encode_object(
		struct event_encoder *encoder, const struct event *event, struct lo_error *err)
{
	struct byte_buffer *raw = &encoder->raw;
	uint32_t hash = id_hash(event->object, event->object_kind);
	uint32_t number;
	uint64_t previous;

	if (event->object == 0 && event->object_kind == 0) {
		byte_buffer_put_byte(raw, 0);
		return LO_OK;
	}
	number = find_object(encoder, event->object, event->object_kind, hash);
	if (number != 0) {
		byte_buffer_put_varint(raw, (uint64_t)number + 1);
		return LO_OK;
	}
	previous = encoder->object_count ? encoder->objects[encoder->object_count - 1].value : 0;
	byte_buffer_put_byte(raw, 1);
	byte_buffer_put_byte(raw, event->object_kind);
	byte_buffer_put_varint(raw, zigzag_fold(event->object - previous));
	return add_object(encoder, event->object, event->object_kind, hash, err);
}

static enum lo_result encode_objects(
		struct event_encoder *encoder, const struct column_rows *rows, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	id_index_clear(&encoder->object_index);
	encoder->object_count = 0;
	for (uint32_t i = 0; result == LO_OK && i < rows->rows; i++) {
		const struct event *event = row_at(rows, i);

		if (event)
			result = encode_object(encoder, event, err);
	}
	return result;
}

/* ---- columns ---- */

enum lo_result event_encoder_start(struct event_encoder *encoder, const struct event *events,
		uint32_t rows, uint64_t begin_ns, struct lo_error *err)
{
	encoder->events = events;
	encoder->rows = rows;
	encoder->begin_ns = begin_ns;
	return row_sorter_start(&encoder->sorter, events, rows, err);
}

static enum lo_result encode_times(
		struct event_encoder *encoder, uint8_t encoding, struct lo_error *err)
{
	if (ENCODING_OF(encoding) == ENCODING_STEPS)
		return clock_steps_encode(&encoder->steps, encoder->events, encoder->rows,
				encoder->begin_ns, &encoder->raw, &encoder->parts, err);
	encode_deltas(&encoder->raw, encoder->events, encoder->rows, encoder->begin_ns);
	return LO_OK;
}

/* The column is a constant in each call, so that each gets its own loop. */
static enum lo_result encode_column(struct event_encoder *encoder, enum event_column column,
		uint8_t encoding, struct lo_error *err)
{
	struct column_rows rows = column_rows(encoder, column, (enum row_order)ORDER_OF(encoding));
	bool differences = ENCODING_OF(encoding) == ENCODING_DIFFERENCE;

	switch (column) {
	case COLUMN_TIME:
		return encode_times(encoder, encoding, err);
	case COLUMN_TASK:
		encode_numbers(&encoder->raw, &rows, COLUMN_TASK, differences);
		break;
	case COLUMN_KIND:
		encode_bytes(&encoder->raw, &rows, COLUMN_KIND);
		break;
	case COLUMN_PEER:
		encode_numbers(&encoder->raw, &rows, COLUMN_PEER, differences);
		break;
	case COLUMN_STACK:
		encode_numbers(&encoder->raw, &rows, COLUMN_STACK, differences);
		break;
	case COLUMN_OBJECT:
		return encode_objects(encoder, &rows, err);
	case COLUMN_REASON:
		encode_bytes(&encoder->raw, &rows, COLUMN_REASON);
		break;
	default:
		encode_bytes(&encoder->raw, &rows, COLUMN_FLAGS);
	}
	return LO_OK;
}

enum lo_result event_encoder_column(struct event_encoder *encoder, enum event_column column,
		uint8_t encoding, struct lo_error *err)
{
	enum lo_result result;

	byte_buffer_clear(&encoder->raw);
	encoder->parts.count = 0;
	result = encode_column(encoder, column, encoding, err);
	return result == LO_OK ? byte_buffer_check(&encoder->raw, err) : result;
}

void event_encoder_release(struct event_encoder *encoder)
{
	if (!encoder)
		return;
	byte_buffer_release(&encoder->raw);
	row_sorter_release(&encoder->sorter);
	clock_steps_encoder_release(&encoder->steps);
	id_index_release(&encoder->object_index);
	free(encoder->objects);
	*encoder = (struct event_encoder){ 0 };
}
