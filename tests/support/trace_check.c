/*
 * Reads a native trace, checks what every trace promises about its tasks, and prints it as lines
 * that tests can search. Usage: trace_check FILE [events]
 *
 *   events N           rows read        lost N CAUSE       for each cause that is not 0
 *   truncated yes|no                    duration NS
 *   process I PID PARENT END VALUE PROGRAM
 *   task ID PROCESS TID STATE FLAGS NAME    STATE: none created active blocked exited
 *   blocked ID REASON OBJECT-KIND OBJECT HOLDER FRAMES FUNCTION   for each task blocked at the end
 *   meta KEY VALUE
 *
 * With "events" each event as well. Exit status 1: a promise is broken, and the line says which.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/model/event_schema.h"
#include "formats/model/object.h"
#include "formats/native/trace_cursor.h"
#include "formats/native/trace_reader.h"

enum state {
	STATE_NONE,
	STATE_CREATED,
	STATE_ACTIVE,
	STATE_BLOCKED,
	STATE_EXITED
};

static const char *const state_names[] = { "none", "created", "active", "blocked", "exited" };
static const char *const end_names[] = { "running", "exited", "killed", "replaced" };

struct task {
	enum state state;
	struct event block;
};

static struct task *tasks;
static uint32_t task_count;
static bool broken;

static void complain(const struct event *event, const char *what)
{
	printf("broken: task %" PRIu32 " at %" PRIu64 " ns: %s\n", event->task, event->time_ns,
			what);
	broken = true;
}

static struct task *task_of(uint32_t id)
{
	if (id >= task_count) {
		uint32_t count = id + 1024;

		tasks = realloc(tasks, count * sizeof(*tasks));
		memset(tasks + task_count, 0, (count - task_count) * sizeof(*tasks));
		task_count = count;
	}
	return &tasks[id];
}

static void check_event(const struct event *event)
{
	struct task *task = task_of(event->task);
	enum state state = task->state;

	if (event->task == TASK_NONE)
		complain(event, "no task");
	switch ((enum event_kind)event->kind) {
	case EVENT_CREATE:
		if (state != STATE_NONE)
			complain(event, "created when it was there");
		task->state = STATE_CREATED;
		break;
	case EVENT_RUN:
		if (state != STATE_NONE && state != STATE_CREATED)
			complain(event, "runs for the second time");
		task->state = STATE_ACTIVE;
		break;
	case EVENT_BLOCK:
		if (state != STATE_ACTIVE)
			complain(event, "blocks when it was not active");
		task->state = STATE_BLOCKED;
		task->block = *event;
		break;
	case EVENT_UNBLOCK:
		if (state != STATE_BLOCKED)
			complain(event, "unblocks when it was not blocked");
		task->state = STATE_ACTIVE;
		break;
	case EVENT_EXIT:
		if (state != STATE_ACTIVE)
			complain(event, "exits when it was not active");
		task->state = STATE_EXITED;
		break;
	case EVENT_KIND_COUNT:
		complain(event, "unknown kind");
		break;
	}
}

/* Innermost first, "inlined~function(file:line)". */
static void print_stack(struct trace_reader *reader, uint32_t stack)
{
	uint32_t frames[256];
	uint32_t count = stack_table_unwind(trace_reader_stacks(reader), stack, frames, 256);

	for (uint32_t i = 0; i < count; i++) {
		const struct symbol *chain;
		uint32_t places = symbol_table_get(trace_reader_symbols(reader), frames[i], &chain);

		putchar(' ');
		for (uint32_t k = 0; k < places; k++) {
			const char *file = trace_reader_string(reader, chain[k].file, NULL);
			const char *base = strrchr(file, '/');

			printf("%s%s(%s:%" PRIu32 ")", k ? "~" : "",
					trace_reader_string(reader, chain[k].function, NULL),
					base ? base + 1 : file, chain[k].line);
		}
		if (places == 0)
			putchar('?');
	}
}

static void print_event(struct trace_reader *reader, const struct event *event)
{
	printf("%" PRIu64 " %s %" PRIu32 " peer %" PRIu32 " %s %s %" PRIx64 " stack %" PRIu32
	       " flags %x",
			event->time_ns, event_schemas[event->kind].name, event->task, event->peer,
			trace_reader_reason_name(reader, event->reason),
			object_infos[event->object_kind].name, event->object, event->stack,
			event->flags);
	print_stack(reader, event->stack);
	putchar('\n');
}

static uint64_t read_events(struct trace_reader *reader, bool print)
{
	struct trace_cursor *cursor = NULL;
	const struct event *events;
	struct lo_error err;
	uint64_t total = 0;
	uint64_t last_ns = 0;
	uint32_t count;

	if (trace_cursor_open(&cursor, reader, TIME_SPAN_ALL, &err) != LO_OK) {
		printf("broken: %s\n", err.message);
		exit(1);
	}
	while (trace_cursor_next_run(cursor, &events, &count, &err) == LO_OK) {
		for (uint32_t i = 0; i < count; i++) {
			if (print)
				print_event(reader, &events[i]);
			if (events[i].time_ns < last_ns)
				complain(&events[i], "time runs backwards");
			last_ns = events[i].time_ns;
			check_event(&events[i]);
		}
		total += count;
	}
	trace_cursor_close(cursor);
	return total;
}

static const char *function_of(struct trace_reader *reader, uint32_t frame)
{
	const struct symbol *chain;

	if (symbol_table_get(trace_reader_symbols(reader), frame, &chain) == 0)
		return "?";
	return trace_reader_string(reader, chain[0].function, NULL);
}

static void print_blocked(struct trace_reader *reader, uint32_t id)
{
	const struct event *block = &tasks[id].block;
	uint32_t frames[256];
	uint32_t count = stack_table_unwind(trace_reader_stacks(reader), block->stack, frames, 256);

	printf("blocked %" PRIu32 " %s %s %" PRIx64 " %" PRIu32 " %" PRIu32, id,
			trace_reader_reason_name(reader, block->reason),
			object_infos[block->object_kind].name, block->object, block->peer, count);
	for (uint32_t i = 0; i < count; i++)
		printf(" %s", function_of(reader, frames[i]));
	putchar('\n');
}

static void print_tables(struct trace_reader *reader)
{
	const struct trace_info *info = trace_reader_info(reader);
	const char *key;
	const char *value;

	for (uint32_t i = 1; i <= info->processes; i++) {
		const struct process_info *process = trace_reader_process(reader, i);

		if (process)
			printf("process %" PRIu32 " %" PRIu32 " %" PRIu32 " %s %" PRIu32 " %s\n", i,
					process->pid, process->parent, end_names[process->end],
					process->end_value,
					trace_reader_string(reader, process->program, NULL));
	}
	for (uint32_t id = 1; id < task_count; id++) {
		struct task_info task;
		bool known = trace_reader_task(reader, id, &task);

		if (tasks[id].state == STATE_NONE && !known)
			continue;
		printf("task %" PRIu32 " %" PRIu32 " %" PRIu32 " %s %x %s\n", id, task.process,
				task.tid, state_names[tasks[id].state], task.flags,
				known ? trace_reader_string(reader, task.name, NULL) : "?");
		if (tasks[id].state == STATE_BLOCKED)
			print_blocked(reader, id);
	}
	for (uint32_t i = 0; trace_reader_meta_at(reader, i, &key, &value); i++)
		printf("meta %s %s\n", key, value);
}

int main(int argc, char **argv)
{
	struct byte_source *source = NULL;
	struct trace_reader *reader = NULL;
	struct lo_error err = { 0 };
	const struct trace_info *info;
	struct trace_damage damage;

	if (argc < 2)
		return 2;
	if (byte_source_open_file(&source, argv[1], &err) != LO_OK ||
			trace_reader_open(&reader, source, NULL, &err) != LO_OK) {
		printf("broken: %s\n", err.message);
		return 1;
	}
	info = trace_reader_info(reader);
	printf("events %" PRIu64 "\n", read_events(reader, argc > 2));
	printf("truncated %s\nduration %" PRIu64 "\n", info->truncated ? "yes" : "no",
			info->duration_ns);
	for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT; cause++)
		if (info->lost[cause])
			printf("lost %" PRIu64 " %s\n", info->lost[cause], loss_cause_name(cause));
	print_tables(reader);
	for (uint32_t i = 0; trace_reader_damage(reader, i, &damage); i++) {
		printf("broken: damage: %s\n", damage.what);
		broken = true;
	}
	trace_reader_close(reader);
	free(tasks);
	return broken;
}
