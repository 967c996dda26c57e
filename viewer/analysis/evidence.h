#ifndef LOITER_ANALYSIS_EVIDENCE_H
#define LOITER_ANALYSIS_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/native/trace_reader.h"
#include "viewer/analysis/analysis.h"
#include "viewer/analysis/creations.h"
#include "viewer/analysis/lineage.h"
#include "viewer/analysis/losses.h"
#include "viewer/analysis/wait_history.h"

/*
 * What one pass over a trace leaves behind for the verdicts: the tasks as they are at the end
 * (analysis->tasks), what went on before at the places where they wait, when tasks were made and
 * where events are missing. Verdicts read this and never the events again.
 */
struct evidence {
	struct analysis *analysis;
	struct trace_reader *reader;
	struct wait_history history;
	struct creations creations;
	struct losses losses;
	struct lineage lineage;
	struct outlook *outlooks; /* by task id, see outlook.h */
};

const struct task_summary *evidence_task(const struct evidence *evidence, uint32_t task);
bool evidence_is_blocked(const struct evidence *evidence, uint32_t task);
/* Of a language runtime or of the recorder: never a finding. */
bool evidence_is_runtime(const struct evidence *evidence, uint32_t task);
enum wait_class evidence_class(const struct evidence *evidence, const struct wait *wait);

/* The process of a task; NULL when the file does not know. */
const struct process_info *evidence_process(const struct evidence *evidence, uint32_t task);
/* Until when the task was watched: the end of its process or of the trace. */
uint64_t evidence_end_ns(const struct evidence *evidence, uint32_t task);

/* How long the open wait of a task has lasted. */
uint64_t evidence_age_ns(const struct evidence *evidence, uint32_t task);

/* The task has exited, long enough before the end of its process to be missed by others. */
bool evidence_is_gone(const struct evidence *evidence, uint32_t task);

/* What to compare the open wait of a task with: its object if waits ended there, else its place. */
const struct wait_record *evidence_record(const struct evidence *evidence, uint32_t task);

/*
 * Who holds the lock that a task waits for, as far as anybody saw: the waiter itself when it began
 * to wait, one that came later, or the one that got it last. `seen_ns` is when. TASK_NONE =
 * unknown.
 */
uint32_t evidence_holder(const struct evidence *evidence, uint32_t task, uint64_t *seen_ns);

/* From when on a wait is long where something is known to go on. */
uint64_t evidence_least_hard_ns(const struct evidence *evidence);
/* From when on a wait is long, by the waits that ended at a record before. */
uint64_t evidence_hard_ns(const struct evidence *evidence, const struct wait_record *record);

/* The wait has lasted longer than anything healthy would (rule "outlasts hard"). */
bool evidence_outlasts(const struct evidence *evidence, uint32_t task);

#endif
