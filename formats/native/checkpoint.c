#include "formats/native/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/bytes.h"
#include "formats/native/section_list_parts.h"

#define HEADER_BYTES (SECTION_AT_EXTRA + CHECKPOINT_EXTRA_BYTES + SECTION_CHECKSUM_BYTES)

/* ---- when to write one, and of what ---- */

/* What a section of so many raw bytes takes at the most, if they cannot be compressed at all. */
static uint64_t most_bytes(size_t raw_bytes)
{
	return HEADER_BYTES + raw_bytes + raw_bytes / 256 + 64;
}

/* The next one, behind the first `keep` links. */
static void plan_behind(const struct checkpoint_writer *writer, unsigned keep, uint32_t size,
		struct checkpoint_plan *plan)
{
	const struct checkpoint_mark *last = keep > 0 ? &writer->marks[keep - 1] : NULL;

	*plan = (struct checkpoint_plan){ .keep = keep, .size = size };
	if (last) {
		plan->previous = last->offset;
		plan->rows_begin = last->rows_end;
		plan->first = last->sequence;
	}
}

/* How many of the first `count` links have this size, counted from the last. */
static unsigned count_run(const struct checkpoint_writer *writer, unsigned count, uint32_t size)
{
	unsigned run = 0;

	while (run < count && writer->marks[count - 1 - run].size == size)
		run++;
	return run;
}

bool checkpoint_is_due(const struct checkpoint_writer *writer, uint64_t file_bytes, size_t rows_end,
		struct checkpoint_plan *plan)
{
	struct checkpoint_plan next;
	unsigned keep = writer->count;
	bool found = false;

	if (file_bytes - writer->file_end < CHECKPOINT_SPACING)
		return false;
	/* The largest that the bytes allow: one size after the other becomes full. */
	for (uint32_t size = 0;; size++) {
		unsigned run;

		plan_behind(writer, keep, size, &next);
		if (keep < CHECKPOINT_LINKS && rows_end - next.rows_begin <= LIMIT_TABLE_RAW &&
				writer->bytes + most_bytes(rows_end - next.rows_begin) <=
						file_bytes / CHECKPOINT_SHARE) {
			*plan = next;
			found = true;
		}
		run = count_run(writer, keep, size);
		if (run < CHECKPOINT_FAN - 1)
			return found;
		keep -= run;
	}
}

void checkpoint_written(struct checkpoint_writer *writer, const struct checkpoint_plan *plan,
		uint64_t offset, uint64_t bytes, size_t rows_end, uint32_t sequence)
{
	writer->marks[plan->keep] = (struct checkpoint_mark){ offset, rows_end, sequence,
		plan->size };
	writer->count = plan->keep + 1;
	writer->bytes += bytes;
	writer->file_end = offset + bytes;
}

/* ---- finding the last one ---- */

#define WINDOW_BYTES 65536u

/* As much of a place that looks like a checkpoint as can be told without reading its header. */
#define HINT_BYTES (SECTION_AT_FLAGS - SECTION_AT_MAGIC)

/* Looking back from the end of a file. */
struct search {
	struct byte_source *source;
	struct section_list *list;
	uint64_t key;
	unsigned tries; /* places that looked like a checkpoint */
	struct section_payload section;
	struct byte_unpacker *unpacker;
	struct section_header header;
	/* The chain, the last checkpoint first. */
	struct link {
		uint64_t offset;
		uint32_t bytes;
		uint32_t sequence;
		uint32_t first;
		uint64_t previous;
	} links[LIMIT_CHECKPOINT_LINKS];
	unsigned count;
	uint8_t window[WINDOW_BYTES];
};

static enum lo_result read_header(struct search *search, uint64_t offset, struct lo_error *err)
{
	uint8_t bytes[LIMIT_SECTION_HEADER];
	size_t got;
	enum lo_result result = byte_source_read(
			search->source, offset, bytes, sizeof(bytes), &got, err);

	return result == LO_OK ? section_header_parse(&search->header, bytes, got, offset, err)
			       : result;
}

/* The key of this file: of the first block with rows, by walking there. */
static enum lo_result find_key(struct search *search, uint64_t size, struct lo_error *err)
{
	uint64_t offset = 0;
	enum lo_result result = LO_OK;

	for (unsigned i = 0; i < LIMIT_CHECKPOINT_HEAD && result == LO_OK && offset < size; i++) {
		result = read_header(search, offset, err);
		if (result == LO_OK && search->header.type == SECTION_BLOCK &&
				search->header.rows > 0) {
			search->key = search->header.payload_checksum;
			return LO_OK;
		}
		offset += section_bytes(&search->header);
	}
	return result == LO_OK ? lo_fail(err, LO_TRUNCATED, size, "there are no events") : result;
}

static enum lo_result bad_checkpoint(uint64_t offset, struct lo_error *err)
{
	return lo_fail(err, LO_CORRUPT, offset, "a checkpoint makes no sense");
}

static enum lo_result read_link(struct search *search, uint64_t offset, struct lo_error *err)
{
	const struct section_header *header = &search->header;
	struct link *link = &search->links[search->count];
	enum lo_result result = read_header(search, offset, err);

	if (result != LO_OK)
		return result;
	if (header->type != SECTION_CHECKPOINT || header->version > FORMAT_VERSION ||
			header->extra_bytes < CHECKPOINT_EXTRA_BYTES ||
			load_le64(header->extra + CHECKPOINT_AT_KEY) != search->key)
		return bad_checkpoint(offset, err);
	*link = (struct link){ .offset = offset,
		.bytes = (uint32_t)section_bytes(header),
		.sequence = header->sequence,
		.first = load_le32(header->extra + TABLE_AT_FIRST_ID),
		.previous = load_le64(header->extra + CHECKPOINT_AT_PREVIOUS) };
	if (link->previous >= offset || link->first > link->sequence ||
			link->sequence - link->first != header->rows)
		return bad_checkpoint(offset, err);
	search->count++;
	return LO_OK;
}

/* Each link has the rows from its first up to itself, and the one before those up to its first. */
static enum lo_result follow_chain(struct search *search, uint64_t offset, struct lo_error *err)
{
	enum lo_result result;

	search->count = 0;
	do {
		if (search->count == LIMIT_CHECKPOINT_LINKS)
			return bad_checkpoint(offset, err);
		result = read_link(search, offset, err);
		if (result != LO_OK)
			return result;
		offset = search->links[search->count - 1].previous;
		if (search->count > 1 && search->links[search->count - 1].sequence !=
							 search->links[search->count - 2].first)
			return bad_checkpoint(offset, err);
	} while (offset != 0);
	return search->links[search->count - 1].first == 0 ? LO_OK : bad_checkpoint(0, err);
}

/* Adds the rows of all links, the earliest first. */
static enum lo_result read_chain(struct search *search, struct index_reading *reading)
{
	enum lo_result result = LO_OK;
	uint64_t raw = 0;

	for (unsigned i = search->count; i-- > 0 && result == LO_OK;) {
		const struct link *link = &search->links[i];

		result = section_payload_read(&search->section, search->source, link->offset,
				link->bytes, reading->err);
		if (result == LO_OK)
			result = section_payload_unpack(&search->section, search->unpacker,
					LIMIT_TABLE_RAW, reading->err);
		raw += search->section.raw.size;
		if (result == LO_OK && raw > LIMIT_INDEX_RAW)
			result = bad_checkpoint(link->offset, reading->err);
		if (result == LO_OK)
			result = index_reading_add(reading, search->section.raw.bytes,
					search->section.raw.size);
		if (result == LO_OK && search->list->count != link->sequence)
			result = bad_checkpoint(link->offset, reading->err);
	}
	return result;
}

/* Are the checkpoints of the chain where the rows say that there are some? */
static bool chain_is_listed(const struct search *search)
{
	for (unsigned i = 1; i < search->count; i++) {
		const struct section_entry
				*entry = &search->list->entries[search->links[i].sequence];

		if (entry->type != SECTION_CHECKPOINT || entry->offset != search->links[i].offset)
			return false;
	}
	return true;
}

static enum lo_result try_checkpoint(struct search *search, uint64_t offset, struct lo_error *err)
{
	struct index_reading reading = { .list = search->list, .index_offset = offset, .err = err };
	enum lo_result result = follow_chain(search, offset, err);

	*search->list = (struct section_list){ .index = TRACE_INDEX_CHECKPOINT };
	if (result == LO_OK)
		result = read_chain(search, &reading);
	if (result == LO_OK && (reading.offset != offset || reading.gap_in_time ||
					       !chain_is_listed(search)))
		result = bad_checkpoint(offset, err);
	if (result != LO_OK)
		section_list_release(search->list);
	return result;
}

static bool is_own_fault(enum lo_result result)
{
	return result == LO_IO || result == LO_NO_MEMORY;
}

/*
 * Tries what looks like a checkpoint in [base, base + size), the last one first; only places in
 * front of `end` of the window are new. LO_END: there is none that can be used.
 */
static enum lo_result try_window(struct search *search, uint64_t base, size_t size, size_t end,
		uint64_t *known, struct lo_error *err)
{
	uint8_t hint[HINT_BYTES];

	store_le64(hint, SECTION_MAGIC);
	store_le16(hint + (SECTION_AT_TYPE - SECTION_AT_MAGIC), SECTION_CHECKPOINT);
	if (size < HINT_BYTES)
		return LO_END;
	if (end > size - HINT_BYTES + 1)
		end = size - HINT_BYTES + 1;
	for (size_t at = end; at-- > 0;) {
		enum lo_result result;

		if (search->window[at] != hint[0] ||
				memcmp(search->window + at, hint, sizeof(hint)) != 0 ||
				base + at < SECTION_AT_MAGIC)
			continue;
		if (search->tries++ == LIMIT_CHECKPOINT_TRIES)
			return LO_END;
		*known = base + at - SECTION_AT_MAGIC;
		result = try_checkpoint(search, *known, err);
		if (result == LO_OK || is_own_fault(result))
			return result;
	}
	return LO_END;
}

static enum lo_result search_back(
		struct search *search, uint64_t size, uint64_t *known, struct lo_error *err)
{
	uint64_t lowest = size > LIMIT_CHECKPOINT_SEARCH ? size - LIMIT_CHECKPOINT_SEARCH : 0;
	uint64_t base = size;
	enum lo_result result = LO_END;

	/* Each window repeats the first bytes of the one behind it, where a hint may lie across. */
	while (result == LO_END && base > lowest && search->tries <= LIMIT_CHECKPOINT_TRIES) {
		uint64_t end = base;
		size_t got;

		base = end - lowest > WINDOW_BYTES - HINT_BYTES ? end - (WINDOW_BYTES - HINT_BYTES)
								: lowest;
		result = byte_source_read(search->source, base, search->window,
				(size_t)(end - base) + HINT_BYTES, &got, err);
		if (result == LO_OK)
			result = try_window(search, base, got, (size_t)(end - base), known, err);
	}
	return result;
}

enum lo_result checkpoint_find(struct section_list *list, struct byte_source *source,
		uint64_t *known, struct lo_error *err)
{
	uint64_t size = byte_source_size(source);
	struct search *search;
	struct lo_error why;
	enum lo_result result;

	*known = 0;
	*list = (struct section_list){ .index = TRACE_INDEX_NONE };
	search = calloc(1, sizeof(*search));
	if (!search)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to look for an index");
	search->source = source;
	search->list = list;
	result = byte_unpacker_new(&search->unpacker, &why);
	if (result == LO_OK)
		result = find_key(search, size, &why);
	if (result == LO_OK)
		result = search_back(search, size, known, &why);
	byte_unpacker_free(search->unpacker);
	section_payload_release(&search->section);
	free(search);
	if (result == LO_OK)
		return LO_OK;
	*known = 0;
	*list = (struct section_list){ .index = TRACE_INDEX_NONE };
	if (is_own_fault(result) && err)
		*err = why;
	return is_own_fault(result) ? result : LO_OK;
}
