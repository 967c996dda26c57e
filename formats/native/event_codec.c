#include "formats/native/event_codec.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/byte_cursor.h"
#include "formats/base/limits.h"
#include "formats/base/macros.h"
#include "formats/base/varint.h"
#include "formats/model/event_schema.h"

/*
 * Every column is coded by itself, row by row, and left to zstd: repetitions of task, stack and
 * object numbers are what it finds best when they stand as they are.
 *
 * Objects are 64-bit addresses of which a block mostly has few. A value is a reference to the
 * objects of this block in order of appearance: 0 is no object, 1 the first that appeared, and the
 * number that would come next introduces a new one: its kind (a byte) and the folded difference of
 * its value to that of the object introduced before.
 */
const struct event_column_info event_columns[EVENT_COLUMN_COUNT] = {
	[COLUMN_TIME] = { "time", ENCODING_DELTA },
	[COLUMN_TASK] = { "task", ENCODING_VARINT },
	[COLUMN_KIND] = { "kind", ENCODING_BYTES },
	[COLUMN_PEER] = { "peer", ENCODING_VARINT },
	[COLUMN_STACK] = { "stack", ENCODING_VARINT },
	[COLUMN_OBJECT] = { "object", ENCODING_OBJECTS },
	[COLUMN_REASON] = { "reason", ENCODING_BYTES },
	[COLUMN_FLAGS] = { "flags", ENCODING_BYTES },
};

/* Which field of the schema lives in which column. */
static const struct {
	enum event_field field;
	enum event_column column;
} field_columns[] = {
	{ EVENT_FIELD_PEER, COLUMN_PEER },
	{ EVENT_FIELD_STACK, COLUMN_STACK },
	{ EVENT_FIELD_OBJECT, COLUMN_OBJECT },
	{ EVENT_FIELD_REASON, COLUMN_REASON },
	{ EVENT_FIELD_FLAGS, COLUMN_FLAGS },
};

struct encoded_object {
	uint64_t value;
	uint8_t kind;
};

uint32_t event_kind_columns(enum event_kind kind)
{
	uint32_t columns = EVENT_COLUMNS_ALWAYS;

	for (size_t i = 0; i < LO_COUNT_OF(field_columns); i++)
		if (event_schemas[kind].fields & field_columns[i].field)
			columns |= EVENT_COLUMN_BIT(field_columns[i].column);
	return columns;
}

/* ---- encoding ---- */

struct encoder_input {
	const struct event *events;
	uint32_t rows;
	uint32_t kind_columns[EVENT_KIND_COUNT];
};

static bool has_column(const struct encoder_input *input, uint32_t row, enum event_column column)
{
	return (input->kind_columns[input->events[row].kind] & EVENT_COLUMN_BIT(column)) != 0;
}

/* `column` is a constant wherever these are called, so the switches vanish. */
static inline uint64_t number_in(const struct event *event, enum event_column column)
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
	case COLUMN_FLAGS:
		return event->flags;
	default:
		return 0;
	}
}

static inline void encode_varints(struct byte_buffer *raw, const struct encoder_input *input,
		enum event_column column)
{
	uint8_t *room = byte_buffer_reserve(raw, (size_t)input->rows * VARINT_MAX);
	size_t size = 0;

	for (uint32_t row = 0; room && row < input->rows; row++)
		if (has_column(input, row, column))
			size += varint_put(room + size, number_in(&input->events[row], column));
	byte_buffer_commit(raw, size);
}

static inline void encode_bytes(struct byte_buffer *raw, const struct encoder_input *input,
		enum event_column column)
{
	uint8_t *room = byte_buffer_reserve(raw, input->rows);
	size_t size = 0;

	for (uint32_t row = 0; room && row < input->rows; row++)
		if (has_column(input, row, column))
			room[size++] = (uint8_t)number_in(&input->events[row], column);
	byte_buffer_commit(raw, size);
}

static void encode_times(
		struct byte_buffer *raw, const struct encoder_input *input, uint64_t begin_ns)
{
	uint8_t *room = byte_buffer_reserve(raw, (size_t)input->rows * VARINT_MAX);
	uint64_t previous = begin_ns;
	size_t size = 0;

	for (uint32_t row = 0; room && row < input->rows; row++) {
		size += varint_put(room + size, input->events[row].time_ns - previous);
		previous = input->events[row].time_ns;
	}
	byte_buffer_commit(raw, size);
}

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

static enum lo_result encode_object(
		struct event_encoder *encoder, const struct event *event, struct lo_error *err)
{
	struct byte_buffer *raw = &encoder->raw[COLUMN_OBJECT];
	uint32_t hash = id_hash(event->object, event->object_kind);
	uint32_t reference;
	uint64_t previous;

	if (event->object == 0 && event->object_kind == 0) {
		byte_buffer_put_byte(raw, 0);
		return LO_OK;
	}
	reference = find_object(encoder, event->object, event->object_kind, hash);
	if (reference != 0) {
		byte_buffer_put_varint(raw, reference);
		return LO_OK;
	}
	previous = encoder->object_count ? encoder->objects[encoder->object_count - 1].value : 0;
	byte_buffer_put_varint(raw, (uint64_t)encoder->object_count + 1);
	byte_buffer_put_byte(raw, event->object_kind);
	byte_buffer_put_varint(raw, zigzag_fold(event->object - previous));
	return add_object(encoder, event->object, event->object_kind, hash, err);
}

static enum lo_result encode_objects(struct event_encoder *encoder,
		const struct encoder_input *input, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	id_index_clear(&encoder->object_index);
	encoder->object_count = 0;
	for (uint32_t row = 0; result == LO_OK && row < input->rows; row++)
		if (has_column(input, row, COLUMN_OBJECT))
			result = encode_object(encoder, &input->events[row], err);
	return result;
}

enum lo_result event_encoder_run(struct event_encoder *encoder, const struct event *events,
		uint32_t rows, uint64_t begin_ns, struct lo_error *err)
{
	struct encoder_input input = { .events = events, .rows = rows };
	enum lo_result result;

	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++)
		input.kind_columns[kind] = event_kind_columns((enum event_kind)kind);
	for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++)
		byte_buffer_clear(&encoder->raw[column]);

	encode_times(&encoder->raw[COLUMN_TIME], &input, begin_ns);
	encode_varints(&encoder->raw[COLUMN_TASK], &input, COLUMN_TASK);
	encode_bytes(&encoder->raw[COLUMN_KIND], &input, COLUMN_KIND);
	encode_varints(&encoder->raw[COLUMN_PEER], &input, COLUMN_PEER);
	encode_varints(&encoder->raw[COLUMN_STACK], &input, COLUMN_STACK);
	encode_bytes(&encoder->raw[COLUMN_REASON], &input, COLUMN_REASON);
	encode_bytes(&encoder->raw[COLUMN_FLAGS], &input, COLUMN_FLAGS);
	result = encode_objects(encoder, &input, err);
	for (unsigned column = 0; result == LO_OK && column < EVENT_COLUMN_COUNT; column++)
		result = byte_buffer_check(&encoder->raw[column], err);
	return result;
}

void event_encoder_release(struct event_encoder *encoder)
{
	if (!encoder)
		return;
	for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++)
		byte_buffer_release(&encoder->raw[column]);
	id_index_release(&encoder->object_index);
	free(encoder->objects);
	*encoder = (struct event_encoder){ 0 };
}

/* ---- decoding ---- */

struct decoder {
	const struct event_decoding *how;
	struct event *events; /* `kind` holds the file's number until the last step */
	uint32_t rows;
	struct lo_error *err;
};

static bool row_has(const struct decoder *decoder, uint32_t row, enum event_column column)
{
	return (decoder->how->map->columns[decoder->events[row].kind] & EVENT_COLUMN_BIT(column)) !=
	       0;
}

static enum lo_result bad_column(const struct decoder *decoder, enum event_column column)
{
	return lo_fail(decoder->err, LO_CORRUPT, LO_NO_OFFSET, "the %s column makes no sense",
			event_columns[column].name);
}

/* Whatever is left over, or was missing, is damage. */
static enum lo_result finish_column(const struct decoder *decoder, enum event_column column,
		const struct byte_cursor *cursor)
{
	return cursor->failed || byte_cursor_left(cursor) > 0 ? bad_column(decoder, column) : LO_OK;
}

static enum lo_result decode_kinds(struct decoder *decoder, struct byte_cursor cursor)
{
	for (uint32_t row = 0; row < decoder->rows; row++) {
		uint8_t kind = byte_cursor_byte(&cursor);

		if (decoder->how->map->kind[kind] == EVENT_KIND_UNDEFINED)
			return bad_column(decoder, COLUMN_KIND);
		decoder->events[row].kind = kind;
	}
	return finish_column(decoder, COLUMN_KIND, &cursor);
}

static enum lo_result decode_times(struct decoder *decoder, struct byte_cursor cursor)
{
	uint64_t time_ns = decoder->how->begin_ns;

	for (uint32_t row = 0; row < decoder->rows; row++) {
		uint64_t step = byte_cursor_varint(&cursor);

		if (step > decoder->how->end_ns - time_ns)
			return bad_column(decoder, COLUMN_TIME);
		time_ns += step;
		decoder->events[row].time_ns = time_ns;
	}
	return finish_column(decoder, COLUMN_TIME, &cursor);
}

static enum lo_result decode_tasks(struct decoder *decoder, struct byte_cursor cursor)
{
	for (uint32_t row = 0; row < decoder->rows; row++) {
		uint64_t task = byte_cursor_varint(&cursor);

		if (task == TASK_NONE || task > LIMIT_TASKS)
			return bad_column(decoder, COLUMN_TASK);
		decoder->events[row].task = (uint32_t)task;
	}
	return finish_column(decoder, COLUMN_TASK, &cursor);
}

static enum lo_result decode_peers(struct decoder *decoder, struct byte_cursor cursor)
{
	for (uint32_t row = 0; row < decoder->rows; row++) {
		uint64_t peer = row_has(decoder, row, COLUMN_PEER) ? byte_cursor_varint(&cursor)
								   : TASK_NONE;

		if (peer > LIMIT_TASKS)
			return bad_column(decoder, COLUMN_PEER);
		decoder->events[row].peer = (uint32_t)peer;
	}
	return finish_column(decoder, COLUMN_PEER, &cursor);
}

static enum lo_result decode_stacks(struct decoder *decoder, struct byte_cursor cursor)
{
	for (uint32_t row = 0; row < decoder->rows; row++) {
		uint64_t stack = row_has(decoder, row, COLUMN_STACK) ? byte_cursor_varint(&cursor)
								     : STACK_NONE;

		if (stack > LIMIT_STACKS)
			return bad_column(decoder, COLUMN_STACK);
		decoder->events[row].stack = (uint32_t)stack;
	}
	return finish_column(decoder, COLUMN_STACK, &cursor);
}

static enum lo_result decode_reasons(struct decoder *decoder, struct byte_cursor cursor)
{
	for (uint32_t row = 0; row < decoder->rows; row++)
		if (row_has(decoder, row, COLUMN_REASON))
			decoder->events[row].reason =
					decoder->how->map->reason[byte_cursor_byte(&cursor)];
	return finish_column(decoder, COLUMN_REASON, &cursor);
}

static enum lo_result decode_flags(struct decoder *decoder, struct byte_cursor cursor)
{
	for (uint32_t row = 0; row < decoder->rows; row++)
		if (row_has(decoder, row, COLUMN_FLAGS))
			decoder->events[row].flags = byte_cursor_byte(&cursor) &
						     (uint8_t)~EVENT_FLAG_PEER_IS_TID;
	return finish_column(decoder, COLUMN_FLAGS, &cursor);
}

static enum lo_result decode_object_rows(struct decoder *decoder, struct byte_cursor *cursor,
		struct encoded_object *objects, size_t capacity)
{
	uint64_t value = 0;
	size_t count = 0;

	for (uint32_t row = 0; row < decoder->rows; row++) {
		uint64_t reference = row_has(decoder, row, COLUMN_OBJECT)
						     ? byte_cursor_varint(cursor)
						     : 0;

		if (reference == 0)
			continue;
		if (reference == count + 1 && count < capacity) {
			uint8_t kind = byte_cursor_byte(cursor);

			value += zigzag_unfold(byte_cursor_varint(cursor));
			objects[count++] = (struct encoded_object){ value,
				decoder->how->map->object_kind[kind] };
		}
		if (reference > count)
			return bad_column(decoder, COLUMN_OBJECT);
		decoder->events[row].object = objects[reference - 1].value;
		decoder->events[row].object_kind = objects[reference - 1].kind;
	}
	return finish_column(decoder, COLUMN_OBJECT, cursor);
}

static enum lo_result decode_objects(struct decoder *decoder, struct byte_cursor cursor)
{
	/* An object takes three bytes where it appears, so there cannot be more than this. */
	size_t capacity = byte_cursor_left(&cursor) / 3 + 1;
	struct encoded_object *objects = malloc(capacity * sizeof(*objects));
	enum lo_result result;

	if (!objects)
		return lo_fail(decoder->err, LO_NO_MEMORY, LO_NO_OFFSET,
				"no memory for %zu objects", capacity);
	result = decode_object_rows(decoder, &cursor, objects, capacity);
	free(objects);
	return result;
}

static enum lo_result decode_column(
		struct decoder *decoder, enum event_column column, const struct column_view *view)
{
	struct byte_cursor cursor = byte_cursor_over(view->bytes, view->size);

	switch (column) {
	case COLUMN_TIME:
		return decode_times(decoder, cursor);
	case COLUMN_TASK:
		return decode_tasks(decoder, cursor);
	case COLUMN_KIND:
		return decode_kinds(decoder, cursor);
	case COLUMN_PEER:
		return decode_peers(decoder, cursor);
	case COLUMN_STACK:
		return decode_stacks(decoder, cursor);
	case COLUMN_OBJECT:
		return decode_objects(decoder, cursor);
	case COLUMN_REASON:
		return decode_reasons(decoder, cursor);
	default:
		return decode_flags(decoder, cursor);
	}
}

/* A column that was left out: what decoding zeros would give. */
static enum lo_result absent_column(struct decoder *decoder, enum event_column column)
{
	const struct event_map *map = decoder->how->map;

	if (column == COLUMN_TASK)
		return bad_column(decoder, column);
	if (column == COLUMN_KIND && map->kind[0] == EVENT_KIND_UNDEFINED)
		return bad_column(decoder, column);
	for (uint32_t row = 0; row < decoder->rows; row++) {
		if (column == COLUMN_TIME)
			decoder->events[row].time_ns = decoder->how->begin_ns;
		if (column == COLUMN_REASON && row_has(decoder, row, COLUMN_REASON))
			decoder->events[row].reason = map->reason[0];
	}
	return LO_OK;
}

/* Gives the events this build's kinds and closes the gaps of those that it does not know. */
static uint32_t keep_known(struct decoder *decoder)
{
	uint32_t kept = 0;

	for (uint32_t row = 0; row < decoder->rows; row++) {
		uint8_t kind = decoder->how->map->kind[decoder->events[row].kind];

		if (kind >= EVENT_KIND_COUNT)
			continue;
		if (kept != row)
			decoder->events[kept] = decoder->events[row];
		decoder->events[kept++].kind = kind;
	}
	return kept;
}

enum lo_result event_columns_decode(const struct column_view columns[EVENT_COLUMN_COUNT],
		uint32_t rows, const struct event_decoding *decoding, struct event *events,
		uint32_t *stored, struct lo_error *err)
{
	/* Kinds first: they say which rows have values in the other columns. */
	static const enum event_column order[EVENT_COLUMN_COUNT] = { COLUMN_KIND, COLUMN_TIME,
		COLUMN_TASK, COLUMN_PEER, COLUMN_STACK, COLUMN_OBJECT, COLUMN_REASON,
		COLUMN_FLAGS };
	struct decoder decoder = { .how = decoding, .events = events, .rows = rows, .err = err };
	uint32_t wanted = decoding->columns | EVENT_COLUMNS_ALWAYS;

	*stored = 0;
	if (rows == 0)
		return LO_OK;
	memset(events, 0, rows * sizeof(*events));
	for (size_t i = 0; i < EVENT_COLUMN_COUNT; i++) {
		const struct column_view *view = &columns[order[i]];
		enum lo_result result;

		if (!(wanted & EVENT_COLUMN_BIT(order[i])))
			continue;
		if (view->present && view->encoding != event_columns[order[i]].encoding)
			return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
					"the %s column has encoding %u, which a later version knows",
					event_columns[order[i]].name, view->encoding);
		result = view->present ? decode_column(&decoder, order[i], view)
				       : absent_column(&decoder, order[i]);
		if (result != LO_OK)
			return result;
	}
	*stored = keep_known(&decoder);
	return LO_OK;
}
