#ifndef LOITER_IMPORT_GO_EVENT_H
#define LOITER_IMPORT_GO_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/byte_cursor.h"
#include "formats/import/go_generation.h"
#include "formats/import/go_wire.h"

/* One ordinary event of a Go trace v2. */
struct go_event {
	uint64_t ns; /* on the trace's own clock */
	uint64_t arguments[GO_WIRE_ARGUMENTS_MAX];
	uint8_t type; /* enum go_wire */
};

/*
 * The events of one thread in one generation, in the order of the file. What cannot be decoded
 * ends its batch, since events do not say how long they are; the next batch goes on.
 */
struct go_event_cursor {
	const struct go_generation *generation;
	struct byte_cursor bytes; /* the rest of the present batch */
	uint32_t next_batch;      /* index + 1, 0 = none */
	uint64_t units;           /* time of the last event */
	uint64_t frequency;
	uint64_t unit_ns;        /* ns in a unit, 0 = no whole number */
	uint64_t broken_batches; /* given up before their end */
	uint8_t unknown_type;    /* the last one met, 0 = none */
	struct go_event event;   /* the present one */
};

void go_event_cursor_init(struct go_event_cursor *cursor, const struct go_generation *generation,
		uint32_t first_batch, uint64_t frequency);

/* Reads the next event into `event`; false at the end. */
bool go_event_cursor_next(struct go_event_cursor *cursor);

#endif
