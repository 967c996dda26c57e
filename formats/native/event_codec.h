#ifndef LOITER_NATIVE_EVENT_CODEC_H
#define LOITER_NATIVE_EVENT_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/byte_buffer.h"
#include "formats/base/error.h"
#include "formats/base/id_index.h"
#include "formats/model/event.h"
#include "formats/native/clock_steps.h"
#include "formats/native/row_order.h"

/*
 * An array of events to and from the raw bytes of columns, before and after compression.
 *
 * A row has a value in the columns time, task and kind, and in those that the schema lists for its
 * kind. How the values of a column are coded, and in which order they stand, is a number in the
 * block, chosen for each block and column by size (column_choice.h): no coding is best everywhere.
 * The model of every coding starts anew in each block, so that every block can be decoded alone.
 *
 * Three ideas do the work, and zstd the rest:
 *
 *   Order   values stand together with those they are like: all of one task, or all of one place in
 *           the code. What is known by then tells a reader where they belong (row_order.h).
 *   Steps   times are counted in steps of the clock that took them, not in nanoseconds, and sorted
 *           by what happened (clock_steps.h).
 *   Parts   where the nature of the bytes changes, the writer lets zstd begin new statistics.
 *
 * Writing is in event_encode.c, reading in event_decode.c.
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

/* How values become bytes: the low half of a column's encoding. The numbers are stored in files. */
enum column_encoding {
	ENCODING_BYTES = 0,  /* one byte per value */
	ENCODING_VARINT = 1, /* one varint per value */
	ENCODING_DELTA = 2,  /* of times: varint differences, the first to the begin of the block */
	ENCODING_OBJECTS = 3,    /* references into a dictionary that builds itself */
	ENCODING_DIFFERENCE = 4, /* folded differences to the value before, the first to 0 */
	ENCODING_STEPS = 5,      /* of times: steps of a clock, see clock_steps.h */
};
#define ENCODING_OF(encoding) ((encoding)&0x0fu)
#define ORDER_OF(encoding)    ((encoding)&0xf0u)

#define COLUMN_ENCODINGS_MAX 5u

struct event_column_info {
	const char *name; /* "task": as stored in files */
	/* All that this build reads and may write: encoding + order. Complete up to `count`. */
	uint8_t encodings[COLUMN_ENCODINGS_MAX];
	uint8_t count;
};

extern const struct event_column_info event_columns[EVENT_COLUMN_COUNT];

/* The columns in which an event of this kind has a value. */
uint32_t event_kind_columns(enum event_kind kind);

bool event_column_reads(enum event_column column, uint8_t encoding);

/* One for a writer's life; zeroed is ready. */
struct event_encoder {
	/* What was asked for last. Valid until the next call. */
	struct byte_buffer raw;
	struct byte_parts parts; /* of `raw` */

	const struct event *events;
	uint32_t rows;
	uint64_t begin_ns;
	struct row_sorter sorter;
	struct clock_steps_encoder steps;
	struct id_index object_index;
	struct encoded_object *objects;
	uint32_t object_count;
	uint32_t object_capacity;
};

/*
 * Takes up the events of a block, which must stay until the last column is encoded. Times must not
 * decrease nor lie before `begin_ns`.
 */
enum lo_result event_encoder_start(struct event_encoder *encoder, const struct event *events,
		uint32_t rows, uint64_t begin_ns, struct lo_error *err);
/* `encoding` is one of the column's. */
enum lo_result event_encoder_column(struct event_encoder *encoder, enum event_column column,
		uint8_t encoding, struct lo_error *err);
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
	uint32_t columns; /* wanted; kind, task and time are always decoded */
	uint64_t begin_ns;
	uint64_t end_ns;
};

/*
 * The columns that must be decoded to get `columns`, as EVENT_COLUMN_BIT: an order is known only
 * from other columns. Of `views`, `encoding` and `present` are looked at.
 */
uint32_t event_columns_needed(const struct column_view views[EVENT_COLUMN_COUNT], uint32_t columns);

/*
 * Stores the known ones of `rows` events and their number. Columns that are not needed stay zero.
 * What comes out is in range: times not decreasing and in [begin_ns, end_ns], tasks from 1 to
 * LIMIT_TASKS, peers and stacks within their limits, kinds of this build, reasons and objects as
 * mapped. Otherwise LO_CORRUPT; or LO_UNSUPPORTED for an encoding that only a later version knows.
 */
enum lo_result event_columns_decode(const struct column_view columns[EVENT_COLUMN_COUNT],
		uint32_t rows, const struct event_decoding *decoding, struct event *events,
		uint32_t *stored, struct lo_error *err);

#endif
