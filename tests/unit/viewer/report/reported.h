#ifndef LOITER_TESTS_REPORTED_H
#define LOITER_TESTS_REPORTED_H

#include <stdbool.h>

/*
 * The report of a trace written as trace_builder.h says, as "FILE"; to be freed. Aborts on failure.
 */
char *reported(const char *text, bool json);

#endif
