#include "recorder/shim/wakers.h"

#include "recorder/shim/shim.h"

_Alignas(4096) _Atomic uint64_t wakers_table[1u << WAKERS_TABLE_BITS];

bool wakers_init(void)
{
	return shim_wipe_on_fork(wakers_table, sizeof(wakers_table));
}

uint64_t wakers_mark(const void *address)
{
	uint64_t tag;

	return atomic_load_explicit(wakers_entry(address, &tag), memory_order_relaxed);
}

uint32_t wakers_since(const void *address, uint64_t mark)
{
	uint64_t tag;
	uint64_t note = atomic_load_explicit(wakers_entry(address, &tag), memory_order_relaxed);

	return note != mark && (note & WAKERS_TAG_MASK) == tag ? (uint32_t)note : 0;
}

struct waker_note wakers_last(const void *address)
{
	uint64_t tag;
	uint64_t note = atomic_load_explicit(wakers_entry(address, &tag), memory_order_relaxed);
	struct waker_note last = { 0, false };

	if ((note & WAKERS_TAG_MASK) == tag) {
		last.task = (uint32_t)note;
		last.nobody_waited = (note & WAKERS_NOBODY_WAITED) != 0;
	}
	return last;
}
