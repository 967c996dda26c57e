#ifndef LOITER_NATIVE_TRACE_SCHEMA_H
#define LOITER_NATIVE_TRACE_SCHEMA_H

#include <stdint.h>

#include "formats/base/byte_cursor.h"
#include "formats/base/error.h"
#include "formats/base/limits.h"
#include "formats/model/note.h"
#include "formats/model/reason.h"
#include "formats/native/event_codec.h"
#include "formats/native/row_codec.h"

/*
 * The schema stored in a trace: every number that its events and tables use, with its name. What
 * this build knows by name is mapped to its own number, whatever the file's number is; the rest is
 * left out or, for reasons, kept under its name, and a sentence about each is kept as a warning.
 */
enum schema_group {
	/* The numbers are stored in files. */
	SCHEMA_COLUMN = 1,     /* number: column */
	SCHEMA_EVENT_KIND = 2, /* value: set of columns, bit n for column n */
	SCHEMA_REASON = 3,
	SCHEMA_OBJECT_KIND = 4,
	SCHEMA_LOSS_CAUSE = 5,
	SCHEMA_TASK_KIND = 6,
	SCHEMA_PROCESS_END = 7,
	SCHEMA_TABLE_FIELD = 8, /* number: section type x 256 + position; value: row_field_type */
	SCHEMA_NOTE_KIND = 9,   /* value: set of enum note_field */
};

#define SCHEMA_UNKNOWN       0xffu
#define SCHEMA_WARNINGS      32u
#define SCHEMA_WARNING_BYTES 160u

struct trace_schema {
	struct event_map events;
	uint8_t column[LIMIT_BLOCK_COLUMNS]; /* file's number to enum event_column */
	uint8_t loss_cause[256];             /* these three: or SCHEMA_UNKNOWN */
	uint8_t task_kind[256];
	uint8_t process_end[256];
	uint8_t note_kind[256]; /* ours, from NOTE_KIND_COUNT a position in `notes`, or unknown */
	struct row_map tables[SECTION_TYPE_COUNT];

	/* Reasons that only the file knows, numbered from REASON_COUNT; fit for a terminal. */
	char reason_names[REASON_LIMIT - REASON_COUNT][LIMIT_SCHEMA_NAME + 1];
	unsigned foreign_reasons;

	/* Kinds of notes that only the file knows, numbered from NOTE_KIND_COUNT. */
	struct {
		char name[LIMIT_SCHEMA_NAME + 1];
		uint8_t fields; /* set of enum note_field */
	} notes[NOTE_KIND_LIMIT - NOTE_KIND_COUNT];
	unsigned foreign_notes;

	char warnings[SCHEMA_WARNINGS][SCHEMA_WARNING_BYTES]; /* fit for a terminal */
	unsigned warning_count;
};

/* Adds the rows of this build's schema. */
void trace_schema_put(struct row_writer *rows);
/* Adds one more reason, which this build does not know; `number` is at least REASON_COUNT. */
void trace_schema_put_reason(struct row_writer *rows, unsigned number, const char *name);

/* From the raw bytes of a schema section. Rows of unknown groups are passed over. */
enum lo_result trace_schema_read(struct trace_schema *schema, const uint8_t *bytes, size_t size,
		struct lo_error *err);

#endif
