#ifndef LOITER_DRAIN_SIGNALS_H
#define LOITER_DRAIN_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/*
 * Signals while the recorder stands between a program and whoever looks after it.
 *
 * The recorder blocks them and reads them from a descriptor, so none is lost and none interrupts.
 * What comes from the terminal the program has got too, as a member of the same process group;
 * what another process sends to the recorder was meant for the program and is passed on.
 */
struct signals {
	sigset_t old_mask;
	struct sigaction old_actions[NSIG];
	int fd; /* signalfd, close-on-exec */
};

struct signal_news {
	int number;
	bool sent; /* by a process, not by the terminal or the kernel */
	bool ends; /* whoever sends it wants an end */
};

/* Returns 0 or an errno value. Call before any thread is made. */
int signals_init(struct signals *signals);
/* Closes the descriptor. The signals stay blocked: the recorder's status is the program's. */
void signals_release(struct signals *signals);

/*
 * In the child, before exec: the program begins with exactly the mask and the actions that the
 * recorder began with. Async-signal-safe.
 */
void signals_restore(const struct signals *signals);

/* The next signal that came; false when there is none. SIGCHLD is not reported. */
bool signals_next(struct signals *signals, struct signal_news *news);

#endif
