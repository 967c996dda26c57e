#include "recorder/shim/stack_capture.h"

#include <stddef.h>

#include "recorder/shim/code_module.h"
#include "recorder/shim/stack_intern.h"
#include "recorder/shim/stack_libunwind.h"

enum capture_method {
	CAPTURE_NOTHING,
	CAPTURE_WALK,
	CAPTURE_LIBUNWIND
};

static struct {
	enum capture_method method;
	struct process_slot *slot;
} capture;

static enum capture_method choose_method(uint32_t depth)
{
	if (depth == 0)
		return CAPTURE_NOTHING;
	if (code_module_init() && stack_walk_init(depth))
		return CAPTURE_WALK;
	return stack_libunwind_init(depth) ? CAPTURE_LIBUNWIND : CAPTURE_NOTHING;
}

bool stack_capture_init(struct process_slot *slot, uint32_t depth, enum segment_clock clock)
{
	if (!capture.slot)
		capture.method = choose_method(depth);
	capture.slot = slot;
	stack_walk_serve(slot, clock);
	return capture.method != CAPTURE_NOTHING;
}

void stack_capture_modules_changed(void)
{
	code_module_changed();
}

static bool walk(struct stack_memo *memo, const struct stack_registers *from,
		struct stack_walk *result)
{
	switch (capture.method) {
	case CAPTURE_WALK:
		return from->pc != 0 && stack_walk(memo, from, result);
	case CAPTURE_LIBUNWIND:
		return stack_libunwind_walk(memo, result);
	case CAPTURE_NOTHING:
		break;
	}
	return false;
}

uint32_t stack_capture(
		struct stack_memo *memo, const struct stack_registers *from, uint8_t *event_flags)
{
	struct stack_walk result;

	if (!walk(memo, from, &result) || result.count == 0)
		return STACK_NONE;
	if (result.id == STACK_NONE)
		result.id = stack_intern(&capture.slot->stacks, result.addresses, result.count,
				result.flags, result.hash);
	/* A handler may have changed the addresses under our hands; what was stored then is waste.
	 */
	if (!stack_memo_store_id(memo, result.turn, result.id))
		return STACK_NONE;
	if (result.flags & STACK_WORD_FLAG_CUT)
		*event_flags |= EVENT_FLAG_STACK_CUT;
	return result.id;
}
