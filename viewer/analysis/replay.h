#ifndef LOITER_ANALYSIS_REPLAY_H
#define LOITER_ANALYSIS_REPLAY_H

#include "formats/base/error.h"
#include "formats/base/progress.h"
#include "formats/native/trace_reader.h"
#include "viewer/analysis/task_tracker.h"

/*
 * Steps a tracker over the events of a trace, from the first up to (not including) `end_ns`, and
 * hands each step on. The tracker must be fresh from task_tracker_init(). Stops at the first
 * failure of `visit`; LO_CANCELLED when the progress callback asks for it. Events of damaged blocks
 * are left out and the tracker is told.
 */
struct replay {
	enum lo_result (*visit)(void *context, const struct event *event,
			const struct task_step *step, struct lo_error *err);
	void *context;
};

enum lo_result replay_run(const struct replay *replay, struct trace_reader *reader,
		struct task_tracker *tracker, uint64_t end_ns, const struct progress *progress,
		struct lo_error *err);

#endif
