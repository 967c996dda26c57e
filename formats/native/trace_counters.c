#include "formats/native/trace_counters.h"

#include <stdlib.h>
#include <string.h>

#include "formats/native/reader_state.h"
#include "formats/native/side_store.h"

/* Samples are looked for backwards in at most so many sections. */
#define SECTIONS_BACK 64u

/*
 * A walk over what the file knows of a stretch of time, coarse cells where there are some. A coarse
 * section says what all sections from `from` up to itself say; so before each, and behind the last,
 * those of the level below that it does not sum up are looked at too: at the end of the file, and
 * where a coarse one is damaged.
 */
struct counter_walk {
	struct trace_reader *reader;
	struct side_store *store;
	struct time_span span;
	void (*cell)(struct counter_walk *walk, const struct counter_key *key,
			const struct counter_cell *cell);
	struct counter_key key; /* columns: of the counter asked for */
	struct counter_cell *cells;
	uint32_t columns;
	struct lo_error *err;
	enum lo_result result; /* of `cell` */
};

static const struct section_entry *entry_of(
		const struct counter_walk *walk, const struct side_section *section)
{
	return &trace_reader_sections(walk->reader)->entries[section->entry];
}

/* The first section of a level that ends at `begin_ns` or later and is at `sequence` or later. */
static uint32_t first_section(const struct counter_walk *walk, const struct side_list *list,
		uint64_t begin_ns, uint32_t sequence)
{
	uint32_t low = 0;
	uint32_t high = list->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct section_entry *entry = entry_of(walk, &list->sections[middle]);

		if (entry->end_ns < begin_ns || entry->sequence < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint32_t count_sections(const struct counter_walk *walk, const struct side_list *list)
{
	return first_section(walk, list, walk->span.end_ns, 0) -
	       first_section(walk, list, walk->span.begin_ns, 0);
}

static void visit_row(void *context, unsigned counter, const struct counter_cell *cell)
{
	struct counter_walk *walk = context;

	walk->cell(walk, &walk->store->counter_header.cells[counter].key, cell);
}

/* The rows of a section, or only what its header says. LO_END: it cannot be used. */
static enum lo_result visit_section(
		struct counter_walk *walk, struct side_section *section, bool rows)
{
	struct side_store *store = walk->store;
	const struct counter_header *header = &store->counter_header;
	const struct row_map *map = &trace_reader_schema(walk->reader)->tables[SECTION_COUNTERS];
	struct lo_error why;
	enum lo_result result = side_store_read(walk->reader, store, section, rows, walk->err);

	if (result != LO_OK)
		return result;
	if (rows) {
		result = counter_rows_read(header, map, store->section.raw.bytes,
				store->section.raw.size, visit_row, walk, &why);
		return side_store_judge(walk->reader, section, result, &why, walk->err);
	}
	for (unsigned i = 0; i < header->count; i++)
		walk->cell(walk, &header->cells[i].key, &header->cells[i].sum);
	return LO_OK;
}

/* Everything of sections [low, high): the rows of `level`, or headers of what it leaves out. */
static enum lo_result walk_level(
		struct counter_walk *walk, unsigned level, uint32_t low, uint32_t high, bool rows)
{
	struct side_list *list = &walk->store->counters[level];
	enum lo_result result = LO_OK;

	for (uint32_t i = first_section(walk, list, walk->span.begin_ns, low);
			i < list->count && result == LO_OK; i++) {
		struct side_section *section = &list->sections[i];
		const struct section_entry *entry = entry_of(walk, section);
		uint32_t from = entry->sequence;

		if (entry->sequence >= high || entry->begin_ns >= walk->span.end_ns)
			break;
		result = visit_section(walk, section, rows);
		if (result == LO_END) {
			result = LO_OK;
			continue;
		}
		if (level > 0 && walk->store->counter_header.from < from)
			from = walk->store->counter_header.from;
		if (result == LO_OK && level > 0 && from > low)
			result = walk_level(walk, level - 1, low, from, false);
		low = entry->sequence + 1;
	}
	if (result == LO_OK && level > 0 && low < high)
		result = walk_level(walk, level - 1, low, high, false);
	return result;
}

/*
 * The level whose rows are just fine enough: those of level n are one for each section below it,
 * and there should be one for each column.
 */
static unsigned choose_level(const struct counter_walk *walk)
{
	unsigned level = 0;

	while (level + 1 < COUNTER_LEVELS && walk->store->counters[level + 1].count > 0 &&
			count_sections(walk, &walk->store->counters[level]) >= walk->columns)
		level++;
	return level;
}

/* ---- which counters there are ---- */

static bool equal_keys(const struct counter_key *a, const struct counter_key *b)
{
	return a->name == b->name && a->unit == b->unit && a->process == b->process;
}

static void add_info(struct counter_walk *walk, const struct counter_key *key,
		const struct counter_cell *cell)
{
	struct side_store *store = walk->store;
	uint32_t at = 0;

	while (at < store->info_count && !equal_keys(&store->keys[at], key))
		at++;
	if (at == LIMIT_COUNTERS)
		return;
	if (at == store->info_count) {
		store->keys[store->info_count] = *key;
		store->infos[store->info_count++] = (struct trace_counter){
			.name = trace_reader_string(walk->reader, key->name, NULL),
			.unit = trace_reader_string(walk->reader, key->unit, NULL),
			.process = key->process,
		};
	}
	counter_cell_add(&store->infos[at].total, cell);
}

static unsigned top_level(const struct side_store *store)
{
	unsigned level = COUNTER_LEVELS - 1;

	while (level > 0 && store->counters[level].count == 0)
		level--;
	return level;
}

static enum lo_result find_counters(
		struct trace_reader *reader, struct side_store *store, struct lo_error *err)
{
	struct counter_walk walk = { .reader = reader,
		.store = store,
		.span = TIME_SPAN_ALL,
		.cell = add_info,
		.err = err };
	enum lo_result result;

	if (store->counters_known)
		return LO_OK;
	if (!store->infos)
		store->infos = calloc(LIMIT_COUNTERS, sizeof(*store->infos));
	if (!store->keys)
		store->keys = calloc(LIMIT_COUNTERS, sizeof(*store->keys));
	if (!store->infos || !store->keys)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for counters");
	store->info_count = 0;
	result = walk_level(&walk, top_level(store), 0, UINT32_MAX, false);
	store->counters_known = result == LO_OK;
	return result;
}

static enum lo_result enter(
		struct trace_reader *reader, struct side_store **out, struct lo_error *err)
{
	enum lo_result result = side_store_enter(reader, out, err);

	if (result != LO_OK)
		return result;
	result = find_counters(reader, *out, err);
	if (result != LO_OK)
		side_store_leave(*out);
	return result;
}

uint32_t trace_counter_count(struct trace_reader *reader)
{
	struct side_store *store;
	uint32_t count;

	if (enter(reader, &store, NULL) != LO_OK)
		return 0;
	count = store->info_count;
	side_store_leave(store);
	return count;
}

const struct trace_counter *trace_counter_get(struct trace_reader *reader, uint32_t counter)
{
	return counter < trace_counter_count(reader) ? &reader->side.infos[counter] : NULL;
}

uint32_t trace_counter_find(struct trace_reader *reader, const char *name)
{
	uint32_t count = trace_counter_count(reader);
	uint32_t i = 0;

	while (i < count && strcmp(trace_counter_get(reader, i)->name, name) != 0)
		i++;
	return i;
}

/* ---- values ---- */

static uint32_t column_of(const struct counter_walk *walk, uint64_t time_ns)
{
	uint64_t length = time_span_length(walk->span);
	double at = (double)(time_ns - walk->span.begin_ns) * walk->columns / (double)length;

	return at < walk->columns - 1 ? (uint32_t)at : walk->columns - 1;
}

static void add_to_columns(struct counter_walk *walk, const struct counter_key *key,
		const struct counter_cell *cell)
{
	uint64_t first_ns = cell->first_ns;
	uint64_t last_ns = cell->last_ns;
	uint32_t last;

	if (!equal_keys(key, &walk->key) || last_ns < walk->span.begin_ns ||
			first_ns >= walk->span.end_ns)
		return;
	if (first_ns < walk->span.begin_ns)
		first_ns = walk->span.begin_ns;
	if (last_ns >= walk->span.end_ns)
		last_ns = walk->span.end_ns - 1;
	last = column_of(walk, last_ns);
	for (uint32_t i = column_of(walk, first_ns); i <= last; i++)
		counter_cell_add(&walk->cells[i], cell);
}

enum lo_result trace_counter_columns(struct trace_reader *reader, uint32_t counter,
		struct time_span span, struct counter_cell *cells, uint32_t columns,
		struct lo_error *err)
{
	struct counter_walk walk = { .reader = reader,
		.span = span,
		.cell = add_to_columns,
		.cells = cells,
		.columns = columns,
		.err = err };
	enum lo_result result;

	memset(cells, 0, columns * sizeof(*cells));
	if (columns == 0 || span.end_ns <= span.begin_ns)
		return LO_OK;
	result = enter(reader, &walk.store, err);
	if (result != LO_OK)
		return result;
	if (counter < walk.store->info_count) {
		walk.key = walk.store->keys[counter];
		result = walk_level(&walk, choose_level(&walk), 0, UINT32_MAX, true);
	}
	side_store_leave(walk.store);
	return result;
}

static void keep_latest(struct counter_walk *walk, const struct counter_key *key,
		const struct counter_cell *cell)
{
	if (equal_keys(key, &walk->key) && cell->last_ns < walk->span.end_ns)
		*walk->cells = *cell;
}

static enum lo_result find_latest(struct counter_walk *walk)
{
	struct side_list *list = &walk->store->counters[0];
	uint32_t at = first_section(walk, list, walk->span.end_ns, 0);
	enum lo_result result = LO_OK;

	at += at < list->count;
	for (unsigned steps = 0; at > 0 && steps < SECTIONS_BACK && result == LO_OK &&
				 walk->cells->samples == 0;
			steps++) {
		result = visit_section(walk, &list->sections[--at], true);
		if (result == LO_END)
			result = LO_OK;
	}
	return result;
}

enum lo_result trace_counter_at(struct trace_reader *reader, uint32_t counter, uint64_t time_ns,
		struct counter_cell *cell, struct lo_error *err)
{
	struct counter_walk walk = { .reader = reader,
		.span = { 0, time_ns < UINT64_MAX ? time_ns + 1 : time_ns },
		.cell = keep_latest,
		.cells = cell,
		.err = err };
	enum lo_result result = enter(reader, &walk.store, err);

	*cell = (struct counter_cell){ 0 };
	if (result != LO_OK)
		return result;
	if (counter < walk.store->info_count) {
		walk.key = walk.store->keys[counter];
		result = find_latest(&walk);
	}
	side_store_leave(walk.store);
	return result;
}
