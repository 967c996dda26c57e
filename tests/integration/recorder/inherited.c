/*
 * Prints what a program inherits, so that two runs can be compared: signal mask and actions,
 * descriptors, process group, session, directory, limits, and the environment without the
 * recorder's own variables.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

extern char **environ;

static void print_signals(void)
{
	sigset_t mask;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int i = 1; i < NSIG; i++) {
		struct sigaction action;

		if (sigaction(i, NULL, &action) != 0)
			continue;
		printf("signal %d %s %s\n", i, sigismember(&mask, i) == 1 ? "blocked" : "open",
				action.sa_handler == SIG_IGN ? "ignored" : "default");
	}
}

static void print_descriptors(void)
{
	for (int fd = 0; fd < 1024; fd++) {
		char link[64];
		char target[256];
		ssize_t length;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		length = readlink(link, target, sizeof(target) - 1);
		if (length < 0)
			continue;
		target[length] = '\0';
		/* Pipes and files of the two runs differ in their numbers and names. */
		printf("descriptor %d flags %x %.5s\n", fd, (unsigned)fcntl(fd, F_GETFD), target);
	}
}

static int is_the_recorder_s(const char *variable)
{
	return strncmp(variable, "LD_PRELOAD=", 11) == 0 || strncmp(variable, "LOITER_", 7) == 0 ||
	       strncmp(variable, "_=", 2) == 0;
}

int main(void)
{
	char directory[4096];
	struct rlimit limit;

	print_signals();
	print_descriptors();
	printf("group %s\n", getpgrp() == getpid() ? "own" : "inherited");
	printf("session %d\n", (int)getsid(0));
	printf("directory %s\n", getcwd(directory, sizeof(directory)));
	for (int i = 0; i < RLIMIT_NLIMITS; i++)
		if (getrlimit((__rlimit_resource_t)i, &limit) == 0)
			printf("limit %d %llu %llu\n", i, (unsigned long long)limit.rlim_cur,
					(unsigned long long)limit.rlim_max);
	for (char **variable = environ; *variable; variable++)
		if (!is_the_recorder_s(*variable))
			puts(*variable);
	return 0;
}
