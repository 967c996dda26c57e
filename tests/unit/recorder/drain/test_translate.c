#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/limits.h"
#include "formats/model/object.h"
#include "formats/model/reason.h"
#include "tests/support/pipeline.h"
#include "tests/support/task_row.h"

#define NO_SUCH_PID 0x7ffffff0u
#define MODULE_AT   0x400000u

static struct pipeline pipeline;

static int set_up(void **state)
{
	(void)state;
	pipeline_init(&pipeline);
	pipeline_process(&pipeline, 0, NO_SUCH_PID, 100);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	pipeline_release(&pipeline);
	return 0;
}

static void run(uint32_t ring, uint64_t time, uint32_t tid)
{
	pipeline_push(&pipeline, ring,
			(struct event){ .kind = EVENT_RUN, .time_ns = time, .object = tid });
}

static void create(uint32_t ring, uint64_t time, uint32_t task)
{
	pipeline_push(&pipeline, ring,
			(struct event){ .kind = EVENT_CREATE, .time_ns = time, .task = task });
}

static void block(uint32_t ring, uint64_t time, uint64_t mutex, uint32_t holder)
{
	pipeline_push(&pipeline, ring,
			(struct event){ .kind = EVENT_BLOCK,
					.time_ns = time,
					.reason = REASON_MUTEX_LOCK,
					.object_kind = OBJECT_MUTEX,
					.object = mutex,
					.peer = holder });
}

static void unblock(uint32_t ring, uint64_t time, uint32_t waker)
{
	pipeline_push(&pipeline, ring,
			(struct event){ .kind = EVENT_UNBLOCK, .time_ns = time, .peer = waker });
}

static void leave(uint32_t ring, uint64_t time)
{
	pipeline_push(&pipeline, ring, (struct event){ .kind = EVENT_EXIT, .time_ns = time });
}

static void name(uint32_t ring, uint64_t time, uint32_t task, const char *text)
{
	struct event record = { .kind = RING_EVENT_NAME, .time_ns = time, .stack = task };
	char padded[RING_EVENT_NAME_BYTES] = "";

	memcpy(padded, text, strnlen(text, sizeof(padded)));
	memcpy((char *)&record + offsetof(struct event, object), padded, sizeof(padded));
	pipeline_push(&pipeline, ring, record);
}

static const char *task_name(uint32_t id)
{
	struct task_info task;

	if (!trace_reader_task(pipeline.reader, id, &task))
		return NULL;
	return trace_reader_string(pipeline.reader, task.name, NULL);
}

static void a_plain_story_comes_through_as_it_was(void **state)
{
	uint32_t first = pipeline_ring(&pipeline, 0, 1, 10);
	uint32_t second = pipeline_ring(&pipeline, 0, 2, 11);

	(void)state;
	run(first, 0, 10);
	create(first, 10, 2);
	run(second, 20, 11);
	block(second, 30, 0x1000, 1);
	unblock(second, 40, 1);
	leave(second, 50);
	leave(first, 60);
	assert_string_equal(pipeline_finish(&pipeline), "run 1\n"
							"create 2 by 1\n"
							"run 2\n"
							"block 2 mutex lock mutex 1000 by 1\n"
							"unblock 2 by 1\n"
							"exit 2\n"
							"exit 1\n");
	assert_int_equal(task_row(pipeline.reader, 1).tid, 10);
	assert_int_equal(task_row(pipeline.reader, 1).flags, TASK_FLAG_MAIN);
	assert_int_equal(task_row(pipeline.reader, 2).tid, 11);
	assert_int_equal(task_row(pipeline.reader, 2).flags, 0);
}

static void a_task_that_begins_in_the_middle_is_said_to_exist(void **state)
{
	uint32_t ring = pipeline_ring(&pipeline, 0, 7, 10);

	(void)state;
	block(ring, 0, 0x1000, 0);
	assert_string_equal(pipeline_finish(&pipeline), "run 1 flags 1\n"
							"block 1 mutex lock mutex 1000\n");
	assert_int_equal(task_row(pipeline.reader, 1).tid, 10);
}

static void a_created_task_whose_run_was_lost_runs_before_it_blocks(void **state)
{
	uint32_t first = pipeline_ring(&pipeline, 0, 1, 10);
	uint32_t second = pipeline_ring(&pipeline, 0, 2, 11);

	(void)state;
	run(first, 0, 10);
	create(first, 10, 2);
	block(second, 20, 0x1000, 0);
	assert_string_equal(pipeline_finish(&pipeline), "run 1\n"
							"create 2 by 1\n"
							"run 2\n"
							"block 2 mutex lock mutex 1000\n");
}

static void lost_ends_of_waits_are_put_in(void **state)
{
	uint32_t ring = pipeline_ring(&pipeline, 0, 1, 10);

	(void)state;
	run(ring, 0, 10);
	block(ring, 10, 0x1000, 0);
	block(ring, 20, 0x2000, 0);
	leave(ring, 30);
	assert_string_equal(pipeline_finish(&pipeline), "run 1\n"
							"block 1 mutex lock mutex 1000\n"
							"unblock 1\n"
							"block 1 mutex lock mutex 2000\n"
							"unblock 1\n"
							"exit 1\n");
}

static void what_does_not_fit_is_left_out_and_counted(void **state)
{
	uint32_t first = pipeline_ring(&pipeline, 0, 1, 10);
	uint32_t second = pipeline_ring(&pipeline, 0, 2, 11);

	(void)state;
	run(first, 0, 10);
	unblock(first, 10, 0); /* it was not blocked */
	run(first, 20, 10);    /* it runs already */
	run(second, 25, 11);
	create(first, 30, 2);   /* so does task 2 */
	create(first, 32, 0);   /* no number */
	create(first, 34, 101); /* a number that was never given out */
	leave(first, 40);
	block(first, 50, 0x1000, 0); /* it has ended */
	leave(first, 60);
	assert_string_equal(pipeline_finish(&pipeline), "run 1\n"
							"run 2\n"
							"exit 1\n"
							"lost 7 record refused\n");
}

static void nobody_creates_itself(void **state)
{
	uint32_t ring = pipeline_ring(&pipeline, 0, 3, 10);

	(void)state;
	create(ring, 0, 3);
	assert_string_equal(pipeline_finish(&pipeline), "run 1 flags 1\n"
							"lost 1 record refused\n");
}

static void after_losses_in_the_ring_the_leftovers_count_as_lost_there(void **state)
{
	uint32_t ring = pipeline_ring(&pipeline, 0, 1, 10);

	(void)state;
	run(ring, 0, 10);
	pipeline_pump(&pipeline, false);
	pipeline.owner.segment->rings[ring].lost[RING_LOSS_FULL] = 5;
	unblock(ring, 10, 0);
	assert_string_equal(pipeline_finish(&pipeline), "run 1\n"
							"lost 6 ring full\n");
}

static void records_without_sense_are_refused_or_lose_the_bad_member(void **state)
{
	uint32_t ring = pipeline_ring(&pipeline, 0, 1, 10);

	(void)state;
	run(ring, 0, 10);
	pipeline_push(&pipeline, ring, (struct event){ .kind = EVENT_KIND_COUNT, .time_ns = 1 });
	pipeline_push(&pipeline, ring, (struct event){ .kind = 0xfd, .time_ns = 2 });
	pipeline_push(&pipeline, ring,
			(struct event){ .kind = EVENT_BLOCK,
					.time_ns = 3,
					.reason = REASON_COUNT,
					.object_kind = OBJECT_KIND_COUNT,
					.object = 77,
					.peer = 4000000000u,
					.stack = STACK_WORDS,
					.flags = 0xff });
	pipeline_push(&pipeline, ring,
			(struct event){ .kind = EVENT_UNBLOCK,
					.time_ns = 4,
					.peer = 101,
					.flags = 0x7f });
	/* flags: timed, signalled before, stack cut; then timed out, interrupted */
	assert_string_equal(pipeline_finish(&pipeline), "run 1\n"
							"block 1 unknown flags 1c\n"
							"unblock 1 flags 22\n"
							"lost 2 record refused\n");
}

static void kernel_thread_ids_become_tasks(void **state)
{
	uint32_t first = pipeline_ring(&pipeline, 0, 1, 10);
	uint32_t second = pipeline_ring(&pipeline, 0, 2, 4194300);

	(void)state;
	run(first, 0, 10);
	run(second, 5, 4194300);
	pipeline_push(&pipeline, first,
			(struct event){ .kind = EVENT_BLOCK,
					.time_ns = 10,
					.reason = REASON_MUTEX_LOCK,
					.peer = 4194300,
					.flags = EVENT_FLAG_PEER_IS_TID });
	pipeline_push(&pipeline, first,
			(struct event){ .kind = EVENT_UNBLOCK,
					.time_ns = 20,
					.peer = 999999,
					.flags = EVENT_FLAG_PEER_IS_TID });
	assert_string_equal(pipeline_finish(&pipeline), "run 1\n"
							"run 2\n"
							"block 1 mutex lock by 2\n"
							"unblock 1\n");
}

static void a_join_names_the_task_even_before_its_first_event(void **state)
{
	uint32_t first = pipeline_ring(&pipeline, 0, 1, 10);
	uint32_t second = pipeline_ring(&pipeline, 0, 42, 11);

	(void)state;
	run(first, 0, 10);
	pipeline_push(&pipeline, first,
			(struct event){ .kind = EVENT_BLOCK,
					.time_ns = 10,
					.reason = REASON_JOIN,
					.object_kind = OBJECT_TASK,
					.object = 42,
					.peer = 42 });
	run(second, 20, 11);
	assert_string_equal(pipeline_finish(&pipeline), "run 1\n"
							"block 1 join task 2 by 2\n"
							"run 2\n");
}

static void names_go_to_the_task_meant_and_are_inherited(void **state)
{
	uint32_t first = pipeline_ring(&pipeline, 0, 1, 10);
	uint32_t second = pipeline_ring(&pipeline, 0, 2, 11);
	uint32_t third = pipeline_ring(&pipeline, 0, 3, 12);

	(void)state;
	run(first, 0, 10);
	name(first, 1, 0, "boss");
	create(first, 2, 2);
	run(second, 3, 11);
	create(second, 4, 3);
	name(first, 5, 3, "sixteen bytes!!!");
	run(third, 6, 12);
	create(third, 7, 4); /* never runs */
	name(third, 8, 200, "nobody");
	assert_non_null(strstr(pipeline_finish(&pipeline), "lost 1 record refused\n"));
	assert_string_equal(task_name(1), "boss");
	assert_string_equal(task_name(2), "boss");
	assert_string_equal(task_name(3), "sixteen bytes!!!");
	assert_string_equal(task_name(4), "sixteen bytes!!!");
}

/* With long strings while there is room for them, then with shorter ones. */
static void fill_string_table(void)
{
	static char text[LIMIT_STRING_LENGTH];
	uint32_t length = sizeof(text);

	for (uint32_t i = 1; length >= sizeof(i); i++) {
		struct lo_error err;
		uint32_t id;

		memcpy(text, &i, sizeof(i));
		if (trace_writer_string(pipeline.writer, text, length, &id, &err) != LO_OK)
			length /= 2;
	}
}

static void a_name_that_has_no_room_in_the_file_is_done_without(void **state)
{
	uint32_t ring = pipeline_ring(&pipeline, 0, 1, 10);

	(void)state;
	run(ring, 0, 10);
	name(ring, 10, 0, "fits");
	pipeline_pump(&pipeline, false);
	while (pipeline.stream.translator.tasks.next_id < 2)
		pipeline_pump(&pipeline, false);
	fill_string_table();
	name(ring, 20, 0, "does not fit");
	block(ring, 30, 0x1000, 0);
	assert_string_equal(pipeline_finish(&pipeline), "run 1\n"
							"block 1 mutex lock mutex 1000\n");
	assert_string_equal(task_name(1), "fits");
}

static void add_module(uint32_t i, uint64_t begin, uint64_t bias, uint64_t time, const char *path)
{
	struct process_slot *slot = &pipeline.owner.segment->processes[0];
	struct segment_module *module = &slot->modules[i];

	module->begin = begin;
	module->end = begin + 0x1000;
	module->bias = bias;
	module->time = time;
	snprintf(module->path, sizeof(module->path), "%s", path);
	module->ready = 1;
	slot->module_count = i + 1;
}

static void block_at(uint32_t ring, uint64_t time, uint32_t stack)
{
	pipeline_push(&pipeline, ring,
			(struct event){ .kind = EVENT_BLOCK,
					.time_ns = time,
					.reason = REASON_SLEEP,
					.stack = stack });
	unblock(ring, time, 0);
}

static void stacks_are_offsets_in_the_files_that_were_loaded_then(void **state)
{
	static const uint64_t addresses[] = { MODULE_AT + 0x10, 0x99999, MODULE_AT + 0x2020 };
	uint32_t ring = pipeline_ring(&pipeline, 0, 1, 10);
	const struct stack_table *stacks;
	struct frame frame;

	(void)state;
	add_module(0, MODULE_AT, MODULE_AT - 0x100, 0, "/opt/old-plugin.so");
	add_module(1, MODULE_AT + 0x2000, MODULE_AT, 0, "/usr/lib/libthing.so");
	/* Another file at the place of the first, from one second on. */
	add_module(2, MODULE_AT, MODULE_AT, pipeline.base + 1000000, "/opt/new-plugin.so");
	run(ring, 0, 10);
	block_at(ring, 10, pipeline_stack(&pipeline, 0, 1, 3, addresses));
	block_at(ring, 2000000, pipeline_stack(&pipeline, 0, 50, 3, addresses));
	assert_string_equal(pipeline_finish(&pipeline), "run 1\n"
							"block 1 sleep at 110 99999 2020\n"
							"unblock 1\n"
							"block 1 sleep at 10 99999 2020\n"
							"unblock 1\n");
	stacks = trace_reader_stacks(pipeline.reader);
	assert_int_equal(stack_table_frame_count(stacks), 4);
	frame = stack_table_get_frame(stacks, 1); /* the root of the first stack */
	assert_string_equal(
			trace_reader_string(pipeline.reader,
					trace_reader_module(pipeline.reader, frame.module)->path,
					NULL),
			"/usr/lib/libthing.so");
	assert_int_equal(trace_reader_module(pipeline.reader, frame.module)->flags,
			MODULE_FLAG_SYSTEM);
	assert_int_equal(stack_table_get_frame(stacks, 2).module, MODULE_NONE);
}

static void hostile_stacks_are_no_stacks(void **state)
{
	struct segment_stacks *stacks = &pipeline.owner.segment->processes[0].stacks;
	uint32_t ring = pipeline_ring(&pipeline, 0, 1, 10);

	(void)state;
	stacks->words[1] = STACK_DEPTH_MAX + 1;
	stacks->words[2] = 0xffff;
	stacks->words[STACK_WORDS - 1] = 1; /* the frame would lie behind the arena */
	run(ring, 0, 10);
	block_at(ring, 1, 1);
	block_at(ring, 2, 2);
	block_at(ring, 3, STACK_WORDS - 1);
	block_at(ring, 4, UINT32_MAX);
	block_at(ring, 5, 77); /* never filled */
	assert_string_equal(pipeline_finish(&pipeline), "run 1\n"
							"block 1 sleep\nunblock 1\n"
							"block 1 sleep\nunblock 1\n"
							"block 1 sleep\nunblock 1\n"
							"block 1 sleep\nunblock 1\n"
							"block 1 sleep\nunblock 1\n");
}

static void hostile_module_entries_are_passed_over(void **state)
{
	static const uint64_t address[] = { MODULE_AT + 0x10 };
	struct process_slot *slot = &pipeline.owner.segment->processes[0];
	uint32_t ring = pipeline_ring(&pipeline, 0, 1, 10);

	(void)state;
	add_module(0, MODULE_AT, 0, 0, "/begin/after/end");
	slot->modules[0].end = 0;
	add_module(1, MODULE_AT, 0, 0, "/build/id/too/long");
	slot->modules[1].build_id_size = 4000000000u;
	add_module(2, MODULE_AT, 0, 0, "");
	memset(slot->modules[2].path, 'x', sizeof(slot->modules[2].path));
	slot->module_count = UINT32_MAX;
	run(ring, 0, 10);
	block_at(ring, 1, pipeline_stack(&pipeline, 0, 1, 1, address));
	assert_non_null(strstr(pipeline_finish(&pipeline), "block 1 sleep at 400010\n"));
	assert_int_equal(trace_reader_info(pipeline.reader)->modules, 0);
}

static void records_of_unknown_owners_are_refused(void **state)
{
	uint32_t elsewhere = pipeline_ring(&pipeline, 1, 1, 10); /* slot 1 is free */
	uint32_t nowhere = pipeline_ring(&pipeline, 0, 1, 11);
	uint32_t stale = pipeline_ring(&pipeline, 0, 1, 12);

	(void)state;
	pipeline.owner.segment->rings[nowhere].process = 4000000000u;
	pipeline.owner.segment->rings[stale].generation = 77;
	run(elsewhere, 0, 10);
	run(nowhere, 1, 11);
	run(stale, 2, 12);
	/* One more for the ring whose owner has no slot. */
	assert_string_equal(pipeline_finish(&pipeline), "lost 4 record refused\n");
}

static void two_processes_have_tasks_of_their_own(void **state)
{
	uint32_t first = pipeline_ring(&pipeline, 0, 1, 10);
	uint32_t second;

	(void)state;
	pipeline_process(&pipeline, 5, NO_SUCH_PID + 1, 9);
	pipeline.owner.segment->processes[5].parent_pid = NO_SUCH_PID;
	second = pipeline_ring(&pipeline, 5, 1, 20);
	run(first, 0, 10);
	run(second, 1, 20);
	assert_string_equal(pipeline_finish(&pipeline), "run 1\nrun 2\n");
	assert_int_equal(task_row(pipeline.reader, 1).process, 1);
	assert_int_equal(task_row(pipeline.reader, 2).process, 2);
	assert_int_equal(trace_reader_process(pipeline.reader, 2)->parent, 1);
	assert_int_equal(trace_reader_process(pipeline.reader, 2)->pid, NO_SUCH_PID + 1);
}

static void a_slot_is_used_again_when_its_process_has_died_and_been_drained(void **state)
{
	struct process_slot *slot = &pipeline.owner.segment->processes[0];
	struct lo_error err = { .message = "" };
	struct pollfd fds[SEGMENT_PROCESSES];
	uint32_t first = pipeline_ring(&pipeline, 0, 1, 10);
	uint32_t second;

	(void)state;
	run(first, 0, 10);
	create(first, 1, 2); /* never runs: its row comes at the end of the process */
	atomic_store(&slot->stacks.words_used, 100);
	atomic_store(&slot->stacks.index[9], 7);
	pipeline.stream.lateness_ticks = 0;
	pipeline_pump(&pipeline, false); /* takes the process up; its pid does not exist */
	process_watch_poll_set(&pipeline.watch, fds);
	for (uint32_t i = 0; i < SEGMENT_PROCESSES; i++)
		fds[i].revents = 0;
	assert_int_equal(process_watch_look(&pipeline.watch, fds, &err), LO_OK);
	pipeline_pump(&pipeline, false);
	pipeline_pump(&pipeline, false);
	assert_int_equal(slot->state, PROCESS_SLOT_FREE);
	assert_int_equal(slot->pid, 0);
	assert_int_equal(slot->stacks.words_used, 0);
	assert_int_equal(slot->stacks.index[9], 0);
	assert_int_equal(pipeline.owner.segment->rings[first].state, RING_FREE);

	pipeline_process(&pipeline, 0, NO_SUCH_PID + 2, 9);
	second = pipeline_ring(&pipeline, 0, 1, 20);
	run(second, 5000000, 20);
	assert_string_equal(pipeline_finish(&pipeline), "run 1\ncreate 2 by 1\nrun 3\n");
	assert_int_equal(task_row(pipeline.reader, 2).process, 1);
	assert_int_equal(task_row(pipeline.reader, 3).process, 2);
}

int main(void)
{
#define TEST(behaviour) cmocka_unit_test_setup_teardown(behaviour, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_plain_story_comes_through_as_it_was),
		TEST(a_task_that_begins_in_the_middle_is_said_to_exist),
		TEST(a_created_task_whose_run_was_lost_runs_before_it_blocks),
		TEST(lost_ends_of_waits_are_put_in),
		TEST(what_does_not_fit_is_left_out_and_counted),
		TEST(nobody_creates_itself),
		TEST(after_losses_in_the_ring_the_leftovers_count_as_lost_there),
		TEST(records_without_sense_are_refused_or_lose_the_bad_member),
		TEST(kernel_thread_ids_become_tasks),
		TEST(a_join_names_the_task_even_before_its_first_event),
		TEST(names_go_to_the_task_meant_and_are_inherited),
		TEST(a_name_that_has_no_room_in_the_file_is_done_without),
		TEST(stacks_are_offsets_in_the_files_that_were_loaded_then),
		TEST(hostile_stacks_are_no_stacks),
		TEST(hostile_module_entries_are_passed_over),
		TEST(records_of_unknown_owners_are_refused),
		TEST(two_processes_have_tasks_of_their_own),
		TEST(a_slot_is_used_again_when_its_process_has_died_and_been_drained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
