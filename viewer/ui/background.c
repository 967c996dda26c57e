#include "viewer/ui/background.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum lo_result background_init(struct background *background, struct lo_error *err)
{
	*background = (struct background){ .wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) };
	if (background->wake_fd < 0)
		return lo_fail_errno(err, errno, "cannot make an event descriptor");
	return LO_OK;
}

void background_release(struct background *background)
{
	background_stop(background);
	if (background->wake_fd >= 0)
		close(background->wake_fd);
	background->wake_fd = -1;
}

static void wake(struct background *background)
{
	uint64_t one = 1;
	ssize_t ignored = write(background->wake_fd, &one, sizeof(one));

	(void)ignored; /* a full counter wakes as well */
}

static bool step(void *context, uint64_t done, uint64_t total)
{
	struct background *background = context;
	unsigned percent = total ? (unsigned)(100.0 * (double)done / (double)total) : 0;

	if (atomic_exchange_explicit(&background->percent, percent, memory_order_relaxed) !=
			percent)
		wake(background);
	return !atomic_load_explicit(&background->stop, memory_order_relaxed);
}

static void *work(void *context)
{
	struct background *background = context;
	struct progress progress = { step, background };

	background->result = background->run(background->context, &progress, &background->err);
	/* Release: whoever sees `done` sees the result and all that `run` wrote. */
	atomic_store_explicit(&background->done, true, memory_order_release);
	wake(background);
	return NULL;
}

enum lo_result background_start(struct background *background, background_run run, void *context,
		struct lo_error *err)
{
	sigset_t all;
	sigset_t before;
	int failure;

	background->run = run;
	background->context = context;
	background->err = (struct lo_error){ .offset = LO_NO_OFFSET };
	atomic_store(&background->stop, false);
	atomic_store(&background->done, false);
	atomic_store(&background->percent, 0);
	/* Signals are for the main thread, which sleeps in poll(). */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failure = pthread_create(&background->thread, NULL, work, background);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failure)
		return lo_fail_errno(err, failure, "cannot start a thread");
	background->started = true;
	return LO_OK;
}

bool background_take(struct background *background, enum lo_result *result, struct lo_error *err)
{
	uint64_t count;
	ssize_t ignored = read(background->wake_fd, &count, sizeof(count));

	(void)ignored; /* nothing to read is fine */
	if (!background->started || !atomic_load_explicit(&background->done, memory_order_acquire))
		return false;
	pthread_join(background->thread, NULL);
	background->started = false;
	*result = background->result;
	*err = background->err;
	return true;
}

unsigned background_percent(const struct background *background)
{
	return atomic_load_explicit(&background->percent, memory_order_relaxed);
}

void background_stop(struct background *background)
{
	if (!background->started)
		return;
	atomic_store(&background->stop, true);
	pthread_join(background->thread, NULL);
	background->started = false;
}
