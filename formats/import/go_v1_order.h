#ifndef LOITER_IMPORT_GO_V1_ORDER_H
#define LOITER_IMPORT_GO_V1_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/import/go_v1_file.h"

/*
 * The events of a Go trace v1 that matter for tasks, in one order that every P and every goroutine
 * agrees with. Then the ends of system calls are moved to where they belong: such an event is
 * written when the goroutine runs again, and carries the time at which the call really ended.
 */
struct go_v1_step {
	uint64_t ticks;
	uint32_t goroutine; /* index in `goroutines` of whom it concerns */
	uint32_t by;        /* index + 1 of the goroutine that ran, 0 = none */
	uint32_t stack;     /* ids of the file */
	uint32_t start;     /* GO_CREATE: stack of the new goroutine's entry. Notes: in `remarks` */
	uint8_t type;       /* enum go_v1_type */
};

/* What an event says that changes no goroutine, see go_v1_is_remark(). */
struct go_v1_remark {
	uint64_t arguments[3]; /* of the event, without its time; behind them is the stack */
	uint64_t proc;
	size_t text; /* USER_LOG: where its text stands in the file's bytes */
	uint32_t text_length;
};

struct go_v1_goroutine {
	uint64_t number;
	uint64_t sequence;
	uint8_t status;
	bool existing;          /* older than the trace */
	uint32_t syscall_stack; /* of its last system call */
	uint32_t task;          /* for the importer: in the native trace, 0 = none yet */
};

struct go_v1_order {
	struct go_v1_step *steps;
	uint64_t step_count;
	uint64_t step_capacity;
	struct go_v1_remark *remarks;
	uint32_t remark_count;
	uint32_t remark_capacity;
	struct go_v1_goroutine *goroutines;
	uint32_t goroutine_count;
	uint32_t goroutine_capacity;
	struct number_map goroutine_index;
	uint64_t first_ticks;
	uint64_t last_ticks;
	uint64_t forced; /* events taken though none was ready */
	uint64_t broken_batches;
};

/* Events about the garbage collector, the heap, and what the program says of itself. */
bool go_v1_is_remark(uint8_t type);

enum lo_result go_v1_order_run(
		struct go_v1_order *order, struct go_v1_file *file, struct lo_error *err);
void go_v1_order_release(struct go_v1_order *order);

#endif
