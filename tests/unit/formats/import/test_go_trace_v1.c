#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/import/go_v1_file.h"
#include "formats/import/import_run.h"
#include "formats/model/meta.h"
#include "tests/support/go_trace_text.h"
#include "tests/support/task_row.h"

/*
 * Events: 1 batch (P, ticks), 2 frequency, 4 Gomaxprocs, 13 GoCreate, 14 GoStart, 15 GoEnd,
 * 21 GoUnblock, 23 GoBlockRecv, 28 GoSysCall, 29 GoSysExit, 30 GoSysBlock, 31 GoWaiting,
 * 38 GoStartLocal, 39 GoUnblockLocal.
 */
#define TABLES                                                                    \
	"v1 2 1000000000\ntext 1 main.main\ntext 2 main.go\ntext 3 main.worker\n" \
	"text 4 runtime.bgsweep\n"                                                \
	"frames 1: 1 4096 1 2 10\nframes 2: 1 8192 3 2 20\nframes 3: 1 12288 4 2 30\n"

/* Goroutines 1, which starts the trace, and 2, which waits. */
#define BEGIN                                                                            \
	"v1 1 0 100000\nv1 13 0 1 1 1\nv1 13 5 2 3 1\nv1 31 5 2\nv1 4 0 2 0\nv1 5 0 7\n" \
	"v1 38 0 1\n"

static struct trace_reader *import(const char *text, struct byte_buffer *warnings)
{
	struct byte_buffer file = { 0 };
	struct trace_reader *reader;

	go_trace_from_text(text, &file);
	reader = import_bytes(&file, warnings);
	byte_buffer_release(&file);
	return reader;
}

static void assert_imports(const char *text, const char *warning, const char *expected)
{
	struct byte_buffer warnings = { 0 };
	struct byte_buffer events = { 0 };
	struct trace_reader *reader = import(text, &warnings);

	events_to_text(reader, &events);
	if (warning)
		assert_non_null(strstr((char *)warnings.bytes, warning));
	else
		assert_string_equal((char *)warnings.bytes, "");
	assert_string_equal((char *)events.bytes, expected);
	trace_reader_close(reader);
	byte_buffer_release(&warnings);
	byte_buffer_release(&events);
}

static void who_is_listed_before_gomaxprocs_is_not_created(void **state)
{
	struct trace_reader *reader;

	(void)state;
	reader = import("go 21\n" BEGIN "v1 13 90 5 2 1\n" TABLES, NULL);
	assert_string_equal(trace_reader_string(reader, task_row(reader, 2).name, NULL),
			"runtime.bgsweep");
	assert_int_equal(task_row(reader, 2).flags, TASK_FLAG_RUNTIME);
	assert_string_equal(
			trace_reader_string(reader, task_row(reader, 3).name, NULL), "main.worker");
	assert_string_equal(trace_reader_meta(reader, META_SOURCE_FORMAT, 0), "go-trace-v1");
	trace_reader_close(reader);
	assert_imports("go 21\n" BEGIN "v1 13 90 5 2 1\n" TABLES, NULL,
			"0 run 1 existing\n0 run 2 existing\n0 block 2 unknown\n"
			"90 create 5 by 1 at main.main\n");
}

/* P 1 writes the start with an earlier stamp than P 0 writes the unblock that allows it. */
static void sequence_numbers_beat_times(void **state)
{
	(void)state;
	assert_imports("go 19\n" BEGIN "v1 21 90 2 2 1\nv1 23 10 1\n"
		       "v1 1 1 100080\nv1 14 0 2 3\nv1 23 120 2\n" TABLES,
			NULL,
			"0 run 1 existing\n0 run 2 existing\n0 block 2 unknown\n"
			"90 unblock 2 by 1\n100 block 1 chan receive at main.main\n"
			"190 block 2 chan receive at main.worker\n");
}

/* The exit of the call is written at 300 but says that it happened at 150: before the create. */
static void the_end_of_a_system_call_is_moved_to_its_time(void **state)
{
	(void)state;
	assert_imports("go 21\n" BEGIN "v1 28 90 1\nv1 30 10\n"
		       "v1 1 1 100010\nv1 13 180 9 2 0\n"
		       "v1 1 0 100310\nv1 29 0 1 2 100160\nv1 38 5 1\nv1 23 5 2\n" TABLES,
			NULL,
			"0 run 1 existing\n0 run 2 existing\n0 block 2 unknown\n"
			"100 block 1 syscall at main.main\n150 unblock 1\n180 create 9\n"
			"310 block 1 chan receive at main.worker\n");
}

static void a_short_system_call_is_no_wait(void **state)
{
	(void)state;
	assert_imports("go 21\n" BEGIN "v1 28 90 1\nv1 15 10\n" TABLES, NULL,
			"0 run 1 existing\n0 run 2 existing\n0 block 2 unknown\n100 exit 1\n");
}

static void a_cut_file_shows_states_in_ticks(void **state)
{
	(void)state;
	assert_imports("go 21\n" BEGIN "v1 13 90 5 2 1\nv1 23 5 1\nbyte 0x4e\nbyte 5\n",
			"stops early",
			"0 run 1 existing\n0 run 2 existing\n0 block 2 unknown\n"
			"90 create 5 by 1\n95 block 1 chan receive\n");
}

static void damage_is_skipped_up_to_the_next_batch(void **state)
{
	(void)state;
	assert_imports("go 21\n" BEGIN "v1 13 90 5 2 1\nbyte 0x00\nbyte 0x17\n"
		       "v1 1 0 100500\nv1 23 5 1\n" TABLES,
			"damaged",
			"0 run 1 existing\n0 run 2 existing\n0 block 2 unknown\n"
			"90 create 5 by 1 at main.main\n495 block 1 chan receive at main.main\n");
}

static void older_formats_are_refused_with_a_sentence(void **state)
{
	static const char head[16] = "go 1.8 trace";
	struct byte_source *source;
	struct byte_stream *in;
	struct byte_sink *sink;
	struct lo_error err;

	(void)state;
	assert_int_equal(byte_source_open_memory(&source, head, sizeof(head), NULL), LO_OK);
	assert_int_equal(byte_stream_open(&in, source, NULL), LO_OK);
	assert_int_equal(byte_sink_open_memory(&sink, NULL), LO_OK);
	assert_int_equal(import_run(in, sink, NULL, &err), LO_UNSUPPORTED);
	assert_non_null(strstr(err.message, "Go 1.8"));
	byte_stream_close(in);
}

static void an_event_may_be_cut_anywhere(void **state)
{
	struct byte_buffer file = { 0 };
	struct go_v1_event event;

	(void)state;
	go_trace_from_text("v1 13 300 70000 2 1\n", &file);
	for (size_t size = 0; size < file.size; size++) {
		struct byte_cursor cursor = byte_cursor_over(file.bytes, size);

		assert_false(go_v1_parse(&cursor, &event));
	}
	struct byte_cursor whole = byte_cursor_over(file.bytes, file.size);

	assert_true(go_v1_parse(&whole, &event));
	assert_int_equal(event.type, GO_V1_GO_CREATE);
	assert_int_equal(event.count, 4);
	assert_int_equal(event.arguments[1], 70000);
	byte_buffer_release(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_listed_before_gomaxprocs_is_not_created),
		cmocka_unit_test(sequence_numbers_beat_times),
		cmocka_unit_test(the_end_of_a_system_call_is_moved_to_its_time),
		cmocka_unit_test(a_short_system_call_is_no_wait),
		cmocka_unit_test(a_cut_file_shows_states_in_ticks),
		cmocka_unit_test(damage_is_skipped_up_to_the_next_batch),
		cmocka_unit_test(older_formats_are_refused_with_a_sentence),
		cmocka_unit_test(an_event_may_be_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
