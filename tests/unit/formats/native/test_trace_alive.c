#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/byte_sink.h"
#include "formats/base/macros.h"
#include "formats/native/lives.h"
#include "formats/native/trace_alive.h"
#include "formats/native/trace_writer.h"
#include "tests/support/event_generator.h"

/*
 * Who is alive when, against a plain list of all lives, made by walking all events with one array
 * of tasks. Tasks are born and exit all the time, most of them soon; ids are used again now and
 * then, and exited tasks still take locks.
 */
#define EVENTS 24000u
#define IDS    9000u
#define BLOCKS 1200u

struct true_life {
	uint64_t birth_ns;
	uint64_t death_ns;
	uint32_t task;
	uint32_t birth; /* block */
	bool is_short;
};

struct trace {
	struct event events[EVENTS];
	uint32_t block_end[BLOCKS]; /* events up to the end of each block */
	uint32_t block_count;
	struct true_life lives[EVENTS];
	uint32_t life_count;
	struct byte_buffer file;
	uint64_t dice;
	/* What the answers were like, so that no path is left out. */
	uint32_t exact;
	uint32_t bounds;
	uint32_t without_short;
};

/* ---- events ---- */

struct making {
	uint32_t living[400];
	uint32_t count;
	uint32_t next;
	uint64_t now_ns;
};

static void put(struct trace *trace, uint32_t *at, struct making *making, uint32_t task,
		enum event_kind kind)
{
	struct event *event = &trace->events[(*at)++];

	making->now_ns += generator_random(&trace->dice, 4) * generator_random(&trace->dice, 20);
	*event = (struct event){ .time_ns = making->now_ns, .task = task, .kind = (uint8_t)kind };
	if (kind == EVENT_BLOCK)
		event->reason = REASON_SLEEP;
}

static void begin_life(struct trace *trace, uint32_t *at, struct making *making)
{
	uint32_t task = making->next;

	if (task > 50 && generator_random(&trace->dice, 40) == 0)
		task = 1 + (uint32_t)generator_random(&trace->dice, task - 1);
	else if (making->next < IDS - 1)
		making->next += generator_random(&trace->dice, 30) ? 1 : 2;
	put(trace, at, making, task, generator_random(&trace->dice, 4) ? EVENT_CREATE : EVENT_RUN);
	making->living[making->count++] = task;
}

static void end_life(struct trace *trace, uint32_t *at, struct making *making)
{
	/* The youngest most often. */
	uint32_t i = generator_random(&trace->dice, 5)
				     ? making->count - 1
				     : (uint32_t)generator_random(&trace->dice, making->count);

	put(trace, at, making, making->living[i], EVENT_EXIT);
	making->living[i] = making->living[--making->count];
}

static void some_event(struct trace *trace, uint32_t *at, struct making *making)
{
	uint32_t task = making->living[generator_random(&trace->dice, making->count)];

	if (generator_random(&trace->dice, 30) == 0)
		task = 1 + (uint32_t)generator_random(&trace->dice, making->next);
	switch (generator_random(&trace->dice, 8)) {
	case 0:
		put(trace, at, making, task, EVENT_CREATE); /* adopted, or a new life */
		break;
	case 1:
		if (generator_random(&trace->dice, 5) == 0)
			put(trace, at, making, task, EVENT_EXIT); /* perhaps a second time */
		break;
	case 2:
	case 3:
	case 4:
		put(trace, at, making, task, EVENT_BLOCK);
		break;
	default:
		put(trace, at, making, task, EVENT_UNBLOCK);
	}
}

static void make_events(struct trace *trace)
{
	struct making making = { .next = 1 };

	for (uint32_t at = 0; at < EVENTS;) {
		uint64_t throw = generator_random(&trace->dice, 10);

		if (making.count == 0 || (throw < 3 && making.count < LO_COUNT_OF(making.living)))
			begin_life(trace, &at, &making);
		else if (throw < 6)
			end_life(trace, &at, &making);
		else
			some_event(trace, &at, &making);
	}
}

static void write_trace(struct trace *trace, uint64_t seed, bool finish)
{
	struct trace_writer *writer;
	struct byte_sink *sink;
	uint64_t end_ns;

	memset(trace, 0, sizeof(*trace));
	trace->dice = seed;
	make_events(trace);
	end_ns = trace->events[EVENTS - 1].time_ns;
	assert_int_equal(byte_sink_open_buffer(&sink, &trace->file, NULL), LO_OK);
	assert_int_equal(trace_writer_open(&writer, sink, NULL), LO_OK);
	for (uint32_t at = 0; at < EVENTS; at++) {
		assert_int_equal(trace_writer_event(writer, &trace->events[at], NULL), LO_OK);
		if (at + 1 < EVENTS && generator_random(&trace->dice, 40) > 0)
			continue;
		assert_int_equal(trace_writer_flush(writer, NULL), LO_OK);
		trace->block_end[trace->block_count++] = at + 1;
		assert_true(trace->block_count < BLOCKS);
	}
	if (finish)
		assert_int_equal(trace_writer_finish(writer, end_ns, NULL), LO_OK);
	trace_writer_close(writer);
}

/* ---- the truth ---- */

static uint64_t block_begin(const struct trace *trace, uint32_t block)
{
	return block == 0 ? 0 : trace->events[trace->block_end[block - 1] - 1].time_ns;
}

static uint64_t block_end(const struct trace *trace, uint32_t block)
{
	return trace->events[trace->block_end[block] - 1].time_ns;
}

static bool is_short(const struct trace *trace, const struct true_life *life, uint32_t block)
{
	uint64_t length_ns = block_end(trace, block) - block_begin(trace, block);

	return life->birth + 1 >= block && life->death_ns - life->birth_ns < length_ns / 2;
}

/* The lives of the first `blocks` blocks. */
static void find_lives(struct trace *trace, uint32_t blocks)
{
	uint32_t open[IDS + 1] = { 0 }; /* life + 1 */
	bool exited[IDS + 1] = { false };

	trace->life_count = 0;
	for (uint32_t at = 0, block = 0; block < blocks; at++) {
		const struct event *event = &trace->events[at];
		uint32_t task = event->task;
		bool begins = event->kind == EVENT_CREATE || event->kind == EVENT_RUN;

		if (open[task] == 0 && (!exited[task] || begins)) {
			trace->lives[trace->life_count++] = (struct true_life){ event->time_ns,
				UINT64_MAX, task, block, false };
			open[task] = trace->life_count;
			exited[task] = false;
		}
		if (event->kind == EVENT_EXIT && open[task] != 0) {
			struct true_life *life = &trace->lives[open[task] - 1];

			life->death_ns = event->time_ns;
			life->is_short = is_short(trace, life, block);
			open[task] = 0;
			exited[task] = true;
		}
		if (at + 1 == trace->block_end[block])
			block++;
	}
}

enum presence {
	ABSENT,
	SHORT, /* all of its lives in the span are short */
	LONG
};

static uint32_t find_present(
		const struct trace *trace, struct time_span span, uint8_t present[IDS + 1])
{
	uint32_t total = 0;

	memset(present, ABSENT, IDS + 1);
	for (uint32_t i = 0; i < trace->life_count; i++) {
		const struct true_life *life = &trace->lives[i];

		if (life->birth_ns >= span.end_ns || life->death_ns < span.begin_ns)
			continue;
		total += present[life->task] == ABSENT;
		if (present[life->task] != LONG)
			present[life->task] = life->is_short ? SHORT : LONG;
	}
	return total;
}

/* ---- comparing ---- */

/* To the borders of the blocks that a span touches. */
static struct time_span to_blocks(const struct trace *trace, struct time_span span)
{
	struct time_span blocks = { UINT64_MAX, 0 };

	for (uint32_t block = 0; block < trace->block_count; block++) {
		if (block_begin(trace, block) >= span.end_ns ||
				block_end(trace, block) < span.begin_ns)
			continue;
		if (blocks.begin_ns == UINT64_MAX)
			blocks.begin_ns = block_begin(trace, block);
		blocks.end_ns = block_end(trace, block) + 1;
	}
	return blocks;
}

static void check_answer(struct trace *trace, const struct alive_query *query,
		const struct alive_tasks *alive)
{
	uint8_t present[IDS + 1];
	uint8_t nearly[IDS + 1]; /* in the same blocks */
	uint32_t total = find_present(trace, query->span, present);
	uint32_t at = 0;

	find_present(trace, to_blocks(trace, query->span), nearly);

	trace->exact += alive->exact;
	trace->bounds += !alive->exact;
	trace->without_short += alive->without_short;
	if (alive->exact)
		assert_int_equal(alive->total, total);
	assert_true(alive->total >= total);
	assert_true(alive->count <= query->limit);
	for (uint32_t id = query->from; id <= IDS && at < query->limit; id++) {
		bool listed = at < alive->count && alive->tasks[at] == id;

		if (present[id] == LONG || (present[id] == SHORT && !alive->without_short))
			assert_true(listed);
		if (listed)
			assert_int_not_equal(alive->exact ? present[id] : nearly[id], ABSENT);
		at += listed;
	}
	assert_int_equal(at, alive->count);
}

static struct alive_query random_query(struct trace *trace)
{
	static const uint64_t lengths[] = { 1, 100, 1000, 10000, 1000000 };
	uint64_t end_ns = trace->events[EVENTS - 1].time_ns + 100;
	uint64_t begin_ns = generator_random(&trace->dice, end_ns);
	uint64_t length_ns = lengths[generator_random(&trace->dice, LO_COUNT_OF(lengths))];
	struct alive_query query = { { begin_ns, begin_ns + length_ns }, 0, UINT32_MAX };

	if (generator_random(&trace->dice, 3) == 0)
		query.from = (uint32_t)generator_random(&trace->dice, IDS);
	if (generator_random(&trace->dice, 2) == 0)
		query.limit = (uint32_t)generator_random(&trace->dice, 100);
	return query;
}

static struct trace_reader *open_trace(const struct trace *trace)
{
	struct byte_source *source;
	struct trace_reader *reader;

	assert_int_equal(
			byte_source_open_memory(&source, trace->file.bytes, trace->file.size, NULL),
			LO_OK);
	assert_int_equal(trace_reader_open(&reader, source, NULL, NULL), LO_OK);
	return reader;
}

static void check_queries(struct trace *trace, unsigned count)
{
	struct trace_reader *reader = open_trace(trace);

	for (unsigned i = 0; i < count; i++) {
		struct alive_query query = random_query(trace);
		struct alive_tasks alive;

		if (i == 0)
			query = (struct alive_query){ TIME_SPAN_ALL, 0, UINT32_MAX };
		assert_int_equal(trace_alive_in(&alive, reader, &query, NULL, NULL), LO_OK);
		assert_false(alive.uncertain);
		check_answer(trace, &query, &alive);
		alive_tasks_release(&alive);
	}
	trace_reader_close(reader);
}

static struct trace trace;

static void those_alive_are_found_in_any_span(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		write_trace(&trace, seed, true);
		find_lives(&trace, trace.block_count);
		check_queries(&trace, 300);
		assert_true(trace.exact > 20 && trace.bounds > 20 && trace.without_short > 20);
		byte_buffer_release(&trace.file);
	}
}

/* Blocks that are whole in what is left. */
static uint32_t cut_file(void)
{
	struct trace_reader *reader = open_trace(&trace);
	struct trace_section section;
	uint32_t keep = trace_reader_section_count(reader);
	uint32_t blocks = 0;

	keep -= (uint32_t)generator_random(&trace.dice, keep / 2);
	for (uint32_t i = 0; i < keep; i++) {
		assert_true(trace_reader_section(reader, i, &section));
		blocks += strcmp(section.name, "block") == 0;
	}
	trace.file.size = section.offset + section.bytes;
	trace_reader_close(reader);
	return blocks;
}

static void a_cut_trace_is_asked_in_the_same_way(void **state)
{
	(void)state;
	for (uint64_t seed = 11; seed <= 16; seed++) {
		write_trace(&trace, seed, seed % 2 == 0);
		find_lives(&trace, cut_file());
		check_queries(&trace, 100);
		byte_buffer_release(&trace.file);
	}
}

static void harm(const char *name, unsigned one_in)
{
	struct trace_reader *reader = open_trace(&trace);
	struct trace_section section;

	for (uint32_t i = 0; trace_reader_section(reader, i, &section); i++)
		if (strcmp(section.name, name) == 0 && generator_random(&trace.dice, one_in) == 0)
			trace.file.bytes[section.offset + section.bytes - 1] ^= 1;
	trace_reader_close(reader);
}

static void lost_lives_are_found_in_the_events(void **state)
{
	(void)state;
	write_trace(&trace, 21, true);
	find_lives(&trace, trace.block_count);
	harm("lives", 4);
	check_queries(&trace, 60);
	byte_buffer_release(&trace.file);
	write_trace(&trace, 22, true);
	find_lives(&trace, trace.block_count);
	harm("lives", 1);
	harm("snapshot", 1);
	check_queries(&trace, 20);
	byte_buffer_release(&trace.file);
}

/* Without its index, and with a hole where lives were, a scan cannot know what is missing. */
static void lost_headers_of_lives_are_noticed(void **state)
{
	struct trace_reader *reader;
	struct trace_section section;
	struct alive_tasks alive;
	struct alive_query query = { TIME_SPAN_ALL, 0, UINT32_MAX };
	uint8_t present[IDS + 1];

	(void)state;
	write_trace(&trace, 31, true);
	find_lives(&trace, trace.block_count);
	harm("locator", 1);
	reader = open_trace(&trace);
	for (uint32_t i = 0; trace_reader_section(reader, i, &section); i++)
		if (strcmp(section.name, "lives") == 0)
			trace.file.bytes[section.offset + 60] ^= 1;
	trace_reader_close(reader);
	reader = open_trace(&trace);
	assert_int_equal(trace_alive_in(&alive, reader, &query, NULL, NULL), LO_OK);
	assert_int_equal(alive.total, find_present(&trace, query.span, present));
	assert_true(alive.exact);
	assert_true(alive.uncertain); /* it may have been a block */
	alive_tasks_release(&alive);
	trace_reader_close(reader);
	byte_buffer_release(&trace.file);
}

static bool stop(void *context, uint64_t done, uint64_t total)
{
	(void)context;
	(void)done;
	(void)total;
	return false;
}

static void a_long_search_can_be_stopped(void **state)
{
	struct progress progress = { stop, NULL };
	struct alive_query query = { TIME_SPAN_ALL, 0, 10 };
	struct trace_reader *reader;
	struct alive_tasks alive;

	(void)state;
	write_trace(&trace, 41, true);
	harm("lives", 1);
	reader = open_trace(&trace);
	assert_int_equal(trace_alive_in(&alive, reader, &query, &progress, NULL), LO_CANCELLED);
	alive_tasks_release(&alive);
	trace_reader_close(reader);
	byte_buffer_release(&trace.file);
}

static void an_empty_span_has_nobody(void **state)
{
	struct alive_query query = { { 500, 500 }, 0, 10 };
	struct trace_reader *reader;
	struct alive_tasks alive;

	(void)state;
	write_trace(&trace, 51, true);
	reader = open_trace(&trace);
	assert_int_equal(trace_alive_in(&alive, reader, &query, NULL, NULL), LO_OK);
	assert_int_equal(alive.count, 0);
	assert_int_equal(alive.total, 0);
	alive_tasks_release(&alive);
	query = (struct alive_query){ TIME_SPAN_ALL, UINT32_MAX, 10 };
	assert_int_equal(trace_alive_in(&alive, reader, &query, NULL, NULL), LO_OK);
	assert_int_equal(alive.count, 0);
	assert_true(alive.total > 0);
	alive_tasks_release(&alive);
	trace_reader_close(reader);
	byte_buffer_release(&trace.file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_alive_are_found_in_any_span),
		cmocka_unit_test(a_cut_trace_is_asked_in_the_same_way),
		cmocka_unit_test(lost_lives_are_found_in_the_events),
		cmocka_unit_test(lost_headers_of_lives_are_noticed),
		cmocka_unit_test(a_long_search_can_be_stopped),
		cmocka_unit_test(an_empty_span_has_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
