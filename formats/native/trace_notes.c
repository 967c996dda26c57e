#include "formats/native/trace_notes.h"

#include <stdlib.h>
#include <string.h>

#include "formats/native/reader_state.h"
#include "formats/native/side_store.h"

/* ---- what the headers say ---- */

static enum lo_result keep_cell(
		struct side_store *store, const struct note_cell *cell, struct lo_error *err)
{
	if (store->note_cell_count == store->note_cell_capacity) {
		uint32_t capacity = store->note_cell_capacity ? store->note_cell_capacity * 2 : 64;
		struct note_cell *cells = realloc(store->note_cells, capacity * sizeof(*cells));

		if (!cells)
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for notes");
		store->note_cells = cells;
		store->note_cell_capacity = capacity;
	}
	store->note_cells[store->note_cell_count++] = *cell;
	return LO_OK;
}

static enum lo_result keep_header(struct trace_reader *reader, struct side_store *store,
		struct side_section *section, struct lo_error *err)
{
	const struct note_header *header = &store->note_header;
	enum lo_result result = LO_OK;

	section->first_cell = store->note_cell_count;
	section->cell_count = 0;
	section->task_min = header->range.low;
	section->task_max = header->range.high;
	for (unsigned i = 0; i < header->count && result == LO_OK; i++) {
		struct note_cell cell = header->cells[i];

		cell.kind = trace_reader_schema(reader)->note_kind[cell.kind];
		if (cell.kind == SCHEMA_UNKNOWN)
			continue;
		result = keep_cell(store, &cell, err);
		section->cell_count++;
	}
	return result;
}

static enum lo_result find_notes(
		struct trace_reader *reader, struct side_store *store, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	if (store->notes_known)
		return LO_OK;
	store->note_cell_count = 0;
	for (uint32_t i = 0; i < store->notes.count && result == LO_OK; i++) {
		struct side_section *section = &store->notes.sections[i];

		result = side_store_read(reader, store, section, false, err);
		if (result == LO_OK)
			result = keep_header(reader, store, section, err);
		else if (result == LO_END)
			result = LO_OK;
	}
	store->notes_known = result == LO_OK;
	return result;
}

static enum lo_result enter(
		struct trace_reader *reader, struct side_store **out, struct lo_error *err)
{
	enum lo_result result = side_store_enter(reader, out, err);

	if (result != LO_OK)
		return result;
	result = find_notes(reader, *out, err);
	if (result != LO_OK)
		side_store_leave(*out);
	return result;
}

static bool has_kind(
		const struct side_store *store, const struct side_section *section, uint64_t kinds)
{
	for (unsigned i = 0; i < section->cell_count; i++)
		if (kinds >> store->note_cells[section->first_cell + i].kind & 1)
			return true;
	return false;
}

static bool touches(struct time_span span, uint64_t begin_ns, uint64_t end_ns)
{
	return begin_ns < span.end_ns && end_ns >= span.begin_ns;
}

/* ---- notes ---- */

struct note_walk {
	struct trace_reader *reader;
	const struct note_query *query;
	trace_note_visit *visit;
	void *context;
	bool stopped;
};

/* What a damaged file names and does not have is nothing. */
static void drop_unknown_ids(const struct trace_reader *reader, struct note *note)
{
	if (note->stack > stack_table_stack_count(trace_reader_stacks(reader)))
		note->stack = STACK_NONE;
}

static bool pass_on(void *context, const struct note *note)
{
	struct note_walk *walk = context;
	const struct note_query *query = walk->query;
	struct note copy = *note;

	if (!(query->kinds >> note->kind & 1) ||
			(query->task != TASK_NONE && note->task != query->task) ||
			!touches(query->span, note->begin_ns, note->end_ns))
		return true;
	drop_unknown_ids(walk->reader, &copy);
	walk->stopped = !walk->visit(walk->context, &copy);
	return !walk->stopped;
}

static enum lo_result visit_section(struct note_walk *walk, struct side_store *store,
		struct side_section *section, struct lo_error *err)
{
	struct lo_error why;
	enum lo_result result = side_store_read(walk->reader, store, section, true, err);

	if (result != LO_OK)
		return result;
	result = note_rows_read(&store->note_header, &store->section.header,
			trace_reader_schema(walk->reader), store->section.raw.bytes,
			store->section.raw.size, pass_on, walk, &why);
	return side_store_judge(walk->reader, section, result, &why, err);
}

static bool may_have(const struct trace_reader *reader, const struct side_store *store,
		const struct side_section *section, const struct note_query *query)
{
	const struct section_entry *entry = &trace_reader_sections(reader)->entries[section->entry];

	return touches(query->span, entry->begin_ns, entry->end_ns) &&
	       (query->task == TASK_NONE || (query->task >= section->task_min &&
							    query->task <= section->task_max)) &&
	       has_kind(store, section, query->kinds);
}

enum lo_result trace_notes_visit(struct trace_reader *reader, const struct note_query *query,
		trace_note_visit *visit, void *context, bool *complete, struct lo_error *err)
{
	struct note_walk walk = {
		.reader = reader, .query = query, .visit = visit, .context = context
	};
	struct side_store *store;
	uint32_t read = 0;
	bool all = true;
	enum lo_result result = enter(reader, &store, err);

	if (result != LO_OK)
		return result;
	for (uint32_t i = 0; i < store->notes.count && result == LO_OK && !walk.stopped; i++) {
		struct side_section *section = &store->notes.sections[i];

		if (!may_have(reader, store, section, query))
			continue;
		all = query->sections_max == 0 || read++ < query->sections_max;
		if (!all)
			break;
		result = visit_section(&walk, store, section, err);
		if (result == LO_END)
			result = LO_OK;
	}
	side_store_leave(store);
	if (complete)
		*complete = all && !walk.stopped;
	return result;
}

/* ---- sums ---- */

static void add_total(struct note_total *total, const struct note_cell *cell)
{
	if (total->count == 0 || cell->begin_ns < total->begin_ns)
		total->begin_ns = cell->begin_ns;
	if (cell->end_ns > total->end_ns)
		total->end_ns = cell->end_ns;
	total->count += cell->count;
	if (__builtin_add_overflow(total->total_ns, cell->total_ns, &total->total_ns))
		total->total_ns = UINT64_MAX;
}

enum lo_result trace_notes_total(struct trace_reader *reader, unsigned kind,
		struct note_total *total, struct lo_error *err)
{
	struct side_store *store;
	enum lo_result result = enter(reader, &store, err);

	*total = (struct note_total){ 0 };
	if (result != LO_OK)
		return result;
	for (uint32_t i = 0; i < store->note_cell_count; i++)
		if (store->note_cells[i].kind == kind)
			add_total(total, &store->note_cells[i]);
	side_store_leave(store);
	return LO_OK;
}

struct note_columns {
	struct time_span span;
	struct note_column *cells;
	uint32_t columns;
};

static uint64_t column_begin(const struct note_columns *out, uint32_t column)
{
	return out->span.begin_ns +
	       (uint64_t)((double)time_span_length(out->span) * column / out->columns);
}

static uint32_t column_of(const struct note_columns *out, uint64_t time_ns)
{
	double length = (double)time_span_length(out->span);
	double at = (double)(time_ns - out->span.begin_ns) * out->columns / length;

	return at < out->columns - 1 ? (uint32_t)at : out->columns - 1;
}

/* `count` notes that are `part` of the time there. */
static void add_stretch(struct note_columns *out, uint64_t begin_ns, uint64_t end_ns,
		uint64_t count, double part)
{
	uint32_t last;

	if (!touches(out->span, begin_ns, end_ns))
		return;
	if (begin_ns < out->span.begin_ns)
		begin_ns = out->span.begin_ns;
	if (end_ns >= out->span.end_ns)
		end_ns = out->span.end_ns - 1;
	last = column_of(out, end_ns);
	for (uint32_t i = column_of(out, begin_ns); i <= last; i++) {
		uint64_t from = column_begin(out, i);
		uint64_t to = column_begin(out, i + 1);

		from = from > begin_ns ? from : begin_ns;
		to = to < end_ns ? to : end_ns;
		out->cells[i].count += count;
		if (to > from)
			out->cells[i].covered_ns += (uint64_t)((double)(to - from) * part);
	}
}

static bool add_note(void *context, const struct note *note)
{
	add_stretch(context, note->begin_ns, note->end_ns, 1, 1.0);
	return true;
}

static void add_cell(struct note_columns *out, const struct note_cell *cell)
{
	uint64_t length = cell->end_ns - cell->begin_ns;

	add_stretch(out, cell->begin_ns, cell->end_ns, cell->count,
			length ? (double)cell->total_ns / (double)length : 1.0);
}

static enum lo_result add_section(struct note_walk *walk, struct side_store *store,
		struct side_section *section, struct note_columns *out, struct lo_error *err)
{
	const struct section_entry *entry = &trace_reader_sections(walk->reader)
							     ->entries[section->entry];

	if ((entry->end_ns - entry->begin_ns) / 2 >= time_span_length(out->span) / out->columns)
		return visit_section(walk, store, section, err);
	for (unsigned i = 0; i < section->cell_count; i++) {
		const struct note_cell *cell = &store->note_cells[section->first_cell + i];

		if (walk->query->kinds >> cell->kind & 1)
			add_cell(out, cell);
	}
	return LO_OK;
}

enum lo_result trace_notes_columns(struct trace_reader *reader, unsigned kind,
		struct time_span span, struct note_column *cells, uint32_t columns,
		struct lo_error *err)
{
	struct note_columns out = { span, cells, columns };
	struct note_query query = { .span = span, .kinds = kind < 64 ? 1ull << kind : 0 };
	struct note_walk walk = {
		.reader = reader, .query = &query, .visit = add_note, .context = &out
	};
	struct side_store *store;
	enum lo_result result;

	memset(cells, 0, columns * sizeof(*cells));
	if (columns == 0 || span.end_ns <= span.begin_ns)
		return LO_OK;
	result = enter(reader, &store, err);
	if (result != LO_OK)
		return result;
	for (uint32_t i = 0; i < store->notes.count && result == LO_OK; i++) {
		struct side_section *section = &store->notes.sections[i];

		if (!may_have(reader, store, section, &query))
			continue;
		result = add_section(&walk, store, section, &out, err);
		if (result == LO_END)
			result = LO_OK;
	}
	side_store_leave(store);
	return result;
}

/* ---- kinds ---- */

const char *trace_note_kind_name(const struct trace_reader *reader, unsigned kind)
{
	const struct trace_schema *schema = trace_reader_schema(reader);

	if (kind < NOTE_KIND_COUNT)
		return note_schemas[kind].name;
	return kind - NOTE_KIND_COUNT < schema->foreign_notes
			       ? schema->notes[kind - NOTE_KIND_COUNT].name
			       : NULL;
}

unsigned trace_note_kind_fields(const struct trace_reader *reader, unsigned kind)
{
	const struct trace_schema *schema = trace_reader_schema(reader);

	if (kind < NOTE_KIND_COUNT)
		return note_schemas[kind].fields;
	return kind - NOTE_KIND_COUNT < schema->foreign_notes
			       ? schema->notes[kind - NOTE_KIND_COUNT].fields
			       : 0;
}
