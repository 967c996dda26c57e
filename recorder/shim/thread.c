#include "recorder/shim/thread.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "formats/model/object.h"
#include "recorder/ring/system_call.h"
#include "recorder/shim/shim.h"
#include "recorder/shim/wait.h"

__thread struct thread thread_self;

/*
 * The destructor of this key ends a thread, whichever way it ends: return, pthread_exit() or
 * cancellation. Destructors run in rounds as long as values are set again, PTHREAD_DESTRUCTOR_
 * ITERATIONS at most, and each round goes through the keys from the lowest up. Ours takes part in
 * every round and acts in the last; keys made after it may still run once more, unrecorded.
 *
 * The value is the round. Setting it allocates only for keys from KEYS_INLINE on, in glibc, so a
 * key as late as that is not used.
 */
#define KEYS_INLINE 32u
static pthread_key_t end_key;

/* A thread that got no ring looks again after so many ticks: a look at all rings is dear. */
#define RETRY_TICKS 1000000u

static void end_key_destructor(void *value)
{
	uintptr_t round = (uintptr_t)value;

	if (round >= PTHREAD_DESTRUCTOR_ITERATIONS)
		thread_end();
	else
		pthread_setspecific(end_key, (void *)(round + 1));
}

bool thread_key_init(void)
{
	return pthread_key_create(&end_key, end_key_destructor) == 0 && end_key < KEYS_INLINE;
}

void thread_say_name(struct thread *self, uint32_t task, const char *name)
{
	struct event event = { .time_ns = shim_ticks(), .kind = RING_EVENT_NAME, .stack = task };
	char *text = (char *)&event + offsetof(struct event, object);

	for (unsigned i = 0; i < RING_EVENT_NAME_BYTES - 1 && name[i]; i++)
		text[i] = name[i];
	wait_push_other(self, &event);
}

/* A thread that nobody announced is named here; the name of a new one is its creator's. */
static void say_run(struct thread *self, bool created)
{
	struct event event = {
		.time_ns = shim_ticks(),
		.object = self->tid,
		.kind = EVENT_RUN,
		.object_kind = OBJECT_NONE,
		.flags = created ? 0 : EVENT_FLAG_EXISTING,
	};
	char name[RING_EVENT_NAME_BYTES] = "";

	ring_producer_push(&self->producer, &event, RING_SPARE_OTHER);
	if (!created && system_call(SYS_prctl, PR_GET_NAME, (long)name, 0, 0) == 0)
		thread_say_name(self, 0, name);
}

static struct ring_owner owner_of(const struct thread *self)
{
	return (struct ring_owner){
		.process = shim.slot_index,
		.generation = shim.slot_generation,
		.task = self->task,
		.tid = self->tid,
	};
}

/* The memo goes with the ring: the next owner of the old one has the old memo. */
static bool has_ring(struct thread *self, uint32_t ring)
{
	if (ring == RING_NONE) {
		self->retry_ticks = shim_ticks() + RETRY_TICKS;
		return false;
	}
	self->memo = shim_memo(ring);
	if (self->memo)
		stack_memo_reset(self->memo);
	return true;
}

bool thread_change_ring(struct thread *self)
{
	const struct ring_owner owner = owner_of(self);

	if (self->keeps_ring || (self->retry_ticks != 0 && shim_ticks() < self->retry_ticks))
		return false;
	return has_ring(self, ring_producer_move(&self->producer, &shim.rings, &owner));
}

/* Takes a ring; `busy` is set. */
static bool start(struct thread *self, bool created)
{
	if (self->retry_ticks != 0 && shim_ticks() < self->retry_ticks)
		return false;
	if (self->task == 0)
		self->task = atomic_fetch_add_explicit(
				&shim.slot->next_task, 1, memory_order_relaxed);
	self->tid = (uint32_t)system_call(SYS_gettid, 0, 0, 0, 0);

	const struct ring_owner owner = owner_of(self);
	if (!has_ring(self, ring_producer_take(&self->producer, &shim.rings, &owner)))
		return false;
	self->phase = THREAD_LIVE;
	pthread_setspecific(end_key, (void *)(uintptr_t)1);
	say_run(self, created);
	return true;
}

/* `busy` is set. Another answer than THREAD_ENTERED: it is to be left again. */
static enum thread_entry begin(struct thread *self, bool created)
{
	if (self->phase == THREAD_ENDED)
		return THREAD_OFF;
	if (!shim_is_wanted()) {
		shim_turn_off();
		return THREAD_OFF;
	}
	if (__builtin_expect(self->producer.ring != NULL, 1) || start(self, created))
		return THREAD_ENTERED;
	return THREAD_NO_RING;
}

enum thread_entry thread_enter_slowly(struct thread *self)
{
	enum thread_entry entry;

	if (!shim_is_live())
		return THREAD_OFF;
	if (self->busy)
		return THREAD_NESTED;
	thread_set_busy(self);
	entry = begin(self, false);
	if (entry != THREAD_ENTERED)
		thread_leave(self);
	return entry;
}

void thread_count_lost(struct thread *self, enum thread_entry why, uint32_t records)
{
	switch (why) {
	case THREAD_ENTERED:
		ring_producer_count_lost(&self->producer, RING_LOSS_FULL, records);
		break;
	case THREAD_NESTED:
		/* The interrupted hook may be about to take the ring. */
		if (self->producer.ring)
			ring_producer_count_lost(&self->producer, RING_LOSS_NESTED, records);
		break;
	case THREAD_NO_RING:
		atomic_fetch_add_explicit(
				&shim.header->lost_no_ring, records, memory_order_relaxed);
		break;
	case THREAD_OFF:
		break;
	}
}

uint32_t thread_begin_task(void)
{
	struct thread *self = &thread_self;

	if (thread_enter(self) == THREAD_ENTERED)
		thread_leave(self);
	return self->task;
}

uint32_t thread_task_of(pthread_t thread)
{
	ptrdiff_t distance = (char *)&thread_self - (char *)pthread_self();
	const struct thread *other = (const struct thread *)((char *)thread + distance);

	return __atomic_load_n(&other->task, __ATOMIC_RELAXED);
}

/* The last record; `busy` is set. */
static void say_exit(struct thread *self)
{
	const struct event event = { .time_ns = shim_ticks(), .kind = EVENT_EXIT };

	wait_abandon_all(self);
	ring_producer_push(&self->producer, &event, RING_SPARE_EXIT);
	ring_producer_close(&self->producer);
}

/*
 * Signals that came while the thread was being made are delivered before its first function. A
 * handler that waited then could not know which task it is in, and has begun one by itself; that
 * one ends here. It must not go on under the new number: what a ring says of its owner holds for
 * all records in it, and the next ring would say something else.
 */
void thread_born(uint32_t task, bool created)
{
	struct thread *self = &thread_self;
	enum thread_entry entry = THREAD_OFF;
	bool live = shim_is_live();

	thread_set_busy(self);
	if (live && self->producer.ring)
		say_exit(self);
	__atomic_store_n(&self->task, task, __ATOMIC_RELAXED);
	if (live)
		entry = begin(self, created);
	thread_leave(self);
	if (entry != THREAD_ENTERED)
		thread_count_lost(self, entry, 1);
}

/*
 * Runs outside of every hook, so whatever is left of one belongs to code that was unwound: nothing
 * is in the middle of a push any more.
 */
void thread_end(void)
{
	struct thread *self = &thread_self;

	if (self->phase != THREAD_LIVE || !shim_is_live() || !self->producer.ring)
		return;
	thread_set_busy(self);
	say_exit(self);
	self->phase = THREAD_ENDED;
	thread_leave(self);
}

void thread_forget_parent(void)
{
	memset(&thread_self, 0, sizeof(thread_self));
}
