#ifndef LOITER_IMPORT_GO_NOTES_H
#define LOITER_IMPORT_GO_NOTES_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/import/import_sink.h"
#include "formats/import/number_map.h"
#include "formats/model/note.h"

/*
 * What Go traces of both formats tell beside goroutines: ranges that begin in one event and end in
 * another, moments, and the numbers of the memory allocator. A note goes to the sink when its end
 * is seen. An end without begin is older than the trace; a begin without end lasts to the end of
 * its goroutine or of the trace.
 */
enum go_counter {
	GO_COUNTER_HEAP,
	GO_COUNTER_HEAP_GOAL,
	GO_COUNTER_GOMAXPROCS,
	GO_COUNTER_COUNT,
};

struct go_open_note {
	struct note note;
	uint32_t below; /* index + 1 of the one that was opened before, of the same owner; 0 = none
			 */
};

struct go_notes {
	struct import_sink *sink;
	struct go_open_note *open;
	uint32_t open_count; /* places in use or free */
	uint32_t open_capacity;
	uint32_t free; /* index + 1 of a free place, 0 = none; `below` leads to the next */
	/* By kind: an owner (goroutine, P, user task; 0 = all) to the index + 1 of the innermost.
	 */
	struct number_map innermost[NOTE_KIND_COUNT];
	uint32_t counters[GO_COUNTER_COUNT]; /* number in the native trace + 1, 0 = not yet used */
};

void go_notes_init(struct go_notes *notes, struct import_sink *sink);
void go_notes_release(struct go_notes *notes);

/* `note->end_ns` does not matter. */
enum lo_result go_notes_begin(struct go_notes *notes, uint64_t owner, const struct note *note,
		struct lo_error *err);

/* The range was there when the trace began. Does nothing when it is known already. */
enum lo_result go_notes_was_open(struct go_notes *notes, uint64_t owner, const struct note *note,
		struct lo_error *err);

/*
 * The innermost range of this kind and owner ends at `end->end_ns`; if `end` has a name, the
 * innermost that is called so. Its value and, where there was no begin, the rest come from `end`.
 */
enum lo_result go_notes_end(struct go_notes *notes, uint64_t owner, const struct note *end,
		struct lo_error *err);

/* A moment: `note->begin_ns` is when. */
enum lo_result go_notes_moment(
		struct go_notes *notes, const struct note *note, struct lo_error *err);

/* A task is gone: so are its ranges. */
enum lo_result go_notes_task_ended(
		struct go_notes *notes, uint32_t task, uint64_t time_ns, struct lo_error *err);

/* The trace is over. */
enum lo_result go_notes_finish(struct go_notes *notes, uint64_t time_ns, struct lo_error *err);

enum lo_result go_notes_count(struct go_notes *notes, enum go_counter counter, uint64_t time_ns,
		uint64_t value, struct lo_error *err);

#endif
