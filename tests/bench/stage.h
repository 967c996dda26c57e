#ifndef LOITER_BENCH_STAGE_H
#define LOITER_BENCH_STAGE_H

/*
 * One step of a benchmark in a process of its own, so that its memory is its own and nothing is
 * warm that should not be. What it found out goes back to the caller as numbers.
 */
#define STAGE_NUMBERS 32

struct stage_result {
	double cpu_s;
	double wall_s;
	double peak_mib; /* resident, of the process */
	double numbers[STAGE_NUMBERS];
};

/* Runs `step`, which exits with a status other than 0 to fail; then the benchmark ends, too. */
struct stage_result stage_run(void (*step)(void *context, double *numbers), void *context);

/* CPU time of the process and time of the clock, in seconds. */
double stage_cpu_s(void);
double stage_wall_s(void);

/* Of `count` numbers, which are sorted; `part` 0.5 is the median. */
double stage_quantile(double *numbers, unsigned count, double part);

#endif
