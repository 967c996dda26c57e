#ifndef LOITER_BASE_BYTE_SOURCE_H
#define LOITER_BASE_BYTE_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "formats/base/error.h"

/*
 * Read-only random access to bytes: a file, memory, or a fault-injecting source of a test.
 * Reads use pread, never mmap: a mapped file that is cut short raises SIGBUS, and mapped pages
 * count as resident. Implementations are safe to read from several threads.
 */
struct byte_source {
	const struct byte_source_ops *ops;
};

struct byte_source_ops {
	/* Store up to `size` bytes at `offset`; *got is smaller only at the end of the bytes. */
	enum lo_result (*read)(struct byte_source *source, uint64_t offset, void *bytes,
			size_t size, size_t *got, struct lo_error *err);
	/* Bytes there are now; a file may grow. */
	uint64_t (*size)(struct byte_source *source);
	void (*close)(struct byte_source *source);
};

/* A regular file. What cannot be sought (a pipe, a terminal) is LO_UNSUPPORTED with a sentence. */
enum lo_result byte_source_open_file(
		struct byte_source **out, const char *path, struct lo_error *err);

/* `bytes` stay the caller's and must outlive the source. */
enum lo_result byte_source_open_memory(
		struct byte_source **out, const void *bytes, size_t size, struct lo_error *err);

/* Accepts NULL. */
void byte_source_close(struct byte_source *source);

enum lo_result byte_source_read(struct byte_source *source, uint64_t offset, void *bytes,
		size_t size, size_t *got, struct lo_error *err);
/* The same, but LO_TRUNCATED unless all `size` bytes are there. */
enum lo_result byte_source_read_all(struct byte_source *source, uint64_t offset, void *bytes,
		size_t size, struct lo_error *err);
uint64_t byte_source_size(struct byte_source *source);

#endif
