#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "formats/import/go_wire.h"
#include "formats/model/meta.h"
#include "formats/native/trace_counters.h"
#include "formats/native/trace_notes.h"
#include "tests/support/go_trace_text.h"
#include "tests/support/task_row.h"

/*
 * Small traces that bring out one rule of the format each. A unit of their clock is 1 ns. Event
 * numbers: 13 ProcStatus, 25 GoStatus, 14 GoCreate, 16 GoStart, 17 GoDestroy, 19 GoStop,
 * 20 GoBlock, 21 GoUnblock, 22 to 24 GoSyscallBegin, End, EndBlocked, 45 GoSwitch.
 */
#define TABLES(generation)                                                                \
	"strings " generation ": 1 chan receive; 2 main.main; 3 main.worker; 4 main.go; " \
	"5 runtime.bgsweep; 6 a reason of tomorrow\n"                                     \
	"stacks " generation ": 1 4096 2 4 10\n"                                          \
	"stacks " generation ": 2 8192 3 4 20\n"                                          \
	"stacks " generation ": 3 12288 5 4 30\n"

/* Goroutine 1 runs on P 0 of thread 700, from time 1000 on. */
#define ONE_RUNNING "13 0 0 1  25 0 1 700 2 "

static struct trace_reader *import(const char *text, struct byte_buffer *warnings)
{
	struct byte_buffer file = { 0 };
	struct trace_reader *reader;

	go_trace_from_text(text, &file);
	reader = import_bytes(&file, warnings);
	byte_buffer_release(&file);
	return reader;
}

static void assert_imports(const char *text, const char *expected)
{
	struct byte_buffer warnings = { 0 };
	struct byte_buffer events = { 0 };
	struct trace_reader *reader = import(text, &warnings);

	events_to_text(reader, &events);
	assert_string_equal((char *)warnings.bytes, "");
	assert_string_equal((char *)events.bytes, expected);
	trace_reader_close(reader);
	byte_buffer_release(&warnings);
	byte_buffer_release(&events);
}

static void assert_warns(const char *text, const char *part, const char *expected)
{
	struct byte_buffer warnings = { 0 };
	struct byte_buffer events = { 0 };
	struct trace_reader *reader = import(text, &warnings);

	events_to_text(reader, &events);
	if (!strstr((char *)warnings.bytes, part))
		fail_msg("'%s' is not in '%s'", part, (char *)warnings.bytes);
	assert_string_equal((char *)events.bytes, expected);
	trace_reader_close(reader);
	byte_buffer_release(&warnings);
	byte_buffer_release(&events);
}

static void a_goroutine_lives_blocks_and_is_woken(void **state)
{
	(void)state;
	assert_imports("go 26\n"
		       "batch 1 700 1000: " ONE_RUNNING "14 10 5 2 1  20 10 1 1  16 10 5 1 "
		       "20 10 1 2  16 10 1 2\n"
		       "batch 1 701 1035: 21 0 1 1 0\n"
		       "batch 1 701 1050: 21 5 5 2 0\n" TABLES("1") "clock 1\nend\n",
			"0 run 1 existing\n"
			"10 create 5 by 1 at main.main\n"
			"20 block 1 chan receive at main.main\n"
			"30 run 5\n"
			"35 unblock 1\n"
			"40 block 5 chan receive at main.worker\n"
			"55 unblock 5\n");
}

static void tables_may_stand_before_their_users(void **state)
{
	(void)state;
	assert_imports("go 22\nclock 1\n" TABLES("1") "batch 1 700 1000: " ONE_RUNNING
						      "20 10 1 1\n",
			"0 run 1 existing\n10 block 1 chan receive at main.main\n");
}

/* Thread 701 has the smaller time, but its start can only follow the unblock of thread 700. */
static void sequence_numbers_beat_times(void **state)
{
	(void)state;
	assert_imports("go 26\n"
		       "batch 1 700 1000: " ONE_RUNNING "25 1 2 none 4  21 30 2 1 0\n"
		       "batch 1 701 1001: 13 0 1 1  16 10 2 2  20 50 1 2\n" TABLES(
				       "1") "clock 1\nend\n",
			"0 run 1 existing\n"
			"0 run 2 existing\n"
			"0 block 2 unknown\n"
			"31 unblock 2 by 1\n"
			"61 block 2 chan receive at main.worker\n");
}

static void an_idle_goroutine_is_dated_back_to_the_start(void **state)
{
	(void)state;
	assert_imports("go 26\n"
		       "batch 1 700 1000: " ONE_RUNNING "20 900 1 1\n"
		       "batch 1 none 2000: 48 0 9 none 4 2\n" TABLES("1") "clock 1\nend\n",
			"0 run 1 existing\n"
			"0 run 9 existing\n"
			"0 block 9 unknown at main.worker\n"
			"900 block 1 chan receive at main.main\n");
}

static void names_and_flags_come_from_entry_functions(void **state)
{
	struct trace_reader *reader;

	(void)state;
	reader = import("go 26\n"
			"batch 1 700 1000: " ONE_RUNNING "14 1 5 2 1  14 1 6 3 1\n"
			"batch 1 none 2000: 25 0 8 none 4\n" TABLES("1") "clock 1\nend\n",
			NULL);
	assert_int_equal(task_row(reader, 1).flags, TASK_FLAG_MAIN);
	assert_int_equal(task_row(reader, 1).kind, TASK_GOROUTINE);
	assert_string_equal(
			trace_reader_string(reader, task_row(reader, 3).name, NULL), "main.worker");
	assert_int_equal(task_row(reader, 3).flags, 0);
	assert_int_equal(task_row(reader, 4).flags, TASK_FLAG_RUNTIME);
	assert_string_equal(trace_reader_meta(reader, META_SOURCE_FORMAT, 0), "go-trace-v2");
	trace_reader_close(reader);
}

static void only_a_syscall_that_loses_its_p_is_a_wait(void **state)
{
	(void)state;
	assert_imports("go 26\n"
		       "batch 1 700 1000: " ONE_RUNNING "22 10 1 1  23 10 "
		       "22 10 2 1  24 100\n"
		       "batch 1 701 1040: 12 0 0 3 700\n" TABLES("1") "clock 1\nend\n",
			"0 run 1 existing\n"
			"30 block 1 syscall at main.main\n"
			"130 unblock 1\n");
}

static void a_coroutine_switch_is_a_wake_and_a_wait(void **state)
{
	(void)state;
	assert_imports("go 26\n"
		       "batch 1 700 1000: " ONE_RUNNING
		       "47 10 7 2 1  45 10 7 1  45 10 1 1\n" TABLES("1") "clock 1\nend\n",
			"0 run 1 existing\n"
			"10 create 7 by 1 at main.main\n"
			"10 block 7 coroutine\n"
			"20 unblock 7 by 1\n"
			"21 block 1 coroutine\n"
			"22 run 7\n"
			"30 unblock 1 by 7\n"
			"31 block 7 coroutine\n");
}

static void a_reused_number_is_another_task(void **state)
{
	(void)state;
	assert_imports("go 26\n"
		       "batch 1 700 1000: 15 0 40  18 10  15 10 40  18 10\n" TABLES(
				       "1") "clock 1\nend\n",
			"0 create 40\n10 exit 40\n20 create 40'\n30 exit 40'\n");
}

static void goroutines_go_on_in_the_next_generation(void **state)
{
	(void)state;
	assert_imports("go 22\n"
		       "batch 1 700 1000: " ONE_RUNNING "20 10 1 1\n"
		       "clock 1\n" TABLES("1")
			/* stamps of the next generation may begin before the last ended */
			"batch 2 701 1005: 13 0 1 1  25 0 1 none 4  21 40 1 1 0\n"
			"clock 2\n" TABLES("2"),
			"0 run 1 existing\n"
			"10 block 1 chan receive at main.main\n"
			"45 unblock 1\n");
}

static void after_a_gap_who_is_not_mentioned_has_ended(void **state)
{
	(void)state;
	assert_warns("go 26\n"
		     "batch 1 700 1000: " ONE_RUNNING "25 0 2 none 4\n" TABLES(
				     "1") "clock 1\nend\n"
					  "batch 4 700 3000: 13 0 0 1  25 0 1 700 2  17 10\n" TABLES(
							  "4") "clock 4\nend\n",
			"Generations 2 to 3",
			"0 run 1 existing\n0 run 2 existing\n0 block 2 unknown\n"
			"3 unblock 2\n3 exit 2\n2010 exit 1\n");
}

static void without_tables_the_states_are_still_shown(void **state)
{
	(void)state;
	assert_warns("go 26\n"
		     "clock 1\nbatch 1 700 1000: " ONE_RUNNING "14 10 5 2 1  20 10 1 1\n",
			"stops early", "0 run 1 existing\n10 create 5 by 1\n20 block 1 unknown\n");
}

static void an_unknown_event_ends_its_batch_only(void **state)
{
	(void)state;
	assert_warns("go 26\n"
		     "batch 1 700 1000: " ONE_RUNNING "14 10 5 2 1  99 1 2 3\n"
		     "batch 1 700 2000: 20 10 1 1\n" TABLES("1") "clock 1\nend\n",
			"unknown event type: 99",
			"0 run 1 existing\n10 create 5 by 1 at main.main\n"
			"1010 block 1 chan receive at main.main\n");
}

/* Nothing ever unblocks goroutine 2, yet it starts: the start is believed. */
static void a_broken_order_is_forced_and_told(void **state)
{
	(void)state;
	assert_warns("go 26\n"
		     "batch 1 700 1000: 13 0 0 1  25 0 2 none 4  16 10 2 9  20 10 1 2\n" TABLES(
				     "1") "clock 1\nend\n",
			"repaired",
			"0 run 2 existing\n0 block 2 unknown\n10 unblock 2\n"
			"20 block 2 chan receive at main.worker\n");
}

static void damage_between_batches_is_skipped(void **state)
{
	(void)state;
	assert_warns("go 26\n"
		     "batch 1 700 1000: " ONE_RUNNING "14 10 5 2 1\n"
		     "byte 0x37\nbyte 0x01\nbyte 0x01\n"
		     "batch 1 700 2000: 20 10 1 1\n" TABLES("1") "clock 1\nend\n",
			"damaged",
			"0 run 1 existing\n10 create 5 by 1 at main.main\n"
			"1010 block 1 chan receive at main.main\n");
}

static void a_batch_with_a_number_of_its_own_belongs_to_its_neighbours(void **state)
{
	(void)state;
	assert_warns("go 22\n"
		     "batch 1 700 1000: " ONE_RUNNING "14 10 5 2 1\n"
		     "batch 9 700 2000: 20 10 1 1\n" TABLES("1") "clock 1\n",
			"1 batch numbers",
			"0 run 1 existing\n10 create 5 by 1 at main.main\n"
			"1010 block 1 chan receive at main.main\n");
}

static void of_a_cut_batch_the_whole_events_count(void **state)
{
	struct byte_buffer file = { 0 };
	struct byte_buffer events = { 0 };
	struct byte_buffer warnings = { 0 };
	struct trace_reader *reader;

	(void)state;
	go_trace_from_text("go 22\nclock 1\n" TABLES("1") "batch 1 700 1000: " ONE_RUNNING
							  "14 10 5 2 1  20 10 1 1\n",
			&file);
	file.size--;
	reader = import_bytes(&file, &warnings);
	events_to_text(reader, &events);
	assert_string_equal(
			(char *)events.bytes, "0 run 1 existing\n10 create 5 by 1 at main.main\n");
	assert_non_null(strstr((char *)warnings.bytes, "was cut"));
	assert_string_equal(trace_reader_meta(reader, META_SOURCE_CUT, 0), "1");
	trace_reader_close(reader);
	byte_buffer_release(&file);
	byte_buffer_release(&events);
	byte_buffer_release(&warnings);
}

static void a_new_reason_keeps_its_name(void **state)
{
	(void)state;
	assert_imports("go 26\n"
		       "batch 1 700 1000: " ONE_RUNNING "20 10 6 1\n" TABLES("1") "clock 1\nend\n",
			"0 run 1 existing\n10 block 1 a reason of tomorrow at main.main\n");
}

/* Notes of a trace as lines: "10-30 region main.main of 1 in 7 at main.main". */
struct note_lines {
	struct trace_reader *reader;
	struct byte_buffer text;
};

static bool add_note_line(void *context, const struct note *note)
{
	struct note_lines *lines = context;
	struct task_info task = task_row(lines->reader, note->task);
	char line[400];
	int length = snprintf(line, sizeof(line),
			"%llu-%llu%s%s %s '%s' '%s' of %u in %llu, %llu\n",
			(unsigned long long)note->begin_ns, (unsigned long long)note->end_ns,
			note->flags & NOTE_FLAG_BEGAN_BEFORE ? " older" : "",
			note->flags & NOTE_FLAG_STILL_OPEN ? " open" : "",
			note_schemas[note->kind].name,
			trace_reader_string(lines->reader, note->name, NULL),
			trace_reader_string(lines->reader, note->text, NULL), task.tid,
			(unsigned long long)note->parent, (unsigned long long)note->value);

	byte_buffer_put(&lines->text, line, (size_t)length);
	return true;
}

static void assert_notes(const char *text, const char *expected)
{
	struct note_query query = { .span = TIME_SPAN_ALL, .kinds = NOTE_KINDS_ALL };
	struct byte_buffer warnings = { 0 };
	struct note_lines lines = { .reader = import(text, &warnings) };

	assert_int_equal(trace_notes_visit(lines.reader, &query, add_note_line, &lines, NULL, NULL),
			LO_OK);
	byte_buffer_put_byte(&lines.text, 0);
	assert_string_equal((char *)lines.text.bytes, expected);
	assert_string_equal((char *)warnings.bytes, "");
	trace_reader_close(lines.reader);
	byte_buffer_release(&lines.text);
	byte_buffer_release(&warnings);
}

/* 40 UserTaskBegin, 41 its end, 42 and 43 a region's, 44 UserLog. */
static void what_the_program_says_of_itself_is_kept(void **state)
{
	(void)state;
	assert_notes("go 26\n"
		     "batch 1 700 1000: " ONE_RUNNING "40 10 7 3 1 1  42 10 7 2 1  42 5 7 3 1 "
		     "44 1 7 4 6 1  43 4 7 3 1  43 10 7 2 1  41 10 7 1\n" TABLES(
				     "1") "clock 1\nend\n",
			"26-26 log 'main.go' 'a reason of tomorrow' of 1 in 7, 0\n"
			"25-30 region 'main.worker' '' of 1 in 7, 0\n"
			"20-40 region 'main.main' '' of 1 in 7, 0\n"
			"10-50 user task 'chan receive' '' of 1 in 3, 0\n");
}

/* 17 GoDestroy ends regions; what is open at the end lasts to it; an end alone began before. */
static void ranges_without_begin_or_end_say_so(void **state)
{
	(void)state;
	assert_notes("go 26\n"
		     "batch 1 700 1000: " ONE_RUNNING "43 10 7 2 1  41 1 9 1  40 1 8 0 1 1 "
		     "42 5 8 2 1  17 5\n" TABLES("1") "clock 1\nend\n",
			"0-10 older region 'main.main' '' of 1 in 7, 0\n"
			"0-11 older user task '' '' of 1 in 0, 0\n"
			"17-22 open region 'main.main' '' of 1 in 8, 0\n"
			"12-22 open user task 'chan receive' '' of 1 in 0, 0\n");
}

/* 26, 27 stop the world; 29, 30 GC; 32, 33 sweep; 35, 36 mark assist. */
static void ranges_of_the_runtime_are_kept(void **state)
{
	(void)state;
	assert_notes("go 26\n"
		     "batch 1 700 1000: " ONE_RUNNING "28 0 3  26 10 1 1  30 10 4  27 1  32 9 1 "
		     "33 10 4096 12  35 1 1  36 1  39 1 6\n" TABLES("1") "clock 1\nend\n",
			"0-20 older gc '' '' of 0 in 0, 0\n"
			"10-21 stop the world 'chan receive' '' of 1 in 0, 0\n"
			"30-40 sweep '' '' of 1 in 0, 4096\n"
			"41-42 mark assist '' '' of 1 in 0, 0\n"
			"43-43 label '' 'a reason of tomorrow' of 1 in 0, 0\n");
}

static void the_heap_is_a_counter(void **state)
{
	const struct trace_counter *counter;
	struct trace_reader *reader;

	(void)state;
	reader = import("go 26\n"
			"batch 1 700 1000: " ONE_RUNNING
			"9 0 4 0  37 10 500  38 1 900  37 10 700  37 10 600\n" TABLES(
					"1") "clock 1\nend\n",
			NULL);
	assert_int_equal(trace_counter_count(reader), 3);
	counter = trace_counter_get(reader, trace_counter_find(reader, "heap"));
	assert_string_equal(counter->unit, "bytes");
	assert_int_equal(counter->total.samples, 3);
	assert_int_equal(counter->total.greatest, 700);
	assert_int_equal(counter->total.last, 600);
	assert_int_equal(counter->total.last_ns, 31);
	counter = trace_counter_get(reader, trace_counter_find(reader, "GOMAXPROCS"));
	assert_int_equal(counter->total.last, 4);
	trace_reader_close(reader);
}

static void a_newer_format_is_tried_with_a_warning(void **state)
{
	(void)state;
	assert_warns("go 31\n"
		     "batch 1 700 1000: " ONE_RUNNING "20 10 1 1\n" TABLES("1") "clock 1\nend\n",
			"go 1.31", "0 run 1 existing\n10 block 1 chan receive at main.main\n");
}

static void a_goroutine_number_beyond_32_bits_is_in_the_name(void **state)
{
	struct trace_reader *reader;

	(void)state;
	reader = import("go 26\n"
			"batch 1 700 1000: " ONE_RUNNING
			"14 1 4294967301 2 1\n" TABLES("1") "clock 1\nend\n",
			NULL);
	assert_string_equal(trace_reader_string(reader, task_row(reader, 2).name, NULL),
			"main.worker 4294967301");
	trace_reader_close(reader);
}

static void every_event_type_has_few_enough_arguments(void **state)
{
	unsigned ordinary = 0;

	(void)state;
	for (unsigned type = 0; type < GO_WIRE_TYPES; type++)
		if (go_wire_arguments[type] != GO_WIRE_NOT_AN_EVENT) {
			assert_in_range(go_wire_arguments[type], 0, GO_WIRE_ARGUMENTS_MAX);
			ordinary++;
		}
	assert_int_equal(ordinary, 40 + 9); /* 9 to 48, and 128 to 136 of an experiment */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_goroutine_lives_blocks_and_is_woken),
		cmocka_unit_test(tables_may_stand_before_their_users),
		cmocka_unit_test(sequence_numbers_beat_times),
		cmocka_unit_test(an_idle_goroutine_is_dated_back_to_the_start),
		cmocka_unit_test(names_and_flags_come_from_entry_functions),
		cmocka_unit_test(only_a_syscall_that_loses_its_p_is_a_wait),
		cmocka_unit_test(a_coroutine_switch_is_a_wake_and_a_wait),
		cmocka_unit_test(a_reused_number_is_another_task),
		cmocka_unit_test(goroutines_go_on_in_the_next_generation),
		cmocka_unit_test(after_a_gap_who_is_not_mentioned_has_ended),
		cmocka_unit_test(without_tables_the_states_are_still_shown),
		cmocka_unit_test(an_unknown_event_ends_its_batch_only),
		cmocka_unit_test(a_broken_order_is_forced_and_told),
		cmocka_unit_test(damage_between_batches_is_skipped),
		cmocka_unit_test(a_batch_with_a_number_of_its_own_belongs_to_its_neighbours),
		cmocka_unit_test(of_a_cut_batch_the_whole_events_count),
		cmocka_unit_test(a_new_reason_keeps_its_name),
		cmocka_unit_test(what_the_program_says_of_itself_is_kept),
		cmocka_unit_test(ranges_without_begin_or_end_say_so),
		cmocka_unit_test(ranges_of_the_runtime_are_kept),
		cmocka_unit_test(the_heap_is_a_counter),
		cmocka_unit_test(a_newer_format_is_tried_with_a_warning),
		cmocka_unit_test(a_goroutine_number_beyond_32_bits_is_in_the_name),
		cmocka_unit_test(every_event_type_has_few_enough_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
