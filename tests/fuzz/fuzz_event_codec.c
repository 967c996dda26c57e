#include <stdlib.h>
#include <string.h>

#include "formats/base/byte_cursor.h"
#include "formats/base/limits.h"
#include "formats/model/object.h"
#include "formats/model/reason.h"
#include "formats/native/event_codec.h"
#include "tests/fuzz/fuzz.h"

/*
 * The bytes are raw columns: the number of rows, then for each column a length and its bytes. When
 * they decode, the events must be in range, and encoding them again must give the same events.
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
		uint64_t wanted = byte_cursor_varint(cursor);

		if (wanted > byte_cursor_left(cursor))
			wanted = byte_cursor_left(cursor);
		views[column].present = wanted > 0;
		views[column].size = (size_t)wanted;
		views[column].bytes = byte_cursor_bytes(cursor, wanted);
		views[column].encoding = event_columns[column].encoding;
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

static void check_round_trip(
		const struct event *events, uint32_t count, const struct event_decoding *decoding)
{
	static struct event again[ROWS_MAX];
	static struct event_encoder encoder;
	struct column_view views[EVENT_COLUMN_COUNT];
	uint32_t stored;

	if (event_encoder_run(&encoder, events, count, 0, NULL) != LO_OK)
		abort();
	for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++)
		views[column] = (struct column_view){ encoder.raw[column].bytes,
			encoder.raw[column].size, event_columns[column].encoding, true };
	if (event_columns_decode(views, count, decoding, again, &stored, NULL) != LO_OK ||
			stored != count)
		abort();
	if (count > 0 && memcmp(again, events, count * sizeof(*events)) != 0)
		abort();
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
