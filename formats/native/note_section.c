#include "formats/native/note_section.h"

#include <stdbool.h>

#include "formats/base/bytes.h"
#include "formats/model/event.h"

static struct note_cell *cell_of(struct note_header *header, uint32_t kind)
{
	for (unsigned i = 0; i < header->count; i++)
		if (header->cells[i].kind == kind)
			return &header->cells[i];
	header->cells[header->count] = (struct note_cell){ .kind = kind, .begin_ns = UINT64_MAX };
	return &header->cells[header->count++];
}

void note_header_init(struct note_header *header)
{
	header->range = (struct section_range){ UINT64_MAX, 0, UINT32_MAX, 0 };
	header->count = 0;
}

void note_header_add(struct note_header *header, const struct note *note)
{
	struct note_cell *cell = cell_of(header, note->kind);

	cell->count++;
	cell->total_ns += note->end_ns - note->begin_ns;
	if (note->begin_ns < cell->begin_ns)
		cell->begin_ns = note->begin_ns;
	if (note->end_ns > cell->end_ns)
		cell->end_ns = note->end_ns;
	if (cell->begin_ns < header->range.begin_ns)
		header->range.begin_ns = cell->begin_ns;
	if (cell->end_ns > header->range.end_ns)
		header->range.end_ns = cell->end_ns;
	if (note->task < header->range.low)
		header->range.low = note->task;
	if (note->task > header->range.high)
		header->range.high = note->task;
}

void note_header_store(struct section_header *out, const struct note_header *header)
{
	uint8_t *at = out->extra + NOTES_AT_CELLS;

	store_le32(out->extra + TABLE_AT_FIRST_ID, 0);
	section_range_store(out, &header->range);
	store_le16(out->extra + NOTES_AT_CELL_COUNT, (uint16_t)header->count);
	store_le16(out->extra + NOTES_AT_RESERVED, 0);
	for (unsigned i = 0; i < header->count; i++, at += NOTE_CELL_BYTES) {
		store_le32(at + NOTE_AT_KIND, header->cells[i].kind);
		store_le32(at + NOTE_AT_COUNT, header->cells[i].count);
		store_le64(at + NOTE_AT_BEGIN_NS, header->cells[i].begin_ns);
		store_le64(at + NOTE_AT_END_NS, header->cells[i].end_ns);
		store_le64(at + NOTE_AT_TOTAL_NS, header->cells[i].total_ns);
	}
	out->extra_bytes = NOTES_AT_CELLS + header->count * NOTE_CELL_BYTES;
}

static bool is_sane(const struct note_header *header, const struct note_cell *cell)
{
	return cell->count > 0 && cell->kind < 256 && cell->begin_ns >= header->range.begin_ns &&
	       cell->begin_ns <= cell->end_ns && cell->end_ns <= header->range.end_ns;
}

enum lo_result note_header_parse(
		struct note_header *header, const struct section_header *in, struct lo_error *err)
{
	const uint8_t *at = in->extra + NOTES_AT_CELLS;
	enum lo_result result;
	uint64_t rows = 0;

	if (in->extra_bytes < NOTES_AT_CELLS)
		return lo_fail(err, LO_CORRUPT, in->offset, "a header of notes is too short");
	result = section_range_parse(&header->range, in, err);
	if (result != LO_OK)
		return result;
	header->count = load_le16(in->extra + NOTES_AT_CELL_COUNT);
	if (header->count > LIMIT_NOTE_KINDS ||
			in->extra_bytes - NOTES_AT_CELLS < header->count * NOTE_CELL_BYTES)
		return lo_fail(err, LO_CORRUPT, in->offset, "a header of notes makes no sense");
	for (unsigned i = 0; i < header->count; i++, at += NOTE_CELL_BYTES) {
		header->cells[i] = (struct note_cell){ load_le32(at + NOTE_AT_KIND),
			load_le32(at + NOTE_AT_COUNT), load_le64(at + NOTE_AT_BEGIN_NS),
			load_le64(at + NOTE_AT_END_NS), load_le64(at + NOTE_AT_TOTAL_NS) };
		if (!is_sane(header, &header->cells[i]))
			return lo_fail(err, LO_CORRUPT, in->offset,
					"a header of notes contradicts itself");
		rows += header->cells[i].count;
	}
	if (rows != in->rows || rows > LIMIT_NOTE_ROWS)
		return lo_fail(err, LO_CORRUPT, in->offset, "a section of %u notes announces %llu",
				in->rows, (unsigned long long)rows);
	return LO_OK;
}

void note_row_put(struct row_writer *rows, const struct note *note)
{
	struct row row = { .number = { [NOTE_ROW_KIND] = note->kind,
					   [NOTE_ROW_FLAGS] = note->flags,
					   [NOTE_ROW_TASK] = note->task,
					   [NOTE_ROW_BEGIN] = note->begin_ns,
					   [NOTE_ROW_LENGTH] = note->end_ns - note->begin_ns,
					   [NOTE_ROW_STACK] = note->stack,
					   [NOTE_ROW_NAME] = note->name,
					   [NOTE_ROW_TEXT] = note->text,
					   [NOTE_ROW_ID] = note->id,
					   [NOTE_ROW_PARENT] = note->parent,
					   [NOTE_ROW_VALUE] = note->value } };

	row_writer_put(rows, &row);
}

static uint32_t narrow(uint64_t number)
{
	return number <= UINT32_MAX ? (uint32_t)number : 0;
}

static bool note_of_row(const struct note_header *header, const struct trace_schema *schema,
		const struct row *row, struct note *note)
{
	const uint64_t *number = row->number;

	*note = (struct note){
		.begin_ns = number[NOTE_ROW_BEGIN],
		.end_ns = number[NOTE_ROW_BEGIN] + number[NOTE_ROW_LENGTH],
		.id = number[NOTE_ROW_ID],
		.parent = number[NOTE_ROW_PARENT],
		.value = number[NOTE_ROW_VALUE],
		.task = narrow(number[NOTE_ROW_TASK]),
		.stack = narrow(number[NOTE_ROW_STACK]),
		.name = narrow(number[NOTE_ROW_NAME]),
		.text = narrow(number[NOTE_ROW_TEXT]),
		.flags = (uint8_t)number[NOTE_ROW_FLAGS],
	};
	if (number[NOTE_ROW_KIND] >= 256 || number[NOTE_ROW_TASK] > LIMIT_TASKS ||
			note->begin_ns < header->range.begin_ns || note->end_ns < note->begin_ns ||
			note->end_ns > header->range.end_ns || note->task < header->range.low ||
			note->task > header->range.high)
		return false;
	note->kind = schema->note_kind[number[NOTE_ROW_KIND]];
	return true;
}

enum lo_result note_rows_read(const struct note_header *header, const struct section_header *in,
		const struct trace_schema *schema, const uint8_t *bytes, size_t size,
		note_visit *visit, void *context, struct lo_error *err)
{
	struct row_reader reader = { .map = &schema->tables[SECTION_NOTES],
		.cursor = byte_cursor_over(bytes, size) };

	for (uint32_t i = 0; i < in->rows; i++) {
		struct row row;
		struct note note;

		if (!row_reader_next(&reader, &row) || !note_of_row(header, schema, &row, &note))
			return lo_fail(err, LO_CORRUPT, in->offset, "a note makes no sense");
		if (note.kind != SCHEMA_UNKNOWN && !visit(context, &note))
			return LO_OK;
	}
	if (byte_cursor_left(&reader.cursor) > 0)
		return lo_fail(err, LO_CORRUPT, in->offset,
				"a section of notes has more rows than announced");
	return LO_OK;
}
