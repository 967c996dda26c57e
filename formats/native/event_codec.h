#ifndef LOITER_NATIVE_EVENT_CODEC_H
#define LOITER_NATIVE_EVENT_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/byte_buffer.h"
#include "formats/base/error.h"
#include "formats/base/id_index.h"
#include "formats/model/event.h"

/*
 * An array of events to and from the raw bytes of columns, before and after compression. All
 * knowledge of how a column is coded is in event_codec.c; blocks carry an encoding number for each
 * column, so that a better coding can be added without losing the older one.
 *
 * A row has a value in the columns time, task and kind, and in those that the schema lists for its
 * kind. A column whose raw bytes would all be zero is left out of the block.
 */
enum event_column {
	COLUMN_TIME,
	COLUMN_TASK,
	COLUMN_KIND,
	COLUMN_PEER,
	COLUMN_STACK,
	COLUMN_OBJECT, /* kind and value */
	COLUMN_REASON,
	COLUMN_FLAGS,
	EVENT_COLUMN_COUNT,
};

#define EVENT_COLUMN_BIT(column) (1u << (column))
#define EVENT_COLUMNS_ALWAYS                                             \
	(EVENT_COLUMN_BIT(COLUMN_TIME) | EVENT_COLUMN_BIT(COLUMN_TASK) | \
			EVENT_COLUMN_BIT(COLUMN_KIND))
#define EVENT_COLUMNS_ALL (EVENT_COLUMN_BIT(EVENT_COLUMN_COUNT) - 1)

/* The numbers are stored in files. */
enum column_encoding {
	ENCODING_BYTES = 0,  /* one byte per value */
	ENCODING_VARINT = 1, /* one varint per value */
	ENCODING_DELTA = 2,  /* varint differences, the first to the begin of the block */
	ENCODING_OBJECTS =
			3, /* references into a dictionary that builds itself, see event_codec.c */
};

struct event_column_info {
	const char *name; /* "task": as stored in files */
	uint8_t encoding; /* that this build writes */
};

extern const struct event_column_info event_columns[EVENT_COLUMN_COUNT];

/* The columns in which an event of this kind has a value. */
uint32_t event_kind_columns(enum event_kind kind);

/* One for a writer's life; zeroed is ready. */
struct event_encoder {
	struct byte_buffer raw[EVENT_COLUMN_COUNT];
	struct id_index object_index;
	struct encoded_object *objects;
	uint32_t object_count;
	uint32_t object_capacity;
};

/* Replaces the contents of `encoder->raw`. Times must not decrease nor lie before `begin_ns`. */
enum lo_result event_encoder_run(struct event_encoder *encoder, const struct event *events,
		uint32_t rows, uint64_t begin_ns, struct lo_error *err);
void event_encoder_release(struct event_encoder *encoder);

/* What the numbers of one file mean here. */
#define EVENT_KIND_FOREIGN   0xfeu /* named by the file, unknown to this build: rows are left out */
#define EVENT_KIND_UNDEFINED 0xffu /* not even named: the columns cannot be told apart */

struct event_map {
	uint8_t kind[256];
	uint32_t columns[256]; /* by the file's kind: columns with a value, as EVENT_COLUMN_BIT */
	uint8_t reason[256];
	uint8_t object_kind[256];
};

struct column_view {
	const uint8_t *bytes;
	size_t size;
	uint8_t encoding;
	bool present; /* otherwise: all values are zero */
};

struct event_decoding {
	const struct event_map *map;
	uint32_t columns; /* wanted; others stay zero. Kind, task and time are always decoded */
	uint64_t begin_ns;
	uint64_t end_ns;
};

/*
 * Stores the known ones of `rows` events and their number. What comes out is in range: times not
 * decreasing and in [begin_ns, end_ns], tasks from 1 to LIMIT_TASKS, peers and stacks within their
 * limits, kinds of this build, reasons and objects as mapped. Otherwise LO_CORRUPT; or
 * LO_UNSUPPORTED for an encoding that only a later version knows.
 */
enum lo_result event_columns_decode(const struct column_view columns[EVENT_COLUMN_COUNT],
		uint32_t rows, const struct event_decoding *decoding, struct event *events,
		uint32_t *stored, struct lo_error *err);

#endif
