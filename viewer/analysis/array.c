#include "viewer/analysis/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *array_grow(void *items, size_t *capacity, size_t needed, size_t item_bytes)
{
	size_t wanted = *capacity + *capacity / 2;
	char *grown;

	if (items && needed <= *capacity)
		return items;
	if (wanted < needed)
		wanted = needed;
	if (wanted > SIZE_MAX / item_bytes)
		return NULL;
	grown = realloc(items, wanted * item_bytes);
	if (!grown)
		return NULL;
	memset(grown + *capacity * item_bytes, 0, (wanted - *capacity) * item_bytes);
	*capacity = wanted;
	return grown;
}
