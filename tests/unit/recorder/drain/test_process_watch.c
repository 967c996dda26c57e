#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "formats/model/object.h"
#include "formats/model/reason.h"
#include "tests/support/pipeline.h"

/*
 * What becomes of the tasks of a process that ends. The processes are real, so that the kernel can
 * be asked about them; what they record is written here.
 */
#define NO_SUCH_PID 0x7ffffff0u

static struct pipeline pipeline;

static int set_up(void **state)
{
	(void)state;
	pipeline_init(&pipeline);
	pipeline.stream.lateness_ticks = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	pipeline_release(&pipeline);
	return 0;
}

/* A process that lives until it is killed or end_child() lets it exit. */
struct child {
	pid_t pid;
	int leash;
};

static struct child start_child(void)
{
	struct child child;
	char byte;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	child.pid = fork();
	if (child.pid == 0) {
		close(fds[1]);
		_exit(read(fds[0], &byte, 1) == 0 ? 3 : 1);
	}
	close(fds[0]);
	child.leash = fds[1];
	return child;
}

static int await_child(struct child *child)
{
	int status = 0;

	close(child->leash);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	return status;
}

/* As the library in the child leaves it; older kernels do not tell the end of a process. */
static int end_child(struct child *child, uint32_t slot)
{
	pipeline.owner.segment->processes[slot].left = SEGMENT_LEFT | 3;
	return await_child(child);
}

static int kill_child(struct child *child)
{
	kill(child->pid, SIGKILL);
	return await_child(child);
}

/* The recorder looks around as its poll() would have it. */
static void look(void)
{
	struct lo_error err = { .message = "" };
	struct pollfd fds[SEGMENT_PROCESSES];

	process_watch_poll_set(&pipeline.watch, fds);
	assert_true(poll(fds, SEGMENT_PROCESSES, 0) >= 0);
	assert_int_equal(process_watch_look(&pipeline.watch, fds, &err), LO_OK);
}

static void run(uint32_t ring, uint64_t time)
{
	pipeline_push(&pipeline, ring, (struct event){ .kind = EVENT_RUN, .time_ns = time });
}

static void block(uint32_t ring, uint64_t time)
{
	pipeline_push(&pipeline, ring,
			(struct event){ .kind = EVENT_BLOCK,
					.time_ns = time,
					.reason = REASON_MUTEX_LOCK,
					.object_kind = OBJECT_MUTEX,
					.object = 0x1000 });
}

/* A process in this slot has a task that runs, one that waits, and one that was only created. */
static void live(uint32_t slot, uint32_t pid)
{
	uint32_t first;
	uint32_t second;

	pipeline_process(&pipeline, slot, pid, 3);
	first = pipeline_ring(&pipeline, slot, 1, 10);
	second = pipeline_ring(&pipeline, slot, 2, 11);
	run(first, 10);
	run(second, 20);
	block(second, 30);
	pipeline_push(&pipeline, first,
			(struct event){ .kind = EVENT_CREATE, .time_ns = 40, .task = 3 });
	pipeline_pump(&pipeline, false);
}

#define LIFE                              \
	"run 1\n"                         \
	"run 2\n"                         \
	"block 2 mutex lock mutex 1000\n" \
	"create 3 by 1\n"
/* In the order of their numbers; the wait was interrupted, and a thread has to run before it ends.
 */
#define END                    \
	"exit 1\n"             \
	"unblock 2 flags 20\n" \
	"exit 2\n"             \
	"run 3\n"              \
	"exit 3\n"

static void the_tasks_of_a_child_that_exits_end_with_it(void **state)
{
	struct child child = start_child();

	(void)state;
	live(0, (uint32_t)child.pid);
	end_child(&child, 0);
	look();
	assert_string_equal(pipeline_finish(&pipeline), LIFE END);
	assert_true(pipeline_is_sound(&pipeline));
	assert_int_equal(trace_reader_process(pipeline.reader, 1)->end, PROCESS_EXITED);
	assert_int_equal(trace_reader_process(pipeline.reader, 1)->end_value, 3);
}

static void the_tasks_of_a_child_that_is_killed_stay_what_they_were(void **state)
{
	struct child child = start_child();

	(void)state;
	live(0, (uint32_t)child.pid);
	kill_child(&child);
	look();
	assert_string_equal(pipeline_finish(&pipeline), LIFE);
	assert_int_not_equal(trace_reader_process(pipeline.reader, 1)->end, PROCESS_EXITED);
}

static void the_kernel_is_believed_more_than_the_process(void **state)
{
	struct child child = start_child();

	(void)state;
	live(0, (uint32_t)child.pid);
	pipeline.watch.program_pid = child.pid; /* of our own child every kernel tells */
	pipeline.owner.segment->processes[0].left = SEGMENT_LEFT | 3;
	assert_int_equal(process_watch_program_ended(&pipeline.watch, kill_child(&child),
					 tick_clock_now(&pipeline.clock), NULL),
			LO_OK);
	assert_string_equal(pipeline_finish(&pipeline), LIFE);
	assert_int_equal(trace_reader_process(pipeline.reader, 1)->end, PROCESS_KILLED);
	assert_int_equal(trace_reader_process(pipeline.reader, 1)->end_value, SIGKILL);
}

/* What still waits when everything is over is what people look for. */
static void the_recording_ends_with_the_program_and_its_tasks_stay(void **state)
{
	struct child child = start_child();

	(void)state;
	pipeline.watch.program_pid = child.pid;
	live(0, (uint32_t)child.pid);
	assert_int_equal(process_watch_program_ended(&pipeline.watch, await_child(&child),
					 tick_clock_now(&pipeline.clock), NULL),
			LO_OK);
	assert_string_equal(pipeline_finish(&pipeline), LIFE);
	assert_int_equal(trace_reader_process(pipeline.reader, 1)->end, PROCESS_EXITED);
	assert_int_equal(trace_reader_process(pipeline.reader, 1)->end_value, 3);
}

static void what_runs_when_the_recording_ends_goes_on_in_the_trace(void **state)
{
	struct child child = start_child();

	(void)state;
	live(0, (uint32_t)child.pid);
	look();
	assert_string_equal(pipeline_finish(&pipeline), LIFE);
	assert_int_equal(trace_reader_process(pipeline.reader, 1)->end, PROCESS_RUNNING);
	kill_child(&child);
}

/* Nobody has looked in between, as when it ends at the same moment as the program. */
static void a_child_that_exits_at_the_very_end_is_noticed(void **state)
{
	struct child child = start_child();

	(void)state;
	live(0, (uint32_t)child.pid);
	end_child(&child, 0);
	assert_string_equal(pipeline_finish(&pipeline), LIFE END);
	assert_int_equal(trace_reader_process(pipeline.reader, 1)->end, PROCESS_EXITED);
}

static void of_a_process_that_was_gone_at_once_its_own_word_counts(void **state)
{
	(void)state;
	live(0, NO_SUCH_PID);
	pipeline.owner.segment->processes[0].left = SEGMENT_LEFT | 3;
	look();
	assert_string_equal(pipeline_finish(&pipeline), LIFE END);
	assert_int_equal(trace_reader_process(pipeline.reader, 1)->end_value, 3);
}

static void tasks_stay_what_they_were_when_nobody_knows_the_end(void **state)
{
	(void)state;
	live(0, NO_SUCH_PID);
	look();
	assert_string_equal(pipeline_finish(&pipeline), LIFE);
	assert_int_equal(trace_reader_process(pipeline.reader, 1)->end, PROCESS_RUNNING);
}

static void tasks_end_when_the_process_becomes_another_program(void **state)
{
	struct process_slot *slots = pipeline.owner.segment->processes;
	struct child child = start_child();

	(void)state;
	live(0, (uint32_t)child.pid);
	slots[0].replaced = 1;
	slots[0].state = PROCESS_SLOT_ENDED;
	pipeline_pump(&pipeline, false);
	pipeline_pump(&pipeline, false);
	pipeline_process(&pipeline, 1, (uint32_t)child.pid, 1);
	run(pipeline_ring(&pipeline, 1, 1, 10), tick_clock_now(&pipeline.clock) - pipeline.base);
	assert_string_equal(pipeline_finish(&pipeline), LIFE END "run 4\n");
	assert_int_equal(trace_reader_process(pipeline.reader, 1)->end, PROCESS_REPLACED);
	assert_int_equal(trace_reader_process(pipeline.reader, 2)->end, PROCESS_RUNNING);
	kill_child(&child);
}

/* With a lateness bound, what others did before the end is let out after the end was noticed. */
static void an_end_has_its_place_among_the_events_of_others(void **state)
{
	struct child child = start_child();
	uint32_t ring;

	(void)state;
	live(0, (uint32_t)child.pid);
	pipeline_process(&pipeline, 1, NO_SUCH_PID, 1);
	ring = pipeline_ring(&pipeline, 1, 1, 20);
	pipeline.stream.lateness_ticks = 10 * DRAIN_LATENESS_NS;
	run(ring, tick_clock_now(&pipeline.clock) - pipeline.base);
	end_child(&child, 0);
	look();
	pipeline_pump(&pipeline, false);
	block(ring, tick_clock_now(&pipeline.clock) - pipeline.base);
	assert_string_equal(pipeline_finish(&pipeline),
			LIFE "run 4\n" END "block 4 mutex lock mutex 1000\n");
}

#define TEST(behaviour) cmocka_unit_test_setup_teardown(behaviour, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_tasks_of_a_child_that_exits_end_with_it),
		TEST(the_tasks_of_a_child_that_is_killed_stay_what_they_were),
		TEST(the_kernel_is_believed_more_than_the_process),
		TEST(the_recording_ends_with_the_program_and_its_tasks_stay),
		TEST(what_runs_when_the_recording_ends_goes_on_in_the_trace),
		TEST(a_child_that_exits_at_the_very_end_is_noticed),
		TEST(of_a_process_that_was_gone_at_once_its_own_word_counts),
		TEST(tasks_stay_what_they_were_when_nobody_knows_the_end),
		TEST(tasks_end_when_the_process_becomes_another_program),
		TEST(an_end_has_its_place_among_the_events_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
