#ifndef LOITER_MODEL_EVENT_SCHEMA_H
#define LOITER_MODEL_EVENT_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "formats/model/event.h"

/*
 * The one table that says what each kind of event carries. The column codec, the stored schema of
 * a file, exports and detail views all walk it; a new kind is one enum entry and one row.
 */
enum event_field {
	EVENT_FIELD_PEER = 1 << 0,
	EVENT_FIELD_STACK = 1 << 1,
	EVENT_FIELD_OBJECT = 1 << 2, /* kind and value */
	EVENT_FIELD_REASON = 1 << 3,
	EVENT_FIELD_FLAGS = 1 << 4,
};

struct event_schema {
	const char *name;      /* "create": as in every output, and as stored in files */
	const char *peer_name; /* what `peer` means here: "creator", "holder", "waker"; or NULL */
	uint8_t fields;        /* set of enum event_field; time, task and kind are always there */
};

/* Indexed by enum event_kind; complete for [0, EVENT_KIND_COUNT). */
extern const struct event_schema event_schemas[EVENT_KIND_COUNT];

#endif
