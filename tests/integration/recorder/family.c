/*
 * Has a child in one of several ways; both block for a moment in a thread of their own. The child
 * ends with status 5, the parent with 4. Usage: family fork|vfork|spawn|exec|child|leave|quit|kill
 */
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void *rest(void *argument)
{
	const struct timespec pause = { 0, 30000000 };

	nanosleep(&pause, NULL);
	return argument;
}

static void block_in_a_thread(const char *name)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, rest, NULL) != 0)
		_exit(1);
	pthread_setname_np(thread, name);
	pthread_join(thread, NULL);
}

/* Ends when the child has recorded something. */
static void leave_child_behind(void)
{
	char byte = 0;
	int fds[2];

	if (pipe(fds) != 0)
		exit(1);
	if (fork() == 0) {
		block_in_a_thread("child thread");
		if (write(fds[1], &byte, 1) == 1)
			sleep(2);
		_exit(0);
	}
	if (read(fds[0], &byte, 1) != 1)
		exit(1);
	exit(4);
}

static void *wait_for_nobody(void *argument)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

	pthread_mutex_lock(&mutex);
	for (;;)
		pthread_cond_wait(&cond, &mutex);
	return argument;
}

/* The child has a thread that is stuck when it ends: by itself, or because it is killed. */
static void have_stuck_child(int kills)
{
	const struct timespec pause = { 0, 30000000 };
	pthread_t thread;
	pid_t child = fork();

	if (child == 0) {
		if (pthread_create(&thread, NULL, wait_for_nobody, NULL) != 0)
			_exit(1);
		pthread_setname_np(thread, "stuck thread");
		nanosleep(&pause, NULL);
		if (kills)
			raise(SIGKILL);
		_exit(5);
	}
	waitpid(child, NULL, 0);
	nanosleep(&pause, NULL);
	exit(4);
}

static pid_t have_child(const char *way)
{
	char *arguments[] = { (char *)"family", (char *)"child", NULL };
	pid_t child = -1;

	if (strcmp(way, "fork") == 0) {
		child = fork();
		if (child == 0) {
			block_in_a_thread("child thread");
			_exit(5);
		}
	} else if (strcmp(way, "vfork") == 0) {
		child = vfork();
		if (child == 0) {
			execv("/proc/self/exe", arguments);
			_exit(1);
		}
	} else if (strcmp(way, "spawn") == 0) {
		if (posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ) != 0)
			exit(1);
	} else if (strcmp(way, "exec") == 0) {
		execv("/proc/self/exe", arguments);
		exit(1);
	} else if (strcmp(way, "leave") == 0) {
		leave_child_behind();
	} else if (strcmp(way, "quit") == 0 || strcmp(way, "kill") == 0) {
		have_stuck_child(strcmp(way, "kill") == 0);
	} else {
		exit(1);
	}
	return child;
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";
	int status = 0;
	pid_t child;

	if (strcmp(way, "child") == 0) {
		block_in_a_thread("child thread");
		return 5;
	}
	block_in_a_thread("parent thread");
	child = have_child(way);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 5)
		return 1;
	printf("the child has ended\n");
	return 4;
}
