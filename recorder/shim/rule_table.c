#include "recorder/shim/rule_table.h"

#include <stddef.h>
#include <sys/mman.h>

struct rule_table *rule_table_new(void)
{
	/* Populated: a page fault in a hook costs a microsecond or two. */
	void *pages = mmap(NULL, sizeof(struct rule_table), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return pages == MAP_FAILED ? NULL : pages;
}

void rule_table_put(struct rule_table *table, uint64_t key, uint32_t rule)
{
	uint64_t tag = rule_tag(key);
	struct rule_set *set = &table->sets[rule_set_number(key)];
	unsigned place = RULE_SET_ENTRIES;

	for (unsigned i = 0; i < RULE_SET_ENTRIES && place == RULE_SET_ENTRIES; i++) {
		uint64_t entry = atomic_load_explicit(&set->entries[i], memory_order_relaxed);

		if (entry == 0 || (entry ^ tag) >> UNWIND_RULE_BITS == 0)
			place = i;
	}
	if (place == RULE_SET_ENTRIES)
		place = atomic_fetch_add_explicit(&table->replaced, 1, memory_order_relaxed) %
			RULE_SET_ENTRIES;
	atomic_store_explicit(&set->entries[place], tag | rule, memory_order_relaxed);
}
