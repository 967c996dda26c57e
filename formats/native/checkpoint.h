#ifndef LOITER_NATIVE_CHECKPOINT_H
#define LOITER_NATIVE_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/byte_source.h"
#include "formats/native/section_list.h"

/*
 * Checkpoints: the index of what was written so far, in pieces, now and then while a trace is
 * written; so that a trace that has no end is opened by its last one, and only what stands behind
 * that has to be scanned.
 *
 * A checkpoint holds a stretch of the rows of the index, up to the section before itself, and names
 * the checkpoint whose rows stand before its own; the pieces of that chain, put together, are the
 * begin of the index, byte for byte. As in a number that counts up, CHECKPOINT_FAN pieces of one
 * size are followed by one that repeats them as a whole: so a chain has at most 15 links of each
 * size, and every row is written once for each size.
 *
 * How much that is: nothing is written unless all checkpoints together, this one included, stay
 * below 1 / CHECKPOINT_SHARE of the file, whatever its sections are like. A row takes about 10
 * bytes; sections of blocks, tables and overviews are 60 KB on average where there is much to
 * write, so for a file of 1 GB it is 3 x 10 / 60,000, a twentieth of a percent. Where sections are
 * tiny there are no checkpoints at all, and a scan of them reads the file at the speed of the disk.
 */
#define CHECKPOINT_SHARE   1024u
#define CHECKPOINT_SPACING (1u << 20) /* bytes of the file at least, from one to the next */
#define CHECKPOINT_FAN     16u

/* Links of a chain. 15 for each of six sizes are enough for 16 TB. */
#define CHECKPOINT_LINKS 96u

/* One link of the chain that ends with the checkpoint written last. */
struct checkpoint_mark {
	uint64_t offset;   /* of its section in the file */
	size_t rows_end;   /* its rows end here, in the bytes of the index */
	uint32_t sequence; /* of its section */
	uint32_t size;     /* it stands for CHECKPOINT_FAN to the power of this */
};

/* Zeroed it is ready. */
struct checkpoint_writer {
	struct checkpoint_mark marks[CHECKPOINT_LINKS];
	unsigned count;
	uint64_t key;      /* checksum of the payload of the first block with events */
	uint64_t bytes;    /* of all checkpoints, also of those that were repeated since */
	uint64_t file_end; /* behind the last one */
};

/* What the next checkpoint is to hold. */
struct checkpoint_plan {
	uint64_t previous; /* offset of the one before in the chain; 0: it is the first */
	size_t rows_begin; /* in the bytes of the index; up to their end */
	uint32_t first;    /* sequence of the section that its first row is about */
	unsigned keep;     /* links of the chain before it */
	uint32_t size;
};

/* Is one due, in a file of so many bytes, whose index so far takes `rows_end` bytes unpacked? */
bool checkpoint_is_due(const struct checkpoint_writer *writer, uint64_t file_bytes, size_t rows_end,
		struct checkpoint_plan *plan);

/* It was written as planned: `bytes` at `offset`, with this sequence number. */
void checkpoint_written(struct checkpoint_writer *writer, const struct checkpoint_plan *plan,
		uint64_t offset, uint64_t bytes, size_t rows_end, uint32_t sequence);

/*
 * Fills an empty list by the last checkpoint of a file; *known tells how far of the file that is:
 * 0, and an empty list, when there is no checkpoint that can be used. Fails on read errors and for
 * want of memory only.
 *
 * What a checkpoint says is believed as far as an index is: each section is verified when it is
 * read. Beyond that, its rows must fill the file up to the checkpoint; each checkpoint of the chain
 * must be where the rows say that there is one; and blocks must meet without a gap in time. So a
 * block that is left out shows, and one that is said to cover more than it does is found out when
 * it is read. And each has the checksum of the first block with events, which is found by walking
 * there from the begin of the file: bytes inside of a payload that look like a checkpoint, of
 * another trace that the program was reading, say, are not taken for one of this trace.
 */
enum lo_result checkpoint_find(struct section_list *list, struct byte_source *source,
		uint64_t *known, struct lo_error *err);

#endif
