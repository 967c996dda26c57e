#ifndef LOITER_UI_BACKGROUND_H
#define LOITER_UI_BACKGROUND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/base/progress.h"

/*
 * One long piece of work at a time in a thread of its own, so that keys are answered while events
 * are read. The main thread starts it, polls `wake_fd`, and takes the result; the worker touches
 * nothing but what `run` is given. `context` must stay valid until background_take() or
 * background_stop() has returned.
 */
typedef enum lo_result (*background_run)(
		void *context, const struct progress *progress, struct lo_error *err);

struct background {
	pthread_t thread;
	bool started; /* a thread is running, or done and not yet taken */
	background_run run;
	void *context;
	enum lo_result result;
	struct lo_error err;
	atomic_bool stop;
	atomic_bool done;
	atomic_uint percent;
	int wake_fd; /* becomes readable when the work has made visible progress or is done */
};

enum lo_result background_init(struct background *background, struct lo_error *err);
/* Stops the work and waits for it. */
void background_release(struct background *background);

enum lo_result background_start(struct background *background, background_run run, void *context,
		struct lo_error *err);
/* Clears wake_fd. True when the work is over: stores how it went. */
bool background_take(struct background *background, enum lo_result *result, struct lo_error *err);
unsigned background_percent(const struct background *background);
/* Ask to stop and wait until it has; the result is thrown away. */
void background_stop(struct background *background);

#endif
