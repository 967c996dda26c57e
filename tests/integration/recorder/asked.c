/*
 * Counts the signals it gets until it has been quiet for a second, then prints "got N NUMBER" for
 * each kind and ends with status 0. Says "ready PID" first.
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t got[NSIG];

static void count(int number)
{
	got[number]++;
}

int main(void)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 };
	struct sigaction action = { .sa_handler = count };
	const struct timespec pause = { 0, 20000000 };
	int total = 0;
	int seen;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	for (int quiet = 0; quiet < 50; quiet++) {
		nanosleep(&pause, NULL);
		seen = 0;
		for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
			seen += got[numbers[i]];
		if (seen != total || seen == 0)
			quiet = 0;
		total = seen;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (got[numbers[i]])
			printf("got %d %d\n", (int)got[numbers[i]], numbers[i]);
	return 0;
}
