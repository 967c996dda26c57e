#include "viewer/analysis/creations.h"

#include <stdbool.h>
#include <stdlib.h>

#include "viewer/analysis/array.h"

void creations_release(struct creations *creations)
{
	free(creations->items);
	*creations = (struct creations){ 0 };
}

enum lo_result creations_add(
		struct creations *creations, uint64_t time_ns, uint32_t task, struct lo_error *err)
{
	struct creation *items = array_grow(creations->items, &creations->capacity,
			creations->count + 1, sizeof(*items));

	if (!items)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %zu creations",
				creations->count);
	creations->items = items;
	items[creations->count++] = (struct creation){ time_ns, task };
	return LO_OK;
}

/*
 * The best window begins at a creation, so two indexes that walk up together see all candidates.
 */
struct creation_window creations_best_window(
		const struct creations *creations, uint64_t length_ns, struct time_span outside)
{
	const struct creation *items = creations->items;
	bool skips = outside.begin_ns < outside.end_ns;
	struct creation_window best = { 0, 0 };
	size_t end = 0;

	for (size_t first = 0; first < creations->count; first++) {
		uint64_t begin_ns = items[first].time_ns;

		while (end < creations->count && items[end].time_ns - begin_ns < length_ns)
			end++;
		if (skips && begin_ns < outside.end_ns &&
				items[end - 1].time_ns >= outside.begin_ns)
			continue;
		if (end - first > best.count)
			best = (struct creation_window){ first, end - first };
	}
	return best;
}
