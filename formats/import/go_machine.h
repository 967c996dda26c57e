#ifndef LOITER_IMPORT_GO_MACHINE_H
#define LOITER_IMPORT_GO_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/import/go_event.h"
#include "formats/import/go_generation.h"
#include "formats/import/go_notes.h"
#include "formats/import/go_trace_common.h"
#include "formats/import/number_map.h"

/*
 * The Go scheduler as far as a trace v2 tells of it: goroutines, Ps (the rights to run Go code)
 * and threads, and what each event needs of them and does to them.
 *
 * Every thread wrote its own events, so their order over all threads has to be found again. Time
 * stamps are too coarse for that. Therefore events on a goroutine or a P that other threads may
 * touch carry a sequence number, and an event is *ready* only when the number follows the last one
 * of that goroutine or P and its state fits. Numbers start anew in every generation, with a status
 * event or the creation.
 *
 * Applying an event never fails on account of the trace: what contradicts the state known so far
 * is believed, and counted as a repair. A trace without faults needs none.
 */
enum go_status {
	GO_ANNOUNCED = 0, /* older than the trace; its status event is still to come */
	GO_RUNNABLE = 1,  /* these four as on the wire */
	GO_RUNNING = 2,
	GO_SYSCALL = 3,
	GO_WAITING = 4,
};

enum go_proc_status {
	GO_PROC_RUNNING = 1, /* as on the wire */
	GO_PROC_IDLE = 2,
	GO_PROC_SYSCALL = 3,
	GO_PROC_ABANDONED = 4, /* in a system call, on a thread that nobody knows */
};

struct goroutine {
	uint64_t number; /* Go's own; may come back after the goroutine has ended */
	uint64_t sequence;
	uint32_t epoch; /* in which `sequence` counts */
	uint32_t task;
	uint32_t mentioned; /* last epoch in which a status or creation named it */
	uint32_t thread;    /* index + 1 of the thread it is bound to, 0 = none */
	uint32_t older;     /* index + 1 of the neighbours in the list of the living, 0 = none */
	uint32_t newer;
	uint8_t status; /* enum go_status */
	bool named;     /* its row has the entry function */
	bool runtime;
};

struct go_proc {
	uint64_t number;
	uint64_t sequence;
	uint32_t epoch;
	uint8_t status;  /* enum go_proc_status */
	uint32_t thread; /* index + 1 of who has it, 0 = nobody */
};

struct go_thread {
	uint64_t number;
	uint32_t goroutine; /* index + 1, 0 = none; that goroutine's `thread` is this one */
	uint32_t proc;      /* index + 1, 0 = none; the same */
};

struct go_machine {
	struct go_program program;
	struct go_notes notes;
	struct go_generation *generation; /* the present one */
	uint32_t epoch;                   /* counts generations, from 1 */

	struct goroutine *goroutines;
	uint32_t goroutine_count;
	uint32_t goroutine_capacity;
	uint32_t newest;           /* of the living: index + 1, 0 = nobody lives */
	uint32_t *free_goroutines; /* indexes of ended ones, to be used again */
	uint32_t free_count;
	struct number_map goroutine_index;

	struct go_proc *procs;
	uint32_t proc_count;
	uint32_t proc_capacity;
	struct number_map proc_index;

	struct go_thread *threads;
	uint32_t thread_count;
	uint32_t thread_capacity;
	struct number_map thread_index;

	bool gc_known;
	bool gc_running;
	uint64_t gc_sequence;

	bool begun;
	uint64_t start_ns; /* of the first event, on the trace's clock */
	uint64_t now_ns;   /* of the last event; strictly increases */
	uint64_t events;   /* as Go's own reader counts them */
	uint64_t repairs;
};

enum lo_result go_machine_init(
		struct go_machine *machine, struct import_sink *sink, struct lo_error *err);
void go_machine_release(struct go_machine *machine);

/* All sequence numbers start anew. */
void go_machine_begin_generation(struct go_machine *machine, struct go_generation *generation);

/* The index of a thread, added when new. */
enum lo_result go_machine_thread(
		struct go_machine *machine, uint64_t number, uint32_t *index, struct lo_error *err);

/* What a status event says about a goroutine. */
struct go_sighting {
	uint64_t goroutine;
	uint64_t stack; /* id in the table of the generation, 0 = none */
	uint8_t status;
};

/*
 * The goroutine of `sighting` was there before the first event of the present generation: tells
 * the sink, now. For goroutines that are known already: their state becomes what is said.
 */
enum lo_result go_machine_announce(struct go_machine *machine, const struct go_sighting *sighting,
		struct lo_error *err);
/* Ends every goroutine that nothing in this generation has announced. */
enum lo_result go_machine_end_unmentioned(struct go_machine *machine, struct lo_error *err);

/* Whether `event` of `thread` may be next. */
bool go_machine_ready(
		const struct go_machine *machine, uint32_t thread, const struct go_event *event);

/*
 * Does what `event` says. `next` is the event that follows on the same thread in this generation,
 * or NULL: it tells whether a system call is over at once.
 */
enum lo_result go_machine_apply(struct go_machine *machine, uint32_t thread,
		const struct go_event *event, const struct go_event *next, struct lo_error *err);

/* A CPU sample, at `ns` on the trace's clock. */
enum lo_result go_machine_cpu_sample(struct go_machine *machine, const struct go_sample *sample,
		uint64_t ns, struct lo_error *err);

/* Goes on to `ns`, or just past the event before: every event has a time of its own. */
void go_machine_tick(struct go_machine *machine, uint64_t ns);

/* The trace is over: ends what has no end. */
enum lo_result go_machine_finish(struct go_machine *machine, struct lo_error *err);

#endif
