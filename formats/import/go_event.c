#include "formats/import/go_event.h"

#define NS_PER_S 1000000000u

void go_event_cursor_init(struct go_event_cursor *cursor, const struct go_generation *generation,
		uint32_t first_batch, uint64_t frequency)
{
	*cursor = (struct go_event_cursor){
		.generation = generation,
		.next_batch = first_batch,
		.frequency = frequency,
		.unit_ns = NS_PER_S % frequency == 0 ? NS_PER_S / frequency : 0,
	};
}

static bool next_batch(struct go_event_cursor *cursor)
{
	const struct go_event_batch *batch;

	if (cursor->next_batch == 0)
		return false;
	batch = &cursor->generation->batches[cursor->next_batch - 1];
	cursor->bytes = byte_cursor_over(cursor->generation->bytes + batch->begin, batch->size);
	cursor->next_batch = batch->next;
	cursor->units = batch->time;
	return true;
}

static uint64_t event_ns(const struct go_event_cursor *cursor)
{
	if (cursor->unit_ns && cursor->units < (UINT64_MAX >> 1) / NS_PER_S)
		return cursor->units * cursor->unit_ns;
	return go_nanoseconds(cursor->units, cursor->frequency);
}

/* Reads the event that begins with `type`; false when its bytes are not all there. */
static bool decode(struct go_event_cursor *cursor, uint8_t type)
{
	unsigned count = go_wire_arguments[type];
	uint64_t delta = byte_cursor_varint(&cursor->bytes);

	for (unsigned i = 0; i < count; i++)
		cursor->event.arguments[i] = byte_cursor_varint(&cursor->bytes);
	if (cursor->bytes.failed || delta > UINT64_MAX - cursor->units)
		return false;
	cursor->units += delta;
	cursor->event.type = type;
	cursor->event.ns = event_ns(cursor);
	return true;
}

bool go_event_cursor_next(struct go_event_cursor *cursor)
{
	for (;;) {
		uint8_t type;

		if (byte_cursor_left(&cursor->bytes) == 0) {
			if (!next_batch(cursor))
				return false;
			continue;
		}
		type = byte_cursor_byte(&cursor->bytes);
		if (type < GO_WIRE_TYPES && go_wire_arguments[type] != GO_WIRE_NOT_AN_EVENT) {
			if (decode(cursor, type))
				return true;
		} else {
			cursor->unknown_type = type;
		}
		cursor->broken_batches++;
		cursor->bytes = byte_cursor_over(NULL, 0);
	}
}
