#include "tests/integration/go/trace_facts.h"
#include "tests/support/task_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/native/trace_cursor.h"

#define WINDOW_NS 10000000u

struct task_facts {
	enum {
		UNSEEN,
		ACTIVE,
		BLOCKED,
		EXITED
	} state;
	bool existing;
	bool block_is_older; /* than the trace */
	uint8_t reason;
	uint32_t stack;
	uint32_t creation_stack;
	uint64_t since_ns;
};

struct walk {
	struct trace_facts *facts;
	struct trace_reader *reader;
	struct task_facts *tasks;
	uint32_t task_count;
	uint64_t alive;
	uint64_t *creates; /* times */
	uint64_t create_count;
	uint64_t window_begin;
	uint64_t last_ns;
};

static void promise(bool kept, const char *what, const struct event *event)
{
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s (kind %u, task %u at %llu ns)\n", what, event->kind,
			event->task, (unsigned long long)event->time_ns);
	exit(1);
}

static void begin_life(struct walk *walk)
{
	if (++walk->alive > walk->facts->peak_alive)
		walk->facts->peak_alive = walk->alive;
}

static void note_create(struct walk *walk, uint64_t time_ns)
{
	walk->creates[walk->create_count++] = time_ns;
	while (walk->creates[walk->window_begin] + WINDOW_NS <= time_ns)
		walk->window_begin++;
	if (walk->create_count - walk->window_begin > walk->facts->most_creates_in_10ms)
		walk->facts->most_creates_in_10ms = walk->create_count - walk->window_begin;
}

static void end_block(struct walk *walk, struct task_facts *task, uint64_t time_ns)
{
	if (!task->block_is_older)
		walk->facts->reasons[task->reason].blocked_ns += time_ns - task->since_ns;
}

static void take(struct walk *walk, const struct event *event)
{
	struct trace_facts *facts = walk->facts;
	struct task_facts *task = &walk->tasks[event->task];

	promise(event->time_ns >= walk->last_ns, "times do not decrease", event);
	promise(task->state != EXITED, "nothing happens after an exit", event);
	walk->last_ns = event->time_ns;
	switch (event->kind) {
	case EVENT_CREATE:
		promise(task->state == UNSEEN, "a task is created once", event);
		task->state = ACTIVE;
		task->creation_stack = event->stack;
		facts->created++;
		note_create(walk, event->time_ns);
		begin_life(walk);
		break;
	case EVENT_RUN:
		if (event->flags & EVENT_FLAG_EXISTING) {
			promise(task->state == UNSEEN, "an old task appears once", event);
			task->state = ACTIVE;
			task->existing = true;
			facts->existing++;
			begin_life(walk);
		}
		promise(task->state == ACTIVE, "only what is not blocked runs", event);
		break;
	case EVENT_BLOCK:
		promise(task->state == ACTIVE, "only an active task blocks", event);
		task->state = BLOCKED;
		task->reason = event->reason;
		task->stack = event->stack;
		task->since_ns = event->time_ns;
		task->block_is_older = task->existing && event->time_ns == 0 &&
				       (event->reason == REASON_NONE ||
						       event->reason == REASON_SYSCALL);
		facts->reasons[event->reason].blocks += !task->block_is_older;
		break;
	case EVENT_UNBLOCK:
		promise(task->state == BLOCKED, "only a blocked task is unblocked", event);
		task->state = ACTIVE;
		end_block(walk, task, event->time_ns);
		facts->unblocks += task->reason != REASON_SYSCALL;
		facts->unblocks_by_a_task += event->peer != TASK_NONE;
		break;
	case EVENT_EXIT:
		promise(task->state == ACTIVE, "only an active task exits", event);
		task->state = EXITED;
		facts->exited++;
		walk->alive--;
		break;
	}
}

static void walk_events(struct walk *walk)
{
	struct time_span all = { 0, UINT64_MAX };
	struct trace_cursor *cursor;
	struct event event;
	struct lo_error err;
	enum lo_result result = trace_cursor_open(&cursor, walk->reader, all, &err);

	while (result == LO_OK) {
		result = trace_cursor_next(cursor, &event, &err);
		if (result == LO_OK) {
			promise(event.task >= 1 && event.task < walk->task_count,
					"every task has a row", &event);
			take(walk, &event);
		}
	}
	if (result != LO_END) {
		fprintf(stderr, "cannot read events: %s\n", err.message);
		exit(1);
	}
	trace_cursor_close(cursor);
}

static int compare_numbers(const void *left, const void *right)
{
	const uint32_t *a = left;
	const uint32_t *b = right;

	return (*a > *b) - (*a < *b);
}

static void count_seen(struct walk *walk)
{
	uint32_t *numbers = calloc(walk->task_count, sizeof(*numbers));
	uint32_t count = 0;

	for (uint32_t task = 1; task < walk->task_count; task++)
		if (walk->tasks[task].state != UNSEEN)
			numbers[count++] = task_row(walk->reader, task).tid;
	qsort(numbers, count, sizeof(*numbers), compare_numbers);
	for (uint32_t i = 0; i < count; i++)
		walk->facts->seen += i == 0 || numbers[i] != numbers[i - 1];
	free(numbers);
}

static const struct symbol *symbol_of(struct trace_reader *reader, uint32_t frame)
{
	static const struct symbol unknown;
	const struct symbol *chain;

	return symbol_table_get(trace_reader_symbols(reader), frame, &chain) ? chain : &unknown;
}

/* Package main, or an import path whose first element has a dot. */
static bool is_user_function(const char *function)
{
	const char *slash = strchr(function, '/');
	const char *dot = strchr(function, '.');

	return strncmp(function, "main.", 5) == 0 || (slash && dot && dot < slash);
}

static bool is_runtime_function(const char *function)
{
	return strncmp(function, "runtime.", 8) == 0;
}

/* The frame that a person should see of a stack. */
static void print_top_user_frame(
		char *out, size_t size, struct trace_reader *reader, uint32_t stack)
{
	uint32_t frames[128];
	uint32_t count = stack_table_unwind(trace_reader_stacks(reader), stack, frames, 128);
	uint32_t best = 0;
	int best_rank = -1;

	out[0] = '\0';
	for (uint32_t i = 0; i < count; i++) {
		const char *function = trace_reader_string(
				reader, symbol_of(reader, frames[i])->function, NULL);
		int rank = is_user_function(function) ? 2 : !is_runtime_function(function);

		if (rank > best_rank) {
			best = frames[i];
			best_rank = rank;
		}
	}
	if (best_rank >= 0) {
		const struct symbol *symbol = symbol_of(reader, best);

		snprintf(out, size, "%s %s:%u", trace_reader_string(reader, symbol->function, NULL),
				trace_reader_string(reader, symbol->file, NULL), symbol->line);
	}
}

static int compare_groups(const void *left, const void *right)
{
	const struct stuck_group *a = left;
	const struct stuck_group *b = right;

	return strcmp(a->text, b->text);
}

static void group_stuck(struct walk *walk)
{
	struct trace_facts *facts = walk->facts;
	uint32_t kept = 0;

	facts->groups = calloc(walk->task_count, sizeof(*facts->groups));
	for (uint32_t i = 1; i < walk->task_count; i++) {
		const struct task_facts *task = &walk->tasks[i];
		struct task_info info = task_row(walk->reader, i);
		struct stuck_group *group = &facts->groups[facts->group_count];
		char top[300];
		char created[300];

		if (task->state != BLOCKED)
			continue;
		end_block(walk, &walk->tasks[i], facts->end_ns);
		print_top_user_frame(top, sizeof(top), walk->reader, task->stack);
		print_top_user_frame(created, sizeof(created), walk->reader, task->creation_stack);
		snprintf(group->text, sizeof(group->text), "%s | %s | %s | %s",
				task->reason == REASON_NONE ? "(blocked before trace)"
							    : trace_reader_reason_name(walk->reader,
									      task->reason),
				top, created,
				task->existing ? ""
					       : trace_reader_string(
								 walk->reader, info.name, NULL));
		group->count = 1;
		facts->group_count++;
	}
	qsort(facts->groups, facts->group_count, sizeof(*facts->groups), compare_groups);
	for (uint32_t i = 0; i < facts->group_count; i++) {
		if (kept > 0 && compare_groups(&facts->groups[kept - 1], &facts->groups[i]) == 0)
			facts->groups[kept - 1].count++;
		else
			facts->groups[kept++] = facts->groups[i];
	}
	facts->group_count = kept;
}

void trace_facts_collect(struct trace_facts *facts, struct trace_reader *reader)
{
	const struct trace_info *info = trace_reader_info(reader);
	struct walk walk = { .facts = facts, .reader = reader, .task_count = info->tasks + 1 };

	*facts = (struct trace_facts){ .end_ns = info->duration_ns };
	walk.tasks = calloc(walk.task_count, sizeof(*walk.tasks));
	walk.creates = calloc(walk.task_count, sizeof(*walk.creates));
	walk_events(&walk);
	count_seen(&walk);
	group_stuck(&walk);
	free(walk.tasks);
	free(walk.creates);
}

void trace_facts_release(struct trace_facts *facts)
{
	free(facts->groups);
}
