#include "recorder/ring/ring_consumer.h"

#include <string.h>

/* Makes the copy happen once and here: the compiler may not read the shared bytes again later. */
#define COPY_IS_DONE(private_copy) __asm__ volatile("" : : "r"(private_copy) : "memory")

void ring_consumer_init(struct ring_consumer *consumer, struct ring *ring)
{
	*consumer = (struct ring_consumer){ .ring = ring };
	consumer->tail = atomic_load_explicit(&ring->head, memory_order_acquire);
	atomic_store_explicit(&ring->tail, consumer->tail, memory_order_release);
}

struct ring_view ring_consumer_look(struct ring_consumer *consumer)
{
	struct ring *ring = consumer->ring;
	struct ring_view view = { 0 };
	uint64_t records;

	view.state = atomic_load_explicit(&ring->state, memory_order_acquire);
	view.pending_word = atomic_load_explicit(&ring->pending_word, memory_order_acquire);
	view.head = atomic_load_explicit(&ring->head, memory_order_acquire);
	records = view.head - consumer->tail;
	if (records <= RING_CAPACITY) {
		view.records = (uint32_t)records;
		return view;
	}
	view.damaged = true;
	consumer->tail = view.head;
	atomic_store_explicit(&ring->tail, view.head, memory_order_release);
	return view;
}

void ring_consumer_copy(struct ring_consumer *consumer, uint32_t count, struct event *out)
{
	struct ring *ring = consumer->ring;
	uint32_t at = (uint32_t)(consumer->tail % RING_CAPACITY);
	uint32_t first = count < RING_CAPACITY - at ? count : RING_CAPACITY - at;

	memcpy(out, ring->slots + at, first * sizeof(*out));
	memcpy(out + first, ring->slots, (count - first) * sizeof(*out));
	COPY_IS_DONE(out);
	consumer->tail += count;
	atomic_store_explicit(&ring->tail, consumer->tail, memory_order_release); /* R4 */
}

bool ring_consumer_peek_pending(const struct ring_consumer *consumer, const struct ring_view *view,
		uint64_t limit, struct event *out)
{
	if ((view->pending_word & PENDING_STATE_MASK) != PENDING_ARMED)
		return false;
	*out = ring_pending_read(consumer->ring);
	return out->time_ns <= limit;
}

bool ring_consumer_take_pending(const struct ring_consumer *consumer, const struct ring_view *view)
{
	uint64_t armed = view->pending_word;
	uint64_t taken = (armed & ~(uint64_t)PENDING_STATE_MASK) | PENDING_TAKEN;

	/* Acquire-release: the copy made before may not sink below the proof that it is whole. */
	return atomic_compare_exchange_strong_explicit(&consumer->ring->pending_word, &armed, taken,
			memory_order_acq_rel, memory_order_relaxed);
}

void ring_consumer_lost(struct ring_consumer *consumer, uint64_t lost[RING_LOSS_COUNT])
{
	for (unsigned i = 0; i < RING_LOSS_COUNT; i++) {
		uint64_t now = atomic_load_explicit(&consumer->ring->lost[i], memory_order_relaxed);

		lost[i] = now > consumer->lost_seen[i] ? now - consumer->lost_seen[i] : 0;
		consumer->lost_seen[i] = now;
	}
}

void ring_consumer_free(struct ring_consumer *consumer)
{
	struct ring *ring = consumer->ring;
	uint64_t word = atomic_load_explicit(&ring->pending_word, memory_order_relaxed);

	/* The sequence goes on, so that no old ARMED can be mistaken for a new one (P1). */
	word = (word & ~(uint64_t)PENDING_STATE_MASK) | PENDING_IDLE;
	atomic_store_explicit(&ring->pending_word, word, memory_order_relaxed);
	atomic_store_explicit(&ring->state, RING_FREE, memory_order_release);
}
