#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/viewer/report/reported.h"

static json_t *document;

static json_t *json_of(const char *text)
{
	char *written = reported(text, true);
	json_error_t error;

	json_decref(document);
	document = json_loads(written, JSON_REJECT_DUPLICATES, &error);
	if (!document)
		print_message("line %d: %s\n%s\n", error.line, error.text, written);
	free(written);
	assert_non_null(document);
	return document;
}

/* --- the shape: each member that must be there, and what may stand in it ------------------------
 */

enum type {
	INTEGER,
	INTEGER_OR_NULL,
	TEXT,
	TEXT_OR_NULL,
	TEXTS,
	INTEGERS,
	BOOLEAN,
	REAL,
	OBJECT,
	ARRAY,
	COUNTS, /* an object whose members are all integers */
};

struct member {
	const char *name;
	enum type type;
};

static bool all_are(const json_t *array, bool (*is)(const json_t *))
{
	size_t i;
	json_t *item;

	if (!json_is_array(array))
		return false;
	json_array_foreach(array, i, item) if (!is(item)) return false;
	return true;
}

static bool is_text(const json_t *value)
{
	return json_is_string(value);
}

static bool is_count(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool has_counts(json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value) if (!is_count(value)) return false;
	return json_is_object(object);
}

static bool has_type(json_t *value, enum type type)
{
	switch (type) {
	case INTEGER:
		return is_count(value);
	case INTEGER_OR_NULL:
		return is_count(value) || json_is_null(value);
	case TEXT:
		return json_is_string(value) && json_string_length(value) > 0;
	case TEXT_OR_NULL:
		return has_type(value, TEXT) || json_is_null(value);
	case TEXTS:
		return all_are(value, is_text);
	case INTEGERS:
		return all_are(value, is_count);
	case BOOLEAN:
		return json_is_boolean(value);
	case REAL:
		return json_is_real(value) && json_real_value(value) >= 0 &&
		       json_real_value(value) <= 1;
	case OBJECT:
		return json_is_object(value);
	case ARRAY:
		return json_is_array(value);
	case COUNTS:
		return has_counts(value);
	}
	return false;
}

static void check_members(json_t *object, const char *what, const struct member *members)
{
	assert_true(json_is_object(object));
	for (; members->name; members++) {
		json_t *value = json_object_get(object, members->name);

		if (!value || !has_type(value, members->type))
			print_message("%s.%s is missing or of the wrong type\n", what,
					members->name);
		assert_non_null(value);
		assert_true(has_type(value, members->type));
	}
}

static void check_each(json_t *array, const char *what, const struct member *members)
{
	size_t i;
	json_t *item;

	assert_true(json_is_array(array));
	json_array_foreach(array, i, item) check_members(item, what, members);
}

static const struct member top_members[] = { { "schema", INTEGER }, { "trace", OBJECT },
	{ "tasks", COUNTS }, { "events", COUNTS }, { "blocked", ARRAY }, { "findings", ARRAY },
	{ "parked", ARRAY }, { NULL, 0 } };

static const struct member trace_members[] = { { "file", TEXT }, { "format", TEXT },
	{ "backend", TEXT_OR_NULL }, { "program", TEXT_OR_NULL }, { "arguments", TEXTS },
	{ "pid", INTEGER_OR_NULL }, { "host", TEXT_OR_NULL }, { "start_unix_ns", INTEGER_OR_NULL },
	{ "duration_ns", INTEGER }, { "events", INTEGER }, { "lost", OBJECT },
	{ "truncated", BOOLEAN }, { "warnings", TEXTS }, { NULL, 0 } };

static const struct member lost_members[] = { { "total", INTEGER }, { "by_cause", COUNTS },
	{ NULL, 0 } };

static const struct member tasks_members[] = { { "seen", INTEGER },
	{ "existing_at_start", INTEGER }, { "created", INTEGER }, { "exited", INTEGER },
	{ "alive_at_end", INTEGER }, { "peak_alive", INTEGER }, { "peak_alive_at_ns", INTEGER },
	{ "max_created_in_10ms", INTEGER }, { NULL, 0 } };

static const struct member events_members[] = { { "create", INTEGER }, { "run", INTEGER },
	{ "block", INTEGER }, { "unblock", INTEGER }, { "exit", INTEGER }, { NULL, 0 } };

static const struct member blocked_members[] = { { "reason", TEXT }, { "blocks", INTEGER },
	{ "total_ns", INTEGER }, { "max_ns", INTEGER }, { "still_blocked", INTEGER }, { NULL, 0 } };

static const struct member finding_members[] = { { "kind", TEXT }, { "severity", INTEGER },
	{ "summary", TEXT }, { "why", TEXTS }, { "since_ns", INTEGER },
	{ "until_ns", INTEGER_OR_NULL }, { NULL, 0 } };

static const struct member group_members[] = { { "tasks", INTEGER }, { "task_ids", INTEGERS },
	{ "task_names", TEXTS }, { "since_ns", INTEGER }, { "reason", TEXT },
	{ "where", TEXT_OR_NULL }, { "stack", ARRAY }, { "created_by", TEXT_OR_NULL },
	{ "creation_stack", ARRAY }, { "why", TEXTS }, { NULL, 0 } };

static const struct member object_members[] = { { "kind", TEXT }, { "address", TEXT },
	{ "holder", INTEGER_OR_NULL }, { NULL, 0 } };

static const struct member frame_members[] = { { "function", TEXT }, { "file", TEXT_OR_NULL },
	{ "line", INTEGER_OR_NULL }, { "module", TEXT_OR_NULL }, { NULL, 0 } };

static const struct member waker_members[] = { { "task", INTEGER }, { "name", TEXT_OR_NULL },
	{ "wakes", INTEGER }, { "last_ns", INTEGER }, { "state", TEXT }, { NULL, 0 } };

static const struct member edge_members[] = { { "task", INTEGER }, { "name", TEXT_OR_NULL },
	{ "waits_for", TEXT }, { "held_by", INTEGER }, { "where", TEXT_OR_NULL },
	{ "stack", ARRAY }, { NULL, 0 } };

static const struct member burst_members[] = { { "created", INTEGER },
	{ "peak_rate_per_s", INTEGER }, { "peak_alive", INTEGER }, { NULL, 0 } };

static const struct member convoy_members[] = { { "share_of_blocked", REAL },
	{ "waiters_peak", INTEGER }, { NULL, 0 } };

static void check_finding(json_t *finding)
{
	const char *kind = json_string_value(json_object_get(finding, "kind"));

	check_members(finding, "finding", finding_members);
	if (strcmp(kind, "stuck") == 0 || strcmp(kind, "deadlock") == 0) {
		check_members(finding, kind, group_members);
		check_members(json_object_get(finding, "object"), "object", object_members);
		check_each(json_object_get(finding, "stack"), "stack", frame_members);
		check_each(json_object_get(finding, "creation_stack"), "stack", frame_members);
	}
	if (strcmp(kind, "stuck") == 0)
		check_each(json_object_get(finding, "expected_wakers"), "waker", waker_members);
	if (strcmp(kind, "deadlock") == 0)
		check_each(json_object_get(finding, "cycle"), "edge", edge_members);
	if (strcmp(kind, "burst") == 0)
		check_members(finding, kind, burst_members);
	if (strcmp(kind, "convoy") == 0)
		check_members(finding, kind, convoy_members);
}

static void check_document(json_t *root)
{
	json_t *trace = json_object_get(root, "trace");
	json_t *findings = json_object_get(root, "findings");
	size_t i;
	json_t *item;

	check_members(root, "report", top_members);
	assert_int_equal(json_integer_value(json_object_get(root, "schema")), 1);
	check_members(trace, "trace", trace_members);
	check_members(json_object_get(trace, "lost"), "lost", lost_members);
	check_members(json_object_get(root, "tasks"), "tasks", tasks_members);
	check_members(json_object_get(root, "events"), "events", events_members);
	check_each(json_object_get(root, "blocked"), "blocked", blocked_members);
	check_each(json_object_get(root, "parked"), "parked", group_members);
	json_array_foreach(findings, i, item) check_finding(item);
}

/* --- values
 * --------------------------------------------------------------------------------------- */

/* Follows names and indexes with dots between them: "findings.0.cycle.1.held_by". */
static json_t *at(const char *path)
{
	char copy[128];
	json_t *value = document;

	strcpy(copy, path);
	for (char *step = strtok(copy, "."); step; step = strtok(NULL, "."))
		value = json_is_array(value) ? json_array_get(value, strtoul(step, NULL, 10))
					     : json_object_get(value, step);
	if (!value)
		print_message("nothing is at %s\n", path);
	assert_non_null(value);
	return value;
}

static void assert_number(const char *path, long long expected)
{
	assert_int_equal(json_integer_value(at(path)), expected);
}

static void assert_text(const char *path, const char *expected)
{
	assert_true(json_is_string(at(path)));
	assert_string_equal(json_string_value(at(path)), expected);
}

static void assert_absent(const char *object, const char *member)
{
	assert_null(json_object_get(at(object), member));
}

#define DEADLOCK                                                             \
	"program /usr/bin/shop\n"                                            \
	"module libc /usr/lib/libc.so.6 system\n"                            \
	"meta backend preload\n"                                             \
	"meta host db7\n"                                                    \
	"meta pid 4711\n"                                                    \
	"meta start_unix_ns 1700000000000000000\n"                           \
	"meta argument --fast\n"                                             \
	"meta argument now\n"                                                \
	"meta warning no symbols for libssl\n"                               \
	"name T1 shop\n"                                                     \
	"name T2 left\n"                                                     \
	"name T3 right\n"                                                    \
	"@0 run T1 existing\n"                                               \
	"@1ms create T2 by T1 at main(shop.c:9)>start!libc\n"                \
	"@1ms create T3 by T1 at main(shop.c:9)>start!libc\n"                \
	"@2ms block T1 task T2 at main(shop.c:12)>join!libc\n"               \
	"@500ms block T2 mutex 0x20 held T3 at left(shop.c:20)>lock!libc\n"  \
	"@600ms block T3 mutex 0x10 held T2 at right(shop.c:30)>lock!libc\n" \
	"@700ms create T4 by T1\n"                                           \
	"@700ms block T4 descriptor 5 for poll\n"                            \
	"@3s end\n"

static void a_deadlock_has_every_field_of_the_contract(void **state)
{
	(void)state;
	check_document(json_of(DEADLOCK));
	assert_text("trace.file", "FILE");
	assert_text("trace.format", "loiter");
	assert_text("trace.backend", "preload");
	assert_text("trace.program", "/usr/bin/shop");
	assert_text("trace.arguments.0", "--fast");
	assert_text("trace.arguments.1", "now");
	assert_number("trace.pid", 4711);
	assert_text("trace.host", "db7");
	assert_number("trace.start_unix_ns", 1700000000000000000);
	assert_number("trace.duration_ns", 3000000000);
	assert_number("trace.events", 8);
	assert_number("trace.lost.total", 0);
	assert_true(json_is_false(at("trace.truncated")));
	assert_text("trace.warnings.0", "no symbols for libssl");
	assert_number("tasks.seen", 4);
	assert_number("tasks.created", 3);
	assert_number("tasks.existing_at_start", 1);
	assert_number("tasks.alive_at_end", 4);
	assert_number("tasks.max_created_in_10ms", 2);
	assert_number("events.block", 4);
	assert_number("events.unblock", 0);
	assert_text("blocked.0.reason", "mutex lock");
	assert_number("blocked.0.total_ns", 4900000000);
	assert_number("blocked.0.still_blocked", 2);

	assert_text("findings.0.kind", "deadlock");
	assert_number("findings.0.severity", 5);
	assert_number("findings.0.tasks", 2);
	assert_number("findings.0.task_ids.0", 2);
	assert_text("findings.0.task_names.1", "right");
	assert_number("findings.0.since_ns", 600000000);
	assert_true(json_is_null(at("findings.0.until_ns")));
	assert_text("findings.0.reason", "mutex lock");
	assert_text("findings.0.object.kind", "mutex");
	assert_text("findings.0.object.address", "0x20");
	assert_number("findings.0.object.holder", 3);
	assert_text("findings.0.where", "left");
	assert_text("findings.0.stack.0.function", "lock");
	assert_text("findings.0.stack.0.module", "libc.so.6");
	assert_true(json_is_null(at("findings.0.stack.0.file")));
	assert_true(json_is_null(at("findings.0.stack.0.line")));
	assert_text("findings.0.stack.1.file", "shop.c");
	assert_number("findings.0.stack.1.line", 20);
	assert_text("findings.0.created_by", "main");
	assert_text("findings.0.creation_stack.0.function", "start");
	assert_number("findings.0.cycle.0.task", 2);
	assert_text("findings.0.cycle.0.waits_for", "mutex 0x20");
	assert_number("findings.0.cycle.0.held_by", 3);
	assert_text("findings.0.cycle.1.name", "right");
	assert_text("findings.0.cycle.1.where", "right");
	assert_text("findings.0.cycle.1.stack.0.function", "lock");
	assert_text("findings.1.kind", "stuck");
	assert_text("findings.1.object.kind", "task");
	assert_true(json_is_null(at("findings.1.object.holder")));
	assert_text("parked.0.reason", "poll");
	assert_number("parked.0.tasks", 1);
	assert_true(json_is_null(at("parked.0.where")));
	assert_absent("findings.0", "expected_wakers");
	assert_absent("findings.0", "created");
	assert_absent("findings.1", "cycle");
}

static void a_lost_wakeup_names_the_expected_waker(void **state)
{
	(void)state;
	check_document(json_of("program shop\n"
			       "name T1 main\n"
			       "@0 run T1 existing\n"
			       "@1ms create T2 by T1 at main\n"
			       "@10ms block T2 cond 0x20 at worker\n"
			       "@20ms unblock T2 by T1\n"
			       "@30ms block T2 cond 0x20 signalled T1 at worker\n"
			       "@40ms block T1 task T2 at main\n"
			       "@3s end\n"));
	assert_text("findings.0.kind", "stuck");
	assert_text("findings.0.object.kind", "cond");
	assert_true(json_is_null(at("findings.0.object.holder"))); /* who signals holds nothing */
	assert_number("findings.0.expected_wakers.0.task", 1);
	assert_text("findings.0.expected_wakers.0.name", "main");
	assert_number("findings.0.expected_wakers.0.wakes", 1);
	assert_number("findings.0.expected_wakers.0.last_ns", 20000000);
	assert_text("findings.0.expected_wakers.0.state", "blocked");
}

static void what_is_not_known_is_null(void **state)
{
	(void)state;
	check_document(json_of("@5ms unblock T1\n@6ms end\n"));
	assert_true(json_is_null(at("trace.pid")));
	assert_true(json_is_null(at("trace.host")));
	assert_true(json_is_null(at("trace.start_unix_ns")));
	assert_true(json_is_null(at("trace.backend")));
	assert_text("blocked.0.reason", "unknown (before the trace)");
	assert_number("blocked.0.total_ns", 5000000);
	assert_int_equal(json_array_size(at("findings")), 0);
	assert_int_equal(json_array_size(at("parked")), 0);
}

static void losses_are_counted_by_cause(void **state)
{
	(void)state;
	check_document(json_of("@0 run T1 existing\n@1ms lost 12 ring full\n@2ms end\n"));
	assert_number("trace.lost.total", 12);
	assert_number("trace.lost.by_cause.ring full", 12);
	assert_int_equal(json_object_size(at("trace.lost.by_cause")), 1);
	assert_text("findings.0.kind", "loss");
	assert_absent("findings.0", "tasks");
	assert_absent("findings.0", "where");
	assert_true(json_is_integer(at("findings.0.until_ns")));
}

static void a_cut_trace_says_so(void **state)
{
	(void)state;
	check_document(json_of("@0 run T1 existing\n@1ms flush\ncut\n"));
	assert_true(json_is_true(at("trace.truncated")));
	assert_true(json_array_size(at("trace.warnings")) > 0);
}

static void an_imported_trace_names_its_format(void **state)
{
	(void)state;
	check_document(json_of("meta source_format go-trace-v2\n"
			       "meta source_cut 1\n"
			       "meta backend import\n"
			       "@0 run T1 existing\n@1ms end\n"));
	assert_text("trace.format", "go-trace-v2");
	assert_text("trace.backend", "import");
	assert_true(json_is_true(at("trace.truncated")));
}

static char *burst_text(void)
{
	char *text = malloc(1u << 17);
	size_t used = (size_t)sprintf(text, "program shop\n@0 run T1 existing\n");

	for (unsigned task = 2; task < 1102; task++)
		used += (size_t)sprintf(text + used, "@%uus create T%u by T1 at main>spawn\n",
				task * 50, task);
	sprintf(text + used, "@2s end\n");
	return text;
}

static void a_burst_has_its_size_and_only_the_first_hundred_tasks(void **state)
{
	char *text = burst_text();

	(void)state;
	check_document(json_of(text));
	free(text);
	assert_text("findings.0.kind", "burst");
	assert_number("findings.0.created", 1100);
	assert_number("findings.0.peak_alive", 1100);
	assert_number("findings.0.peak_rate_per_s", 20000);
	assert_text("findings.0.created_by", "spawn");
	assert_number("findings.0.tasks", 1100);
	assert_int_equal(json_array_size(at("findings.0.task_ids")), 100);
	assert_absent("findings.0", "reason");
	assert_absent("findings.0", "object");
}

static char *convoy_text(void)
{
	char *text = malloc(1u << 17);
	size_t used = (size_t)sprintf(text, "program shop\n@0 run T1 existing\n");

	for (unsigned i = 0; i < 50; i++) {
		for (unsigned task = 2; task < 6; task++)
			used += (size_t)sprintf(text + used, "@%ums block T%u mutex 0x10 at take\n",
					20 * i, task);
		for (unsigned task = 2; task < 6; task++)
			used += (size_t)sprintf(text + used, "@%ums unblock T%u by T1\n",
					20 * i + 19, task);
	}
	sprintf(text + used, "@1s end\n");
	return text;
}

static void a_convoy_has_its_share(void **state)
{
	char *text = convoy_text();

	(void)state;
	check_document(json_of(text));
	free(text);
	assert_text("findings.0.kind", "convoy");
	assert_true(json_real_value(at("findings.0.share_of_blocked")) > 0.99);
	assert_number("findings.0.waiters_peak", 4);
	assert_text("findings.0.where", "take");
	assert_absent("findings.0", "created_by");
}

static void hostile_names_stay_inside_their_strings(void **state)
{
	(void)state;
	check_document(json_of("program sh\"op\\\x1b[2J\n"
			       "name T1 \xff\xfe\"}]\n"
			       "@0 block T1 for sleep at ma\"in\n"
			       "@1ms end\n"));
	assert_int_equal(json_array_size(at("parked")), 1);
	assert_null(strchr(json_string_value(at("trace.program")), '\x1b'));
	assert_text("parked.0.where", "ma\"in");
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(document);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_deadlock_has_every_field_of_the_contract),
		cmocka_unit_test(a_lost_wakeup_names_the_expected_waker),
		cmocka_unit_test(what_is_not_known_is_null),
		cmocka_unit_test(losses_are_counted_by_cause),
		cmocka_unit_test(a_cut_trace_says_so),
		cmocka_unit_test(an_imported_trace_names_its_format),
		cmocka_unit_test(a_burst_has_its_size_and_only_the_first_hundred_tasks),
		cmocka_unit_test(a_convoy_has_its_share),
		cmocka_unit_test(hostile_names_stay_inside_their_strings),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
