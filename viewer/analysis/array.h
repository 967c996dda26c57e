#ifndef LOITER_ANALYSIS_ARRAY_H
#define LOITER_ANALYSIS_ARRAY_H

#include <stddef.h>

/*
 * Room for at least `needed` items of `item_bytes` each: returns the array, moved when it had to
 * grow, with everything new zeroed and `*capacity` raised; or NULL without memory, and then the old
 * array is as it was. Grows by half, so that appending one by one costs O(1) on average.
 */
void *array_grow(void *items, size_t *capacity, size_t needed, size_t item_bytes);

#endif
