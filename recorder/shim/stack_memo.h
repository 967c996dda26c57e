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
 * rules of the code it passes. So the memo keeps, for every frame, the state (address, sp, bp) that
 * the walk was in, and the words that it read on the way further out. When a later walk comes into
 * a remembered state, and all those words are still the same, and so are the modules, then the rest
 * is the remembered rest. Most of it needs no extra room: a frame's return address was read from
 * the word below its sp.
 *
 *   M1  Frames lie in the order of the walk, innermost first. The memo has two sides: one has the
 *       remembered stack, a walk writes to the other. Then the shorter of new part and remembered
 *       rest is copied to the longer; a walk that joined nothing copies nothing.
 *   M2  For frame i but the innermost: memory[sp[i] - 8] was address[i]. All other words that a
 *       walk from frame i outwards reads are reads[marks[i].reads .. reads_end).
 *   M3  `bp` counts only where the rest uses it (MEMO_NEEDS_BP): without frame pointers it is any
 *       value the program computes with, and neither compared nor read back from the stack.
 *   M4  Only the frames from `joinable` on may be joined. They lie on one stack in order of
 *       address, and their reads between the innermost one's sp and `top`.
 *   M5  A stack cut at the frame limit says nothing of another one of other length: it may only be
 *       joined as a whole.
 *   M6  Code in modules that may be unloaded is asked for again before it is believed, innermost
 *       first, so that the address asked for is known to be live.
 *   M7  A signal handler may interrupt the owner anywhere and walk with the same memo. `turn`
 *       tells the interrupted walk, which then leaves the memo empty and has no result. Until it
 *       notices, what it finds in the sides may be the handler's. So the indices that it goes by
 *       are those of its begin (struct memo_view); and a place that it found in a side, on a stack
 *       or in the sides, is used only if the turn is still its own *after* it was found: then it
 *       is of the remembered stack itself, and stays good whatever a handler does next.
 *   M8  The frames of the shim at the inner end are part of the memo, but not of the stack. Those
 *       further out (the start of a thread) are not frames here; what they read is in `reads`.
 *
 * One thread owns it. The memory must be neither on its stack nor in its static TLS, which may be
 * tiny. All zero bytes is a valid empty memo.
 */
#define MEMO_ROOM   16u                                /* in front, for stacks that grow a little */
#define MEMO_FRAMES (MEMO_ROOM + STACK_DEPTH_MAX + 8u) /* 8: frames of the shim */
#define MEMO_READS  (MEMO_FRAMES + 8u)

#define MEMO_MODULES     30u
#define MEMO_MODULE_STAY 0u /* of a frame whose module cannot be unloaded */

enum memo_mark_flag {
	MEMO_NEEDS_BP = 1 << 0, /* M3 */
	MEMO_GUESS = 1 << 1,    /* the caller was found by frame pointer, without unwind data */
};

struct memo_mark {
	uint16_t reads; /* M2 */
	uint8_t flags;  /* enum memo_mark_flag */
	uint8_t module; /* index in `module_salts` + 1, or MEMO_MODULE_STAY */
};

struct memo_read {
	uintptr_t address;
	uintptr_t value;
};

struct memo_side {
	uintptr_t sp[MEMO_FRAMES];
	uintptr_t address[MEMO_FRAMES]; /* as in stack_capture.h */
	uintptr_t bp[MEMO_FRAMES];
	struct memo_mark marks[MEMO_FRAMES];
	struct memo_read reads[MEMO_READS];
};

enum memo_end {
	MEMO_END_ROOT,  /* the thread's first function */
	MEMO_END_ZERO,  /* return address 0: the same, on stacks made by hand */
	MEMO_END_DEPTH, /* the limit of frames */
	MEMO_END_STUCK, /* no way further out, by the instruction alone */
	MEMO_END_LOST,  /* no way further out, by what is on the stack or not readable */
};

/* The stack in one side. All but the hash are indices into it, or say something about them. */
struct memo_stack {
	uint32_t begin;
	uint32_t own_end; /* frames [begin, own_end) are the shim's (M8) */
	uint32_t end;
	uint32_t reads_begin;
	uint32_t reads_end;
	uint32_t joinable;  /* M4 */
	uint32_t guess_end; /* behind the outermost frame with MEMO_GUESS; 0 = none */
	enum memo_end ended;
	uintptr_t top; /* M4 */
	/* h(i) = frame(i) + FACTOR * h(i + 1) for the frames of the stack, see stack_memo.c. */
	uint64_t hash;
};

struct stack_memo {
	/* M7. `committed` and `stored` have the turn that they are of in the upper half. */
	_Atomic uint32_t turn;
	_Atomic uint64_t committed; /* lower half: 1 = there is a stack */
	_Atomic uint64_t stored;    /* lower half: its id, or STACK_NONE */
	uint32_t generation;        /* of the process (fork) that it is about */
	uint32_t side;              /* where it is */
	struct memo_stack stack;
	uintptr_t thread_low; /* see stack_reach.h */
	uint32_t module_count;
	uint64_t module_salts[MEMO_MODULES]; /* M6 */
	struct memo_side sides[2];
};

/* Forgets everything: the memo gets another owner. */
void stack_memo_reset(struct stack_memo *memo);

/* The remembered stack as it was at the begin of a turn; see M7 about what it leads to. */
struct memo_view {
	uint32_t turn;
	uint32_t id;     /* where the stack is stored, or STACK_NONE */
	bool is_nothing; /* there is none: then the rest is of use to nobody */
	struct memo_side *side;
	struct memo_side *other_side; /* for new frames */
	struct memo_stack stack;
};

/* Begins a turn. False: another turn came between. */
bool stack_memo_begin(struct stack_memo *memo, struct memo_view *view);

/* Ends a turn. False: another turn came between, nothing is remembered. */
bool stack_memo_commit(struct stack_memo *memo, uint32_t turn);

/* Remembers the id of the stack of that turn. False: another turn came between. */
bool stack_memo_store_id(struct stack_memo *memo, uint32_t turn, uint32_t id);

/*
 * Is the rest of the walk from `frame` outwards still the remembered one? On false `*candidate` is
 * the first frame that may still be joined by a later state of this walk.
 */
bool stack_memo_holds(const struct stack_memo *memo, const struct memo_view *view, uint32_t frame,
		struct stack_reach *reach, bool certain, uint32_t *candidate);

/*
 * Makes the memo be about the new stack: the frames of `fresh`, which are in the other side, and
 * the remembered ones from frame `tail` on; none if `tail` is their end. `fresh->hash` is the hash
 * without the rest, whose hash is to be multiplied with `factor`.
 */
void stack_memo_join(struct stack_memo *memo, const struct memo_view *view,
		const struct memo_stack *fresh, uint32_t tail, uint64_t factor);

/* Number of the module with this salt, added if need be; after MEMO_MODULES the memo is stale. */
uint8_t stack_memo_number_module(struct stack_memo *memo, uint64_t salt);

#define MEMO_HASH_FACTOR 0xd6e8feb86659fd93ull /* odd, so that a step can be undone */

/* A frame's part in the hash. */
static inline uint64_t stack_memo_hash(uintptr_t address, uint64_t salt)
{
	uint64_t mixed = (address ^ salt) * 0x9e3779b97f4a7c15ull;

	return mixed ^ mixed >> 32;
}

#endif
