#ifndef LOITER_SHIM_WAKERS_H
#define LOITER_SHIM_WAKERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Who did something last with an address: signalled a condition, posted a semaphore, woke a futex,
 * arrived at a barrier, created the thread that a pthread_t names.
 *
 * One private table, a hash of the address; an entry is a single word, so that noting costs a load
 * and a store without any order or lock. Two addresses that fall on one entry overwrite each
 * other, and two threads that note at once may lose one note: then somebody's waker stays unknown.
 * With chance 2^-16 per such pair one address is taken for the other.
 *
 * task 32 bits | count of notes 15 | nobody waited 1 | tag 16. Entry 0 is empty.
 */
#define WAKERS_COUNT_ONE     (1ull << 32)
#define WAKERS_COUNT_MASK    (0x7fffull << 32)
#define WAKERS_NOBODY_WAITED (1ull << 47)
#define WAKERS_TAG_MASK      (0xffffull << 48)
#define WAKERS_TABLE_BITS    12

/* Numbers of tasks mean something else in a child: there the table begins empty. */
extern _Atomic uint64_t wakers_table[1u << WAKERS_TABLE_BITS];

bool wakers_init(void);

static inline _Atomic uint64_t *wakers_entry(const void *address, uint64_t *tag)
{
	uint64_t hash = (uintptr_t)address * 0x9e3779b97f4a7c15ull; /* 2^64 / golden ratio */

	*tag = (hash << WAKERS_TABLE_BITS) & WAKERS_TAG_MASK;
	return &wakers_table[hash >> (64 - WAKERS_TABLE_BITS)];
}

/* `nobody_waited`: at this moment, as far as the object tells. */
static inline void wakers_note(const void *address, uint32_t task, bool nobody_waited)
{
	uint64_t tag;
	_Atomic uint64_t *entry = wakers_entry(address, &tag);
	uint64_t count = atomic_load_explicit(entry, memory_order_relaxed) + WAKERS_COUNT_ONE;
	uint64_t note = tag | (count & WAKERS_COUNT_MASK) | task;

	if (nobody_waited)
		note |= WAKERS_NOBODY_WAITED;
	atomic_store_explicit(entry, note, memory_order_relaxed);
}

struct waker_note {
	uint32_t task; /* 0 = nobody that we know of */
	bool nobody_waited;
};

struct waker_note wakers_last(const void *address);

/*
 * For a wait: what the entry holds when it begins, and who has changed it when it is over. The
 * entry counts its notes, so that a waiter who was woken by nobody names nobody.
 */
uint64_t wakers_mark(const void *address);
uint32_t wakers_since(const void *address, uint64_t mark);

#endif
