#include "formats/native/trace_rewrite.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/model/meta.h"
#include "formats/native/reader_parts.h"
#include "formats/native/reader_state.h"
#include "formats/native/trace_counters.h"

/* Damaged places that are told in the new trace one by one. */
#define WARNINGS_MAX 20u

/* Events that are missing though no listed block says so. */
struct missing {
	uint64_t offset;
	struct time_span span;
	uint64_t rows; /* 0: nobody knows */
};

struct rewrite {
	struct trace_reader *reader;
	struct trace_writer *writer;
	const struct trace_rewrite_options *options;
	struct trace_rewrite_result *result;
	struct lo_error *err;

	/* From the ids of the one to those of the other; what is lost leads to 0. */
	uint32_t *strings;
	uint32_t *modules;
	uint32_t *frames;
	uint32_t *stacks;
	uint8_t reasons[256];

	struct missing *missing; /* by offset */
	uint32_t missing_count;
	uint32_t missing_next;
	uint64_t end_ns;   /* of the blocks so far */
	uint64_t nonsense; /* rows that were left out */

	struct section_payload section; /* work space for counters and notes */
	struct byte_unpacker *unpacker;
	struct counter_header counter_header;
	struct note_header note_header;
	struct sample {
		uint64_t time_ns;
		uint64_t value;
		uint32_t counter;
		uint32_t order;
	} * samples;
	uint32_t sample_count;
};

/* Rows of a file may say what no writer accepts: one that is salvaged goes on without them. */
static enum lo_result accept(struct rewrite *rewrite, enum lo_result result)
{
	if (result != LO_USAGE || !rewrite->options->salvage)
		return result;
	rewrite->nonsense++;
	return LO_OK;
}

/* ---- tables ---- */

static uint32_t *new_map(uint32_t count, struct lo_error *err)
{
	uint32_t *map = calloc((size_t)count + 1, sizeof(*map));

	if (!map)
		lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u ids", count);
	return map;
}

static enum lo_result copy_strings(struct rewrite *rewrite)
{
	const struct string_table *strings = rewrite->reader->tables.strings;
	uint32_t count = string_table_count(strings);
	enum lo_result result = LO_OK;

	rewrite->strings = new_map(count, rewrite->err);
	if (!rewrite->strings)
		return LO_NO_MEMORY;
	for (uint32_t id = 1; id <= count && result == LO_OK; id++) {
		uint32_t length;
		const char *bytes = string_table_get(strings, id, &length);

		result = trace_writer_string(rewrite->writer, bytes, length, &rewrite->strings[id],
				rewrite->err);
	}
	return result;
}

static uint32_t string_of(const struct rewrite *rewrite, uint32_t id)
{
	return id <= string_table_count(rewrite->reader->tables.strings) ? rewrite->strings[id]
									 : STRING_NONE;
}

static enum lo_result copy_modules(struct rewrite *rewrite)
{
	uint32_t count = rewrite->reader->tables.modules.count;
	enum lo_result result = LO_OK;

	rewrite->modules = new_map(count, rewrite->err);
	if (!rewrite->modules)
		return LO_NO_MEMORY;
	for (uint32_t id = 1; id <= count && result == LO_OK; id++) {
		struct module_info module = *trace_reader_module(rewrite->reader, id);

		module.path = string_of(rewrite, module.path);
		result = accept(rewrite, trace_writer_module(rewrite->writer, &module,
							 &rewrite->modules[id], rewrite->err));
	}
	return result;
}

static enum lo_result copy_frames(struct rewrite *rewrite)
{
	const struct stack_table *stacks = rewrite->reader->tables.stacks;
	uint32_t count = stack_table_frame_count(stacks);
	enum lo_result result = LO_OK;

	rewrite->frames = new_map(count, rewrite->err);
	if (!rewrite->frames)
		return LO_NO_MEMORY;
	for (uint32_t id = 1; id <= count && result == LO_OK; id++) {
		struct frame frame = stack_table_get_frame(stacks, id);

		frame.module = frame.module <= rewrite->reader->tables.modules.count
					       ? rewrite->modules[frame.module]
					       : MODULE_NONE;
		result = trace_writer_frame(
				rewrite->writer, frame, &rewrite->frames[id], rewrite->err);
	}
	return result;
}

/* A frame whose row was lost is one place like any other. */
static enum lo_result find_frame(struct rewrite *rewrite, uint32_t id, uint32_t *frame)
{
	if (id <= stack_table_frame_count(rewrite->reader->tables.stacks)) {
		*frame = rewrite->frames[id];
		return LO_OK;
	}
	return trace_writer_frame(
			rewrite->writer, (struct frame){ 0, MODULE_NONE }, frame, rewrite->err);
}

/* A stack whose own row was lost has no frame: its callees become roots. */
static enum lo_result copy_stacks(struct rewrite *rewrite)
{
	const struct stack_table *stacks = rewrite->reader->tables.stacks;
	uint32_t count = stack_table_stack_count(stacks);
	enum lo_result result = LO_OK;

	rewrite->stacks = new_map(count, rewrite->err);
	if (!rewrite->stacks)
		return LO_NO_MEMORY;
	for (uint32_t id = 1; id <= count && result == LO_OK; id++) {
		struct stack_node node = stack_table_get(stacks, id);
		uint32_t frame;

		if (node.frame == FRAME_NONE)
			continue;
		result = find_frame(rewrite, node.frame, &frame);
		if (result == LO_OK)
			result = trace_writer_stack(rewrite->writer, rewrite->stacks[node.parent],
					frame, &rewrite->stacks[id], rewrite->err);
	}
	return result;
}

/* Frames whose rows were lost are all one place, which has no name. */
static bool is_lost_frame(const struct rewrite *rewrite, uint32_t id)
{
	struct frame frame = stack_table_get_frame(rewrite->reader->tables.stacks, id);

	return frame.module == MODULE_NONE && frame.offset == 0;
}

static enum lo_result copy_symbols(struct rewrite *rewrite)
{
	uint32_t count = stack_table_frame_count(rewrite->reader->tables.stacks);
	enum lo_result result = LO_OK;

	for (uint32_t id = 1; id <= count && result == LO_OK; id++) {
		struct symbol chain[SYMBOL_CHAIN_MAX];
		const struct symbol *places;
		uint32_t length = symbol_table_get(rewrite->reader->tables.symbols, id, &places);

		for (uint32_t i = 0; i < length; i++)
			chain[i] = (struct symbol){ string_of(rewrite, places[i].function),
				string_of(rewrite, places[i].file), places[i].line };
		if (length > 0 && !is_lost_frame(rewrite, id))
			result = accept(rewrite,
					trace_writer_symbols(rewrite->writer, rewrite->frames[id],
							chain, length, rewrite->err));
	}
	return result;
}

static enum lo_result copy_tasks(struct rewrite *rewrite)
{
	uint32_t highest = trace_reader_info(rewrite->reader)->tasks;
	enum lo_result result = LO_OK;

	for (uint32_t id = 1; id <= highest && result == LO_OK; id++) {
		struct task_info task;

		if (!trace_reader_task(rewrite->reader, id, &task))
			continue;
		task.name = string_of(rewrite, task.name);
		result = accept(rewrite, trace_writer_task(rewrite->writer, &task, rewrite->err));
	}
	return result;
}

static enum lo_result copy_processes(struct rewrite *rewrite)
{
	const struct row_list *list = &rewrite->reader->tables.processes;
	const struct process_info *rows = list->rows;
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < list->count && result == LO_OK; i++) {
		struct process_info process = rows[i];

		process.program = string_of(rewrite, process.program);
		result = accept(rewrite,
				trace_writer_process(rewrite->writer, &process, rewrite->err));
	}
	return result;
}

static enum lo_result copy_meta(struct rewrite *rewrite)
{
	enum lo_result result = LO_OK;
	const char *key;
	const char *value;

	for (uint32_t i = 0;
			result == LO_OK && trace_reader_meta_at(rewrite->reader, i, &key, &value);
			i++)
		result = trace_writer_meta(rewrite->writer, key, value, rewrite->err);
	return result;
}

static enum lo_result copy_reasons(struct rewrite *rewrite)
{
	unsigned count = REASON_COUNT + rewrite->reader->schema.foreign_reasons;
	enum lo_result result = LO_OK;

	for (unsigned i = 0; i < REASON_COUNT; i++)
		rewrite->reasons[i] = (uint8_t)i;
	for (unsigned i = REASON_COUNT; i < count && result == LO_OK; i++) {
		const char *name = trace_reader_reason_name(rewrite->reader, (uint8_t)i);

		result = trace_writer_reason(rewrite->writer, name, (uint32_t)strlen(name),
				&rewrite->reasons[i], rewrite->err);
	}
	return result;
}

static enum lo_result find_counter(
		struct rewrite *rewrite, struct counter_key key, uint32_t *counter)
{
	key.name = string_of(rewrite, key.name);
	key.unit = string_of(rewrite, key.unit);
	return trace_writer_counter(rewrite->writer, key, counter, rewrite->err);
}

/* So that they keep their order. */
static enum lo_result copy_counter_keys(struct rewrite *rewrite)
{
	uint32_t count = trace_counter_count(rewrite->reader);
	enum lo_result result = LO_OK;
	uint32_t counter;

	for (uint32_t i = 0; i < count && result == LO_OK; i++)
		result = find_counter(rewrite, rewrite->reader->side.keys[i], &counter);
	return result;
}

static enum lo_result copy_tables(struct rewrite *rewrite)
{
	static enum lo_result (*const steps[])(struct rewrite * rewrite) = { copy_meta,
		copy_reasons, copy_strings, copy_modules, copy_frames, copy_stacks, copy_symbols,
		copy_processes, copy_tasks, copy_counter_keys };
	enum lo_result result = LO_OK;

	for (size_t i = 0; i < LO_COUNT_OF(steps) && result == LO_OK; i++)
		result = steps[i](rewrite);
	return result;
}

/* ---- what is missing ---- */

static int by_offset(const void *a, const void *b)
{
	const struct missing *first = a;
	const struct missing *second = b;

	return (first->offset > second->offset) - (first->offset < second->offset);
}

/*
 * What opening found damaged and events were lost with. Blocks follow each other without a gap in
 * time, so a stretch between two blocks that meet had none in it.
 */
static enum lo_result list_missing(struct rewrite *rewrite)
{
	uint32_t count = trace_reader_damage_count(rewrite->reader);
	struct trace_damage damage;

	rewrite->missing = calloc((size_t)count + 1, sizeof(*rewrite->missing));
	if (!rewrite->missing)
		return lo_fail(rewrite->err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for damage");
	for (uint32_t i = 0; i < count && trace_reader_damage(rewrite->reader, i, &damage); i++)
		if (damage.rows > 0 || damage.span.end_ns > damage.span.begin_ns)
			rewrite->missing[rewrite->missing_count++] = (struct missing){
				damage.offset, damage.span, damage.rows
			};
	qsort(rewrite->missing, rewrite->missing_count, sizeof(*rewrite->missing), by_offset);
	return LO_OK;
}

static enum lo_result copy_losses(struct rewrite *rewrite, uint32_t section)
{
	uint32_t count;
	const struct section_loss *losses = section_list_losses(
			&rewrite->reader->sections, section, &count);
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < count && result == LO_OK; i++) {
		uint8_t cause = losses[i].cause < 256 ? rewrite->reader->schema
									.loss_cause[losses[i].cause]
						      : SCHEMA_UNKNOWN;

		result = trace_writer_lost(rewrite->writer,
				cause < LOSS_CAUSE_COUNT ? cause : LOSS_DAMAGED, losses[i].count,
				rewrite->err);
	}
	return result;
}

#define NO_SECTION UINT32_MAX

/*
 * Counts events that are lost in [begin_ns, end_ns], which lies behind all blocks so far; and those
 * that were lost before, in the block of a section.
 */
static enum lo_result lose(struct rewrite *rewrite, uint64_t begin_ns, uint64_t end_ns,
		uint64_t rows, uint32_t section)
{
	enum lo_result result;

	if (begin_ns < rewrite->end_ns)
		begin_ns = rewrite->end_ns;
	if (end_ns < begin_ns)
		end_ns = begin_ns;
	if (rows > 0)
		rewrite->result->lost_blocks++;
	else
		rewrite->result->lost_stretches++;
	rewrite->result->lost += rows > 0 ? rows : 1;
	rewrite->end_ns = end_ns;
	result = trace_writer_seal(rewrite->writer, begin_ns, rewrite->err);
	if (result == LO_OK)
		result = trace_writer_lost(
				rewrite->writer, LOSS_DAMAGED, rows > 0 ? rows : 1, rewrite->err);
	if (result == LO_OK && section != NO_SECTION)
		result = copy_losses(rewrite, section);
	return result == LO_OK ? trace_writer_seal(rewrite->writer, end_ns, rewrite->err) : result;
}

/* What is missing in the file before `offset`, and in time before the block that begins then. */
static enum lo_result lose_missing(struct rewrite *rewrite, uint64_t offset, uint64_t next_ns)
{
	enum lo_result result = LO_OK;

	while (result == LO_OK && rewrite->missing_next < rewrite->missing_count &&
			rewrite->missing[rewrite->missing_next].offset < offset) {
		const struct missing *missing = &rewrite->missing[rewrite->missing_next++];
		uint64_t end_ns =
				missing->span.end_ns; /* a span does not include it, a block does */

		end_ns = end_ns > missing->span.begin_ns ? end_ns - 1 : rewrite->end_ns;
		result = lose(rewrite, missing->span.begin_ns, end_ns < next_ns ? end_ns : next_ns,
				missing->rows, NO_SECTION);
	}
	return result;
}

static enum lo_result refuse_damage(struct rewrite *rewrite, uint64_t offset, const char *what)
{
	return lo_fail(rewrite->err, LO_CORRUPT, offset,
			"the trace is damaged (%s); 'loiter repair' saves what can be read", what);
}

/* ---- events ---- */

static enum lo_result copy_events(struct rewrite *rewrite, const struct cached_block *block)
{
	uint32_t stacks = stack_table_stack_count(rewrite->reader->tables.stacks);
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < block->count && result == LO_OK; i++) {
		struct event event = block->events[i];

		event.stack = event.stack <= stacks ? rewrite->stacks[event.stack] : STACK_NONE;
		event.reason = rewrite->reasons[event.reason];
		result = trace_writer_event(rewrite->writer, &event, rewrite->err);
	}
	rewrite->result->events += block->count;
	return result;
}

static enum lo_result copy_block(struct rewrite *rewrite, uint32_t number)
{
	uint32_t section = rewrite->reader->blocks[number];
	const struct section_entry *entry = &rewrite->reader->sections.entries[section];
	const struct cached_block *block;
	struct lo_error why;
	uint32_t losses;
	enum lo_result result = trace_block_acquire(rewrite->reader, number, &block, &why);

	if (result == LO_CORRUPT && rewrite->options->salvage)
		return lose(rewrite, entry->begin_ns, entry->end_ns, entry->rows, section);
	if (result == LO_CORRUPT)
		return refuse_damage(rewrite, why.offset, why.message);
	if (result != LO_OK) {
		if (rewrite->err)
			*rewrite->err = why;
		return result;
	}
	section_list_losses(&rewrite->reader->sections, section, &losses);
	if (losses > 0)
		result = trace_writer_seal(rewrite->writer, entry->begin_ns, rewrite->err);
	if (result == LO_OK)
		result = copy_losses(rewrite, section);
	if (result == LO_OK)
		result = copy_events(rewrite, block);
	if (result == LO_OK && losses > 0)
		result = trace_writer_seal(rewrite->writer, entry->end_ns, rewrite->err);
	rewrite->end_ns = entry->end_ns;
	trace_block_release(rewrite->reader, block);
	return result;
}

/* ---- counters and notes ---- */

static void take_sample(void *context, unsigned counter, const struct counter_cell *cell)
{
	struct rewrite *rewrite = context;

	rewrite->samples[rewrite->sample_count] = (struct sample){ cell->first_ns, cell->first,
		counter, rewrite->sample_count };
	rewrite->sample_count++;
}

static int by_time(const void *a, const void *b)
{
	const struct sample *first = a;
	const struct sample *second = b;

	if (first->time_ns != second->time_ns)
		return first->time_ns < second->time_ns ? -1 : 1;
	return (first->order > second->order) - (first->order < second->order);
}

/* A section has the samples of one counter behind those of the other; writers want them by time. */
static enum lo_result write_samples(struct rewrite *rewrite)
{
	const struct counter_header *header = &rewrite->counter_header;
	uint32_t numbers[LIMIT_COUNTERS];
	enum lo_result result = LO_OK;

	for (unsigned i = 0; i < header->count && result == LO_OK; i++)
		result = find_counter(rewrite, header->cells[i].key, &numbers[i]);
	qsort(rewrite->samples, rewrite->sample_count, sizeof(*rewrite->samples), by_time);
	for (uint32_t i = 0; i < rewrite->sample_count && result == LO_OK; i++)
		result = accept(rewrite, trace_writer_sample(rewrite->writer,
							 numbers[rewrite->samples[i].counter],
							 rewrite->samples[i].time_ns,
							 rewrite->samples[i].value, rewrite->err));
	return result;
}

static enum lo_result read_rows(
		struct rewrite *rewrite, const struct section_entry *entry, struct lo_error *why)
{
	enum lo_result result = reader_read_section(
			&rewrite->section, rewrite->reader->source, entry, why);

	return result == LO_OK ? section_payload_unpack(&rewrite->section, rewrite->unpacker,
						 LIMIT_TABLE_RAW, why)
			       : result;
}

/* Damage is left out, or refused; `why` tells which. */
static enum lo_result judge(struct rewrite *rewrite, enum lo_result result,
		const struct section_entry *entry, const struct lo_error *why)
{
	struct trace_damage damage = section_damage(entry);

	if (result == LO_OK)
		return LO_OK;
	if (!is_damage(result)) {
		if (rewrite->err)
			*rewrite->err = *why;
		return result;
	}
	if (!rewrite->options->salvage)
		return refuse_damage(rewrite, entry->offset, why->message);
	damage_list_add(&rewrite->reader->damage, &damage, "rows (%s) are lost: %s",
			section_type_name(entry->type), why->message);
	return LO_OK;
}

static enum lo_result copy_counters(struct rewrite *rewrite, const struct section_entry *entry)
{
	const struct trace_schema *schema = &rewrite->reader->schema;
	struct lo_error why = { .result = LO_OK };
	enum lo_result result;

	/* The levels above are made anew. */
	if (entry->low != 0)
		return LO_OK;
	result = read_rows(rewrite, entry, &why);
	if (result == LO_OK)
		result = counter_header_parse(
				&rewrite->counter_header, &rewrite->section.header, &why);
	free(rewrite->samples);
	rewrite->samples = calloc((size_t)entry->rows + 1, sizeof(*rewrite->samples));
	rewrite->sample_count = 0;
	if (!rewrite->samples)
		return lo_fail(rewrite->err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for samples");
	if (result == LO_OK)
		result = counter_rows_read(&rewrite->counter_header,
				&schema->tables[SECTION_COUNTERS], rewrite->section.raw.bytes,
				rewrite->section.raw.size, take_sample, rewrite, &why);
	if (result != LO_OK)
		return judge(rewrite, result, entry, &why);
	return write_samples(rewrite);
}

struct note_copying {
	struct rewrite *rewrite;
	enum lo_result result;
};

static bool copy_note(void *context, const struct note *original)
{
	struct note_copying *copying = context;
	struct rewrite *rewrite = copying->rewrite;
	uint32_t stacks = stack_table_stack_count(rewrite->reader->tables.stacks);
	struct note note = *original;

	if (note.kind >= NOTE_KIND_COUNT)
		return true;
	note.stack = note.stack <= stacks ? rewrite->stacks[note.stack] : STACK_NONE;
	note.name = string_of(rewrite, note.name);
	note.text = string_of(rewrite, note.text);
	copying->result = accept(rewrite, trace_writer_note(rewrite->writer, &note, rewrite->err));
	return copying->result == LO_OK;
}

static enum lo_result copy_notes(struct rewrite *rewrite, const struct section_entry *entry)
{
	struct note_copying copying = { rewrite, LO_OK };
	struct lo_error why = { .result = LO_OK };
	enum lo_result result = read_rows(rewrite, entry, &why);

	if (result == LO_OK)
		result = note_header_parse(&rewrite->note_header, &rewrite->section.header, &why);
	if (result == LO_OK)
		result = note_rows_read(&rewrite->note_header, &rewrite->section.header,
				&rewrite->reader->schema, rewrite->section.raw.bytes,
				rewrite->section.raw.size, copy_note, &copying, &why);
	if (copying.result != LO_OK)
		return copying.result;
	return judge(rewrite, result, entry, &why);
}

/* ---- the whole ---- */

static enum lo_result copy_sections(struct rewrite *rewrite)
{
	const struct section_list *list = &rewrite->reader->sections;
	enum lo_result result = LO_OK;
	uint32_t number = 0;

	for (uint32_t i = 0; i < list->count && result == LO_OK; i++) {
		const struct section_entry *entry = &list->entries[i];

		if (entry->type == SECTION_COUNTERS)
			result = copy_counters(rewrite, entry);
		else if (entry->type == SECTION_NOTES)
			result = copy_notes(rewrite, entry);
		if (entry->type != SECTION_BLOCK)
			continue;
		result = lose_missing(rewrite, entry->offset, entry->begin_ns);
		if (result == LO_OK)
			result = copy_block(rewrite, number++);
		if (result == LO_OK && !progress_step(rewrite->options->progress, number,
						       rewrite->reader->block_count))
			result = lo_fail(rewrite->err, LO_CANCELLED, LO_NO_OFFSET, "stopped");
	}
	return result == LO_OK ? lose_missing(rewrite, UINT64_MAX, UINT64_MAX) : result;
}

/* Of a later version, so that it is left out. Reasons are not: they are kept under their names. */
static bool has_unknown(const struct rewrite *rewrite)
{
	const struct trace_schema *schema = &rewrite->reader->schema;

	return schema->warning_count != schema->foreign_reasons || schema->foreign_notes > 0;
}

static enum lo_result LO_PRINTF(2, 3) add_warning(struct rewrite *rewrite, const char *format, ...)
{
	char sentence[320];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	return trace_writer_meta(rewrite->writer, META_WARNING, sentence, rewrite->err);
}

/* What a reader of the new trace could not know otherwise. */
static enum lo_result add_warnings(struct rewrite *rewrite)
{
	const struct trace_rewrite_result *done = rewrite->result;
	enum lo_result result = LO_OK;
	struct trace_damage damage;
	uint32_t i;

	rewrite->result->problems = trace_reader_damage_count(rewrite->reader);
	if (rewrite->reader->info.truncated)
		result = add_warning(rewrite,
				"The recorder was killed, or the file was cut, before this trace "
				"was repaired: it stops early.");
	if (result == LO_OK && done->lost > 0)
		result = add_warning(rewrite,
				"This trace was repaired: %s%" PRIu64
				" events are lost, and counted where they are missing.",
				done->lost_stretches > 0 ? "at least " : "", done->lost);
	if (result == LO_OK && rewrite->nonsense > 0)
		result = add_warning(rewrite, "%" PRIu64 " rows that make no sense are left out.",
				rewrite->nonsense);
	for (i = 0; i < WARNINGS_MAX && result == LO_OK &&
			trace_reader_damage(rewrite->reader, i, &damage);
			i++)
		result = add_warning(rewrite,
				"At byte %" PRIu64 " of the file before its repair: %s",
				damage.offset, damage.what);
	if (result == LO_OK && done->problems > i)
		result = add_warning(rewrite, "And %u more such places.", done->problems - i);
	for (i = 0; result == LO_OK && has_unknown(rewrite) &&
			trace_reader_warning(rewrite->reader, i);
			i++)
		result = add_warning(rewrite, "Before its repair: %s",
				trace_reader_warning(rewrite->reader, i));
	return result;
}

/* Nothing that this version cannot keep as it is? */
static enum lo_result require_sound(struct rewrite *rewrite)
{
	struct trace_damage damage;

	if (trace_reader_damage(rewrite->reader, 0, &damage))
		return refuse_damage(rewrite, damage.offset, damage.what);
	if (rewrite->reader->info.truncated)
		return lo_fail(rewrite->err, LO_TRUNCATED, LO_NO_OFFSET,
				"the trace has no end; 'loiter repair' gives it one");
	if (has_unknown(rewrite))
		return lo_fail(rewrite->err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"a later version of loiter wrote this trace, and this one would "
				"lose a part of it");
	return LO_OK;
}

static enum lo_result run(struct rewrite *rewrite)
{
	const struct trace_info *info = trace_reader_info(rewrite->reader);
	enum lo_result result = rewrite->options->salvage ? list_missing(rewrite)
							  : require_sound(rewrite);

	if (result == LO_OK)
		result = byte_unpacker_new(&rewrite->unpacker, rewrite->err);
	if (result == LO_OK)
		result = copy_tables(rewrite);
	if (result == LO_OK)
		result = copy_sections(rewrite);
	/* Much is read only when it is asked for: some damage is known now. */
	if (result == LO_OK)
		result = rewrite->options->salvage ? add_warnings(rewrite) : require_sound(rewrite);
	if (result == LO_OK)
		result = trace_writer_finish(rewrite->writer, info->duration_ns, rewrite->err);
	return result;
}

enum lo_result trace_rewrite(struct trace_reader *reader, struct trace_writer *writer,
		const struct trace_rewrite_options *options, struct trace_rewrite_result *result,
		struct lo_error *err)
{
	struct rewrite *rewrite = calloc(1, sizeof(*rewrite));
	enum lo_result outcome;

	*result = (struct trace_rewrite_result){ 0 };
	if (!rewrite)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to copy a trace");
	rewrite->reader = reader;
	rewrite->writer = writer;
	rewrite->options = options;
	rewrite->result = result;
	rewrite->err = err;
	outcome = run(rewrite);
	byte_unpacker_free(rewrite->unpacker);
	section_payload_release(&rewrite->section);
	free(rewrite->samples);
	free(rewrite->missing);
	free(rewrite->strings);
	free(rewrite->modules);
	free(rewrite->frames);
	free(rewrite->stacks);
	free(rewrite);
	return outcome;
}
