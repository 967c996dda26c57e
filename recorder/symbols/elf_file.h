#ifndef LOITER_SYMBOLS_ELF_FILE_H
#define LOITER_SYMBOLS_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/error.h"

/*
 * As much of an ELF file as decides whether and how a program can be recorded: headers, program
 * headers, notes and the dynamic section. Read with bounds and without a library: the file may be
 * anything, and elfutils is optional. 64-bit little-endian files only; what else claims to be ELF
 * is told apart by `elf_class` and `machine`.
 */
#define ELF_SEGMENTS_MAX 64u /* programs have about a dozen */
#define ELF_BUILD_ID_MAX 64u
#define ELF_NEEDED_MAX   256u
#define ELF_NAME_MAX     256u

struct elf_segment {
	uint32_t type;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t file_bytes;
};

struct elf_file {
	int fd;
	uint64_t size;
	uint8_t elf_class; /* ELFCLASS32, ELFCLASS64 */
	bool little_endian;
	uint16_t type;    /* ET_EXEC, ET_DYN, ... */
	uint16_t machine; /* EM_X86_64, ... */
	struct elf_segment segments[ELF_SEGMENTS_MAX];
	uint32_t segment_count;
};

/*
 * LO_UNSUPPORTED: not ELF at all. LO_CORRUPT, LO_TRUNCATED: ELF, but damaged. LO_IO. For a 32-bit
 * or big-endian file only the members up to `machine` are filled.
 */
enum lo_result elf_file_open(struct elf_file *file, const char *path, struct lo_error *err);
/* Accepts a zeroed file. */
void elf_file_close(struct elf_file *file);

/* First segment of a type, or NULL. */
const struct elf_segment *elf_file_segment(const struct elf_file *file, uint32_t type);

/* Where the bytes at a file offset are in the ELF address space; false when in no loaded segment.
 */
bool elf_file_vaddr(const struct elf_file *file, uint64_t offset, uint64_t *vaddr);

/* The path of the program interpreter; false when there is none or it is no sound string. */
bool elf_file_interpreter(const struct elf_file *file, char *path, size_t capacity);

/* Length of the build id, 0 = none. */
uint32_t elf_file_build_id(const struct elf_file *file, uint8_t id[ELF_BUILD_ID_MAX]);

/* Has a note of this owner and type. */
bool elf_file_has_note(const struct elf_file *file, const char *owner, uint32_t type);

/* The name of the `i`-th library that the file needs; false past the last. */
bool elf_file_needed(const struct elf_file *file, uint32_t i, char name[ELF_NAME_MAX]);

/* Do the dynamic strings contain `name` as a whole string? That is how imports are found. */
bool elf_file_names_symbol(const struct elf_file *file, const char *name);

#endif
