#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/limits.h"
#include "formats/base/macros.h"
#include "formats/model/event_schema.h"
#include "formats/model/object.h"
#include "formats/model/reason.h"
#include "formats/native/event_codec.h"
#include "tests/support/event_generator.h"

/* Numbers of this build meaning themselves. */
static void identity_map(struct event_map *map)
{
	memset(map, 0, sizeof(*map));
	memset(map->kind, EVENT_KIND_UNDEFINED, sizeof(map->kind));
	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		map->kind[kind] = (uint8_t)kind;
		map->columns[kind] = event_kind_columns((enum event_kind)kind);
	}
	for (unsigned i = 0; i < REASON_COUNT; i++)
		map->reason[i] = (uint8_t)i;
	for (unsigned i = 0; i < OBJECT_KIND_COUNT; i++)
		map->object_kind[i] = (uint8_t)i;
}

/* Columns as they would stand in a block, each in one of its encodings. */
struct encoded_columns {
	struct byte_buffer raw[EVENT_COLUMN_COUNT];
	struct column_view views[EVENT_COLUMN_COUNT];
};

static void encode_one(struct encoded_columns *columns, struct event_encoder *encoder,
		enum event_column column, uint8_t encoding)
{
	struct byte_buffer *raw = &columns->raw[column];

	assert_int_equal(event_encoder_column(encoder, column, encoding, NULL), LO_OK);
	byte_buffer_clear(raw);
	byte_buffer_put(raw, encoder->raw.bytes, encoder->raw.size);
	columns->views[column] = (struct column_view){ raw->bytes, raw->size, encoding, true };
}

static void encode_plainly(struct encoded_columns *columns, struct event_encoder *encoder,
		const struct event *events, uint32_t count, uint64_t begin_ns)
{
	assert_int_equal(event_encoder_start(encoder, events, count, begin_ns, NULL), LO_OK);
	for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++)
		encode_one(columns, encoder, (enum event_column)column,
				event_columns[column].encodings[0]);
}

static void release_columns(struct encoded_columns *columns, struct event_encoder *encoder)
{
	for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++)
		byte_buffer_release(&columns->raw[column]);
	event_encoder_release(encoder);
}

/* What must come back: members that the kind does not list are not stored. */
static struct event stored_part(struct event event)
{
	uint8_t fields = event_schemas[event.kind].fields;

	if (!(fields & EVENT_FIELD_PEER))
		event.peer = 0;
	if (!(fields & EVENT_FIELD_STACK))
		event.stack = 0;
	if (!(fields & EVENT_FIELD_OBJECT))
		event.object = event.object_kind = 0;
	if (!(fields & EVENT_FIELD_REASON))
		event.reason = 0;
	if (!(fields & EVENT_FIELD_FLAGS))
		event.flags = 0;
	return event;
}

static void check_decoded(const struct encoded_columns *columns, const struct event *events,
		uint32_t count, uint64_t begin_ns)
{
	struct event_map map;
	struct event_decoding decoding = { &map, EVENT_COLUMNS_ALL, begin_ns,
		count ? events[count - 1].time_ns : begin_ns };
	struct event *decoded = malloc((count + 1) * sizeof(*decoded));
	struct lo_error err = { 0 };
	uint32_t stored = 42;

	assert_non_null(decoded);
	identity_map(&map);
	if (event_columns_decode(columns->views, count, &decoding, decoded, &stored, &err) != LO_OK)
		fail_msg("%s", err.message);
	assert_int_equal(stored, count);
	for (uint32_t i = 0; i < count; i++) {
		struct event want = stored_part(events[i]);

		assert_memory_equal(&decoded[i], &want, sizeof(want));
	}
	free(decoded);
}

/* Each column in each of its encodings, while the others are plain. */
static void check_round_trip(const struct event *events, uint32_t count, uint64_t begin_ns)
{
	struct encoded_columns columns = { 0 };
	struct event_encoder encoder = { 0 };

	encode_plainly(&columns, &encoder, events, count, begin_ns);
	assert_int_equal(clock_steps_learn(&encoder.steps, events, count, begin_ns, NULL), LO_OK);
	for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++) {
		for (unsigned i = event_columns[column].count; i-- > 0;) {
			encode_one(&columns, &encoder, (enum event_column)column,
					event_columns[column].encodings[i]);
			check_decoded(&columns, events, count, begin_ns);
		}
	}
	release_columns(&columns, &encoder);
}

static void extreme_values_come_back(void **state)
{
	static const struct event events[] = {
		{ .time_ns = 5, .task = 1, .kind = EVENT_RUN },
		{ .time_ns = 5,
				.task = LIMIT_TASKS,
				.peer = LIMIT_TASKS,
				.stack = LIMIT_STACKS,
				.kind = EVENT_CREATE,
				.flags = 0x7f },
		{ .time_ns = 1ull << 63,
				.task = 1,
				.object = UINT64_MAX,
				.object_kind = OBJECT_KIND_COUNT - 1,
				.reason = REASON_COUNT - 1,
				.kind = EVENT_BLOCK },
		{ .time_ns = UINT64_MAX,
				.task = 1,
				.object = 1,
				.object_kind = OBJECT_MUTEX,
				.kind = EVENT_BLOCK },
		{ .time_ns = UINT64_MAX,
				.task = 1,
				.object = 1,
				.object_kind = OBJECT_COND,
				.kind = EVENT_BLOCK },
		{ .time_ns = UINT64_MAX,
				.task = 1,
				.object = 0,
				.object_kind = OBJECT_DESCRIPTOR,
				.kind = EVENT_BLOCK },
		{ .time_ns = UINT64_MAX, .task = 1, .kind = EVENT_EXIT },
	};

	(void)state;
	check_round_trip(events, LO_COUNT_OF(events), 0);
	check_round_trip(events, LO_COUNT_OF(events), 5);
	check_round_trip(events, 0, 7);
	for (uint32_t i = 0; i < LO_COUNT_OF(events); i++)
		check_round_trip(&events[i], 1, events[i].time_ns);
}

static void members_that_a_kind_does_not_list_are_not_stored(void **state)
{
	struct event noisy = { .time_ns = 1,
		.task = 2,
		.peer = 3,
		.stack = 4,
		.object = 5,
		.object_kind = OBJECT_MUTEX,
		.reason = REASON_JOIN,
		.flags = 1 };

	(void)state;
	for (uint8_t kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		noisy.kind = kind;
		check_round_trip(&noisy, 1, 0);
	}
}

static void generated_streams_come_back(void **state)
{
	static struct event_generator generator;
	static struct event events[5000];

	(void)state;
	for (unsigned shape = 0; shape < GENERATOR_SHAPE_COUNT; shape++)
		for (uint64_t seed = 1; seed <= 5; seed++) {
			event_generator_init(&generator, (enum generator_shape)shape, seed);
			for (size_t i = 0; i < LO_COUNT_OF(events); i++)
				events[i] = event_generator_next(&generator);
			check_round_trip(events, LO_COUNT_OF(events), 0);
		}
}

static void random_members_come_back(void **state)
{
	static struct event events[300];
	uint64_t random = 99;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		uint64_t time_ns = 0;
		uint32_t count = (uint32_t)generator_random(&random, LO_COUNT_OF(events));

		for (uint32_t i = 0; i < count; i++) {
			time_ns += generator_random(&random, 1ull << generator_random(&random, 50));
			events[i] = (struct event){ .time_ns = time_ns,
				.object = generator_random(
						&random, 1ull << generator_random(&random, 64)),
				.task = 1 + (uint32_t)generator_random(&random, LIMIT_TASKS),
				.peer = (uint32_t)generator_random(&random, LIMIT_TASKS + 1),
				.stack = (uint32_t)generator_random(&random, LIMIT_STACKS + 1),
				.kind = (uint8_t)generator_random(&random, EVENT_KIND_COUNT),
				.reason = (uint8_t)generator_random(&random, REASON_COUNT),
				.object_kind = (uint8_t)generator_random(
						&random, OBJECT_KIND_COUNT),
				.flags = (uint8_t)generator_random(&random, 0x80) };
		}
		check_round_trip(events, count, 0);
	}
}

/* A block of two rows with one thing wrong. */
static enum lo_result decode_spoilt(enum event_column column, const void *bytes, size_t size,
		uint8_t encoding, struct event *decoded)
{
	static const struct event events[2] = {
		{ .time_ns = 10,
				.task = 1,
				.peer = 2,
				.stack = 3,
				.object = 4,
				.object_kind = OBJECT_MUTEX,
				.reason = REASON_MUTEX_LOCK,
				.kind = EVENT_BLOCK },
		{ .time_ns = 20, .task = 1, .peer = 2, .kind = EVENT_UNBLOCK },
	};
	struct encoded_columns columns = { 0 };
	struct event_encoder encoder = { 0 };
	struct event_map map;
	struct event_decoding decoding = { &map, EVENT_COLUMNS_ALL, 10, 20 };
	struct lo_error err;
	uint32_t stored;
	enum lo_result result;

	identity_map(&map);
	encode_plainly(&columns, &encoder, events, 2, 10);
	columns.views[column] = (struct column_view){ bytes, size, encoding, true };
	result = event_columns_decode(columns.views, 2, &decoding, decoded, &stored, &err);
	release_columns(&columns, &encoder);
	return result;
}

#define SPOILT(column, ...)                                       \
	decode_spoilt(column, (const uint8_t[]){ __VA_ARGS__ },   \
			sizeof((const uint8_t[]){ __VA_ARGS__ }), \
			event_columns[column].encodings[0], decoded)

static void columns_that_make_no_sense_are_refused(void **state)
{
	struct event decoded[2];

	(void)state;
	assert_int_equal(SPOILT(COLUMN_TIME, 0, 10), LO_OK);
	assert_int_equal(SPOILT(COLUMN_TIME, 0, 11), LO_CORRUPT);   /* past the end of the block */
	assert_int_equal(SPOILT(COLUMN_TIME, 0), LO_CORRUPT);       /* too short */
	assert_int_equal(SPOILT(COLUMN_TIME, 0, 1, 0), LO_CORRUPT); /* something left */
	assert_int_equal(SPOILT(COLUMN_TIME, 5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					 0xff, 0x01),
			LO_CORRUPT);                             /* would wrap */
	assert_int_equal(SPOILT(COLUMN_TASK, 1, 0), LO_CORRUPT); /* there is no task 0 */
	assert_int_equal(SPOILT(COLUMN_TASK, 1, 0x81, 0x80, 0x80, 0x08), LO_CORRUPT); /* 2^24 + 1 */
	assert_int_equal(SPOILT(COLUMN_TASK, 1, 0x80, 0x80, 0x80, 0x08), LO_OK);
	assert_int_equal(SPOILT(COLUMN_PEER, 1, 0x81, 0x80, 0x80, 0x08), LO_CORRUPT);
	assert_int_equal(SPOILT(COLUMN_KIND, EVENT_BLOCK, EVENT_KIND_COUNT), LO_CORRUPT);
	assert_int_equal(SPOILT(COLUMN_KIND, EVENT_BLOCK), LO_CORRUPT);
	assert_int_equal(SPOILT(COLUMN_STACK, 0x81, 0x80, 0x80, 0x04), LO_CORRUPT); /* 2^23 + 1 */
	assert_int_equal(SPOILT(COLUMN_STACK, 1, 1), LO_CORRUPT);  /* only one row has a stack */
	assert_int_equal(SPOILT(COLUMN_OBJECT, 2), LO_CORRUPT);    /* there is no first yet */
	assert_int_equal(SPOILT(COLUMN_OBJECT, 1), LO_CORRUPT);    /* nothing introduced */
	assert_int_equal(SPOILT(COLUMN_OBJECT, 1, 1), LO_CORRUPT); /* without a value */
	assert_int_equal(SPOILT(COLUMN_OBJECT, 1, OBJECT_COND, 4), LO_OK);
	assert_int_equal(decoded[0].object, 2);
	assert_int_equal(decoded[0].object_kind, OBJECT_COND);
	assert_int_equal(SPOILT(COLUMN_OBJECT, 0), LO_OK);
	assert_int_equal(SPOILT(COLUMN_REASON, 1, 1), LO_CORRUPT);
	assert_int_equal(SPOILT(COLUMN_REASON, 250), LO_OK); /* not in the schema: unknown */
	assert_int_equal(decoded[0].reason, REASON_NONE);
}

static void a_flag_that_only_rings_know_is_dropped(void **state)
{
	struct event decoded[2];

	(void)state;
	assert_int_equal(SPOILT(COLUMN_FLAGS, EVENT_FLAG_PEER_IS_TID | EVENT_FLAG_TIMED, 0), LO_OK);
	assert_int_equal(decoded[0].flags, EVENT_FLAG_TIMED);
}

static void a_later_encoding_is_told_from_damage(void **state)
{
	struct event decoded[2];
	uint8_t bytes[2] = { 0 };

	(void)state;
	assert_int_equal(decode_spoilt(COLUMN_PEER, bytes, 2, 77, decoded), LO_UNSUPPORTED);
}

static void absent_columns_read_as_zeros(void **state)
{
	struct column_view views[EVENT_COLUMN_COUNT] = { 0 };
	struct event_map map;
	struct event_decoding decoding = { &map, EVENT_COLUMNS_ALL, 30, 40 };
	static const uint8_t tasks[2] = { 1, 2 };
	struct event decoded[2];
	uint32_t stored;

	(void)state;
	identity_map(&map);
	assert_int_equal(event_columns_decode(views, 2, &decoding, decoded, &stored, NULL),
			LO_CORRUPT); /* there is no task 0 */
	views[COLUMN_TASK] = (struct column_view){ tasks, 2, ENCODING_VARINT, true };
	assert_int_equal(event_columns_decode(views, 2, &decoding, decoded, &stored, NULL), LO_OK);
	assert_int_equal(stored, 2);
	assert_int_equal(decoded[1].time_ns, 30);
	assert_int_equal(decoded[1].task, 2);
	assert_int_equal(decoded[1].kind, 0);
	map.kind[0] = EVENT_KIND_UNDEFINED;
	assert_int_equal(event_columns_decode(views, 2, &decoding, decoded, &stored, NULL),
			LO_CORRUPT);
}

static void columns_that_are_not_wanted_stay_zero(void **state)
{
	static const struct event event = { .time_ns = 1,
		.task = 9,
		.peer = 2,
		.stack = 3,
		.object = 4,
		.object_kind = OBJECT_MUTEX,
		.reason = REASON_MUTEX_LOCK,
		.kind = EVENT_BLOCK };
	struct encoded_columns columns = { 0 };
	struct event_encoder encoder = { 0 };
	struct event_map map;
	struct event_decoding decoding = { &map, EVENT_COLUMN_BIT(COLUMN_REASON), 0, 1 };
	struct event decoded;
	uint32_t stored;

	(void)state;
	identity_map(&map);
	encode_plainly(&columns, &encoder, &event, 1, 0);
	/* Nobody looks at what is not wanted, not even whether it is sound. */
	columns.views[COLUMN_STACK].size = 0;
	assert_int_equal(event_columns_decode(columns.views, 1, &decoding, &decoded, &stored, NULL),
			LO_OK);
	assert_int_equal(decoded.time_ns, 1);
	assert_int_equal(decoded.task, 9);
	assert_int_equal(decoded.reason, REASON_MUTEX_LOCK);
	assert_int_equal(decoded.stack, 0);
	assert_int_equal(decoded.object, 0);
	assert_int_equal(decoded.peer, 0);
	release_columns(&columns, &encoder);
}

static void a_column_brings_those_that_its_order_is_known_from(void **state)
{
	struct column_view views[EVENT_COLUMN_COUNT] = { 0 };
	uint32_t reasons = EVENT_COLUMN_BIT(COLUMN_REASON);
	uint32_t stacks = EVENT_COLUMN_BIT(COLUMN_STACK);

	(void)state;
	for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++)
		views[column].present = true;
	assert_int_equal(event_columns_needed(views, 0), EVENT_COLUMNS_ALWAYS);
	views[COLUMN_TIME].encoding = ENCODING_STEPS;
	assert_int_equal(event_columns_needed(views, 0), EVENT_COLUMNS_ALWAYS | reasons);
	views[COLUMN_REASON].encoding = ENCODING_BYTES | ORDER_PLACE;
	assert_int_equal(event_columns_needed(views, 0), EVENT_COLUMNS_ALWAYS | reasons | stacks);
	views[COLUMN_REASON].present = false;
	assert_int_equal(event_columns_needed(views, 0), EVENT_COLUMNS_ALWAYS | reasons);
}

static void kinds_and_tasks_in_the_order_of_each_other_are_refused(void **state)
{
	static const struct event events[2] = { { .task = 1 }, { .task = 2 } };
	struct encoded_columns columns = { 0 };
	struct event_encoder encoder = { 0 };
	struct event_map map;
	struct event_decoding decoding = { &map, EVENT_COLUMNS_ALL, 0, 0 };
	struct event decoded[2];
	uint32_t stored;

	(void)state;
	identity_map(&map);
	encode_plainly(&columns, &encoder, events, 2, 0);
	columns.views[COLUMN_KIND].encoding |= ORDER_TASK;
	columns.views[COLUMN_TASK].encoding |= ORDER_KIND;
	assert_int_equal(event_columns_decode(columns.views, 2, &decoding, decoded, &stored, NULL),
			LO_CORRUPT);
	release_columns(&columns, &encoder);
}

static void every_column_has_a_name_and_its_encodings(void **state)
{
	(void)state;
	for (unsigned column = 0; column < EVENT_COLUMN_COUNT; column++) {
		assert_non_null(event_columns[column].name);
		assert_in_range(event_columns[column].count, 1, COLUMN_ENCODINGS_MAX);
		for (unsigned i = 0; i < event_columns[column].count; i++)
			assert_true(event_column_reads((enum event_column)column,
					event_columns[column].encodings[i]));
		for (unsigned other = 0; other < column; other++)
			assert_string_not_equal(
					event_columns[column].name, event_columns[other].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extreme_values_come_back),
		cmocka_unit_test(members_that_a_kind_does_not_list_are_not_stored),
		cmocka_unit_test(generated_streams_come_back),
		cmocka_unit_test(random_members_come_back),
		cmocka_unit_test(columns_that_make_no_sense_are_refused),
		cmocka_unit_test(a_flag_that_only_rings_know_is_dropped),
		cmocka_unit_test(a_later_encoding_is_told_from_damage),
		cmocka_unit_test(absent_columns_read_as_zeros),
		cmocka_unit_test(columns_that_are_not_wanted_stay_zero),
		cmocka_unit_test(a_column_brings_those_that_its_order_is_known_from),
		cmocka_unit_test(kinds_and_tasks_in_the_order_of_each_other_are_refused),
		cmocka_unit_test(every_column_has_a_name_and_its_encodings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
