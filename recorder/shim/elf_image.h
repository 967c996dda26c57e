#ifndef LOITER_SHIM_ELF_IMAGE_H
#define LOITER_SHIM_ELF_IMAGE_H

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A loaded ELF file as it lies in memory, by its program headers. Whatever they say is checked
 * before it is followed: nothing outside of [begin, end) is read, and within it only what a
 * readable segment covers.
 */
struct elf_image {
	const ElfW(Phdr) * segments;
	size_t segment_count;
	uintptr_t bias; /* address in memory - address in the file's own terms */
	uintptr_t begin;
	uintptr_t end;
};

struct elf_range {
	const uint8_t *begin;
	const uint8_t *end;
};

/* From what dl_iterate_phdr() tells. */
void elf_image_from_headers(struct elf_image *image, const struct dl_phdr_info *info);

/* From the ELF header at the begin of the mapping; false: there is none. */
bool elf_image_from_memory(struct elf_image *image, uintptr_t begin, uintptr_t end, uintptr_t bias);

/* The readable segment that `address` lies in; empty: none. */
struct elf_range elf_image_segment_at(const struct elf_image *image, uintptr_t address);

/* The GNU build id; empty: none. */
struct elf_range elf_image_build_id(const struct elf_image *image);

/* Address of .eh_frame_hdr; 0: none. */
uintptr_t elf_image_unwind_header(const struct elf_image *image);

#endif
