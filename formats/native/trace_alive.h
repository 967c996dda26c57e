#ifndef LOITER_NATIVE_TRACE_ALIVE_H
#define LOITER_NATIVE_TRACE_ALIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/base/progress.h"
#include "formats/model/time_span.h"
#include "formats/native/trace_reader.h"

/*
 * Which tasks are alive at some time of a span: from their first event up to their exit, both
 * included. In a span of few blocks they are found in the events. In a longer one they are those
 * of the stored lives: then the span is taken to the borders of blocks, and short-lived tasks are
 * only counted. When stored lives are missing or damaged everything is found in the events, which
 * takes the time of decoding the span, so `progress` may stop the work. Safe from several threads.
 */
struct alive_query {
	struct time_span span;
	uint32_t from;  /* tasks with this id and above */
	uint32_t limit; /* so many at most */
};

struct alive_tasks {
	uint32_t *tasks; /* ascending ids */
	uint32_t count;
	uint64_t total;     /* alive in the span, whatever `from` and `limit` are; or, not exact: */
	bool exact;         /* false: there are not more than `total` */
	bool without_short; /* short-lived tasks are in `total`, and not in `tasks` */
	bool uncertain;     /* blocks are lost, and who was born or exited there is not known */
};

/* Spans of so many blocks are looked at event by event. */
#define ALIVE_BLOCKS 4u

/* Release with alive_tasks_release() when it succeeds. */
enum lo_result trace_alive_in(struct alive_tasks *alive, struct trace_reader *reader,
		const struct alive_query *query, const struct progress *progress,
		struct lo_error *err);
/* Accepts a zeroed one. */
void alive_tasks_release(struct alive_tasks *alive);

/* What the headers of stored lives say: read once by the first question, kept by the reader. */
struct lives_heads {
	bool known;
	bool sound;            /* all headers are */
	bool finished;         /* those alive at the end of the trace are stored too */
	uint32_t covered;      /* sequence: all lives that ended in blocks before are stored */
	uint32_t *short_lives; /* by number of the section among those of lives */
	uint32_t *from;
};

void lives_heads_release(struct lives_heads *heads);

#endif
