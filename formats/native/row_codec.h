#ifndef LOITER_NATIVE_ROW_CODEC_H
#define LOITER_NATIVE_ROW_CODEC_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/byte_buffer.h"
#include "formats/base/byte_cursor.h"
#include "formats/base/error.h"
#include "formats/base/limits.h"
#include "formats/native/layout.h"

/*
 * Rows of every table but events, all coded the same way and described by one table of tables.
 *
 * A row is its fields in order, each a varint (ROW_NUMBER), a folded difference to the same field
 * of the row before in the section (ROW_DELTA), or a varint length and bytes (ROW_BYTES). A file
 * stores the description of its tables in its schema, by name; so a reader passes over fields that
 * it does not know, and sees zero in those that the file does not have.
 */
enum row_field_type {
	/* The numbers are stored in files. */
	ROW_NUMBER = 0,
	ROW_DELTA = 1,
	ROW_BYTES = 2,
	ROW_FIELD_TYPE_COUNT
};

#define ROW_FIELDS_MAX 12

struct row_field {
	const char *name;
	enum row_field_type type;
};

struct row_schema {
	struct row_field fields[ROW_FIELDS_MAX];
	unsigned count;
};

/* Indexed by enum section_type; empty for sections that are no tables. */
extern const struct row_schema row_schemas[SECTION_TYPE_COUNT];

/* Positions in those tables, for whoever fills or reads a row. */
enum schema_field {
	SCHEMA_GROUP,
	SCHEMA_NUMBER,
	SCHEMA_VALUE,
	SCHEMA_NAME
};
enum meta_field {
	META_KEY,
	META_VALUE
};
enum string_field {
	STRING_BYTES
};
enum module_field {
	MODULE_PATH,
	MODULE_FLAGS,
	MODULE_BUILD_ID
};
enum frame_field {
	FRAME_MODULE,
	FRAME_OFFSET
};
enum stack_field {
	STACK_UP,
	STACK_FRAME
};
enum task_field {
	TASK_ID,
	TASK_PROCESS,
	TASK_TID,
	TASK_NAME,
	TASK_KIND,
	TASK_FLAGS
};
enum process_field {
	PROCESS_INDEX,
	PROCESS_PARENT,
	PROCESS_PID,
	PROCESS_PROGRAM,
	PROCESS_BEGIN,
	PROCESS_FINISH,
	PROCESS_END_KIND,
	PROCESS_END_VALUE
};
enum symbol_field {
	SYMBOL_FRAME,
	SYMBOL_PLACE,
	SYMBOL_FUNCTION,
	SYMBOL_FILE,
	SYMBOL_LINE
};
enum index_field {
	INDEX_TYPE,
	INDEX_BYTES,
	INDEX_ROWS,
	INDEX_BEGIN,
	INDEX_LENGTH,
	INDEX_DETAIL
};

enum counter_row_field {
	COUNTER_ROW_TIME,
	COUNTER_ROW_LENGTH,
	COUNTER_ROW_SAMPLES,
	COUNTER_ROW_VALUE,
	COUNTER_ROW_RISE,
	COUNTER_ROW_BELOW,
	COUNTER_ROW_ABOVE
};
enum note_row_field {
	NOTE_ROW_KIND,
	NOTE_ROW_FLAGS,
	NOTE_ROW_TASK,
	NOTE_ROW_BEGIN,
	NOTE_ROW_LENGTH,
	NOTE_ROW_STACK,
	NOTE_ROW_NAME,
	NOTE_ROW_TEXT,
	NOTE_ROW_ID,
	NOTE_ROW_PARENT,
	NOTE_ROW_VALUE
};

struct row {
	uint64_t number[ROW_FIELDS_MAX];      /* of ROW_BYTES: the length */
	const uint8_t *bytes[ROW_FIELDS_MAX]; /* of ROW_BYTES only */
};

/* Collects rows of one table. Zeroed and given a schema it is ready. */
struct row_writer {
	const struct row_schema *schema;
	struct byte_buffer bytes;
	uint64_t previous[ROW_FIELDS_MAX];
	uint32_t rows;
};

void row_writer_put(struct row_writer *writer, const struct row *row);
/* Ready for the next section. */
void row_writer_clear(struct row_writer *writer);
void row_writer_release(struct row_writer *writer);

#define ROW_FIELD_UNKNOWN 0xff

/* How the fields of a file's table lead to ours. */
struct row_map {
	struct {
		uint8_t type; /* enum row_field_type */
		uint8_t own;  /* position in our schema, or ROW_FIELD_UNKNOWN */
	} fields[LIMIT_ROW_FIELDS];
	unsigned count;
};

/* Both sides the same: for the tables that must be read before any schema is known. */
void row_map_identity(struct row_map *map, const struct row_schema *schema);

struct row_reader {
	const struct row_map *map;
	struct byte_cursor cursor;
	uint64_t previous[LIMIT_ROW_FIELDS];
};

/* False at the end and at damage, which `reader->cursor.failed` tells apart. */
bool row_reader_next(struct row_reader *reader, struct row *row);

#endif
