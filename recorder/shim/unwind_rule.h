#ifndef LOITER_SHIM_UNWIND_RULE_H
#define LOITER_SHIM_UNWIND_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/shim/cfi.h"

/*
 * How to get from one instruction to the caller, in 28 bits, so that a rule and the tag of its
 * address fit in one word (rule_table.h). Only pc, sp and bp are followed: a function that finds
 * its frame by another register does so in its first instructions or is the loader's; it does not
 * wait.
 *
 *   bits 0..15   A, signed, in units of 8 bytes: up to 256 KiB to either side
 *   bits 16..18  kind
 *   bit 19       the instruction is one of this library, whose frames are left out
 *   bits 20..27  B, unsigned, in units of 8 bytes: up to 2 KiB
 *
 * The return address always lies at CFA - 8. In the first two kinds the caller's bp lies at CFA -
 * 8 * B, or is still in the register when B is 0.
 */
enum unwind_kind {
	UNWIND_UNKNOWN,   /* never a rule */
	UNWIND_CFA_SP,    /* CFA = sp + A */
	UNWIND_CFA_BP,    /* CFA = bp + A */
	UNWIND_REALIGNED, /* CFA = memory[bp + A]; the caller's bp is memory[bp + 8 * B] */
	UNWIND_SIGNAL,    /* the kernel's frame: all three are in its saved registers */
	UNWIND_ROOT,      /* the first function of a thread: complete */
	UNWIND_NO_DATA,   /* the module says nothing about this instruction */
	UNWIND_COMPLEX,   /* there is a rule that cannot be said here, or that is malformed */
};

#define UNWIND_RULE_BITS  28
#define UNWIND_KIND_SHIFT 16
#define UNWIND_OWN        (1u << 19)
#define UNWIND_B_SHIFT    20
#define UNWIND_B_MAX      ((1 << (UNWIND_RULE_BITS - UNWIND_B_SHIFT)) - 1)

/* Saved registers in the kernel's signal frame, from sp in the trampoline (struct ucontext). */
#define UNWIND_SIGNAL_BP 120
#define UNWIND_SIGNAL_SP 160
#define UNWIND_SIGNAL_PC 168

static inline enum unwind_kind unwind_rule_kind(uint32_t rule)
{
	return (enum unwind_kind)(rule >> UNWIND_KIND_SHIFT & 7);
}

/* In bytes. */
static inline intptr_t unwind_rule_a(uint32_t rule)
{
	return (intptr_t)(int16_t)rule * 8;
}

static inline uintptr_t unwind_rule_b(uint32_t rule)
{
	return (uintptr_t)(rule >> UNWIND_B_SHIFT) * 8;
}

/* Is it UNWIND_CFA_SP, and not in this library? */
static inline bool unwind_rule_is_plain(uint32_t rule)
{
	return (rule >> UNWIND_KIND_SHIFT & 15) == UNWIND_CFA_SP;
}

/* A rule that is a kind and nothing more. */
static inline uint32_t unwind_rule_of_kind(enum unwind_kind kind)
{
	return (uint32_t)kind << UNWIND_KIND_SHIFT;
}

/* The rule for the instruction at `pc`, of whatever kind; 80 to 150 ns. */
uint32_t unwind_rule_compile(const struct cfi_tables *tables, uintptr_t pc);

#endif
