#include "formats/model/event_schema.h"

const struct event_schema event_schemas[EVENT_KIND_COUNT] = {
	[EVENT_CREATE] = { "create", "creator",
			EVENT_FIELD_PEER | EVENT_FIELD_STACK | EVENT_FIELD_FLAGS },
	[EVENT_RUN] = { "run", NULL, EVENT_FIELD_FLAGS },
	[EVENT_BLOCK] = { "block", "holder",
			EVENT_FIELD_PEER | EVENT_FIELD_STACK | EVENT_FIELD_OBJECT |
					EVENT_FIELD_REASON | EVENT_FIELD_FLAGS },
	[EVENT_UNBLOCK] = { "unblock", "waker", EVENT_FIELD_PEER | EVENT_FIELD_FLAGS },
	[EVENT_EXIT] = { "exit", NULL, EVENT_FIELD_FLAGS },
};
