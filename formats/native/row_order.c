#include "formats/native/row_order.h"

#include <stdlib.h>
#include <string.h>

#include "formats/model/event_schema.h"

enum lo_result row_sorter_start(struct row_sorter *sorter, const struct event *events,
		uint32_t rows, struct lo_error *err)
{
	sorter->events = events;
	sorter->rows = rows;
	sorter->made = 0;
	for (unsigned i = 0; i < ROW_ORDER_COUNT && rows > sorter->capacity; i++) {
		uint32_t *sorted = realloc(sorter->sorted[i], rows * sizeof(*sorted));

		if (!sorted)
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET,
					"no memory to sort %u events", rows);
		sorter->sorted[i] = sorted;
	}
	if (rows > sorter->capacity)
		sorter->capacity = rows;
	return LO_OK;
}

/* As a reader will see the row, which has no stack where its kind lists none. */
static uint32_t bucket_to_be(enum row_order order, const struct event *event)
{
	struct event place = { .kind = event->kind };

	if (order != ORDER_PLACE)
		return row_bucket(order, event);
	if (event_schemas[event->kind].fields & EVENT_FIELD_STACK)
		place.stack = event->stack;
	return row_bucket(ORDER_PLACE, &place);
}

static void sort_rows(struct row_sorter *sorter, enum row_order order, uint32_t *sorted)
{
	memset(sorter->buckets, 0, sizeof(sorter->buckets));
	for (uint32_t row = 0; row < sorter->rows; row++)
		sorter->buckets[bucket_to_be(order, &sorter->events[row])]++;
	row_buckets_begin(sorter->buckets);
	for (uint32_t row = 0; row < sorter->rows; row++)
		sorted[sorter->buckets[bucket_to_be(order, &sorter->events[row])]++] = row;
}

const uint32_t *row_sorter_get(struct row_sorter *sorter, enum row_order order)
{
	unsigned i = (unsigned)order >> 4;

	if (!(sorter->made & 1u << i))
		sort_rows(sorter, order, sorter->sorted[i]);
	sorter->made |= 1u << i;
	return sorter->sorted[i];
}

void row_sorter_release(struct row_sorter *sorter)
{
	for (unsigned i = 0; i < ROW_ORDER_COUNT; i++)
		free(sorter->sorted[i]);
	*sorter = (struct row_sorter){ 0 };
}
