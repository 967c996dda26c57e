#include "recorder/drain/harvest.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/macros.h"

/*
 * `users` is 1 for being open plus 1 for each run that was not consumed yet. Whoever takes it to
 * 0 owns the slab alone and puts it back.
 */
struct slab {
	struct slab *next;
	_Atomic uint32_t users;
	uint32_t used;
	_Alignas(64) unsigned char bytes[];
};

#define SLAB_ROOM (SLAB_BYTES - (uint32_t)sizeof(struct slab))

void slab_pool_init(struct slab_pool *pool)
{
	memset(pool, 0, sizeof(*pool));
}

void slab_pool_release(struct slab_pool *pool)
{
	for (uint32_t i = 0; i < pool->made_count; i++)
		free(pool->made[i]);
}

static struct slab *make_slab(struct slab_pool *pool)
{
	struct slab *slab = pool->made_count < SLABS_MAX ? aligned_alloc(64, SLAB_BYTES) : NULL;

	if (slab)
		pool->made[pool->made_count++] = slab;
	return slab;
}

static struct slab *take_slab(struct slab_pool *pool)
{
	struct slab *slab;

	if (!pool->free)
		pool->free = atomic_exchange_explicit(&pool->returned, NULL, memory_order_acquire);
	slab = pool->free;
	if (slab)
		pool->free = slab->next;
	else
		slab = make_slab(pool);
	if (slab) {
		slab->used = 0;
		atomic_init(&slab->users, 1);
	}
	return slab;
}

static void leave_slab(struct slab_pool *pool, struct slab *slab)
{
	if (atomic_fetch_sub_explicit(&slab->users, 1, memory_order_acq_rel) != 1)
		return;
	slab->next = atomic_load_explicit(&pool->returned, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&pool->returned, &slab->next, slab,
			memory_order_release, memory_order_relaxed))
		;
}

static uint32_t room_for_records(const struct slab *slab)
{
	uint32_t left = SLAB_ROOM - slab->used;

	if (left < sizeof(struct run))
		return 0;
	return (left - (uint32_t)sizeof(struct run)) / (uint32_t)sizeof(struct event);
}

struct run *run_cut(struct slab_pool *pool, uint32_t wanted)
{
	struct slab *slab = pool->open;
	struct run *run;
	uint32_t room;

	if (!slab || room_for_records(slab) == 0) {
		struct slab *fresh = take_slab(pool);

		if (!fresh)
			return NULL;
		if (slab)
			leave_slab(pool, slab);
		pool->open = slab = fresh;
	}
	room = room_for_records(slab);
	run = (struct run *)(void *)(slab->bytes + slab->used);
	*run = (struct run){ .slab = slab, .count = wanted < room ? wanted : room };
	slab->used += (uint32_t)(sizeof(*run) + run->count * sizeof(struct event));
	atomic_fetch_add_explicit(&slab->users, 1, memory_order_relaxed);
	return run;
}

void run_done(struct slab_pool *pool, struct run *run)
{
	leave_slab(pool, run->slab);
}

void harvest_add(struct harvest *harvest, struct run *run)
{
	run->next = NULL;
	if (harvest->last)
		harvest->last->next = run;
	else
		harvest->first = run;
	harvest->last = run;
	harvest->records += run->count;
}

void harvest_join(struct harvest *into, struct harvest *from)
{
	if (from->first) {
		if (into->last)
			into->last->next = from->first;
		else
			into->first = from->first;
		into->last = from->last;
	}
	into->records += from->records;
	into->horizon = from->horizon > into->horizon ? from->horizon : into->horizon;
	for (unsigned i = 0; i < LO_COUNT_OF(into->lost); i++)
		into->lost[i] += from->lost[i];
	into->starved |= from->starved;
	into->finished |= from->finished;
	*from = (struct harvest){ 0 };
}
