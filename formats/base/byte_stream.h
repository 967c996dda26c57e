#ifndef LOITER_BASE_BYTE_STREAM_H
#define LOITER_BASE_BYTE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/byte_source.h"
#include "formats/base/error.h"

/*
 * Bytes read once from front to back: of a file, a pipe or memory, and through zstd or gzip when
 * the first bytes say so. Memory: a window as large as the largest peek, and the decompressor's.
 *
 * Compressed bytes that stop early or are damaged end the stream where the damage begins; that is
 * no failure, since what came before is good. byte_stream_fault() tells.
 */
struct byte_stream;

/* Takes ownership of `source`, even on failure. */
enum lo_result byte_stream_open(
		struct byte_stream **out, struct byte_source *source, struct lo_error *err);
/* The same for what cannot be sought: a pipe, a terminal. `descriptor` stays the caller's. */
enum lo_result byte_stream_open_descriptor(
		struct byte_stream **out, int descriptor, struct lo_error *err);
/* Opens `path`, a named pipe or device, and closes it in the end. */
enum lo_result byte_stream_open_pipe(
		struct byte_stream **out, const char *path, struct lo_error *err);
/* Accepts NULL. */
void byte_stream_close(struct byte_stream *stream);

/*
 * The next `want` bytes in place; *got is smaller only at the end. Valid until the next call.
 * LO_IO or LO_NO_MEMORY.
 */
enum lo_result byte_stream_peek(struct byte_stream *stream, size_t want, const uint8_t **bytes,
		size_t *got, struct lo_error *err);
/* Moves on by `size` bytes, which must have been peeked. */
void byte_stream_skip(struct byte_stream *stream, size_t size);

/* Whether the file itself is compressed. */
bool byte_stream_is_packed(const struct byte_stream *stream);

/* Position in the (unpacked) bytes. */
uint64_t byte_stream_offset(const struct byte_stream *stream);
/* Whether a peek has met the end and all is taken. */
bool byte_stream_is_at_end(const struct byte_stream *stream);
/* For progress: bytes read of the file itself and, unless it is a pipe (0), how many there are. */
uint64_t byte_stream_done(const struct byte_stream *stream);
uint64_t byte_stream_total(const struct byte_stream *stream);

/* Why the stream ended before its time, as a sentence; NULL when nothing is wrong so far. */
const char *byte_stream_fault(const struct byte_stream *stream);

#endif
