#include "formats/native/trace_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/bytes.h"
#include "formats/base/limits.h"
#include "formats/base/string_table.h"
#include "formats/model/meta.h"
#include "formats/model/object.h"
#include "formats/native/block.h"
#include "formats/native/checkpoint.h"
#include "formats/native/counter_writer.h"
#include "formats/native/note_section.h"
#include "formats/native/row_codec.h"
#include "formats/native/section.h"
#include "formats/native/section_builder.h"
#include "formats/native/trace_schema.h"

/* Rows collected in memory before a table section is written though no block asks for it. */
#define TABLE_BYTES (1u << 20)

/* The same for notes. */
#define NOTE_SECTION_ROWS 4096u

struct trace_writer {
	struct byte_sink *sink;
	struct lo_error failure; /* of the sink or of memory: sticky */
	bool finished;

	/* Tables with ids by position: rows up to `written` are in the file. */
	struct string_table *strings;
	struct stack_table *stacks;
	struct module_info *modules; /* id - 1 */
	uint32_t module_count;
	uint32_t module_capacity;
	uint32_t strings_written;
	uint32_t modules_written;
	uint32_t frames_written;
	uint32_t stacks_written;

	/* Rows to be written, by section type; and of the index, which is kept to the end. */
	struct row_writer pending[SECTION_TYPE_COUNT];
	uint32_t rows_taken[SECTION_TYPE_COUNT]; /* by add_row(), in the whole file */
	struct section_range task_ids;           /* of the pending rows about tasks */
	struct row_writer late_tasks; /* of tasks that had rows before, or were passed over */
	struct section_range late_task_ids;
	uint32_t highest_task; /* that has a row */

	struct counter_writer counters;
	struct counter_header counter_header; /* work space */
	struct note_header notes; /* of the pending ones; without cells there are none */

	/* Reasons that only this file knows, from REASON_COUNT on. */
	char (*reasons)[LIMIT_SCHEMA_NAME + 1];
	unsigned reason_count;
	bool schema_grown; /* since it was written last */

	struct event *events; /* of the current block, TRACE_BLOCK_ROWS */
	uint32_t event_count;
	uint64_t block_lost[LOSS_CAUSE_COUNT];
	bool has_losses;
	uint64_t begin_ns; /* of the current block: where the one before has ended */
	uint64_t last_ns;  /* the latest event or promise */
	uint64_t rounding; /* these bits of times are cleared */

	uint32_t sequence;
	struct block_encoder encoder;
	struct byte_packer *packer;
	struct section_header header;
	struct block_header block;
	struct byte_buffer payload;
	struct byte_buffer index_detail;
	struct byte_buffer section; /* header and payload: written in one go */
	struct section_builders *builders;
	struct checkpoint_writer checkpoints;
	struct trace_writer_stats stats;
};

/* ---- failure ---- */

/* Everything goes through here: the first failure is kept and is every later answer. */
static enum lo_result settle(
		struct trace_writer *writer, enum lo_result result, struct lo_error *err)
{
	if (result != LO_OK && err)
		*err = writer->failure;
	return result;
}

static enum lo_result check_usable(struct trace_writer *writer, struct lo_error *err)
{
	if (writer->finished)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "the trace is finished");
	return settle(writer, writer->failure.result, err);
}

/* ---- sections ---- */

/* The index has an entry for each section. What `detail` is depends on the type. */
static void add_index_row(struct trace_writer *writer, const struct section_header *header,
		uint64_t begin_ns, uint64_t length_ns, const struct byte_buffer *detail)
{
	struct row row = { .number = { [INDEX_TYPE] = header->type,
					   [INDEX_BYTES] = section_bytes(header),
					   [INDEX_ROWS] = header->rows,
					   [INDEX_BEGIN] = begin_ns,
					   [INDEX_LENGTH] = length_ns,
					   [INDEX_DETAIL] = detail ? detail->size : 0 },
		.bytes = { [INDEX_DETAIL] = detail ? detail->bytes : NULL } };

	row_writer_put(&writer->pending[SECTION_INDEX], &row);
}

/* Header and payload in one write, so that a kill leaves whole sections as often as it can. */
static enum lo_result write_section(struct trace_writer *writer)
{
	struct lo_error *failure = &writer->failure;
	enum lo_result result;

	if (writer->sequence == LIMIT_SECTIONS)
		return lo_fail(failure, LO_UNSUPPORTED, LO_NO_OFFSET, "more than %u sections",
				LIMIT_SECTIONS);
	writer->header.sequence = writer->sequence++;
	byte_buffer_clear(&writer->section);
	section_header_put(&writer->section, &writer->header, writer->payload.bytes,
			writer->payload.size);
	byte_buffer_put(&writer->section, writer->payload.bytes, writer->payload.size);
	result = byte_buffer_check(&writer->section, failure);
	if (result == LO_OK)
		result = byte_sink_write(
				writer->sink, writer->section.bytes, writer->section.size, failure);
	writer->stats.bytes = writer->sink->written;
	return result;
}

static void start_section(struct trace_writer *writer, enum section_type type, uint32_t rows)
{
	writer->header.type = (uint16_t)type;
	writer->header.flags = section_is_optional(type) ? SECTION_FLAG_OPTIONAL : 0;
	writer->header.rows = rows;
	writer->header.extra_bytes = 0;
	byte_buffer_clear(&writer->payload);
}

/* The entry of a section that has a range; of all others the time reached so far. */
static enum lo_result add_range_to_index(
		struct trace_writer *writer, const struct section_range *range)
{
	struct byte_buffer *detail = &writer->index_detail;

	byte_buffer_clear(detail);
	byte_buffer_put_varint(detail, range->low);
	byte_buffer_put_varint(detail, range->high - range->low);
	add_index_row(writer, &writer->header, range->begin_ns, range->end_ns - range->begin_ns,
			detail);
	return byte_buffer_check(detail, &writer->failure);
}

/* Writes a section whose payload is one frame. `first_id` as in table_extra_offset. */
static enum lo_result write_frame(
		struct trace_writer *writer, const struct section_draft *draft, uint32_t first_id)
{
	enum lo_result result;

	start_section(writer, draft->type, draft->rows);
	store_le32(writer->header.extra + TABLE_AT_FIRST_ID, first_id);
	store_le32(writer->header.extra + TABLE_AT_RAW_BYTES, (uint32_t)draft->raw_bytes);
	writer->header.extra_bytes = TABLE_EXTRA_BYTES;
	if (section_has_range(draft->type))
		section_range_store(&writer->header, &draft->range);
	if (draft->extra_bytes > 0)
		memcpy(writer->header.extra + RANGE_EXTRA_BYTES, draft->extra, draft->extra_bytes);
	writer->header.extra_bytes += (uint32_t)draft->extra_bytes;
	result = byte_packer_pack(writer->packer, draft->raw, draft->raw_bytes, &writer->payload,
			&writer->failure);
	if (result == LO_OK)
		result = write_section(writer);
	if (result != LO_OK || draft->type == SECTION_INDEX)
		return result;
	if (section_has_range(draft->type))
		return add_range_to_index(writer, &draft->range);
	byte_buffer_clear(&writer->index_detail);
	if (section_has_positions(draft->type))
		byte_buffer_put_varint(&writer->index_detail, first_id);
	add_index_row(writer, &writer->header, writer->begin_ns, 0, &writer->index_detail);
	return byte_buffer_check(&writer->index_detail, &writer->failure);
}

/* Writes rows, if there are any. */
static enum lo_result write_rows(struct trace_writer *writer, enum section_type type,
		struct row_writer *rows, const struct section_range *range, uint32_t first_id)
{
	struct section_draft draft = { .type = type,
		.rows = rows->rows,
		.range = *range,
		.raw = rows->bytes.bytes,
		.raw_bytes = rows->bytes.size };
	enum lo_result result;

	if (rows->rows == 0)
		return LO_OK;
	result = byte_buffer_check(&rows->bytes, &writer->failure);
	if (result == LO_OK)
		result = write_frame(writer, &draft, first_id);
	row_writer_clear(rows);
	return result;
}

/* Writes the pending rows of one table. */
static enum lo_result write_table(
		struct trace_writer *writer, enum section_type type, uint32_t first_id)
{
	return write_rows(writer, type, &writer->pending[type], &SECTION_RANGE_ALL, first_id);
}

struct section_output {
	struct trace_writer *writer;
};

enum lo_result section_output_put(struct section_output *output, const struct section_draft *draft,
		uint64_t *bytes, struct lo_error *err)
{
	struct trace_writer *writer = output->writer;
	enum lo_result result;

	if (draft->raw_bytes > LIMIT_TABLE_RAW)
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"a section (%s) of %zu bytes, the limit is %u",
				section_type_name(draft->type), draft->raw_bytes, LIMIT_TABLE_RAW);
	result = write_frame(writer, draft, 0);
	if (bytes)
		*bytes = section_bytes(&writer->header);
	return settle(writer, result, err);
}

uint32_t section_output_sequence(const struct section_output *output)
{
	return output->writer->sequence;
}

/* ---- tables with ids by position ---- */

static void put_string(struct trace_writer *writer, uint32_t id, struct row *row)
{
	uint32_t length;

	row->bytes[STRING_BYTES] = (const uint8_t *)string_table_get(writer->strings, id, &length);
	row->number[STRING_BYTES] = length;
}

static void put_module(struct trace_writer *writer, uint32_t id, struct row *row)
{
	const struct module_info *module = &writer->modules[id - 1];

	row->number[MODULE_PATH] = module->path;
	row->number[MODULE_FLAGS] = module->flags;
	row->number[MODULE_BUILD_ID] = module->build_id_size;
	row->bytes[MODULE_BUILD_ID] = module->build_id;
}

static void put_frame(struct trace_writer *writer, uint32_t id, struct row *row)
{
	struct frame frame = stack_table_get_frame(writer->stacks, id);

	row->number[FRAME_MODULE] = frame.module;
	row->number[FRAME_OFFSET] = frame.offset;
}

static void put_stack(struct trace_writer *writer, uint32_t id, struct row *row)
{
	struct stack_node node = stack_table_get(writer->stacks, id);

	row->number[STACK_UP] = id - node.parent;
	row->number[STACK_FRAME] = node.frame;
}

/* Writes rows (written, count] of a table, in sections of about TABLE_BYTES. */
static enum lo_result write_new_rows(struct trace_writer *writer, enum section_type type,
		uint32_t *written, uint32_t count,
		void (*put)(struct trace_writer *writer, uint32_t id, struct row *row))
{
	struct row_writer *rows = &writer->pending[type];
	uint32_t first_id = *written + 1;
	enum lo_result result = LO_OK;

	while (*written < count && result == LO_OK) {
		struct row row = { 0 };

		put(writer, ++*written, &row);
		row_writer_put(rows, &row);
		if (rows->bytes.size >= TABLE_BYTES) {
			result = write_table(writer, type, first_id);
			first_id = *written + 1;
		}
	}
	return result == LO_OK ? write_table(writer, type, first_id) : result;
}

static void add_to_range(struct section_range *range, const struct row_writer *rows, uint32_t id)
{
	if (rows->rows == 0)
		*range = (struct section_range){ .low = id, .high = id };
	if (id < range->low)
		range->low = id;
	if (id > range->high)
		range->high = id;
}

/*
 * Rows about tasks mostly come with ids that go up, so that their sections have ranges that do not
 * overlap and a reader finds a task in one of them. Later rows for a task (it was renamed) would
 * spoil that: they have sections of their own, behind.
 */
static enum lo_result write_task_rows(struct trace_writer *writer)
{
	enum lo_result result;

	writer->task_ids.begin_ns = writer->task_ids.end_ns = writer->begin_ns;
	writer->late_task_ids.begin_ns = writer->late_task_ids.end_ns = writer->begin_ns;
	result = write_rows(writer, SECTION_TASKS, &writer->pending[SECTION_TASKS],
			&writer->task_ids, 0);
	return result == LO_OK ? write_rows(writer, SECTION_TASKS, &writer->late_tasks,
						 &writer->late_task_ids, 0)
			       : result;
}

static enum lo_result write_schema(struct trace_writer *writer)
{
	struct row_writer *rows = &writer->pending[SECTION_SCHEMA];

	trace_schema_put(rows);
	for (unsigned i = 0; i < writer->reason_count; i++)
		trace_schema_put_reason(rows, REASON_COUNT + i, writer->reasons[i]);
	writer->schema_grown = false;
	return write_table(writer, SECTION_SCHEMA, 0);
}

/* In an order in which no row names one that comes later, so that a cut file is consistent. */
static enum lo_result write_tables(struct trace_writer *writer)
{
	static const enum section_type by_row[] = { SECTION_META, SECTION_PROCESSES,
		SECTION_SYMBOLS };
	enum lo_result result = writer->schema_grown ? write_schema(writer) : LO_OK;

	if (result == LO_OK)
		result = write_new_rows(writer, SECTION_STRINGS, &writer->strings_written,
				string_table_count(writer->strings), put_string);
	if (result == LO_OK)
		result = write_new_rows(writer, SECTION_MODULES, &writer->modules_written,
				writer->module_count, put_module);
	if (result == LO_OK)
		result = write_new_rows(writer, SECTION_FRAMES, &writer->frames_written,
				stack_table_frame_count(writer->stacks), put_frame);
	if (result == LO_OK)
		result = write_new_rows(writer, SECTION_STACKS, &writer->stacks_written,
				stack_table_stack_count(writer->stacks), put_stack);
	for (size_t i = 0; i < LO_COUNT_OF(by_row) && result == LO_OK; i++)
		result = write_table(writer, by_row[i], 0);
	return result == LO_OK ? write_task_rows(writer) : result;
}

/* ---- notes and counters ---- */

/* A section of rows with an extra part of its own, which is filled in but for the raw bytes. */
static enum lo_result write_side_rows(struct trace_writer *writer, struct row_writer *rows,
		const struct section_range *range)
{
	enum lo_result result = byte_buffer_check(&rows->bytes, &writer->failure);

	store_le32(writer->header.extra + TABLE_AT_RAW_BYTES, (uint32_t)rows->bytes.size);
	if (result == LO_OK)
		result = byte_packer_pack(writer->packer, rows->bytes.bytes, rows->bytes.size,
				&writer->payload, &writer->failure);
	if (result == LO_OK)
		result = write_section(writer);
	row_writer_clear(rows);
	return result == LO_OK ? add_range_to_index(writer, range) : result;
}

static enum lo_result write_counters(struct trace_writer *writer)
{
	struct row_writer *rows = &writer->pending[SECTION_COUNTERS];
	struct counter_header *header = &writer->counter_header;
	enum lo_result result = LO_OK;

	for (unsigned level = 0; result == LO_OK && counter_writer_is_due(&writer->counters, level);
			level++) {
		result = counter_writer_take(&writer->counters, level, writer->sequence, header,
				rows, &writer->failure);
		if (result != LO_OK)
			return result;
		start_section(writer, SECTION_COUNTERS, rows->rows);
		counter_header_store(&writer->header, header);
		result = write_side_rows(writer, rows, &header->range);
	}
	return result;
}

static enum lo_result write_notes(struct trace_writer *writer)
{
	struct row_writer *rows = &writer->pending[SECTION_NOTES];
	struct note_header *notes = &writer->notes;
	enum lo_result result;

	if (rows->rows == 0)
		return LO_OK;
	start_section(writer, SECTION_NOTES, rows->rows);
	note_header_store(&writer->header, notes);
	result = write_side_rows(writer, rows, &notes->range);
	notes->count = 0;
	return result;
}

/* All rows that are pending: of tables first, since notes and counters name strings and stacks. */
static enum lo_result write_pending(struct trace_writer *writer)
{
	enum lo_result result = write_tables(writer);

	if (result == LO_OK)
		result = write_notes(writer);
	return result == LO_OK ? write_counters(writer) : result;
}

/* ---- blocks ---- */

/* For the header of the block, and as pairs of varints for its row in the index. */
static enum lo_result collect_losses(struct trace_writer *writer)
{
	byte_buffer_clear(&writer->index_detail);
	writer->block.loss_count = 0;
	for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT; cause++) {
		if (writer->block_lost[cause] == 0)
			continue;
		writer->block.losses[writer->block.loss_count++] = (struct block_loss){ cause,
			writer->block_lost[cause] };
		byte_buffer_put_varint(&writer->index_detail, cause);
		byte_buffer_put_varint(&writer->index_detail, writer->block_lost[cause]);
	}
	return byte_buffer_check(&writer->index_detail, &writer->failure);
}

/* Lets whatever is built from blocks follow the one that was just written. */
static enum lo_result tell_builders(struct trace_writer *writer)
{
	struct section_output output = { writer };
	struct sealed_block block = { .number = (uint32_t)writer->stats.blocks,
		.sequence = writer->header.sequence,
		.begin_ns = writer->block.begin_ns,
		.end_ns = writer->block.end_ns,
		.bytes = section_bytes(&writer->header),
		.offset = writer->sink->written - section_bytes(&writer->header),
		.events = writer->events,
		.rows = writer->event_count };

	return section_builders_sealed(writer->builders, &block, &output, &writer->failure);
}

/* Repeats what the index has so far, if that is due. */
static enum lo_result write_checkpoint(struct trace_writer *writer)
{
	const struct row_writer *index = &writer->pending[SECTION_INDEX];
	uint64_t offset = writer->sink->written;
	size_t rows_end = index->bytes.size;
	struct checkpoint_plan plan;
	enum lo_result result;

	if (!checkpoint_is_due(&writer->checkpoints, offset, rows_end, &plan))
		return LO_OK;
	result = byte_buffer_check(&index->bytes, &writer->failure);
	if (result != LO_OK)
		return result;
	start_section(writer, SECTION_CHECKPOINT, writer->sequence - plan.first);
	store_le32(writer->header.extra + TABLE_AT_FIRST_ID, plan.first);
	store_le32(writer->header.extra + TABLE_AT_RAW_BYTES,
			(uint32_t)(rows_end - plan.rows_begin));
	store_le64(writer->header.extra + CHECKPOINT_AT_PREVIOUS, plan.previous);
	store_le64(writer->header.extra + CHECKPOINT_AT_KEY, writer->checkpoints.key);
	writer->header.extra_bytes = CHECKPOINT_EXTRA_BYTES;
	result = byte_packer_pack(writer->packer, index->bytes.bytes + plan.rows_begin,
			rows_end - plan.rows_begin, &writer->payload, &writer->failure);
	if (result == LO_OK)
		result = write_section(writer);
	if (result != LO_OK)
		return result;
	checkpoint_written(&writer->checkpoints, &plan, offset, section_bytes(&writer->header),
			rows_end, writer->header.sequence);
	add_index_row(writer, &writer->header, writer->begin_ns, 0, NULL);
	return LO_OK;
}

/* Writes the current block, be it empty, as covering the time up to `end_ns`. */
static enum lo_result write_block(struct trace_writer *writer, uint64_t end_ns)
{
	enum lo_result result = write_pending(writer);

	if (result != LO_OK)
		return result;
	start_section(writer, SECTION_BLOCK, writer->event_count);
	writer->block.begin_ns = writer->begin_ns;
	writer->block.end_ns = end_ns;
	result = collect_losses(writer);
	if (result != LO_OK)
		return result;
	result = block_encode(&writer->block, &writer->encoder, writer->packer, writer->events,
			writer->event_count, &writer->payload, &writer->failure);
	if (result == LO_OK) {
		block_header_store(&writer->header, &writer->block);
		result = write_section(writer);
	}
	if (result == LO_OK) {
		add_index_row(writer, &writer->header, writer->begin_ns, end_ns - writer->begin_ns,
				&writer->index_detail);
		writer->begin_ns = end_ns;
		if (writer->event_count > 0 && writer->checkpoints.key == 0)
			writer->checkpoints.key = writer->header.payload_checksum;
		result = tell_builders(writer);
		writer->stats.blocks++;
		writer->event_count = 0;
		memset(writer->block_lost, 0, sizeof(writer->block_lost));
		writer->has_losses = false;
	}
	return result == LO_OK ? write_checkpoint(writer) : result;
}

/* ---- life ---- */

static enum lo_result init_parts(struct trace_writer *writer)
{
	struct lo_error *failure = &writer->failure;
	enum lo_result result = string_table_new(&writer->strings, failure);

	for (unsigned type = 0; type < SECTION_TYPE_COUNT; type++)
		writer->pending[type].schema = &row_schemas[type];
	writer->late_tasks.schema = &row_schemas[SECTION_TASKS];
	if (result == LO_OK)
		result = stack_table_new(&writer->stacks, failure);
	if (result == LO_OK)
		result = byte_packer_new(&writer->packer, failure);
	if (result == LO_OK)
		result = section_builders_new(&writer->builders, failure);
	if (result != LO_OK)
		return result;
	writer->events = malloc(TRACE_BLOCK_ROWS * sizeof(*writer->events));
	if (!writer->events)
		return lo_fail(failure, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a block");
	return LO_OK;
}

enum lo_result trace_writer_open(
		struct trace_writer **out, struct byte_sink *sink, struct lo_error *err)
{
	struct trace_writer *writer = calloc(1, sizeof(*writer));
	enum lo_result result;

	if (!writer) {
		byte_sink_close(sink, NULL);
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a trace writer");
	}
	writer->sink = sink;
	result = init_parts(writer);
	if (result == LO_OK)
		result = write_schema(writer);
	if (result != LO_OK) {
		settle(writer, result, err);
		trace_writer_close(writer);
		return result;
	}
	*out = writer;
	return LO_OK;
}

void trace_writer_close(struct trace_writer *writer)
{
	if (!writer)
		return;
	byte_sink_close(writer->sink, NULL);
	string_table_free(writer->strings);
	stack_table_free(writer->stacks);
	byte_packer_free(writer->packer);
	block_encoder_release(&writer->encoder);
	section_builders_free(writer->builders);
	row_writer_release(&writer->late_tasks);
	for (unsigned type = 0; type < SECTION_TYPE_COUNT; type++)
		row_writer_release(&writer->pending[type]);
	counter_writer_release(&writer->counters);
	free(writer->reasons);
	byte_buffer_release(&writer->payload);
	byte_buffer_release(&writer->index_detail);
	byte_buffer_release(&writer->section);
	free(writer->modules);
	free(writer->events);
	free(writer);
}

/* ---- tables, from outside ---- */

enum lo_result trace_writer_string(struct trace_writer *writer, const char *bytes, uint32_t length,
		uint32_t *id, struct lo_error *err)
{
	enum lo_result result = check_usable(writer, err);

	return result == LO_OK ? string_table_add(writer->strings, bytes, length, id, err) : result;
}

static bool equal_modules(const struct module_info *a, const struct module_info *b)
{
	return a->path == b->path && a->flags == b->flags && a->build_id_size == b->build_id_size &&
	       memcmp(a->build_id, b->build_id, a->build_id_size) == 0;
}

/* A program has some hundred modules: looking through them all is no matter. */
enum lo_result trace_writer_module(struct trace_writer *writer, const struct module_info *module,
		uint32_t *id, struct lo_error *err)
{
	enum lo_result result = check_usable(writer, err);

	*id = MODULE_NONE;
	if (result != LO_OK)
		return result;
	if (module->build_id_size > MODULE_BUILD_ID_MAX)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "a build id of %u bytes",
				module->build_id_size);
	for (uint32_t i = 0; i < writer->module_count && *id == MODULE_NONE; i++)
		if (equal_modules(&writer->modules[i], module))
			*id = i + 1;
	if (*id != MODULE_NONE)
		return LO_OK;
	if (writer->module_count == LIMIT_MODULES)
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET, "more than %u modules",
				LIMIT_MODULES);
	if (writer->module_count == writer->module_capacity) {
		uint32_t capacity = writer->module_capacity ? writer->module_capacity * 2 : 32;
		struct module_info *modules = realloc(writer->modules, capacity * sizeof(*modules));

		if (!modules)
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for modules");
		writer->modules = modules;
		writer->module_capacity = capacity;
	}
	writer->modules[writer->module_count++] = *module;
	*id = writer->module_count;
	return LO_OK;
}

enum lo_result trace_writer_frame(struct trace_writer *writer, struct frame frame,
		uint32_t *frame_id, struct lo_error *err)
{
	enum lo_result result = check_usable(writer, err);

	return result == LO_OK ? stack_table_frame(writer->stacks, frame, frame_id, err) : result;
}

enum lo_result trace_writer_stack(struct trace_writer *writer, uint32_t parent, uint32_t frame_id,
		uint32_t *stack_id, struct lo_error *err)
{
	enum lo_result result = check_usable(writer, err);

	return result == LO_OK ? stack_table_push(writer->stacks, parent, frame_id, stack_id, err)
			       : result;
}

/* Rows that are not kept, so that their number is all there is to check. */
static const struct {
	const char *what;
	uint32_t limit;
} row_limits[SECTION_TYPE_COUNT] = {
	[SECTION_META] = { "facts about a recording", LIMIT_META_ROWS },
	[SECTION_TASKS] = { "rows about tasks", LIMIT_TASK_ROWS },
	[SECTION_PROCESSES] = { "rows about processes", LIMIT_PROCESSES },
	[SECTION_SYMBOLS] = { "source places", LIMIT_SYMBOLS },
};

static enum lo_result check_room(struct trace_writer *writer, enum section_type type,
		uint32_t count, struct lo_error *err)
{
	enum lo_result result = check_usable(writer, err);

	if (result != LO_OK)
		return result;
	if (count > row_limits[type].limit - writer->rows_taken[type])
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET, "more than %u %s",
				row_limits[type].limit, row_limits[type].what);
	writer->rows_taken[type] += count;
	return LO_OK;
}

/* Writes all tables when many rows of this one have come together. */
static enum lo_result flush_large(
		struct trace_writer *writer, enum section_type type, struct lo_error *err)
{
	if (writer->pending[type].bytes.size < TABLE_BYTES)
		return LO_OK;
	return settle(writer, write_tables(writer), err);
}

static enum lo_result add_row(struct trace_writer *writer, enum section_type type,
		const struct row *row, struct lo_error *err)
{
	enum lo_result result = check_room(writer, type, 1, err);

	if (result != LO_OK)
		return result;
	row_writer_put(&writer->pending[type], row);
	return flush_large(writer, type, err);
}

enum lo_result trace_writer_task(
		struct trace_writer *writer, const struct task_info *task, struct lo_error *err)
{
	struct row row = { .number = { [TASK_ID] = task->id,
					   [TASK_PROCESS] = task->process,
					   [TASK_TID] = task->tid,
					   [TASK_NAME] = task->name,
					   [TASK_KIND] = task->kind,
					   [TASK_FLAGS] = task->flags } };
	struct row_writer *rows;
	enum lo_result result;
	bool late;

	if (task->id == TASK_NONE || task->id > LIMIT_TASKS || task->kind >= TASK_KIND_COUNT)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "no task can have id %u and kind %u",
				task->id, task->kind);
	result = check_room(writer, SECTION_TASKS, 1, err);
	if (result != LO_OK)
		return result;
	late = task->id <= writer->highest_task;
	rows = late ? &writer->late_tasks : &writer->pending[SECTION_TASKS];
	add_to_range(late ? &writer->late_task_ids : &writer->task_ids, rows, task->id);
	row_writer_put(rows, &row);
	if (!late)
		writer->highest_task = task->id;
	return rows->bytes.size < TABLE_BYTES ? LO_OK : settle(writer, write_tables(writer), err);
}

enum lo_result trace_writer_process(struct trace_writer *writer, const struct process_info *process,
		struct lo_error *err)
{
	struct row row = { .number = { [PROCESS_INDEX] = process->index,
					   [PROCESS_PARENT] = process->parent,
					   [PROCESS_PID] = process->pid,
					   [PROCESS_PROGRAM] = process->program,
					   [PROCESS_BEGIN] = process->begin_ns,
					   [PROCESS_FINISH] = process->end_ns,
					   [PROCESS_END_KIND] = process->end,
					   [PROCESS_END_VALUE] = process->end_value } };

	if (process->index == 0 || process->end >= PROCESS_END_COUNT)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET,
				"no process can have index %u and end %u", process->index,
				process->end);
	return add_row(writer, SECTION_PROCESSES, &row, err);
}

/* The rows of a chain stay together in one section: readers begin anew in each. */
enum lo_result trace_writer_symbols(struct trace_writer *writer, uint32_t frame_id,
		const struct symbol *chain, uint32_t count, struct lo_error *err)
{
	enum lo_result result;

	if (frame_id == FRAME_NONE || frame_id > stack_table_frame_count(writer->stacks) ||
			count == 0 || count > SYMBOL_CHAIN_MAX)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "frame %u cannot have %u symbols",
				frame_id, count);
	result = check_room(writer, SECTION_SYMBOLS, count, err);
	if (result != LO_OK)
		return result;
	for (uint32_t place = 0; place < count; place++) {
		struct row row = { .number = { [SYMBOL_FRAME] = frame_id,
						   [SYMBOL_PLACE] = place,
						   [SYMBOL_FUNCTION] = chain[place].function,
						   [SYMBOL_FILE] = chain[place].file,
						   [SYMBOL_LINE] = chain[place].line } };

		row_writer_put(&writer->pending[SECTION_SYMBOLS], &row);
	}
	return flush_large(writer, SECTION_SYMBOLS, err);
}

enum lo_result trace_writer_meta(struct trace_writer *writer, const char *key, const char *value,
		struct lo_error *err)
{
	struct row row = { .number = { [META_KEY] = strlen(key), [META_VALUE] = strlen(value) },
		.bytes = { [META_KEY] = (const uint8_t *)key,
				[META_VALUE] = (const uint8_t *)value } };

	if (row.number[META_KEY] > LIMIT_STRING_LENGTH ||
			row.number[META_VALUE] > LIMIT_STRING_LENGTH)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "the value of '%.40s' is too long",
				key);
	return add_row(writer, SECTION_META, &row, err);
}

/* ---- reasons, counters, notes ---- */

static enum lo_result add_reason(struct trace_writer *writer, const char *name, uint32_t length,
		uint8_t *reason, struct lo_error *err)
{
	char(*reasons)[LIMIT_SCHEMA_NAME + 1];

	if (length > LIMIT_SCHEMA_NAME || memchr(name, '\0', length) ||
			REASON_COUNT + writer->reason_count >= REASON_LIMIT)
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET, "no room for the reason '%.*s'",
				(int)length, name);
	reasons = realloc(writer->reasons, (writer->reason_count + 1) * sizeof(*reasons));
	if (!reasons)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a reason");
	writer->reasons = reasons;
	memcpy(reasons[writer->reason_count], name, length);
	reasons[writer->reason_count][length] = '\0';
	*reason = (uint8_t)(REASON_COUNT + writer->reason_count++);
	writer->schema_grown = true;
	return LO_OK;
}

enum lo_result trace_writer_reason(struct trace_writer *writer, const char *name, uint32_t length,
		uint8_t *reason, struct lo_error *err)
{
	enum lo_result result = check_usable(writer, err);

	if (result != LO_OK)
		return result;
	*reason = (uint8_t)reason_by_name(name, length);
	if (*reason != REASON_COUNT)
		return LO_OK;
	for (unsigned i = 0; i < writer->reason_count; i++)
		if (strlen(writer->reasons[i]) == length &&
				memcmp(writer->reasons[i], name, length) == 0) {
			*reason = (uint8_t)(REASON_COUNT + i);
			return LO_OK;
		}
	return add_reason(writer, name, length, reason, err);
}

enum lo_result trace_writer_counter(struct trace_writer *writer, struct counter_key key,
		uint32_t *counter, struct lo_error *err)
{
	enum lo_result result = check_usable(writer, err);

	return result == LO_OK ? counter_writer_find(&writer->counters, key, counter, err) : result;
}

enum lo_result trace_writer_sample(struct trace_writer *writer, uint32_t counter, uint64_t time_ns,
		uint64_t value, struct lo_error *err)
{
	enum lo_result result = check_usable(writer, err);

	if (result == LO_OK)
		result = counter_writer_add(&writer->counters, counter, time_ns, value, err);
	if (result != LO_OK || !counter_writer_is_full(&writer->counters))
		return result;
	return settle(writer, write_pending(writer), err);
}

static enum lo_result check_note(
		const struct trace_writer *writer, const struct note *note, struct lo_error *err)
{
	if (note->kind >= NOTE_KIND_COUNT || note->end_ns < note->begin_ns)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET,
				"no note can have kind %u and go from %llu to %llu ns", note->kind,
				(unsigned long long)note->begin_ns,
				(unsigned long long)note->end_ns);
	if (note->task > LIMIT_TASKS || note->stack > stack_table_stack_count(writer->stacks))
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET,
				"no note can be of task %u and stack %u", note->task, note->stack);
	return LO_OK;
}

enum lo_result trace_writer_note(
		struct trace_writer *writer, const struct note *note, struct lo_error *err)
{
	struct row_writer *rows = &writer->pending[SECTION_NOTES];
	enum lo_result result = check_usable(writer, err);

	if (result == LO_OK)
		result = check_note(writer, note, err);
	if (result != LO_OK)
		return result;
	if (rows->rows == 0)
		note_header_init(&writer->notes);
	note_row_put(rows, note);
	note_header_add(&writer->notes, note);
	if (rows->rows < NOTE_SECTION_ROWS)
		return LO_OK;
	return settle(writer, write_pending(writer), err);
}

/* ---- events ---- */

enum lo_result trace_writer_resolution(
		struct trace_writer *writer, uint64_t resolution_ns, struct lo_error *err)
{
	char value[24];
	uint64_t power = 1;

	if (resolution_ns < 1 || resolution_ns > TRACE_RESOLUTION_MAX_NS)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET,
				"a resolution of %llu ns: from 1 to %u ns are possible",
				(unsigned long long)resolution_ns, TRACE_RESOLUTION_MAX_NS);
	if (writer->stats.events > 0)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET,
				"the resolution of a trace must be known before its events");
	while (power * 2 <= resolution_ns)
		power *= 2;
	writer->rounding = power - 1;
	snprintf(value, sizeof(value), "%llu", (unsigned long long)power);
	return power > 1 ? trace_writer_meta(writer, META_RESOLUTION, value, err) : LO_OK;
}

static enum lo_result check_event(
		const struct trace_writer *writer, const struct event *event, struct lo_error *err)
{
	if ((event->time_ns & ~writer->rounding) < writer->last_ns)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET,
				"an event at %llu ns comes after one at %llu ns",
				(unsigned long long)event->time_ns,
				(unsigned long long)writer->last_ns);
	if (event->kind >= EVENT_KIND_COUNT ||
			event->reason >= REASON_COUNT + writer->reason_count ||
			event->object_kind >= OBJECT_KIND_COUNT ||
			event->flags & EVENT_FLAG_PEER_IS_TID)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET,
				"no event can have kind %u, reason %u, object kind %u and flags %#x",
				event->kind, event->reason, event->object_kind, event->flags);
	if (event->task == TASK_NONE || event->task > LIMIT_TASKS || event->peer > LIMIT_TASKS)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET,
				"no event can have task %u and peer %u, the limit is %u",
				event->task, event->peer, LIMIT_TASKS);
	if (event->stack > stack_table_stack_count(writer->stacks))
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "there is no stack %u", event->stack);
	return LO_OK;
}

enum lo_result trace_writer_event(
		struct trace_writer *writer, const struct event *event, struct lo_error *err)
{
	enum lo_result result = check_usable(writer, err);
	struct event *stored;

	if (result == LO_OK)
		result = check_event(writer, event, err);
	if (result != LO_OK)
		return result;
	stored = &writer->events[writer->event_count++];
	*stored = *event;
	stored->time_ns &= ~writer->rounding;
	writer->last_ns = stored->time_ns;
	writer->stats.events++;
	if (writer->event_count < TRACE_BLOCK_ROWS)
		return LO_OK;
	return settle(writer, write_block(writer, writer->last_ns), err);
}

enum lo_result trace_writer_lost(struct trace_writer *writer, enum loss_cause cause, uint64_t count,
		struct lo_error *err)
{
	enum lo_result result = check_usable(writer, err);

	if (result != LO_OK)
		return result;
	if ((unsigned)cause >= LOSS_CAUSE_COUNT)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "there is no loss cause %u", cause);
	writer->block_lost[cause] += count;
	writer->stats.lost[cause] += count;
	writer->has_losses = writer->has_losses || count > 0;
	return LO_OK;
}

static bool has_block(const struct trace_writer *writer)
{
	return writer->event_count > 0 || writer->has_losses;
}

enum lo_result trace_writer_advance(
		struct trace_writer *writer, uint64_t now_ns, struct lo_error *err)
{
	uint64_t limit_ns = has_block(writer) ? TRACE_BLOCK_SPAN_NS : TRACE_HEARTBEAT_NS;
	enum lo_result result = check_usable(writer, err);

	if (result != LO_OK)
		return result;
	now_ns &= ~writer->rounding;
	if (now_ns > writer->last_ns)
		writer->last_ns = now_ns;
	if (writer->last_ns - writer->begin_ns < limit_ns)
		return LO_OK;
	return settle(writer, write_block(writer, writer->last_ns), err);
}

enum lo_result trace_writer_flush(struct trace_writer *writer, struct lo_error *err)
{
	enum lo_result result = check_usable(writer, err);

	if (result != LO_OK)
		return result;
	result = has_block(writer) ? write_block(writer, writer->last_ns) : write_pending(writer);
	return settle(writer, result, err);
}

enum lo_result trace_writer_seal(struct trace_writer *writer, uint64_t end_ns, struct lo_error *err)
{
	enum lo_result result = check_usable(writer, err);

	if (result != LO_OK)
		return result;
	if (end_ns < writer->last_ns)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET,
				"a block cannot end at %llu ns, it has reached %llu ns",
				(unsigned long long)end_ns, (unsigned long long)writer->last_ns);
	writer->last_ns = end_ns;
	if (!has_block(writer) && end_ns == writer->begin_ns)
		return LO_OK;
	return settle(writer, write_block(writer, end_ns), err);
}

void trace_writer_set_level(struct trace_writer *writer, int level)
{
	byte_packer_set_level(writer->packer, level);
}

/* ---- the end ---- */

static enum lo_result write_end(struct trace_writer *writer, uint64_t end_ns)
{
	enum lo_result result;

	start_section(writer, SECTION_END, 0);
	writer->header.extra_bytes = END_EXTRA_BYTES;
	store_le64(writer->header.extra + END_AT_TIME_NS, end_ns);
	result = write_section(writer);
	if (result == LO_OK)
		add_index_row(writer, &writer->header, writer->begin_ns, 0, NULL);
	return result;
}

static enum lo_result write_index(struct trace_writer *writer)
{
	uint64_t offset = writer->sink->written;
	enum lo_result result = write_table(writer, SECTION_INDEX, 0);

	if (result != LO_OK)
		return result;
	start_section(writer, SECTION_LOCATOR, 0);
	writer->header.extra_bytes = LOCATOR_EXTRA_BYTES;
	store_le64(writer->header.extra + LOCATOR_AT_INDEX_OFFSET, offset);
	return write_section(writer);
}

enum lo_result trace_writer_finish(
		struct trace_writer *writer, uint64_t end_ns, struct lo_error *err)
{
	enum lo_result result = trace_writer_flush(writer, err);
	struct byte_sink *sink = writer->sink;

	if (result != LO_OK)
		return result;
	if (end_ns < writer->last_ns)
		end_ns = writer->last_ns;
	result = section_builders_finish(writer->builders, end_ns,
			&(struct section_output){ writer }, &writer->failure);
	if (result == LO_OK)
		result = write_schema(writer);
	if (result == LO_OK)
		result = write_end(writer, end_ns);
	if (result == LO_OK)
		result = write_index(writer);
	if (result != LO_OK)
		return settle(writer, result, err);
	writer->sink = NULL;
	writer->finished = true;
	result = byte_sink_close(sink, &writer->failure);
	return settle(writer, result, err);
}

/* ---- looking back ---- */

void trace_writer_stats(const struct trace_writer *writer, struct trace_writer_stats *stats)
{
	*stats = writer->stats;
}

const struct stack_table *trace_writer_stacks(const struct trace_writer *writer)
{
	return writer->stacks;
}

uint32_t trace_writer_module_count(const struct trace_writer *writer)
{
	return writer->module_count;
}

const struct module_info *trace_writer_get_module(const struct trace_writer *writer, uint32_t id)
{
	return id >= 1 && id <= writer->module_count ? &writer->modules[id - 1] : NULL;
}

const char *trace_writer_get_string(const struct trace_writer *writer, uint32_t id)
{
	return string_table_get(writer->strings, id, NULL);
}
