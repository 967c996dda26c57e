#include "tests/unit/recorder/shim/stack_hidden.h"

#include <string.h>

#include "recorder/shim/stack_capture.h"

#define EXPORT __attribute__((visibility("default"), noinline))

static struct process_slot slot;
static struct stack_memo memo;

EXPORT bool stack_hidden_init(void)
{
	return stack_capture_init(&slot, 64, SEGMENT_CLOCK_MONOTONIC);
}

static __attribute__((noinline)) bool walk_deeper(struct stack_walk *walk)
{
	struct stack_registers here;

	STACK_REGISTERS_HERE(here);
	return stack_walk(&memo, &here, walk);
}

EXPORT uint32_t stack_hidden_walk(uintptr_t *addresses, uint32_t room, uint64_t *flags)
{
	struct stack_walk walk;

	if (!walk_deeper(&walk) || walk.count > room)
		return 0;
	memcpy(addresses, walk.addresses, walk.count * sizeof(*addresses));
	*flags = walk.flags;
	return walk.count;
}

EXPORT void stack_hidden_call(void (*function)(void))
{
	volatile int local = 1;

	function();
	local++;
}
