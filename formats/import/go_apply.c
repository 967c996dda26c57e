#include "formats/import/go_machine.h"
#include "formats/import/go_machine_parts.h"

/* Contradictions are believed and counted. */
static void expect(struct go_machine *machine, bool condition)
{
	machine->repairs += !condition;
}

static enum lo_result write_row(struct go_machine *machine, struct goroutine *goroutine,
		uint32_t entry, struct lo_error *err)
{
	goroutine->named = entry != 0;
	return go_program_task(&machine->program, goroutine->task, goroutine->number, entry,
			goroutine->runtime, err);
}

/* A stack of a goroutine's own tells where it began, if nothing did so before. */
static enum lo_result learn_entry(struct go_machine *machine, struct goroutine *goroutine,
		const struct go_place *place, struct lo_error *err)
{
	if (goroutine->named || place->entry == 0)
		return LO_OK;
	return write_row(machine, goroutine, place->entry, err);
}

/* A goroutine that begins before what can be read of it. */
static enum lo_result add_existing(struct go_machine *machine, uint64_t number,
		struct goroutine **out, struct lo_error *err)
{
	enum lo_result result = machine_add(machine, number, out, err);

	if (result == LO_OK)
		result = import_sink_exists(
				machine->program.sink, machine_time(machine), (*out)->task, err);
	if (result == LO_OK)
		result = write_row(machine, *out, 0, err);
	return result;
}

static enum lo_result find_or_add(struct go_machine *machine, uint64_t number,
		struct goroutine **out, struct lo_error *err)
{
	*out = machine_find(machine, number);
	if (*out)
		return LO_OK;
	machine->repairs++;
	return add_existing(machine, number, out, err);
}

static enum lo_result wake(struct go_machine *machine, const struct goroutine *goroutine,
		const struct goroutine *waker, struct lo_error *err)
{
	if (!import_sink_is_blocked(machine->program.sink, goroutine->task))
		return LO_OK;
	return import_sink_unblock(machine->program.sink, machine_time(machine), goroutine->task,
			waker ? waker->task : TASK_NONE, err);
}

/* Tells the sink what a status event says, as far as the sink does not know it. */
static enum lo_result show_status(struct go_machine *machine, const struct goroutine *goroutine,
		enum go_status status, uint32_t stack, struct lo_error *err)
{
	enum wait_reason reason = status == GO_SYSCALL ? REASON_SYSCALL : REASON_NONE;

	if (status != GO_WAITING && status != GO_SYSCALL)
		return wake(machine, goroutine, NULL, err);
	if (import_sink_is_blocked(machine->program.sink, goroutine->task))
		return LO_OK;
	return import_sink_block(machine->program.sink, machine_time(machine), goroutine->task,
			reason, stack, err);
}

enum lo_result go_machine_announce(struct go_machine *machine, const struct go_sighting *sighting,
		struct lo_error *err)
{
	struct goroutine *goroutine = machine_find(machine, sighting->goroutine);
	struct go_place place = { 0 };
	enum lo_result result = machine_place(machine, sighting->stack, &place, err);

	if (result == LO_OK && !goroutine)
		result = add_existing(machine, sighting->goroutine, &goroutine, err);
	if (result == LO_OK)
		result = learn_entry(machine, goroutine, &place, err);
	if (result == LO_OK)
		result = show_status(machine, goroutine, sighting->status, place.stack, err);
	if (result != LO_OK)
		return result;
	goroutine->status = GO_ANNOUNCED;
	goroutine->mentioned = machine->epoch;
	return LO_OK;
}

static enum lo_result end_goroutine(
		struct go_machine *machine, struct goroutine *goroutine, struct lo_error *err)
{
	enum lo_result result = go_notes_task_ended(
			&machine->notes, goroutine->task, machine_time(machine), err);

	if (result == LO_OK)
		result = import_sink_exit(
				machine->program.sink, machine_time(machine), goroutine->task, err);
	machine_remove(machine, goroutine);
	return result;
}

enum lo_result go_machine_end_unmentioned(struct go_machine *machine, struct lo_error *err)
{
	uint32_t next;

	for (uint32_t at = machine->newest; at != 0; at = next) {
		struct goroutine *goroutine = &machine->goroutines[at - 1];
		enum lo_result result;

		next = goroutine->older;
		if (goroutine->mentioned == machine->epoch)
			continue;
		result = end_goroutine(machine, goroutine, err);
		if (result != LO_OK)
			return result;
	}
	return LO_OK;
}

static enum lo_result apply_go_status(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, uint64_t stack, struct lo_error *err)
{
	uint8_t status = (uint8_t)event->arguments[2];
	struct goroutine *goroutine;
	struct go_place place = { 0 };
	enum lo_result result = find_or_add(machine, event->arguments[0], &goroutine, err);

	if (result != LO_OK)
		return result;
	if (event->arguments[2] < GO_RUNNABLE || event->arguments[2] > GO_WAITING) {
		machine->repairs++;
		return LO_OK;
	}
	if (goroutine->status != GO_ANNOUNCED && goroutine->status != status) {
		machine->repairs++;
		result = machine_place(machine, stack, &place, err);
		if (result == LO_OK)
			result = show_status(machine, goroutine, status, place.stack, err);
	}
	goroutine->sequence = 0;
	goroutine->epoch = machine->epoch;
	goroutine->mentioned = machine->epoch;
	goroutine->status = status;
	if (result == LO_OK && status == GO_SYSCALL && event->arguments[1] != GO_WIRE_NONE)
		result = go_machine_thread(machine, event->arguments[1], &thread, err);
	if (status == GO_RUNNING || status == GO_SYSCALL)
		machine_bind_goroutine(machine, goroutine, thread);
	return result;
}

/* A goroutine whose number was still in use has ended without saying so. */
static enum lo_result end_namesake(
		struct go_machine *machine, uint64_t number, struct lo_error *err)
{
	struct goroutine *goroutine = machine_find(machine, number);

	if (!goroutine)
		return LO_OK;
	machine->repairs++;
	return end_goroutine(machine, goroutine, err);
}

static enum lo_result add_created(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, bool with_stacks, struct goroutine **out,
		struct lo_error *err)
{
	struct go_place start = { 0 };
	struct go_place site = { 0 };
	const struct goroutine *creator;
	enum lo_result result = end_namesake(machine, event->arguments[0], err);

	if (result == LO_OK && with_stacks)
		result = machine_place(machine, event->arguments[1], &start, err);
	if (result == LO_OK && with_stacks)
		result = machine_place(machine, event->arguments[2], &site, err);
	if (result == LO_OK)
		result = machine_add(machine, event->arguments[0], out, err);
	if (result != LO_OK)
		return result;
	creator = machine_current(machine, thread);
	result = import_sink_create(machine->program.sink, machine_time(machine), (*out)->task,
			creator ? creator->task : TASK_NONE, site.stack, err);
	if (result == LO_OK)
		result = write_row(machine, *out, start.entry, err);
	return result;
}

static enum lo_result apply_create(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	bool blocked = event->type == GO_WIRE_GO_CREATE_BLOCKED;
	struct goroutine *goroutine;
	enum lo_result result = add_created(machine, thread, event, true, &goroutine, err);

	if (result != LO_OK)
		return result;
	goroutine->status = blocked ? GO_WAITING : GO_RUNNABLE;
	if (!blocked)
		return LO_OK;
	return import_sink_block(machine->program.sink, machine_time(machine), goroutine->task,
			REASON_COROUTINE, STACK_NONE, err);
}

static enum lo_result apply_create_syscall(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	struct goroutine *goroutine;
	enum lo_result result;

	expect(machine, !machine_current(machine, thread));
	result = add_created(machine, thread, event, false, &goroutine, err);
	if (result != LO_OK)
		return result;
	goroutine->status = GO_SYSCALL;
	machine_bind_goroutine(machine, goroutine, thread);
	return LO_OK;
}

static enum lo_result start(struct go_machine *machine, uint32_t thread,
		struct goroutine *goroutine, struct lo_error *err)
{
	goroutine->status = GO_RUNNING;
	machine_bind_goroutine(machine, goroutine, thread);
	return import_sink_run(machine->program.sink, machine_time(machine), goroutine->task, err);
}

static void count_on(
		const struct go_machine *machine, struct goroutine *goroutine, uint64_t sequence)
{
	goroutine->sequence = sequence;
	goroutine->epoch = machine->epoch;
}

static enum lo_result apply_start(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	struct goroutine *goroutine;
	enum lo_result result = find_or_add(machine, event->arguments[0], &goroutine, err);

	if (result != LO_OK)
		return result;
	expect(machine, !machine_current(machine, thread) && machine_proc_of(machine, thread));
	count_on(machine, goroutine, event->arguments[1]);
	result = wake(machine, goroutine, NULL, err);
	if (result != LO_OK)
		return result;
	return start(machine, thread, goroutine, err);
}

static enum lo_result apply_unblock(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	struct goroutine *goroutine;
	enum lo_result result = find_or_add(machine, event->arguments[0], &goroutine, err);

	if (result != LO_OK)
		return result;
	count_on(machine, goroutine, event->arguments[1]);
	goroutine->status = GO_RUNNABLE;
	return wake(machine, goroutine, machine_current(machine, thread), err);
}

static enum lo_result apply_stop(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	struct goroutine *goroutine = machine_current(machine, thread);
	struct go_place place;
	enum lo_result result;

	expect(machine, goroutine && goroutine->status == GO_RUNNING);
	if (!goroutine)
		return LO_OK;
	goroutine->status = GO_RUNNABLE;
	machine_unbind_goroutine(machine, goroutine);
	if (goroutine->named)
		return LO_OK;
	result = machine_place(machine, event->arguments[1], &place, err);
	if (result != LO_OK)
		return result;
	return learn_entry(machine, goroutine, &place, err);
}

/* Headers before 23 do not say where old goroutines began; what they wait for tells some. */
static enum lo_result learn_runtime(struct go_machine *machine, struct goroutine *goroutine,
		uint8_t reason, struct lo_error *err)
{
	if (goroutine->named || goroutine->runtime || !go_reason_is_runtime(reason))
		return LO_OK;
	goroutine->runtime = true;
	return write_row(machine, goroutine, 0, err);
}

static enum lo_result apply_block(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	struct goroutine *goroutine = machine_current(machine, thread);
	uint8_t reason = REASON_NONE;
	struct go_place place = { 0 };
	enum lo_result result;

	expect(machine, goroutine && goroutine->status == GO_RUNNING);
	if (!goroutine)
		return LO_OK;
	goroutine->status = GO_WAITING;
	machine_unbind_goroutine(machine, goroutine);
	result = go_generation_reason(
			machine->generation, event->arguments[0], &machine->program, &reason, err);
	if (result == LO_OK)
		result = machine_place(machine, event->arguments[1], &place, err);
	if (result == LO_OK)
		result = learn_entry(machine, goroutine, &place, err);
	if (result == LO_OK)
		result = learn_runtime(machine, goroutine, reason, err);
	if (result != LO_OK)
		return result;
	return import_sink_block(machine->program.sink, machine_time(machine), goroutine->task,
			reason, place.stack, err);
}

static enum lo_result apply_destroy(
		struct go_machine *machine, uint32_t thread, struct lo_error *err)
{
	struct goroutine *goroutine = machine_current(machine, thread);

	expect(machine, goroutine && goroutine->status == GO_RUNNING);
	return goroutine ? end_goroutine(machine, goroutine, err) : LO_OK;
}

/* The thread of a call from C goes back to C: its P, if it still has one, is left behind. */
static enum lo_result apply_destroy_syscall(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	struct goroutine *goroutine = machine_current(machine, thread);
	struct go_proc *proc = machine_proc_of(machine, thread);

	expect(machine, goroutine && goroutine->status == GO_SYSCALL);
	if (proc) { /* Go's reader makes two events of it */
		proc->status = GO_PROC_ABANDONED;
		machine_unbind_proc(machine, proc);
		go_machine_tick(machine, event->ns);
	}
	return goroutine ? end_goroutine(machine, goroutine, err) : LO_OK;
}

/* A switch to a coroutine is three events: it is woken, the present one waits or ends, it runs. */
static enum lo_result apply_switch(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	struct goroutine *current = machine_current(machine, thread);
	uint32_t index = current ? (uint32_t)(current - machine->goroutines) : 0;
	bool switching = current != NULL;
	struct goroutine *next;
	enum lo_result result = find_or_add(machine, event->arguments[0], &next, err);

	if (result != LO_OK)
		return result;
	current = switching ? &machine->goroutines[index] : NULL;
	expect(machine, switching && current != next);
	count_on(machine, next, event->arguments[1]);
	result = wake(machine, next, current, err);
	go_machine_tick(machine, event->ns);
	if (result == LO_OK && switching && current != next) {
		machine_unbind_goroutine(machine, current);
		if (event->type == GO_WIRE_GO_SWITCH_DESTROY) {
			result = end_goroutine(machine, current, err);
		} else {
			current->status = GO_WAITING;
			result = import_sink_block(machine->program.sink, machine_time(machine),
					current->task, REASON_COROUTINE, STACK_NONE, err);
		}
	}
	go_machine_tick(machine, event->ns);
	if (result != LO_OK)
		return result;
	return start(machine, thread, next, err);
}

/* A system call that keeps its P is over before anybody else noticed: no wait. */
static bool syscall_lasts(const struct go_event *next)
{
	return !next ||
	       (next->type != GO_WIRE_GO_SYSCALL_END && next->type != GO_WIRE_GO_DESTROY_SYSCALL);
}

static enum lo_result apply_syscall_begin(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, const struct go_event *next, struct lo_error *err)
{
	struct goroutine *goroutine = machine_current(machine, thread);
	struct go_proc *proc = machine_proc_of(machine, thread);
	struct go_place place;
	enum lo_result result;

	expect(machine, goroutine && goroutine->status == GO_RUNNING && proc);
	if (proc) {
		proc->status = GO_PROC_SYSCALL;
		proc->sequence = event->arguments[0];
		proc->epoch = machine->epoch;
	}
	if (!goroutine)
		return LO_OK;
	goroutine->status = GO_SYSCALL;
	if (!syscall_lasts(next) && goroutine->named)
		return LO_OK;
	result = machine_place(machine, event->arguments[1], &place, err);
	if (result == LO_OK)
		result = learn_entry(machine, goroutine, &place, err);
	if (result != LO_OK || !syscall_lasts(next))
		return result;
	return import_sink_block(machine->program.sink, machine_time(machine), goroutine->task,
			REASON_SYSCALL, place.stack, err);
}

static enum lo_result apply_syscall_end(
		struct go_machine *machine, uint32_t thread, bool blocked, struct lo_error *err)
{
	struct goroutine *goroutine = machine_current(machine, thread);
	struct go_proc *proc = machine_proc_of(machine, thread);

	expect(machine, goroutine && goroutine->status == GO_SYSCALL);
	if (!blocked) {
		expect(machine, proc != NULL);
		if (proc)
			proc->status = GO_PROC_RUNNING;
	}
	if (!goroutine)
		return LO_OK;
	goroutine->status = blocked ? GO_RUNNABLE : GO_RUNNING;
	if (blocked)
		machine_unbind_goroutine(machine, goroutine);
	return wake(machine, goroutine, NULL, err);
}

static enum lo_result apply_proc_status(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	bool known = number_map_get(&machine->proc_index, event->arguments[0]) != 0;
	uint64_t status = event->arguments[1];
	struct go_proc *proc;
	uint32_t index;
	enum lo_result result = machine_proc(machine, event->arguments[0], &index, err);

	if (result != LO_OK)
		return result;
	proc = &machine->procs[index];
	proc->sequence = 0;
	proc->epoch = machine->epoch;
	if (status < GO_PROC_RUNNING || status > GO_PROC_ABANDONED) {
		machine->repairs++;
		return LO_OK;
	}
	/* Who steals a P first in a generation does not know in whose system call it was. */
	if (known && status == GO_PROC_ABANDONED && proc->status == GO_PROC_SYSCALL)
		return LO_OK;
	expect(machine, !known || proc->status == status);
	proc->status = (uint8_t)status;
	if (status == GO_PROC_RUNNING || status == GO_PROC_SYSCALL)
		machine_bind_proc(machine, proc, thread);
	return LO_OK;
}

static enum lo_result apply_proc_start(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err)
{
	uint32_t index;
	enum lo_result result = machine_proc(machine, event->arguments[0], &index, err);

	if (result != LO_OK)
		return result;
	machine->procs[index].status = GO_PROC_RUNNING;
	machine->procs[index].sequence = event->arguments[1];
	machine->procs[index].epoch = machine->epoch;
	machine_bind_proc(machine, &machine->procs[index], thread);
	return LO_OK;
}

static void apply_proc_stop(struct go_machine *machine, uint32_t thread)
{
	struct go_proc *proc = machine_proc_of(machine, thread);

	expect(machine, proc != NULL);
	if (!proc)
		return;
	proc->status = GO_PROC_IDLE;
	machine_unbind_proc(machine, proc);
}

static enum lo_result apply_proc_steal(
		struct go_machine *machine, const struct go_event *event, struct lo_error *err)
{
	uint32_t index;
	enum lo_result result = machine_proc(machine, event->arguments[0], &index, err);

	if (result != LO_OK)
		return result;
	machine_unbind_proc(machine, &machine->procs[index]);
	machine->procs[index].status = GO_PROC_IDLE;
	machine->procs[index].sequence = event->arguments[1];
	machine->procs[index].epoch = machine->epoch;
	return LO_OK;
}

static void apply_gc(struct go_machine *machine, const struct go_event *event)
{
	machine->gc_known = true;
	machine->gc_running = event->type != GO_WIRE_GC_END;
	machine->gc_sequence = event->arguments[0];
}

enum lo_result go_machine_apply(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, const struct go_event *next, struct lo_error *err)
{
	go_machine_tick(machine, event->ns);
	switch (event->type) {
	case GO_WIRE_GO_START:
		return apply_start(machine, thread, event, err);
	case GO_WIRE_GO_BLOCK:
		return apply_block(machine, thread, event, err);
	case GO_WIRE_GO_UNBLOCK:
		return apply_unblock(machine, thread, event, err);
	case GO_WIRE_GO_STOP:
		return apply_stop(machine, thread, event, err);
	case GO_WIRE_GO_CREATE:
	case GO_WIRE_GO_CREATE_BLOCKED:
		return apply_create(machine, thread, event, err);
	case GO_WIRE_GO_CREATE_SYSCALL:
		return apply_create_syscall(machine, thread, event, err);
	case GO_WIRE_GO_DESTROY:
		return apply_destroy(machine, thread, err);
	case GO_WIRE_GO_DESTROY_SYSCALL:
		return apply_destroy_syscall(machine, thread, event, err);
	case GO_WIRE_GO_SWITCH:
	case GO_WIRE_GO_SWITCH_DESTROY:
		return apply_switch(machine, thread, event, err);
	case GO_WIRE_GO_SYSCALL_BEGIN:
		return apply_syscall_begin(machine, thread, event, next, err);
	case GO_WIRE_GO_SYSCALL_END:
		return apply_syscall_end(machine, thread, false, err);
	case GO_WIRE_GO_SYSCALL_END_BLOCKED:
		return apply_syscall_end(machine, thread, true, err);
	case GO_WIRE_GO_STATUS:
		return apply_go_status(machine, thread, event, 0, err);
	case GO_WIRE_GO_STATUS_STACK:
		return apply_go_status(machine, thread, event, event->arguments[3], err);
	case GO_WIRE_PROC_STATUS:
		return apply_proc_status(machine, thread, event, err);
	case GO_WIRE_PROC_START:
		return apply_proc_start(machine, thread, event, err);
	case GO_WIRE_PROC_STOP:
		apply_proc_stop(machine, thread);
		return LO_OK;
	case GO_WIRE_PROC_STEAL:
		return apply_proc_steal(machine, event, err);
	case GO_WIRE_GC_ACTIVE:
	case GO_WIRE_GC_BEGIN:
	case GO_WIRE_GC_END:
		apply_gc(machine, event);
		return machine_note_event(machine, thread, event, err);
	default:
		return machine_note_event(machine, thread, event, err);
	}
}
