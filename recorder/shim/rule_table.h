#ifndef LOITER_SHIM_RULE_TABLE_H
#define LOITER_SHIM_RULE_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "recorder/shim/unwind_rule.h"

/*
 * The unwind rules of a process by instruction address, shared by all its threads without a lock.
 *
 *   T1  An entry is one 64-bit word, tag and rule together, stored and loaded whole: what is read
 *       was once written. There is no order between entries and none is needed (relaxed).
 *   T2  Of the 47 bits of an address, eleven exclusive-or eleven others are the number of the set,
 *       and all but the first eleven the tag: together they *are* the address. So a hit is exact.
 *   T3  A rule follows from its key alone. Two threads that compile one rule write the same word;
 *       one whose store is lost to another address compiles again. Entries never turn stale:
 *       where the code at an address can change, the key is address XOR salt, and the salt
 *       changes with the code (code_module.h; two such keys meet by a chance of 2^-47).
 *
 * A set is a cache line. 16,384 rules are plenty: the largest use seen at places where programs
 * wait is 643 (a Java VM), and 6,243 when a profiling signal walks from everywhere (python).
 */
#define RULE_KEY_BITS    47
#define RULE_SETS_LOG2   (UNWIND_RULE_BITS + RULE_KEY_BITS - 64)
#define RULE_SETS        (1u << RULE_SETS_LOG2)
#define RULE_SET_ENTRIES 8u
#define RULE_TAG_BITS    (RULE_KEY_BITS - RULE_SETS_LOG2)
_Static_assert(RULE_TAG_BITS + UNWIND_RULE_BITS == 64, "tag and rule fill a word");

struct rule_set {
	_Alignas(64) _Atomic uint64_t entries[RULE_SET_ENTRIES];
};

struct rule_table {
	struct rule_set sets[RULE_SETS];
	_Atomic uint32_t replaced; /* rules that had to make room; picks the next victim */
};

/* Pages from the kernel, touched; NULL: none to be had. Never freed. */
struct rule_table *rule_table_new(void);

/*
 * Bits 4..14 give the set, mixed with the bits above: return addresses lie some ten bytes apart.
 * Nothing dearer will do, as a walk waits for this load at each frame.
 */
#define RULE_KEY_LOW_BITS 4

static inline uint32_t rule_set_number(uint64_t key)
{
	return (uint32_t)(key >> RULE_KEY_LOW_BITS ^ key >> (RULE_KEY_LOW_BITS + RULE_SETS_LOG2)) %
	       RULE_SETS;
}

/* The tag in its place: bits 0..3 of the key behind bits 15..46. */
static inline uint64_t rule_tag(uint64_t key)
{
	uint64_t upper = key >> (RULE_KEY_LOW_BITS + RULE_SETS_LOG2);

	return (upper << RULE_KEY_LOW_BITS | key % (1u << RULE_KEY_LOW_BITS)) << UNWIND_RULE_BITS;
}

/* The rule, or 0: it is of no kind (UNWIND_UNKNOWN). */
static inline uint32_t rule_table_find(const struct rule_table *table, uint64_t key)
{
	uint64_t tag = rule_tag(key);
	const struct rule_set *set = &table->sets[rule_set_number(key)];

	for (unsigned i = 0; i < RULE_SET_ENTRIES; i++) {
		uint64_t entry = atomic_load_explicit(&set->entries[i], memory_order_relaxed);

		if ((entry ^ tag) >> UNWIND_RULE_BITS == 0)
			return (uint32_t)entry % (1u << UNWIND_RULE_BITS);
	}
	return 0;
}

void rule_table_put(struct rule_table *table, uint64_t key, uint32_t rule);

#endif
