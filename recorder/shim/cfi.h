#ifndef LOITER_SHIM_CFI_H
#define LOITER_SHIM_CFI_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/shim/cfi_expression.h"

/*
 * Call frame information: how to get from a function to its caller at one instruction, found
 * through .eh_frame_hdr and computed from .eh_frame (DWARF 5, section 6.4, and the Linux Standard
 * Base's description of these two sections).
 *
 * The tables are those of the running program and are trusted to be mapped, not to be sound: every
 * access stays within `begin` and `end`, and work is bounded by the bytes that are there.
 */
struct cfi_tables {
	const uint8_t *begin; /* the readable bytes that the tables lie in */
	const uint8_t *end;
	const uint8_t *header; /* .eh_frame_hdr */
};

enum cfi_result {
	CFI_FOUND,
	CFI_ABSENT,      /* nothing covers this instruction */
	CFI_UNSUPPORTED, /* malformed, or something no compiler writes for a function that calls */
};

enum cfi_saved {
	CFI_SAVED_NOT, /* the caller's value is still in the register */
	CFI_SAVED_AT,  /* in memory, at an address */
	CFI_SAVED_LOST,
	CFI_SAVED_OTHER, /* in another register, or computed */
};

struct cfi_register {
	enum cfi_saved saved;
	struct cfi_value at; /* CFI_SAVED_AT: its address */
};

/* The canonical frame address is the value of the stack pointer after the return. */
struct cfi_row {
	struct cfi_value cfa;
	struct cfi_register bp;
	struct cfi_register return_address;
	bool signal_frame;
};

/* `pc` lies in the instruction that calls or was interrupted (a return address - 1). */
enum cfi_result cfi_find_row(const struct cfi_tables *tables, uintptr_t pc, struct cfi_row *row);

#endif
