#ifndef LOITER_BASE_BYTE_SINK_H
#define LOITER_BASE_BYTE_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "formats/base/byte_buffer.h"
#include "formats/base/error.h"

/* Append-only output: a descriptor, memory, or a failing sink of a test. One thread at a time. */
struct byte_sink {
	const struct byte_sink_ops *ops;
	uint64_t written; /* bytes accepted so far */
};

struct byte_sink_ops {
	/* All or nothing as far as the caller is concerned: a failed write ends the output. */
	enum lo_result (*write)(struct byte_sink *sink, const void *bytes, size_t size,
			struct lo_error *err);
	/* Closes; reports what only close can tell (delayed write errors). */
	enum lo_result (*close)(struct byte_sink *sink, struct lo_error *err);
};

/* Creates (for its owner only) or truncates a file. */
enum lo_result byte_sink_open_file(struct byte_sink **out, const char *path, struct lo_error *err);

/* Grows as needed. The bytes belong to the sink and live until it is closed. */
enum lo_result byte_sink_open_memory(struct byte_sink **out, struct lo_error *err);
const uint8_t *byte_sink_memory(const struct byte_sink *sink, size_t *size);

/* Appends to `buffer`, which stays the caller's and outlives the sink: for whoever gives a sink
 * away and wants the bytes afterwards. */
enum lo_result byte_sink_open_buffer(
		struct byte_sink **out, struct byte_buffer *buffer, struct lo_error *err);

enum lo_result byte_sink_write(
		struct byte_sink *sink, const void *bytes, size_t size, struct lo_error *err);
/* Accepts NULL; frees the sink whatever the result. */
enum lo_result byte_sink_close(struct byte_sink *sink, struct lo_error *err);

#endif
