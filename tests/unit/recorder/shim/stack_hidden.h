#ifndef LOITER_TEST_STACK_HIDDEN_H
#define LOITER_TEST_STACK_HIDDEN_H

#include <stdbool.h>
#include <stdint.h>

/* A library with the walker in it, as the preload shim: its own frames are not part of a stack. */
bool stack_hidden_init(void);

/* The stack of the caller, innermost first; their count. */
uint32_t stack_hidden_walk(uintptr_t *addresses, uint32_t room, uint64_t *flags);

/* Calls the program's function, as a wrapper of a thread's start routine does. */
void stack_hidden_call(void (*function)(void));

#endif
