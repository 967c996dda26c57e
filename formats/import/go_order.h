#ifndef LOITER_IMPORT_GO_ORDER_H
#define LOITER_IMPORT_GO_ORDER_H

#include <stdint.h>

#include "formats/base/error.h"
#include "formats/base/progress.h"
#include "formats/import/go_generation.h"
#include "formats/import/go_machine.h"

/* What was wrong with the events of one generation. */
struct go_order_faults {
	uint64_t forced;         /* events taken though nothing was ready */
	uint64_t broken_batches; /* given up before their end */
	uint8_t unknown_type;    /* an event type that this version does not know, 0 = none */
};

/*
 * Applies all events of a generation to the machine, in an order that every thread, every
 * goroutine and every P agrees with. Among the events that are ready the earliest comes first.
 * When none is ready, the trace is broken: then the earliest event is forced.
 */
enum lo_result go_order_run(struct go_machine *machine, struct go_generation *generation,
		uint64_t frequency, struct go_order_faults *faults, struct lo_error *err);

/*
 * Collects what the status events of a generation say, before its events are applied: each
 * goroutine has one, but those that do nothing get theirs at the end of the generation.
 * Tells the machine about all of them.
 */
enum lo_result go_order_survey(struct go_machine *machine, struct go_generation *generation,
		uint64_t frequency, struct lo_error *err);

#endif
