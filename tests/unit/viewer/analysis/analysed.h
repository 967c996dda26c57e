#ifndef LOITER_TESTS_ANALYSED_H
#define LOITER_TESTS_ANALYSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/macros.h"
#include "viewer/analysis/analysis.h"

/*
 * The analysis of a trace written as trace_builder.h says; aborts when that fails. Frees what the
 * call before returned, so a test needs no clean-up; analysed(NULL) frees the last one.
 */
const struct analysis *analysed(const char *text);

/* The first finding of a kind, NULL without one. */
const struct finding *finding_of(const struct analysis *analysis, enum finding_kind kind);
uint32_t findings_of(const struct analysis *analysis, enum finding_kind kind);

/* The finding of a kind that has this task, NULL without one. */
const struct finding *finding_with(
		const struct analysis *analysis, enum finding_kind kind, uint32_t task);

/* The parked group that a task is in, NULL without one. */
const struct wait_group *parked_with(const struct analysis *analysis, uint32_t task);

/* Does any line of the evidence contain these words? */
bool why_has(const struct finding *finding, const char *words);

/* Appends formatted lines to a trace text of a test; the buffer must be large enough. */
void add_lines(char *text, size_t capacity, const char *format, ...) LO_PRINTF(3, 4);

#endif
