#ifndef LOITER_TESTS_BENCH_WORKLOAD_H
#define LOITER_TESTS_BENCH_WORKLOAD_H

#include <stdint.h>

/*
 * What every workload shares: its options and the line it prints at the end,
 *
 *     NAME ops 100000 cpu_ns 374000000 wall_ns 380000000
 *
 * where cpu_ns is the CPU time of the whole program, user and system, from its start: under the
 * recorder it contains what the recording costs inside the program, but not the recorder process.
 */
struct workload {
	const char *name;
	uint64_t ops;     /* -n: how many operations, what that is says each workload */
	unsigned threads; /* -t */
	unsigned depth;   /* -d: call depth at which it blocks */
	unsigned cpus;    /* -c: run on so few CPUs; 0: wherever the kernel likes */
	uint64_t start_ns;
};

/* Reads the options over the defaults in `workload` and pins the process. Ends the program with
 * status 2 and a sentence if it is asked for something else. */
void workload_begin(struct workload *workload, int argc, char **argv);

/* Prints the line. Returns the exit status of the program. */
int workload_end(const struct workload *workload);

#endif
