#include "formats/native/section_list_parts.h"

#include <stdlib.h>
#include <string.h>

#include "formats/native/checkpoint.h"

void section_list_release(struct section_list *list)
{
	if (!list)
		return;
	free(list->entries);
	free(list->losses);
	free(list->positions);
	*list = (struct section_list){ 0 };
}

enum lo_result section_list_add(
		struct section_list *list, const struct section_entry *entry, struct lo_error *err)
{
	if (list->count == LIMIT_SECTIONS)
		return lo_fail(err, LO_UNSUPPORTED, entry->offset, "more than %u sections",
				LIMIT_SECTIONS);
	if (list->count == list->capacity) {
		uint32_t capacity = list->capacity ? list->capacity * 2 : 64;
		struct section_entry *entries = realloc(list->entries, capacity * sizeof(*entries));

		if (!entries)
			return lo_fail(err, LO_NO_MEMORY, entry->offset,
					"no memory for %u sections", capacity);
		list->entries = entries;
		list->capacity = capacity;
	}
	list->entries[list->count++] = *entry;
	return LO_OK;
}

/* A loss of the entry that was added last. */
enum lo_result section_list_add_loss(
		struct section_list *list, uint32_t cause, uint64_t count, struct lo_error *err)
{
	if (list->loss_count == list->loss_capacity) {
		uint32_t capacity = list->loss_capacity ? list->loss_capacity * 2 : 16;
		struct section_loss *losses = realloc(list->losses, capacity * sizeof(*losses));

		if (!losses)
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u losses",
					capacity);
		list->losses = losses;
		list->loss_capacity = capacity;
	}
	list->losses[list->loss_count++] = (struct section_loss){ list->count - 1, cause, count };
	return LO_OK;
}

const struct section_loss *section_list_losses(
		const struct section_list *list, uint32_t section, uint32_t *count)
{
	uint32_t low = 0;
	uint32_t high = list->loss_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (list->losses[middle].section < section)
			low = middle + 1;
		else
			high = middle;
	}
	while (high < list->loss_count && list->losses[high].section == section)
		high++;
	*count = high - low;
	return *count > 0 ? &list->losses[low] : NULL;
}

/* Fills in the positions by type, once all entries are there. */
enum lo_result section_list_sort(struct section_list *list, struct lo_error *err)
{
	uint32_t next[SECTION_TYPE_COUNT + 1] = { 0 };

	list->positions = malloc(list->count * sizeof(*list->positions) + 1);
	if (!list->positions)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u sections",
				list->count);
	for (uint32_t i = 0; i < list->count; i++)
		if (list->entries[i].type < SECTION_TYPE_COUNT)
			next[list->entries[i].type + 1]++;
	for (unsigned type = 0; type < SECTION_TYPE_COUNT; type++)
		next[type + 1] += next[type];
	memcpy(list->type_begin, next, sizeof(next));
	for (uint32_t i = 0; i < list->count; i++)
		if (list->entries[i].type < SECTION_TYPE_COUNT)
			list->positions[next[list->entries[i].type]++] = i;
	return LO_OK;
}

const uint32_t *section_list_of(
		const struct section_list *list, enum section_type type, uint32_t *count)
{
	*count = list->type_begin[type + 1] - list->type_begin[type];
	return list->positions + list->type_begin[type];
}

void section_entry_set_range(struct section_entry *entry, const struct section_range *range)
{
	entry->begin_ns = range->begin_ns;
	entry->end_ns = range->end_ns;
	entry->low = range->low;
	entry->high = range->high;
}

enum lo_result section_entry_set_positions(
		struct section_entry *entry, uint32_t first_id, struct lo_error *err)
{
	if (entry->rows > UINT32_MAX - first_id)
		return lo_fail(err, LO_CORRUPT, entry->offset,
				"a table (%s) has more rows than there can be",
				section_type_name(entry->type));
	entry->low = first_id;
	entry->high = entry->rows ? first_id + entry->rows - 1 : first_id;
	return LO_OK;
}

/* The index and its locator are sections too, though not listed in the index. */
static enum lo_result add_own_entries(struct section_list *list, uint64_t size,
		uint64_t index_offset, struct lo_error *err)
{
	struct section_entry index = { .offset = index_offset,
		.bytes = (uint32_t)(size - LOCATOR_BYTES - index_offset),
		.rows = list->count,
		.sequence = list->count,
		.type = SECTION_INDEX };
	struct section_entry locator = { .offset = size - LOCATOR_BYTES,
		.bytes = LOCATOR_BYTES,
		.sequence = list->count + 1,
		.type = SECTION_LOCATOR };
	enum lo_result result = section_list_add(list, &index, err);

	return result == LO_OK ? section_list_add(list, &locator, err) : result;
}

/* Says what became of the index when the sections had to be found by a scan. */
static void judge_index(
		struct section_list *list, struct damage_list *damage, const struct lo_error *why)
{
	for (uint32_t i = 0; i < list->count; i++) {
		const struct section_entry *entry = &list->entries[i];

		if (entry->type != SECTION_INDEX && entry->type != SECTION_LOCATOR)
			continue;
		list->index = TRACE_INDEX_PARTIAL;
		if (entry->type == SECTION_INDEX && why) {
			struct trace_damage bad = { .offset = entry->offset,
				.bytes = entry->bytes };

			damage_list_add(damage, &bad, "the index cannot be used: %s", why->message);
		}
	}
}

static bool is_own_fault(enum lo_result result)
{
	return result == LO_IO || result == LO_NO_MEMORY || result == LO_CANCELLED;
}

/* Scans the file behind what is listed, to its end. */
static enum lo_result scan_rest(struct section_list *list, struct byte_source *source,
		struct damage_list *damage, uint64_t offset, const struct progress *progress,
		struct lo_error *err)
{
	struct section_scan *scan = NULL;
	enum lo_result result = section_scan_new(&scan, list, source, damage, offset, err);

	if (result == LO_OK)
		result = section_scan_run(scan, UINT64_MAX, progress, err);
	section_scan_free(scan);
	return result == LO_END ? section_list_sort(list, err) : result;
}

enum lo_result section_list_scan(struct section_list *list, struct byte_source *source,
		struct damage_list *damage, const struct progress *progress, struct lo_error *err)
{
	*list = (struct section_list){ .index = TRACE_INDEX_NONE };
	return scan_rest(list, source, damage, 0, progress, err);
}

/* LO_CORRUPT or LO_TRUNCATED: there is no index, or none that can be used. */
static enum lo_result find_by_index(struct section_list *list, struct byte_source *source,
		uint64_t *index_offset, struct lo_error *err)
{
	uint64_t size = byte_source_size(source);
	enum lo_result result;

	*list = (struct section_list){ .index = TRACE_INDEX_COMPLETE };
	result = section_index_load(list, source, size, index_offset, err);
	if (result == LO_OK)
		result = add_own_entries(list, size, *index_offset, err);
	if (result == LO_OK)
		result = section_list_sort(list, err);
	if (result != LO_OK)
		section_list_release(list);
	return result;
}

enum lo_result section_list_find(struct section_list *list, struct byte_source *source,
		struct damage_list *damage, const struct progress *progress, struct lo_error *err)
{
	uint64_t index_offset = LO_NO_OFFSET;
	uint64_t known = 0;
	struct lo_error why;
	enum lo_result result = find_by_index(list, source, &index_offset, &why);

	if (result == LO_OK)
		return LO_OK;
	if (is_own_fault(result)) {
		if (err)
			*err = why;
		return result;
	}
	result = checkpoint_find(list, source, &known, err);
	if (result == LO_OK)
		result = scan_rest(list, source, damage, known, progress, err);
	if (result == LO_OK)
		judge_index(list, damage, index_offset != LO_NO_OFFSET ? &why : NULL);
	return result;
}
