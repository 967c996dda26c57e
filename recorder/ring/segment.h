#ifndef LOITER_RING_SEGMENT_H
#define LOITER_RING_SEGMENT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/ring/ring.h"

/*
 * The one piece of memory that recorder and traced processes share.
 *
 * The recorder makes it (memfd), owns it, and outlives the traced program; a traced process maps
 * it through /proc/RECORDER/fd/N, so nothing is inherited across exec but two environment
 * variables and no descriptor stays open in the program. Everything is sparse: only touched pages
 * take memory. All offsets are fixed at compile time, so there is no directory to corrupt.
 *
 *   S1  Sizes and options in the header are written by the recorder before the program starts and
 *       never change, except `recording`, which only goes from 1 to 0.
 *   S2  A process slot goes FREE -> LIVE (by compare-and-swap of the process that takes it, in its
 *       constructor or in the child after fork) -> ENDED (by the process at exec or orderly exit,
 *       or by the drain that found it dead) -> FREE (by the drain, after its rings are drained).
 *       `generation` grows at each taking, so a late reader can tell two owners apart.
 *   S3  In a LIVE slot only its process writes; in ENDED and FREE slots only the drain.
 *   S4  Arena and module log are append-only while LIVE: what was published is never changed.
 */
#define SEGMENT_MAGIC   0x746e656d67657374ull /* "tsegment" */
#define SEGMENT_VERSION 2u

#define SEGMENT_RINGS        4096u
#define SEGMENT_PROCESSES    64u
#define SEGMENT_MODULES      384u /* per process */
#define SEGMENT_PATH_MAX     256u
#define SEGMENT_BUILD_ID_MAX 32u

/* Environment variables that tell a traced process where its segment is. */
#define SEGMENT_ENV_PATH  "LOITER_SEGMENT"       /* "/proc/1234/fd/5" */
#define SEGMENT_ENV_TOKEN "LOITER_SEGMENT_TOKEN" /* hex, must equal segment_header.token */

enum segment_clock {
	SEGMENT_CLOCK_MONOTONIC,
	SEGMENT_CLOCK_TSC
};

struct segment_header {
	uint64_t magic;
	uint32_t version;
	uint32_t clock;              /* enum segment_clock: what the ticks in events are */
	uint64_t bytes;              /* sizeof(struct segment) */
	uint64_t token;              /* random: proves that the path leads to the right segment */
	uint64_t io_threshold_ticks; /* shorter I/O calls are not waits */
	uint32_t stack_depth;        /* frames kept, at most STACK_DEPTH_MAX; 0 = no stacks */
	uint32_t follow_children;    /* 0: children are left alone */
	uint32_t root_pid;           /* the program started by the recorder */

	/* The drain sleeps; whoever fills half a ring wakes it (futex on `wake`). */
	_Alignas(RING_CACHE_LINE) _Atomic uint32_t wake;
	_Atomic uint32_t drain_sleeps;

	_Alignas(RING_CACHE_LINE) _Atomic uint32_t recording; /* 0: nothing more is wanted */
	_Atomic uint32_t ring_hint; /* where to look for a free ring first */
	_Atomic uint64_t lost_no_ring;
	_Atomic uint32_t lost_processes; /* found no free slot, so nothing of them is recorded */
	_Atomic uint32_t rings_used;     /* highest index ever taken + 1: how far the drain looks */
};

/*
 * A loaded file as the process saw it. Entry i is valid once `ready` is 1 (release). When ranges
 * of two entries overlap the later entry is right from its `time` on (a plug-in was unloaded).
 */
struct segment_module {
	_Atomic uint32_t ready;
	uint32_t build_id_size; /* 0 = none */
	uint64_t begin;         /* mapped addresses: [begin, end) */
	uint64_t end;
	uint64_t bias; /* mapped address = ELF virtual address + bias */
	uint64_t time; /* ticks, when it was first seen */
	uint8_t build_id[SEGMENT_BUILD_ID_MAX];
	char path[SEGMENT_PATH_MAX]; /* terminated; "" is the program itself */
};

/*
 * Stacks of one process, each stored once. A stack id is the index of its first word in `words`:
 * one word with frame count (low 16 bits) and flags, then the return addresses, innermost first.
 * Id 0 is no stack, so word 0 is never used.
 *   A1  `words_used` grows by atomic add; the words behind an id are complete before the id is
 *       published, in `index` or in a ring (release in either).
 *   A2  An index entry goes from 0 to its value once and stays: tag of the hash in the high half,
 *       id in the low. A stack may be stored twice after a lost race; both ids stay valid.
 */
#define STACK_DEPTH_MAX         128u
#define STACK_WORDS             (192u * 1024u)
#define STACK_INDEX             (32u * 1024u)
#define STACK_COUNT_MASK        0xffffull
#define STACK_WORD_FLAG_CUT     (1ull << 16) /* depth limit, or no unwind data further up */
#define STACK_WORD_FLAG_GUESSED (1ull << 17) /* a frame was found by frame pointer only */

struct segment_stacks {
	_Atomic uint32_t words_used;
	_Atomic uint32_t full; /* stacks that did not fit: their events have STACK_NONE */
	_Atomic uint64_t index[STACK_INDEX];
	_Atomic uint64_t words[STACK_WORDS];
};

#define SEGMENT_LEFT 0x100u

enum process_slot_state {
	PROCESS_SLOT_FREE,
	PROCESS_SLOT_LIVE,
	PROCESS_SLOT_ENDED
};

struct process_slot {
	_Alignas(4096) _Atomic uint32_t state;
	_Atomic uint32_t generation;
	_Atomic uint32_t pid;
	_Atomic uint32_t parent_pid;
	_Atomic uint64_t begin_ticks;
	_Atomic uint32_t next_task; /* task numbers are given out by atomic add; the first is 1 */
	_Atomic uint32_t module_count; /* entries reserved; see `ready` */
	_Atomic uint32_t replaced;     /* 1: ended by exec, the same pid goes on in another slot */
	_Atomic uint32_t forked;    /* 1: began by fork, without exec: same program as the parent */
	_Atomic uint32_t main_task; /* number of the task that is the main thread */
	_Atomic uint32_t left;      /* SEGMENT_LEFT and the status: ends in order; 0: not (yet) */
	struct segment_module modules[SEGMENT_MODULES];
	_Alignas(4096) struct segment_stacks stacks;
};

struct segment {
	_Alignas(4096) struct segment_header header;
	_Alignas(4096) struct process_slot processes[SEGMENT_PROCESSES];
	_Alignas(4096) struct ring rings[SEGMENT_RINGS];
};

/*
 * Kind of a ring record that never reaches the file: the name of a task. 16 bytes of text (as in
 * prctl(PR_SET_NAME), NUL padded) lie where an event has `object`, `task` and `peer`; `stack` is
 * the number of the named task in its process, 0 for the ring's owner. A thread without such a
 * record has the name of its creator, as the kernel does it.
 */
#define RING_EVENT_NAME       0xfeu
#define RING_EVENT_NAME_BYTES 16u
_Static_assert(offsetof(struct event, object) + RING_EVENT_NAME_BYTES ==
				offsetof(struct event, stack),
		"the name fills exactly object, task and peer");

/* ---- The recorder's end (segment.c); the traced program needs none of it. ---- */

struct segment_options {
	enum segment_clock clock;
	uint64_t io_threshold_ticks;
	uint32_t stack_depth;
	uint32_t follow_children;
};

struct segment_owner {
	struct segment *segment;
	int fd; /* close-on-exec; what /proc/RECORDER/fd/N leads to */
	uint64_t token;
};

/*
 * Makes an empty segment that is recording. Its size is sealed: whatever a traced process does to
 * the file, no access of the recorder to the mapping faults. Returns 0 or an errno value.
 */
int segment_create(struct segment_owner *owner, const struct segment_options *options);
/* Accepts a zeroed owner. Traced processes keep their mapping. */
void segment_release(struct segment_owner *owner);

/*
 * Give the memory of whole pages in [offset, offset + bytes) of the segment back to the system;
 * they read as zeros afterwards, in every process.
 */
void segment_drop(const struct segment_owner *owner, size_t offset, size_t bytes);

#endif
