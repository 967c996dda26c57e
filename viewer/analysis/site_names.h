#ifndef LOITER_ANALYSIS_SITE_NAMES_H
#define LOITER_ANALYSIS_SITE_NAMES_H

#include <stdint.h>

#include "formats/base/string_table.h"
#include "formats/native/trace_reader.h"

/*
 * The top user function of each stack as a number, computed once per stack: stacks with the same
 * number are one place for a person. Numbers have no order.
 */
struct site_names {
	const struct trace_reader *reader;
	struct string_table *names;
	uint32_t *by_stack; /* id + 1; 0 = not asked yet */
	uint32_t stack_count;
};

enum lo_result site_names_init(
		struct site_names *names, const struct trace_reader *reader, struct lo_error *err);
void site_names_release(struct site_names *names);

/* Without memory every stack is the same place. */
uint32_t site_names_get(struct site_names *names, uint32_t stack);

#endif
