#ifndef LOITER_SHIM_STACK_CAPTURE_H
#define LOITER_SHIM_STACK_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/ring/segment.h"
#include "recorder/shim/stack_walk.h"

/*
 * The call stack of the calling thread, as an id in the stack arena of its process slot.
 *
 * Nothing here locks, allocates or uses stdio, and errno is left alone, so a hook may ask at any
 * point of the program: inside malloc, under the loader's locks, in a signal handler, on any
 * stack. What a stack costs is in docs/recording.md.
 */

/*
 * Where a walk begins. Taken in the hook itself: everything that is called from there costs a frame
 * to walk.
 */
#ifdef __x86_64__
#define STACK_REGISTERS_HERE(regs)            \
	__asm__ volatile("movq %%rsp, %1\n\t" \
			 "movq %%rbp, %2\n\t" \
			 "leaq 0(%%rip), %0"  \
			 : "=r"((regs).pc), "=m"((regs).sp), "=m"((regs).bp))
#else /* no rules for this machine yet: the walk ends where it begins */
#define STACK_REGISTERS_HERE(regs) ((void)((regs) = (struct stack_registers){ 0, 0, 0 }))
#endif

/*
 * To be called in the constructor, and again in a forked child with the child's slot. `depth` is
 * the number of frames to keep, at most STACK_DEPTH_MAX; 0 = no stacks. The only function here
 * that allocates (pages from the kernel) and that takes locks of the loader; in a child it does
 * neither. A module that is loaded later is told to the slot, with the time, when a stack first
 * leads through it. False: stack_capture() will return STACK_NONE.
 */
bool stack_capture_init(struct process_slot *slot, uint32_t depth, enum segment_clock clock);

/*
 * To be called after a dlclose() of the program. Only modules without build id need it: where one
 * of them may have been replaced by another, what is remembered of it is forgotten.
 */
void stack_capture_modules_changed(void);

/*
 * The stack of the calling thread from `from` outwards, without the frames of this library.
 *
 * `memo` belongs to the calling thread alone; it may be all zero bytes. Returns STACK_NONE when
 * there is nothing to store or no room. Sets EVENT_FLAG_STACK_CUT in `event_flags` when the frames
 * do not reach the thread's first function.
 *
 * A signal handler may interrupt the function and call it with the same memo: the inner call
 * gets its stack, the interrupted one returns STACK_NONE.
 *
 * Frames are return addresses: the call is at the byte before. Where a frame has not called
 * but was interrupted by a signal, its address + 1 is stored, so that this holds for all of them.
 */
uint32_t stack_capture(
		struct stack_memo *memo, const struct stack_registers *from, uint8_t *event_flags);

#endif
