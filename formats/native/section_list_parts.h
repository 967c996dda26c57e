#ifndef LOITER_NATIVE_SECTION_LIST_PARTS_H
#define LOITER_NATIVE_SECTION_LIST_PARTS_H

#include <stdint.h>

#include "formats/native/block.h"
#include "formats/native/damage_list.h"
#include "formats/native/row_codec.h"
#include "formats/native/section.h"
#include "formats/native/section_list.h"
#include "formats/native/section_read.h"

/*
 * How a list of sections comes about: section_list.c decides where from, section_index.c takes them
 * from an index or from checkpoints, section_scan.c walks over the headers. Nobody else needs this.
 */

/* Positions by type are there after section_list_sort(), to be called when all are added. */
enum lo_result section_list_add(
		struct section_list *list, const struct section_entry *entry, struct lo_error *err);
/* A loss of the entry that was added last. */
enum lo_result section_list_add_loss(
		struct section_list *list, uint32_t cause, uint64_t count, struct lo_error *err);
enum lo_result section_list_sort(struct section_list *list, struct lo_error *err);

void section_entry_set_range(struct section_entry *entry, const struct section_range *range);
/* Of a table by position. LO_CORRUPT when its rows would have ids that there cannot be. */
enum lo_result section_entry_set_positions(
		struct section_entry *entry, uint32_t first_id, struct lo_error *err);

/* ---- section_index.c ---- */

/* What is carried from row to row of an index. Zeroed, with the first three set, it is ready. */
struct index_reading {
	struct section_list *list;
	uint64_t index_offset; /* the rows are about the file up to here */
	struct lo_error *err;
	uint64_t offset; /* of the section that the next row is about */
	uint64_t last_end_ns;
	uint32_t last_id[SECTION_TYPE_COUNT]; /* of tables by position */
	bool gap_in_time; /* a block began later than the one before had ended */
	struct row_map map;
	struct row_reader rows;
};

/* Adds an entry for each row. Rows may come in several parts. LO_CORRUPT. */
enum lo_result index_reading_add(struct index_reading *reading, const uint8_t *raw, size_t size);

/* From the index at the end of the file. *offset gets the place of the index, if the file ends with
 * a locator, and is left alone otherwise. LO_CORRUPT, LO_TRUNCATED when there is none to be used.
 */
enum lo_result section_index_load(struct section_list *list, struct byte_source *source,
		uint64_t size, uint64_t *offset, struct lo_error *err);

/* ---- section_scan.c ---- */

struct section_scan;

/* Goes on behind the entries that `list` has, of the file up to `offset`. */
enum lo_result section_scan_new(struct section_scan **out, struct section_list *list,
		struct byte_source *source, struct damage_list *damage, uint64_t offset,
		struct lo_error *err);
/* Accepts NULL. */
void section_scan_free(struct section_scan *scan);

/* Goes over at least one section, and on for so many bytes of the file. LO_END: all is seen. */
enum lo_result section_scan_run(struct section_scan *scan, uint64_t bytes,
		const struct progress *progress, struct lo_error *err);

/* How far it is. */
uint64_t section_scan_offset(const struct section_scan *scan);

#endif
