#include "tests/bench/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double stage_cpu_s(void)
{
	return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

double stage_wall_s(void)
{
	return seconds(CLOCK_MONOTONIC);
}

static _Noreturn void run_in_child(
		void (*step)(void *context, double *numbers), void *context, int out)
{
	struct stage_result result = { 0 };
	double cpu_s = stage_cpu_s();
	double wall_s = stage_wall_s();
	struct rusage usage;

	step(context, result.numbers);
	result.cpu_s = stage_cpu_s() - cpu_s;
	result.wall_s = stage_wall_s() - wall_s;
	getrusage(RUSAGE_SELF, &usage);
	result.peak_mib = (double)usage.ru_maxrss / 1024;
	_exit(write(out, &result, sizeof(result)) != sizeof(result));
}

struct stage_result stage_run(void (*step)(void *context, double *numbers), void *context)
{
	struct stage_result result;
	int pipe_ends[2];
	int status;
	pid_t child;

	fflush(NULL);
	if (pipe(pipe_ends) != 0 || (child = fork()) < 0) {
		perror("cannot start a process");
		exit(1);
	}
	if (child == 0)
		run_in_child(step, context, pipe_ends[1]);
	close(pipe_ends[1]);
	if (read(pipe_ends[0], &result, sizeof(result)) != sizeof(result) ||
			waitpid(child, &status, 0) < 0 || status != 0) {
		fprintf(stderr, "a step has failed\n");
		exit(1);
	}
	close(pipe_ends[0]);
	return result;
}

static int ascending(const void *left, const void *right)
{
	double a = *(const double *)left;
	double b = *(const double *)right;

	return (a > b) - (a < b);
}

double stage_quantile(double *numbers, unsigned count, double part)
{
	qsort(numbers, count, sizeof(*numbers), ascending);
	return numbers[(unsigned)(part * (count - 1) + 0.5)];
}
