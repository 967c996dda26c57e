#include "formats/import/go_machine.h"

#include <stdlib.h>

#include "formats/import/go_machine_parts.h"
#include "formats/import/grow.h"

enum lo_result go_machine_init(
		struct go_machine *machine, struct import_sink *sink, struct lo_error *err)
{
	*machine = (struct go_machine){ 0 };
	go_notes_init(&machine->notes, sink);
	return go_program_init(&machine->program, sink, err);
}

void go_machine_release(struct go_machine *machine)
{
	go_program_release(&machine->program);
	go_notes_release(&machine->notes);
	free(machine->goroutines);
	free(machine->free_goroutines);
	free(machine->procs);
	free(machine->threads);
	number_map_release(&machine->goroutine_index);
	number_map_release(&machine->proc_index);
	number_map_release(&machine->thread_index);
}

void go_machine_begin_generation(struct go_machine *machine, struct go_generation *generation)
{
	machine->generation = generation;
	machine->epoch++;
}

void go_machine_tick(struct go_machine *machine, uint64_t ns)
{
	if (!machine->begun) {
		machine->begun = true;
		machine->start_ns = ns;
		machine->now_ns = ns;
	} else {
		machine->now_ns = ns > machine->now_ns ? ns : machine->now_ns + 1;
	}
	machine->events++;
}

enum lo_result go_machine_finish(struct go_machine *machine, struct lo_error *err)
{
	/* The end of the last generation has a time of its own, and nothing happens then. */
	uint64_t end_ns = machine->now_ns - 1 - machine->start_ns;

	import_sink_advance(machine->program.sink, end_ns);
	return go_notes_finish(&machine->notes, end_ns, err);
}

enum lo_result machine_place(struct go_machine *machine, uint64_t stack, struct go_place *place,
		struct lo_error *err)
{
	return go_generation_stack(machine->generation, stack, &machine->program, place, err);
}

enum lo_result go_machine_thread(
		struct go_machine *machine, uint64_t number, uint32_t *index, struct lo_error *err)
{
	uint32_t found = number_map_get(&machine->thread_index, number);
	struct go_thread *threads;

	*index = found - 1;
	if (found != 0)
		return LO_OK;
	threads = grow_array(machine->threads, machine->thread_count, &machine->thread_capacity,
			sizeof(*threads), "threads", err);
	if (!threads)
		return LO_NO_MEMORY;
	machine->threads = threads;
	*index = machine->thread_count++;
	threads[*index] = (struct go_thread){ .number = number };
	return number_map_put(&machine->thread_index, number, machine->thread_count, err);
}

enum lo_result machine_proc(
		struct go_machine *machine, uint64_t number, uint32_t *index, struct lo_error *err)
{
	uint32_t found = number_map_get(&machine->proc_index, number);
	struct go_proc *procs;

	*index = found - 1;
	if (found != 0)
		return LO_OK;
	procs = grow_array(machine->procs, machine->proc_count, &machine->proc_capacity,
			sizeof(*procs), "Ps", err);
	if (!procs)
		return LO_NO_MEMORY;
	machine->procs = procs;
	*index = machine->proc_count++;
	procs[*index] = (struct go_proc){ .number = number, .status = GO_PROC_IDLE };
	return number_map_put(&machine->proc_index, number, machine->proc_count, err);
}

struct goroutine *machine_find(const struct go_machine *machine, uint64_t number)
{
	uint32_t found = number_map_get(&machine->goroutine_index, number);

	return found ? &machine->goroutines[found - 1] : NULL;
}

/* A free place among the goroutines. */
static enum lo_result take_place(struct go_machine *machine, uint32_t *index, struct lo_error *err)
{
	struct goroutine *goroutines;

	if (machine->free_count > 0) {
		*index = machine->free_goroutines[--machine->free_count];
		return LO_OK;
	}
	if (machine->goroutine_count == machine->goroutine_capacity) {
		uint32_t capacity = machine->goroutine_capacity;
		uint32_t *places = grow_array(machine->free_goroutines, capacity, &capacity,
				sizeof(*places), "goroutines", err);

		if (!places)
			return LO_NO_MEMORY;
		machine->free_goroutines = places;
	}
	goroutines = grow_array(machine->goroutines, machine->goroutine_count,
			&machine->goroutine_capacity, sizeof(*goroutines), "goroutines", err);
	if (!goroutines)
		return LO_NO_MEMORY;
	machine->goroutines = goroutines;
	*index = machine->goroutine_count++;
	return LO_OK;
}

/* The living are a list, so that walking over them costs nothing for the many that have ended. */
static void link_living(struct go_machine *machine, uint32_t index)
{
	machine->goroutines[index].older = machine->newest;
	if (machine->newest)
		machine->goroutines[machine->newest - 1].newer = index + 1;
	machine->newest = index + 1;
}

static void unlink_living(struct go_machine *machine, const struct goroutine *goroutine)
{
	if (goroutine->older)
		machine->goroutines[goroutine->older - 1].newer = goroutine->newer;
	if (goroutine->newer)
		machine->goroutines[goroutine->newer - 1].older = goroutine->older;
	else
		machine->newest = goroutine->older;
}

enum lo_result machine_add(struct go_machine *machine, uint64_t number, struct goroutine **out,
		struct lo_error *err)
{
	uint32_t index = 0;
	uint32_t task = TASK_NONE;
	enum lo_result result = take_place(machine, &index, err);

	if (result == LO_OK)
		result = import_sink_new_task(machine->program.sink, &task, err);
	if (result == LO_OK)
		result = number_map_put(&machine->goroutine_index, number, index + 1, err);
	if (result != LO_OK)
		return result;
	*out = &machine->goroutines[index];
	**out = (struct goroutine){
		.number = number,
		.task = task,
		.epoch = machine->epoch,
		.mentioned = machine->epoch,
	};
	link_living(machine, index);
	return LO_OK;
}

void machine_remove(struct go_machine *machine, struct goroutine *goroutine)
{
	machine_unbind_goroutine(machine, goroutine);
	unlink_living(machine, goroutine);
	number_map_remove(&machine->goroutine_index, goroutine->number);
	machine->free_goroutines[machine->free_count++] = (uint32_t)(goroutine -
								     machine->goroutines);
}

void machine_unbind_goroutine(struct go_machine *machine, struct goroutine *goroutine)
{
	if (goroutine->thread)
		machine->threads[goroutine->thread - 1].goroutine = 0;
	goroutine->thread = 0;
}

void machine_bind_goroutine(
		struct go_machine *machine, struct goroutine *goroutine, uint32_t thread)
{
	struct goroutine *before = machine_current(machine, thread);

	if (before)
		machine_unbind_goroutine(machine, before);
	machine_unbind_goroutine(machine, goroutine);
	goroutine->thread = thread + 1;
	machine->threads[thread].goroutine = (uint32_t)(goroutine - machine->goroutines) + 1;
}

void machine_unbind_proc(struct go_machine *machine, struct go_proc *proc)
{
	if (proc->thread)
		machine->threads[proc->thread - 1].proc = 0;
	proc->thread = 0;
}

void machine_bind_proc(struct go_machine *machine, struct go_proc *proc, uint32_t thread)
{
	struct go_proc *before = machine_proc_of(machine, thread);

	if (before)
		machine_unbind_proc(machine, before);
	machine_unbind_proc(machine, proc);
	proc->thread = thread + 1;
	machine->threads[thread].proc = (uint32_t)(proc - machine->procs) + 1;
}

struct goroutine *machine_current(const struct go_machine *machine, uint32_t thread)
{
	uint32_t goroutine = machine->threads[thread].goroutine;

	return goroutine ? &machine->goroutines[goroutine - 1] : NULL;
}

struct go_proc *machine_proc_of(const struct go_machine *machine, uint32_t thread)
{
	uint32_t proc = machine->threads[thread].proc;

	return proc ? &machine->procs[proc - 1] : NULL;
}
