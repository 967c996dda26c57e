#ifndef LOITER_TESTS_PIPELINE_H
#define LOITER_TESTS_PIPELINE_H

#include <stddef.h>

#include "formats/base/byte_buffer.h"
#include "formats/native/trace_reader.h"
#include "recorder/drain/process_watch.h"
#include "recorder/drain/stream.h"

/*
 * The recorder from the rings to a file in memory, without a traced program: a test plays the
 * program by writing into the segment, and reads what the file says about it. One thread.
 *
 * Times in records are given in ns from the pipeline's beginning and are made to lie in the past.
 */
struct pipeline {
	struct segment_owner owner;
	struct tick_clock clock;
	struct drain *drain;
	struct stream stream;
	struct process_watch watch;
	struct trace_writer *writer;
	struct byte_buffer bytes; /* the file */
	uint64_t base;            /* ticks = ns */
	uint32_t rings;
	struct trace_reader *reader;
	char *text;
	size_t text_size;
};

void pipeline_init(struct pipeline *pipeline);
void pipeline_release(struct pipeline *pipeline);

/* A process with this pid takes slot `slot`; numbers up to `tasks` are given out, 1 is main. */
void pipeline_process(struct pipeline *pipeline, uint32_t slot, uint32_t pid, uint32_t tasks);

/* A task of the process takes the next ring; returns its index. */
uint32_t pipeline_ring(struct pipeline *pipeline, uint32_t slot, uint32_t task, uint32_t tid);

/* Publishes a record; `time_ns` as said above. */
void pipeline_push(struct pipeline *pipeline, uint32_t ring, struct event record);
void pipeline_close_ring(struct pipeline *pipeline, uint32_t ring);

/* Stores a stack in the arena of a process and returns its id. */
uint32_t pipeline_stack(struct pipeline *pipeline, uint32_t slot, uint32_t id, uint32_t depth,
		const uint64_t *addresses);

/* Collects and lets out what is due by now. `final`: everything, and nothing comes after. */
void pipeline_pump(struct pipeline *pipeline, bool final);

/*
 * Ends the recording and tells the events of the file, one a line, without their times:
 *   "create 2 by 1", "run 2", "block 2 mutex lock mutex 10 by 3 flags 4", "unblock 2 by 3", "exit
 * 2" and at the end a line "lost N CAUSE" for each cause. Owned by the pipeline.
 */
const char *pipeline_finish(struct pipeline *pipeline);

/* After that: does the file keep its promises about tasks (see translate.h)? */
bool pipeline_is_sound(struct pipeline *pipeline);

#endif
