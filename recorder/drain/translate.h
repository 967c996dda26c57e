#ifndef LOITER_DRAIN_TRANSLATE_H
#define LOITER_DRAIN_TRANSLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/model/event.h"
#include "formats/model/loss.h"
#include "formats/native/trace_writer.h"
#include "recorder/drain/harvest.h"
#include "recorder/drain/target.h"
#include "recorder/drain/task_table.h"
#include "recorder/drain/tick_map.h"

/*
 * From records in the order of time to events of the file: task numbers become task ids, arena
 * stacks become stacks, ticks become nanoseconds from the first event.
 *
 * What the file promises about each task is made true here, whatever was lost on the way:
 *   - its first event is CREATE or RUN, and RUN comes at most once;
 *   - BLOCK and UNBLOCK take turns;
 *   - nothing follows EXIT.
 * Where a record is missing, the smallest event that explains the next one is put in (RUN, marked
 * EXISTING if the task was never seen before; UNBLOCK). It is not counted: what was lost has been
 * counted by whoever lost it. A record that cannot be made to fit is left out and counted: as "ring
 * full" when its owner has lost records, as "record refused" otherwise.
 *
 * A record with a kind, an owner or a task number that cannot be, is refused. Any other member that
 * makes no sense is taken out of the event, which stays: reason unknown, no object, no stack, no
 * peer.
 */
struct translator {
	struct trace_writer *writer;
	struct tick_map *clock;
	struct target *targets; /* SEGMENT_PROCESSES, by slot */
	struct task_table tasks;
	uint64_t lost[LOSS_CAUSE_COUNT]; /* not yet told to the writer */
	uint64_t last_ns;                /* of the clock, for the event written last */
	uint64_t zero_ns;                /* of the clock, at the first event */
	bool any;                        /* is `zero_ns` set */
};

/* `writer` must be set before the first record. */
enum lo_result translator_init(struct translator *translator, struct tick_map *clock,
		struct target *targets, struct lo_error *err);
void translator_release(struct translator *translator);

/*
 * Writes what `record` of `run` says, at the time `record->time_ns` in ticks. The target of the run
 * must have been taken up; if it was not (`used` is false, or another generation), the record is
 * refused.
 */
enum lo_result translator_record(struct translator *translator, const struct run *run,
		const struct event *record, struct lo_error *err);

/*
 * The process ended at `ticks`, which are not before those of any record so far, and left its tasks
 * no time to say so: what they waited for ends, interrupted, and they exit.
 */
enum lo_result translator_end_tasks(struct translator *translator, struct target *target,
		uint64_t ticks, struct lo_error *err);

/*
 * Nothing more will come from this process: writes rows about tasks that were never seen to run,
 * and forgets the process's tasks.
 */
enum lo_result translator_end_process(
		struct translator *translator, struct target *target, struct lo_error *err);

/* Time of the file for a clock time in ns; 0 before the first event. */
uint64_t translator_time(const struct translator *translator, uint64_t clock_ns);

/* Tells the writer of the losses counted since. */
enum lo_result translator_flush_losses(struct translator *translator, struct lo_error *err);

#endif
