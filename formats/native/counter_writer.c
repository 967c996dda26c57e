#include "formats/native/counter_writer.h"

#include <stdlib.h>
#include <string.h>

void counter_writer_release(struct counter_writer *writer)
{
	for (unsigned level = 0; level < COUNTER_LEVELS; level++)
		free(writer->levels[level].rows);
}

enum lo_result counter_writer_find(struct counter_writer *writer, struct counter_key key,
		uint32_t *counter, struct lo_error *err)
{
	for (*counter = 0; *counter < writer->key_count; ++*counter) {
		const struct counter_key *known = &writer->keys[*counter];

		if (known->name == key.name && known->unit == key.unit &&
				known->process == key.process)
			return LO_OK;
	}
	if (writer->key_count == LIMIT_COUNTERS)
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET, "more than %u counters",
				LIMIT_COUNTERS);
	writer->keys[writer->key_count++] = key;
	return LO_OK;
}

static enum lo_result add_row(struct counter_level *level, uint32_t counter,
		const struct counter_cell *cell, struct lo_error *err)
{
	if (level->count == level->capacity) {
		uint32_t capacity = level->capacity ? level->capacity * 2 : 64;
		struct counter_row *rows = realloc(level->rows, capacity * sizeof(*rows));

		if (!rows)
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET,
					"no memory for samples of counters");
		level->rows = rows;
		level->capacity = capacity;
	}
	level->rows[level->count++] = (struct counter_row){ counter, *cell };
	return LO_OK;
}

enum lo_result counter_writer_add(struct counter_writer *writer, uint32_t counter, uint64_t time_ns,
		uint64_t value, struct lo_error *err)
{
	struct counter_cell sample = { 1, time_ns, time_ns, value, value, value, value };

	if (counter >= writer->key_count)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "there is no counter %u", counter);
	if (time_ns < writer->last_ns)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET,
				"a sample at %llu ns comes after one at %llu ns",
				(unsigned long long)time_ns, (unsigned long long)writer->last_ns);
	writer->last_ns = time_ns;
	return add_row(&writer->levels[0], counter, &sample, err);
}

bool counter_writer_is_full(const struct counter_writer *writer)
{
	return writer->levels[0].count >= COUNTER_SECTION_ROWS;
}

bool counter_writer_is_due(const struct counter_writer *writer, unsigned level)
{
	if (level == 0)
		return writer->levels[0].count > 0;
	return level < COUNTER_LEVELS && writer->levels[level].sections == COUNTER_FAN;
}

/* The rows of one counter together, each in the order in which they came. */
static void put_rows(const struct counter_level *level, uint32_t counter,
		struct counter_header *header, struct row_writer *rows)
{
	struct counter_section_cell *cell = &header->cells[header->count];

	cell->rows = 0;
	cell->sum = (struct counter_cell){ 0 };
	for (uint32_t i = 0; i < level->count; i++) {
		const struct counter_row *row = &level->rows[i];

		if (row->counter != counter)
			continue;
		counter_row_put(rows, &row->cell);
		counter_cell_add(&cell->sum, &row->cell);
		cell->rows++;
	}
	if (cell->rows == 0)
		return;
	if (cell->sum.first_ns < header->range.begin_ns)
		header->range.begin_ns = cell->sum.first_ns;
	if (cell->sum.last_ns > header->range.end_ns)
		header->range.end_ns = cell->sum.last_ns;
	header->count++;
}

/* The cells of a section that was made are rows of the next level. */
static enum lo_result hand_up(struct counter_level *above, uint32_t sequence, uint32_t counter,
		const struct counter_cell *sum, struct lo_error *err)
{
	if (above->sections == 0 && above->count == 0)
		above->from = sequence;
	return add_row(above, counter, sum, err);
}

enum lo_result counter_writer_take(struct counter_writer *writer, unsigned level, uint32_t sequence,
		struct counter_header *header, struct row_writer *rows, struct lo_error *err)
{
	struct counter_level *present = &writer->levels[level];
	struct counter_level *above = level + 1 < COUNTER_LEVELS ? present + 1 : NULL;
	enum lo_result result = LO_OK;

	*header = (struct counter_header){ .range = { UINT64_MAX, 0, level, level },
		.from = present->from };
	for (uint32_t counter = 0; counter < writer->key_count && result == LO_OK; counter++) {
		unsigned before = header->count;

		header->cells[before].key = writer->keys[counter];
		put_rows(present, counter, header, rows);
		if (header->count > before && above)
			result = hand_up(above, level ? present->from : sequence, counter,
					&header->cells[before].sum, err);
	}
	if (above)
		above->sections++;
	present->count = 0;
	present->sections = 0;
	return result;
}
