#ifndef LOITER_TESTS_TRACE_FACTS_H
#define LOITER_TESTS_TRACE_FACTS_H

#include <stdint.h>

#include "formats/native/trace_reader.h"

/*
 * What a native trace says about its tasks, counted by walking all events once: as plain as
 * possible, because it stands against another program's count of the same recording.
 */
struct reason_facts {
	uint64_t blocks; /* that began in the trace */
	uint64_t blocked_ns;
};

struct stuck_group {
	char text[1024]; /* "REASON | top user frame | created at | start function" */
	uint32_t count;
};

struct trace_facts {
	uint64_t seen; /* different goroutine numbers */
	uint64_t existing;
	uint64_t created;
	uint64_t exited;
	uint64_t peak_alive;
	uint64_t most_creates_in_10ms;
	uint64_t unblocks; /* without those that end a system call */
	uint64_t unblocks_by_a_task;
	uint64_t end_ns;
	struct reason_facts reasons[REASON_LIMIT];
	struct stuck_group *groups; /* sorted by text */
	uint32_t group_count;
};

/* Ends the program with a sentence when the reader fails or the trace breaks its promises. */
void trace_facts_collect(struct trace_facts *facts, struct trace_reader *reader);
void trace_facts_release(struct trace_facts *facts);

#endif
