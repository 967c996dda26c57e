#ifndef LOITER_IMPORT_GO_BATCH_H
#define LOITER_IMPORT_GO_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/byte_stream.h"
#include "formats/base/error.h"
#include "formats/import/go_wire.h"

/*
 * A Go trace v2 is a sequence of batches; this reads them one after the other.
 *
 * Damage between two batches is skipped: the reader looks for the next place that has the shape of
 * a batch header (a generation that fits, a length in the padded form that the runtime writes).
 * A batch that is cut off by the end of the file is returned as far as it goes.
 */
struct go_batch {
	uint64_t offset; /* in the unpacked file */
	uint64_t generation;
	uint64_t thread;        /* GO_WIRE_NONE: of no thread */
	uint64_t time;          /* units */
	const uint8_t *payload; /* valid until the next call */
	uint32_t size;
	bool experimental;      /* payload is a private table */
	bool end_of_generation; /* no batch but the mark between two generations */
};

struct go_batch_reader {
	struct byte_stream *in;
	uint64_t generation; /* of the last batch */
	bool begun;
	bool cut;               /* the file ends inside a batch, or has no more batches */
	uint64_t skipped_bytes; /* between batches */
	uint64_t renumbered;    /* batches whose generation was not that of their neighbours */
};

/* `in` stands behind the header of the file. LO_END at the end; LO_IO, LO_NO_MEMORY. */
enum lo_result go_batch_next(
		struct go_batch_reader *reader, struct go_batch *batch, struct lo_error *err);

#endif
