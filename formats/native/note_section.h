#ifndef LOITER_NATIVE_NOTE_SECTION_H
#define LOITER_NATIVE_NOTE_SECTION_H

#include <stdint.h>

#include "formats/model/note.h"
#include "formats/native/row_codec.h"
#include "formats/native/section.h"
#include "formats/native/trace_schema.h"

/*
 * A section of notes, to and from its header and rows. A note is written when its end is known, so
 * it may begin long before the block that its section stands in front of; the header says which
 * stretch of time and which tasks its notes are about, and how many there are of each kind.
 */
struct note_cell {
	uint32_t kind; /* in the file's numbers where a header was parsed, else ours */
	uint32_t count;
	uint64_t begin_ns;
	uint64_t end_ns; /* inclusive */
	uint64_t total_ns;
};

struct note_header {
	struct section_range range; /* its numbers are task ids, 0 for notes of no task */
	unsigned count;
	struct note_cell cells[LIMIT_NOTE_KINDS];
};

/* Of no notes; then adds what one means to the header. */
void note_header_init(struct note_header *header);
void note_header_add(struct note_header *header, const struct note *note);
/* Fills the extra part; TABLE_AT_RAW_BYTES is the caller's. */
void note_header_store(struct section_header *out, const struct note_header *header);
enum lo_result note_header_parse(
		struct note_header *header, const struct section_header *in, struct lo_error *err);

void note_row_put(struct row_writer *rows, const struct note *note);

/*
 * Walks the rows of an unpacked section, kinds in our numbers; those of kinds that nobody named
 * are passed over. `visit` returns false to stop. LO_CORRUPT when the rows contradict the header.
 */
typedef bool note_visit(void *context, const struct note *note);
enum lo_result note_rows_read(const struct note_header *header, const struct section_header *in,
		const struct trace_schema *schema, const uint8_t *bytes, size_t size,
		note_visit *visit, void *context, struct lo_error *err);

#endif
