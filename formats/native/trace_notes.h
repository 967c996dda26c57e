#ifndef LOITER_NATIVE_TRACE_NOTES_H
#define LOITER_NATIVE_TRACE_NOTES_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/model/note.h"
#include "formats/native/trace_reader.h"

/*
 * The notes of an open trace. Opening reads nothing of them. The first question reads the headers
 * of their sections (a few dozen bytes for each second of trace); then each reads the sections that
 * can have what is asked for. Damage is left out and listed (trace_reader_damage). Safe to use from
 * several threads.
 */
struct note_query {
	struct time_span span; /* notes that touch it */
	uint32_t task;         /* TASK_NONE: of all tasks, and of none */
	uint64_t kinds;        /* set: bit n for kind n */
	uint32_t sections_max; /* read at most so many; 0 = all */
};

#define NOTE_KINDS_ALL UINT64_MAX

/*
 * Calls `visit` with each note, section by section, which is about the order of their ends; false
 * from `visit` ends the walk. `*complete` tells whether everything was seen; may be NULL. `visit`
 * must not ask about notes or counters.
 */
typedef bool trace_note_visit(void *context, const struct note *note);
enum lo_result trace_notes_visit(struct trace_reader *reader, const struct note_query *query,
		trace_note_visit *visit, void *context, bool *complete, struct lo_error *err);

/* All notes of one kind: `count` of them, from `begin_ns` to `end_ns`, `total_ns` long together. */
struct note_total {
	uint64_t count;
	uint64_t begin_ns;
	uint64_t end_ns; /* inclusive */
	uint64_t total_ns;
};
enum lo_result trace_notes_total(struct trace_reader *reader, unsigned kind,
		struct note_total *total, struct lo_error *err);

/*
 * Notes of one kind over `span`, which is cut into `columns` stretches. Where there are more
 * sections than columns, all notes of a section count for its whole stretch of time.
 */
struct note_column {
	uint64_t count;      /* notes that touch the stretch, about */
	uint64_t covered_ns; /* of the stretch, by ranges that may overlap */
};
enum lo_result trace_notes_columns(struct trace_reader *reader, unsigned kind,
		struct time_span span, struct note_column *cells, uint32_t columns,
		struct lo_error *err);

/* Name of a kind in this trace, NULL when there is none; and what such notes have. */
const char *trace_note_kind_name(const struct trace_reader *reader, unsigned kind);
unsigned trace_note_kind_fields(const struct trace_reader *reader, unsigned kind);

#endif
