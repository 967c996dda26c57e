#ifndef LOITER_NATIVE_TRACE_REWRITE_H
#define LOITER_NATIVE_TRACE_REWRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/base/progress.h"
#include "formats/native/trace_reader.h"
#include "formats/native/trace_writer.h"

/*
 * Writes everything that a reader has of a trace into a writer, and finishes it: tables first, then
 * events, counters and notes in the order of the file. All parts of the index are made anew; small
 * blocks become large ones, except those with losses, which keep their place in time.
 *
 * Memory: the tables of both sides, and one block.
 */
struct trace_rewrite_options {
	/*
	 * What is damaged, or known to later versions only, is left out: lost events are counted
	 * under LOSS_DAMAGED where they are missing, and the trace says in warnings of its own what
	 * was done. Without it such a trace is refused, and so is one without an end: LO_CORRUPT,
	 * LO_TRUNCATED, LO_UNSUPPORTED.
	 */
	bool salvage;
	const struct progress *progress; /* in blocks; NULL = none */
};

struct trace_rewrite_result {
	uint64_t events;      /* that were kept */
	uint64_t lost;        /* of this file by its damage; at the least, see `lost_stretches` */
	uint32_t lost_blocks; /* of which the number of events is known */
	uint32_t lost_stretches; /* with blocks of which nothing is known: counted as one event */
	uint32_t problems;       /* damaged places of all kinds */
};

/* Nothing is to have been written to `writer` yet, and it is finished afterwards. */
enum lo_result trace_rewrite(struct trace_reader *reader, struct trace_writer *writer,
		const struct trace_rewrite_options *options, struct trace_rewrite_result *result,
		struct lo_error *err);

#endif
