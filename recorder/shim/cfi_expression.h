#ifndef LOITER_SHIM_CFI_EXPRESSION_H
#define LOITER_SHIM_CFI_EXPRESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/shim/cfi_cursor.h"

/* DWARF numbers of the registers that matter, x86-64 ABI figure 3.36. */
#define CFI_REGISTER_BP 6u
#define CFI_REGISTER_SP 7u
#define CFI_REGISTER_RA 16u

enum cfi_base {
	CFI_BASE_NONE, /* a number */
	CFI_BASE_SP,
	CFI_BASE_BP,
	CFI_BASE_CFA
};

/* base + offset; with `memory` the eight bytes stored at that address. */
struct cfi_value {
	enum cfi_base base;
	bool memory;
	int64_t offset;
};

/*
 * Works out a DWARF expression as far as it can be done without a frame: the registers stay
 * symbols, the instruction address is known. That is enough for what compilers write: the PLT's
 * (it depends on the address only), realigned frames (a value saved at a fixed place) and the
 * kernel's signal frame. `first` is what lies on the stack at the start. False: anything else, or
 * malformed.
 */
bool cfi_expression_reduce(struct cfi_cursor expression, uintptr_t pc,
		const struct cfi_value *first, struct cfi_value *result);

#endif
