#include "recorder/drain/signals.h"

#include <errno.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "formats/base/macros.h"

/* What is passed on. The program decides what they mean; these are commonly sent by people. */
static const struct {
	int number;
	bool ends;
} passed_signals[] = {
	{ SIGINT, true },
	{ SIGTERM, true },
	{ SIGHUP, true },
	{ SIGQUIT, true },
	{ SIGUSR1, false },
	{ SIGUSR2, false },
};

/*
 * Actions the recorder needs for itself. A reader of stderr that has gone, or a file that may not
 * grow, is an error to report, not a reason to die; children must be waited for.
 */
static const struct {
	int number;
	void (*handler)(int);
} own_actions[] = {
	{ SIGPIPE, SIG_IGN },
	{ SIGXFSZ, SIG_IGN },
	{ SIGCHLD, SIG_DFL },
};

int signals_init(struct signals *signals)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	for (size_t i = 0; i < LO_COUNT_OF(passed_signals); i++)
		sigaddset(&mask, passed_signals[i].number);
	for (size_t i = 0; i < LO_COUNT_OF(own_actions); i++) {
		struct sigaction action = { .sa_handler = own_actions[i].handler };

		sigaction(own_actions[i].number, &action,
				&signals->old_actions[own_actions[i].number]);
	}
	sigprocmask(SIG_BLOCK, &mask, &signals->old_mask);
	signals->fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals->fd < 0) {
		int error = errno;

		signals_restore(signals);
		return error;
	}
	return 0;
}

void signals_restore(const struct signals *signals)
{
	for (size_t i = 0; i < LO_COUNT_OF(own_actions); i++)
		sigaction(own_actions[i].number, &signals->old_actions[own_actions[i].number],
				NULL);
	sigprocmask(SIG_SETMASK, &signals->old_mask, NULL);
}

void signals_release(struct signals *signals)
{
	if (signals->fd >= 0)
		close(signals->fd);
	signals->fd = -1;
}

bool signals_next(struct signals *signals, struct signal_news *news)
{
	struct signalfd_siginfo info;

	while (read(signals->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		for (size_t i = 0; i < LO_COUNT_OF(passed_signals); i++) {
			if ((int)info.ssi_signo != passed_signals[i].number)
				continue;
			*news = (struct signal_news){ passed_signals[i].number, info.ssi_code <= 0,
				passed_signals[i].ends };
			return true;
		}
	}
	return false;
}
