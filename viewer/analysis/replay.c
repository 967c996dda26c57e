#include "viewer/analysis/replay.h"

#include "formats/native/trace_cursor.h"

static enum lo_result visit_run(const struct replay *replay, struct task_tracker *tracker,
		const struct event *events, uint32_t count, struct lo_error *err)
{
	struct task_step step;

	for (uint32_t i = 0; i < count; i++) {
		enum lo_result result = task_tracker_step(tracker, &events[i], &step, err);

		if (result == LO_OK)
			result = replay->visit(replay->context, &events[i], &step, err);
		if (result != LO_OK)
			return result;
	}
	return LO_OK;
}

enum lo_result replay_run(const struct replay *replay, struct trace_reader *reader,
		struct task_tracker *tracker, uint64_t end_ns, const struct progress *progress,
		struct lo_error *err)
{
	uint64_t total = trace_reader_info(reader)->events;
	uint64_t done = 0;
	struct trace_cursor *cursor = NULL;
	const struct event *events;
	uint32_t count;
	enum lo_result result;

	result = trace_cursor_open(&cursor, reader, (struct time_span){ 0, end_ns }, err);
	if (result == LO_OK)
		trace_cursor_read_ahead(cursor);
	while (result == LO_OK) {
		if (!progress_step(progress, done, total)) {
			result = lo_fail(err, LO_CANCELLED, LO_NO_OFFSET, "stopped on request");
			break;
		}
		result = trace_cursor_next_run(cursor, &events, &count, err);
		if (result != LO_OK)
			break;
		if (trace_reader_damage_count(reader) > 0)
			tracker->missing_events = true;
		result = visit_run(replay, tracker, events, count, err);
		done += count;
	}
	trace_cursor_close(cursor);
	return result == LO_END ? LO_OK : result;
}
