#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "formats/import/dump_line.h"
#include "formats/import/import_probe.h"
#include "formats/import/import_run.h"
#include "formats/model/meta.h"
#include "formats/native/trace_notes.h"
#include "tests/support/go_trace_text.h"
#include "tests/support/task_row.h"

static struct dump_text text_of(const char *words)
{
	return (struct dump_text){ words, (uint32_t)strlen(words) };
}

static void assert_text(struct dump_text text, const char *expected)
{
	assert_int_equal(text.length, strlen(expected));
	assert_memory_equal(text.bytes, expected, text.length);
}

static void headers_of_every_version_are_understood(void **state)
{
	static const struct {
		const char *line;
		uint64_t goroutine;
		const char *status;
		uint64_t minutes;
	} cases[] = {
		{ "goroutine 1 [running]:", 1, "running", 0 },
		{ "goroutine 18446744073709551 [select, 12 minutes]:\r", 18446744073709551u,
				"select", 12 },
		{ "goroutine 7 gp=0xc000002380 m=nil [GC worker (idle)]:", 7, "GC worker (idle)",
				0 },
		{ "goroutine 9 gp=0xc0 m=3 mp=0xc4 [syscall, 3 minutes, locked to thread]:", 9,
				"syscall", 3 },
		{ "goroutine 5 [chan receive (nil chan) (leaked) (scan)]:", 5,
				"chan receive (nil chan)", 0 },
		{ "goroutine 5 [chan receive (durable), 1 minutes, synctest bubble 4]:", 5,
				"chan receive", 1 },
		{ "goroutine 5 [select] {service: \"b [x] \\\"eu\\\"\", n: 7}:", 5, "select", 0 },
		{ "2026-11-21T02:53:28Z app-7 goroutine 5 [sleep]:", 5, "sleep", 0 },
		{ "goroutine 0 gp=0x5f96c0 m=0 mp=0x5fa480 [idle]:", 0, "idle", 0 },
	};
	struct dump_header header;

	(void)state;
	for (unsigned i = 0; i < LO_COUNT_OF(cases); i++) {
		assert_true(dump_line_header(text_of(cases[i].line), &header));
		assert_true(header.goroutine == cases[i].goroutine);
		assert_text(header.status, cases[i].status);
		assert_int_equal(header.minutes, cases[i].minutes);
	}
}

static void talk_about_goroutines_is_no_header(void **state)
{
	static const char *const lines[] = { "", "goroutine", "goroutine 5",
		"goroutine 5 []:", "goroutine 5 [running]",
		"goroutine x [running]:", "goroutine 5 is [stuck]:",
		"goroutine 99999999999999999999999 [select]:", "goroutine 5 [running",
		"goroutine running on other thread; stack unavailable",
		"created by main.main in goroutine 1", "goroutine profile: total 9" };
	struct dump_header header;

	(void)state;
	for (unsigned i = 0; i < LO_COUNT_OF(lines); i++)
		assert_false(dump_line_header(text_of(lines[i]), &header));
}

static void functions_end_at_their_last_arguments(void **state)
{
	static const char *const cases[][2] = {
		{ "main.main()", "main.main" },
		{ "main.(*T).f(0xc0, {0x1, 0x2}, ...)", "main.(*T).f" },
		{ "net/http.(*conn).serve(0xc000, {0x6, 0xc0})", "net/http.(*conn).serve" },
		{ "main.each[...](...)", "main.each[...]" },
		{ "main.f.func1({0x1, f(0x2)})", "main.f.func1" },
		{ "panic({0x4a, 0x4e?})", "panic" },
	};
	struct dump_text function;

	(void)state;
	for (unsigned i = 0; i < LO_COUNT_OF(cases); i++) {
		assert_true(dump_line_function(text_of(cases[i][0]), &function));
		assert_text(function, cases[i][1]);
	}
	assert_false(dump_line_function(text_of("()"), &function));
	assert_false(dump_line_function(text_of("main.f"), &function));
	assert_false(dump_line_function(text_of("f))"), &function));
	assert_false(dump_line_function(text_of(""), &function));
}

static void locations_are_found_with_and_without_offsets(void **state)
{
	struct dump_text file;
	uint32_t line;

	(void)state;
	assert_true(dump_line_location(text_of("\t/src/main.go:22 +0x1c"), &file, &line));
	assert_text(file, "/src/main.go");
	assert_int_equal(line, 22);
	assert_true(dump_line_location(
			text_of("    C:/a b/m.go:7 +0x1 fp=0xc0 sp=0xc1 pc=0x4a"), &file, &line));
	assert_text(file, "C:/a b/m.go");
	assert_int_equal(line, 7);
	assert_false(dump_line_location(text_of("\t/src/main.go"), &file, &line));
	assert_false(dump_line_location(text_of(":5"), &file, &line));
	assert_false(dump_line_location(text_of("\t/src/main.go:99999999999"), &file, &line));
}

static void creators_have_numbers_since_go_1_21(void **state)
{
	struct dump_text function;
	uint64_t creator;

	(void)state;
	assert_true(dump_line_created(text_of("created by main.main.func1 in goroutine 17"),
			&function, &creator));
	assert_text(function, "main.main.func1");
	assert_int_equal(creator, 17);
	assert_true(dump_line_created(
			text_of("created by net/http.(*Server).Serve"), &function, &creator));
	assert_text(function, "net/http.(*Server).Serve");
	assert_int_equal(creator, 0);
}

static void groups_have_a_count_and_frames(void **state)
{
	struct dump_text function;
	struct dump_text file;
	uint64_t count;
	uint32_t line;

	(void)state;
	assert_true(dump_line_group(text_of("25 @ 0x48594e 0x41719c"), &count));
	assert_int_equal(count, 25);
	assert_false(dump_line_group(text_of("0 @ 0x1"), &count));
	assert_false(dump_line_group(text_of("mail 5 @ home"), &count));
	assert_false(dump_line_group(text_of("5 @ home"), &count));
	assert_true(dump_line_group_frame(
			text_of("#\t0x494064\tsync.(*WaitGroup).Wait+0x84\t\tsync/waitgroup.go:206"),
			&function, &file, &line));
	assert_text(function, "sync.(*WaitGroup).Wait");
	assert_text(file, "sync/waitgroup.go");
	assert_int_equal(line, 206);
	assert_false(dump_line_group_frame(
			text_of("# labels: {\"a\":\"b\"}"), &function, &file, &line));
}

static void assert_imports(const char *dump, const char *expected)
{
	struct byte_buffer file = { (uint8_t *)(uintptr_t)dump, strlen(dump), 0, false };
	struct byte_buffer events = { 0 };
	struct trace_reader *reader = import_bytes(&file, NULL);

	assert_string_equal(trace_reader_meta(reader, META_SOURCE_FORMAT, 0), "goroutine-dump");
	events_to_text(reader, &events);
	assert_string_equal((char *)events.bytes, expected);
	trace_reader_close(reader);
	byte_buffer_release(&events);
}

#define MAIN_RUNNING "goroutine 1 [running]:\nmain.main()\n\t/src/main.go:5 +0x1\n\n"
#define WORKER(status)                                                        \
	"goroutine 7 [" status "]:\nmain.recv(0xc0)\n\t/src/main.go:9 +0x1\n" \
	"created by main.serve in goroutine 1\n\t/src/main.go:30 +0x2\n\n"

static void one_dump_is_a_moment(void **state)
{
	(void)state;
	assert_imports("panic: oh no\n\n" MAIN_RUNNING WORKER("chan receive") "exit status 2\n",
			"0 create 1 existing\n"
			"0 create 7 existing by 1 at main.serve\n"
			"0 block 7 chan receive at main.recv\n");
}

static void minutes_of_waiting_date_the_block_back(void **state)
{
	(void)state;
	assert_imports(MAIN_RUNNING WORKER(
				       "chan receive, 2 minutes") "goroutine 8 [select, 5 minutes]:\nmain.idle()\n\t/m.go:1\n",
			"0 create 8 existing\n0 block 8 select at main.idle\n"
			"180000000000 create 7 existing by 1 at main.serve\n"
			"180000000000 block 7 chan receive at main.recv\n"
			"300000000000 create 1 existing\n");
}

static void system_stacks_ancestors_and_elided_frames_are_not_in_stacks(void **state)
{
	(void)state;
	assert_imports("SIGQUIT: quit\nPC=0x1 m=0 sigcode=0\n\n"
		       "goroutine 0 gp=0x1 m=0 mp=0x2 [idle]:\nruntime.futex()\n\t/r.go:1\n\n"
		       "goroutine 4 gp=0x3 m=nil [sync.Mutex.Lock]:\n"
		       "sync.f()\n\t/s.go:1\n...3 frames elided...\n"
		       "main.deep(...)\n\t/m.go:2\nruntime.goexit({})\n\t/r.s:1\n"
		       "created by main.main in goroutine 9\n\t/m.go:3\n"
		       "[originating from goroutine 9]:\nmain.other()\n\t/m.go:4\n\n"
		       "rax    0x0\n",
			"0 create 4 existing at main.main\n0 block 4 sync.Mutex.Lock at sync.f\n");
}

/* 7 stays where it is; 8 ends; 9 is new. */
static void several_dumps_are_a_trace(void **state)
{
	(void)state;
	assert_imports(MAIN_RUNNING WORKER(
				       "chan receive") "goroutine 8 [sleep]:\nmain.s()\n\t/m.go:1\n\n"
						       "some log line\n" MAIN_RUNNING WORKER(
								       "chan receive") "goroutine 9 [sleep]:\nmain.s()\n\t/m.go:1\n"
										       "created by main.serve in goroutine 7\n\t/m.go:30\n",
			"0 create 1 existing\n0 create 7 existing by 1 at main.serve\n"
			"0 block 7 chan receive at main.recv\n"
			"0 create 8 existing\n0 block 8 sleep at main.s\n"
			"1000000000 create 9 by 7 at main.serve\n"
			"1000000000 block 9 sleep at main.s\n"
			"1000000000 unblock 8\n1000000000 exit 8\n");
}

static void minutes_tell_how_far_dumps_are_apart(void **state)
{
	(void)state;
	assert_imports(WORKER("select, 1 minutes") MAIN_RUNNING WORKER("select, 4 minutes"),
			"0 create 7 existing by 1 at main.serve\n0 block 7 select at main.recv\n"
			"60000000000 create 1 existing\n"
			"240000000000 exit 1\n");
}

static void clocks_tell_better_how_far_dumps_are_apart(void **state)
{
	(void)state;
	assert_imports(DUMP_TAKEN_LINE "1763704000250000000\n" WORKER("select, 1 minutes")
					DUMP_TAKEN_LINE
			"1763704002500000000\n" WORKER("select, 1 minutes")
					MAIN_RUNNING DUMP_TAKEN_LINE
			"1763704003500000001\n" WORKER("chan send"),
			"0 create 7 existing at main.serve\n0 block 7 select at main.recv\n"
			"62250000000 create 1\n"
			"63250000001 unblock 7\n63250000001 block 7 chan send at main.recv\n"
			"63250000001 exit 1\n");
}

static void a_goroutine_that_moved_was_woken_in_between(void **state)
{
	(void)state;
	assert_imports(WORKER("select") WORKER("chan send"),
			"0 create 7 existing at main.serve\n0 block 7 select at main.recv\n"
			"1000000000 unblock 7\n1000000000 block 7 chan send at main.recv\n");
}

static void log_prefixes_and_lost_tabs_do_not_hide_a_dump(void **state)
{
	(void)state;
	assert_imports("app| goroutine 7 [select]:\r\napp| main.recv(0x1)\r\n"
		       "app|     /src/main.go:9 +0x1\r\n"
		       "app| created by main.serve\r\napp|     /src/main.go:30\r\napp| \r\n",
			"0 create 7 existing at main.serve\n0 block 7 select at main.recv\n");
}

static void groups_become_as_many_tasks(void **state)
{
	(void)state;
	assert_imports("goroutine profile: total 3\n2 @ 0x1 0x2\n"
		       "#\t0x1\ttime.Sleep+0x1\t/t.go:1\n#\t0x2\tmain.s+0x2\t/m.go:2\n\n"
		       "1 @ 0x3\n# labels: {\"a\":\"b\"}\n#\t0x3\tmain.main+0x3\t/m.go:3\n\n",
			"0 create 0 existing\n0 block 0 sleep at time.Sleep\n"
			"0 create 0' existing\n0 block 0' sleep at time.Sleep\n"
			"0 create 0'' existing\n0 block 0'' unknown at main.main\n");
}

static void labels_have_keys_and_values(void **state)
{
	static const struct {
		const char *line;
		const char *labels[3][2];
	} cases[] = {
		{ "goroutine 5 [select] {service: \"b, [x]: 1\", n: 7}:",
				{ { "service", "b, [x]: 1" }, { "n", "7" } } },
		{ "goroutine 5 [select] {\"a \\\" b\": c}:", { { "a \\\" b", "c" } } },
		{ "goroutine 5 [select] {}:", { { NULL, NULL } } },
		{ "goroutine 5 [select]:", { { NULL, NULL } } },
		{ "goroutine 5 [select] {a}:", { { NULL, NULL } } },
		{ "goroutine 5 [select] {a: \"open}:", { { "a", "open" } } },
	};
	struct dump_header header;
	struct dump_text value;
	struct dump_text key;

	(void)state;
	for (unsigned i = 0; i < LO_COUNT_OF(cases); i++) {
		assert_true(dump_line_header(text_of(cases[i].line), &header));
		for (unsigned label = 0; cases[i].labels[label][0]; label++) {
			assert_true(dump_label_next(&header.labels, &key, &value));
			assert_text(key, cases[i].labels[label][0]);
			assert_text(value, cases[i].labels[label][1]);
		}
		assert_false(dump_label_next(&header.labels, &key, &value));
	}
	assert_true(dump_line_labels(text_of("# labels: {\"a\":\"b\"}"), &header.labels));
	assert_true(dump_label_next(&header.labels, &key, &value));
	assert_text(value, "b");
	assert_false(dump_line_labels(text_of("# labels: none"), &header.labels));
}

/* All notes of a trace as lines: "0 label shard 7 of 7, 0 at main.f". */
struct note_lines {
	struct trace_reader *reader;
	struct byte_buffer text;
};

static bool add_note_line(void *context, const struct note *note)
{
	struct note_lines *lines = context;
	const struct symbol *chain = NULL;
	uint32_t frame = stack_table_get(trace_reader_stacks(lines->reader), note->stack).frame;
	char line[300];
	int length;

	symbol_table_get(trace_reader_symbols(lines->reader), frame, &chain);
	length = snprintf(line, sizeof(line), "%llu %s %s %s of %u, %llu at %s\n",
			(unsigned long long)note->begin_ns, note_schemas[note->kind].name,
			trace_reader_string(lines->reader, note->name, NULL),
			trace_reader_string(lines->reader, note->text, NULL),
			task_row(lines->reader, note->task).tid, (unsigned long long)note->value,
			chain ? trace_reader_string(lines->reader, chain->function, NULL) : "");
	byte_buffer_put(&lines->text, line, (size_t)length);
	return true;
}

static void assert_notes(const char *dump, const char *expected)
{
	struct byte_buffer file = { (uint8_t *)(uintptr_t)dump, strlen(dump), 0, false };
	struct note_query query = { .span = TIME_SPAN_ALL, .kinds = NOTE_KINDS_ALL };
	struct note_lines lines = { .reader = import_bytes(&file, NULL) };

	assert_int_equal(trace_notes_visit(lines.reader, &query, add_note_line, &lines, NULL, NULL),
			LO_OK);
	byte_buffer_put_byte(&lines.text, 0);
	assert_string_equal((char *)lines.text.bytes, expected);
	trace_reader_close(lines.reader);
	byte_buffer_release(&lines.text);
}

static void what_else_a_dump_says_becomes_notes(void **state)
{
	(void)state;
	assert_notes("goroutine 4 [syscall, 2 minutes, locked to thread] {shard: \"7 \\\"a\\\"\"}:\n"
		     "main.f()\n\t/s.go:1\n...3 frames elided...\n"
		     "main.deep(...)\n\t/m.go:2\n"
		     "created by main.main in goroutine 9\n\t/m.go:3\n"
		     "[originating from goroutine 9]:\nmain.other()\n\t/m.go:4\n"
		     "created by main.first\n\t/m.go:8\n"
		     "[originating from goroutine 1]:\nmain.oldest()\n\t/m.go:7\n\n"
		     "goroutine 5 [select]:\nmain.g()\n\t/s.go:1\n...additional frames elided...\n\n",
			"120000000000 locked to thread   of 4, 0 at \n"
			"120000000000 label shard 7 \"a\" of 4, 0 at \n"
			"120000000000 frames elided   of 4, 3 at \n"
			"120000000000 ancestor   of 4, 9 at main.other\n"
			"120000000000 ancestor   of 4, 1 at main.oldest\n"
			"120000000000 frames elided   of 5, 0 at \n");
}

static void labels_of_a_group_are_those_of_its_members(void **state)
{
	(void)state;
	assert_notes("goroutine profile: total 2\n2 @ 0x3\n# labels: {\"a\":\"b\"}\n"
		     "#\t0x3\tmain.main+0x3\t/m.go:3\n\n",
			"0 label a b of 0, 0 at \n0 label a b of 0, 0 at \n");
}

/* Imports WORKER("select") of two files that were written at these times. */
static uint64_t distance_of_files(
		const char *first, uint64_t first_ns, const char *second, uint64_t second_ns)
{
	const char *const dumps[] = { first, second };
	struct import_part parts[] = { { NULL, first_ns }, { NULL, second_ns } };
	struct byte_buffer native = { 0 };
	struct trace_reader *reader;
	struct byte_source *source;
	struct byte_sink *sink;
	uint64_t duration_ns;

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(byte_source_open_memory(&source, dumps[i], strlen(dumps[i]), NULL),
				LO_OK);
		assert_int_equal(byte_stream_open(&parts[i].in, source, NULL), LO_OK);
	}
	assert_int_equal(byte_sink_open_buffer(&sink, &native, NULL), LO_OK);
	assert_int_equal(import_run_parts(parts, 2, sink, NULL, NULL), LO_OK);
	for (unsigned i = 0; i < 2; i++)
		byte_stream_close(parts[i].in);
	assert_int_equal(byte_source_open_memory(&source, native.bytes, native.size, NULL), LO_OK);
	assert_int_equal(trace_reader_open(&reader, source, NULL, NULL), LO_OK);
	duration_ns = trace_reader_info(reader)->duration_ns;
	trace_reader_close(reader);
	byte_buffer_release(&native);
	return duration_ns;
}

static void files_are_as_far_apart_as_they_were_written(void **state)
{
	static const char now[] = WORKER("select");
	static const char one[] = WORKER("select, 1 minutes");
	static const char four[] = WORKER("select, 4 minutes");

	(void)state;
	assert_int_equal(distance_of_files(now, 1000, now, 7000), 6000);
	/* Times that go back, or are not known, say nothing. */
	assert_int_equal(distance_of_files(now, 7000, now, 1000), 1000000000);
	assert_int_equal(distance_of_files(now, 0, now, 1000), 1000000000);
	/* Three minutes more of waiting: two to four minutes can be true, seconds cannot. */
	assert_int_equal(distance_of_files(one, 1000, four, 1000 + 170000000000), 230000000000);
	assert_int_equal(distance_of_files(one, 1000, four, 7000), 240000000000);
}

static void only_dumps_can_be_put_in_a_row(void **state)
{
	struct import_part parts[2] = { 0 };
	struct byte_buffer native = { 0 };
	static const char dump[] = WORKER("select");
	static const char other[] = "go 1.22 trace\0\0\0";
	struct byte_source *source;
	struct byte_sink *sink;
	struct lo_error err;

	(void)state;
	for (unsigned swap = 0; swap < 2; swap++) {
		assert_int_equal(byte_source_open_memory(&source, dump, sizeof(dump) - 1, NULL),
				LO_OK);
		assert_int_equal(byte_stream_open(&parts[swap].in, source, NULL), LO_OK);
		assert_int_equal(byte_source_open_memory(&source, other, sizeof(other) - 1, NULL),
				LO_OK);
		assert_int_equal(byte_stream_open(&parts[1 - swap].in, source, NULL), LO_OK);
		assert_int_equal(byte_sink_open_buffer(&sink, &native, NULL), LO_OK);
		assert_int_equal(import_run_parts(parts, 2, sink, NULL, &err), LO_UNSUPPORTED);
		assert_non_null(strstr(err.message, swap ? "one at a time" : "file 2 is no"));
		byte_stream_close(parts[0].in);
		byte_stream_close(parts[1].in);
	}
	byte_buffer_release(&native);
}

static void binary_files_that_speak_of_goroutines_are_no_dumps(void **state)
{
	static const char binary[] = "\0\0goroutine 1 [running]:\n";

	(void)state;
	assert_null(import_probe((const uint8_t *)binary, sizeof(binary)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_of_every_version_are_understood),
		cmocka_unit_test(talk_about_goroutines_is_no_header),
		cmocka_unit_test(functions_end_at_their_last_arguments),
		cmocka_unit_test(locations_are_found_with_and_without_offsets),
		cmocka_unit_test(creators_have_numbers_since_go_1_21),
		cmocka_unit_test(groups_have_a_count_and_frames),
		cmocka_unit_test(one_dump_is_a_moment),
		cmocka_unit_test(minutes_of_waiting_date_the_block_back),
		cmocka_unit_test(system_stacks_ancestors_and_elided_frames_are_not_in_stacks),
		cmocka_unit_test(several_dumps_are_a_trace),
		cmocka_unit_test(minutes_tell_how_far_dumps_are_apart),
		cmocka_unit_test(clocks_tell_better_how_far_dumps_are_apart),
		cmocka_unit_test(a_goroutine_that_moved_was_woken_in_between),
		cmocka_unit_test(log_prefixes_and_lost_tabs_do_not_hide_a_dump),
		cmocka_unit_test(groups_become_as_many_tasks),
		cmocka_unit_test(labels_have_keys_and_values),
		cmocka_unit_test(what_else_a_dump_says_becomes_notes),
		cmocka_unit_test(labels_of_a_group_are_those_of_its_members),
		cmocka_unit_test(files_are_as_far_apart_as_they_were_written),
		cmocka_unit_test(only_dumps_can_be_put_in_a_row),
		cmocka_unit_test(binary_files_that_speak_of_goroutines_are_no_dumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
