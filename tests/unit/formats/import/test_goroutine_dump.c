#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "formats/import/dump_line.h"
#include "formats/import/import_probe.h"
#include "formats/model/meta.h"
#include "tests/support/go_trace_text.h"

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

static void system_stacks_ancestors_and_elided_frames_are_passed_over(void **state)
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
		cmocka_unit_test(system_stacks_ancestors_and_elided_frames_are_passed_over),
		cmocka_unit_test(several_dumps_are_a_trace),
		cmocka_unit_test(minutes_tell_how_far_dumps_are_apart),
		cmocka_unit_test(clocks_tell_better_how_far_dumps_are_apart),
		cmocka_unit_test(a_goroutine_that_moved_was_woken_in_between),
		cmocka_unit_test(log_prefixes_and_lost_tabs_do_not_hide_a_dump),
		cmocka_unit_test(groups_become_as_many_tasks),
		cmocka_unit_test(binary_files_that_speak_of_goroutines_are_no_dumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
