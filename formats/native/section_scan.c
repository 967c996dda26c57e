#include "formats/native/section_list_parts.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/bytes.h"

#define SEARCH_BYTES        65536u
#define PROGRESS_EACH_STEPS 1024u
#define MAGIC_BYTES         sizeof(uint64_t)

struct section_scan {
	struct section_list *list;
	struct byte_source *source;
	struct damage_list *damage;
	const struct progress *progress;
	struct lo_error *err;
	uint64_t size;
	uint64_t at;
	uint64_t last_end_ns; /* of the last block */
	uint32_t next_sequence;
	bool gap;   /* the latest damage still waits for its time span */
	bool small; /* the last section was: the next is likely to be near */
	struct section_header header;
	struct block_header block;
	struct window {
		uint64_t base; /* its place in the file */
		size_t size;
		bool last; /* the file ends with it */
	} window;          /* what lies in `bytes` */
	uint8_t bytes[SEARCH_BYTES];
};

static enum lo_result fill_window(struct section_scan *scan, uint64_t base, size_t size)
{
	struct window *window = &scan->window;
	enum lo_result result = byte_source_read(
			scan->source, base, scan->bytes, size, &window->size, scan->err);

	window->base = base;
	window->last = window->size < size;
	if (result != LO_OK)
		window->size = 0;
	return result;
}

/* Does the window have all that a header at `offset` can need? */
static bool window_has(const struct window *window, uint64_t offset)
{
	return offset >= window->base && offset - window->base <= window->size &&
	       (window->last || window->size - (offset - window->base) >= LIMIT_SECTION_HEADER);
}

/* One read for each section, or one for many where they are small; unless what lies between the
 * headers cannot be read, which is no matter here. */
static enum lo_result read_header(struct section_scan *scan, uint64_t offset, struct lo_error *err)
{
	const struct window *window = &scan->window;
	enum lo_result result = LO_OK;

	if (!window_has(window, offset)) {
		result = LO_IO;
		if (scan->small)
			result = fill_window(scan, offset, SEARCH_BYTES);
		if (result == LO_IO)
			result = fill_window(scan, offset, LIMIT_SECTION_HEADER);
	}
	if (result != LO_OK)
		return result;
	offset -= window->base;
	return section_header_parse(&scan->header, scan->bytes + offset, window->size - offset,
			window->base + offset, err);
}

/* The next magic at or behind `from` in the window; its size when there is none. */
static size_t find_magic(const struct section_scan *scan, size_t from)
{
	uint8_t magic[MAGIC_BYTES];
	const uint8_t *hit = NULL;

	store_le64(magic, SECTION_MAGIC);
	if (from < scan->window.size)
		hit = memmem(scan->bytes + from, scan->window.size - from, magic, sizeof(magic));
	return hit ? (size_t)(hit - scan->bytes) : scan->window.size;
}

/*
 * Finds the next sound header behind a bad one at `from`, or the end of the file. The search
 * begins behind the first byte of the bad header's magic: from anywhere before, it would find the
 * same header for ever. It looks at every byte of the file once, however many magics there are.
 */
static enum lo_result find_next_header(struct section_scan *scan, uint64_t from, uint64_t *found)
{
	const struct window *window = &scan->window;
	enum lo_result result = fill_window(scan, from + 1, SEARCH_BYTES);
	size_t at = SECTION_AT_MAGIC; /* where a magic may be, a header's begin before it */

	while (result == LO_OK) {
		size_t hit = find_magic(scan, at);
		size_t begin = hit - SECTION_AT_MAGIC;

		if (hit == window->size && window->last) {
			*found = scan->size;
			return LO_OK;
		}
		if (hit == window->size) {
			/* The last bytes may be the first ones of a magic. */
			result = fill_window(scan,
					window->base + hit - (MAGIC_BYTES - 1) - SECTION_AT_MAGIC,
					SEARCH_BYTES);
			at = SECTION_AT_MAGIC;
			if (!progress_step(scan->progress, window->base, scan->size))
				result = lo_fail(scan->err, LO_CANCELLED, LO_NO_OFFSET, "stopped");
			continue;
		}
		if (!window->last && window->size - begin < LIMIT_SECTION_HEADER) {
			result = fill_window(scan, window->base + begin, SEARCH_BYTES);
			at = SECTION_AT_MAGIC;
			continue;
		}
		if (section_header_parse(&scan->header, scan->bytes + begin, window->size - begin,
				    window->base + begin, NULL) == LO_OK) {
			*found = window->base + begin;
			return LO_OK;
		}
		at = hit + MAGIC_BYTES;
	}
	return result;
}

static enum lo_result pass_over_damage(struct section_scan *scan, const struct lo_error *why)
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
static void note_cut_section(struct section_scan *scan)
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
static void close_gap(struct section_scan *scan, uint64_t next_begin_ns)
{
	if (scan->gap && next_begin_ns > scan->last_end_ns)
		damage_list_set_last_span(scan->damage,
				(struct time_span){ scan->last_end_ns, next_begin_ns });
	scan->gap = false;
}

static enum lo_result add_block(struct section_scan *scan, struct section_entry *entry)
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
	result = section_list_add(scan->list, entry, scan->err);
	for (uint32_t i = 0; i < block->loss_count && result == LO_OK; i++)
		result = section_list_add_loss(scan->list, block->losses[i].cause,
				block->losses[i].count, scan->err);
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
		section_entry_set_range(entry, &range);
	} else if (section_has_positions(header->type) && header->extra_bytes >= TABLE_EXTRA_BYTES)
		result = section_entry_set_positions(
				entry, load_le32(header->extra + TABLE_AT_FIRST_ID), err);
	return result;
}

static enum lo_result add_section(struct section_scan *scan)
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
		return section_list_add(scan->list, &entry, scan->err);
	damage.bytes = entry.bytes;
	damage_list_add(scan->damage, &damage, "%s", why.message);
	return LO_OK;
}

/* One section or one damaged stretch. LO_END: nothing further is to be had from this file. */
static enum lo_result scan_step(struct section_scan *scan)
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
	scan->small = section_bytes(&scan->header) < SEARCH_BYTES / 4;
	scan->at += section_bytes(&scan->header);
	return result;
}

enum lo_result section_scan_new(struct section_scan **out, struct section_list *list,
		struct byte_source *source, struct damage_list *damage, uint64_t offset,
		struct lo_error *err)
{
	struct section_scan *scan = calloc(1, sizeof(*scan));

	if (!scan)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to scan the file");
	scan->list = list;
	scan->source = source;
	scan->damage = damage;
	scan->size = byte_source_size(source);
	scan->at = offset;
	scan->next_sequence = list->count;
	for (uint32_t i = list->count; i-- > 0 && scan->last_end_ns == 0;)
		if (list->entries[i].type == SECTION_BLOCK)
			scan->last_end_ns = list->entries[i].end_ns;
	*out = scan;
	return LO_OK;
}

void section_scan_free(struct section_scan *scan)
{
	free(scan);
}

uint64_t section_scan_offset(const struct section_scan *scan)
{
	return scan->at;
}

enum lo_result section_scan_run(struct section_scan *scan, uint64_t bytes,
		const struct progress *progress, struct lo_error *err)
{
	uint64_t begin = scan->at;
	enum lo_result result = LO_OK;

	scan->progress = progress;
	scan->err = err;
	for (uint32_t steps = 1; result == LO_OK && scan->at < scan->size; steps++) {
		result = scan_step(scan);
		if (steps % PROGRESS_EACH_STEPS == 0 &&
				!progress_step(progress, scan->at, scan->size))
			result = lo_fail(err, LO_CANCELLED, LO_NO_OFFSET, "stopped");
		if (result == LO_OK && scan->at - begin >= bytes)
			break;
	}
	return result == LO_OK && scan->at >= scan->size ? LO_END : result;
}
