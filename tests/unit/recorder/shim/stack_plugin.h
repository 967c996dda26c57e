#ifndef LOITER_TEST_STACK_PLUGIN_H
#define LOITER_TEST_STACK_PLUGIN_H

/* What stack_plugin.c exports, under the name stack_plugin_call. */
typedef int stack_plugin_function(void (*leaf)(void));

#endif
