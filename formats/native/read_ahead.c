#include "formats/native/read_ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* What the one slot holds. */
enum slot {
	SLOT_EMPTY,
	SLOT_WANTED, /* the thread is to decode, or decodes, block `number` */
	SLOT_READY,  /* `block` is it, NULL if it cannot be had */
};

struct read_ahead {
	struct trace_reader *reader;
	enum trace_detail detail;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop;
	enum slot slot;
	uint32_t number;
	const struct cached_block *block;
};

static void *run(void *context)
{
	struct read_ahead *ahead = context;

	pthread_mutex_lock(&ahead->lock);
	for (;;) {
		const struct cached_block *block;
		uint32_t number;

		while (!ahead->stop && ahead->slot != SLOT_WANTED)
			pthread_cond_wait(&ahead->changed, &ahead->lock);
		if (ahead->stop)
			break;
		number = ahead->number;
		pthread_mutex_unlock(&ahead->lock);
		block = trace_block_prepare(ahead->reader, number, ahead->detail);
		pthread_mutex_lock(&ahead->lock);
		ahead->slot = SLOT_READY;
		ahead->block = block;
		pthread_cond_broadcast(&ahead->changed);
	}
	pthread_mutex_unlock(&ahead->lock);
	return NULL;
}

/* Signals are for the threads of the program. */
static int start_thread(struct read_ahead *ahead)
{
	sigset_t all;
	sigset_t before;
	int status;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	status = pthread_create(&ahead->thread, NULL, run, ahead);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return status;
}

enum lo_result read_ahead_start(struct read_ahead **out, struct trace_reader *reader,
		enum trace_detail detail, struct lo_error *err)
{
	struct read_ahead *ahead = calloc(1, sizeof(*ahead));

	if (!ahead)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to read ahead");
	ahead->reader = reader;
	ahead->detail = detail;
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->changed, NULL);
	if (start_thread(ahead) != 0) {
		pthread_cond_destroy(&ahead->changed);
		pthread_mutex_destroy(&ahead->lock);
		free(ahead);
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no thread to read ahead");
	}
	*out = ahead;
	return LO_OK;
}

/* Waits until the thread is done with the slot, and empties it. */
static void empty_slot(struct read_ahead *ahead)
{
	while (ahead->slot == SLOT_WANTED)
		pthread_cond_wait(&ahead->changed, &ahead->lock);
	if (ahead->slot == SLOT_READY)
		trace_block_release(ahead->reader, ahead->block);
	ahead->slot = SLOT_EMPTY;
}

void read_ahead_stop(struct read_ahead *ahead)
{
	if (!ahead)
		return;
	pthread_mutex_lock(&ahead->lock);
	empty_slot(ahead);
	ahead->stop = true;
	pthread_cond_broadcast(&ahead->changed);
	pthread_mutex_unlock(&ahead->lock);
	pthread_join(ahead->thread, NULL);
	pthread_cond_destroy(&ahead->changed);
	pthread_mutex_destroy(&ahead->lock);
	free(ahead);
}

void read_ahead_want(struct read_ahead *ahead, uint32_t number)
{
	pthread_mutex_lock(&ahead->lock);
	if (ahead->slot == SLOT_EMPTY || ahead->number != number) {
		empty_slot(ahead);
		ahead->slot = SLOT_WANTED;
		ahead->number = number;
		pthread_cond_broadcast(&ahead->changed);
	}
	pthread_mutex_unlock(&ahead->lock);
}

const struct cached_block *read_ahead_take(struct read_ahead *ahead, uint32_t number)
{
	const struct cached_block *block = NULL;

	pthread_mutex_lock(&ahead->lock);
	if (ahead->slot != SLOT_EMPTY && ahead->number == number) {
		while (ahead->slot == SLOT_WANTED)
			pthread_cond_wait(&ahead->changed, &ahead->lock);
		block = ahead->block;
		ahead->slot = SLOT_EMPTY;
	}
	pthread_mutex_unlock(&ahead->lock);
	return block;
}
