/*
 * truth_check TRACE TRUTH REPORT INFO
 *
 * Compares a made-up trace with the truth that the generator wrote beside it: what a cursor reads,
 * and what `loiter report --json` and `loiter info --json` say. Each difference is a line; exit
 * status 1 if there is one.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/macros.h"
#include "formats/model/event_schema.h"
#include "formats/native/trace_alive.h"
#include "formats/native/trace_cursor.h"
#include "formats/native/trace_states.h"

#define JUDGED_FROM_NS 200000000ull /* HARD_LEAST_NS of viewer/analysis/thresholds.h */

static unsigned differences;

static void differ(const char *format, ...) LO_PRINTF(1, 2);

static void differ(const char *format, ...)
{
	va_list arguments;

	if (++differences > 50)
		return;
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

static json_t *load(const char *path)
{
	json_error_t error;
	json_t *document = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

	if (!document) {
		fprintf(stderr, "truth_check: %s:%d: %s\n", path, error.line, error.text);
		exit(2);
	}
	return document;
}

static json_t *member(const json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);

	if (!value) {
		fprintf(stderr, "truth_check: there is no '%s'\n", name);
		exit(2);
	}
	return value;
}

static uint64_t number(const json_t *object, const char *name)
{
	return (uint64_t)json_integer_value(member(object, name));
}

static const char *string(const json_t *object, const char *name)
{
	return json_string_value(member(object, name));
}

static void expect(const char *what, uint64_t truth, uint64_t found)
{
	if (truth != found)
		differ("%s: %" PRIu64 " in truth, %" PRIu64 " found", what, truth, found);
}

/* ---- report and info ---- */

/* The numbers of the first object that the second has as well; returns how many there were. */
static unsigned compare_numbers(const char *where, const json_t *truth, json_t *found)
{
	const char *name;
	json_t *value;
	unsigned compared = 0;

	json_object_foreach((json_t *)truth, name, value)
	{
		const json_t *other = json_object_get(found, name);
		char what[128];

		if (!other)
			continue;
		snprintf(what, sizeof(what), "%s.%s", where, name);
		expect(what, (uint64_t)json_integer_value(value),
				(uint64_t)json_integer_value(other));
		compared++;
	}
	return compared;
}

static json_t *row_of_reason(const json_t *rows, const char *reason)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		if (strcmp(string(row, "reason"), reason) == 0)
			return row;
	}
	return NULL;
}

static void compare_waits(const json_t *truth, const json_t *report)
{
	const json_t *rows = member(report, "blocked");
	size_t i;
	json_t *wait;

	expect("reasons", json_array_size(member(truth, "blocked")), json_array_size(rows));
	json_array_foreach(member(truth, "blocked"), i, wait)
	{
		const char *reason = string(wait, "reason");
		const json_t *row = row_of_reason(rows, reason);
		static const char *const numbers[] = { "blocks", "total_ns", "max_ns",
			"still_blocked" };

		if (!row) {
			differ("no wait for '%s' is reported", reason);
			continue;
		}
		for (size_t k = 0; k < LO_COUNT_OF(numbers); k++) {
			char what[96];

			snprintf(what, sizeof(what), "%s of '%s'", numbers[k], reason);
			expect(what, number(wait, numbers[k]), number(row, numbers[k]));
		}
	}
}

static bool lists_task(const json_t *finding, uint64_t task)
{
	size_t i;
	json_t *id;

	json_array_foreach(member(finding, "task_ids"), i, id)
	{
		if ((uint64_t)json_integer_value(id) == task)
			return true;
	}
	return false;
}

static json_t *finding_of(const json_t *report, const char *kind)
{
	size_t i;
	json_t *finding;

	json_array_foreach(member(report, "findings"), i, finding)
	{
		if (strcmp(string(finding, "kind"), kind) == 0)
			return finding;
	}
	return NULL;
}

/* Every wait in the circle is old enough to be judged at all. */
static bool is_old(const json_t *truth, const json_t *cycle)
{
	uint64_t end_ns = number(truth, "duration_ns");
	size_t i;
	json_t *task;

	json_array_foreach(cycle, i, task)
	{
		if (end_ns - number(task, "since_ns") < JUDGED_FROM_NS)
			return false;
	}
	return true;
}

/* A circle can only be reported where the trace says who holds what. */
static void compare_deadlock(const json_t *truth, const json_t *report)
{
	const json_t *cycle = member(member(truth, "planted"), "deadlock");
	const json_t *finding = finding_of(report, "deadlock");
	bool visible = json_array_size(cycle) > 0 &&
		       strncmp(string(json_array_get(cycle, 0), "object"), "none", 4) != 0;
	size_t i;
	json_t *task;

	if (visible && !finding && !is_old(truth, cycle))
		return;
	if (visible != (finding != NULL)) {
		differ("a deadlock is %s", visible ? "missing" : "reported where there is none");
		return;
	}
	if (!finding)
		return;
	expect("tasks of the deadlock", json_array_size(cycle), number(finding, "tasks"));
	json_array_foreach(cycle, i, task)
	{
		if (!lists_task(finding, number(task, "task")))
			differ("task %" PRIu64 " is not in the deadlock", number(task, "task"));
	}
}

static void compare_report(const json_t *truth, const json_t *report)
{
	json_t *events = member(report, "events");

	if (compare_numbers("events", member(truth, "events"), events) != EVENT_KIND_COUNT)
		differ("not all kinds of events are in the report");
	if (compare_numbers("tasks", member(truth, "tasks"), member(report, "tasks")) !=
			json_object_size(member(truth, "tasks")))
		differ("not all facts about tasks are in the report");
	expect("trace.events", number(member(truth, "events"), "total"),
			number(member(report, "trace"), "events"));
	expect("trace.duration_ns", number(truth, "duration_ns"),
			number(member(report, "trace"), "duration_ns"));
	compare_waits(truth, report);
	compare_deadlock(truth, report);
}

static void compare_info(const json_t *truth, const json_t *info)
{
	const json_t *tasks = member(truth, "tasks");

	expect("info.events", number(member(truth, "events"), "total"), number(info, "events"));
	expect("info.duration_ns", number(truth, "duration_ns"), number(info, "duration_ns"));
	expect("info.tasks", number(tasks, "created") + number(tasks, "existing_at_start"),
			number(info, "tasks"));
}

/* ---- the trace itself ---- */

enum state {
	STATE_NONE,
	STATE_CREATED,
	STATE_ACTIVE,
	STATE_BLOCKED,
	STATE_EXITED,
};

static const char *const state_names[] = { "none", "created", "active", "blocked", "exited" };

struct task {
	uint64_t since_ns;
	uint32_t stack;
	uint8_t state;
	uint8_t reason;
};

struct check {
	const json_t *truth;
	struct trace_reader *reader;
	struct task *tasks; /* by id */
	uint32_t task_limit;
	uint64_t events;
	uint64_t created;
	uint64_t alive;
	uint64_t blocked;
	uint64_t last_ns;
	size_t instant; /* the next one */
	uint64_t bin_ns;
	uint64_t *bins;
	size_t bin_count;
};

static const char *function_of(struct trace_reader *reader, uint32_t frame)
{
	const struct symbol *chain;
	uint32_t count = symbol_table_get(trace_reader_symbols(reader), frame, &chain);

	return count ? trace_reader_string(reader, chain[count - 1].function, NULL) : "?";
}

/* Is this the user function that waits: the innermost one, or its caller? */
static bool waits_in(struct trace_reader *reader, uint32_t stack, const char *where)
{
	uint32_t frames[2];
	uint32_t count = stack_table_unwind(trace_reader_stacks(reader), stack, frames, 2);

	for (uint32_t i = 0; i < count; i++)
		if (strcmp(function_of(reader, frames[i]), where) == 0)
			return true;
	return false;
}

static void check_sample(struct check *check, const json_t *sample, uint64_t time_ns)
{
	uint64_t id = number(sample, "task");
	const struct task *task = &check->tasks[id < check->task_limit ? id : 0];
	const char *state = string(sample, "state");

	if (strcmp(state, state_names[task->state]) != 0) {
		differ("task %" PRIu64 " at %" PRIu64 " ns: %s in truth, %s found", id, time_ns,
				state, state_names[task->state]);
		return;
	}
	if (task->state != STATE_BLOCKED)
		return;
	if (strcmp(string(sample, "reason"),
			    trace_reader_reason_name(check->reader, task->reason)) != 0 ||
			number(sample, "since_ns") != task->since_ns)
		differ("task %" PRIu64 " at %" PRIu64 " ns waits for another reason or since "
		       "another time",
				id, time_ns);
	if (!waits_in(check->reader, task->stack, string(sample, "where")))
		differ("task %" PRIu64 " at %" PRIu64 " ns does not wait in %s", id, time_ns,
				string(sample, "where"));
}

/* A cursor that is sent to the time right after the instant must stand before `next`. */
static void check_seek(struct check *check, uint64_t time_ns, const struct event *next)
{
	struct trace_cursor *cursor = NULL;
	struct lo_error err = { 0 };
	struct event event;

	if (trace_cursor_open(&cursor, check->reader, TIME_SPAN_ALL, &err) != LO_OK ||
			trace_cursor_seek(cursor, time_ns + 1, &err) != LO_OK ||
			trace_cursor_next(cursor, &event, &err) != LO_OK)
		differ("cannot seek to %" PRIu64 " ns: %s", time_ns, err.message);
	else if (memcmp(&event, next, sizeof(event)) != 0)
		differ("seeking to %" PRIu64 " ns leads to another event", time_ns);
	trace_cursor_close(cursor);
}

static bool same_state(const struct trace_states *states, uint32_t id, const struct task *task)
{
	for (uint32_t i = 0; i < states->count; i++)
		if (states->tasks[i].task == id)
			return (states->tasks[i].state == LIVE_BLOCKED) ==
					       (task->state == STATE_BLOCKED) &&
			       (task->state != STATE_BLOCKED ||
					       states->tasks[i].reason == task->reason);
	return task->state == STATE_EXITED;
}

/* What the reader says of the same instant without reading the trace from the start. */
static void check_states(struct check *check, const json_t *instant, uint64_t time_ns)
{
	struct trace_states states = { 0 };
	struct lo_error err = { 0 };
	uint64_t blocked = 0;
	size_t i;
	json_t *sample;

	if (trace_states_at(&states, check->reader, time_ns + 1, NULL, &err) != LO_OK) {
		differ("no states at %" PRIu64 " ns: %s", time_ns, err.message);
		return;
	}
	for (uint32_t k = 0; k < states.count; k++)
		blocked += states.tasks[k].state == LIVE_BLOCKED;
	expect("states of the living", number(instant, "alive"), states.count);
	expect("states of the blocked", number(instant, "blocked"), blocked);
	expect("uncertain states", 0, states.uncertain);
	json_array_foreach(member(instant, "tasks"), i, sample)
	{
		uint32_t id = (uint32_t)number(sample, "task");

		if (!same_state(&states, id, &check->tasks[id]))
			differ("the state of task %" PRIu32 " at %" PRIu64 " ns", id, time_ns);
	}
	trace_states_release(&states);
}

/* `next` is the first event that is later, NULL at the end. */
static void check_instants(struct check *check, const struct event *next)
{
	const json_t *instants = member(check->truth, "instants");

	for (; check->instant < json_array_size(instants); check->instant++) {
		const json_t *instant = json_array_get(instants, check->instant);
		uint64_t time_ns = number(instant, "time_ns");
		size_t i;
		json_t *sample;

		if (next && next->time_ns <= time_ns)
			return;
		expect("events up to an instant", number(instant, "events"), check->events);
		expect("created up to an instant", number(instant, "created"), check->created);
		expect("alive at an instant", number(instant, "alive"), check->alive);
		expect("blocked at an instant", number(instant, "blocked"), check->blocked);
		json_array_foreach(member(instant, "tasks"), i, sample)
				check_sample(check, sample, time_ns);
		check_states(check, instant, time_ns);
		if (next)
			check_seek(check, time_ns, next);
	}
}

static struct task *task_of(struct check *check, uint32_t id)
{
	if (id >= check->task_limit) {
		uint32_t limit = 2 * id + 1024;

		check->tasks = realloc(check->tasks, limit * sizeof(*check->tasks));
		if (!check->tasks)
			abort();
		memset(check->tasks + check->task_limit, 0,
				(limit - check->task_limit) * sizeof(*check->tasks));
		check->task_limit = limit;
	}
	return &check->tasks[id];
}

static void note_creation(struct check *check, uint64_t time_ns)
{
	check->created++;
	if (time_ns / check->bin_ns < check->bin_count)
		check->bins[time_ns / check->bin_ns]++;
	else
		differ("a task is created at %" PRIu64 " ns, behind the end", time_ns);
}

/* What may follow what; `from` is a set of states. */
static const struct {
	unsigned from;
	enum state to;
} steps[EVENT_KIND_COUNT] = {
	[EVENT_CREATE] = { 1u << STATE_NONE, STATE_CREATED },
	[EVENT_RUN] = { 1u << STATE_NONE | 1u << STATE_CREATED, STATE_ACTIVE },
	[EVENT_BLOCK] = { 1u << STATE_ACTIVE, STATE_BLOCKED },
	[EVENT_UNBLOCK] = { 1u << STATE_BLOCKED, STATE_ACTIVE },
	[EVENT_EXIT] = { 1u << STATE_ACTIVE, STATE_EXITED },
};

static void check_event(struct check *check, const struct event *event)
{
	struct task *task = task_of(check, event->task);
	const struct task *peer = event->peer ? task_of(check, event->peer) : NULL;

	task = &check->tasks[event->task];
	if (!(steps[event->kind].from & 1u << task->state))
		differ("task %" PRIu32 " at %" PRIu64 " ns: %s while %s", event->task,
				event->time_ns, event_schemas[event->kind].name,
				state_names[task->state]);
	if (event->time_ns < check->last_ns)
		differ("time goes back at %" PRIu64 " ns", event->time_ns);
	if (peer && peer->state == STATE_NONE)
		differ("task %" PRIu32 " at %" PRIu64 " ns names one that was never there",
				event->task, event->time_ns);
	if (event->kind == EVENT_CREATE)
		note_creation(check, event->time_ns);
	check->alive += task->state == STATE_NONE;
	check->alive -= event->kind == EVENT_EXIT;
	check->blocked += event->kind == EVENT_BLOCK;
	check->blocked -= event->kind == EVENT_UNBLOCK;
	task->state = (uint8_t)steps[event->kind].to;
	if (event->kind == EVENT_BLOCK) {
		task->since_ns = event->time_ns;
		task->reason = event->reason;
		task->stack = event->stack;
	}
	check->events++;
	check->last_ns = event->time_ns;
}

static void walk(struct check *check)
{
	struct trace_cursor *cursor = NULL;
	struct lo_error err = { 0 };
	struct event event;

	if (trace_cursor_open(&cursor, check->reader, TIME_SPAN_ALL, &err) != LO_OK) {
		differ("%s", err.message);
		return;
	}
	while (trace_cursor_next(cursor, &event, &err) == LO_OK) {
		check_instants(check, &event);
		check_event(check, &event);
	}
	check_instants(check, NULL);
	trace_cursor_close(cursor);
}

static void check_bins(const struct check *check)
{
	const json_t *counts = member(member(check->truth, "creations"), "counts");

	for (size_t i = 0; i < check->bin_count; i++)
		expect("creations in a bin",
				(uint64_t)json_integer_value(json_array_get(counts, i)),
				check->bins[i]);
}

/* Who was alive between two instants: who was at the first one, and who was created since. */
static void check_alive(struct check *check, const json_t *from, const json_t *to)
{
	struct alive_query query = {
		.span = { number(from, "time_ns") + 1, number(to, "time_ns") + 1 }, .limit = 1000000
	};
	uint64_t truth = number(from, "alive") + number(to, "created") - number(from, "created");
	struct alive_tasks alive = { 0 };
	struct lo_error err = { 0 };

	if (trace_alive_in(&alive, check->reader, &query, NULL, &err) != LO_OK) {
		differ("nobody says who is alive: %s", err.message);
		return;
	}
	if (alive.exact)
		expect("alive between two instants", truth, alive.total);
	else if (alive.total < truth)
		differ("%" PRIu64 " are alive between two instants, at most %" PRIu64 " found",
				truth, alive.total);
	if (!alive.without_short)
		expect("listed as alive between two instants", alive.total, alive.count);
	for (uint32_t i = 0; i < alive.count; i++)
		if (alive.tasks[i] >= check->task_limit ||
				check->tasks[alive.tasks[i]].state == STATE_NONE)
			differ("task %" PRIu32 " is listed as alive and never was", alive.tasks[i]);
	expect("uncertain lists", 0, alive.uncertain);
	alive_tasks_release(&alive);
}

/* Neighbours, and instants that are far apart. */
static void check_spans(struct check *check)
{
	const json_t *instants = member(check->truth, "instants");
	size_t count = json_array_size(instants);

	for (size_t i = 0; i + 1 < count; i++) {
		check_alive(check, json_array_get(instants, i), json_array_get(instants, i + 1));
		check_alive(check, json_array_get(instants, i),
				json_array_get(instants, i + (count - i) / 2));
	}
}

/* Each group has as many tasks as are found there, and none is left over. */
static void check_groups(struct check *check)
{
	const json_t *groups = member(check->truth, "still_blocked");
	uint64_t grouped = 0;
	size_t i;
	json_t *group;

	json_array_foreach(groups, i, group)
	{
		uint64_t tasks = 0;

		for (uint32_t id = 1; id < check->task_limit; id++) {
			const struct task *task = &check->tasks[id];

			tasks += task->state == STATE_BLOCKED &&
				 strcmp(string(group, "reason"),
						 trace_reader_reason_name(check->reader,
								 task->reason)) == 0 &&
				 waits_in(check->reader, task->stack, string(group, "leaf")) &&
				 waits_in(check->reader, task->stack, string(group, "where"));
		}
		expect(string(group, "where"), number(group, "tasks"), tasks);
		grouped += tasks;
	}
	expect("tasks blocked at the end", grouped, check->blocked);
}

static void check_trace(const json_t *truth, const char *path)
{
	struct check check = { .truth = truth };
	struct byte_source *source = NULL;
	struct lo_error err = { 0 };

	if (byte_source_open_file(&source, path, &err) != LO_OK ||
			trace_reader_open(&check.reader, source, NULL, &err) != LO_OK) {
		differ("%s", err.message);
		return;
	}
	check.bin_ns = number(member(truth, "creations"), "bin_ns");
	check.bin_count = json_array_size(member(member(truth, "creations"), "counts"));
	check.bins = calloc(check.bin_count + 1, sizeof(*check.bins));
	if (!check.bins)
		abort();
	task_of(&check, 0);
	walk(&check);
	expect("events read", number(member(truth, "events"), "total"), check.events);
	expect("instants met", json_array_size(member(truth, "instants")), check.instant);
	check_bins(&check);
	check_groups(&check);
	check_spans(&check);
	expect("damage", 0, trace_reader_damage_count(check.reader));
	trace_reader_close(check.reader);
	free(check.tasks);
	free(check.bins);
}

int main(int argc, char **argv)
{
	json_t *truth;
	json_t *report;
	json_t *info;

	if (argc != 5) {
		fputs("usage: truth_check TRACE TRUTH REPORT INFO\n", stderr);
		return 2;
	}
	truth = load(argv[2]);
	report = load(argv[3]);
	info = load(argv[4]);
	check_trace(truth, argv[1]);
	compare_report(truth, report);
	compare_info(truth, info);
	json_decref(truth);
	json_decref(report);
	json_decref(info);
	if (differences)
		printf("%u differences\n", differences);
	return differences != 0;
}
