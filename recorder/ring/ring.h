#ifndef LOITER_RING_RING_H
#define LOITER_RING_RING_H

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "formats/model/event.h"

/*
 * One ring per traced thread, in memory shared with the recorder process.
 *
 *   R1  Only the owning thread stores `head`; only the drain stores `tail`.
 *   R2  Both count records since the segment was made and never wrap (64 bits). A ring that is
 *       handed to another thread goes on counting.
 *   R3  0 <= head - tail <= RING_CAPACITY, as seen by either side.
 *   R4  Slots in [tail, head) are complete: the release store of `head` publishes them, and the
 *       drain reads them after an acquire load. The release store of `tail` gives slots back.
 *   R5  When its ring is full the owner closes it and goes on in another, if there is one; else the
 *       *new* record is dropped and counted in `lost`. The traced thread never waits, allocates, or
 *       takes a lock.
 *   R6  The drain treats the mapping as hostile: it copies a record out before checking it and
 *       believes no index that it has not masked and no count that it has not compared.
 *   R7  Times in one ring never decrease.
 *
 * R4 and R5 together let the target die at any instruction: whatever was published survives, and
 * nothing half-written is ever read.
 *
 * Ownership. `state` goes FREE -> OWNED (by compare-and-swap of the thread that takes the ring at
 * its first event) -> CLOSED (by that thread, after its last record) -> FREE (by the drain, after
 * everything was read). If the owner's process has died the drain treats OWNED as CLOSED. Records
 * of one owner may lie in several rings, then, of which at most one is OWNED; their times say the
 * order, and never are equal in two of them.
 *   R8  `process`, `generation`, `task` and `tid` are written by the owner before its first record
 *       is published, so whoever sees a record of an owner sees who the owner is.
 *
 * Pending: the wait that may turn out not to be one. A read() mostly returns at once, and then
 * nothing must be recorded; but if it never returns it must be in the trace. So the thread *arms*
 * the pending event before the call and decides after it.
 *   P1  `pending` is written only by the owner, and only while the state bits of `pending_word`
 *       are IDLE. The release store of ARMED with a new sequence number publishes it.
 *   P2  ARMED -> IDLE: the owner, by compare-and-swap. It succeeded: the drain knows nothing; the
 *       owner drops the event or pushes BLOCK and UNBLOCK as ordinary records.
 *   P3  ARMED -> TAKEN: the drain, by compare-and-swap, when the event has become older than the
 *       lateness bound. It copies `pending` before; that the swap succeeds proves that the copy
 *       is of this sequence number (P1). The drain then treats the copy as a published record.
 *   P4  TAKEN -> IDLE: the owner, by plain store, after its call returned. It pushes only UNBLOCK.
 *   P5  At the death of the target an ARMED event is taken as it is: the task died waiting.
 *   P6  The drain may copy `pending` while the owner, back from its call, writes the next one
 * there. The copy is thrown away (P3), but it must not be a data race: so the words are atomic. The
 *       owner releases each and the drain acquires each, so a drain that has seen a word of the
 *       next event sees the swap of P2 too, and its own fails.
 */
#define RING_CACHE_LINE 64
#define RING_CAPACITY   2016u /* with the header exactly 64 KiB, see the assertion below */

enum ring_state {
	RING_FREE,
	RING_OWNED,
	RING_CLOSED
};

enum ring_pending_state {
	PENDING_IDLE,
	PENDING_ARMED,
	PENDING_TAKEN
};
#define PENDING_STATE_MASK   3u
#define PENDING_SEQUENCE_ONE 4u
#define RING_PENDING_WORDS   (sizeof(struct event) / sizeof(uint64_t))

enum ring_loss {
	RING_LOSS_FULL,
	RING_LOSS_NESTED,
	RING_LOSS_COUNT
};

struct ring {
	/* The owner's line. */
	_Alignas(RING_CACHE_LINE) _Atomic uint64_t head;
	_Atomic uint64_t lost[RING_LOSS_COUNT];
	uint64_t tail_seen; /* the owner's copy of `tail`, refreshed only when the ring looks full
			     */

	/* The drain's line. */
	_Alignas(RING_CACHE_LINE) _Atomic uint64_t tail;

	/* Who owns it; stored at hand-over only. */
	_Alignas(RING_CACHE_LINE) _Atomic uint32_t state;
	_Atomic uint32_t process;    /* index of the process slot */
	_Atomic uint32_t generation; /* of the process slot, at the time of taking */
	_Atomic uint32_t task;       /* number of the task in its process, from 1 */
	_Atomic uint32_t tid;        /* kernel thread id */

	_Alignas(RING_CACHE_LINE) _Atomic uint64_t pending_word;
	_Atomic uint64_t pending[RING_PENDING_WORDS]; /* a struct event, see P6 */

	/* Pads the header to 1 KiB. */
	_Alignas(1024) struct event slots[RING_CAPACITY];
};

_Static_assert(sizeof(struct ring) == 64 * 1024,
		"rings are whole pages, so that each can be dropped");

_Static_assert(sizeof(struct event) % sizeof(uint64_t) == 0, "P6: an event is whole words");

static inline void ring_pending_write(struct ring *ring, const struct event *event)
{
	uint64_t words[RING_PENDING_WORDS];

	memcpy(words, event, sizeof(words));
	for (unsigned i = 0; i < RING_PENDING_WORDS; i++)
		atomic_store_explicit(&ring->pending[i], words[i], memory_order_release);
}

static inline struct event ring_pending_read(const struct ring *ring)
{
	uint64_t words[RING_PENDING_WORDS];
	struct event event;

	for (unsigned i = 0; i < RING_PENDING_WORDS; i++)
		words[i] = atomic_load_explicit(&ring->pending[i], memory_order_acquire);
	memcpy(&event, words, sizeof(event));
	return event;
}

/*
 * In a ring, an event means what event.h says, except:
 *   time_ns  clock ticks (segment.h says of which clock)
 *   task     CREATE: number of the new task in this process; otherwise 0, it is the owner's
 *   peer     number of a task of the same process, or with EVENT_FLAG_PEER_IS_TID a kernel thread
 *            id of any process; CREATE: 0, it is the owner
 *   object   OBJECT_TASK: number of a task of the same process. RUN: kernel thread id
 *   stack    id in the stack arena of the owner's process slot
 */

#endif
