#include "tests/integration/go/note_truth.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/model/counter.h"
#include "formats/model/meta.h"
#include "formats/native/trace_counters.h"
#include "formats/native/trace_notes.h"

struct counting {
	const char *trace;
	struct trace_reader *reader;
	json_t *counts; /* by group, then by name */
	unsigned differences;
};

static void differ(struct counting *counting, const char *group, const char *name, long long got,
		long long expected)
{
	printf("%s: %s '%s' is %lld, should be %lld\n", counting->trace, group, name, got,
			expected);
	counting->differences++;
}

static void add(struct counting *counting, const char *group, const char *name)
{
	json_t *names = json_object_get(counting->counts, group);

	if (!names) {
		names = json_object();
		json_object_set_new(counting->counts, group, names);
	}
	json_object_set_new(names, name,
			json_integer(json_integer_value(json_object_get(names, name)) + 1));
}

/* As Go's parser calls the range. */
static void add_range(struct counting *counting, const struct note *note, const char *name)
{
	char text[256];

	if (note->flags & NOTE_FLAG_BEGAN_BEFORE)
		return;
	/* Go's parser spells this one in its own way for traces before 1.22. */
	if (strcmp(name, "all goroutines stack trace") == 0 &&
			strcmp(trace_reader_meta(counting->reader, META_SOURCE_FORMAT, 0),
					"go-trace-v1") == 0)
		name = "all goroutine stack trace";
	if (note->kind == NOTE_STOP_WORLD) {
		snprintf(text, sizeof(text), "stop-the-world (%s)", name);
		name = text;
	} else {
		name = note->kind == NOTE_GC      ? "GC concurrent mark phase"
		       : note->kind == NOTE_SWEEP ? "GC incremental sweep"
						  : "GC mark assist";
	}
	add(counting, "range_begins_by_name", name);
}

static void check_note(struct counting *counting, const struct note *note)
{
	bool ranged = note_schemas[note->kind].fields & NOTE_IS_RANGE;

	if (note->end_ns > trace_reader_info(counting->reader)->duration_ns)
		differ(counting, "a note's end", note_schemas[note->kind].name,
				(long long)note->end_ns,
				(long long)trace_reader_info(counting->reader)->duration_ns);
	if (!ranged && note->begin_ns != note->end_ns)
		differ(counting, "length of a moment", note_schemas[note->kind].name,
				(long long)(note->end_ns - note->begin_ns), 0);
}

static bool count_note(void *context, const struct note *note)
{
	struct counting *counting = context;
	const char *name = trace_reader_string(counting->reader, note->name, NULL);
	const char *text = trace_reader_string(counting->reader, note->text, NULL);

	check_note(counting, note);
	switch (note->kind) {
	case NOTE_USER_TASK:
		add(counting, "task_begins_by_type", name);
		break;
	case NOTE_REGION:
		add(counting, "region_begins_by_type", name);
		if (note->task == TASK_NONE || note->parent == 0)
			differ(counting, "task and user task of region", name, note->task, 1);
		break;
	case NOTE_LOG:
		add(counting, "logs", "");
		if (!text[0])
			differ(counting, "text of log", name, 0, 1);
		break;
	case NOTE_LABEL:
		add(counting, "goroutine_labels", text);
		break;
	case NOTE_CPU_SAMPLE:
		add(counting, "cpu_samples", "");
		if (note->stack == STACK_NONE)
			differ(counting, "stack of", "cpu sample", 0, 1);
		break;
	default:
		add_range(counting, note, name);
	}
	return true;
}

static void compare_group(struct counting *counting, const json_t *truth, const char *group)
{
	json_t *got = json_object_get(counting->counts, group);
	json_t *expected = json_object_get(truth, group);
	const char *name;
	json_t *value;

	json_object_foreach(expected, name, value)
	{
		long long count = (long long)json_integer_value(json_object_get(got, name));

		if (count != json_integer_value(value))
			differ(counting, group, name, count, (long long)json_integer_value(value));
	}
	json_object_foreach(got, name, value) if (!json_object_get(expected, name))
			differ(counting, group, name, (long long)json_integer_value(value), 0);
}

static void compare_number(
		struct counting *counting, const json_t *truth, const char *key, long long got)
{
	long long expected = (long long)json_integer_value(json_object_get(truth, key));

	if (got != expected)
		differ(counting, "number", key, got, expected);
}

static long long count_of(const struct counting *counting, const char *group)
{
	return (long long)json_integer_value(
			json_object_get(json_object_get(counting->counts, group), ""));
}

static void compare_counters(struct counting *counting, const json_t *truth)
{
	static const struct trace_counter none;
	const struct trace_counter *heap = trace_counter_get(
			counting->reader, trace_counter_find(counting->reader, COUNTER_HEAP));
	const struct trace_counter *goal = trace_counter_get(
			counting->reader, trace_counter_find(counting->reader, COUNTER_HEAP_GOAL));
	const struct trace_counter *procs = trace_counter_get(
			counting->reader, trace_counter_find(counting->reader, COUNTER_GOMAXPROCS));

	heap = heap ? heap : &none;
	compare_number(counting, truth, "heap_alloc_samples", (long long)heap->total.samples);
	compare_number(counting, truth, "heap_alloc_peak_bytes", (long long)heap->total.greatest);
	compare_number(counting, truth, "heap_alloc_last_bytes", (long long)heap->total.last);
	compare_number(counting, truth, "heap_goal_last_bytes",
			(long long)(goal ? goal : &none)->total.last);
	compare_number(counting, truth, "gomaxprocs_last",
			(long long)(procs ? procs : &none)->total.last);
}

unsigned compare_notes(const char *trace, const json_t *truth, struct trace_reader *reader)
{
	static const char *const groups[] = { "range_begins_by_name", "task_begins_by_type",
		"region_begins_by_type", "goroutine_labels" };
	struct counting counting = { .trace = trace, .reader = reader, .counts = json_object() };
	struct note_query query = { .span = TIME_SPAN_ALL, .kinds = NOTE_KINDS_ALL };
	struct lo_error err;

	if (trace_notes_visit(reader, &query, count_note, &counting, NULL, &err) != LO_OK) {
		printf("%s: %s\n", trace, err.message);
		counting.differences++;
	}
	for (unsigned i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		compare_group(&counting, truth, groups[i]);
	compare_number(&counting, truth, "logs", count_of(&counting, "logs"));
	compare_number(&counting, truth, "cpu_samples", count_of(&counting, "cpu_samples"));
	compare_counters(&counting, truth);
	if (trace_reader_damage_count(reader) > 0)
		differ(&counting, "damage", "", trace_reader_damage_count(reader), 0);
	json_decref(counting.counts);
	return counting.differences;
}
