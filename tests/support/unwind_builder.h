#ifndef LOITER_SUPPORT_UNWIND_BUILDER_H
#define LOITER_SUPPORT_UNWIND_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#include "recorder/shim/cfi.h"

/*
 * Unwind tables made by hand, byte by byte: .eh_frame with one description and any number of
 * functions, then .eh_frame_hdr. Addresses in them are relative, so the bytes may be moved as long
 * as the functions move along: function number i is at `functions` + its offset from the first
 * byte of the tables.
 */
#define UNWIND_BUILDER_BYTES     2048u
#define UNWIND_BUILDER_FUNCTIONS 16u
#define UNWIND_BUILDER_CODE      0x100000u /* where functions may lie: first byte + this and on */

struct unwind_builder {
	uint8_t bytes[UNWIND_BUILDER_BYTES];
	size_t size;
	size_t cie; /* offsets */
	size_t header;
	size_t count;
	size_t fdes[UNWIND_BUILDER_FUNCTIONS];
	size_t functions[UNWIND_BUILDER_FUNCTIONS];
	uint8_t pointer_format; /* DW_EH_PE_* of the functions' addresses */
};

/* Begins with a description as compilers write it: CFA = rsp + 8, return address at CFA - 8. */
void unwind_builder_init(struct unwind_builder *builder);

/* Begins with any description: augmentation, the data for it, the program. */
void unwind_builder_init_with(struct unwind_builder *builder, const char *augmentation,
		const uint8_t *data, size_t data_size, const uint8_t *program, size_t program_size);

/* Functions in order of address. `at` and `size` are bytes from UNWIND_BUILDER_CODE on. */
void unwind_builder_add(struct unwind_builder *builder, size_t at, size_t size,
		const uint8_t *program, size_t program_size);

/* Appends the header; nothing can be added behind it. */
void unwind_builder_finish(struct unwind_builder *builder);

/* The tables as they lie in `builder`. */
struct cfi_tables unwind_builder_tables(const struct unwind_builder *builder);

/* The address of the instruction at `offset` bytes from UNWIND_BUILDER_CODE. */
uintptr_t unwind_builder_pc(const struct unwind_builder *builder, size_t offset);

/* Little-endian bytes anywhere, for tests that spoil something. */
void unwind_builder_patch(struct unwind_builder *builder, size_t at, uint64_t value, size_t size);

#endif
