#include "recorder/shim/stack_intern.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A hash table that only grows, see A1 and A2 in segment.h. The table is never more than about
 * half full before the words run out (a stack takes ten words and more), so that a chain of
 * PROBES_MAX taken entries means a hash gone wrong or very short stacks; then the stack counts as
 * one that did not fit. Storing it without an entry would store it again at each of its events.
 */
#define PROBES_MAX 64u
_Static_assert((STACK_INDEX & (STACK_INDEX - 1)) == 0, "an entry is found by a mask");

static uint64_t header_word(uint32_t count, uint64_t flags)
{
	return count | flags;
}

/* The frames are compared because two stacks may have one tag; `id` is ours, so it is in range. */
static bool stack_equals(struct segment_stacks *stacks, uint32_t id, const uintptr_t *frames,
		uint32_t count, uint64_t flags)
{
	const _Atomic uint64_t *words = &stacks->words[id];

	if (atomic_load_explicit(&words[0], memory_order_relaxed) != header_word(count, flags))
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (atomic_load_explicit(&words[1 + i], memory_order_relaxed) != frames[i])
			return false;
	return true;
}

/* Copies the stack behind the last one; 0 = no room. Not visible before its id is (A1). */
static uint32_t stack_append(struct segment_stacks *stacks, const uintptr_t *frames, uint32_t count,
		uint64_t flags)
{
	/* Looking first keeps the counter from running round once the arena is full. */
	if (atomic_load_explicit(&stacks->words_used, memory_order_relaxed) >
			STACK_WORDS - 1 - (count + 1))
		return 0;

	/* Word 0 belongs to nobody, so the first stack is at 1. */
	uint32_t id = 1 + atomic_fetch_add_explicit(
					  &stacks->words_used, count + 1, memory_order_relaxed);
	if (id > STACK_WORDS - (count + 1))
		return 0;

	_Atomic uint64_t *words = &stacks->words[id];
	atomic_store_explicit(&words[0], header_word(count, flags), memory_order_relaxed);
	for (uint32_t i = 0; i < count; i++)
		atomic_store_explicit(&words[1 + i], frames[i], memory_order_relaxed);
	return id;
}

uint32_t stack_intern(struct segment_stacks *stacks, const uintptr_t *frames, uint32_t count,
		uint64_t flags, uint64_t hash)
{
	uint64_t tag = hash & ~(uint64_t)UINT32_MAX;
	uint32_t own_id = 0;

	for (uint32_t probe = 0; probe < PROBES_MAX; probe++) {
		_Atomic uint64_t *entry = &stacks->index[(hash + probe) & (STACK_INDEX - 1)];
		uint64_t seen = atomic_load_explicit(entry, memory_order_acquire); /* A1 */

		if (seen == 0) {
			if (own_id == 0)
				own_id = stack_append(stacks, frames, count, flags);
			if (own_id == 0)
				break;
			if (atomic_compare_exchange_strong_explicit(entry, &seen, tag | own_id,
					    memory_order_release, memory_order_acquire)) /* A1 */
				return own_id;
			/* Another thread took the entry; `seen` is now what it put there. */
		}
		if ((seen & ~(uint64_t)UINT32_MAX) == tag &&
				stack_equals(stacks, (uint32_t)seen, frames, count, flags))
			return (uint32_t)seen;
	}
	atomic_fetch_add_explicit(&stacks->full, 1, memory_order_relaxed);
	return 0;
}
