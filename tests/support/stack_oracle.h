#ifndef LOITER_SUPPORT_STACK_ORACLE_H
#define LOITER_SUPPORT_STACK_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/shim/stack_walk.h"

/*
 * Walks the calling thread's stack three ways and compares all frames: with the memo of the
 * previous stack, without it, and with libunwind's unw_step(), which goes by the same unwind data
 * but shares no code with us.
 */
enum oracle_verdict {
	ORACLE_EQUAL,
	ORACLE_MEMO_DIFFERS,  /* the two of ours differ from each other */
	ORACLE_FRAMES_DIFFER, /* ours and libunwind's */
	ORACLE_SHORTER,       /* ours ends early; its frames are right */
	ORACLE_LONGER,        /* libunwind's ends early */
	ORACLE_VERDICT_COUNT
};

/* One for each thread; any memory of zeros. */
struct stack_oracle {
	struct stack_memo with_memo;
	struct stack_memo plain;
	uintptr_t expected[STACK_DEPTH_MAX + 64]; /* innermost first */
	uint32_t expected_count;
	const uintptr_t *found[2]; /* by the plain walk, and with the memo */
	uint32_t found_count;
	uint64_t found_flags;
};

/* Once in a process, before the first comparison. */
bool stack_oracle_init(uint32_t depth);

enum oracle_verdict stack_oracle_compare(struct stack_oracle *oracle);

/* The frames of the last comparison side by side, on stderr. */
void stack_oracle_print(const struct stack_oracle *oracle, enum oracle_verdict verdict);

const char *oracle_verdict_name(enum oracle_verdict verdict);

#endif
