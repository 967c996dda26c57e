/*
 * cpu_of FILE COMMAND [ARGUMENT...]
 *
 * Runs a command and appends "cpu_ns N wall_ns N status N" to FILE: the CPU time, user and system,
 * of the command and of every process it waited for. For a recording that is the program plus the
 * recorder. (A shell's own `time` counts in hundredths of a second.)
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
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

static int run(char **command)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		execvp(command[0], command);
		perror(command[0]);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0) {
		perror("cpu_of");
		return 127;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct rusage usage;
	uint64_t start_ns = wall_ns();
	FILE *out;
	int status;

	if (argc < 3) {
		fputs("usage: cpu_of FILE COMMAND [ARGUMENT...]\n", stderr);
		return 2;
	}
	status = run(argv + 2);
	getrusage(RUSAGE_CHILDREN, &usage);
	out = fopen(argv[1], "a");
	if (!out) {
		perror(argv[1]);
		return 2;
	}
	fprintf(out, "cpu_ns %" PRIu64 " wall_ns %" PRIu64 " status %d\n",
			timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime),
			wall_ns() - start_ns, status);
	return fclose(out) == 0 ? status : 2;
}
