#ifndef LOITER_IMPORT_IMPORT_SINK_H
#define LOITER_IMPORT_IMPORT_SINK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/model/event.h"
#include "formats/model/reason.h"
#include "formats/native/trace_writer.h"

/*
 * Between an importer and the writer: whatever a file claims, the native trace keeps its promises.
 *
 *   S1  Times do not decrease; an earlier one counts as the latest so far.
 *   S2  The first event of a task is CREATE or RUN with EVENT_FLAG_EXISTING.
 *   S3  BLOCK and UNBLOCK of a task alternate.
 *   S4  After EXIT a task has no event; a task that exits while blocked is unblocked before.
 *   S5  Creators and wakers have an id of this trace, and so have tasks of notes.
 *   S6  Samples of counters are in the order of time; a note does not end before it begins.
 *
 * Events that would break S2 to S4 are left out, and counted. Not thread safe.
 */
struct import_sink {
	struct trace_writer *writer; /* the caller's */
	uint8_t *tasks;              /* enum sink_task by task id */
	uint32_t task_count;         /* highest id given */
	uint32_t task_capacity;
	uint64_t now_ns;
	uint64_t sample_ns; /* of the latest sample of a counter */
	uint64_t left_out;  /* events that made no sense */
	uint64_t unnamed;   /* tasks beyond LIMIT_TASKS */
	bool cut;           /* set by the importer: the input ended early */

	void (*warn)(void *context, const char *sentence);
	void *warn_context;
};

void import_sink_init(struct import_sink *sink, struct trace_writer *writer);
void import_sink_release(struct import_sink *sink);

/* What is wrong with the input, for people: to the caller's callback and into the trace. */
enum lo_result import_sink_warn(struct import_sink *sink, struct lo_error *err, const char *format,
		...) LO_PRINTF(3, 4);

/* A new task id. TASK_NONE (and LO_OK) when there are too many: its events are then left out. */
enum lo_result import_sink_new_task(struct import_sink *sink, uint32_t *task, struct lo_error *err);

enum lo_result import_sink_create(struct import_sink *sink, uint64_t time_ns, uint32_t task,
		uint32_t creator, uint32_t stack, struct lo_error *err);
/* The same for a task that was there before it is known: when it was made is not. */
enum lo_result import_sink_found(struct import_sink *sink, uint64_t time_ns, uint32_t task,
		uint32_t creator, uint32_t stack, struct lo_error *err);
/* The task was there before the first event of the trace, or of what is left of it. */
enum lo_result import_sink_exists(
		struct import_sink *sink, uint64_t time_ns, uint32_t task, struct lo_error *err);
/* The first run of a created task; later calls for the same task do nothing. */
enum lo_result import_sink_run(
		struct import_sink *sink, uint64_t time_ns, uint32_t task, struct lo_error *err);
enum lo_result import_sink_block(struct import_sink *sink, uint64_t time_ns, uint32_t task,
		enum wait_reason reason, uint32_t stack, struct lo_error *err);
enum lo_result import_sink_unblock(struct import_sink *sink, uint64_t time_ns, uint32_t task,
		uint32_t waker, struct lo_error *err);
enum lo_result import_sink_exit(
		struct import_sink *sink, uint64_t time_ns, uint32_t task, struct lo_error *err);

/* Beside what tasks do: a sample of a counter of the writer, and a note. */
enum lo_result import_sink_sample(struct import_sink *sink, uint32_t counter, uint64_t time_ns,
		uint64_t value, struct lo_error *err);
enum lo_result import_sink_note(
		struct import_sink *sink, const struct note *note, struct lo_error *err);

/* The input was watched at least until then. */
void import_sink_advance(struct import_sink *sink, uint64_t time_ns);

bool import_sink_is_blocked(const struct import_sink *sink, uint32_t task);

#endif
