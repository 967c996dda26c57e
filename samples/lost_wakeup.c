/*
 * A signal that nobody heard: a lost wake-up.
 *
 * "printer" waits for a bell and prints an order whenever it rings. It never looks at the order
 * book before it waits. As long as the bell rings while it waits, that goes well. Then main rings
 * for closing time while the printer is still busy with the last order: nobody waits, a condition
 * variable remembers nothing, and the printer goes to wait for a bell that will not ring again.
 * main waits for the printer to end.
 *
 * See it:  loiter record -o lost.loiter -- lost_wakeup
 *          loiter lost.loiter          findings: printer stuck in a condition wait, main in a join
 *                                      on it; the detail tells who used to wake it, and when last
 *          press 2 for the timeline:   the healthy half second, then one long wait
 * End:     "watchdog" sees no progress, complains and ends the program with status 3.
 *
 * The repair is one line: `while (!order_waiting && !closing)` around pthread_cond_wait().
 *
 * Usage: lost_wakeup [SECONDS [SEED]]
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ORDERS             6
#define PRINTING_US        60000u
#define BETWEEN_ORDERS_US  100000u /* the printer is back at the bell long before the next order */
#define STATUS_NO_PROGRESS 3

static pthread_mutex_t order_book = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t bell = PTHREAD_COND_INITIALIZER;
static bool closing;
static unsigned printed;

/* The mistake: waits for the bell, not for what the bell stands for. */
static bool wait_for_bell(void)
{
	bool open;

	pthread_mutex_lock(&order_book);
	pthread_cond_wait(&bell, &order_book);
	open = !closing;
	pthread_mutex_unlock(&order_book);
	return open;
}

static void *run_printer(void *unused)
{
	(void)unused;
	pthread_setname_np(pthread_self(), "printer");
	while (wait_for_bell()) {
		usleep(PRINTING_US);
		printed++;
	}
	return NULL;
}

static void place_order(void)
{
	pthread_mutex_lock(&order_book);
	pthread_cond_signal(&bell);
	pthread_mutex_unlock(&order_book);
}

static void close_shop(void)
{
	pthread_mutex_lock(&order_book);
	closing = true;
	pthread_cond_signal(&bell);
	pthread_mutex_unlock(&order_book);
}

static void *run_watchdog(void *argument)
{
	unsigned *seconds = argument;

	pthread_setname_np(pthread_self(), "watchdog");
	sleep(*seconds);
	fprintf(stderr, "watchdog: %u orders printed, no progress, giving up\n", printed);
	_exit(STATUS_NO_PROGRESS);
}

int main(int argc, char **argv)
{
	unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 3;
	unsigned seed = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
	pthread_t printer, watchdog;

	pthread_create(&watchdog, NULL, run_watchdog, &seconds);
	pthread_create(&printer, NULL, run_printer, NULL);
	for (int i = 0; i < ORDERS; i++) {
		usleep(BETWEEN_ORDERS_US + (unsigned)rand_r(&seed) % PRINTING_US);
		place_order();
	}
	usleep(PRINTING_US / 2); /* in the middle of the last order */
	close_shop();
	pthread_join(printer, NULL);
	puts("closed for today");
	return 0;
}
