#include "formats/native/trace_reader.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/bytes.h"
#include "formats/native/reader_state.h"

#define DEFAULT_CACHE_BYTES (64ull << 20)

/* ---- opening ---- */

/* Work space of opening. */
struct opening {
	struct trace_reader *reader;
	const struct progress *progress;
	struct section_payload section;
	struct byte_unpacker *unpacker;
	struct lo_error *err;
};

static enum lo_result unpack_section(
		struct opening *opening, const struct section_entry *entry, struct lo_error *why)
{
	enum lo_result result = reader_read_section(
			&opening->section, opening->reader->source, entry, why);

	if (result != LO_OK)
		return result;
	return section_payload_unpack(&opening->section, opening->unpacker, LIMIT_TABLE_RAW, why);
}

static enum lo_result pass_on(struct opening *opening, const struct lo_error *why)
{
	if (opening->err)
		*opening->err = *why;
	return why->result;
}

/*
 * A file has a schema at each end, and one more wherever a name came up that the one before did not
 * have. So each says what those before it say, and the last sound one is used. The first problem
 * that is met is what the error tells.
 */
static enum lo_result load_schema(struct opening *opening)
{
	struct trace_reader *reader = opening->reader;
	struct lo_error first = { .result = LO_OK };

	for (uint32_t i = reader->sections.count; i-- > 0;) {
		const struct section_entry *entry = &reader->sections.entries[i];
		struct lo_error why;
		enum lo_result result;

		if (entry->type != SECTION_SCHEMA)
			continue;
		result = unpack_section(opening, entry, &why);
		if (result == LO_OK)
			result = trace_schema_read(&reader->schema, opening->section.raw.bytes,
					opening->section.raw.size, &why);
		if (result == LO_OK)
			return LO_OK;
		if (!is_damage(result))
			return pass_on(opening, &why);
		if (first.result == LO_OK)
			first = why;
	}
	if (first.result != LO_OK)
		return pass_on(opening, &first);
	if (reader->sections.cut && damage_list_count(&reader->damage) == 1)
		return lo_fail(opening->err, LO_TRUNCATED, byte_source_size(reader->source),
				"the file ends before its schema is complete, so nothing in it can be read");
	return lo_fail(opening->err, LO_CORRUPT, 0,
			"this looks like a loiter trace, but no schema in it is sound");
}

static enum lo_result load_table(struct opening *opening, const struct section_entry *entry)
{
	struct trace_reader *reader = opening->reader;
	struct lo_error why;
	enum lo_result result = unpack_section(opening, entry, &why);

	if (result == LO_OK && entry->type != SECTION_SCHEMA)
		result = trace_tables_add(
				&reader->tables, &reader->schema, &opening->section, &why);
	if (is_damage(result)) {
		struct trace_damage damage = section_damage(entry);

		if (entry->type == SECTION_SCHEMA)
			damage_list_add(&reader->damage, &damage,
					"a copy of the schema is damaged, another one is used: %s",
					why.message);
		else
			damage_list_add(&reader->damage, &damage,
					"%u rows of the table '%s' are lost: %s", entry->rows,
					section_type_name(entry->type), why.message);
		return LO_OK;
	}
	return result == LO_OK ? LO_OK : pass_on(opening, &why);
}

static enum lo_result load_end(struct opening *opening, const struct section_entry *entry)
{
	struct trace_reader *reader = opening->reader;
	struct lo_error why;
	enum lo_result result = reader_read_section(&opening->section, reader->source, entry, &why);

	if (result == LO_OK && opening->section.header.extra_bytes < END_EXTRA_BYTES)
		result = lo_fail(&why, LO_CORRUPT, entry->offset, "it is too short");
	if (is_damage(result)) {
		struct trace_damage damage = section_damage(entry);

		damage_list_add(&reader->damage, &damage, "the end mark is lost: %s", why.message);
		return LO_OK;
	}
	if (result != LO_OK)
		return pass_on(opening, &why);
	reader->info.truncated = false;
	reader->info.duration_ns = load_le64(opening->section.header.extra + END_AT_TIME_NS);
	return LO_OK;
}

static enum lo_result note_unknown_section(
		struct opening *opening, const struct section_entry *entry)
{
	struct trace_reader *reader = opening->reader;
	struct trace_damage damage = section_damage(entry);
	struct lo_error why;
	enum lo_result result = reader_read_section(&opening->section, reader->source, entry, &why);

	if (result == LO_OK && opening->section.header.flags & SECTION_FLAG_OPTIONAL)
		return LO_OK;
	if (result == LO_OK || is_damage(result)) {
		damage_list_add(&reader->damage, &damage,
				result == LO_OK ? "a section of type %u, which a later version of "
						  "loiter knows, is left out"
						: "a section of the unknown type %u is damaged",
				entry->type);
		return LO_OK;
	}
	return pass_on(opening, &why);
}

static void count_losses(struct trace_reader *reader)
{
	for (uint32_t i = 0; i < reader->sections.loss_count; i++) {
		const struct section_loss *loss = &reader->sections.losses[i];
		uint8_t cause = loss->cause < 256 ? reader->schema.loss_cause[loss->cause]
						  : SCHEMA_UNKNOWN;
		uint64_t *sum = cause < LOSS_CAUSE_COUNT ? &reader->info.lost[cause]
							 : &reader->info.lost_unknown;

		if (__builtin_add_overflow(*sum, loss->count, sum))
			*sum = UINT64_MAX;
	}
}

static enum lo_result load_sections(struct opening *opening)
{
	struct trace_reader *reader = opening->reader;
	enum lo_result result = LO_OK;

	reader->info.truncated = true;
	for (uint32_t i = 0; i < reader->sections.count && result == LO_OK; i++) {
		const struct section_entry *entry = &reader->sections.entries[i];

		if (trace_tables_have(entry->type) || entry->type == SECTION_SCHEMA)
			result = load_table(opening, entry);
		else if (entry->type == SECTION_END)
			result = load_end(opening, entry);
		else if (entry->type == SECTION_INDEX || entry->type == SECTION_LOCATOR)
			reader->info.truncated = false; /* they come after the end */
		else if (!section_type_name(entry->type))
			result = note_unknown_section(opening, entry);
		if (result == LO_OK && !progress_step(opening->progress, i, reader->sections.count))
			result = lo_fail(opening->err, LO_CANCELLED, LO_NO_OFFSET, "stopped");
	}
	return result == LO_OK ? trace_tables_finish(&reader->tables, opening->err) : result;
}

static void list_blocks(struct trace_reader *reader)
{
	uint64_t last_end_ns = 0;

	reader->blocks = section_list_of(&reader->sections, SECTION_BLOCK, &reader->block_count);
	for (uint32_t i = 0; i < reader->block_count; i++) {
		const struct section_entry *entry = &reader->sections.entries[reader->blocks[i]];

		reader->info.events += entry->rows;
		last_end_ns = entry->end_ns;
	}
	reader->info.blocks = reader->block_count;
	if (reader->info.duration_ns < last_end_ns)
		reader->info.duration_ns = last_end_ns;
}

static enum lo_result prepare_cache(
		struct trace_reader *reader, uint64_t cache_bytes, struct lo_error *err)
{
	uint32_t sections = reader->sections.count;

	reader->is_bad = calloc((size_t)sections + 1, sizeof(atomic_bool));
	if (!reader->is_bad)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u sections",
				sections);
	/* Blocks have two places, see cache_place(). */
	return section_cache_init(&reader->cache, 2 * sections, cache_bytes, err);
}

static void fill_info(struct trace_reader *reader)
{
	reader->info.version = FORMAT_VERSION;
	reader->info.file_bytes = byte_source_size(reader->source);
	reader->info.tasks = task_pages_highest(reader);
	reader->info.processes = reader->tables.processes.count;
	reader->info.modules = reader->tables.modules.count;
	reader->info.index = reader->sections.index;
	count_losses(reader);
}

/* Does the file begin like a trace, as far as it goes? */
static bool looks_like_trace(const uint8_t *start, size_t size)
{
	uint8_t expected[SECTION_AT_TYPE];

	store_le32(expected + SECTION_AT_FRAME_MAGIC, SECTION_FRAME_MAGIC);
	store_le64(expected + SECTION_AT_MAGIC, SECTION_MAGIC);
	for (size_t i = 0; i < size; i++)
		if ((i < SECTION_AT_FRAME_BYTES || i >= SECTION_AT_MAGIC) &&
				start[i] != expected[i])
			return false;
	return true;
}

/* A file whose start is damaged is still a trace when sections are found further on. */
static enum lo_result check_is_trace(struct trace_reader *reader, struct lo_error *err)
{
	uint8_t start[SECTION_AT_TYPE];
	size_t got = 0;
	enum lo_result result = byte_source_read(
			reader->source, 0, start, sizeof(start), &got, err);

	if (result != LO_OK || reader->sections.count > 0)
		return result;
	if (got == 0)
		return lo_fail(err, LO_TRUNCATED, 0, "the file is empty");
	return looks_like_trace(start, got)
			       ? LO_OK
			       : lo_fail(err, LO_UNSUPPORTED, 0, "this is not a loiter trace");
}

static enum lo_result open_parts(
		struct opening *opening, const struct trace_reader_options *options)
{
	struct trace_reader *reader = opening->reader;
	uint64_t cache_bytes = options && options->cache_bytes ? options->cache_bytes
							       : DEFAULT_CACHE_BYTES;
	enum lo_result result = section_list_find(&reader->sections, reader->source,
			&reader->damage, opening->progress, opening->err);

	if (result == LO_OK)
		result = check_is_trace(reader, opening->err);
	if (result == LO_OK)
		result = byte_unpacker_new(&opening->unpacker, opening->err);
	if (result == LO_OK)
		result = trace_tables_init(&reader->tables, opening->err);
	if (result == LO_OK)
		result = load_schema(opening);
	if (result == LO_OK)
		result = load_sections(opening);
	if (result == LO_OK)
		result = prepare_cache(reader, cache_bytes, opening->err);
	if (result != LO_OK)
		return result;
	list_blocks(reader);
	fill_info(reader);
	return LO_OK;
}

enum lo_result trace_reader_open(struct trace_reader **out, struct byte_source *source,
		const struct trace_reader_options *options, struct lo_error *err)
{
	struct opening opening = { .progress = options ? options->progress : NULL, .err = err };
	enum lo_result result;

	opening.reader = calloc(1, sizeof(*opening.reader));
	if (!opening.reader) {
		byte_source_close(source);
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to open a trace");
	}
	opening.reader->self = opening.reader;
	opening.reader->source = source;
	damage_list_init(&opening.reader->damage);
	side_store_init(&opening.reader->side);
	task_pages_init(&opening.reader->tasks);
	pthread_mutex_init(&opening.reader->lives_lock, NULL);
	result = open_parts(&opening, options);
	section_payload_release(&opening.section);
	byte_unpacker_free(opening.unpacker);
	if (result == LO_OK)
		*out = opening.reader;
	else
		trace_reader_close(opening.reader);
	return result;
}

void trace_reader_close(struct trace_reader *reader)
{
	if (!reader)
		return;
	section_reading_free(atomic_load(&reader->spare));
	side_store_release(&reader->side);
	task_pages_release(&reader->tasks);
	lives_heads_release(&reader->lives);
	pthread_mutex_destroy(&reader->lives_lock);
	section_cache_release(&reader->cache);
	damage_list_release(&reader->damage);
	trace_tables_release(&reader->tables);
	section_list_release(&reader->sections);
	byte_source_close(reader->source);
	free(reader->is_bad);
	free(reader);
}

/* ---- what is known without events ---- */

const struct trace_schema *trace_reader_schema(const struct trace_reader *reader)
{
	return &reader->schema;
}

const struct section_list *trace_reader_sections(const struct trace_reader *reader)
{
	return &reader->sections;
}

const struct trace_info *trace_reader_info(const struct trace_reader *reader)
{
	return &reader->info;
}

uint32_t trace_reader_damage_count(struct trace_reader *reader)
{
	return damage_list_count(&reader->damage);
}

bool trace_reader_damage(struct trace_reader *reader, uint32_t i, struct trace_damage *out)
{
	return damage_list_get(&reader->damage, i, out);
}

uint32_t trace_reader_warning_count(const struct trace_reader *reader)
{
	return reader->schema.warning_count;
}

const char *trace_reader_warning(const struct trace_reader *reader, uint32_t i)
{
	return i < reader->schema.warning_count ? reader->schema.warnings[i] : NULL;
}

const char *trace_reader_string(const struct trace_reader *reader, uint32_t id, uint32_t *length)
{
	return string_table_get(reader->tables.strings, id, length);
}

const struct stack_table *trace_reader_stacks(const struct trace_reader *reader)
{
	return reader->tables.stacks;
}

const struct symbol_table *trace_reader_symbols(const struct trace_reader *reader)
{
	return reader->tables.symbols;
}

const struct module_info *trace_reader_module(const struct trace_reader *reader, uint32_t id)
{
	return trace_tables_module(&reader->tables, id);
}

bool trace_reader_task(const struct trace_reader *reader, uint32_t id, struct task_info *task)
{
	return task_pages_find(reader, &reader->self->tasks, id, task);
}

const struct process_info *trace_reader_process(const struct trace_reader *reader, uint32_t index)
{
	return trace_tables_process(&reader->tables, index);
}

bool trace_reader_meta_at(
		const struct trace_reader *reader, uint32_t i, const char **key, const char **value)
{
	const struct trace_meta *meta = reader->tables.meta.rows;

	if (i >= reader->tables.meta.count)
		return false;
	*key = string_table_get(reader->tables.meta_strings, meta[i].key, NULL);
	*value = string_table_get(reader->tables.meta_strings, meta[i].value, NULL);
	return true;
}

const char *trace_reader_meta(const struct trace_reader *reader, const char *key, uint32_t i)
{
	const char *at_key;
	const char *value;

	for (uint32_t at = 0; trace_reader_meta_at(reader, at, &at_key, &value); at++)
		if (strcmp(at_key, key) == 0 && i-- == 0)
			return value;
	return NULL;
}

const char *trace_reader_reason_name(const struct trace_reader *reader, uint8_t reason)
{
	if (reason < REASON_COUNT)
		return reason_infos[reason].name;
	if (reason - REASON_COUNT < (int)reader->schema.foreign_reasons)
		return reader->schema.reason_names[reason - REASON_COUNT];
	return reason_infos[REASON_NONE].name;
}

enum wait_class trace_reader_reason_class(const struct trace_reader *reader, uint8_t reason)
{
	(void)reader;
	return reason < REASON_COUNT ? reason_infos[reason].wait_class : WAIT_CLASS_UNKNOWN;
}

uint32_t trace_reader_section_count(const struct trace_reader *reader)
{
	return reader->sections.count;
}

bool trace_reader_section(const struct trace_reader *reader, uint32_t i, struct trace_section *out)
{
	const struct section_entry *entry;
	const struct section_loss *losses;
	const char *name;
	uint32_t count;

	if (i >= reader->sections.count)
		return false;
	entry = &reader->sections.entries[i];
	name = section_type_name(entry->type);
	*out = (struct trace_section){ .offset = entry->offset,
		.bytes = entry->bytes,
		.rows = entry->rows,
		.name = name ? name : "unknown" };
	if (entry->type != SECTION_BLOCK)
		return true;
	out->span = block_span(entry->begin_ns, entry->end_ns);
	losses = section_list_losses(&reader->sections, i, &count);
	for (uint32_t loss = 0; loss < count; loss++) {
		uint8_t cause = losses[loss].cause < 256
						? reader->schema.loss_cause[losses[loss].cause]
						: SCHEMA_UNKNOWN;

		if (cause < LOSS_CAUSE_COUNT)
			out->lost[cause] += losses[loss].count;
	}
	return true;
}
