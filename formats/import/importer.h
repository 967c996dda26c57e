#ifndef LOITER_IMPORT_IMPORTER_H
#define LOITER_IMPORT_IMPORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/byte_stream.h"
#include "formats/base/error.h"
#include "formats/base/progress.h"
#include "formats/import/import_sink.h"

/* One of several files that are one input. */
struct import_part {
	struct byte_stream *in;
	uint64_t modified_ns; /* when it was written, by the wall clock; 0 = not known */
};

/*
 * One foreign format. An importer reads its input once from front to back and tells the sink what
 * the tasks did; faults of the input are the importer's to survive: it keeps what it can and warns
 * through the sink. A new importer is one file and one row in importer_table.c.
 */
struct importer {
	const char *name; /* "go-trace-v2": as in reports */
	const char *help; /* one line for a person */
	/* Whether a file that begins with these bytes (at most IMPORT_HEAD_BYTES) is of this
	 * format. The first importer that says yes gets the file. */
	bool (*probe)(const uint8_t *head, size_t size);
	/* Reads all of `in`. Fails only when nothing at all could be read, or for reasons that are
	 * not the file's: memory, disk, cancellation. */
	enum lo_result (*run)(struct byte_stream *in, struct import_sink *sink,
			const struct progress *progress, struct lo_error *err);
	/* The same for several files in a row; NULL where there can be only one. */
	enum lo_result (*run_parts)(const struct import_part *parts, uint32_t count,
			struct import_sink *sink, const struct progress *progress,
			struct lo_error *err);
};

/* Text dumps may stand behind a screen of log lines. */
#define IMPORT_HEAD_BYTES (64u << 10)

/* Ends with NULL. */
extern const struct importer *const importers[];

#endif
