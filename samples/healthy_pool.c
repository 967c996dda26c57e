/*
 * A service at rest: nearly everything is blocked and nothing is wrong.
 *
 * Six workers wait on a condition for jobs, "timer" posts a job now and then, "acceptor" waits for
 * connections on a loopback socket, "health check" makes one every quarter of a second, and main
 * waits in a join for the acceptor. A tool that shouts here is a tool that will be ignored when it
 * matters.
 *
 * See it:  loiter record -o healthy.loiter -- healthy_pool
 *          loiter healthy.loiter       "nothing stuck"; the waits are listed as parked on purpose,
 *                                      each with the reason why
 * End:     a service has no end of its own: alarm() plays the administrator who stops it, so it
 *          dies of SIGALRM after SECONDS.
 *
 * Usage: healthy_pool [SECONDS [SEED]]
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WORKERS         6
#define JOB_US          2000u
#define TIMER_US        100000u
#define HEALTH_CHECK_US 250000u

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_filled = PTHREAD_COND_INITIALIZER;
static unsigned jobs_waiting, jobs_done;

static void take_job(void)
{
	pthread_mutex_lock(&queue_lock);
	while (jobs_waiting == 0)
		pthread_cond_wait(&queue_filled, &queue_lock);
	jobs_waiting--;
	jobs_done++;
	pthread_mutex_unlock(&queue_lock);
}

static void *run_worker(void *unused)
{
	(void)unused;
	for (;;) {
		take_job();
		usleep(JOB_US);
	}
	return NULL;
}

static void post_job(void)
{
	pthread_mutex_lock(&queue_lock);
	jobs_waiting++;
	pthread_cond_signal(&queue_filled);
	pthread_mutex_unlock(&queue_lock);
}

static void *run_timer(void *argument)
{
	unsigned *seed = argument;

	for (;;) {
		usleep(TIMER_US + (unsigned)rand_r(seed) % TIMER_US);
		post_job();
	}
	return NULL;
}

static void *accept_connections(void *argument)
{
	int *listener = argument;

	for (;;) {
		int connection = accept(*listener, NULL, NULL);

		if (connection >= 0) {
			post_job();
			close(connection);
		}
	}
	return NULL;
}

static void *check_health(void *argument)
{
	struct sockaddr_in *address = argument;

	for (;;) {
		int connection = socket(AF_INET, SOCK_STREAM, 0);

		if (connect(connection, (struct sockaddr *)address, sizeof(*address)) != 0)
			perror("health check");
		close(connection);
		usleep(HEALTH_CHECK_US);
	}
	return NULL;
}

/* Listens on a free port of the loopback address and tells which in `address`. */
static int listen_on_loopback(struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)address, size) != 0 || listen(listener, 16) != 0 ||
			getsockname(listener, (struct sockaddr *)address, &size) != 0) {
		perror("cannot listen on the loopback address");
		exit(1);
	}
	return listener;
}

int main(int argc, char **argv)
{
	unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 3;
	unsigned seed = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
	struct sockaddr_in address;
	int listener = listen_on_loopback(&address);
	pthread_t workers[WORKERS], timer, acceptor, checker;

	alarm(seconds);
	for (int i = 0; i < WORKERS; i++) {
		pthread_create(&workers[i], NULL, run_worker, NULL);
		pthread_setname_np(workers[i], "worker");
	}
	pthread_create(&timer, NULL, run_timer, &seed);
	pthread_setname_np(timer, "timer");
	pthread_create(&acceptor, NULL, accept_connections, &listener);
	pthread_setname_np(acceptor, "acceptor");
	pthread_create(&checker, NULL, check_health, &address);
	pthread_setname_np(checker, "health check");
	pthread_join(acceptor, NULL);
	return 0;
}
