#ifndef LOITER_DRAIN_FACTS_H
#define LOITER_DRAIN_FACTS_H

#include <stdint.h>
#include <sys/types.h>

#include "formats/base/error.h"
#include "formats/native/trace_writer.h"
#include "recorder/drain/session.h"
#include "recorder/drain/stream.h"

/*
 * What a trace says about its own recording (formats/model/meta.h), and above all what it cannot
 * show, in sentences for people.
 */
enum lo_result facts_of_beginning(struct trace_writer *writer,
		const struct session_options *options, pid_t pid, const struct tick_clock *clock,
		struct lo_error *err);

/* When the wall clock said so many ns, the trace began. */
enum lo_result facts_of_start(struct trace_writer *writer, int64_t unix_ns, struct lo_error *err);

/* Why the recording ended before the program, if it did. */
enum lo_result facts_of_early_end(struct trace_writer *writer, const struct budget *budget,
		enum session_end end, int signal_number, struct lo_error *err);

struct facts_missing {
	uint32_t processes; /* that found no slot */
	uint32_t full_arenas;
	uint32_t full_logs;
};
enum lo_result facts_of_shortcomings(struct trace_writer *writer, const struct stream *stream,
		const struct facts_missing *missing, struct lo_error *err);

#endif
