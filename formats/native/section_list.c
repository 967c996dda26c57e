#include "formats/native/section_list.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/byte_cursor.h"
#include "formats/base/bytes.h"
#include "formats/native/row_codec.h"
#include "formats/native/section_read.h"

#define SEARCH_BYTES        65536u
#define PROGRESS_EACH_STEPS 1024u
#define MAGIC_BYTES         sizeof(uint64_t)

void section_list_release(struct section_list *list)
{
	if (!list)
		return;
	free(list->entries);
	free(list->losses);
	free(list->positions);
	*list = (struct section_list){ 0 };
}

static enum lo_result add_entry(
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
static enum lo_result add_loss(
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
static enum lo_result sort_by_type(struct section_list *list, struct lo_error *err)
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

/* ---- from the index ---- */

static enum lo_result find_index(
		struct byte_source *source, uint64_t size, uint64_t *offset, struct lo_error *err)
{
	struct section_header *header;
	uint8_t bytes[LOCATOR_BYTES];
	enum lo_result result;

	if (size < LOCATOR_BYTES)
		return lo_fail(err, LO_TRUNCATED, size, "too short for an index");
	result = byte_source_read_all(source, size - LOCATOR_BYTES, bytes, sizeof(bytes), err);
	if (result != LO_OK)
		return result;
	header = malloc(sizeof(*header));
	if (!header)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a header");
	result = section_header_parse(header, bytes, sizeof(bytes), size - LOCATOR_BYTES, err);
	if (result == LO_OK && (header->type != SECTION_LOCATOR || header->payload_bytes != 0 ||
					       header->extra_bytes < LOCATOR_EXTRA_BYTES))
		result = lo_fail(err, LO_CORRUPT, size - LOCATOR_BYTES, "not a locator");
	if (result == LO_OK)
		*offset = load_le64(header->extra + LOCATOR_AT_INDEX_OFFSET);
	free(header);
	return result;
}

static enum lo_result bad_index(struct lo_error *err, uint64_t offset)
{
	return lo_fail(err, LO_CORRUPT, offset, "the index makes no sense");
}

static enum lo_result read_losses(struct section_list *list, const struct row *row,
		uint64_t index_offset, struct lo_error *err)
{
	struct byte_cursor cursor = byte_cursor_over(
			row->bytes[INDEX_DETAIL], row->number[INDEX_DETAIL]);
	enum lo_result result = LO_OK;

	for (unsigned i = 0; byte_cursor_left(&cursor) > 0 && result == LO_OK; i++) {
		uint64_t cause = byte_cursor_varint(&cursor);
		uint64_t count = byte_cursor_varint(&cursor);

		if (cursor.failed || cause > UINT32_MAX || i == LIMIT_BLOCK_LOSSES)
			return bad_index(err, index_offset);
		result = add_loss(list, (uint32_t)cause, count, err);
	}
	return result;
}

static void set_range(struct section_entry *entry, const struct section_range *range)
{
	entry->begin_ns = range->begin_ns;
	entry->end_ns = range->end_ns;
	entry->low = range->low;
	entry->high = range->high;
}

/* Files of before there were ranges have none, which is no damage. */
static enum lo_result read_range(struct section_entry *entry, const struct row *row,
		uint64_t index_offset, struct lo_error *err)
{
	struct byte_cursor cursor = byte_cursor_over(
			row->bytes[INDEX_DETAIL], row->number[INDEX_DETAIL]);
	struct section_range range = SECTION_RANGE_ALL;

	if (byte_cursor_left(&cursor) > 0) {
		uint64_t low = byte_cursor_varint(&cursor);
		uint64_t more = byte_cursor_varint(&cursor);

		range = (struct section_range){ row->number[INDEX_BEGIN],
			row->number[INDEX_BEGIN] + row->number[INDEX_LENGTH], (uint32_t)low,
			(uint32_t)(low + more) };
		if (cursor.failed || low > UINT32_MAX || more > UINT32_MAX - low ||
				range.end_ns < range.begin_ns)
			return bad_index(err, index_offset);
	}
	set_range(entry, &range);
	return LO_OK;
}

static enum lo_result set_positions(
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

/* What is carried from row to row of the index. */
struct index_reading {
	struct section_list *list;
	uint64_t index_offset;
	uint64_t offset;
	uint64_t last_end_ns;
	uint32_t last_id[SECTION_TYPE_COUNT]; /* of tables by position */
	struct lo_error *err;
};

/* Without a detail, ids go on where those of the section before ended. */
static enum lo_result read_positions(
		struct index_reading *reading, const struct row *row, struct section_entry *entry)
{
	struct byte_cursor cursor = byte_cursor_over(
			row->bytes[INDEX_DETAIL], row->number[INDEX_DETAIL]);
	uint64_t first_id = reading->last_id[entry->type] + 1ull;

	if (byte_cursor_left(&cursor) > 0)
		first_id = byte_cursor_varint(&cursor);
	if (cursor.failed || first_id > UINT32_MAX ||
			set_positions(entry, (uint32_t)first_id, NULL) != LO_OK)
		return bad_index(reading->err, reading->index_offset);
	reading->last_id[entry->type] = entry->high;
	return LO_OK;
}

/* What a row says beyond the size of its section. */
static enum lo_result read_index_detail(
		struct index_reading *reading, const struct row *row, struct section_entry *entry)
{
	if (section_has_range(entry->type))
		return read_range(entry, row, reading->index_offset, reading->err);
	if (section_has_positions(entry->type))
		return read_positions(reading, row, entry);
	if (entry->type != SECTION_BLOCK)
		return LO_OK;
	entry->begin_ns = row->number[INDEX_BEGIN];
	entry->end_ns = entry->begin_ns + row->number[INDEX_LENGTH];
	if (entry->begin_ns < reading->last_end_ns || entry->end_ns < entry->begin_ns ||
			entry->rows > LIMIT_BLOCK_ROWS)
		return bad_index(reading->err, reading->index_offset);
	reading->last_end_ns = entry->end_ns;
	return LO_OK;
}

/* The sections tile the file up to the index without a gap, and blocks go forward in time. */
static enum lo_result read_index_row(struct index_reading *reading, const struct row *row)
{
	uint64_t index_offset = reading->index_offset;
	struct section_list *list = reading->list;
	struct section_entry entry = {
		.offset = reading->offset,
		.bytes = (uint32_t)row->number[INDEX_BYTES],
		.rows = (uint32_t)row->number[INDEX_ROWS],
		.sequence = list->count,
		.type = (uint16_t)row->number[INDEX_TYPE],
	};
	enum lo_result result;

	if (entry.bytes != row->number[INDEX_BYTES] || entry.rows != row->number[INDEX_ROWS] ||
			entry.type != row->number[INDEX_TYPE] ||
			entry.bytes < SECTION_HEADER_LEAST ||
			entry.bytes > index_offset - reading->offset)
		return bad_index(reading->err, index_offset);
	reading->offset += entry.bytes;
	result = read_index_detail(reading, row, &entry);
	if (result == LO_OK)
		result = add_entry(list, &entry, reading->err);
	return result == LO_OK && entry.type == SECTION_BLOCK
			       ? read_losses(list, row, index_offset, reading->err)
			       : result;
}

static enum lo_result read_index_rows(struct section_list *list,
		const struct section_payload *section, struct lo_error *err)
{
	struct index_reading reading = {
		.list = list, .index_offset = section->header.offset, .err = err
	};
	struct row_map map;
	struct row_reader reader = { .map = &map,
		.cursor = byte_cursor_over(section->raw.bytes, section->raw.size) };
	enum lo_result result = LO_OK;
	struct row row;

	row_map_identity(&map, &row_schemas[SECTION_INDEX]);
	while (result == LO_OK && row_reader_next(&reader, &row))
		result = read_index_row(&reading, &row);
	if (result == LO_OK && (reader.cursor.failed || reading.offset != reading.index_offset ||
					       list->count != section->header.rows))
		result = bad_index(err, reading.index_offset);
	return result;
}

static enum lo_result load_index(struct section_list *list, struct byte_source *source,
		uint64_t size, uint64_t index_offset, struct lo_error *err)
{
	struct section_payload section = { 0 };
	struct byte_unpacker *unpacker = NULL;
	enum lo_result result;

	if (index_offset >= size - LOCATOR_BYTES ||
			size - LOCATOR_BYTES - index_offset > LIMIT_SECTION_PAYLOAD)
		return bad_index(err, size - LOCATOR_BYTES);
	result = byte_unpacker_new(&unpacker, err);
	if (result == LO_OK)
		result = section_payload_read(&section, source, index_offset,
				(uint32_t)(size - LOCATOR_BYTES - index_offset), err);
	if (result == LO_OK && section.header.type != SECTION_INDEX)
		result = bad_index(err, index_offset);
	/* A row of the index is smaller than the section that it stands for. */
	if (result == LO_OK)
		result = section_payload_unpack(&section, unpacker,
				index_offset < LIMIT_INDEX_RAW ? (uint32_t)index_offset
							       : LIMIT_INDEX_RAW,
				err);
	if (result == LO_OK)
		result = read_index_rows(list, &section, err);
	byte_unpacker_free(unpacker);
	section_payload_release(&section);
	return result;
}

/* ---- by a scan ---- */

struct scan {
	struct section_list *list;
	struct byte_source *source;
	struct damage_list *damage;
	const struct progress *progress;
	struct lo_error *err;
	uint64_t size;
	uint64_t at;
	uint64_t last_end_ns; /* of the last block */
	uint32_t next_sequence;
	bool gap; /* the latest damage still waits for its time span */
	struct section_header header;
	struct block_header block;
	uint8_t bytes[SEARCH_BYTES];
};

static enum lo_result read_header(struct scan *scan, uint64_t offset, struct lo_error *err)
{
	enum lo_result result;
	size_t got;

	result = byte_source_read(
			scan->source, offset, scan->bytes, LIMIT_SECTION_HEADER, &got, scan->err);
	if (result != LO_OK)
		return result;
	return section_header_parse(&scan->header, scan->bytes, got, offset, err);
}

/* The part of the file that lies in `scan->bytes` during a search. */
struct window {
	uint64_t base; /* its place in the file */
	size_t size;
	bool last; /* the file ends with it */
};

static enum lo_result fill_window(struct scan *scan, struct window *window, uint64_t base)
{
	enum lo_result result = byte_source_read(
			scan->source, base, scan->bytes, SEARCH_BYTES, &window->size, scan->err);

	window->base = base;
	window->last = window->size < SEARCH_BYTES;
	return result;
}

/* The next magic at or behind `from` in the window; its size when there is none. */
static size_t find_magic(const struct scan *scan, const struct window *window, size_t from)
{
	uint8_t magic[MAGIC_BYTES];
	const uint8_t *hit = NULL;

	store_le64(magic, SECTION_MAGIC);
	if (from < window->size)
		hit = memmem(scan->bytes + from, window->size - from, magic, sizeof(magic));
	return hit ? (size_t)(hit - scan->bytes) : window->size;
}

/*
 * Finds the next sound header behind a bad one at `from`, or the end of the file. The search
 * begins behind the first byte of the bad header's magic: from anywhere before, it would find the
 * same header for ever. It looks at every byte of the file once, however many magics there are.
 */
static enum lo_result find_next_header(struct scan *scan, uint64_t from, uint64_t *found)
{
	struct window window;
	enum lo_result result = fill_window(scan, &window, from + 1);
	size_t at = SECTION_AT_MAGIC; /* where a magic may be, a header's begin before it */

	while (result == LO_OK) {
		size_t hit = find_magic(scan, &window, at);
		size_t begin = hit - SECTION_AT_MAGIC;

		if (hit == window.size && window.last) {
			*found = scan->size;
			return LO_OK;
		}
		if (hit == window.size) {
			/* The last bytes may be the first ones of a magic. */
			result = fill_window(scan, &window,
					window.base + hit - (MAGIC_BYTES - 1) - SECTION_AT_MAGIC);
			at = SECTION_AT_MAGIC;
			if (!progress_step(scan->progress, window.base, scan->size))
				result = lo_fail(scan->err, LO_CANCELLED, LO_NO_OFFSET, "stopped");
			continue;
		}
		if (!window.last && window.size - begin < LIMIT_SECTION_HEADER) {
			result = fill_window(scan, &window, window.base + begin);
			at = SECTION_AT_MAGIC;
			continue;
		}
		if (section_header_parse(&scan->header, scan->bytes + begin, window.size - begin,
				    window.base + begin, NULL) == LO_OK) {
			*found = window.base + begin;
			return LO_OK;
		}
		at = hit + MAGIC_BYTES;
	}
	return result;
}

static enum lo_result pass_over_damage(struct scan *scan, const struct lo_error *why)
{
	struct trace_damage damage = { .offset = scan->at };
	uint64_t next = scan->size;
	enum lo_result result = find_next_header(scan, scan->at, &next);

	if (result != LO_OK)
		return result;
	damage.bytes = next < scan->size ? next - scan->at : 0;
	damage_list_add(scan->damage, &damage, "%s", why->message);
	scan->list->cut = why->result == LO_TRUNCATED;
	scan->gap = true;
	scan->at = next;
	return LO_OK;
}

/* A section whose payload is not all there. */
static void note_cut_section(struct scan *scan)
{
	struct trace_damage damage = { .offset = scan->at };
	const char *name = section_type_name(scan->header.type);

	if (scan->header.type == SECTION_BLOCK &&
			block_header_parse(&scan->block, &scan->header, NULL) == LO_OK) {
		damage.rows = scan->header.rows;
		damage.span = block_span(scan->block.begin_ns, scan->block.end_ns);
	}
	damage_list_add(scan->damage, &damage, "the file ends inside a section (%s)",
			name ? name : "of unknown type");
	scan->list->cut = true;
}

/* What lay in the gap happened between the blocks on both of its sides. */
static void close_gap(struct scan *scan, uint64_t next_begin_ns)
{
	if (scan->gap && next_begin_ns > scan->last_end_ns)
		damage_list_set_last_span(scan->damage,
				(struct time_span){ scan->last_end_ns, next_begin_ns });
	scan->gap = false;
}

static enum lo_result add_block(struct scan *scan, struct section_entry *entry)
{
	const struct block_header *block = &scan->block;
	struct trace_damage damage = {
		.offset = scan->at, .bytes = entry->bytes, .rows = entry->rows
	};
	struct lo_error why;
	enum lo_result result = block_header_parse(&scan->block, &scan->header, &why);

	if (result == LO_OK && block->begin_ns < scan->last_end_ns) {
		damage.span = block_span(block->begin_ns, block->end_ns);
		result = lo_fail(&why, LO_CORRUPT, scan->at, "a block goes back in time");
	}
	if (result != LO_OK) {
		damage_list_add(scan->damage, &damage, "%s", why.message);
		return LO_OK;
	}
	close_gap(scan, block->begin_ns);
	scan->last_end_ns = block->end_ns;
	entry->begin_ns = block->begin_ns;
	entry->end_ns = block->end_ns;
	result = add_entry(scan->list, entry, scan->err);
	for (uint32_t i = 0; i < block->loss_count && result == LO_OK; i++)
		result = add_loss(scan->list, block->losses[i].cause, block->losses[i].count,
				scan->err);
	return result;
}

/* What the index would say about a section. */
static enum lo_result set_numbers(struct section_entry *entry, const struct section_header *header,
		struct lo_error *err)
{
	struct section_range range;
	enum lo_result result = LO_OK;

	if (section_has_range(header->type)) {
		result = section_range_parse(&range, header, err);
		set_range(entry, &range);
	} else if (section_has_positions(header->type) && header->extra_bytes >= TABLE_EXTRA_BYTES)
		result = set_positions(entry, load_le32(header->extra + TABLE_AT_FIRST_ID), err);
	return result;
}

static enum lo_result add_section(struct scan *scan)
{
	struct section_entry entry = { .offset = scan->at,
		.bytes = (uint32_t)section_bytes(&scan->header),
		.rows = scan->header.rows,
		.sequence = scan->header.sequence,
		.type = scan->header.type };
	struct trace_damage damage = { .offset = scan->at, .bytes = scan->header.header_bytes };
	struct lo_error why;

	if (scan->header.sequence > scan->next_sequence && !scan->gap)
		damage_list_add(scan->damage, &damage, "%u sections are missing before this one",
				scan->header.sequence - scan->next_sequence);
	scan->next_sequence = scan->header.sequence + 1;
	if (entry.type == SECTION_BLOCK)
		return add_block(scan, &entry);
	if (set_numbers(&entry, &scan->header, &why) == LO_OK)
		return add_entry(scan->list, &entry, scan->err);
	damage.bytes = entry.bytes;
	damage_list_add(scan->damage, &damage, "%s", why.message);
	return LO_OK;
}

/* One section or one damaged stretch. LO_END: nothing further is to be had from this file. */
static enum lo_result scan_step(struct scan *scan)
{
	struct lo_error why;
	enum lo_result result = read_header(scan, scan->at, &why);

	if (result == LO_IO)
		return result;
	if (result != LO_OK)
		return pass_over_damage(scan, &why);
	if (scan->header.payload_bytes > scan->size - scan->at - scan->header.header_bytes) {
		note_cut_section(scan);
		return LO_END;
	}
	if (scan->header.sequence < scan->next_sequence) {
		struct trace_damage damage = { .offset = scan->at };

		damage_list_add(scan->damage, &damage,
				"another trace begins here; cut it off to read it");
		return LO_END;
	}
	result = add_section(scan);
	scan->at += section_bytes(&scan->header);
	return result;
}

enum lo_result section_list_scan(struct section_list *list, struct byte_source *source,
		struct damage_list *damage, const struct progress *progress, struct lo_error *err)
{
	struct scan *scan = calloc(1, sizeof(*scan));
	enum lo_result result = LO_OK;

	if (!scan)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to scan the file");
	*list = (struct section_list){ .index = TRACE_INDEX_NONE };
	scan->list = list;
	scan->source = source;
	scan->damage = damage;
	scan->progress = progress;
	scan->err = err;
	scan->size = byte_source_size(source);
	for (uint32_t steps = 1; result == LO_OK && scan->at < scan->size; steps++) {
		result = scan_step(scan);
		if (steps % PROGRESS_EACH_STEPS == 0 &&
				!progress_step(progress, scan->at, scan->size))
			result = lo_fail(err, LO_CANCELLED, LO_NO_OFFSET, "stopped");
	}
	free(scan);
	return result == LO_OK || result == LO_END ? sort_by_type(list, err) : result;
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
	enum lo_result result = add_entry(list, &index, err);

	return result == LO_OK ? add_entry(list, &locator, err) : result;
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

enum lo_result section_list_find(struct section_list *list, struct byte_source *source,
		struct damage_list *damage, const struct progress *progress, struct lo_error *err)
{
	uint64_t size = byte_source_size(source);
	uint64_t index_offset = 0;
	bool located;
	struct lo_error why;
	enum lo_result result = find_index(source, size, &index_offset, &why);

	*list = (struct section_list){ .index = TRACE_INDEX_COMPLETE };
	located = result == LO_OK;
	if (located)
		result = load_index(list, source, size, index_offset, &why);
	if (located && result == LO_OK)
		result = add_own_entries(list, size, index_offset, &why);
	if (result == LO_OK)
		result = sort_by_type(list, &why);
	if (result == LO_OK)
		return LO_OK;
	section_list_release(list);
	if (result == LO_IO || result == LO_NO_MEMORY) {
		if (err)
			*err = why;
		return result;
	}
	result = section_list_scan(list, source, damage, progress, err);
	if (result == LO_OK)
		judge_index(list, damage, located ? &why : NULL);
	return result;
}
