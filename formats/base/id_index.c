#include "formats/base/id_index.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64u

void id_index_release(struct id_index *index)
{
	if (!index)
		return;
	free(index->slots);
	*index = (struct id_index){ 0 };
}

void id_index_clear(struct id_index *index)
{
	if (index->used > 0)
		memset(index->slots, 0, ((size_t)index->mask + 1) * sizeof(*index->slots));
	index->used = 0;
}

static void insert(struct id_slot *slots, uint32_t mask, struct id_slot slot)
{
	uint32_t at = slot.hash & mask;

	while (slots[at].id != 0)
		at = (at + 1) & mask;
	slots[at] = slot;
}

static enum lo_result grow(struct id_index *index, struct lo_error *err)
{
	uint32_t old_count = index->slots ? index->mask + 1 : 0;
	uint32_t count = old_count ? old_count * 2 : FIRST_SLOTS;
	struct id_slot *slots = calloc(count, sizeof(*slots));

	if (!slots)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for an index of %u ids",
				count);
	for (uint32_t i = 0; i < old_count; i++)
		if (index->slots[i].id != 0)
			insert(slots, count - 1, index->slots[i]);
	free(index->slots);
	index->slots = slots;
	index->mask = count - 1;
	return LO_OK;
}

enum lo_result id_index_add(
		struct id_index *index, uint32_t hash, uint32_t id, struct lo_error *err)
{
	if (!index->slots || index->used > index->mask / 4 * 3) {
		enum lo_result result = grow(index, err);

		if (result != LO_OK)
			return result;
	}
	insert(index->slots, index->mask, (struct id_slot){ hash, id });
	index->used++;
	return LO_OK;
}
