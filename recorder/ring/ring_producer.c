#include "recorder/ring/ring_producer.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/ring/system_call.h"

/* A look at `tail` costs a cache line of the drain; between half full and full every 64th pays. */
#define RING_LOOK_EVERY 64u
#define RING_WAKE_AT    (RING_CAPACITY / 2)

/* Rings tried from the hint on before the segment grows by one. */
#define RING_PROBES_NEAR 16u

/*
 * Whoever turns `drain_sleeps` off makes the one system call. The drain sets it before it looks at
 * the rings a last time and sleeps on `wake`, so a wake-up that comes in between changes `wake`
 * and the drain does not fall asleep.
 */
static void wake_drain(struct segment_header *header)
{
	if (atomic_load_explicit(&header->drain_sleeps, memory_order_relaxed) == 0)
		return;
	if (atomic_exchange_explicit(&header->drain_sleeps, 0, memory_order_acq_rel) == 0)
		return;
	atomic_fetch_add_explicit(&header->wake, 1, memory_order_release);
	system_call(SYS_futex, (long)&header->wake, FUTEX_WAKE, 1, 0);
}

/* Is there room for the record and `spare` more? Refreshes what is known of the drain. */
static bool make_room(struct ring_producer *producer, uint64_t head, uint32_t spare)
{
	struct ring *ring = producer->ring;

	ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire); /* R4 */
	uint64_t used = head - ring->tail_seen;
	if (used >= RING_WAKE_AT)
		wake_drain(producer->header);
	return used + spare < RING_CAPACITY;
}

static inline bool has_room(struct ring_producer *producer, uint64_t head, uint32_t spare)
{
	uint64_t used = head - producer->ring->tail_seen;

	if (__builtin_expect(used < RING_WAKE_AT, 1))
		return true;
	if (used + spare < RING_CAPACITY && head % RING_LOOK_EVERY != 0)
		return true;
	return make_room(producer, head, spare);
}

bool ring_producer_try_push(
		struct ring_producer *producer, const struct event *event, enum ring_spare spare)
{
	struct ring *ring = producer->ring;
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed); /* R1: ours */

	if (!has_room(producer, head, spare))
		return false;

	struct event *slot = &ring->slots[head % RING_CAPACITY];
	*slot = *event;
	if (slot->time_ns < producer->last_ticks)
		slot->time_ns = producer->last_ticks; /* R7 */
	producer->last_ticks = slot->time_ns;
	atomic_store_explicit(&ring->head, head + 1, memory_order_release); /* R4 */
	return true;
}

bool ring_producer_push(
		struct ring_producer *producer, const struct event *event, enum ring_spare spare)
{
	if (ring_producer_try_push(producer, event, spare))
		return true;
	ring_producer_count_lost(producer, RING_LOSS_FULL, 1);
	return false;
}

bool ring_producer_arm(struct ring_producer *producer, const struct event *event)
{
	struct ring *ring = producer->ring;
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	if (!has_room(producer, head, RING_SPARE_OTHER))
		return false;

	uint64_t word = atomic_load_explicit(&ring->pending_word, memory_order_relaxed);
	struct event armed = *event;
	if (armed.time_ns < producer->last_ticks)
		armed.time_ns = producer->last_ticks; /* R7 */
	ring_pending_write(ring, &armed);
	word = (word & ~(uint64_t)PENDING_STATE_MASK) + PENDING_SEQUENCE_ONE;
	atomic_store_explicit(&ring->pending_word, word | PENDING_ARMED, memory_order_release);
	return true; /* P1 */
}

bool ring_producer_disarm(struct ring_producer *producer)
{
	struct ring *ring = producer->ring;
	uint64_t word = atomic_load_explicit(&ring->pending_word, memory_order_relaxed);
	uint64_t idle = word & ~(uint64_t)PENDING_STATE_MASK;

	if ((word & PENDING_STATE_MASK) == PENDING_ARMED)
		atomic_compare_exchange_strong_explicit(&ring->pending_word, &word, idle,
				memory_order_acq_rel, memory_order_acquire); /* P2 */
	if ((word & PENDING_STATE_MASK) != PENDING_TAKEN)
		return false;
	atomic_store_explicit(&ring->pending_word, idle, memory_order_release); /* P4 */
	return true;
}

void ring_producer_count_lost(
		struct ring_producer *producer, enum ring_loss cause, uint32_t records)
{
	atomic_fetch_add_explicit(&producer->ring->lost[cause], records, memory_order_relaxed);
}

static struct ring *ring_at(struct ring_space *space, uint32_t index)
{
	uint32_t group = index / RING_GROUP;
	struct ring *rings = atomic_load_explicit(&space->groups[group], memory_order_acquire);

	if (!rings)
		rings = space->map_group(group);
	return rings ? &rings[index % RING_GROUP] : NULL;
}

static bool try_take(struct ring_space *space, uint32_t index)
{
	struct ring *ring = ring_at(space, index);
	uint32_t free_state = RING_FREE;

	/* Acquire: what the drain wrote when it freed the ring is ours now. */
	return ring && atomic_load_explicit(&ring->state, memory_order_relaxed) == RING_FREE &&
	       atomic_compare_exchange_strong_explicit(&ring->state, &free_state, RING_OWNED,
			       memory_order_acquire, memory_order_relaxed);
}

/* The first free ring of `count` from `begin` on, which wraps at `limit`. */
static uint32_t take_between(
		struct ring_space *space, uint32_t begin, uint32_t count, uint32_t limit)
{
	for (uint32_t i = 0; i < count && i < limit; i++) {
		uint32_t index = (begin % limit + i) % limit;
		if (try_take(space, index))
			return index;
	}
	return RING_NONE;
}

/* Rings that were never used are dear (their pages are new), rings used before are preferred. */
static uint32_t take_any(struct ring_space *space)
{
	uint32_t used = atomic_load_explicit(&space->header->rings_used, memory_order_relaxed);
	uint32_t hint = atomic_load_explicit(&space->header->ring_hint, memory_order_relaxed);
	uint32_t index = RING_NONE;

	if (used > SEGMENT_RINGS)
		used = SEGMENT_RINGS;
	if (used > 0)
		index = take_between(space, hint, RING_PROBES_NEAR, used);
	if (index == RING_NONE && used < SEGMENT_RINGS)
		index = take_between(space, used, RING_PROBES_NEAR, SEGMENT_RINGS);
	if (index == RING_NONE)
		index = take_between(space, hint, SEGMENT_RINGS, SEGMENT_RINGS);
	return index;
}

static void raise_rings_used(struct segment_header *header, uint32_t count)
{
	uint32_t used = atomic_load_explicit(&header->rings_used, memory_order_relaxed);

	while (used < count && !atomic_compare_exchange_weak_explicit(&header->rings_used, &used,
					       count, memory_order_release, memory_order_relaxed))
		;
}

/* The ring was just taken. */
static struct ring_producer own(
		struct ring_space *space, uint32_t index, const struct ring_owner *owner)
{
	struct ring *ring = ring_at(space, index);

	atomic_store_explicit(&ring->process, owner->process, memory_order_relaxed);
	atomic_store_explicit(&ring->generation, owner->generation, memory_order_relaxed);
	atomic_store_explicit(&ring->task, owner->task, memory_order_relaxed);
	atomic_store_explicit(&ring->tid, owner->tid, memory_order_relaxed);
	ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
	raise_rings_used(space->header, index + 1);
	return (struct ring_producer){ .ring = ring, .header = space->header };
}

uint32_t ring_producer_take(struct ring_producer *producer, struct ring_space *space,
		const struct ring_owner *owner)
{
	uint32_t index = take_any(space);

	if (index == RING_NONE)
		return RING_NONE;
	*producer = own(space, index, owner);
	atomic_store_explicit(&space->header->ring_hint, index + 1, memory_order_relaxed);
	return index;
}

/* From the first ring on: those are used most, and the drain leaves them their memory. */
uint32_t ring_producer_move(struct ring_producer *producer, struct ring_space *space,
		const struct ring_owner *owner)
{
	uint32_t index = take_between(space, 0, RINGS_FOR_MORE, RINGS_FOR_MORE);
	uint64_t next_ticks = producer->last_ticks + 1;

	if (index == RING_NONE)
		return RING_NONE;
	ring_producer_close(producer);
	*producer = own(space, index, owner);
	producer->last_ticks = next_ticks;
	return index;
}

void ring_producer_close(struct ring_producer *producer)
{
	/* Release: the last record comes before. */
	atomic_store_explicit(&producer->ring->state, RING_CLOSED, memory_order_release);
	producer->ring = NULL;
}
