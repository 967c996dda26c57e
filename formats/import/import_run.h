#ifndef LOITER_IMPORT_IMPORT_RUN_H
#define LOITER_IMPORT_IMPORT_RUN_H

#include "formats/base/byte_sink.h"
#include "formats/base/byte_stream.h"
#include "formats/base/error.h"
#include "formats/base/progress.h"
#include "formats/import/importer.h"

struct import_options {
	const struct progress *progress; /* in bytes of the input; NULL = none */
	/* One sentence about what the input cannot show, and why. May be NULL. */
	void (*warn)(void *context, const char *sentence);
	void *warn_context;
};

/*
 * Who reads `in`, by its first bytes. LO_UNSUPPORTED when nobody does, with a sentence that says
 * what it seems to be. Takes nothing from the stream.
 */
enum lo_result import_find(
		struct byte_stream *in, const struct importer **importer, struct lo_error *err);

/*
 * Turns all of `in`, which stays the caller's, into a native trace in `sink`, which is closed
 * whatever happens. Fails as import_find() does. After LO_CANCELLED and other failures the native
 * trace has no end.
 */
enum lo_result import_run(struct byte_stream *in, struct byte_sink *sink,
		const struct import_options *options, struct lo_error *err);

/*
 * The same for several files that are one input, in this order: all of the same format, and of one
 * that can be in several files.
 */
enum lo_result import_run_parts(const struct import_part *parts, uint32_t count,
		struct byte_sink *sink, const struct import_options *options, struct lo_error *err);

#endif
