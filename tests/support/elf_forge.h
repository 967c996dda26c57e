#ifndef LOITER_TESTS_ELF_FORGE_H
#define LOITER_TESTS_ELF_FORGE_H

#include <stddef.h>
#include <stdint.h>

/*
 * ELF files made by hand: headers, notes and a dynamic section, no code. What is zero or NULL is
 * left out, or as in an ordinary x86-64 program.
 */
#define ELF_FORGE_BASE 0x400000u

struct elf_forge {
	uint8_t elf_class;
	uint16_t machine;
	const char *interpreter;
	const char *note_owner;
	uint32_t note_type;
	const char *note;
	uint32_t note_bytes;
	const char *needed[4];
	const char *symbol; /* in the dynamic strings */
};

/* Writes the file, executable, under a name of its own into `path`; returns its size. */
size_t elf_forge_write(const struct elf_forge *forge, char path[64]);

#endif
