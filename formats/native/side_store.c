#include "formats/native/side_store.h"

#include <stdlib.h>

#include "formats/native/reader_state.h"

void side_store_init(struct side_store *store)
{
	*store = (struct side_store){ 0 };
	pthread_mutex_init(&store->lock, NULL);
}

void side_store_release(struct side_store *store)
{
	for (unsigned level = 0; level < COUNTER_LEVELS; level++)
		free(store->counters[level].sections);
	free(store->notes.sections);
	free(store->infos);
	free(store->keys);
	free(store->note_cells);
	section_payload_release(&store->section);
	byte_unpacker_free(store->unpacker);
	pthread_mutex_destroy(&store->lock);
}

static enum lo_result add_section(struct side_list *list, uint32_t entry, struct lo_error *err)
{
	if (list->count == list->capacity) {
		uint32_t capacity = list->capacity ? list->capacity * 2 : 16;
		struct side_section *sections = realloc(
				list->sections, capacity * sizeof(*sections));

		if (!sections)
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET,
					"no memory for a list of sections");
		list->sections = sections;
		list->capacity = capacity;
	}
	list->sections[list->count++] = (struct side_section){ .entry = entry };
	return LO_OK;
}

/* Sections of one level follow each other in time; one that does not was never written so. */
static bool goes_on(const struct section_list *all, const struct side_list *list,
		const struct section_entry *entry)
{
	return list->count == 0 ||
	       all->entries[list->sections[list->count - 1].entry].end_ns <= entry->begin_ns;
}

static void report(struct trace_reader *reader, const struct section_entry *entry,
		const char *sentence)
{
	struct trace_damage damage = { .offset = entry->offset,
		.bytes = entry->bytes,
		.span = block_span(entry->begin_ns, entry->end_ns) };

	damage_list_add(&reader->damage, &damage, "%u rows of '%s' are lost: %s", entry->rows,
			section_type_name(entry->type), sentence);
}

static enum lo_result list_sections(
		struct trace_reader *reader, struct side_store *store, struct lo_error *err)
{
	const struct section_list *all = &reader->sections;
	enum lo_result result = LO_OK;

	store->notes.count = 0;
	for (unsigned level = 0; level < COUNTER_LEVELS; level++)
		store->counters[level].count = 0;
	for (uint32_t i = 0; i < all->count && result == LO_OK; i++) {
		const struct section_entry *entry = &all->entries[i];

		if (entry->type == SECTION_NOTES)
			result = add_section(&store->notes, i, err);
		else if (entry->type != SECTION_COUNTERS)
			continue;
		else if (entry->low < COUNTER_LEVELS && entry->high == entry->low &&
				goes_on(all, &store->counters[entry->low], entry))
			result = add_section(&store->counters[entry->low], i, err);
		else
			report(reader, entry, "their time or level makes no sense");
	}
	return result;
}

enum lo_result side_store_enter(
		struct trace_reader *reader, struct side_store **out, struct lo_error *err)
{
	struct side_store *store = &reader->side;
	enum lo_result result = LO_OK;

	pthread_mutex_lock(&store->lock);
	if (!store->listed) {
		result = store->unpacker ? LO_OK : byte_unpacker_new(&store->unpacker, err);
		if (result == LO_OK)
			result = list_sections(reader, store, err);
		store->listed = result == LO_OK;
	}
	*out = store;
	if (result != LO_OK)
		pthread_mutex_unlock(&store->lock);
	return result;
}

void side_store_leave(struct side_store *store)
{
	pthread_mutex_unlock(&store->lock);
}

static bool is_promised(const struct side_store *store, const struct section_entry *entry)
{
	const struct section_range *range = entry->type == SECTION_NOTES
							    ? &store->note_header.range
							    : &store->counter_header.range;

	return range->begin_ns == entry->begin_ns && range->end_ns == entry->end_ns &&
	       range->low == entry->low && range->high == entry->high;
}

static enum lo_result parse_header(
		struct side_store *store, const struct section_entry *entry, struct lo_error *err)
{
	const struct section_header *header = &store->section.header;
	enum lo_result result = entry->type == SECTION_NOTES
						? note_header_parse(
								  &store->note_header, header, err)
						: counter_header_parse(&store->counter_header,
								  header, err);

	if (result == LO_OK && !is_promised(store, entry))
		return lo_fail(err, LO_CORRUPT, entry->offset,
				"their header is not the one that the index lists");
	return result;
}

enum lo_result side_store_judge(struct trace_reader *reader, struct side_section *section,
		enum lo_result result, const struct lo_error *why, struct lo_error *err)
{
	if (is_damage(result)) {
		section->bad = true;
		report(reader, &reader->sections.entries[section->entry], why->message);
		return LO_END;
	}
	if (result != LO_OK && err)
		*err = *why;
	return result;
}

enum lo_result side_store_read(struct trace_reader *reader, struct side_store *store,
		struct side_section *section, bool rows, struct lo_error *err)
{
	const struct section_entry *entry = &reader->sections.entries[section->entry];
	struct lo_error why;
	enum lo_result result;

	if (section->bad)
		return LO_END;
	result = reader_read_section(&store->section, reader->source, entry, &why);
	if (result == LO_OK)
		result = parse_header(store, entry, &why);
	if (result == LO_OK && rows)
		result = section_payload_unpack(
				&store->section, store->unpacker, LIMIT_TABLE_RAW, &why);
	return side_store_judge(reader, section, result, &why, err);
}
