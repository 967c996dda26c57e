#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "formats/native/layout.h"
#include "formats/native/trace_cursor.h"
#include "tests/support/event_generator.h"
#include "tests/support/fault_source.h"
#include "tests/support/trace_builder.h"
#include "tests/support/trace_sample.h"

/* Two blocks that share the time 20, an empty one, and one more. */
static const char four_blocks[] = "@10ns run T1\n"
				  "@20ns run T2\n"
				  "@20ns run T3\n"
				  "flush\n"
				  "@20ns run T4\n"
				  "@30ns run T5\n"
				  "flush\n"
				  "@6s advance\n"
				  "@7s run T6\n";

static struct trace_cursor *open_cursor(struct trace_reader *reader, uint64_t begin, uint64_t end)
{
	struct trace_cursor *cursor;

	assert_int_equal(trace_cursor_open(&cursor, reader, (struct time_span){ begin, end }, NULL),
			LO_OK);
	return cursor;
}

/* The task of the next event, 0 at the end: each event of the text has a task of its own. */
static uint32_t next(struct trace_cursor *cursor)
{
	struct event event;
	enum lo_result result = trace_cursor_next(cursor, &event, NULL);

	assert_true(result == LO_OK || result == LO_END);
	return result == LO_OK ? event.task : 0;
}

static uint32_t previous(struct trace_cursor *cursor)
{
	struct event event;
	enum lo_result result = trace_cursor_previous(cursor, &event, NULL);

	assert_true(result == LO_OK || result == LO_END);
	return result == LO_OK ? event.task : 0;
}

static void a_cursor_steps_over_the_same_event_in_both_directions(void **state)
{
	struct trace_reader *reader = trace_from_text(four_blocks);
	struct trace_cursor *cursor = open_cursor(reader, 0, UINT64_MAX);

	(void)state;
	assert_int_equal(previous(cursor), 0);
	for (uint32_t task = 1; task <= 6; task++) {
		assert_int_equal(next(cursor), task);
		assert_int_equal(previous(cursor), task);
		assert_int_equal(next(cursor), task);
	}
	assert_int_equal(next(cursor), 0);
	assert_int_equal(next(cursor), 0);
	for (uint32_t task = 6; task >= 1; task--)
		assert_int_equal(previous(cursor), task);
	assert_int_equal(previous(cursor), 0);
	assert_int_equal(next(cursor), 1);
	trace_cursor_close(cursor);
	trace_cursor_close(NULL);
	trace_reader_close(reader);
}

static void a_span_is_half_open(void **state)
{
	static const struct {
		uint64_t begin;
		uint64_t end;
		uint32_t first; /* tasks first..last; 0 = none */
		uint32_t last;
	} cases[] = {
		{ 0, 10, 0, 0 },
		{ 0, 11, 1, 1 },
		{ 10, 20, 1, 1 },
		{ 11, 20, 0, 0 },
		{ 20, 21, 2, 4 },
		{ 20, 20, 0, 0 },
		{ 21, 31, 5, 5 },
		{ 31, 7000000000, 0, 0 },
		{ 31, 7000000001, 6, 6 },
		{ 7000000001, UINT64_MAX, 0, 0 },
		{ 30, 10, 0, 0 },
		{ UINT64_MAX, UINT64_MAX, 0, 0 },
	};
	struct trace_reader *reader = trace_from_text(four_blocks);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trace_cursor *cursor = open_cursor(reader, cases[i].begin, cases[i].end);

		assert_int_equal(previous(cursor), 0);
		for (uint32_t task = cases[i].first; task && task <= cases[i].last; task++)
			assert_int_equal(next(cursor), task);
		assert_int_equal(next(cursor), 0);
		for (uint32_t task = cases[i].last; task && task >= cases[i].first; task--)
			assert_int_equal(previous(cursor), task);
		assert_int_equal(previous(cursor), 0);
		trace_cursor_close(cursor);
	}
	trace_reader_close(reader);
}

static void seeking_goes_before_the_first_event_at_a_time(void **state)
{
	struct trace_reader *reader = trace_from_text(four_blocks);
	struct trace_cursor *cursor = open_cursor(reader, 0, UINT64_MAX);
	struct trace_cursor *inner = open_cursor(reader, 15, 25);

	(void)state;
	assert_int_equal(trace_cursor_seek(cursor, 20, NULL), LO_OK);
	assert_int_equal(next(cursor), 2);
	assert_int_equal(trace_cursor_seek(cursor, 20, NULL), LO_OK);
	assert_int_equal(previous(cursor), 1);
	assert_int_equal(trace_cursor_seek(cursor, 31, NULL), LO_OK);
	assert_int_equal(next(cursor), 6);
	assert_int_equal(trace_cursor_seek(cursor, 0, NULL), LO_OK);
	assert_int_equal(next(cursor), 1);
	assert_int_equal(trace_cursor_seek(cursor, UINT64_MAX, NULL), LO_OK);
	assert_int_equal(next(cursor), 0);
	assert_int_equal(previous(cursor), 6);

	/* Never out of its own span. */
	assert_int_equal(trace_cursor_seek(inner, 0, NULL), LO_OK);
	assert_int_equal(previous(inner), 0);
	assert_int_equal(next(inner), 2);
	assert_int_equal(trace_cursor_seek(inner, 1000, NULL), LO_OK);
	assert_int_equal(next(inner), 0);
	assert_int_equal(previous(inner), 4);
	trace_cursor_close(inner);
	trace_cursor_close(cursor);
	trace_reader_close(reader);
}

static void runs_give_each_event_once(void **state)
{
	struct trace_reader *reader = trace_from_text(four_blocks);
	struct trace_cursor *cursor = open_cursor(reader, 20, 7000000000);
	const struct event *events;
	uint32_t count;

	(void)state;
	assert_int_equal(trace_cursor_next_run(cursor, &events, &count, NULL), LO_OK);
	assert_int_equal(count, 2);
	assert_int_equal(events[0].task, 2);
	assert_int_equal(next(cursor), 4);
	assert_int_equal(trace_cursor_next_run(cursor, &events, &count, NULL), LO_OK);
	assert_int_equal(count, 1);
	assert_int_equal(events[0].task, 5);
	assert_int_equal(trace_cursor_next_run(cursor, &events, &count, NULL), LO_END);
	assert_int_equal(trace_cursor_next_run(cursor, &events, &count, NULL), LO_END);
	assert_int_equal(previous(cursor), 5);
	trace_cursor_close(cursor);
	trace_reader_close(reader);
}

static void a_trace_without_events_has_none_in_any_direction(void **state)
{
	struct trace_reader *reader = trace_from_text("@5s end\n");
	struct trace_cursor *cursor = open_cursor(reader, 0, UINT64_MAX);
	const struct event *events;
	uint32_t count;

	(void)state;
	assert_int_equal(next(cursor), 0);
	assert_int_equal(previous(cursor), 0);
	assert_int_equal(trace_cursor_next_run(cursor, &events, &count, NULL), LO_END);
	assert_int_equal(trace_cursor_seek(cursor, 3, NULL), LO_OK);
	assert_int_equal(next(cursor), 0);
	trace_cursor_close(cursor);
	trace_reader_close(reader);
}

static struct trace_reader *open_reader(const struct trace_sample *sample, uint64_t cache_bytes)
{
	struct trace_reader_options options = { .cache_bytes = cache_bytes };
	struct byte_source *source;
	struct trace_reader *reader;

	assert_int_equal(byte_source_open_memory(
					 &source, sample->file.bytes, sample->file.size, NULL),
			LO_OK);
	assert_int_equal(trace_reader_open(&reader, source, &options, NULL), LO_OK);
	return reader;
}

/* A random walk, with the array of events beside it. */
static struct trace_reader *open_small_cache(const struct trace_sample *sample)
{
	return open_reader(sample, 1);
}

static void check_random_walk(bool ahead)
{
	struct trace_sample sample;
	struct trace_reader *reader;
	struct trace_cursor *cursor;
	uint64_t random = 13;
	uint32_t place = 0;

	trace_sample_init(&sample, 20, 30, 13);
	reader = open_small_cache(&sample);
	cursor = open_cursor(reader, 0, UINT64_MAX);
	if (ahead)
		trace_cursor_read_ahead(cursor);
	for (unsigned step = 0; step < 20000; step++) {
		struct event event;
		uint64_t dice = generator_random(&random, 100);

		if (dice == 0) {
			place = (uint32_t)generator_random(&random, sample.event_count);
			assert_int_equal(trace_cursor_seek(cursor, sample.events[place].time_ns,
							 NULL),
					LO_OK);
			while (place > 0 && sample.events[place - 1].time_ns ==
							    sample.events[place].time_ns)
				place--;
		} else if (dice < 50 + step / 400 % 2 * 5) {
			enum lo_result result = trace_cursor_next(cursor, &event, NULL);

			assert_int_equal(result, place < sample.event_count ? LO_OK : LO_END);
			if (result == LO_OK)
				assert_memory_equal(&event, &sample.events[place++], sizeof(event));
		} else {
			enum lo_result result = trace_cursor_previous(cursor, &event, NULL);

			assert_int_equal(result, place > 0 ? LO_OK : LO_END);
			if (result == LO_OK)
				assert_memory_equal(&event, &sample.events[--place], sizeof(event));
		}
	}
	trace_cursor_close(cursor);
	trace_reader_close(reader);
	trace_sample_release(&sample);
}

static void a_random_walk_agrees_with_an_array(void **state)
{
	(void)state;
	check_random_walk(false);
}

static void a_random_walk_agrees_with_an_array_while_a_thread_reads_ahead(void **state)
{
	(void)state;
	check_random_walk(true);
}

/* What is damaged is told when the cursor gets there, and not before. */
static void reading_ahead_tells_nothing_early(void **state)
{
	struct trace_sample sample;
	struct trace_reader *reader;
	struct trace_cursor *cursor;
	struct byte_source *source;
	struct fault fault = { .kind = FAULT_FLIP };
	const struct event *events;
	uint32_t count;

	(void)state;
	trace_sample_init(&sample, 6, 10, 18);
	for (uint32_t i = 0; i < sample.section_count; i++)
		if (sample.sections[i].type == SECTION_BLOCK &&
				sample.sections[i].first_event == 20)
			fault.offset = sample.sections[i].offset + sample.sections[i].bytes - 1;
	fault_source_open(&source, sample.file.bytes, sample.file.size, fault);
	assert_int_equal(trace_reader_open(&reader, source, NULL, NULL), LO_OK);
	cursor = open_cursor(reader, 0, UINT64_MAX);
	trace_cursor_read_ahead(cursor);
	for (unsigned block = 0; block < 5; block++) {
		assert_int_equal(trace_cursor_next_run(cursor, &events, &count, NULL), LO_OK);
		assert_int_equal(count, 10);
		assert_int_equal(trace_reader_damage_count(reader), block < 2 ? 0 : 1);
		usleep(2000);
		assert_int_equal(trace_reader_damage_count(reader), block < 2 ? 0 : 1);
	}
	assert_int_equal(trace_cursor_next_run(cursor, &events, &count, NULL), LO_END);
	trace_cursor_close(cursor);
	trace_reader_close(reader);
	trace_sample_release(&sample);
}

/* A block in use stays, however small the cache is. */
static void cursors_share_a_small_cache(void **state)
{
	struct trace_sample sample;
	struct trace_reader *reader;
	struct trace_cursor *cursors[8];
	struct event event;

	(void)state;
	trace_sample_init(&sample, 8, 10, 14);
	reader = open_small_cache(&sample);
	for (uint32_t i = 0; i < 8; i++)
		cursors[i] = open_cursor(reader, sample.events[i * 10].time_ns, UINT64_MAX);
	for (uint32_t round = 0; round < 10; round++)
		for (uint32_t i = 0; i < 8; i++) {
			assert_int_equal(trace_cursor_next(cursors[i], &event, NULL), LO_OK);
			assert_memory_equal(&event, &sample.events[i * 10 + round], sizeof(event));
		}
	for (uint32_t i = 0; i < 8; i++)
		trace_cursor_close(cursors[i]);
	trace_reader_close(reader);
	trace_sample_release(&sample);
}

static void a_cursor_may_do_without_details_and_another_with_them(void **state)
{
	static const enum trace_detail details[] = { TRACE_DETAIL_STATES, TRACE_DETAIL_ALL,
		TRACE_DETAIL_STATES };
	struct trace_sample sample;
	struct trace_reader *reader;
	struct trace_cursor *cursors[3];

	(void)state;
	trace_sample_init(&sample, 3, 50, 15);
	reader = open_reader(&sample, 64 << 20);
	for (size_t i = 0; i < LO_COUNT_OF(cursors); i++)
		assert_int_equal(trace_cursor_open_detail(&cursors[i], reader, TIME_SPAN_ALL,
						 details[i], NULL),
				LO_OK);
	for (uint32_t row = 0; row < 150; row++)
		for (size_t i = 0; i < LO_COUNT_OF(cursors); i++) {
			const struct event *want = &sample.events[row];
			struct event event;

			assert_int_equal(trace_cursor_next(cursors[i], &event, NULL), LO_OK);
			if (details[i] == TRACE_DETAIL_ALL)
				assert_memory_equal(&event, want, sizeof(event));
			assert_int_equal(event.time_ns, want->time_ns);
			assert_int_equal(event.task, want->task);
			assert_int_equal(event.kind, want->kind);
			assert_int_equal(event.reason, want->reason);
		}
	for (size_t i = 0; i < LO_COUNT_OF(cursors); i++)
		trace_cursor_close(cursors[i]);
	trace_reader_close(reader);
	trace_sample_release(&sample);
}

struct walk {
	struct trace_reader *reader;
	const struct trace_sample *sample;
	uint64_t random;
};

/* One thread: reads from random places to the end, a few times. */
static void *walk_to_the_end(void *argument)
{
	struct walk *walk = argument;
	const struct trace_sample *sample = walk->sample;
	struct trace_cursor *cursor;
	struct event event;

	if (trace_cursor_open(&cursor, walk->reader, TIME_SPAN_ALL, NULL) != LO_OK)
		abort();
	if (walk->random % 2)
		trace_cursor_read_ahead(cursor);
	for (unsigned round = 0; round < 20; round++) {
		uint64_t place = generator_random(&walk->random, sample->event_count);

		if (trace_cursor_seek(cursor, sample->events[place].time_ns, NULL) != LO_OK)
			abort();
		for (; place < sample->event_count; place++)
			if (trace_cursor_next(cursor, &event, NULL) != LO_OK ||
					event.task != sample->events[place].task)
				abort();
	}
	trace_cursor_close(cursor);
	return NULL;
}

/* Best run with the thread sanitizer (LOITER_TSAN). */
static void cursors_of_several_threads_share_a_reader(void **state)
{
	struct trace_sample sample;
	struct trace_reader *reader;
	struct walk walks[4];
	pthread_t threads[4];

	(void)state;
	trace_sample_init(&sample, 30, 40, 16);
	reader = open_small_cache(&sample);
	for (uint64_t i = 0; i < 4; i++) {
		walks[i] = (struct walk){ reader, &sample, i };
		assert_int_equal(pthread_create(&threads[i], NULL, walk_to_the_end, &walks[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	trace_reader_close(reader);
	trace_sample_release(&sample);
}

/* A disk that fails while events are read is no damage of the file, and the cursor stays. */
static void a_failing_disk_leaves_the_cursor_where_it_was(void **state)
{
	struct trace_sample sample;
	struct trace_reader *reader;
	struct trace_cursor *cursor;
	struct byte_source *source;
	struct fault fault = { .kind = FAULT_READ };
	struct event event;

	(void)state;
	trace_sample_init(&sample, 4, 10, 15);
	for (uint32_t i = 0; i < sample.section_count; i++)
		if (sample.sections[i].first_event == 20) {
			fault.offset = sample.sections[i].offset;
			fault.size = sample.sections[i].bytes;
		}
	fault_source_open(&source, sample.file.bytes, sample.file.size, fault);
	assert_int_equal(trace_reader_open(&reader, source, NULL, NULL), LO_OK);
	cursor = open_cursor(reader, 0, UINT64_MAX);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(trace_cursor_next(cursor, &event, NULL), LO_OK);
	for (unsigned attempt = 0; attempt < 3; attempt++) {
		assert_int_equal(trace_cursor_next(cursor, &event, NULL), LO_IO);
		assert_int_equal(trace_cursor_previous(cursor, &event, NULL), LO_OK);
		assert_memory_equal(&event, &sample.events[19], sizeof(event));
		assert_int_equal(trace_cursor_next(cursor, &event, NULL), LO_OK);
	}
	assert_int_equal(trace_cursor_seek(cursor, sample.events[35].time_ns, NULL), LO_OK);
	for (uint32_t i = 35; i > 30; i--)
		assert_int_equal(trace_cursor_previous(cursor, &event, NULL), LO_OK);
	for (unsigned attempt = 0; attempt < 3; attempt++) {
		assert_int_equal(trace_cursor_previous(cursor, &event, NULL), LO_IO);
		assert_int_equal(trace_cursor_next(cursor, &event, NULL), LO_OK);
		assert_memory_equal(&event, &sample.events[30], sizeof(event));
		assert_int_equal(trace_cursor_previous(cursor, &event, NULL), LO_OK);
	}
	assert_int_equal(trace_reader_damage_count(reader), 0);
	trace_cursor_close(cursor);
	trace_reader_close(reader);
	trace_sample_release(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cursor_steps_over_the_same_event_in_both_directions),
		cmocka_unit_test(a_span_is_half_open),
		cmocka_unit_test(seeking_goes_before_the_first_event_at_a_time),
		cmocka_unit_test(runs_give_each_event_once),
		cmocka_unit_test(a_trace_without_events_has_none_in_any_direction),
		cmocka_unit_test(a_random_walk_agrees_with_an_array),
		cmocka_unit_test(a_random_walk_agrees_with_an_array_while_a_thread_reads_ahead),
		cmocka_unit_test(reading_ahead_tells_nothing_early),
		cmocka_unit_test(cursors_share_a_small_cache),
		cmocka_unit_test(a_cursor_may_do_without_details_and_another_with_them),
		cmocka_unit_test(cursors_of_several_threads_share_a_reader),
		cmocka_unit_test(a_failing_disk_leaves_the_cursor_where_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
