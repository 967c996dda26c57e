#ifndef LOITER_CLI_TRACE_FILE_H
#define LOITER_CLI_TRACE_FILE_H

#include <stdbool.h>

#include "formats/base/byte_source.h"
#include "formats/base/byte_stream.h"
#include "formats/base/error.h"
#include "formats/base/progress.h"

#include <stdint.h>

/* What is at `path`, to be read from front to back; "-" is standard input. Unpacks .zst and .gz. */
enum lo_result trace_file_stream(struct byte_stream **out, const char *path, struct lo_error *err);

/*
 * A native trace of what is at `path`, whatever it is: the file itself, or, when an importer knows
 * its first bytes or it cannot be sought, a temporary file without a name in $TMPDIR that is gone
 * when the source is closed; or, with `use_cache`, what an earlier import of the same file gave.
 * What an import could not read is said in the trace's own warnings.
 */
enum lo_result trace_file_open(struct byte_source **out, const char *path, bool use_cache,
		const struct progress *progress, struct lo_error *err);

/*
 * The same of several paths, in this order: files that are one input together, as goroutine dumps
 * are that were taken one after the other. The cache is for single ones only.
 */
enum lo_result trace_files_open(struct byte_source **out, const char *const *paths, uint32_t count,
		bool use_cache, const struct progress *progress, struct lo_error *err);

struct import_part;

/* Opens all of `paths` to be read from front to back; on failure none is left open. */
enum lo_result trace_files_stream(struct import_part *parts, const char *const *paths,
		uint32_t count, struct lo_error *err);
void trace_files_close(struct import_part *parts, uint32_t count);

/*
 * `err` says that `path` is no native trace: makes it say what it seems to be instead, unless
 * somebody reads it after all and knows better what is wrong with it.
 */
void trace_file_explain(const char *path, struct lo_error *err);

#endif
