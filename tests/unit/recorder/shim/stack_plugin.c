/*
 * A plug-in that can be unloaded. Built in several variants of the same layout: the instructions
 * lie at the same offsets, but the frames have another size, so that yesterday's unwind rules give
 * a wrong stack today. Both frames together are as large in each; and the inner one is not filled,
 * so that what yesterday's frames left in it looks like them.
 */
#include "tests/unit/recorder/shim/stack_plugin.h"

__attribute__((visibility("default"))) stack_plugin_function stack_plugin_call;

static __attribute__((noinline)) int inner(void (*leaf)(void))
{
	char bytes[STACK_PLUGIN_INNER];

	__asm__ volatile("" : : "r"(bytes) : "memory");
	leaf();
	__asm__ volatile("" : : "r"(bytes) : "memory");
	return bytes[STACK_PLUGIN_INNER / 2];
}

int stack_plugin_call(void (*leaf)(void))
{
	char bytes[STACK_PLUGIN_OUTER];

	__asm__ volatile("" : : "r"(bytes) : "memory");
	int result = inner(leaf);
	__asm__ volatile("" : : "r"(bytes) : "memory");
	return result;
}
