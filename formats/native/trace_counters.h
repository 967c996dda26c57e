#ifndef LOITER_NATIVE_TRACE_COUNTERS_H
#define LOITER_NATIVE_TRACE_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/model/counter.h"
#include "formats/native/trace_reader.h"

/*
 * The counters of an open trace. Opening reads nothing of them; a question reads what it needs, and
 * how much that is depends on the number of columns asked for, not on the length of the trace.
 * Damage is left out and listed (trace_reader_damage). Safe to use from several threads.
 */
struct trace_counter {
	const char *name; /* bytes of the file: not fit for a terminal as they are */
	const char *unit; /* "" = plain number */
	uint32_t process; /* 0 = of the whole trace */
	struct counter_cell total;
};

/* How many counters there are; 0 also when they cannot be read. */
uint32_t trace_counter_count(struct trace_reader *reader);
/* NULL past the end. Valid as long as the reader. */
const struct trace_counter *trace_counter_get(struct trace_reader *reader, uint32_t counter);
/* The counter called so, of any process; the number of counters if there is none. */
uint32_t trace_counter_find(struct trace_reader *reader, const char *name);

/*
 * Values over `span`, which is cut into `columns` stretches of equal length. A stretch in which
 * nothing was measured has no samples. Where the file has no finer values than a stretch is long,
 * a value may show in its neighbours too; `least` and `greatest` are never too narrow.
 */
enum lo_result trace_counter_columns(struct trace_reader *reader, uint32_t counter,
		struct time_span span, struct counter_cell *cells, uint32_t columns,
		struct lo_error *err);

/* The latest sample at or before `time_ns`: what the value is while nothing is measured. */
enum lo_result trace_counter_at(struct trace_reader *reader, uint32_t counter, uint64_t time_ns,
		struct counter_cell *cell, struct lo_error *err);

#endif
