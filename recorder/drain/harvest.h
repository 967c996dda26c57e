#ifndef LOITER_DRAIN_HARVEST_H
#define LOITER_DRAIN_HARVEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "formats/model/event.h"
#include "formats/model/loss.h"

/*
 * What the drain hands to the encoder: runs of records, each run from one ring and one owner,
 * in the ring's order.
 *
 * The drain's thread copies and nothing else, so that rings are empty again in microseconds; the
 * encoder's thread does everything that takes time. Between them lies this memory: runs are cut
 * from slabs, slabs come from a pool that never grows beyond SLABS_MAX. A slab goes back when all
 * its runs were consumed; since runs are consumed in nearly the order of their making, few slabs
 * are ever half used.
 */
#define SLAB_BYTES (64u * 1024u)
#define SLABS_MAX  384u /* 24 MiB: what ten million events a second leave behind in 75 ms */

struct slab;

/* As the ring said it; `process` is a valid index, nothing else is known to be true. */
struct run_owner {
	uint32_t process;
	uint32_t generation;
	uint32_t task;
	uint32_t tid;
};

struct run {
	struct run *next;
	struct slab *slab;
	struct run_owner owner;
	uint64_t copied_at; /* ticks: no record of the run can be later */
	uint32_t ring;
	uint32_t count;
	bool lossy; /* the owner lost records before or among these */
	struct event events[];
};

/*
 * Neither side ever waits for the other: free slabs go onto a stack that only the drain empties,
 * all at once, so there is no lock in which the encoder could be suspended.
 */
struct slab_pool {
	_Atomic(struct slab *) returned; /* by whoever left a slab last */
	/* The drain's own. */
	struct slab *free;
	struct slab *open; /* runs are cut from it */
	struct slab *made[SLABS_MAX];
	uint32_t made_count;
};

void slab_pool_init(struct slab_pool *pool);
/* Runs that were not given back are gone with it. */
void slab_pool_release(struct slab_pool *pool);

/*
 * The drain: room for up to `wanted` records, at least 1, as one run with `count` set; NULL when
 * the pool is exhausted or the system has no memory.
 */
struct run *run_cut(struct slab_pool *pool, uint32_t wanted);

/* The encoder: this run was consumed. */
void run_done(struct slab_pool *pool, struct run *run);

struct harvest {
	struct run *first;
	struct run *last;
	uint64_t records;
	/* Ticks: what was published before is in this harvest or in an earlier one. */
	uint64_t horizon;
	uint64_t lost[LOSS_CAUSE_COUNT];
	bool starved;  /* the pool was exhausted: records stayed in the rings */
	bool finished; /* the drain has ended; this is all */
};

void harvest_add(struct harvest *harvest, struct run *run);

/* Moves all of `from` behind `into`. */
void harvest_join(struct harvest *into, struct harvest *from);

#endif
