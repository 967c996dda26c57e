#include "recorder/shim/wakers.h"

#include <stdatomic.h>

#include "recorder/shim/shim.h"

/*
 * task 32 bits | count of notes 15 | nobody waited 1 | tag 16. Entry 0 is empty.
 */
#define COUNT_SHIFT   32
#define COUNT_MASK    (0x7fffull << COUNT_SHIFT)
#define COUNT_ONE     (1ull << COUNT_SHIFT)
#define NOBODY_WAITED (1ull << 47)
#define TAG_SHIFT     48
#define TAG_MASK      (0xffffull << TAG_SHIFT)

#define TABLE_BITS 12
#define HASH_ODD   0x9e3779b97f4a7c15ull /* 2^64 / golden ratio: spreads addresses evenly */

/* Numbers of tasks mean something else in a child: there the table begins empty. */
static _Alignas(4096) _Atomic uint64_t table[1u << TABLE_BITS];

bool wakers_init(void)
{
	return shim_wipe_on_fork(table, sizeof(table));
}

static inline _Atomic uint64_t *entry_of(const void *address, uint64_t *tag)
{
	uint64_t hash = (uintptr_t)address * HASH_ODD;

	*tag = (hash << TABLE_BITS) & TAG_MASK;
	return &table[hash >> (64 - TABLE_BITS)];
}

void wakers_note(const void *address, uint32_t task, bool nobody_waited)
{
	uint64_t tag;
	_Atomic uint64_t *entry = entry_of(address, &tag);
	uint64_t count = atomic_load_explicit(entry, memory_order_relaxed) + COUNT_ONE;
	uint64_t note = tag | (count & COUNT_MASK) | task | (nobody_waited ? NOBODY_WAITED : 0);

	atomic_store_explicit(entry, note, memory_order_relaxed);
}

uint64_t wakers_mark(const void *address)
{
	uint64_t tag;

	return atomic_load_explicit(entry_of(address, &tag), memory_order_relaxed);
}

uint32_t wakers_since(const void *address, uint64_t mark)
{
	uint64_t tag;
	uint64_t note = atomic_load_explicit(entry_of(address, &tag), memory_order_relaxed);

	return note != mark && (note & TAG_MASK) == tag ? (uint32_t)note : 0;
}

struct waker_note wakers_last(const void *address)
{
	uint64_t tag;
	uint64_t note = atomic_load_explicit(entry_of(address, &tag), memory_order_relaxed);
	struct waker_note last = { 0, false };

	if ((note & TAG_MASK) == tag) {
		last.task = (uint32_t)note;
		last.nobody_waited = (note & NOBODY_WAITED) != 0;
	}
	return last;
}
