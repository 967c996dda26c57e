/*
 * Two locks, taken in opposite order: a deadlock.
 *
 * A small warehouse keeps its stock and its ledger behind one lock each. "shipping" takes the stock
 * first and then the ledger, order after order, and all is well. One second into the day "auditor",
 * which so far read only the ledger, begins its yearly audit: ledger first, then stock. Each soon
 * holds what the other wants. The two "clerk" threads have nothing to do with it and stay healthy.
 *
 * See it:  loiter record -o deadlock.loiter -- two_lock_deadlock
 *          loiter deadlock.loiter      the cycle is the first line of the findings; its detail
 * names both locks, both holders and both places End:     main waits for threads that never end, so
 * alarm() plays the administrator who kills a service that hangs: the program dies of SIGALRM after
 * SECONDS.
 *
 * Usage: two_lock_deadlock [SECONDS [SEED]]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define AUDIT_AFTER_US 1000000u
#define PACKING_US     30000u /* longer than RESTING_US: the audit cannot slip through for long */
#define COUNTING_US    30000u
#define RESTING_US     10000u

static pthread_mutex_t stock_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t ledger_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t desk_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned stock = 1000, booked, letters;

static void ship_order(void)
{
	pthread_mutex_lock(&stock_lock);
	stock--;
	usleep(PACKING_US);
	pthread_mutex_lock(&ledger_lock);
	booked++;
	pthread_mutex_unlock(&ledger_lock);
	pthread_mutex_unlock(&stock_lock);
}

static void read_ledger(void)
{
	pthread_mutex_lock(&ledger_lock);
	usleep(RESTING_US);
	pthread_mutex_unlock(&ledger_lock);
}

/* The mistake: everybody else takes the stock first. */
static void audit_stock(void)
{
	pthread_mutex_lock(&ledger_lock);
	usleep(COUNTING_US);
	pthread_mutex_lock(&stock_lock);
	printf("audit: %u in stock, %u booked\n", stock, booked);
	pthread_mutex_unlock(&stock_lock);
	pthread_mutex_unlock(&ledger_lock);
}

static void *run_shipping(void *unused)
{
	(void)unused;
	for (;;) {
		ship_order();
		usleep(RESTING_US);
	}
	return NULL;
}

static void *run_auditor(void *unused)
{
	(void)unused;
	for (unsigned passed_us = 0; passed_us < AUDIT_AFTER_US; passed_us += 5 * RESTING_US) {
		read_ledger();
		usleep(4 * RESTING_US);
	}
	puts("auditor: the yearly audit begins");
	fflush(stdout);
	for (;;)
		audit_stock();
	return NULL;
}

static void *run_clerk(void *argument)
{
	unsigned *seed = argument;

	for (;;) {
		pthread_mutex_lock(&desk_lock);
		letters++;
		usleep(1000);
		pthread_mutex_unlock(&desk_lock);
		usleep(2000 + (unsigned)rand_r(seed) % 6000);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 3;
	unsigned seed = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
	unsigned clerk_seeds[2] = { seed, seed + 1 };
	pthread_t shipping, auditor, clerks[2];

	alarm(seconds);
	pthread_create(&shipping, NULL, run_shipping, NULL);
	pthread_setname_np(shipping, "shipping");
	pthread_create(&auditor, NULL, run_auditor, NULL);
	pthread_setname_np(auditor, "auditor");
	for (int i = 0; i < 2; i++) {
		pthread_create(&clerks[i], NULL, run_clerk, &clerk_seeds[i]);
		pthread_setname_np(clerks[i], "clerk");
	}
	pthread_join(shipping, NULL);
	pthread_join(auditor, NULL);
	return 0;
}
