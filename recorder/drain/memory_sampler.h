#ifndef LOITER_DRAIN_MEMORY_SAMPLER_H
#define LOITER_DRAIN_MEMORY_SAMPLER_H

#include <stdint.h>
#include <sys/types.h>

#include "formats/base/error.h"
#include "formats/native/trace_writer.h"

/*
 * How much memory the program has in use, twice a second, as a counter of the trace. The recorder
 * reads it from /proc, a few microseconds each time; the program does nothing for it. Of a program
 * that starts others, this is the program itself.
 */
#define MEMORY_SAMPLE_NS 500000000ull

struct memory_sampler {
	int fd;           /* of /proc/PID/statm; -1 = there is nothing to be read, or no more */
	uint64_t next_ns; /* of the recorder's clock */
	uint64_t last_ns; /* of the trace: ticks are turned into it better and better, not always up
			   */
	uint32_t counter; /* in the writer, + 1; 0 = not asked for yet */
};

/* Never fails: what cannot be read is not sampled. */
void memory_sampler_open(struct memory_sampler *sampler, pid_t pid);
void memory_sampler_close(struct memory_sampler *sampler);

/* Takes a sample if that is due at `now_ns`, which is `time_ns` in the trace. */
enum lo_result memory_sampler_look(struct memory_sampler *sampler, struct trace_writer *writer,
		uint64_t now_ns, uint64_t time_ns, struct lo_error *err);

#endif
