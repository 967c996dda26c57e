#ifndef LOITER_TESTS_SUPPORT_SHIM_RECORDING_H
#define LOITER_TESTS_SUPPORT_SHIM_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "recorder/ring/segment.h"

/*
 * A recorder for tests of the preload library: runs a program under it and keeps every record as
 * it was, without merging, numbering or repairing anything. Trusts the program.
 */
struct shim_options {
	const char *library; /* path of libloiter-preload.so */
	enum segment_clock clock;
	uint64_t io_threshold_ns;
	uint32_t stack_depth;
	bool follow_children;
	bool slow;          /* empties the rings only when the program has ended */
	bool discard;       /* counts the records and forgets them */
	uint32_t stop_ms;   /* stops recording after this time; 0: never */
	const char *output; /* standard output of the program goes to this file; NULL: to ours */
	/* What is wrong with the segment that the program is shown. */
	enum shim_damage {
		SHIM_DAMAGE_NONE,
		SHIM_DAMAGE_NO_FILE,
		SHIM_DAMAGE_GARBAGE,
		SHIM_DAMAGE_SHORT,
		SHIM_DAMAGE_TOKEN,
		SHIM_DAMAGE_VERSION,
		SHIM_DAMAGE_DIRECTORY,
	} damage;
};

struct shim_record {
	uint32_t process; /* from 0, in the order of their beginning */
	uint32_t task;    /* of the ring's owner */
	bool armed;       /* never published: still armed when the program died */
	struct event event;
};

struct shim_process {
	uint32_t slot;
	uint32_t generation;
	uint32_t pid;
	uint32_t parent_pid;
	uint32_t main_task;
	uint32_t modules;
	bool forked;
	bool replaced;
};

struct shim_recording {
	int status;                  /* as wait() gives it */
	struct shim_record *records; /* in the order of each ring; rings one after the other */
	size_t count;
	struct shim_process *processes;
	size_t process_count;
	uint64_t lost_full;
	uint64_t lost_nested;
	uint64_t lost_no_ring;
	uint64_t taken;    /* pending events that were taken while the program lived */
	uint64_t failures; /* broken invariants, each printed to stderr */
	struct segment *segment;
};

/* Ends the test program with a message when the machine does not let it work. */
void shim_recording_run(struct shim_recording *recording, const struct shim_options *options,
		char *const command[]);
void shim_recording_release(struct shim_recording *recording);

/* One line for each record, task after task: see docs in shim_recording.c. */
void shim_recording_print(const struct shim_recording *recording, FILE *out);

#endif
