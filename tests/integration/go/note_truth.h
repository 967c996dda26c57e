#ifndef LOITER_TESTS_NOTE_TRUTH_H
#define LOITER_TESTS_NOTE_TRUTH_H

#include <jansson.h>

#include "formats/native/trace_reader.h"

/* Compares notes and counters with what Go's own parser says; returns the number of differences,
 * each of which is printed. */
unsigned compare_notes(const char *trace, const json_t *truth, struct trace_reader *reader);

#endif
