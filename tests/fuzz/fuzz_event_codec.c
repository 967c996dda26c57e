#include <stdlib.h>
#include <string.h>

#include "formats/base/byte_cursor.h"
#include "formats/base/limits.h"
#include "formats/model/object.h"
#include "formats/model/reason.h"
#include "formats/native/event_codec.h"
#include "tests/fuzz/fuzz.h"

/*
 * The bytes are raw columns: the number of rows, then for each column a length, which of its
 * encodings it is in, and its bytes. When they decode, the events must be in range, and encoding
 * them again, each column in each of its encodings, must give the same events.
 */
#define ROWS_MAX 2000u
#define END_NS   (UINT64_MAX / 2)

static void identity_map(struct event_map *map)
{
	memset(map, 0, sizeof(*map));
	memset(map->kind, EVENT_KIND_UNDEFINED, sizeof(map->kind));
	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		map->kind[kind] = (uint8_t)kind;
		map->columns[kind] = event_kind_columns((enum event_kind)kind);
	}
	map->kind[EVENT_KIND_COUNT] = EVENT_KIND_FOREIGN;
	map->columns[EVENT_KIND_COUNT] = EVENT_COLUMNS_ALWAYS | EVENT_COLUMN_BIT(COLUMN_OBJECT);
	for (unsigned i = 0; i < 256; i++) {
		map->reason[i] = i < REASON_COUNT ? (uint8_t)i : REASON_NONE;
		map->object_kind[i] = i < OBJECT_KIND_COUNT ? (uint8_t)i : OBJECT_NONE;
	}
}

static void read_views(struct byte_cursor *cursor, struct column_view views[EVENT_COLUMN_COUNT])
{
	for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++) {
		const struct event_column_info *info = &event_columns[column];
		uint64_t wanted = byte_cursor_varint(cursor);

		views[column].encoding = info->encodings[byte_cursor_byte(cursor) % info->count];
		if (wanted > byte_cursor_left(cursor))
			wanted = byte_cursor_left(cursor);
		views[column].present = wanted > 0;
		views[column].size = (size_t)wanted;
		views[column].bytes = byte_cursor_bytes(cursor, wanted);
	}
}

static void check_events(const struct event *events, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (events[i].kind >= EVENT_KIND_COUNT || events[i].task == TASK_NONE ||
				events[i].task > LIMIT_TASKS || events[i].peer > LIMIT_TASKS ||
				events[i].stack > LIMIT_STACKS ||
				events[i].object_kind >= OBJECT_KIND_COUNT ||
				events[i].time_ns > END_NS ||
				(i > 0 && events[i].time_ns < events[i - 1].time_ns))
			abort();
}

static struct byte_buffer encoded[EVENT_COLUMN_COUNT];

static void encode(struct event_encoder *encoder, struct column_view *views,
		enum event_column column, uint8_t encoding)
{
	struct byte_buffer *raw = &encoded[column];

	if (event_encoder_column(encoder, column, encoding, NULL) != LO_OK)
		abort();
	byte_buffer_clear(raw);
	byte_buffer_put(raw, encoder->raw.bytes, encoder->raw.size);
	views[column] = (struct column_view){ raw->bytes, raw->size, encoding, true };
}

static void check_same(const struct column_view *views, const struct event *events, uint32_t count,
		const struct event_decoding *decoding)
{
	static struct event again[ROWS_MAX];
	uint32_t stored;

	if (event_columns_decode(views, count, decoding, again, &stored, NULL) != LO_OK ||
			stored != count)
		abort();
	if (count > 0 && memcmp(again, events, count * sizeof(*events)) != 0)
		abort();
}

static void check_round_trip(
		const struct event *events, uint32_t count, const struct event_decoding *decoding)
{
	static struct event_encoder encoder;
	struct column_view views[EVENT_COLUMN_COUNT];

	if (event_encoder_start(&encoder, events, count, 0, NULL) != LO_OK ||
			clock_steps_learn(&encoder.steps, events, count, 0, NULL) != LO_OK)
		abort();
	for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++)
		encode(&encoder, views, (enum event_column)column,
				event_columns[column].encodings[0]);
	for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++)
		for (unsigned i = event_columns[column].count; i-- > 0;) {
			encode(&encoder, views, (enum event_column)column,
					event_columns[column].encodings[i]);
			check_same(views, events, count, decoding);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct event events[ROWS_MAX];
	struct byte_cursor cursor = byte_cursor_over(bytes, size);
	uint32_t rows = (uint32_t)(byte_cursor_varint(&cursor) % (ROWS_MAX + 1));
	uint32_t wanted = byte_cursor_byte(&cursor);
	struct column_view views[EVENT_COLUMN_COUNT];
	struct event_map map;
	struct event_decoding decoding = { &map, wanted, 0, END_NS };
	uint32_t stored;

	identity_map(&map);
	read_views(&cursor, views);
	if (event_columns_decode(views, rows, &decoding, events, &stored, NULL) != LO_OK)
		return 0;
	if (stored > rows)
		abort();
	check_events(events, stored);
	decoding.columns = EVENT_COLUMNS_ALL;
	check_round_trip(events, stored, &decoding);
	return 0;
}
