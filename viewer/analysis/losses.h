#ifndef LOITER_ANALYSIS_LOSSES_H
#define LOITER_ANALYSIS_LOSSES_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/model/time_span.h"
#include "formats/native/trace_reader.h"

/*
 * Where events are missing. Lost: the recorder could not keep them, and counted them under a cause
 * for the block of the file in which it happened. Damaged: they were kept, and the file broke.
 */
struct losses {
	uint64_t lost;         /* events, by the recorder */
	uint64_t damaged;      /* events, by damage, as far as block headers tell */
	struct time_span span; /* from the first to the last place of both; empty = none */
};

/*
 * To be called after all events were read: damage is found by reading. `end_ns` is the end of the
 * trace as far as it can be read; what is damaged behind it, as the last block of a file that was
 * cut, only makes the trace shorter.
 */
void losses_init(struct losses *losses, struct trace_reader *reader, uint64_t end_ns);

/* Are events missing at or after `time_ns`? A task that waits since then may have gone on unseen.
 */
bool losses_after(const struct losses *losses, uint64_t time_ns);

#endif
