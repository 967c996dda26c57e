#ifndef LOITER_FUZZ_TRACE_MODEL_H
#define LOITER_FUZZ_TRACE_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "formats/model/event.h"
#include "formats/native/trace_reader.h"

/*
 * What an open reader promises whatever the file was. Each function aborts when a promise is
 * broken; so a fuzzer finds more than crashes.
 */

/* Events walked in one input: some bytes can stand for many millions of them. */
#define MODEL_EVENTS_MAX 100000u

/* NULL when the bytes are no trace. They must outlive the reader. */
struct trace_reader *model_open(const uint8_t *bytes, size_t size);

/* Reads the events forwards into `events` (room for MODEL_EVENTS_MAX), checks each, then the same
 * backwards, in runs and by seeking. Returns how many there are. */
uint32_t model_check_events(struct trace_reader *reader, struct event *events);

/* Asks for counters and notes in spans of all sizes. */
void model_check_side(struct trace_reader *reader);

/* Reads every table through the reader's functions, ids out of range included. */
void model_check_tables(struct trace_reader *reader);

/* Asks for the states of all tasks, and of some, at a few times, and who is alive in some spans. */
void model_check_states(struct trace_reader *reader);

#endif
