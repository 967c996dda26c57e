#ifndef LOITER_NATIVE_COUNTER_WRITER_H
#define LOITER_NATIVE_COUNTER_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/native/counter_section.h"

/*
 * Collects samples until a section of them is due, and the cells of sections until one of the next
 * level is. Zeroed is ready. Memory: 1024 samples, and at most COUNTER_FAN times LIMIT_COUNTERS
 * cells for each level.
 */
#define COUNTER_SECTION_ROWS 1024u

struct counter_row {
	uint32_t counter; /* position in `keys` */
	struct counter_cell cell;
};

struct counter_writer {
	struct counter_key keys[LIMIT_COUNTERS];
	unsigned key_count;
	uint64_t last_ns; /* of the latest sample */
	struct counter_level {
		struct counter_row *rows;
		uint32_t count;
		uint32_t capacity;
		uint32_t sections; /* of the level below, that the rows come from */
		uint32_t from;     /* sequence of the first of them */
	} levels[COUNTER_LEVELS];
};

void counter_writer_release(struct counter_writer *writer);

/* The number of a counter, added when new. LO_UNSUPPORTED beyond LIMIT_COUNTERS. */
enum lo_result counter_writer_find(struct counter_writer *writer, struct counter_key key,
		uint32_t *counter, struct lo_error *err);

/* LO_USAGE when time decreases. */
enum lo_result counter_writer_add(struct counter_writer *writer, uint32_t counter, uint64_t time_ns,
		uint64_t value, struct lo_error *err);

/* So many samples that they should not wait for the end of the block. */
bool counter_writer_is_full(const struct counter_writer *writer);

/* Whether there is a section of `level` to be written; to be asked from level 0 upwards. */
bool counter_writer_is_due(const struct counter_writer *writer, unsigned level);

/*
 * Makes the section: its rows go to `rows`, and `header` is what its header is to say. It will have
 * this sequence number in the file; its cells are kept for the next level.
 */
enum lo_result counter_writer_take(struct counter_writer *writer, unsigned level, uint32_t sequence,
		struct counter_header *header, struct row_writer *rows, struct lo_error *err);

#endif
