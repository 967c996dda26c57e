#include "formats/native/event_codec.h"

#include "formats/base/macros.h"
#include "formats/model/event_schema.h"

/*
 * What each column may be, the plain form first. Everything listed was found best for some stream;
 * `docs/format.md` has figures. An order must be known before the column is: kinds and tasks each
 * may need the other, so a block never has both in the other's order.
 */
const struct event_column_info event_columns[EVENT_COLUMN_COUNT] = {
	[COLUMN_TIME] = { "time", { ENCODING_DELTA, ENCODING_STEPS }, 2 },
	[COLUMN_TASK] = { "task",
			{ ENCODING_VARINT, ENCODING_DIFFERENCE, ENCODING_VARINT | ORDER_KIND,
					ENCODING_DIFFERENCE | ORDER_KIND },
			4 },
	[COLUMN_KIND] = { "kind", { ENCODING_BYTES, ENCODING_BYTES | ORDER_TASK }, 2 },
	[COLUMN_PEER] = { "peer",
			{ ENCODING_VARINT, ENCODING_VARINT | ORDER_KIND,
					ENCODING_VARINT | ORDER_TASK, ENCODING_VARINT | ORDER_PLACE,
					ENCODING_DIFFERENCE | ORDER_KIND },
			5 },
	[COLUMN_STACK] = { "stack",
			{ ENCODING_VARINT, ENCODING_VARINT | ORDER_KIND,
					ENCODING_VARINT | ORDER_TASK,
					ENCODING_DIFFERENCE | ORDER_KIND,
					ENCODING_DIFFERENCE | ORDER_TASK },
			5 },
	[COLUMN_OBJECT] = { "object",
			{ ENCODING_OBJECTS, ENCODING_OBJECTS | ORDER_TASK,
					ENCODING_OBJECTS | ORDER_PLACE },
			3 },
	[COLUMN_REASON] = { "reason",
			{ ENCODING_BYTES, ENCODING_BYTES | ORDER_TASK,
					ENCODING_BYTES | ORDER_PLACE },
			3 },
	[COLUMN_FLAGS] = { "flags",
			{ ENCODING_BYTES, ENCODING_BYTES | ORDER_KIND, ENCODING_BYTES | ORDER_TASK,
					ENCODING_BYTES | ORDER_PLACE },
			4 },
};

/* Which field of the schema lives in which column. */
static const struct {
	enum event_field field;
	enum event_column column;
} field_columns[] = {
	{ EVENT_FIELD_PEER, COLUMN_PEER },
	{ EVENT_FIELD_STACK, COLUMN_STACK },
	{ EVENT_FIELD_OBJECT, COLUMN_OBJECT },
	{ EVENT_FIELD_REASON, COLUMN_REASON },
	{ EVENT_FIELD_FLAGS, COLUMN_FLAGS },
};

uint32_t event_kind_columns(enum event_kind kind)
{
	uint32_t columns = EVENT_COLUMNS_ALWAYS;

	for (size_t i = 0; i < LO_COUNT_OF(field_columns); i++)
		if (event_schemas[kind].fields & field_columns[i].field)
			columns |= EVENT_COLUMN_BIT(field_columns[i].column);
	return columns;
}

bool event_column_reads(enum event_column column, uint8_t encoding)
{
	for (unsigned i = 0; i < event_columns[column].count; i++)
		if (event_columns[column].encodings[i] == encoding)
			return true;
	return false;
}
