#ifndef LOITER_IMPORT_GO_V1_FILE_H
#define LOITER_IMPORT_GO_V1_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/byte_buffer.h"
#include "formats/base/byte_cursor.h"
#include "formats/base/byte_stream.h"
#include "formats/base/error.h"
#include "formats/base/progress.h"
#include "formats/import/go_trace_common.h"
#include "formats/import/number_map.h"

/*
 * A Go trace v1 (Go 1.11 to 1.21) as it lies in memory. Its clock rate and its stacks stand at the
 * end of the file, so nothing can be understood before all of it was read; and the file is one
 * unit without generations. A first walk finds the tables and the batches of each P; the events
 * stay where they are and are decoded when their turn comes.
 */
enum go_v1_type {
	GO_V1_BATCH = 1,
	GO_V1_FREQUENCY = 2,
	GO_V1_STACK = 3,
	GO_V1_GOMAXPROCS = 4,
	GO_V1_GC_START = 7,
	GO_V1_GC_DONE = 8,
	GO_V1_STW_START = 9,
	GO_V1_STW_DONE = 10,
	GO_V1_SWEEP_START = 11,
	GO_V1_SWEEP_DONE = 12,
	GO_V1_GO_CREATE = 13,
	GO_V1_GO_START = 14,
	GO_V1_GO_END = 15,
	GO_V1_GO_STOP = 16,
	GO_V1_GO_SCHED = 17,
	GO_V1_GO_PREEMPT = 18,
	GO_V1_GO_SLEEP = 19,
	GO_V1_GO_BLOCK = 20,
	GO_V1_GO_UNBLOCK = 21,
	GO_V1_GO_BLOCK_SEND = 22,
	GO_V1_GO_BLOCK_RECEIVE = 23,
	GO_V1_GO_BLOCK_SELECT = 24,
	GO_V1_GO_BLOCK_SYNC = 25,
	GO_V1_GO_BLOCK_COND = 26,
	GO_V1_GO_BLOCK_NET = 27,
	GO_V1_GO_SYSCALL = 28,
	GO_V1_GO_SYSCALL_EXIT = 29,
	GO_V1_GO_SYSCALL_BLOCK = 30,
	GO_V1_GO_WAITING = 31,
	GO_V1_GO_IN_SYSCALL = 32,
	GO_V1_HEAP_ALLOC = 33,
	GO_V1_HEAP_GOAL = 34,
	GO_V1_TIMER_GOROUTINE = 35,
	GO_V1_STRING = 37,
	GO_V1_GO_START_LOCAL = 38,
	GO_V1_GO_UNBLOCK_LOCAL = 39,
	GO_V1_GO_SYSCALL_EXIT_LOCAL = 40,
	GO_V1_GO_START_LABEL = 41,
	GO_V1_GO_BLOCK_GC = 42,
	GO_V1_MARK_ASSIST_START = 43,
	GO_V1_MARK_ASSIST_DONE = 44,
	GO_V1_USER_TASK_CREATE = 45,
	GO_V1_USER_TASK_END = 46,
	GO_V1_USER_REGION = 47,
	GO_V1_USER_LOG = 48,
	GO_V1_CPU_SAMPLE = 49,
	GO_V1_TYPES = 50,
	GO_V1_LABEL = 51, /* never in files: what else a GO_START_LABEL says */
};

#define GO_V1_ARGUMENTS_MAX 6u
#define GO_V1_STRING_MAX    1000000u /* as Go's own reader */

struct go_v1_event {
	uint8_t type;
	uint8_t count;                           /* arguments that are there */
	uint64_t arguments[GO_V1_ARGUMENTS_MAX]; /* in a batch the first is the time delta; those
						    that are not there are 0 */
	struct byte_cursor rest; /* STACK: its numbers. STRING, USER_LOG: the bytes of the text */
};

/* Reads one event of any type; false when its bytes make no sense or are not all there. */
bool go_v1_parse(struct byte_cursor *cursor, struct go_v1_event *event);

struct go_v1_batch {
	uint64_t ticks; /* at its begin */
	size_t begin;   /* in bytes */
	size_t size;
	uint32_t next; /* index + 1 of the next batch of the same P, 0 = last */
};

struct go_v1_proc {
	uint64_t number; /* all ones: the events of no P */
	uint32_t first;  /* index + 1 */
	uint32_t last;
};

struct go_v1_text {
	size_t begin;
	uint32_t length;
	uint32_t string; /* id in the native trace, 0 = not handed over yet */
};

struct go_v1_stack {
	size_t begin;
	uint32_t size; /* bytes */
	bool handed_over;
	struct go_place place;
};

/* They stand outside of the order of their P and have a time of their own. */
struct go_v1_sample {
	uint64_t ticks;
	uint64_t goroutine;
	uint64_t stack;
};

struct go_v1_file {
	struct byte_buffer bytes; /* behind the header */
	uint64_t frequency;       /* ticks in a second, 0 = the file does not say */

	struct go_v1_batch *batches;
	uint32_t batch_count;
	uint32_t batch_capacity;
	struct go_v1_proc *procs;
	uint32_t proc_count;
	uint32_t proc_capacity;
	struct number_map proc_index;

	struct go_v1_text *texts;
	uint32_t text_count;
	uint32_t text_capacity;
	struct number_map text_index;
	struct go_v1_stack *stacks;
	uint32_t stack_count;
	uint32_t stack_capacity;
	struct number_map stack_index;

	struct go_v1_sample *samples;
	uint32_t sample_count;
	uint32_t sample_capacity;

	uint64_t skipped_bytes; /* that made no sense */
};

/* Reads all that is left of `in`. LO_UNSUPPORTED beyond LIMIT_GO_GENERATION bytes. */
enum lo_result go_v1_file_read(struct go_v1_file *file, struct byte_stream *in,
		const struct progress *progress, struct lo_error *err);
void go_v1_file_release(struct go_v1_file *file);

/* Hands the text over to the native trace; 0 for 0 and for ids that are not there. */
enum lo_result go_v1_file_text(struct go_v1_file *file, uint64_t id, struct go_program *program,
		uint32_t *string, struct lo_error *err);

/* Hands the stack over to the native trace; no place for 0 and for ids that are not there. */
enum lo_result go_v1_file_stack(struct go_v1_file *file, uint64_t id, struct go_program *program,
		struct go_place *place, struct lo_error *err);

#endif
