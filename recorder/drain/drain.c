#include "recorder/drain/drain.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "formats/base/macros.h"
#include "recorder/ring/ring_consumer.h"

/* The encoder is woken early for this many records: about a millisecond of its work. */
#define WAKE_ENCODER_RECORDS 8192u
/* Wakes that bring less than a quarter ring are not believed for a while. */
#define WAKE_BELIEVED_RECORDS (RING_CAPACITY / 4)
#define WAKE_IGNORED_NS       1000000ull
/* Share of a core that looking at idle rings may take, as 1 / N. */
#define IDLE_SHARE 64u
/*
 * Rings from this index on give their memory back when their owner leaves, if it can have touched
 * more than a page or two.
 */
#define RINGS_KEPT   64u
#define RECORDS_KEPT 192u

#define DRAIN_SLICE_NS 100000u /* the least that the kernel takes */
#define DRAIN_NICE     (-10)

struct drained_ring {
	struct ring_consumer consumer;
	struct run_owner owner;
	bool owned; /* `owner` is known: it has published something (R8) */
	bool refused;
	bool lossy;
	uint64_t dropped_at; /* tail when the memory was last given back */
};

struct drain {
	struct drain_options options;
	struct segment *segment;
	struct slab_pool slabs;
	uint64_t last_pass;  /* ticks */
	bool starved;        /* records had to stay in the rings */
	struct harvest kept; /* copied, not handed over yet */

	_Atomic uint64_t dead[SEGMENT_PROCESSES]; /* generation + 1 of the owner that died; 0 none
						   */

	pthread_mutex_t lock; /* of `ready` */
	struct harvest ready;

	pthread_t thread;
	bool running;
	bool woken; /* by a traced thread, not by time */
	_Atomic bool stop;
	_Atomic bool abandon; /* nobody takes the harvest any more */

	struct drained_ring rings[SEGMENT_RINGS];
};

enum lo_result drain_new(
		struct drain **out, const struct drain_options *options, struct lo_error *err)
{
	struct drain *drain = calloc(1, sizeof(*drain));

	if (!drain)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the drain");
	drain->options = *options;
	drain->segment = options->segment->segment;
	slab_pool_init(&drain->slabs);
	pthread_mutex_init(&drain->lock, NULL);
	drain->last_pass = tick_clock_now(&options->clock);
	for (uint32_t i = 0; i < SEGMENT_RINGS; i++)
		drain->rings[i].consumer.ring = &drain->segment->rings[i];
	*out = drain;
	return LO_OK;
}

void drain_free(struct drain *drain)
{
	if (!drain)
		return;
	atomic_store(&drain->abandon, true);
	drain_stop(drain);
	drain_join(drain);
	slab_pool_release(&drain->slabs);
	pthread_mutex_destroy(&drain->lock);
	free(drain);
}

/* ---- One ring. ---- */

struct pass {
	struct harvest harvest;
	uint64_t begin; /* ticks */
	bool final;
};

static void know_owner(struct drained_ring *ring, struct pass *pass)
{
	const struct ring *shared = ring->consumer.ring;

	if (ring->owned)
		return;
	ring->owner = (struct run_owner){
		.process = atomic_load_explicit(&shared->process, memory_order_relaxed),
		.generation = atomic_load_explicit(&shared->generation, memory_order_relaxed),
		.task = atomic_load_explicit(&shared->task, memory_order_relaxed),
		.tid = atomic_load_explicit(&shared->tid, memory_order_relaxed),
	};
	ring->owned = true;
	ring->refused = ring->owner.process >= SEGMENT_PROCESSES;
	if (ring->refused)
		pass->harvest.lost[LOSS_REFUSED]++;
}

static bool owner_is_dead(struct drain *drain, const struct drained_ring *ring)
{
	return ring->owned && !ring->refused &&
	       atomic_load_explicit(&drain->dead[ring->owner.process], memory_order_acquire) ==
			       (uint64_t)ring->owner.generation + 1;
}

static void count_losses(struct drain *drain, struct drained_ring *ring, struct pass *pass)
{
	const uint64_t possible = pass->begin - drain->last_pass;
	uint64_t lost[RING_LOSS_COUNT];

	ring_consumer_lost(&ring->consumer, lost);
	for (unsigned i = 0; i < RING_LOSS_COUNT; i++) {
		enum loss_cause cause = i == RING_LOSS_NESTED ? LOSS_NESTED
					: drain->starved      ? LOSS_RECORDER_BEHIND
							      : LOSS_RING_FULL;

		if (lost[i] == 0)
			continue;
		/* More than one a tick was never lost: somebody wrote over the counter. */
		if (lost[i] > possible) {
			cause = LOSS_REFUSED;
			lost[i] = 1;
		}
		pass->harvest.lost[cause] += lost[i];
		ring->lossy = true;
	}
}

static struct run *cut_run(struct drain *drain, struct drained_ring *ring, uint32_t wanted)
{
	struct run *run = run_cut(&drain->slabs, wanted);

	if (!run)
		return NULL;
	run->owner = ring->owner;
	run->ring = (uint32_t)(ring - drain->rings);
	run->lossy = ring->lossy;
	return run;
}

/* False when memory ran out before all records of the view were copied. */
static bool copy_records(struct drain *drain, struct drained_ring *ring,
		const struct ring_view *view, struct pass *pass)
{
	uint32_t left = view->records;

	while (left > 0) {
		struct run *run = cut_run(drain, ring, left);

		if (!run)
			return false;
		ring_consumer_copy(&ring->consumer, run->count, run->events);
		left -= run->count;
		run->copied_at = tick_clock_now(&drain->options.clock);
		if (ring->refused) {
			pass->harvest.lost[LOSS_REFUSED] += run->count;
			run_done(&drain->slabs, run);
		} else {
			harvest_add(&pass->harvest, run);
		}
	}
	return true;
}

/* The youngest begin of a wait that is taken although its end is not known. */
static uint64_t pending_limit(const struct drain *drain, const struct pass *pass, bool dead)
{
	uint64_t age = pass->final ? drain->options.wait_ticks : drain->options.lateness_ticks;

	if (dead)
		return UINT64_MAX; /* P5 */
	return pass->begin > age ? pass->begin - age : 0;
}

/* False when memory ran out; the event stays where it is. */
static bool take_pending(struct drain *drain, struct drained_ring *ring,
		const struct ring_view *view, struct pass *pass, bool dead)
{
	struct event event;
	struct run *run;

	if (!ring_consumer_peek_pending(
			    &ring->consumer, view, pending_limit(drain, pass, dead), &event))
		return true;
	know_owner(ring, pass);
	if (ring->refused)
		return true;
	run = cut_run(drain, ring, 1);
	if (!run)
		return false;
	run->copied_at = tick_clock_now(&drain->options.clock);
	run->events[0] = event;
	if (ring_consumer_take_pending(&ring->consumer, view))
		harvest_add(&pass->harvest, run);
	else
		run_done(&drain->slabs, run);
	return true;
}

static void free_ring(struct drain *drain, struct drained_ring *ring)
{
	uint32_t index = (uint32_t)(ring - drain->rings);
	struct ring *shared = ring->consumer.ring;

	if (index >= RINGS_KEPT && ring->consumer.tail - ring->dropped_at > RECORDS_KEPT) {
		segment_drop(drain->options.segment,
				(size_t)((char *)shared->slots - (char *)drain->segment),
				sizeof(shared->slots));
		ring->dropped_at = ring->consumer.tail;
	}
	ring->owned = ring->refused = ring->lossy = false;
	ring_consumer_free(&ring->consumer);
}

static void drain_ring(struct drain *drain, struct drained_ring *ring, struct pass *pass)
{
	struct ring_view view = ring_consumer_look(&ring->consumer);
	bool dead;

	if (view.damaged)
		pass->harvest.lost[LOSS_REFUSED]++;
	count_losses(drain, ring, pass);
	if (view.records > 0)
		know_owner(ring, pass);
	dead = owner_is_dead(drain, ring);
	if (!copy_records(drain, ring, &view, pass) ||
			!take_pending(drain, ring, &view, pass, dead)) {
		pass->harvest.starved = true;
		return;
	}
	if (view.state == RING_CLOSED || (dead && view.state == RING_OWNED))
		free_ring(drain, ring);
}

/* ---- All rings. ---- */

static void count_ringless_losses(struct drain *drain, struct pass *pass)
{
	/* The counter is reset by taking it, so that what is damaged is believed once only. */
	uint64_t lost = atomic_exchange_explicit(
			&drain->segment->header.lost_no_ring, 0, memory_order_relaxed);
	uint64_t possible = pass->begin - drain->last_pass;

	if (lost > possible)
		pass->harvest.lost[LOSS_REFUSED]++;
	else
		pass->harvest.lost[LOSS_NO_RING] += lost;
}

/*
 * The encoder may be suspended with the lock in its hand; rings do not wait for that, so what
 * cannot be handed over now is kept until the next pass. The last pass waits.
 */
static void hand_over(struct drain *drain, bool final)
{
	const uint64_t one = 1;
	bool wake;

	if (final)
		pthread_mutex_lock(&drain->lock);
	else if (pthread_mutex_trylock(&drain->lock) != 0)
		return;
	harvest_join(&drain->ready, &drain->kept);
	wake = drain->ready.records >= WAKE_ENCODER_RECORDS || drain->ready.starved ||
	       drain->ready.finished;
	pthread_mutex_unlock(&drain->lock);
	/* Cannot fail but for a full counter, and then the encoder is awake anyway. */
	if (wake && write(drain->options.wake_fd, &one, sizeof(one)) < 0)
		return;
}

uint64_t drain_pass(struct drain *drain, bool final)
{
	struct pass pass = { .begin = tick_clock_now(&drain->options.clock), .final = final };
	uint32_t rings = atomic_load_explicit(
			&drain->segment->header.rings_used, memory_order_acquire);
	uint64_t records;

	if (rings > SEGMENT_RINGS)
		rings = SEGMENT_RINGS;
	pass.harvest.horizon = pass.begin;
	for (uint32_t i = 0; i < rings; i++)
		drain_ring(drain, &drain->rings[i], &pass);
	count_ringless_losses(drain, &pass);
	drain->starved = pass.harvest.starved;
	if (drain->starved)
		pass.harvest.horizon = 0; /* something older may still lie in a ring */
	drain->last_pass = pass.begin;
	pass.harvest.finished = final && !drain->starved;
	records = pass.harvest.records;
	harvest_join(&drain->kept, &pass.harvest);
	hand_over(drain, final);
	return records;
}

void drain_take(struct drain *drain, struct harvest *into)
{
	pthread_mutex_lock(&drain->lock);
	harvest_join(into, &drain->ready);
	pthread_mutex_unlock(&drain->lock);
}

void drain_run_done(struct drain *drain, struct run *run)
{
	run_done(&drain->slabs, run);
}

void drain_process_died(struct drain *drain, uint32_t process, uint32_t generation)
{
	atomic_store_explicit(
			&drain->dead[process], (uint64_t)generation + 1, memory_order_release);
}

/* ---- The thread. ---- */

static struct timespec time_of(uint64_t ns)
{
	return (struct timespec){ (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };
}

static void nap(uint64_t ns)
{
	const struct timespec pause = time_of(ns);

	nanosleep(&pause, NULL);
}

/*
 * Sleeps until a traced thread has half filled its ring. One that does so between the last look at
 * its ring and `drain_sleeps` sees no sleeper, but asks again with its next record.
 */
static void wait_for_wake(struct drain *drain, uint64_t ns)
{
	const struct timespec limit = time_of(ns);
	struct segment_header *header = &drain->segment->header;
	uint32_t wake = atomic_load_explicit(&header->wake, memory_order_acquire);

	drain->woken = false;
	atomic_store_explicit(&header->drain_sleeps, 1, memory_order_seq_cst);
	if (!atomic_load(&drain->stop))
		drain->woken = syscall(SYS_futex, &header->wake, FUTEX_WAIT, wake, &limit, NULL,
					       0) == 0 ||
			       errno != ETIMEDOUT;
	atomic_store_explicit(&header->drain_sleeps, 0, memory_order_relaxed);
}

/* Looking at thousands of idle rings costs something; then it is done less often. */
static uint64_t interval_after(const struct drain *drain)
{
	uint64_t ticks = tick_clock_now(&drain->options.clock) - drain->last_pass;
	uint64_t ns = tick_clock_ns(&drain->options.clock, ticks);

	if (ns > DRAIN_INTERVAL_MAX_NS / IDLE_SHARE)
		return DRAIN_INTERVAL_MAX_NS;
	return ns * IDLE_SHARE > DRAIN_INTERVAL_NS ? ns * IDLE_SHARE : DRAIN_INTERVAL_NS;
}

/*
 * Asks the scheduler to let this thread run soon after it was woken: a ring lasts for milliseconds,
 * and on a busy machine the program itself is what keeps us from emptying it. A short slice (Linux
 * 6.12) anybody may ask for, a better priority only the privileged; older kernels ignore the one
 * and refuse the other. Neither lets us take more time than we need, which is little.
 */
static void ask_for_promptness(void)
{
	struct {
		uint32_t size;
		uint32_t policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime; /* ns; of an ordinary thread: its slice */
		uint64_t deadline;
		uint64_t period;
	} attributes = { .size = sizeof(attributes), .policy = SCHED_OTHER };

	attributes.runtime = DRAIN_SLICE_NS;
	attributes.nice = DRAIN_NICE;
	if (syscall(SYS_sched_setattr, 0, &attributes, 0) == 0)
		return;
	attributes.nice = getpriority(PRIO_PROCESS, 0);
	syscall(SYS_sched_setattr, 0, &attributes, 0);
}

static void drain_to_the_end(struct drain *drain)
{
	do {
		drain_pass(drain, true);
		if (drain->starved)
			nap(WAKE_IGNORED_NS);
	} while (drain->starved && !atomic_load(&drain->abandon));
}

static void *drain_main(void *context)
{
	struct drain *drain = context;

	pthread_setname_np(pthread_self(), "loiter-drain");
	ask_for_promptness();
	while (!atomic_load(&drain->stop)) {
		uint64_t records = drain_pass(drain, false);

		/* Rings that cannot be emptied, or wakes without records, must not keep us busy. */
		if (drain->starved || (drain->woken && records < WAKE_BELIEVED_RECORDS))
			nap(WAKE_IGNORED_NS);
		wait_for_wake(drain, interval_after(drain));
	}
	drain_to_the_end(drain);
	return NULL;
}

enum lo_result drain_start(struct drain *drain, struct lo_error *err)
{
	int error = pthread_create(&drain->thread, NULL, drain_main, drain);

	if (error)
		return lo_fail_errno(err, error, "cannot start the thread that empties the rings");
	drain->running = true;
	return LO_OK;
}

void drain_stop(struct drain *drain)
{
	struct segment_header *header = &drain->segment->header;

	atomic_store(&drain->stop, true);
	atomic_fetch_add_explicit(&header->wake, 1, memory_order_release);
	syscall(SYS_futex, &header->wake, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void drain_join(struct drain *drain)
{
	if (drain->running)
		pthread_join(drain->thread, NULL);
	drain->running = false;
}
