#ifndef LOITER_CLI_IMPORT_FILE_H
#define LOITER_CLI_IMPORT_FILE_H

#include <stdint.h>

#include "formats/base/byte_stream.h"
#include "formats/base/error.h"
#include "formats/base/progress.h"

/*
 * Imports all of `in`, which stays the caller's, into the file `out`: created or truncated once it
 * is clear that somebody can read `in`, and removed when it fails later. What cannot be shown is
 * said on stderr, prefixed with `program`.
 */
enum lo_result import_file(const char *program, struct byte_stream *in, const char *out,
		const struct progress *progress, struct lo_error *err);

struct import_part;

/* The same for several files that are one input, in this order. */
enum lo_result import_files(const char *program, const struct import_part *parts, uint32_t count,
		const char *out, const struct progress *progress, struct lo_error *err);

#endif
