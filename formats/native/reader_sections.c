#include "formats/native/reader_state.h"

#include <stdlib.h>

#include "formats/base/limits.h"

void section_reading_free(struct section_reading *reading)
{
	if (!reading)
		return;
	section_payload_release(&reading->section);
	byte_buffer_release(&reading->scratch);
	byte_unpacker_free(reading->unpacker);
	free(reading);
}

struct trace_damage section_damage(const struct section_entry *entry)
{
	struct trace_damage damage = { .offset = entry->offset, .bytes = entry->bytes };

	if (entry->type == SECTION_BLOCK) {
		damage.rows = entry->rows;
		damage.span = block_span(entry->begin_ns, entry->end_ns);
	}
	return damage;
}

bool is_damage(enum lo_result result)
{
	return result == LO_CORRUPT || result == LO_TRUNCATED || result == LO_UNSUPPORTED;
}

enum lo_result reader_read_section(struct section_payload *section, struct byte_source *source,
		const struct section_entry *entry, struct lo_error *err)
{
	enum lo_result result = section_payload_read(
			section, source, entry->offset, entry->bytes, err);

	if (result != LO_OK)
		return result;
	if (section->header.type != entry->type || section->header.rows != entry->rows ||
			section->header.sequence != entry->sequence)
		return lo_fail(err, LO_CORRUPT, entry->offset,
				"a section is not the one that the index lists");
	return LO_OK;
}

static enum lo_result take_reading(
		struct trace_reader *reader, struct section_reading **out, struct lo_error *err)
{
	struct section_reading *reading = atomic_exchange(&reader->spare, NULL);
	enum lo_result result;

	if (!reading) {
		reading = calloc(1, sizeof(*reading));
		if (!reading)
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET,
					"no memory to read a section");
		result = byte_unpacker_new(&reading->unpacker, err);
		if (result != LO_OK) {
			section_reading_free(reading);
			return result;
		}
	}
	*out = reading;
	return LO_OK;
}

/* What a section was decoded to; `bytes` of memory. */
struct decoded {
	void *object;
	uint64_t bytes;
};

/*
 * What is kept of a section has a place in the cache; a block of which only the states were decoded
 * has another one. So nothing changes for those who hold one while somebody asks for more.
 */
static uint32_t cache_place(
		const struct trace_reader *reader, uint32_t section, enum trace_detail detail)
{
	return detail == TRACE_DETAIL_ALL ? section : reader->sections.count + section;
}

/* ---- blocks ---- */

static enum lo_result decode_events(struct trace_reader *reader, const struct section_entry *entry,
		enum trace_detail detail, struct section_reading *reading, struct event *events,
		uint32_t *count, struct lo_error *err)
{
	uint32_t columns = detail == TRACE_DETAIL_ALL
					   ? EVENT_COLUMNS_ALL
					   : EVENT_COLUMNS_ALWAYS | EVENT_COLUMN_BIT(COLUMN_REASON);
	enum lo_result result;

	if (reading->section.header.version > FORMAT_VERSION)
		return lo_fail(err, LO_UNSUPPORTED, entry->offset,
				"it is written in version %u of the format",
				reading->section.header.version);
	result = block_header_parse(&reading->block, &reading->section.header, err);
	if (result != LO_OK)
		return result;
	if (reading->block.begin_ns != entry->begin_ns || reading->block.end_ns != entry->end_ns)
		return lo_fail(err, LO_CORRUPT, entry->offset,
				"it covers another time than the index lists");
	return block_decode(&reading->section.header, &reading->block, reading->section.payload,
			&reader->schema, columns, reading->unpacker, &reading->scratch, events,
			count, err);
}

/* A stack whose row was lost is no stack; so every stack id that leaves the reader exists. */
static void drop_unknown_stacks(
		const struct trace_reader *reader, struct event *events, uint32_t count)
{
	uint32_t stacks = stack_table_stack_count(reader->tables.stacks);

	for (uint32_t i = 0; i < count; i++)
		if (events[i].stack > stacks)
			events[i].stack = STACK_NONE;
}

static void free_block(void *object)
{
	struct cached_block *block = object;

	free(block->events);
	free(block);
}

static enum lo_result decode_block(struct trace_reader *reader, const struct section_entry *entry,
		enum trace_detail detail, struct section_reading *reading, struct decoded *out,
		struct lo_error *err)
{
	struct cached_block *block = calloc(1, sizeof(*block));
	enum lo_result result;

	if (block)
		block->events = malloc((size_t)entry->rows * sizeof(*block->events) + 1);
	if (!block || !block->events) {
		free(block);
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a block of %u rows",
				entry->rows);
	}
	block->section = (uint32_t)(entry - reader->sections.entries);
	block->cache_place = cache_place(reader, block->section, detail);
	result = decode_events(reader, entry, detail, reading, block->events, &block->count, err);
	if (result != LO_OK) {
		free_block(block);
		return result;
	}
	drop_unknown_stacks(reader, block->events, block->count);
	*out = (struct decoded){ block, sizeof(*block) + block->count * sizeof(*block->events) };
	return LO_OK;
}

uint32_t trace_block_count(const struct trace_reader *reader)
{
	return reader->block_count;
}

uint32_t trace_block_at(const struct trace_reader *reader, uint64_t time_ns)
{
	uint32_t low = 0;
	uint32_t high = reader->block_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (reader->sections.entries[reader->blocks[middle]].end_ns < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- all sections ---- */

static enum lo_result decode_payload(struct trace_reader *reader,
		const struct section_decoder *decoder, struct section_reading *reading,
		struct decoded *out, struct lo_error *err)
{
	enum lo_result result = section_payload_unpack(
			&reading->section, reading->unpacker, LIMIT_TABLE_RAW, err);

	if (result != LO_OK)
		return result;
	return decoder->decode(&out->object, &out->bytes, &reader->schema, &reading->section, err);
}

/* What somebody asks for. `decoder` is NULL for blocks; other sections have no details. */
struct request {
	uint32_t section;
	const struct section_decoder *decoder;
	enum trace_detail detail;
	bool ahead; /* nobody has asked for it yet: damage is not reported */
};

static enum lo_result load(struct trace_reader *reader, const struct request *request,
		struct decoded *out, struct lo_error *err)
{
	const struct section_entry *entry = &reader->sections.entries[request->section];
	struct section_reading *reading = NULL;
	enum lo_result result = take_reading(reader, &reading, err);

	if (result == LO_OK)
		result = reader_read_section(&reading->section, reader->source, entry, err);
	if (result == LO_OK)
		result = request->decoder ? decode_payload(reader, request->decoder, reading, out,
							    err)
					  : decode_block(reader, entry, request->detail, reading,
							    out, err);
	section_reading_free(atomic_exchange(&reader->spare, reading));
	return result;
}

/* Adds a section to the damage list, unless it is there. */
static enum lo_result report(struct trace_reader *reader, uint32_t section,
		const struct lo_error *why, struct lo_error *err)
{
	const struct section_entry *entry = &reader->sections.entries[section];
	struct trace_damage damage = section_damage(entry);

	if (atomic_exchange(&reader->is_bad[section], true))
		return lo_fail(err, LO_CORRUPT, entry->offset, "%s", why->message);
	if (entry->type == SECTION_BLOCK)
		damage_list_add(&reader->damage, &damage, "a block of %u events is lost: %s",
				entry->rows, why->message);
	else if (section_is_optional(entry->type))
		damage_list_add(&reader->damage, &damage,
				"a part of the index (%s) is lost, which costs time only: %s",
				section_type_name(entry->type), why->message);
	else
		damage_list_add(&reader->damage, &damage, "rows of the table '%s' are lost: %s",
				section_type_name(entry->type), why->message);
	return lo_fail(err, LO_CORRUPT, entry->offset, "%s", why->message);
}

static enum lo_result acquire(struct trace_reader *reader, const struct request *request,
		const void **out, struct lo_error *err)
{
	uint32_t section = request->section;
	struct decoded decoded = { 0 };
	struct lo_error why;
	enum lo_result result;

	if (atomic_load(&reader->is_bad[section]))
		return lo_fail(err, LO_CORRUPT, reader->sections.entries[section].offset,
				"this section is damaged");
	*out = section_cache_get(&reader->cache, section);
	if (!*out && request->detail != TRACE_DETAIL_ALL)
		*out = section_cache_get(
				&reader->cache, cache_place(reader, section, request->detail));
	if (*out)
		return LO_OK;
	result = load(reader, request, &decoded, &why);
	if (is_damage(result) && !request->ahead)
		return report(reader, section, &why, err);
	if (result == LO_OK)
		return section_cache_put(&reader->cache,
				cache_place(reader, section, request->detail), decoded.object,
				decoded.bytes,
				request->decoder ? request->decoder->free_object : free_block, out,
				err);
	if (err)
		*err = why;
	return result;
}

enum lo_result trace_block_acquire(struct trace_reader *reader, uint32_t number,
		const struct cached_block **out, struct lo_error *err)
{
	return trace_block_acquire_detail(reader, number, TRACE_DETAIL_ALL, out, err);
}

enum lo_result trace_block_acquire_detail(struct trace_reader *reader, uint32_t number,
		enum trace_detail detail, const struct cached_block **out, struct lo_error *err)
{
	struct request request = { reader->blocks[number], NULL, detail, false };
	const void *block = NULL;
	enum lo_result result = acquire(reader, &request, &block, err);

	if (result == LO_OK)
		*out = block;
	return result;
}

const struct cached_block *trace_block_prepare(
		struct trace_reader *reader, uint32_t number, enum trace_detail detail)
{
	struct request request = { reader->blocks[number], NULL, detail, true };
	const void *block = NULL;

	return acquire(reader, &request, &block, NULL) == LO_OK ? block : NULL;
}

void trace_block_release(struct trace_reader *reader, const struct cached_block *block)
{
	if (block)
		section_cache_unhold(&reader->cache, block->cache_place);
}

enum lo_result trace_section_acquire(const struct trace_reader *reader, uint32_t section,
		const struct section_decoder *decoder, const void **out, struct lo_error *err)
{
	struct request request = { section, decoder, TRACE_DETAIL_ALL, false };

	return acquire(reader->self, &request, out, err);
}

void trace_section_release(const struct trace_reader *reader, uint32_t section)
{
	section_cache_unhold(&reader->self->cache, section);
}
