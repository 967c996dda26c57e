#ifndef LOITER_SHIM_STACK_MEMO_H
#define LOITER_SHIM_STACK_MEMO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "recorder/ring/segment.h"
#include "recorder/shim/stack_reach.h"

/*
 * What a thread remembers of its previous stack, so that the next one is mostly compared instead
 * of walked again.
 *
 * A walk is a function of where it begins, of the words it reads from the stack, and of the unwind
 * rules of the code it passes. So the memo keeps, for every frame, the state (at, sp, bp) that the
 * walk was in, and the words that it read on the way further out. When a later walk comes into a
 * remembered state, and all those words are still the same, and so are the modules, then the rest
 * is the remembered rest.
 *
 *   M1  Frames and reads are stored root first: what two stacks have in common stays in place, and
 *       only new frames are appended, hashed and checked.
 *   M2  reads[0 .. frames[i].reads_end) are what a walk from frame i to the root reads.
 *   M3  `bp` counts only where the rest uses it (MEMO_NEEDS_BP): without frame pointers it is any
 *       value the program computes with, and neither compared nor read back from the stack.
 *   M4  Only the first `joinable` frames may be joined. They lie on one stack in order of address,
 *       and their reads between the lowest frame's sp and `top`.
 *   M5  A stack cut at the frame limit says nothing of another one of other length: it may only be
 *       joined by its innermost frame (`whole_only`).
 *   M6  Code in modules that may be unloaded (`module_salts`) is asked for again before it is
 * believed, innermost first, so that the address asked for is known to be live. M7  A signal
 * handler may interrupt the owner anywhere and walk with the same memo. `turn` tells the
 * interrupted walk, which then leaves the memo empty and has no result.
 *
 * One thread owns it. The memory must be neither on its stack nor in its static TLS, which may be
 * tiny. All zero bytes is a valid empty memo.
 */
#define MEMO_FRAMES  (STACK_DEPTH_MAX + 8u) /* + frames of the shim */
#define MEMO_READS   (2u * MEMO_FRAMES)
#define MEMO_MODULES 32u

enum memo_frame_flag {
	MEMO_NEEDS_BP = 1 << 0,  /* M3 */
	MEMO_GUESS = 1 << 1,     /* the caller was found by frame pointer, without unwind data */
	MEMO_GUESS_OUT = 1 << 2, /* the same of this frame or one further out */
};

struct memo_frame {
	uintptr_t at; /* the instruction that called or was interrupted: return address - 1 */
	uintptr_t sp;
	uintptr_t bp;
	uint64_t hash;      /* of the frames up to here that are kept */
	uint16_t reads_end; /* M2 */
	uint8_t kept;       /* how many of the frames up to here are in `addresses` */
	uint8_t module;     /* of `at`: 0 = one that stays, else index in `module_salts` + 1 */
	uint8_t flags;      /* enum memo_frame_flag */
};

struct memo_read {
	uintptr_t address;
	uintptr_t value;
};

/* A frame of the walk under way, innermost first. */
struct memo_fresh {
	uintptr_t at;
	uintptr_t sp;
	uintptr_t bp;
	uint64_t salt; /* of the module of `at` */
	uint32_t rule; /* that leads out of it */
	bool kept;     /* false: a frame of the shim */
};

enum memo_end {
	MEMO_END_ROOT,  /* the thread's first function */
	MEMO_END_ZERO,  /* return address 0: the same, on stacks made by hand */
	MEMO_END_DEPTH, /* the limit of frames */
	MEMO_END_STUCK, /* no way further out, by the instruction alone */
	MEMO_END_LOST,  /* no way further out, by what is on the stack or not readable */
};

struct stack_memo {
	/* M7. `committed` and `stored` have the turn that they are of in the upper half. */
	_Atomic uint32_t turn;
	_Atomic uint64_t committed; /* lower half: how many frames are remembered */
	_Atomic uint64_t stored;    /* lower half: id of the remembered stack, or STACK_NONE */
	uint32_t generation;        /* of the process (fork) that it is about */
	uint32_t joinable;          /* M4 */
	enum memo_end end;
	uint32_t module_count;
	uintptr_t top;                       /* M4 */
	uintptr_t thread_low;                /* see stack_reach.h */
	uint64_t module_salts[MEMO_MODULES]; /* M6 */

	struct memo_frame frames[MEMO_FRAMES];
	struct memo_read reads[MEMO_READS];
	uintptr_t addresses[MEMO_FRAMES]; /* at + 1 of the frames that are kept, root first */
	struct memo_fresh fresh[MEMO_FRAMES];
};

/* Forgets everything: the memo gets another owner. */
void stack_memo_reset(struct stack_memo *memo);

/* Begins a turn: the number of frames that are remembered, until the commit nothing is. */
uint32_t stack_memo_begin(struct stack_memo *memo, uint32_t *turn, uint32_t *stored_id);

/* Ends a turn with `count` frames. False: another turn came between, nothing is remembered. */
bool stack_memo_commit(struct stack_memo *memo, uint32_t turn, uint32_t count);

/* Remembers the id of the stack of that turn. False: another turn came between. */
bool stack_memo_store_id(struct stack_memo *memo, uint32_t turn, uint32_t id);

/*
 * Is the rest of the walk from `frame` (an index) the remembered one? On false, `*candidates` is
 * how many frames, from the root, may still be joined by a later state of this walk.
 */
bool stack_memo_holds(const struct stack_memo *memo, uint32_t frame, struct stack_reach *reach,
		bool certain, uint32_t *candidates);

/*
 * Appends the first `fresh_count` of `fresh` to the first `tail` frames, so that the memo is about
 * the new stack. When `tail` is 0, `end` is what ended the walk, for MEMO_END_ZERO at `end_sp`, the
 * stack pointer that the caller would have.
 */
void stack_memo_append(struct stack_memo *memo, uint32_t tail, uint32_t fresh_count,
		enum memo_end end, uintptr_t end_sp);

#endif
