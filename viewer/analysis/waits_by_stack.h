#ifndef LOITER_ANALYSIS_WAITS_BY_STACK_H
#define LOITER_ANALYSIS_WAITS_BY_STACK_H

#include <stddef.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/base/id_index.h"
#include "formats/base/progress.h"
#include "formats/model/time_span.h"
#include "formats/native/trace_reader.h"

/* Waits of a span added up by stack and reason: what a flame is made of. */
struct stack_waits {
	uint64_t total_ns; /* clipped to the span */
	uint64_t blocks;
	uint32_t stuck; /* of these, open at the end of the span */
	uint32_t stack;
	uint8_t reason;
};

struct waits_by_stack {
	struct stack_waits *items; /* [0] unused */
	size_t capacity;
	uint32_t count; /* with [0] */
	struct id_index index;
};

/*
 * Waits that overlap `span`; of `task`, or of all with TASK_NONE. To know what was open when the
 * span begins, all events before it are read too. Release whatever the result.
 */
enum lo_result waits_by_stack_collect(struct waits_by_stack *waits, struct trace_reader *reader,
		struct time_span span, uint32_t task, const struct progress *progress,
		struct lo_error *err);
void waits_by_stack_release(struct waits_by_stack *waits);

#endif
