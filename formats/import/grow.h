#ifndef LOITER_IMPORT_GROW_H
#define LOITER_IMPORT_GROW_H

#include <stddef.h>
#include <stdint.h>

#include "formats/base/error.h"

/*
 * Room for item `count` (from 0) of an array that grows by doubling. Returns the array, perhaps at
 * a new place; or NULL, with LO_NO_MEMORY in `err`, and then `items` is as it was. `what` the items
 * are, for the message.
 */
void *grow_array(void *items, uint32_t count, uint32_t *capacity, size_t item_bytes,
		const char *what, struct lo_error *err);

#endif
