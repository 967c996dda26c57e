/*
 * Eight threads that block and wake each other all the time, and four that are stuck for ever, each
 * on something else. Says "ready PID" when all are at it, then "alive N" as long as it runs.
 * SIGTERM: says "clean" and ends with status 7; with the argument "deaf" it ignores SIGTERM.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAIRS 4

struct pair {
	pthread_mutex_t lock;
	pthread_cond_t turn_changed;
	int turn;
};

static struct pair pairs[PAIRS];
static pthread_mutex_t held_for_ever = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t wait_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never_signalled = PTHREAD_COND_INITIALIZER;
static sem_t never_posted;
static int quiet_pipe[2];
static volatile sig_atomic_t asked_to_end;

static void *play(void *argument)
{
	size_t number = (size_t)argument;
	struct pair *pair = &pairs[number / 2];
	int mine = (int)(number % 2);

	pthread_mutex_lock(&pair->lock);
	for (;;) {
		while (pair->turn != mine)
			pthread_cond_wait(&pair->turn_changed, &pair->lock);
		pair->turn = !mine;
		pthread_cond_signal(&pair->turn_changed);
	}
	return NULL;
}

static void *wait_for_mutex(void *argument)
{
	pthread_mutex_lock(&held_for_ever);
	return argument;
}

static void *wait_for_cond(void *argument)
{
	pthread_mutex_lock(&wait_lock);
	for (;;)
		pthread_cond_wait(&never_signalled, &wait_lock);
	return argument;
}

static void *wait_for_sem(void *argument)
{
	while (sem_wait(&never_posted) != 0)
		;
	return argument;
}

static void *wait_for_pipe(void *argument)
{
	char byte;

	while (read(quiet_pipe[0], &byte, 1) < 0)
		;
	return argument;
}

static void start(const char *name, void *(*routine)(void *), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, routine, argument) != 0)
		exit(1);
	pthread_setname_np(thread, name);
	pthread_detach(thread);
}

static void end(int number)
{
	(void)number;
	asked_to_end = 1;
}

static void pause_ms(long ms)
{
	const struct timespec pause = { 0, ms * 1000000 };

	nanosleep(&pause, NULL);
}

int main(int argc, char **argv)
{
	const struct sigaction action = {
		.sa_handler = argc > 1 && strcmp(argv[1], "deaf") == 0 ? SIG_IGN : end
	};

	sigaction(SIGTERM, &action, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (pipe(quiet_pipe) != 0 || sem_init(&never_posted, 0, 0) != 0)
		return 1;
	pthread_mutex_lock(&held_for_ever);
	start("stuck-mutex", wait_for_mutex, NULL);
	start("stuck-cond", wait_for_cond, NULL);
	start("stuck-sem", wait_for_sem, NULL);
	start("stuck-read", wait_for_pipe, NULL);
	for (size_t i = 0; i < PAIRS; i++) {
		pthread_mutex_init(&pairs[i].lock, NULL);
		pthread_cond_init(&pairs[i].turn_changed, NULL);
	}
	for (size_t i = 0; i < 2 * PAIRS; i++)
		start("busy", play, (void *)i);
	pause_ms(100);
	printf("ready %d\n", (int)getpid());
	for (int i = 0; !asked_to_end; i++) {
		printf("alive %d\n", i);
		pause_ms(50);
	}
	puts("clean");
	return 7;
}
