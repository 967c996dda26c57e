#include "formats/import/go_machine.h"
#include "formats/import/go_machine_parts.h"

/*
 * Events that change no state: what the program and its runtime tell about themselves. Numbers of
 * arguments are those of go_wire.c.
 */
static uint32_t current_task(const struct go_machine *machine, uint32_t thread)
{
	const struct goroutine *goroutine = machine_current(machine, thread);

	return goroutine ? goroutine->task : TASK_NONE;
}

/* What a note of `thread` at this moment has; the stack and the name are ids of the generation. */
static enum lo_result start_note(struct go_machine *machine, uint32_t thread, enum note_kind kind,
		uint64_t name, uint64_t stack, struct note *note, struct lo_error *err)
{
	struct go_place place = { 0 };
	enum lo_result result = machine_place(machine, stack, &place, err);

	*note = (struct note){ .begin_ns = machine_time(machine),
		.end_ns = machine_time(machine),
		.task = current_task(machine, thread),
		.stack = place.stack,
		.kind = (uint8_t)kind };
	if (result != LO_OK || name == 0)
		return result;
	return go_generation_string(machine->generation, name, &machine->program, &note->name, err);
}

/* A range that a status event of a generation tells of: it may be older than the trace. */
static enum lo_result confirm(struct go_machine *machine, uint64_t owner, const struct note *note,
		struct lo_error *err)
{
	struct note older = *note;

	if (machine->epoch == 1)
		older.begin_ns = 0;
	return go_notes_was_open(&machine->notes, owner, &older, err);
}

/* ---- the garbage collector ---- */

static enum lo_result apply_gc(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	uint64_t stack = event->type == GO_WIRE_GC_BEGIN ? event->arguments[1] : 0;
	struct note note;
	enum lo_result result = start_note(machine, thread, NOTE_GC, 0, stack, &note, err);

	note.task = TASK_NONE;
	note.id = event->arguments[0];
	if (result != LO_OK)
		return result;
	if (event->type == GO_WIRE_GC_ACTIVE)
		return confirm(machine, 0, &note, err);
	return event->type == GO_WIRE_GC_BEGIN ? go_notes_begin(&machine->notes, 0, &note, err)
					       : go_notes_end(&machine->notes, 0, &note, err);
}

/* The sweep of a P: it goes on when the goroutine that began it has gone. */
static enum lo_result apply_sweep(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	const struct go_proc *proc = machine_proc_of(machine, thread);
	uint64_t owner = proc ? proc->number : GO_WIRE_NONE;
	uint64_t stack = event->type == GO_WIRE_SWEEP_BEGIN ? event->arguments[0] : 0;
	struct note note;
	enum lo_result result = start_note(machine, thread, NOTE_SWEEP, 0, stack, &note, err);

	if (result != LO_OK)
		return result;
	if (event->type == GO_WIRE_SWEEP_ACTIVE) {
		note.task = TASK_NONE; /* said by whoever comes first in the generation */
		return confirm(machine, event->arguments[0], &note, err);
	}
	if (event->type == GO_WIRE_SWEEP_BEGIN)
		return go_notes_begin(&machine->notes, owner, &note, err);
	note.value = event->arguments[0];
	return go_notes_end(&machine->notes, owner, &note, err);
}

static enum lo_result apply_mark_assist(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	uint64_t stack = event->type == GO_WIRE_MARK_ASSIST_BEGIN ? event->arguments[0] : 0;
	struct note note;
	enum lo_result result = start_note(machine, thread, NOTE_MARK_ASSIST, 0, stack, &note, err);

	if (result != LO_OK)
		return result;
	if (event->type == GO_WIRE_MARK_ASSIST_ACTIVE) {
		const struct goroutine *goroutine = machine_find(machine, event->arguments[0]);

		note.task = goroutine ? goroutine->task : TASK_NONE;
		return confirm(machine, note.task, &note, err);
	}
	return event->type == GO_WIRE_MARK_ASSIST_BEGIN
			       ? go_notes_begin(&machine->notes, note.task, &note, err)
			       : go_notes_end(&machine->notes, note.task, &note, err);
}

static enum lo_result apply_stop_world(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	bool begins = event->type == GO_WIRE_STW_BEGIN;
	struct note note;
	enum lo_result result = start_note(machine, thread, NOTE_STOP_WORLD,
			begins ? event->arguments[0] : 0, begins ? event->arguments[1] : 0, &note,
			err);

	if (result != LO_OK)
		return result;
	return begins ? go_notes_begin(&machine->notes, note.task, &note, err)
		      : go_notes_end(&machine->notes, note.task, &note, err);
}

static enum lo_result apply_metric(
		struct go_machine *machine, const struct go_event *event, struct lo_error *err)
{
	enum go_counter counter = event->type == GO_WIRE_HEAP_ALLOC  ? GO_COUNTER_HEAP
				  : event->type == GO_WIRE_HEAP_GOAL ? GO_COUNTER_HEAP_GOAL
								     : GO_COUNTER_GOMAXPROCS;

	return go_notes_count(
			&machine->notes, counter, machine_time(machine), event->arguments[0], err);
}

/* ---- the program's own ---- */

static enum lo_result apply_user_task(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	bool begins = event->type == GO_WIRE_USER_TASK_BEGIN;
	struct note note;
	enum lo_result result = start_note(machine, thread, NOTE_USER_TASK,
			begins ? event->arguments[2] : 0, begins ? event->arguments[3] : 0, &note,
			err);

	note.id = event->arguments[0];
	if (result != LO_OK)
		return result;
	if (!begins)
		return go_notes_end(&machine->notes, note.id, &note, err);
	note.parent = event->arguments[1];
	return go_notes_begin(&machine->notes, note.id, &note, err);
}

static enum lo_result apply_region(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	struct note note;
	enum lo_result result = start_note(machine, thread, NOTE_REGION, event->arguments[1],
			event->arguments[2], &note, err);

	note.parent = event->arguments[0];
	if (result != LO_OK)
		return result;
	return event->type == GO_WIRE_REGION_BEGIN
			       ? go_notes_begin(&machine->notes, note.task, &note, err)
			       : go_notes_end(&machine->notes, note.task, &note, err);
}

static enum lo_result apply_log(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	struct note note;
	enum lo_result result = start_note(machine, thread, NOTE_LOG, event->arguments[1],
			event->arguments[3], &note, err);

	note.parent = event->arguments[0];
	if (result == LO_OK)
		result = go_generation_string(machine->generation, event->arguments[2],
				&machine->program, &note.text, err);
	return result == LO_OK ? go_notes_moment(&machine->notes, &note, err) : result;
}

/* Labels of the runtime's own, on its workers: pprof labels are not in traces. */
static enum lo_result apply_label(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	struct note note;
	enum lo_result result = start_note(machine, thread, NOTE_LABEL, 0, 0, &note, err);

	if (result == LO_OK)
		result = go_generation_string(machine->generation, event->arguments[0],
				&machine->program, &note.text, err);
	return result == LO_OK ? go_notes_moment(&machine->notes, &note, err) : result;
}

enum lo_result go_machine_cpu_sample(struct go_machine *machine, const struct go_sample *sample,
		uint64_t ns, struct lo_error *err)
{
	const struct goroutine *goroutine = machine_find(machine, sample->goroutine);
	struct note note = { .task = goroutine ? goroutine->task : TASK_NONE,
		.kind = NOTE_CPU_SAMPLE };
	struct go_place place = { 0 };
	enum lo_result result;

	go_machine_tick(machine, ns);
	note.begin_ns = machine_time(machine);
	result = machine_place(machine, sample->stack, &place, err);
	note.stack = place.stack;
	return result == LO_OK ? go_notes_moment(&machine->notes, &note, err) : result;
}

enum lo_result machine_note_event(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	switch (event->type) {
	case GO_WIRE_GC_ACTIVE:
	case GO_WIRE_GC_BEGIN:
	case GO_WIRE_GC_END:
		return apply_gc(machine, thread, event, err);
	case GO_WIRE_SWEEP_ACTIVE:
	case GO_WIRE_SWEEP_BEGIN:
	case GO_WIRE_SWEEP_END:
		return apply_sweep(machine, thread, event, err);
	case GO_WIRE_MARK_ASSIST_ACTIVE:
	case GO_WIRE_MARK_ASSIST_BEGIN:
	case GO_WIRE_MARK_ASSIST_END:
		return apply_mark_assist(machine, thread, event, err);
	case GO_WIRE_STW_BEGIN:
	case GO_WIRE_STW_END:
		return apply_stop_world(machine, thread, event, err);
	case GO_WIRE_PROCS_CHANGE:
	case GO_WIRE_HEAP_ALLOC:
	case GO_WIRE_HEAP_GOAL:
		return apply_metric(machine, event, err);
	case GO_WIRE_USER_TASK_BEGIN:
	case GO_WIRE_USER_TASK_END:
		return apply_user_task(machine, thread, event, err);
	case GO_WIRE_REGION_BEGIN:
	case GO_WIRE_REGION_END:
		return apply_region(machine, thread, event, err);
	case GO_WIRE_USER_LOG:
		return apply_log(machine, thread, event, err);
	case GO_WIRE_GO_LABEL:
		return apply_label(machine, thread, event, err);
	default:
		return LO_OK;
	}
}
