#include "recorder/drain/translate.h"

#include <string.h>

#include "formats/model/object.h"
#include "formats/model/reason.h"
#include "recorder/ring/segment.h"

/* The flags that may reach the file, by kind. */
static const uint8_t kept_flags[EVENT_KIND_COUNT] = {
	[EVENT_CREATE] = EVENT_FLAG_STACK_CUT,
	[EVENT_RUN] = EVENT_FLAG_EXISTING,
	[EVENT_BLOCK] = EVENT_FLAG_TIMED | EVENT_FLAG_SIGNALLED_BEFORE | EVENT_FLAG_STACK_CUT,
	[EVENT_UNBLOCK] = EVENT_FLAG_TIMED_OUT | EVENT_FLAG_INTERRUPTED,
	[EVENT_EXIT] = 0,
};

/* One record on its way, with everything it is about. */
struct passage {
	struct translator *translator;
	const struct run *run;
	const struct event *record;
	struct target *target;
	struct task_entry *owner;
	struct lo_error *err;
};

enum lo_result translator_init(struct translator *translator, struct tick_map *clock,
		struct target *targets, struct lo_error *err)
{
	*translator = (struct translator){ .clock = clock, .targets = targets };
	if (!task_table_init(&translator->tasks))
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the task table");
	return LO_OK;
}

void translator_release(struct translator *translator)
{
	task_table_release(&translator->tasks);
}

enum lo_result translator_flush_losses(struct translator *translator, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT && result == LO_OK; cause++) {
		if (translator->lost[cause] == 0)
			continue;
		result = trace_writer_lost(translator->writer, (enum loss_cause)cause,
				translator->lost[cause], err);
		translator->lost[cause] = 0;
	}
	return result;
}

/* ---- Tasks. ---- */

/* A number that the process has given out to a task, or at least says so. */
static bool number_is_given(const struct target *target, uint32_t number)
{
	return number > 0 &&
	       number < atomic_load_explicit(&target->slot->next_task, memory_order_relaxed);
}

static struct task_entry *task_of(struct passage *at, uint32_t number)
{
	if (!number_is_given(at->target, number))
		return NULL;
	return task_table_add(&at->translator->tasks, at->target->info.index, number);
}

static enum lo_result write_task_row(struct translator *translator, const struct target *target,
		uint32_t number, struct task_entry *task, struct lo_error *err)
{
	uint32_t main_task = atomic_load_explicit(&target->slot->main_task, memory_order_relaxed);
	struct task_info info = {
		.id = task->id,
		.process = target->info.index,
		.tid = task->tid,
		.name = task->name ? task->name : target->name,
		.kind = TASK_THREAD,
		.flags = number == main_task ? TASK_FLAG_MAIN : 0,
	};

	task->row = true;
	return unless_full(trace_writer_task(translator->writer, &info, err));
}

static uint32_t peer_of(struct passage *at)
{
	const struct event *record = at->record;
	struct task_entry *peer;

	if (record->peer == 0)
		return TASK_NONE;
	if (record->flags & EVENT_FLAG_PEER_IS_TID)
		return task_table_by_tid(&at->translator->tasks, record->peer);
	peer = task_of(at, record->peer);
	return peer ? peer->id : TASK_NONE;
}

/* ---- Events. ---- */

static uint64_t time_of(struct translator *translator, uint64_t ticks)
{
	translator->last_ns = tick_map_ns(translator->clock, ticks);
	if (!translator->any) {
		translator->any = true;
		translator->zero_ns = translator->last_ns;
	}
	return translator->last_ns - translator->zero_ns;
}

static enum lo_result put(struct passage *at, struct event *event)
{
	event->time_ns = time_of(at->translator, at->record->time_ns);
	return trace_writer_event(at->translator->writer, event, at->err);
}

static enum lo_result leave_out(struct passage *at)
{
	at->translator->lost[at->run->lossy ? LOSS_RING_FULL : LOSS_REFUSED]++;
	return LO_OK;
}

static enum lo_result put_run(struct passage *at, uint32_t tid, uint8_t flags)
{
	struct task_entry *task = at->owner;
	struct event event = { .kind = EVENT_RUN, .task = task->id, .flags = flags };
	enum lo_result result;

	task->tid = tid < TASK_TID_MAX ? tid : 0;
	task->state = TASK_STATE_ACTIVE;
	task_table_set_tid(&at->translator->tasks, tid, task->id);
	result = write_task_row(at->translator, at->target, at->run->owner.task, task, at->err);
	return result == LO_OK ? put(at, &event) : result;
}

/* Makes sure that the owner may do something: it has begun, and has not ended. */
static enum lo_result make_active(struct passage *at)
{
	struct task_entry *task = at->owner;
	struct event unblock = { .kind = EVENT_UNBLOCK, .task = task->id };

	if (task->state == TASK_STATE_NONE)
		return put_run(at, at->run->owner.tid, EVENT_FLAG_EXISTING);
	if (task->state == TASK_STATE_CREATED)
		return put_run(at, at->run->owner.tid, 0);
	if (task->state == TASK_STATE_BLOCKED) {
		task->state = TASK_STATE_ACTIVE;
		return put(at, &unblock);
	}
	return LO_OK;
}

static enum lo_result put_stack(struct passage *at, struct event *event)
{
	enum lo_result result = target_stack(at->target, at->record->stack, at->record->time_ns,
			at->translator->writer, &event->stack, at->err);

	if (event->stack & TARGET_STACK_CUT) {
		event->stack &= ~TARGET_STACK_CUT;
		event->flags |= EVENT_FLAG_STACK_CUT;
	}
	return result;
}

static enum lo_result on_create(struct passage *at)
{
	struct task_entry *task = task_of(at, at->record->task);
	struct event event = { .kind = EVENT_CREATE };
	enum lo_result result = make_active(at);

	if (result != LO_OK)
		return result;
	/* A task that already runs cannot be created any more: its maker was stopped for longer
	 * than the lateness bound between reading the clock and publishing. */
	if (!task || task->state != TASK_STATE_NONE)
		return leave_out(at);
	result = put_stack(at, &event);
	if (result != LO_OK)
		return result;
	event.task = task->id;
	event.peer = at->owner->id;
	event.flags |= at->record->flags & kept_flags[EVENT_CREATE];
	task->state = TASK_STATE_CREATED;
	if (task->name == 0)
		task->name = at->owner->name; /* as the kernel does it */
	return put(at, &event);
}

static enum lo_result on_run(struct passage *at)
{
	uint32_t tid = at->record->object <= UINT32_MAX ? (uint32_t)at->record->object : 0;

	if (at->owner->state >= TASK_STATE_ACTIVE)
		return leave_out(at);
	return put_run(at, tid ? tid : at->run->owner.tid,
			at->record->flags & kept_flags[EVENT_RUN]);
}

static void put_object(struct passage *at, struct event *event)
{
	const struct event *record = at->record;
	struct task_entry *task;

	if (record->object_kind >= OBJECT_KIND_COUNT || record->object_kind == OBJECT_NONE)
		return;
	event->object_kind = record->object_kind;
	event->object = record->object;
	if (record->object_kind != OBJECT_TASK)
		return;
	task = record->object <= UINT32_MAX ? task_of(at, (uint32_t)record->object) : NULL;
	event->object = task ? task->id : TASK_NONE;
}

static enum lo_result on_block(struct passage *at)
{
	const struct event *record = at->record;
	struct event event = { .kind = EVENT_BLOCK, .task = at->owner->id };
	enum lo_result result = make_active(at);

	if (result == LO_OK)
		result = put_stack(at, &event);
	if (result != LO_OK)
		return result;
	put_object(at, &event);
	event.peer = peer_of(at);
	event.reason = record->reason < REASON_COUNT ? record->reason : REASON_NONE;
	event.flags |= record->flags & kept_flags[EVENT_BLOCK];
	at->owner->state = TASK_STATE_BLOCKED;
	return put(at, &event);
}

static enum lo_result on_unblock(struct passage *at)
{
	struct event event = { .kind = EVENT_UNBLOCK, .task = at->owner->id };

	if (at->owner->state != TASK_STATE_BLOCKED)
		return leave_out(at);
	event.peer = peer_of(at);
	event.flags = at->record->flags & kept_flags[EVENT_UNBLOCK];
	at->owner->state = TASK_STATE_ACTIVE;
	return put(at, &event);
}

static enum lo_result on_exit(struct passage *at)
{
	struct event event = { .kind = EVENT_EXIT, .task = at->owner->id };
	enum lo_result result = make_active(at);

	if (result != LO_OK)
		return result;
	at->owner->state = TASK_STATE_EXITED;
	task_table_exited(&at->translator->tasks, at->target->info.index, at->run->owner.task);
	return put(at, &event);
}

static enum lo_result on_name(struct passage *at)
{
	const struct event *record = at->record;
	uint32_t number = record->stack ? record->stack : at->run->owner.task;
	struct task_entry *task = task_of(at, number);
	char text[RING_EVENT_NAME_BYTES];
	uint32_t length;
	uint32_t name = 0;
	enum lo_result result = LO_OK;

	memcpy(text, (const char *)record + offsetof(struct event, object), sizeof(text));
	length = (uint32_t)strnlen(text, sizeof(text));
	if (!task)
		return leave_out(at);
	if (length > 0)
		result = trace_writer_string(at->translator->writer, text, length, &name, at->err);
	if (result != LO_OK || name == task->name)
		return unless_full(result);
	task->name = name;
	if (!task->row)
		return LO_OK;
	return write_task_row(at->translator, at->target, number, task, at->err);
}

static enum lo_result (*const record_handlers[EVENT_KIND_COUNT])(struct passage *at) = {
	[EVENT_CREATE] = on_create,
	[EVENT_RUN] = on_run,
	[EVENT_BLOCK] = on_block,
	[EVENT_UNBLOCK] = on_unblock,
	[EVENT_EXIT] = on_exit,
};

enum lo_result translator_record(struct translator *translator, const struct run *run,
		const struct event *record, struct lo_error *err)
{
	struct passage at = { translator, run, record, &translator->targets[run->owner.process],
		NULL, err };

	if (!at.target->used || at.target->generation != run->owner.generation)
		return leave_out(&at);
	if (record->kind == RING_EVENT_NAME)
		return on_name(&at);
	at.owner = task_of(&at, run->owner.task);
	if (!at.owner || record->kind >= EVENT_KIND_COUNT || at.owner->state == TASK_STATE_EXITED)
		return leave_out(&at);
	return record_handlers[record->kind](&at);
}

/* ---- The end of a process. ---- */

struct last_events {
	struct translator *translator;
	struct target *target;
	struct event record; /* with the time of the end */
	struct lo_error *err;
};

static enum lo_result end_task(void *context, uint32_t number, struct task_entry *task)
{
	struct last_events *events = context;
	const struct run run = { .owner = { .process = events->target->process,
						 .generation = events->target->generation,
						 .task = number,
						 .tid = task->tid } };
	struct passage at = { events->translator, &run, &events->record, events->target, task,
		events->err };
	enum lo_result result = LO_OK;

	if (task->state == TASK_STATE_NONE || task->state == TASK_STATE_EXITED)
		return LO_OK;
	if (task->state == TASK_STATE_BLOCKED) {
		events->record.flags = EVENT_FLAG_INTERRUPTED;
		result = on_unblock(&at);
	}
	events->record.flags = 0;
	return result == LO_OK ? on_exit(&at) : result;
}

enum lo_result translator_end_tasks(struct translator *translator, struct target *target,
		uint64_t ticks, struct lo_error *err)
{
	struct last_events events = { translator, target, { .time_ns = ticks }, err };

	return task_table_visit(&translator->tasks, target->info.index, end_task, &events);
}

struct last_rows {
	struct translator *translator;
	const struct target *target;
	struct lo_error *err;
};

static enum lo_result write_missing_row(void *context, uint32_t number, struct task_entry *task)
{
	struct last_rows *rows = context;

	if (task->row)
		return LO_OK;
	return write_task_row(rows->translator, rows->target, number, task, rows->err);
}

enum lo_result translator_end_process(
		struct translator *translator, struct target *target, struct lo_error *err)
{
	struct last_rows rows = { translator, target, err };
	enum lo_result result = task_table_visit(
			&translator->tasks, target->info.index, write_missing_row, &rows);

	task_table_forget_process(&translator->tasks, target->info.index);
	return result;
}

uint64_t translator_time(const struct translator *translator, uint64_t clock_ns)
{
	return translator->any && clock_ns > translator->zero_ns ? clock_ns - translator->zero_ns
								 : 0;
}
