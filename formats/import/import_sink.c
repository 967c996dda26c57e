#include "formats/import/import_sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/limits.h"
#include "formats/import/grow.h"
#include "formats/model/meta.h"

enum sink_task {
	SINK_TASK_NEW, /* has an id, no event yet */
	SINK_TASK_CREATED,
	SINK_TASK_ACTIVE,
	SINK_TASK_BLOCKED_CREATED, /* blocked before its first run */
	SINK_TASK_BLOCKED,
	SINK_TASK_EXITED,
};

void import_sink_init(struct import_sink *sink, struct trace_writer *writer)
{
	*sink = (struct import_sink){ .writer = writer };
}

void import_sink_release(struct import_sink *sink)
{
	free(sink->tasks);
	sink->tasks = NULL;
}

enum lo_result import_sink_warn(
		struct import_sink *sink, struct lo_error *err, const char *format, ...)
{
	char sentence[400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	if (sink->warn)
		sink->warn(sink->warn_context, sentence);
	return trace_writer_meta(sink->writer, META_WARNING, sentence, err);
}

enum lo_result import_sink_new_task(struct import_sink *sink, uint32_t *task, struct lo_error *err)
{
	uint8_t *tasks;

	*task = TASK_NONE;
	if (sink->task_count >= LIMIT_TASKS) {
		sink->unnamed++;
		return LO_OK;
	}
	tasks = grow_array(sink->tasks, sink->task_count + 1, &sink->task_capacity, sizeof(*tasks),
			"tasks", err);
	if (!tasks)
		return LO_NO_MEMORY;
	sink->tasks = tasks;
	*task = ++sink->task_count;
	sink->tasks[*task] = SINK_TASK_NEW;
	return LO_OK;
}

static enum sink_task state_of(const struct import_sink *sink, uint32_t task)
{
	return task != TASK_NONE && task <= sink->task_count ? sink->tasks[task] : SINK_TASK_EXITED;
}

/* S5 */
static uint32_t known(const struct import_sink *sink, uint32_t task)
{
	return task <= sink->task_count ? task : TASK_NONE;
}

static enum lo_result leave_out(struct import_sink *sink)
{
	sink->left_out++;
	return LO_OK;
}

static enum lo_result put(struct import_sink *sink, uint64_t time_ns, struct event *event,
		enum sink_task after, struct lo_error *err)
{
	if (time_ns > sink->now_ns)
		sink->now_ns = time_ns;
	event->time_ns = sink->now_ns; /* S1 */
	sink->tasks[event->task] = (uint8_t)after;
	return trace_writer_event(sink->writer, event, err);
}

enum lo_result import_sink_create(struct import_sink *sink, uint64_t time_ns, uint32_t task,
		uint32_t creator, uint32_t stack, struct lo_error *err)
{
	struct event event = {
		.kind = EVENT_CREATE, .task = task, .peer = known(sink, creator), .stack = stack
	};

	if (state_of(sink, task) != SINK_TASK_NEW)
		return leave_out(sink);
	return put(sink, time_ns, &event, SINK_TASK_CREATED, err);
}

enum lo_result import_sink_found(struct import_sink *sink, uint64_t time_ns, uint32_t task,
		uint32_t creator, uint32_t stack, struct lo_error *err)
{
	struct event event = { .kind = EVENT_CREATE,
		.task = task,
		.peer = known(sink, creator),
		.stack = stack,
		.flags = EVENT_FLAG_EXISTING };

	if (state_of(sink, task) != SINK_TASK_NEW)
		return leave_out(sink);
	return put(sink, time_ns, &event, SINK_TASK_ACTIVE, err);
}

enum lo_result import_sink_exists(
		struct import_sink *sink, uint64_t time_ns, uint32_t task, struct lo_error *err)
{
	struct event event = { .kind = EVENT_RUN, .task = task, .flags = EVENT_FLAG_EXISTING };

	if (state_of(sink, task) != SINK_TASK_NEW)
		return leave_out(sink);
	return put(sink, time_ns, &event, SINK_TASK_ACTIVE, err);
}

enum lo_result import_sink_run(
		struct import_sink *sink, uint64_t time_ns, uint32_t task, struct lo_error *err)
{
	struct event event = { .kind = EVENT_RUN, .task = task };

	if (state_of(sink, task) != SINK_TASK_CREATED)
		return LO_OK;
	return put(sink, time_ns, &event, SINK_TASK_ACTIVE, err);
}

enum lo_result import_sink_block(struct import_sink *sink, uint64_t time_ns, uint32_t task,
		enum wait_reason reason, uint32_t stack, struct lo_error *err)
{
	struct event event = {
		.kind = EVENT_BLOCK, .task = task, .stack = stack, .reason = (uint8_t)reason
	};

	switch (state_of(sink, task)) {
	case SINK_TASK_CREATED:
		return put(sink, time_ns, &event, SINK_TASK_BLOCKED_CREATED, err);
	case SINK_TASK_ACTIVE:
		return put(sink, time_ns, &event, SINK_TASK_BLOCKED, err);
	default:
		return leave_out(sink);
	}
}

enum lo_result import_sink_unblock(struct import_sink *sink, uint64_t time_ns, uint32_t task,
		uint32_t waker, struct lo_error *err)
{
	struct event event = { .kind = EVENT_UNBLOCK, .task = task, .peer = known(sink, waker) };

	switch (state_of(sink, task)) {
	case SINK_TASK_BLOCKED_CREATED:
		return put(sink, time_ns, &event, SINK_TASK_CREATED, err);
	case SINK_TASK_BLOCKED:
		return put(sink, time_ns, &event, SINK_TASK_ACTIVE, err);
	default:
		return leave_out(sink);
	}
}

enum lo_result import_sink_exit(
		struct import_sink *sink, uint64_t time_ns, uint32_t task, struct lo_error *err)
{
	struct event event = { .kind = EVENT_EXIT, .task = task };
	enum sink_task state = state_of(sink, task);
	enum lo_result result = LO_OK;

	if (state == SINK_TASK_NEW || state == SINK_TASK_EXITED)
		return leave_out(sink);
	if (state == SINK_TASK_BLOCKED || state == SINK_TASK_BLOCKED_CREATED) /* S4 */
		result = import_sink_unblock(sink, time_ns, task, TASK_NONE, err);
	if (result != LO_OK)
		return result;
	return put(sink, time_ns, &event, SINK_TASK_EXITED, err);
}

/* S6 */
enum lo_result import_sink_sample(struct import_sink *sink, uint32_t counter, uint64_t time_ns,
		uint64_t value, struct lo_error *err)
{
	if (time_ns > sink->sample_ns)
		sink->sample_ns = time_ns;
	import_sink_advance(sink, time_ns);
	return trace_writer_sample(sink->writer, counter, sink->sample_ns, value, err);
}

enum lo_result import_sink_note(
		struct import_sink *sink, const struct note *note, struct lo_error *err)
{
	struct note sane = *note;

	if (sane.end_ns < sane.begin_ns)
		sane.end_ns = sane.begin_ns;
	sane.task = known(sink, sane.task);
	import_sink_advance(sink, sane.end_ns);
	return trace_writer_note(sink->writer, &sane, err);
}

void import_sink_advance(struct import_sink *sink, uint64_t time_ns)
{
	if (time_ns > sink->now_ns)
		sink->now_ns = time_ns;
}

bool import_sink_is_blocked(const struct import_sink *sink, uint32_t task)
{
	enum sink_task state = state_of(sink, task);

	return state == SINK_TASK_BLOCKED || state == SINK_TASK_BLOCKED_CREATED;
}
