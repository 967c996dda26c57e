#ifndef LOITER_IMPORT_GO_MACHINE_PARTS_H
#define LOITER_IMPORT_GO_MACHINE_PARTS_H

#include "formats/import/go_machine.h"

/*
 * What the files of the machine share among themselves. Pointers to goroutines, Ps and threads are
 * valid until the next one of their sort is added.
 */

/* The present time of the native trace. */
static inline uint64_t machine_time(const struct go_machine *machine)
{
	return machine->now_ns - machine->start_ns;
}

struct goroutine *machine_find(const struct go_machine *machine, uint64_t number);
/* Gives it a task; says nothing to the sink. `number` must not be known. */
enum lo_result machine_add(struct go_machine *machine, uint64_t number, struct goroutine **out,
		struct lo_error *err);
void machine_remove(struct go_machine *machine, struct goroutine *goroutine);

/* The index of a P, added as idle when new. */
enum lo_result machine_proc(
		struct go_machine *machine, uint64_t number, uint32_t *index, struct lo_error *err);

/* A goroutine or P is bound to at most one thread, and a thread has at most one of each. */
void machine_bind_goroutine(
		struct go_machine *machine, struct goroutine *goroutine, uint32_t thread);
void machine_unbind_goroutine(struct go_machine *machine, struct goroutine *goroutine);
void machine_bind_proc(struct go_machine *machine, struct go_proc *proc, uint32_t thread);
void machine_unbind_proc(struct go_machine *machine, struct go_proc *proc);

/* The place that a stack of the present generation stands for. */
enum lo_result machine_place(struct go_machine *machine, uint64_t stack, struct go_place *place,
		struct lo_error *err);

/* Events that change no goroutine: go_note_events.c. */
enum lo_result machine_note_event(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, struct lo_error *err);

/* What is bound to a thread, or NULL. */
struct goroutine *machine_current(const struct go_machine *machine, uint32_t thread);
struct go_proc *machine_proc_of(const struct go_machine *machine, uint32_t thread);

#endif
