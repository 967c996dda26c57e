#include "recorder/shim/births.h"

#include <stdatomic.h>
#include <stddef.h>

#include "recorder/shim/shim.h"

#define BIRTHS_MAX 4096u
#define PROBES_MAX 64u

/* The births that were under way in the parent do not happen in a child. */
static _Alignas(4096) struct births {
	struct birth records[BIRTHS_MAX];
	_Atomic uint8_t used[BIRTHS_MAX];
	_Alignas(4096) _Atomic uint32_t hint;
} births;

bool births_init(void)
{
	return shim_wipe_on_fork(&births, sizeof(births));
}

struct birth *birth_new(void)
{
	uint32_t begin = atomic_load_explicit(&births.hint, memory_order_relaxed);

	for (uint32_t i = 0; i < PROBES_MAX; i++) {
		uint32_t index = (begin + i) % BIRTHS_MAX;

		if (atomic_exchange_explicit(&births.used[index], 1, memory_order_acquire) != 0)
			continue;
		atomic_store_explicit(&births.hint, index + 1, memory_order_relaxed);
		return &births.records[index];
	}
	return NULL;
}

struct birth birth_take(struct birth *birth)
{
	struct birth copy = *birth;
	ptrdiff_t index = birth - births.records;

	atomic_store_explicit(&births.used[index], 0, memory_order_release);
	return copy;
}
