#include "formats/import/go_machine.h"
#include "formats/import/go_machine_parts.h"

/* `sequence` follows what was last said of a resource in this generation. */
static bool follows(
		const struct go_machine *machine, uint64_t sequence, uint32_t epoch, uint64_t last)
{
	return epoch == machine->epoch && sequence == last + 1;
}

static bool goroutine_ready(const struct go_machine *machine, const struct go_event *event,
		enum go_status status)
{
	const struct goroutine *goroutine = machine_find(machine, event->arguments[0]);

	return goroutine && goroutine->status == status &&
	       follows(machine, event->arguments[1], goroutine->epoch, goroutine->sequence);
}

static const struct go_proc *sequenced_proc(
		const struct go_machine *machine, const struct go_event *event)
{
	uint32_t index = number_map_get(&machine->proc_index, event->arguments[0]);
	const struct go_proc *proc = index ? &machine->procs[index - 1] : NULL;

	if (!proc || !follows(machine, event->arguments[1], proc->epoch, proc->sequence))
		return NULL;
	return proc;
}

static bool proc_start_ready(
		const struct go_machine *machine, uint32_t thread, const struct go_event *event)
{
	const struct go_proc *proc = sequenced_proc(machine, event);

	return proc && proc->status == GO_PROC_IDLE && !machine_proc_of(machine, thread);
}

static bool proc_steal_ready(const struct go_machine *machine, const struct go_event *event)
{
	const struct go_proc *proc = sequenced_proc(machine, event);

	return proc && (proc->status == GO_PROC_SYSCALL || proc->status == GO_PROC_ABANDONED);
}

/* A thread that lost its P says so only after the other thread has said that it took it. */
static bool syscall_end_blocked_ready(const struct go_machine *machine, uint32_t thread)
{
	const struct go_proc *proc = machine_proc_of(machine, thread);

	return !proc || proc->status != GO_PROC_SYSCALL;
}

static bool switch_ready(
		const struct go_machine *machine, uint32_t thread, const struct go_event *event)
{
	const struct goroutine *current = machine_current(machine, thread);

	return current && current->status == GO_RUNNING &&
	       goroutine_ready(machine, event, GO_WAITING);
}

bool go_machine_ready(
		const struct go_machine *machine, uint32_t thread, const struct go_event *event)
{
	switch (event->type) {
	case GO_WIRE_GO_START:
		return goroutine_ready(machine, event, GO_RUNNABLE);
	case GO_WIRE_GO_UNBLOCK:
		return goroutine_ready(machine, event, GO_WAITING);
	case GO_WIRE_GO_SWITCH:
	case GO_WIRE_GO_SWITCH_DESTROY:
		return switch_ready(machine, thread, event);
	case GO_WIRE_PROC_START:
		return proc_start_ready(machine, thread, event);
	case GO_WIRE_PROC_STEAL:
		return proc_steal_ready(machine, event);
	case GO_WIRE_GO_SYSCALL_END_BLOCKED:
		return syscall_end_blocked_ready(machine, thread);
	case GO_WIRE_GC_ACTIVE:
		return machine->epoch == 1 || event->arguments[0] == machine->gc_sequence + 1;
	case GO_WIRE_GC_BEGIN:
		return !machine->gc_known || event->arguments[0] == machine->gc_sequence + 1;
	case GO_WIRE_GC_END:
		return event->arguments[0] == machine->gc_sequence + 1;
	default:
		return true;
	}
}
