#include <setjmp.h>

#include "recorder/shim/hook.h"
#include "recorder/shim/wait.h"

/*
 * Jumps. A program may jump out of a signal handler, and with it out of the call that the handler
 * has interrupted; then that wait is over. Jumps within a handler close it too, some microseconds
 * too early: telling the two apart would need the target, which the C library hides.
 */
void __longjmp_chk(struct __jmp_buf_tag environment[1], int value) __attribute__((noreturn));

#define JUMP_HOOK(name)                                                  \
	HOOK(void, name, struct __jmp_buf_tag environment[1], int value) \
	{                                                                \
		wait_jumped();                                           \
		NEXT(name)(environment, value);                          \
		__builtin_unreachable();                                 \
	}

JUMP_HOOK(longjmp)
JUMP_HOOK(_longjmp)
JUMP_HOOK(siglongjmp)
JUMP_HOOK(__longjmp_chk)
