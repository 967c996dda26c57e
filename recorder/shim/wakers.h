#ifndef LOITER_SHIM_WAKERS_H
#define LOITER_SHIM_WAKERS_H

#include <pthread.h>
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
 */
struct waker_note {
	uint32_t task;      /* 0 = nobody that we know of */
	bool nobody_waited; /* at the time of the note */
};

bool wakers_init(void);

void wakers_note(const void *address, uint32_t task, bool nobody_waited);

struct waker_note wakers_last(const void *address);

/*
 * For a wait: what the entry holds when it begins, and who has changed it when it is over. The
 * entry counts its notes, so that a waiter who was woken by nobody names nobody.
 */
uint64_t wakers_mark(const void *address);
uint32_t wakers_since(const void *address, uint64_t mark);

#endif
