#include "formats/import/go_notes.h"

#include <stdlib.h>
#include <string.h>

#include "formats/import/grow.h"
#include "formats/model/counter.h"

/* Ranges of one goroutine that are looked through for the one that ends; sane programs nest a few.
 */
#define NESTING_MAX 256u

void go_notes_init(struct go_notes *notes, struct import_sink *sink)
{
	*notes = (struct go_notes){ .sink = sink };
}

void go_notes_release(struct go_notes *notes)
{
	for (unsigned kind = 0; kind < NOTE_KIND_COUNT; kind++)
		number_map_release(&notes->innermost[kind]);
	free(notes->open);
}

static enum lo_result take_place(struct go_notes *notes, uint32_t *index, struct lo_error *err)
{
	struct go_open_note *open;

	if (notes->free) {
		*index = notes->free - 1;
		notes->free = notes->open[*index].below;
		return LO_OK;
	}
	open = grow_array(notes->open, notes->open_count, &notes->open_capacity, sizeof(*open),
			"open ranges", err);
	if (!open)
		return LO_NO_MEMORY;
	notes->open = open;
	*index = notes->open_count++;
	return LO_OK;
}

static void free_place(struct go_notes *notes, uint32_t index)
{
	notes->open[index] = (struct go_open_note){ .below = notes->free };
	notes->free = index + 1;
}

enum lo_result go_notes_begin(struct go_notes *notes, uint64_t owner, const struct note *note,
		struct lo_error *err)
{
	struct number_map *innermost = &notes->innermost[note->kind];
	uint32_t below = number_map_get(innermost, owner);
	uint32_t index = 0;
	enum lo_result result = take_place(notes, &index, err);

	if (result != LO_OK)
		return result;
	notes->open[index] = (struct go_open_note){ *note, below };
	return number_map_put(innermost, owner, index + 1, err);
}

enum lo_result go_notes_was_open(struct go_notes *notes, uint64_t owner, const struct note *note,
		struct lo_error *err)
{
	struct note older = *note;

	if (number_map_get(&notes->innermost[note->kind], owner) != 0)
		return LO_OK;
	older.begin_ns = 0;
	older.flags |= NOTE_FLAG_BEGAN_BEFORE;
	return go_notes_begin(notes, owner, &older, err);
}

/* Takes an open range out of its chain, in which `above` is the one opened after it. */
static enum lo_result take_out(struct go_notes *notes, struct number_map *innermost, uint64_t owner,
		uint32_t above, uint32_t index, struct lo_error *err)
{
	uint32_t below = notes->open[index].below;

	free_place(notes, index);
	if (above) {
		notes->open[above - 1].below = below;
		return LO_OK;
	}
	if (below)
		return number_map_put(innermost, owner, below, err);
	number_map_remove(innermost, owner);
	return LO_OK;
}

static enum lo_result end_unseen(
		struct go_notes *notes, const struct note *end, struct lo_error *err)
{
	struct note note = *end;

	note.begin_ns = 0;
	note.flags |= NOTE_FLAG_BEGAN_BEFORE;
	return import_sink_note(notes->sink, &note, err);
}

enum lo_result go_notes_end(struct go_notes *notes, uint64_t owner, const struct note *end,
		struct lo_error *err)
{
	struct number_map *innermost = &notes->innermost[end->kind];
	uint32_t above = 0;
	uint32_t at = number_map_get(innermost, owner);
	struct note note;
	enum lo_result result;

	for (unsigned depth = 0; at != 0 && end->name != 0 && depth < NESTING_MAX &&
				 notes->open[at - 1].note.name != end->name;
			depth++) {
		above = at;
		at = notes->open[at - 1].below;
	}
	if (at == 0 || (end->name != 0 && notes->open[at - 1].note.name != end->name))
		return end_unseen(notes, end, err);
	note = notes->open[at - 1].note;
	note.end_ns = end->end_ns;
	note.value = end->value;
	result = take_out(notes, innermost, owner, above, at - 1, err);
	return result == LO_OK ? import_sink_note(notes->sink, &note, err) : result;
}

enum lo_result go_notes_moment(
		struct go_notes *notes, const struct note *note, struct lo_error *err)
{
	struct note moment = *note;

	moment.end_ns = moment.begin_ns;
	return import_sink_note(notes->sink, &moment, err);
}

static enum lo_result close_open(
		struct go_notes *notes, struct note *note, uint64_t time_ns, struct lo_error *err)
{
	note->end_ns = time_ns;
	note->flags |= NOTE_FLAG_STILL_OPEN;
	return import_sink_note(notes->sink, note, err);
}

static enum lo_result close_all(struct go_notes *notes, unsigned kind, uint32_t task,
		uint64_t time_ns, struct lo_error *err)
{
	struct number_map *innermost = &notes->innermost[kind];
	uint32_t at = number_map_get(innermost, task);
	enum lo_result result = LO_OK;

	if (at == 0)
		return LO_OK;
	while (at != 0 && result == LO_OK) {
		uint32_t below = notes->open[at - 1].below;

		result = close_open(notes, &notes->open[at - 1].note, time_ns, err);
		free_place(notes, at - 1);
		at = below;
	}
	number_map_remove(innermost, task);
	return result;
}

enum lo_result go_notes_task_ended(
		struct go_notes *notes, uint32_t task, uint64_t time_ns, struct lo_error *err)
{
	static const uint8_t kinds[] = { NOTE_REGION, NOTE_MARK_ASSIST, NOTE_STOP_WORLD };
	enum lo_result result = LO_OK;

	for (unsigned i = 0; i < sizeof(kinds) && result == LO_OK; i++)
		result = close_all(notes, kinds[i], task, time_ns, err);
	return result;
}

enum lo_result go_notes_finish(struct go_notes *notes, uint64_t time_ns, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	for (uint32_t at = notes->free; at != 0; at = notes->open[at - 1].below)
		notes->open[at - 1].note.kind = NOTE_KIND_COUNT;
	for (uint32_t i = 0; i < notes->open_count && result == LO_OK; i++)
		if (notes->open[i].note.kind != NOTE_KIND_COUNT)
			result = close_open(notes, &notes->open[i].note, time_ns, err);
	notes->open_count = 0;
	notes->free = 0;
	return result;
}

/* ---- counters ---- */

static enum lo_result find_counter(
		struct go_notes *notes, enum go_counter counter, struct lo_error *err)
{
	static const struct {
		const char *name;
		const char *unit;
	} keys[GO_COUNTER_COUNT] = {
		[GO_COUNTER_HEAP] = { COUNTER_HEAP, COUNTER_BYTES },
		[GO_COUNTER_HEAP_GOAL] = { COUNTER_HEAP_GOAL, COUNTER_BYTES },
		[GO_COUNTER_GOMAXPROCS] = { COUNTER_GOMAXPROCS, "" },
	};
	struct trace_writer *writer = notes->sink->writer;
	struct counter_key key = { 0 };
	uint32_t number = 0;
	enum lo_result result = trace_writer_string(writer, keys[counter].name,
			(uint32_t)strlen(keys[counter].name), &key.name, err);

	if (result == LO_OK && keys[counter].unit[0])
		result = trace_writer_string(writer, keys[counter].unit,
				(uint32_t)strlen(keys[counter].unit), &key.unit, err);
	if (result == LO_OK)
		result = trace_writer_counter(writer, key, &number, err);
	notes->counters[counter] = number + 1;
	return result;
}

enum lo_result go_notes_count(struct go_notes *notes, enum go_counter counter, uint64_t time_ns,
		uint64_t value, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	if (notes->counters[counter] == 0)
		result = find_counter(notes, counter, err);
	if (result != LO_OK)
		return result;
	return import_sink_sample(notes->sink, notes->counters[counter] - 1, time_ns, value, err);
}
