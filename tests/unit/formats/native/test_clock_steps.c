#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "formats/native/clock_step_find.h"
#include "formats/native/clock_steps.h"
#include "tests/support/event_generator.h"

#define ROWS 8000u

/* Rows of a clock that goes on by `step_ns` at a time, `steps` at most between two events. */
static void fill(struct event *events, uint32_t rows, double step_ns, uint64_t steps)
{
	uint64_t random = 7;
	double time_ns = 12345;

	memset(events, 0, rows * sizeof(*events));
	for (uint32_t i = 0; i < rows; i++) {
		time_ns += step_ns * (double)(1 + generator_random(&random, steps));
		events[i].time_ns = (uint64_t)time_ns;
		events[i].task = 1 + i % 3;
		events[i].kind = i % 2 ? EVENT_UNBLOCK : EVENT_BLOCK;
	}
}

static double found(const struct event *events, uint32_t rows, uint64_t guess)
{
	return (double)clock_step_find(events, rows, guess) / (double)STEP_ONE;
}

static void assert_near(double got, double wanted)
{
	if (got < wanted - 1e-4 || got > wanted + 1e-4)
		fail_msg("a step of %f ns was found, not %f", got, wanted);
}

static void the_step_of_a_clock_is_found(void **state)
{
	static const double steps[] = { 4.5, 10.0149134, 24.652, 41.6667, 100.03 };
	static struct event events[ROWS];

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(steps); i++) {
		fill(events, ROWS, steps[i], 60);
		assert_near(found(events, ROWS, 0), steps[i]);
	}
}

static void whole_nanoseconds_are_found_exactly(void **state)
{
	static const double steps[] = { 2, 64, 256, 1000, 4000000 };
	static struct event events[ROWS];

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(steps); i++) {
		fill(events, ROWS, steps[i], 60);
		assert_int_equal(clock_step_find(events, ROWS, 0), (uint64_t)steps[i] * STEP_ONE);
	}
}

static void a_clock_without_steps_has_steps_of_a_nanosecond(void **state)
{
	static struct event events[ROWS];

	(void)state;
	fill(events, ROWS, 1, 3000);
	assert_int_equal(clock_step_find(events, ROWS, 0), STEP_ONE);
	fill(events, ROWS, 1, 10000000);
	assert_int_equal(clock_step_find(events, ROWS, 0), STEP_ONE);
}

static void samples_of_nearly_one_length_do_not_mislead(void **state)
{
	static struct event events[ROWS];
	uint64_t random = 3;
	double time_ns = 0;

	(void)state;
	memset(events, 0, sizeof(events));
	for (uint32_t i = 0; i < ROWS; i++) {
		time_ns += 10.0149 * (double)(41 + generator_random(&random, 4));
		events[i].time_ns = (uint64_t)time_ns;
	}
	assert_near(found(events, ROWS, 0), 10.0149);
}

static void a_guess_that_fits_is_kept_and_another_is_not(void **state)
{
	static struct event events[ROWS];
	uint64_t close = (uint64_t)(10.01495 * (double)STEP_ONE);

	(void)state;
	fill(events, ROWS, 10.0149134, 60);
	assert_int_equal(clock_step_find(events, ROWS, close), close);
	assert_near(found(events, ROWS, 33 * STEP_ONE), 10.0149134);
	assert_near(found(events, ROWS, UINT64_MAX), 10.0149134);
}

static void few_events_have_no_step(void **state)
{
	struct event events[2] = { { .time_ns = 3 }, { .time_ns = 3 } };

	(void)state;
	assert_int_equal(clock_step_find(events, 0, 0), STEP_ONE);
	assert_int_equal(clock_step_find(events, 1, 0), STEP_ONE);
	assert_int_equal(clock_step_find(events, 2, 0), STEP_ONE);
	events[1].time_ns = UINT64_MAX;
	assert_int_equal(clock_step_find(events, 2, 0), STEP_ONE);
}

/* ---- there and back ---- */

static const bool has_reason[256] = { [EVENT_BLOCK] = true };

static bool decode(const uint8_t *bytes, size_t size, struct event *events, uint32_t rows,
		uint64_t begin_ns, uint64_t end_ns)
{
	static struct clock_steps_decoder decoder;
	bool sound;

	decoder.class_of = malloc(rows * sizeof(*decoder.class_of) + 1);
	assert_non_null(decoder.class_of);
	sound = clock_steps_decode(&decoder, byte_cursor_over(bytes, size), has_reason, events,
			rows, begin_ns, end_ns);
	free(decoder.class_of);
	return sound;
}

static size_t check_round_trip(
		struct clock_steps_encoder *encoder, const struct event *events, uint32_t rows)
{
	struct event *decoded = malloc(rows * sizeof(*decoded));
	struct byte_buffer raw = { 0 };
	struct byte_parts parts = { 0 };
	size_t size;

	assert_non_null(decoded);
	memcpy(decoded, events, rows * sizeof(*decoded));
	for (uint32_t i = 0; i < rows; i++)
		decoded[i].time_ns = 0;
	assert_int_equal(clock_steps_encode(encoder, events, rows, events[0].time_ns / 2, &raw,
					 &parts, NULL),
			LO_OK);
	assert_true(decode(raw.bytes, raw.size, decoded, rows, events[0].time_ns / 2,
			events[rows - 1].time_ns));
	for (uint32_t i = 0; i < rows; i++)
		assert_int_equal(decoded[i].time_ns, events[i].time_ns);
	for (uint32_t i = 0; i < parts.count; i++)
		assert_in_range(parts.end[i], i ? parts.end[i - 1] : 0, raw.size);
	size = raw.size;
	free(decoded);
	byte_buffer_release(&raw);
	return size;
}

static void times_come_back_whatever_step_is_assumed(void **state)
{
	static const uint64_t steps[] = { 0, 1, STEP_ONE / 3, STEP_ONE, 10 * STEP_ONE + 12345,
		64 * STEP_ONE, UINT64_MAX };
	static struct event events[ROWS];
	struct clock_steps_encoder encoder = { 0 };

	(void)state;
	fill(events, ROWS, 10.0149134, 1u << 20);
	events[ROWS - 2].time_ns = UINT64_MAX / 2;
	events[ROWS - 1].time_ns = UINT64_MAX;
	for (size_t i = 0; i < LO_COUNT_OF(steps); i++) {
		encoder.step = steps[i];
		check_round_trip(&encoder, events, ROWS);
	}
	clock_steps_encoder_release(&encoder);
}

static void times_come_back_in_every_width(void **state)
{
	static struct event events[ROWS];
	struct clock_steps_encoder encoder = { 0 };

	(void)state;
	for (uint8_t width = 0; width <= STEP_WIDTH_MAX; width++) {
		for (unsigned log = 0; log < 48; log += 3) {
			fill(events, ROWS, 1, 1ull << log);
			memset(encoder.width, width, sizeof(encoder.width));
			check_round_trip(&encoder, events, ROWS);
		}
	}
	clock_steps_encoder_release(&encoder);
}

static void a_known_step_needs_few_corrections(void **state)
{
	static struct event events[ROWS];
	struct clock_steps_encoder encoder = { 0 };

	(void)state;
	fill(events, ROWS, 10.0149134, 500);
	assert_int_equal(clock_steps_learn(&encoder, events, ROWS, 0, NULL), LO_OK);
	check_round_trip(&encoder, events, ROWS);
	assert_true(encoder.corrections.size < ROWS / 20);
	clock_steps_encoder_release(&encoder);
}

/* ---- damage ---- */

/* Two rows of different classes behind 100 ns; the block ends at 200 ns. */
static bool decodes(const uint8_t *bytes, size_t size, struct event events[2])
{
	events[0] = (struct event){ .task = 1, .kind = EVENT_RUN };
	events[1] = (struct event){ .task = 1, .kind = EVENT_EXIT };
	return decode(bytes, size, events, 2, 100, 200);
}

#define DECODES(...) \
	decodes((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), events)
/* A step of 1 ns. */
#define ONE 0x80, 0x80, 0x80, 0x80, 0x10

static void bytes_that_make_no_sense_are_refused(void **state)
{
	struct event events[2];

	(void)state;
	assert_true(DECODES(ONE, 4, 4, 1, 2, 0, 0));
	assert_int_equal(events[0].time_ns, 101);
	assert_int_equal(events[1].time_ns, 103);
	assert_false(DECODES(ONE, 4, 4, 1, 2, 0));       /* no escapes, not even their size */
	assert_false(DECODES(ONE, 4, 4, 1, 2, 0, 0, 0)); /* something left */
	assert_false(DECODES(ONE, 4, 4, 1));             /* too few symbols */
	assert_false(DECODES(ONE, 4, 8, 1, 2, 0, 0));    /* no such width */
	assert_false(DECODES(0x80));                     /* half a step */
	/* Past the end of the block: 31 x 4 ns. */
	assert_false(DECODES(ONE, 4, 4, 1, 0x3f, 0, 0, 0));
	/* 31 x 2 ns, and one low bit: missing, too many, and not zeros behind it. */
	assert_true(DECODES(ONE, 4, 4, 1, 0x2f, 0, 0, 1));
	assert_int_equal(events[1].time_ns, 101 + 63);
	assert_false(DECODES(ONE, 4, 4, 1, 0x2f, 0, 0));
	assert_false(DECODES(ONE, 4, 4, 1, 0x2f, 0, 0, 1, 0));
	assert_false(DECODES(ONE, 4, 4, 1, 0x2f, 0, 0, 3));
	/* More low bits than any writer stores. */
	assert_false(DECODES(ONE, 4, 0, 1, 40, 0, 0, 1, 1, 1, 1, 1, 1));
}

static void corrections_that_make_no_sense_are_refused(void **state)
{
	struct event events[2];

	(void)state;
	assert_true(DECODES(ONE, 4, 4, 1, 2, 2, 1, 4, 0));
	assert_int_equal(events[1].time_ns, 105);
	assert_true(DECODES(ONE, 4, 4, 1, 2, 2, 1, 3, 0)); /* back by as much as it went on */
	assert_int_equal(events[1].time_ns, 101);
	assert_false(DECODES(ONE, 4, 4, 1, 2, 2, 1, 5, 0)); /* back by more */
	assert_false(DECODES(ONE, 4, 4, 1, 2, 2, 2, 4, 0)); /* there is no third row */
	assert_false(DECODES(ONE, 4, 4, 1, 2, 1, 1, 0));    /* no value */
	assert_false(DECODES(ONE, 4, 4, 1, 2, 9, 1, 4, 0)); /* more than there is */
}

static void escapes_that_make_no_sense_are_refused(void **state)
{
	struct event events[2];

	(void)state;
	assert_true(DECODES(ONE, 4, 4, 1, 255, 0, 1, 90));
	assert_int_equal(events[1].time_ns, 191);
	assert_false(DECODES(ONE, 4, 4, 1, 255, 0, 0));
	assert_false(DECODES(ONE, 4, 4, 1, 255, 0, 2, 90, 90));
	assert_false(DECODES(ONE, 4, 4, 1, 255, 0, 10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			0xff, 0xff, 0x01));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_step_of_a_clock_is_found),
		cmocka_unit_test(whole_nanoseconds_are_found_exactly),
		cmocka_unit_test(a_clock_without_steps_has_steps_of_a_nanosecond),
		cmocka_unit_test(samples_of_nearly_one_length_do_not_mislead),
		cmocka_unit_test(a_guess_that_fits_is_kept_and_another_is_not),
		cmocka_unit_test(few_events_have_no_step),
		cmocka_unit_test(times_come_back_whatever_step_is_assumed),
		cmocka_unit_test(times_come_back_in_every_width),
		cmocka_unit_test(a_known_step_needs_few_corrections),
		cmocka_unit_test(bytes_that_make_no_sense_are_refused),
		cmocka_unit_test(corrections_that_make_no_sense_are_refused),
		cmocka_unit_test(escapes_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
