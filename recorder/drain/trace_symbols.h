#ifndef LOITER_DRAIN_TRACE_SYMBOLS_H
#define LOITER_DRAIN_TRACE_SYMBOLS_H

#include "formats/base/error.h"
#include "formats/base/progress.h"
#include "formats/native/trace_writer.h"

/*
 * Looks up what the frames of a trace are called and adds it to the trace. Nothing that is wrong
 * with the programs' files is a failure: their frames stay addresses, and a warning in the trace
 * says why. The progress callback may cut the work short; what was found by then is kept.
 */
enum lo_result trace_symbols_add(
		struct trace_writer *writer, const struct progress *progress, struct lo_error *err);

#endif
