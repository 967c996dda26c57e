#ifndef LOITER_NATIVE_TRACE_STATES_H
#define LOITER_NATIVE_TRACE_STATES_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/base/progress.h"
#include "formats/model/event.h"
#include "formats/model/time_span.h"
#include "formats/native/live_tasks.h"
#include "formats/native/trace_reader.h"

/*
 * What tasks were doing at any moment of a trace, without reading it from the start: the nearest
 * snapshot before, and the events from there on. A trace without snapshots, or one whose snapshots
 * are damaged, gives the same answers, only later; so `progress` may be told of every block, and
 * may stop the work.
 *
 * "At `time_ns`" is: after all events before it, and before those at that time itself. The rules
 * for what an event makes of a state are those of live_tasks.h. Safe from several threads.
 */
struct task_state_at {
	uint32_t task;
	uint32_t changed; /* for trace_state_began(); 0 when absent */
	uint8_t state;    /* enum live_state; LIVE_ABSENT: not yet, or not known */
	uint8_t reason;   /* of the wait, if blocked */
};

struct trace_states {
	struct task_state_at *tasks; /* active and blocked, ascending ids */
	uint32_t count;
	/* Between the snapshot and the time a block is lost: who had events there may be in another
	 * state. */
	bool uncertain;
};

/* Every task that is alive. Release with trace_states_release() when it succeeds. */
enum lo_result trace_states_at(struct trace_states *states, struct trace_reader *reader,
		uint64_t time_ns, const struct progress *progress, struct lo_error *err);
/* Accepts a zeroed one. */
void trace_states_release(struct trace_states *states);

/*
 * Some tasks only, which is quicker: `out` has an entry for each of `tasks`, which are ascending.
 * `uncertain` may be NULL.
 */
enum lo_result trace_states_of(struct trace_reader *reader, uint64_t time_ns, const uint32_t *tasks,
		uint32_t count, struct task_state_at *out, bool *uncertain,
		const struct progress *progress, struct lo_error *err);

/*
 * Tells every task that is alive at some time of a span, some of them more than once: those alive
 * at its begin, then those with events in it. Takes the time of decoding all of it. `uncertain`
 * is set when something is lost, otherwise left alone.
 */
enum lo_result trace_states_span(struct trace_reader *reader, struct time_span span,
		void (*alive)(void *context, uint32_t task), void *context, bool *uncertain,
		const struct progress *progress, struct lo_error *err);

/*
 * The event that began a state, and with it since when, where, for what and by whom. `time_ns` is
 * that for which `state` was asked. LO_END when there is none, when it is lost, and when lost
 * events before it leave open which one it is.
 */
enum lo_result trace_state_began(struct trace_reader *reader, const struct task_state_at *state,
		uint64_t time_ns, struct event *event, struct lo_error *err);

#endif
