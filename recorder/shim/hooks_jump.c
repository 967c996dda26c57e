#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "recorder/shim/hook.h"
#include "recorder/shim/hooks_jump.h"
#include "recorder/shim/wait.h"

/*
 * Jumps. A program may jump out of a signal handler, and with it out of the call that the handler
 * has interrupted; then that wait is over. Or it jumps within the handler, and the wait goes on.
 * The two are told apart by the stack pointer that the jump leads to. glibc keeps it in the seventh
 * word of the buffer, xored with a secret of the process (at %fs:0x30) and rotated by 17 bits. That
 * is no promise of theirs, so it is tried at the start with a buffer of our own.
 */
#define WORD_OF_STACK_POINTER 6
#define ROTATION              17

static bool target_is_known;

static uintptr_t target_of(const struct __jmp_buf_tag *environment)
{
	uintptr_t word = (uintptr_t)environment->__jmpbuf[WORD_OF_STACK_POINTER];
	uintptr_t secret;

	__asm__("mov %%fs:0x30, %0" : "=r"(secret));
	return (word >> ROTATION | word << (64 - ROTATION)) ^ secret;
}

__attribute__((noinline)) void jump_targets_init(void)
{
	jmp_buf environment;
	uintptr_t here;

	if (_setjmp(environment) != 0)
		return; /* nobody jumps here */
	__asm__ volatile("mov %%rsp, %0" : "=r"(here));
	target_is_known = target_of(environment) == here;
}

void __longjmp_chk(struct __jmp_buf_tag environment[1], int value) __attribute__((noreturn));

#define JUMP_HOOK(name)                                                    \
	HOOK(void, name, struct __jmp_buf_tag environment[1], int value)   \
	{                                                                  \
		wait_jumped(target_is_known ? target_of(environment) : 0); \
		NEXT(name)(environment, value);                            \
		__builtin_unreachable();                                   \
	}

JUMP_HOOK(longjmp)
JUMP_HOOK(_longjmp)
JUMP_HOOK(siglongjmp)
JUMP_HOOK(__longjmp_chk)
