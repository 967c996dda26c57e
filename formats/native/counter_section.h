#ifndef LOITER_NATIVE_COUNTER_SECTION_H
#define LOITER_NATIVE_COUNTER_SECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/model/counter.h"
#include "formats/native/row_codec.h"
#include "formats/native/section.h"

/*
 * A section of counters, to and from its header and rows.
 *
 * Samples lie in sections of level 0, those of each counter together. The header of a section has
 * one cell for each counter: what all rows of it say together. COUNTER_FAN sections of one level
 * are followed by one of the next, whose rows are the cells of their headers. So the values of any
 * stretch of time, as fine or coarse as a screen can show them, are in a number of sections that
 * depends on the screen alone; and a file that is cut anywhere has all levels up to there.
 */
struct counter_header {
	struct section_range range; /* its numbers are the level, twice */
	uint32_t from;              /* level > 0: sequence of the first section that is summed up */
	unsigned count;
	struct counter_section_cell {
		struct counter_key key;
		uint32_t rows;
		struct counter_cell sum;
	} cells[LIMIT_COUNTERS];
};

/* `sum` becomes what it and `cell`, which is later, say together. */
void counter_cell_add(struct counter_cell *sum, const struct counter_cell *cell);

/* Fills the extra part; TABLE_AT_RAW_BYTES is the caller's. */
void counter_header_store(struct section_header *out, const struct counter_header *header);
/* Checks everything that can be checked without the rows. */
enum lo_result counter_header_parse(struct counter_header *header, const struct section_header *in,
		struct lo_error *err);

void counter_row_put(struct row_writer *rows, const struct counter_cell *cell);

/*
 * Walks the rows of an unpacked section. `visit` gets the number of the counter's cell in the
 * header. LO_CORRUPT when the rows are not those that the header announces.
 */
typedef void counter_row_visit(void *context, unsigned counter, const struct counter_cell *cell);
enum lo_result counter_rows_read(const struct counter_header *header, const struct row_map *map,
		const uint8_t *bytes, size_t size, counter_row_visit *visit, void *context,
		struct lo_error *err);

#endif
