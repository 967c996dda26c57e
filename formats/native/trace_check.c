#include "formats/native/trace_check_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/bytes.h"
#include "formats/base/macros.h"
#include "formats/native/block.h"
#include "formats/native/counter_section.h"
#include "formats/native/damage_list.h"
#include "formats/native/note_section.h"
#include "formats/native/reader_parts.h"
#include "formats/native/lives.h"
#include "formats/native/section_list.h"
#include "formats/native/section_read.h"
#include "formats/native/snapshot.h"
#include "formats/native/task_pages.h"
#include "formats/native/tile_section.h"
#include "formats/native/trace_reader.h"
#include "formats/native/trace_schema.h"
#include "formats/native/trace_tables.h"

void trace_check_tell(struct trace_checking *checking, uint64_t offset, const char *format, ...)
{
	char sentence[256];
	va_list arguments;

	for (unsigned i = 0; i < checking->known_count; i++)
		if (checking->known[i] == offset) {
			checking->result->known++;
			return;
		}
	if (offset != LO_NO_OFFSET && checking->known_count < KNOWN_PROBLEMS)
		checking->known[checking->known_count++] = offset;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	checking->result->problems++;
	checking->listener->problem(checking->listener->context, offset, sentence);
}

/* Turns damage into a problem; passes on what is not the file's fault. */
enum lo_result trace_check_judge(struct trace_checking *checking, uint64_t offset,
		enum lo_result result, const struct lo_error *why, struct lo_error *err)
{
	if (result == LO_CORRUPT || result == LO_TRUNCATED || result == LO_UNSUPPORTED) {
		trace_check_tell(checking, offset, "%s", why->message);
		return LO_OK;
	}
	if (result != LO_OK && err)
		*err = *why;
	return result;
}

enum lo_result trace_check_step(struct trace_checking *checking, uint64_t done, uint64_t total,
		struct lo_error *err)
{
	return progress_step(checking->progress, done, total)
			       ? LO_OK
			       : lo_fail(err, LO_CANCELLED, LO_NO_OFFSET, "stopped");
}

/* ---- sections ---- */

static enum lo_result check_headers(struct trace_checking *checking, struct lo_error *err)
{
	struct trace_damage damage;

	(void)err;
	checking->result->what = "sections";
	checking->result->checked = checking->scanned.count;
	for (uint32_t i = 0; damage_list_get(&checking->scan_damage, i, &damage); i++)
		trace_check_tell(checking, damage.offset, "%s", damage.what);
	return LO_OK;
}

/* Calls `visit` with each section (of one type, if not 0) that has the right checksum, payload in
 * hand. */
static enum lo_result for_each_section(struct trace_checking *checking, unsigned type,
		enum lo_result (*visit)(struct trace_checking *checking,
				const struct section_entry *entry, struct lo_error *why),
		struct lo_error *err)
{
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < checking->scanned.count && result == LO_OK; i++) {
		const struct section_entry *entry = &checking->scanned.entries[i];
		struct lo_error why;

		if (type != 0 && type != entry->type)
			continue;
		result = section_payload_read(&checking->section, checking->source, entry->offset,
				entry->bytes, &why);
		if (result == LO_OK)
			result = visit(checking, entry, &why);
		result = trace_check_judge(checking, entry->offset, result, &why, err);
		if (result == LO_OK)
			result = trace_check_step(checking, i, checking->scanned.count, err);
	}
	return result;
}

static enum lo_result visit_any(struct trace_checking *checking, const struct section_entry *entry,
		struct lo_error *why)
{
	checking->result->checked++;
	if (section_type_name(entry->type) ||
			checking->section.header.flags & SECTION_FLAG_OPTIONAL)
		return LO_OK;
	return lo_fail(why, LO_UNSUPPORTED, entry->offset,
			"a section of type %u, which only a later version of loiter can check",
			entry->type);
}

static enum lo_result check_checksums(struct trace_checking *checking, struct lo_error *err)
{
	checking->result->what = "sections";
	return for_each_section(checking, 0, visit_any, err);
}

/* ---- schema and tables ---- */

static enum lo_result visit_schema(struct trace_checking *checking,
		const struct section_entry *entry, struct lo_error *why)
{
	enum lo_result result = section_payload_unpack(
			&checking->section, checking->unpacker, LIMIT_TABLE_RAW, why);

	if (result != LO_OK)
		return result;
	/* A later one may have more names, at its end. */
	if (checking->result->checked++ > 0 &&
			(checking->section.raw.size < checking->scratch.size ||
					memcmp(checking->section.raw.bytes, checking->scratch.bytes,
							checking->scratch.size) != 0))
		return lo_fail(why, LO_CORRUPT, entry->offset,
				"this schema differs from the one before");
	byte_buffer_clear(&checking->scratch);
	byte_buffer_put(&checking->scratch, checking->section.raw.bytes,
			checking->section.raw.size);
	return byte_buffer_check(&checking->scratch, why);
}

static enum lo_result check_schema(struct trace_checking *checking, struct lo_error *err)
{
	enum lo_result result;

	checking->result->what = "schemas";
	result = for_each_section(checking, SECTION_SCHEMA, visit_schema, err);
	if (result == LO_OK && !checking->reader)
		trace_check_tell(checking, checking->open_error.offset, "%s",
				checking->open_error.message);
	return result;
}

/* Of sections that a reader loads one by one. */
static const struct section_decoder *decoder_of(unsigned type)
{
	switch (type) {
	case SECTION_TASKS:
		return &task_page_decoder;
	case SECTION_SNAPSHOT:
		return &snapshot_decoder;
	case SECTION_LIVES:
		return &lives_decoder;
	case SECTION_TILES:
		return &tile_section_decoder;
	default:
		return NULL;
	}
}

/* Decodes an unpacked section as a reader would that needs it. */
static enum lo_result check_section(struct trace_checking *checking,
		const struct section_decoder *decoder, struct lo_error *why)
{
	void *object = NULL;
	uint64_t bytes;
	enum lo_result result = decoder->decode(&object, &bytes,
			trace_reader_schema(checking->reader), &checking->section, why);

	decoder->free_object(object);
	return result;
}

static enum lo_result add_table(struct trace_checking *checking, struct trace_tables *tables,
		const struct section_entry *entry, struct lo_error *why)
{
	enum lo_result result = section_payload_read(
			&checking->section, checking->source, entry->offset, entry->bytes, why);

	if (result == LO_OK)
		result = section_payload_unpack(
				&checking->section, checking->unpacker, LIMIT_TABLE_RAW, why);
	if (result != LO_OK)
		return result;
	if (decoder_of(entry->type))
		return check_section(checking, decoder_of(entry->type), why);
	return trace_tables_add(
			tables, trace_reader_schema(checking->reader), &checking->section, why);
}

static enum lo_result check_tables(struct trace_checking *checking, struct lo_error *err)
{
	struct trace_tables tables;
	enum lo_result result;

	checking->result->what = "rows";
	checking->result->possible = checking->reader != NULL;
	if (!checking->reader)
		return LO_OK;
	result = trace_tables_init(&tables, err);
	for (uint32_t i = 0; i < checking->scanned.count && result == LO_OK; i++) {
		const struct section_entry *entry = &checking->scanned.entries[i];
		struct lo_error why;

		if (!trace_tables_have(entry->type) && !decoder_of(entry->type))
			continue;
		result = trace_check_judge(checking, entry->offset,
				add_table(checking, &tables, entry, &why), &why, err);
		checking->result->checked += entry->rows;
	}
	trace_tables_release(&tables);
	return result;
}

/* ---- blocks ---- */

enum lo_result trace_check_block(struct trace_checking *checking, const struct section_entry *entry,
		struct checked_block *out, struct lo_error *why)
{
	enum lo_result result = section_payload_read(
			&checking->section, checking->source, entry->offset, entry->bytes, why);

	if (result == LO_OK)
		result = block_header_parse(&checking->block, &checking->section.header, why);
	if (result != LO_OK)
		return result;
	*out = (struct checked_block){ entry, checking->events, 0 };
	return block_decode(&checking->section.header, &checking->block, checking->section.payload,
			trace_reader_schema(checking->reader), EVENT_COLUMNS_ALL,
			checking->unpacker, &checking->scratch, checking->events, &out->count, why);
}

static enum lo_result for_each_block(struct trace_checking *checking,
		void (*visit)(struct trace_checking *checking, const struct checked_block *block),
		struct lo_error *err)
{
	enum lo_result result = LO_OK;

	checking->result->possible = checking->reader != NULL;
	if (!checking->reader)
		return LO_OK;
	for (uint32_t i = 0; i < checking->scanned.count && result == LO_OK; i++) {
		const struct section_entry *entry = &checking->scanned.entries[i];
		struct checked_block block = { 0 };
		struct lo_error why;

		if (entry->type != SECTION_BLOCK)
			continue;
		result = trace_check_block(checking, entry, &block, &why);
		if (result == LO_OK)
			visit(checking, &block);
		result = trace_check_judge(checking, entry->offset, result, &why, err);
		if (result == LO_OK)
			result = trace_check_step(checking, i, checking->scanned.count, err);
	}
	return result;
}

static void visit_contents(struct trace_checking *checking, const struct checked_block *block)
{
	uint32_t least = block->count ? UINT32_MAX : 0;
	uint32_t most = 0;

	checking->result->checked++;
	for (uint32_t i = 0; i < block->count; i++) {
		if (block->events[i].task < least)
			least = block->events[i].task;
		if (block->events[i].task > most)
			most = block->events[i].task;
	}
	/* With events of unknown kinds the header may say more than can be seen here. */
	if (least < checking->block.task_min || most > checking->block.task_max ||
			(block->count == block->entry->rows &&
					(least != checking->block.task_min ||
							most != checking->block.task_max)))
		trace_check_tell(checking, block->entry->offset,
				"the header names tasks %u to %u, the events are of %u to %u",
				checking->block.task_min, checking->block.task_max, least, most);
}

static enum lo_result check_blocks(struct trace_checking *checking, struct lo_error *err)
{
	checking->result->what = "blocks";
	return for_each_block(checking, visit_contents, err);
}

static void visit_ids(struct trace_checking *checking, const struct checked_block *block)
{
	uint32_t stacks = stack_table_stack_count(trace_reader_stacks(checking->reader));

	checking->result->checked += block->count;
	for (uint32_t i = 0; i < block->count; i++)
		if (block->events[i].stack > stacks) {
			trace_check_tell(checking, block->entry->offset,
					"event %u of this block names stack %u, there are %u", i,
					block->events[i].stack, stacks);
			return;
		}
}

static void check_stack_ids(struct trace_checking *checking)
{
	const struct stack_table *stacks = trace_reader_stacks(checking->reader);
	uint32_t frames = stack_table_frame_count(stacks);
	uint32_t modules = trace_reader_info(checking->reader)->modules;

	for (uint32_t id = 1; id <= stack_table_stack_count(stacks); id++) {
		uint32_t frame = stack_table_get(stacks, id).frame;

		if (frame == FRAME_NONE || frame > frames) {
			trace_check_tell(checking, LO_NO_OFFSET,
					"stack %u names frame %u, there are %u", id, frame, frames);
			return;
		}
		if (stack_table_get_frame(stacks, frame).module > modules) {
			trace_check_tell(checking, LO_NO_OFFSET,
					"frame %u names module %u, there are %u", frame,
					stack_table_get_frame(stacks, frame).module, modules);
			return;
		}
	}
}

static enum lo_result check_ids(struct trace_checking *checking, struct lo_error *err)
{
	checking->result->what = "events";
	if (checking->reader)
		check_stack_ids(checking);
	return for_each_block(checking, visit_ids, err);
}

static void visit_times(struct trace_checking *checking, const struct checked_block *block)
{
	uint64_t last_ns = checking->block.begin_ns;

	checking->result->checked += block->count;
	for (uint32_t i = 0; i < block->count; i++) {
		if (block->events[i].time_ns < last_ns ||
				block->events[i].time_ns > checking->block.end_ns) {
			trace_check_tell(checking, block->entry->offset,
					"event %u of this block is at %llu ns, out of order", i,
					(unsigned long long)block->events[i].time_ns);
			return;
		}
		last_ns = block->events[i].time_ns;
	}
}

static enum lo_result check_times(struct trace_checking *checking, struct lo_error *err)
{
	checking->result->what = "events";
	return for_each_block(checking, visit_times, err);
}

/* ---- counters and notes ---- */

static void sum_row(void *context, unsigned counter, const struct counter_cell *cell)
{
	struct counter_cell *sums = context;

	counter_cell_add(&sums[counter], cell);
}

static enum lo_result visit_counters(struct trace_checking *checking,
		const struct section_entry *entry, struct lo_error *why)
{
	struct counter_cell sums[LIMIT_COUNTERS] = { 0 };
	const struct counter_header *header = &checking->counters;
	enum lo_result result = section_payload_unpack(
			&checking->section, checking->unpacker, LIMIT_TABLE_RAW, why);

	if (result == LO_OK)
		result = counter_header_parse(&checking->counters, &checking->section.header, why);
	if (result == LO_OK)
		result = counter_rows_read(header,
				&trace_reader_schema(checking->reader)->tables[SECTION_COUNTERS],
				checking->section.raw.bytes, checking->section.raw.size, sum_row,
				sums, why);
	for (unsigned i = 0; i < header->count && result == LO_OK; i++)
		if (memcmp(&sums[i], &header->cells[i].sum, sizeof(sums[i])) != 0)
			result = lo_fail(why, LO_CORRUPT, entry->offset,
					"the header says other values of a counter than the rows");
	checking->result->checked += entry->rows;
	return result;
}

static bool count_note(void *context, const struct note *note)
{
	note_header_add(context, note);
	return true;
}

static enum lo_result visit_notes(struct trace_checking *checking,
		const struct section_entry *entry, struct lo_error *why)
{
	struct note_header sum;
	const struct note_header *header = &checking->notes;
	enum lo_result result = section_payload_unpack(
			&checking->section, checking->unpacker, LIMIT_TABLE_RAW, why);

	if (result == LO_OK)
		result = note_header_parse(&checking->notes, &checking->section.header, why);
	note_header_init(&sum);
	if (result == LO_OK)
		result = note_rows_read(header, &checking->section.header,
				trace_reader_schema(checking->reader), checking->section.raw.bytes,
				checking->section.raw.size, count_note, &sum, why);
	/* With kinds that nobody named there are fewer than the header says. */
	if (result == LO_OK && sum.count == header->count &&
			memcmp(&sum.range, &header->range, sizeof(sum.range)) != 0)
		result = lo_fail(why, LO_CORRUPT, entry->offset,
				"the header says another time than the notes");
	checking->result->checked += entry->rows;
	return result;
}

static enum lo_result check_side(struct trace_checking *checking, struct lo_error *err)
{
	enum lo_result result;

	checking->result->what = "rows";
	checking->result->possible = checking->reader != NULL;
	if (!checking->reader)
		return LO_OK;
	result = for_each_section(checking, SECTION_COUNTERS, visit_counters, err);
	return result == LO_OK ? for_each_section(checking, SECTION_NOTES, visit_notes, err)
			       : result;
}

/* ---- the end of the file ---- */

static bool equal_entries(const struct section_entry *a, const struct section_entry *b)
{
	return a->offset == b->offset && a->bytes == b->bytes && a->rows == b->rows &&
	       a->sequence == b->sequence && a->type == b->type && a->begin_ns == b->begin_ns &&
	       a->end_ns == b->end_ns;
}

static bool equal_losses(const struct section_list *a, const struct section_list *b)
{
	if (a->loss_count != b->loss_count)
		return false;
	for (uint32_t i = 0; i < a->loss_count; i++)
		if (a->losses[i].section != b->losses[i].section ||
				a->losses[i].cause != b->losses[i].cause ||
				a->losses[i].count != b->losses[i].count)
			return false;
	return true;
}

static void compare_index(struct trace_checking *checking, const struct section_list *indexed)
{
	const struct section_list *scanned = &checking->scanned;

	for (uint32_t i = 0; i < indexed->count && i < scanned->count; i++)
		if (!equal_entries(&indexed->entries[i], &scanned->entries[i])) {
			trace_check_tell(checking, indexed->entries[i].offset,
					"entry %u of the index is not the section that a scan finds",
					i);
			return;
		}
	if (indexed->count != scanned->count)
		trace_check_tell(checking, LO_NO_OFFSET,
				"the index has %u sections, a scan finds %u", indexed->count,
				scanned->count);
	else if (!equal_losses(indexed, scanned))
		trace_check_tell(checking, LO_NO_OFFSET,
				"the index has other losses than the blocks");
}

/* The reader could not use an index that a scan finds: it has noted why. */
static void tell_about_index(struct trace_checking *checking)
{
	struct trace_damage damage;

	for (uint32_t entry = 0; entry < checking->scanned.count; entry++)
		if (checking->scanned.entries[entry].type == SECTION_INDEX)
			for (uint32_t i = 0; trace_reader_damage(checking->reader, i, &damage); i++)
				if (damage.offset == checking->scanned.entries[entry].offset)
					trace_check_tell(
							checking, damage.offset, "%s", damage.what);
}

static enum lo_result check_index(struct trace_checking *checking, struct lo_error *err)
{
	const struct section_list *indexed = checking->reader ? trace_reader_sections(
										checking->reader)
							      : NULL;

	(void)err;
	checking->result->what = "entries";
	checking->result->possible = indexed &&
				     (indexed->index == TRACE_INDEX_COMPLETE ||
						     indexed->index == TRACE_INDEX_PARTIAL);
	if (!checking->result->possible)
		return LO_OK;
	checking->result->checked = indexed->count;
	if (indexed->index == TRACE_INDEX_COMPLETE)
		compare_index(checking, indexed);
	else
		tell_about_index(checking);
	return LO_OK;
}

static enum lo_result check_end(struct trace_checking *checking, struct lo_error *err)
{
	(void)err;
	checking->result->what = "end marks";
	for (uint32_t i = 0; i < checking->scanned.count; i++)
		if (checking->scanned.entries[i].type == SECTION_END)
			checking->result->checked++;
	if (checking->result->checked != 1)
		trace_check_tell(checking, LO_NO_OFFSET,
				"there are %llu end marks: the recorder was killed, or the file was cut",
				(unsigned long long)checking->result->checked);
	return LO_OK;
}

/* ---- the list ---- */

static const struct check {
	struct trace_check_info info;
	enum lo_result (*run)(struct trace_checking *checking, struct lo_error *err);
} checks[] = {
	{ { "headers", "section headers follow each other from the first byte to the last" },
			check_headers },
	{ { "checksums", "the contents of every section have the right checksum" },
			check_checksums },
	{ { "schema", "there is a schema, and each has all that the one before has" },
			check_schema },
	{ { "tables", "every row of every table and every part of the index can be read" },
			check_tables },
	{ { "blocks", "every block of events can be decoded and is what its header says" },
			check_blocks },
	{ { "ids", "stacks, frames and modules that are named exist" }, check_ids },
	{ { "times", "events are in the order of time, within the time of their block" },
			check_times },
	{ { "notes", "counters and notes can be read and are what their headers say" },
			check_side },
	{ { "snapshots", "the states that snapshots tell are those that follow from the events" },
			trace_check_snapshots },
	{ { "checkpoints", "checkpoints list what a scan of the file finds" },
			trace_check_checkpoints },
	{ { "index", "the index lists what a scan of the file finds" }, check_index },
	{ { "end", "the trace was finished" }, check_end },
};

const struct trace_check_info *trace_check_at(unsigned i)
{
	return i < LO_COUNT_OF(checks) ? &checks[i].info : NULL;
}

enum lo_result trace_checking_run(struct trace_checking *checking, unsigned i,
		const struct trace_check_listener *listener, struct trace_check_result *result,
		struct lo_error *err)
{
	*result = (struct trace_check_result){ .possible = true };
	checking->listener = listener;
	checking->result = result;
	return checks[i].run(checking, err);
}

/* ---- life ---- */

/* The same bytes for the reader, which closes what it is given. */
struct lent_source {
	struct byte_source source;
	struct byte_source *lender;
};

static enum lo_result lent_read(struct byte_source *source, uint64_t offset, void *bytes,
		size_t size, size_t *got, struct lo_error *err)
{
	return byte_source_read(
			((struct lent_source *)source)->lender, offset, bytes, size, got, err);
}

static uint64_t lent_size(struct byte_source *source)
{
	return byte_source_size(((struct lent_source *)source)->lender);
}

static void lent_close(struct byte_source *source)
{
	free(source);
}

static enum lo_result open_reader(struct trace_checking *checking, struct lo_error *err)
{
	static const struct byte_source_ops ops = { lent_read, lent_size, lent_close };
	struct trace_reader_options options = { .progress = checking->progress };
	struct lent_source *lent = calloc(1, sizeof(*lent));
	enum lo_result result;

	if (!lent)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to open a trace");
	*lent = (struct lent_source){ { &ops }, checking->source };
	result = trace_reader_open(
			&checking->reader, &lent->source, &options, &checking->open_error);
	if (result == LO_OK || result == LO_CORRUPT || result == LO_TRUNCATED)
		return LO_OK;
	if (err)
		*err = checking->open_error;
	return result;
}

enum lo_result trace_checking_open(struct trace_checking **out, struct byte_source *source,
		const struct progress *progress, struct lo_error *err)
{
	struct trace_checking *checking = calloc(1, sizeof(*checking));
	enum lo_result result;

	if (!checking) {
		byte_source_close(source);
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to check a trace");
	}
	checking->source = source;
	checking->progress = progress;
	damage_list_init(&checking->scan_damage);
	checking->events = malloc(LIMIT_BLOCK_ROWS * sizeof(*checking->events));
	result = checking->events ? open_reader(checking, err)
				  : lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET,
						    "no memory for a block");
	if (result == LO_OK)
		result = byte_unpacker_new(&checking->unpacker, err);
	if (result == LO_OK)
		result = section_list_scan(
				&checking->scanned, source, &checking->scan_damage, progress, err);
	if (result == LO_OK)
		*out = checking;
	else
		trace_checking_close(checking);
	return result;
}

void trace_checking_close(struct trace_checking *checking)
{
	if (!checking)
		return;
	trace_reader_close(checking->reader);
	section_list_release(&checking->scanned);
	damage_list_release(&checking->scan_damage);
	section_payload_release(&checking->section);
	byte_unpacker_free(checking->unpacker);
	byte_buffer_release(&checking->scratch);
	free(checking->events);
	byte_source_close(checking->source);
	free(checking);
}
