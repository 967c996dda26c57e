#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/byte_sink.h"
#include "formats/base/macros.h"
#include "formats/model/object.h"
#include "formats/native/trace_states.h"
#include "formats/native/trace_writer.h"
#include "tests/support/event_generator.h"

/*
 * States at any time against a replay written as plainly as can be: all events in one array, an
 * array of all ids, every question answered from the first event on.
 */
#define IDS        300u
#define BLOCK_ROWS 64u
#define BLOCKS     500u
#define EVENTS     (BLOCKS * BLOCK_ROWS)
#define STACKS     5u

struct truth_task {
	uint8_t state; /* enum live_state */
	uint8_t reason;
	uint32_t began; /* event that began the state */
};

struct trace {
	struct event events[EVENTS];
	struct byte_buffer file;
	bool lost[BLOCKS];         /* blocks that are damaged */
	bool has_snapshot[BLOCKS]; /* a sound one stands behind the block */
	bool has_lost;
	uint32_t told; /* beginnings of states that were found, and that were not */
	uint32_t untold;
	uint64_t dice;
};

static void truth_step(struct truth_task *task, const struct event *events, uint32_t at)
{
	const struct event *event = &events[at];
	bool begins = event->kind == EVENT_CREATE || event->kind == EVENT_RUN;
	bool alive = task->state == LIVE_ACTIVE || task->state == LIVE_BLOCKED;

	if (task->state == LIVE_EXITED && !begins)
		return;
	if (!alive)
		*task = (struct truth_task){ LIVE_ACTIVE, 0, at };
	if (event->kind == EVENT_BLOCK)
		*task = (struct truth_task){ LIVE_BLOCKED, event->reason, at };
	if (event->kind == EVENT_EXIT)
		*task = (struct truth_task){ LIVE_EXITED, 0, at };
	if ((event->kind == EVENT_RUN || event->kind == EVENT_UNBLOCK) &&
			task->state == LIVE_BLOCKED)
		*task = (struct truth_task){ LIVE_ACTIVE, 0, at };
}

/*
 * The states before `time_ns` as a reader can know them: events of lost blocks are missing until a
 * snapshot tells what they did.
 */
static void find_truth(const struct trace *trace, uint64_t time_ns, struct truth_task known[IDS])
{
	struct truth_task all[IDS];

	memset(all, 0, sizeof(all));
	memset(known, 0, IDS * sizeof(*known));
	for (uint32_t block = 0; block < BLOCKS; block++) {
		for (uint32_t at = block * BLOCK_ROWS; at < (block + 1) * BLOCK_ROWS; at++) {
			if (trace->events[at].time_ns >= time_ns)
				return;
			truth_step(&all[trace->events[at].task], trace->events, at);
			if (!trace->lost[block])
				truth_step(&known[trace->events[at].task], trace->events, at);
		}
		/* One that ends with an event of this very time is not used. */
		if (trace->has_snapshot[block])
			memcpy(known, all, sizeof(all));
	}
}

static struct event random_event(uint64_t *dice, uint64_t time_ns)
{
	static const uint8_t kinds[] = { EVENT_CREATE, EVENT_RUN, EVENT_BLOCK, EVENT_BLOCK,
		EVENT_BLOCK, EVENT_UNBLOCK, EVENT_UNBLOCK, EVENT_UNBLOCK, EVENT_EXIT };
	/* Ids come up as time goes by; a few are left out for ever. */
	uint32_t limit = 2 + (uint32_t)(time_ns * (IDS - 2) / (EVENTS + 1));
	struct event event = { .time_ns = time_ns,
		.task = 1 + (uint32_t)generator_random(dice, limit - 1),
		.kind = kinds[generator_random(dice, LO_COUNT_OF(kinds))] };

	if (event.task % 50 == 7)
		event.task++;
	if (event.kind == EVENT_BLOCK || event.kind == EVENT_CREATE)
		event.stack = 1 + (uint32_t)generator_random(dice, STACKS);
	if (event.kind == EVENT_BLOCK) {
		event.reason = (uint8_t)(1 + generator_random(dice, 5));
		event.object = generator_random(dice, 9);
		event.object_kind = OBJECT_MUTEX;
	}
	return event;
}

static void write_trace(struct trace *trace, uint64_t seed)
{
	struct trace_writer *writer;
	struct byte_sink *sink;
	uint32_t parent = STACK_NONE;
	uint32_t frame;
	uint64_t now_ns = 0;

	*trace = (struct trace){ .dice = seed };
	assert_int_equal(byte_sink_open_buffer(&sink, &trace->file, NULL), LO_OK);
	assert_int_equal(trace_writer_open(&writer, sink, NULL), LO_OK);
	for (uint64_t i = 0; i < STACKS; i++) {
		trace_writer_frame(writer, (struct frame){ i, MODULE_NONE }, &frame, NULL);
		trace_writer_stack(writer, parent, frame, &parent, NULL);
	}
	for (uint32_t at = 0; at < EVENTS; at++) {
		now_ns += generator_random(&trace->dice, 3); /* often two at one time */
		trace->events[at] = random_event(&trace->dice, now_ns);
		assert_int_equal(trace_writer_event(writer, &trace->events[at], NULL), LO_OK);
		if (at % BLOCK_ROWS == BLOCK_ROWS - 1)
			assert_int_equal(trace_writer_flush(writer, NULL), LO_OK);
	}
	assert_int_equal(trace_writer_finish(writer, now_ns, NULL), LO_OK);
	trace_writer_close(writer);
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

/* Calls `visit` with each section from the first block on, and the number of the last block. */
static void for_each_section(struct trace *trace,
		void (*visit)(struct trace *trace, const struct trace_section *section,
				uint32_t block))
{
	struct trace_reader *reader = open_trace(trace);
	struct trace_section section;
	uint32_t blocks = 0;

	for (uint32_t i = 0; trace_reader_section(reader, i, &section); i++) {
		if (strcmp(section.name, "block") == 0)
			blocks++;
		if (blocks > 0)
			visit(trace, &section, blocks - 1);
	}
	trace_reader_close(reader);
}

static void find_snapshot(struct trace *trace, const struct trace_section *section, uint32_t block)
{
	if (strcmp(section->name, "snapshot") == 0)
		trace->has_snapshot[block] = true;
}

static void check_state(struct trace *trace, struct trace_reader *reader, uint64_t time_ns,
		const struct task_state_at *state, const struct truth_task *truth)
{
	struct event event;
	uint32_t block = truth->began / BLOCK_ROWS;
	enum lo_result result;

	assert_int_equal(state->state, truth->state);
	assert_int_equal(state->reason, truth->reason);
	if (state->state != LIVE_ACTIVE && state->state != LIVE_BLOCKED)
		return;
	result = trace_state_began(reader, state, time_ns, &event, NULL);
	trace->told += result == LO_OK;
	trace->untold += result == LO_END;
	if (trace->lost[block])
		assert_int_equal(result, LO_END);
	/* What was lost before may leave open which of two events it was. */
	if (trace->has_lost && result == LO_END)
		return;
	assert_int_equal(result, LO_OK);
	assert_memory_equal(&event, &trace->events[truth->began], sizeof(event));
}

static void check_all(struct trace *trace, struct trace_reader *reader, uint64_t time_ns,
		const struct truth_task truth[IDS])
{
	struct trace_states states;
	uint32_t at = 0;

	assert_int_equal(trace_states_at(&states, reader, time_ns, NULL, NULL), LO_OK);
	for (uint32_t id = 1; id < IDS; id++) {
		if (truth[id].state != LIVE_ACTIVE && truth[id].state != LIVE_BLOCKED)
			continue;
		assert_true(at < states.count);
		assert_int_equal(states.tasks[at].task, id);
		check_state(trace, reader, time_ns, &states.tasks[at++], &truth[id]);
	}
	assert_int_equal(at, states.count);
	trace_states_release(&states);
}

static void check_some(struct trace *trace, struct trace_reader *reader, uint64_t time_ns,
		const struct truth_task truth[IDS])
{
	uint32_t tasks[IDS];
	struct task_state_at states[IDS];
	uint32_t count = 0;

	for (uint32_t id = 1; id < IDS; id++)
		if (generator_random(&trace->dice, 20) == 0)
			tasks[count++] = id;
	assert_int_equal(trace_states_of(reader, time_ns, tasks, count, states, NULL, NULL, NULL),
			LO_OK);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(states[i].task, tasks[i]);
		check_state(trace, reader, time_ns, &states[i], &truth[tasks[i]]);
	}
}

static void check_times(struct trace *trace, uint32_t times)
{
	struct trace_reader *reader = open_trace(trace);
	uint64_t end_ns = trace->events[EVENTS - 1].time_ns + 2;
	struct truth_task truth[IDS];

	for (uint32_t i = 0; i < times; i++) {
		uint64_t time_ns = i == 0   ? 0
				   : i == 1 ? UINT64_MAX
					    : generator_random(&trace->dice, end_ns);

		/* Every other one at the edge of a block. */
		if (i > 1 && i % 2)
			time_ns = trace->events[time_ns % BLOCKS * BLOCK_ROWS].time_ns;
		find_truth(trace, time_ns, truth);
		check_all(trace, reader, time_ns, truth);
		check_some(trace, reader, time_ns, truth);
	}
	trace_reader_close(reader);
}

static void states_are_those_of_a_plain_replay(void **state)
{
	static struct trace trace;

	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		uint32_t snapshots = 0;

		write_trace(&trace, seed);
		for_each_section(&trace, find_snapshot);
		for (uint32_t block = 0; block < BLOCKS; block++)
			snapshots += trace.has_snapshot[block];
		assert_true(snapshots > 5 && snapshots < BLOCKS / 2);
		check_times(&trace, 100);
		byte_buffer_release(&trace.file);
	}
}

static void harm_last_byte(struct trace *trace, const struct trace_section *section)
{
	trace->file.bytes[section->offset + section->bytes - 1] ^= 0x10;
}

static void harm_snapshot(struct trace *trace, const struct trace_section *section, uint32_t block)
{
	if (strcmp(section->name, "snapshot") == 0) {
		trace->has_snapshot[block] = generator_random(&trace->dice, 3) == 0;
		if (!trace->has_snapshot[block])
			harm_last_byte(trace, section);
	}
}

static void harm_every_snapshot(
		struct trace *trace, const struct trace_section *section, uint32_t block)
{
	trace->has_snapshot[block] = false;
	if (strcmp(section->name, "snapshot") == 0)
		harm_last_byte(trace, section);
}

static void lost_snapshots_cost_nothing_but_time(void **state)
{
	static struct trace trace;

	(void)state;
	write_trace(&trace, 11);
	for_each_section(&trace, harm_snapshot);
	check_times(&trace, 60);
	byte_buffer_release(&trace.file);
	write_trace(&trace, 12);
	for_each_section(&trace, harm_every_snapshot);
	check_times(&trace, 10);
	byte_buffer_release(&trace.file);
}

static void harm_some_blocks(
		struct trace *trace, const struct trace_section *section, uint32_t block)
{
	find_snapshot(trace, section, block);
	if (strcmp(section->name, "block") != 0 || generator_random(&trace->dice, 15) != 0)
		return;
	trace->lost[block] = true;
	harm_last_byte(trace, section);
}

static void a_snapshot_tells_what_lost_blocks_did(void **state)
{
	static struct trace trace;

	(void)state;
	write_trace(&trace, 21);
	for_each_section(&trace, harm_some_blocks);
	trace.has_lost = true;
	check_times(&trace, 100);
	assert_true(trace.untold < trace.told / 5);
	byte_buffer_release(&trace.file);
}

static void harm_headers(struct trace *trace, const struct trace_section *section, uint32_t block)
{
	find_snapshot(trace, section, block);
	if (strcmp(section->name, "locator") == 0)
		trace->file.bytes[section->offset + 20] ^= 1;
	if (strcmp(section->name, "block") != 0 || generator_random(&trace->dice, 15) != 0)
		return;
	trace->lost[block] = true;
	trace->file.bytes[section->offset + 50] ^= 1;
}

static void without_an_index_and_with_lost_headers_states_are_right(void **state)
{
	static struct trace trace;

	(void)state;
	write_trace(&trace, 31);
	for_each_section(&trace, harm_headers);
	trace.has_lost = true;
	check_times(&trace, 100);
	assert_true(trace.untold < trace.told / 5);
	byte_buffer_release(&trace.file);
}

static bool is_uncertain(struct trace_reader *reader, uint64_t time_ns)
{
	struct trace_states states;
	bool uncertain;

	assert_int_equal(trace_states_at(&states, reader, time_ns, NULL, NULL), LO_OK);
	uncertain = states.uncertain;
	trace_states_release(&states);
	return uncertain;
}

static void harm_one_block(struct trace *trace, const struct trace_section *section, uint32_t block)
{
	find_snapshot(trace, section, block);
	if (strcmp(section->name, "block") == 0 && block == BLOCKS / 2) {
		trace->lost[block] = true;
		harm_last_byte(trace, section);
	}
}

static void a_lost_block_makes_uncertain_up_to_the_next_snapshot(void **state)
{
	static struct trace trace;
	struct trace_reader *reader;
	uint32_t block = BLOCKS / 2;
	uint32_t healed = block;

	(void)state;
	write_trace(&trace, 41);
	for_each_section(&trace, harm_one_block);
	while (!trace.has_snapshot[healed])
		healed++;
	reader = open_trace(&trace);
	assert_false(is_uncertain(reader, trace.events[block * BLOCK_ROWS].time_ns - 2));
	if (healed > block)
		assert_true(is_uncertain(reader, trace.events[(block + 1) * BLOCK_ROWS].time_ns));
	assert_false(is_uncertain(reader, trace.events[(healed + 1) * BLOCK_ROWS].time_ns + 2));
	trace_reader_close(reader);
	byte_buffer_release(&trace.file);
}

static bool stop_at_third(void *context, uint64_t done, uint64_t total)
{
	(void)done;
	(void)total;
	return ++*(unsigned *)context < 3;
}

static void a_long_replay_can_be_stopped(void **state)
{
	static struct trace trace;
	struct trace_reader *reader;
	struct trace_states states;
	unsigned steps = 0;
	struct progress progress = { stop_at_third, &steps };

	(void)state;
	write_trace(&trace, 51);
	for_each_section(&trace, harm_every_snapshot);
	reader = open_trace(&trace);
	assert_int_equal(trace_states_at(&states, reader, UINT64_MAX, &progress, NULL),
			LO_CANCELLED);
	assert_int_equal(steps, 3);
	trace_states_release(&states);
	trace_reader_close(reader);
	byte_buffer_release(&trace.file);
}

static void snapshots_take_a_fiftieth_of_the_events(void **state)
{
	static struct trace trace;
	struct trace_reader *reader;
	struct trace_section section;
	uint64_t events = 0;
	uint64_t snapshots = 0;

	(void)state;
	write_trace(&trace, 61);
	reader = open_trace(&trace);
	for (uint32_t i = 0; trace_reader_section(reader, i, &section); i++) {
		events += strcmp(section.name, "block") == 0 ? section.bytes : 0;
		snapshots += strcmp(section.name, "snapshot") == 0 ? section.bytes : 0;
	}
	/* The last one may be larger than was expected. */
	assert_in_range(snapshots, events / 100, events / 50 + 200);
	trace_reader_close(reader);
	byte_buffer_release(&trace.file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_are_those_of_a_plain_replay),
		cmocka_unit_test(lost_snapshots_cost_nothing_but_time),
		cmocka_unit_test(a_snapshot_tells_what_lost_blocks_did),
		cmocka_unit_test(without_an_index_and_with_lost_headers_states_are_right),
		cmocka_unit_test(a_lost_block_makes_uncertain_up_to_the_next_snapshot),
		cmocka_unit_test(a_long_replay_can_be_stopped),
		cmocka_unit_test(snapshots_take_a_fiftieth_of_the_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
