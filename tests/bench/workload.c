#include "tests/bench/workload.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t timeval_ns(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

/* Keeps the first `count` of the CPUs it may use. */
static void pin_to(unsigned count)
{
	cpu_set_t may_use, keep;

	CPU_ZERO(&keep);
	sched_getaffinity(0, sizeof(may_use), &may_use);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE && count; cpu++) {
		if (CPU_ISSET(cpu, &may_use)) {
			CPU_SET(cpu, &keep);
			count--;
		}
	}
	if (sched_setaffinity(0, sizeof(keep), &keep) != 0) {
		perror("cannot pin to so many CPUs");
		exit(2);
	}
}

void workload_begin(struct workload *workload, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "n:t:d:c:")) != -1) {
		unsigned long long value = optarg ? strtoull(optarg, NULL, 10) : 0;

		switch (option) {
		case 'n':
			workload->ops = value;
			break;
		case 't':
			workload->threads = (unsigned)value;
			break;
		case 'd':
			workload->depth = (unsigned)value;
			break;
		case 'c':
			workload->cpus = (unsigned)value;
			break;
		default:
			fprintf(stderr, "usage: %s [-n OPERATIONS] [-t THREADS] [-d DEPTH] [-c CPUS]\n",
					argv[0]);
			exit(2);
		}
	}
	if (workload->cpus)
		pin_to(workload->cpus);
	workload->start_ns = wall_ns();
}

int workload_end(const struct workload *workload)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("%s ops %" PRIu64 " cpu_ns %" PRIu64 " wall_ns %" PRIu64 "\n", workload->name,
			workload->ops, timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime),
			wall_ns() - workload->start_ns);
	return 0;
}
