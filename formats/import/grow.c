#include "formats/import/grow.h"

#include <stdlib.h>

#define FIRST_CAPACITY 64u

void *grow_array(void *items, uint32_t count, uint32_t *capacity, size_t item_bytes,
		const char *what, struct lo_error *err)
{
	uint32_t larger = *capacity ? *capacity * 2 : FIRST_CAPACITY;
	void *moved = NULL;

	if (count < *capacity)
		return items;
	if (*capacity <= UINT32_MAX / 2)
		moved = realloc(items, larger * item_bytes);
	if (!moved)
		lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u %s", larger, what);
	else
		*capacity = larger;
	return moved;
}
