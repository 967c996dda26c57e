#ifndef LOITER_SHIM_WAIT_H
#define LOITER_SHIM_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/model/object.h"
#include "formats/model/reason.h"
#include "recorder/ring/ring.h"
#include "recorder/shim/stack_capture.h"
#include "recorder/shim/thread.h"

/*
 * One wait of the calling thread, on the stack of the hook that wraps it:
 *
 *     struct wait wait = WAIT(REASON_JOIN, OBJECT_TASK, number);
 *     wait_begin(&wait);
 *     result = NEXT(pthread_join)(thread, value);
 *     wait_end(&wait, peer, flags);
 *
 * wait_begin() is for calls that are known to wait: BLOCK is pushed at once. wait_try() is for
 * calls that mostly do not: the event is only armed (ring.h, "Pending"), and wait_end() decides by
 * the time that passed whether it was a wait.
 *
 * Signals. While a thread waits, a handler may run in it and wait too. Then the outer wait is
 * suspended: it gets its UNBLOCK (interrupted, as it is), and when the inner wait has ended a new
 * BLOCK. So waits never lie inside each other in a ring, at most one is open or armed, and a
 * handler that hangs is as visible as any other code. `thread.wait` leads from the innermost
 * outwards.
 *
 * Leaving without wait_end(). Three ways lead out of a wait for good, and each closes it:
 *   - cancellation and pthread_exit() in a handler unwind the stack. Each hook that waits names
 *     wait_unwound() as its personality routine, which costs nothing on the normal way. (A cleanup
 *     attribute would do the same, but pulls the compiler's unwinding library into the program.)
 *   - longjmp() out of a handler is hooked (hooks_jump.c). One that stays inside a handler leaves
 *     only the waits of the frames between.
 *   - whatever else (setcontext() in a handler) is noticed when the thread waits again with its
 *     stack pointer above the wait, or ends.
 * A wait that is not the innermost one any more has been closed by one of them, and its wait_end()
 * does nothing.
 */
enum wait_stage {
	WAIT_OFF,
	WAIT_OPEN,  /* its BLOCK was pushed */
	WAIT_ARMED, /* its BLOCK is the pending event */
	WAIT_LOST,  /* could not be recorded: counted at the end, if it was a wait */
};

struct wait {
	struct event event; /* its BLOCK */
	struct wait *outer;
	uint8_t stage; /* enum wait_stage */
	uint8_t lost;  /* enum thread_entry: why it is WAIT_LOST; THREAD_ENTERED = the ring is full
			*/
	bool doubtful; /* it is a wait only if it takes long enough */
	bool heeds_nonblock; /* and if its descriptor is no socket or pipe with O_NONBLOCK */
};

#define WAIT(reason_, kind_, object_)                 \
	{                                             \
		.event = {                            \
			.kind = EVENT_BLOCK,          \
			.reason = (reason_),          \
			.object_kind = (kind_),       \
			.object = (uint64_t)(object_) \
		}                                     \
	}

void wait_begin_at(struct wait *wait, const struct stack_registers *here);

/* Does the frame of the hook that this is inlined into hold a wait? Then it says so here. */
#define WAIT_IN_THIS_FRAME() __asm__ volatile(".cfi_personality 0x1b, wait_unwound")

static inline __attribute__((always_inline)) void wait_begin(struct wait *wait)
{
	struct stack_registers here;

	WAIT_IN_THIS_FRAME();
	STACK_REGISTERS_HERE(here);
	wait_begin_at(wait, &here);
}

static inline __attribute__((always_inline)) void wait_try(struct wait *wait)
{
	wait->doubtful = true;
	wait_begin(wait);
}

/* `waker`: task number, 0 = not known. `flags` go into the UNBLOCK. Leaves errno alone. */
void wait_end(struct wait *wait, uint32_t waker, uint8_t flags);

/*
 * Pushes a record that is no wait; `busy` is set. An open wait is suspended meanwhile. False: it
 * was lost.
 */
bool wait_push_other(struct thread *self, const struct event *event);

/* Closes all waits of the thread, whose `busy` is set, as interrupted. */
void wait_abandon_all(struct thread *self);

/* The caller is about to jump to where the stack pointer is `target`; 0: that is not known. */
void wait_jumped(uintptr_t target);

#endif
