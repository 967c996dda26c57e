#include "viewer/analysis/wait_class.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/macros.h"

enum lo_result wait_classes_init(struct wait_classes *classes, const struct trace_reader *reader,
		struct lo_error *err)
{
	uint32_t count = stack_table_stack_count(trace_reader_stacks(reader));

	*classes = (struct wait_classes){
		.reader = reader,
		.by_stack = calloc((size_t)count + 1, sizeof(*classes->by_stack)),
		.stack_count = count,
	};
	if (!classes->by_stack)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u stacks", count);
	return LO_OK;
}

void wait_classes_release(struct wait_classes *classes)
{
	free(classes->by_stack);
	*classes = (struct wait_classes){ 0 };
}

static bool starts_with(const char *text, uint32_t length, const char *start)
{
	size_t wanted = strlen(start);

	return length >= wanted && memcmp(text, start, wanted) == 0;
}

/* Go's own functions between the wait and whoever waits: the search goes on behind them. */
static const char *const inner_packages[] = { "runtime.", "sync.", "internal/sync." };

/* What is neither of these is a lock. */
static const struct {
	const char *function;
	enum wait_class wait_class;
} sync_functions[] = {
	{ "sync.(*WaitGroup).Wait", WAIT_CLASS_JOIN },
	{ "sync.(*Cond).Wait", WAIT_CLASS_RECEIVE },
};

/* WAIT_CLASS_UNKNOWN: the frame does not decide, but the one outside of it may. */
static enum wait_class class_of_function(const char *name, uint32_t length)
{
	for (size_t i = 0; i < LO_COUNT_OF(sync_functions); i++)
		if (length == strlen(sync_functions[i].function) &&
				starts_with(name, length, sync_functions[i].function))
			return sync_functions[i].wait_class;
	for (size_t i = 0; i < LO_COUNT_OF(inner_packages); i++)
		if (starts_with(name, length, inner_packages[i]))
			return WAIT_CLASS_UNKNOWN;
	return WAIT_CLASS_LOCK;
}

static enum wait_class class_of_frame(const struct trace_reader *reader, uint32_t frame)
{
	enum wait_class found = WAIT_CLASS_UNKNOWN;
	const struct symbol *chain = NULL;
	uint32_t count = symbol_table_get(trace_reader_symbols(reader), frame, &chain);

	for (uint32_t i = 0; i < count && found == WAIT_CLASS_UNKNOWN; i++) {
		uint32_t length = 0;
		const char *name = trace_reader_string(reader, chain[i].function, &length);

		found = class_of_function(name, length);
	}
	return found;
}

/* A stack without names says nothing: then it may be any of them, and nothing is concluded. */
static enum wait_class class_of_stack(const struct trace_reader *reader, uint32_t stack)
{
	const struct stack_table *stacks = trace_reader_stacks(reader);
	enum wait_class found = WAIT_CLASS_UNKNOWN;

	while (stack != STACK_NONE && found == WAIT_CLASS_UNKNOWN) {
		struct stack_node node = stack_table_get(stacks, stack);

		found = class_of_frame(reader, node.frame);
		stack = node.parent < stack ? node.parent : STACK_NONE;
	}
	return found;
}

enum wait_class wait_class_of(const struct wait_classes *classes, uint8_t reason, uint32_t stack)
{
	if (reason != REASON_SYNC && reason != REASON_SEMACQUIRE)
		return trace_reader_reason_class(classes->reader, reason);
	if (stack > classes->stack_count)
		return WAIT_CLASS_UNKNOWN;
	if (!classes->by_stack[stack])
		classes->by_stack[stack] = (uint8_t)(class_of_stack(classes->reader, stack) + 1);
	return (enum wait_class)(classes->by_stack[stack] - 1);
}
