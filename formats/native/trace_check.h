#ifndef LOITER_NATIVE_TRACE_CHECK_H
#define LOITER_NATIVE_TRACE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/byte_source.h"
#include "formats/base/error.h"
#include "formats/base/progress.h"

/*
 * Is a trace sound? A list of named checks, each walking the whole file in its own way, from the
 * frames up to what the events say. A reader uses whatever is usable; this finds what is not.
 * A new check is one function and one row in trace_check.c.
 */
struct trace_checking;

struct trace_check_info {
	const char *name; /* "checksums" */
	const char *help; /* what is true of a sound trace, one line */
};

/* NULL past the last. The order is that in which checks are to be run. */
const struct trace_check_info *trace_check_at(unsigned i);

/*
 * Takes ownership of `source`, even on failure. Fails only for what is no trace of a version that
 * this build knows (LO_UNSUPPORTED), or cannot be read at all; a trace that is all damage passes.
 */
enum lo_result trace_checking_open(struct trace_checking **out, struct byte_source *source,
		const struct progress *progress, struct lo_error *err);
/* Accepts NULL. */
void trace_checking_close(struct trace_checking *checking);

struct trace_check_result {
	bool possible;    /* false: an earlier problem, or the lack of an index, leaves no answer */
	uint64_t checked; /* sections, blocks, rows or events: see `what` */
	const char *what; /* "sections", "events", ... */
	uint64_t problems; /* told to the listener */
	uint64_t known;    /* at places that an earlier check has told about */
};

/* Told about each problem: where, and a sentence for people that may hold bytes of the file. */
struct trace_check_listener {
	void (*problem)(void *context, uint64_t offset, const char *sentence);
	void *context;
};

/* Runs check `i`. Problems are no failure; a disk that cannot be read is. */
enum lo_result trace_checking_run(struct trace_checking *checking, unsigned i,
		const struct trace_check_listener *listener, struct trace_check_result *result,
		struct lo_error *err);

#endif
