#include "tests/support/elf_forge.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES_MAX 4096u

struct image {
	unsigned char bytes[BYTES_MAX];
	size_t used;
	Elf64_Phdr segments[8];
	size_t segment_count;
};

static size_t add_bytes(struct image *image, const void *bytes, size_t size)
{
	size_t at = (image->used + 7) & ~(size_t)7;

	if (at + size > BYTES_MAX)
		abort();
	memcpy(image->bytes + at, bytes, size);
	image->used = at + size;
	return at;
}

static void add_segment(struct image *image, uint32_t type, size_t offset, size_t size)
{
	image->segments[image->segment_count++] = (Elf64_Phdr){
		.p_type = type,
		.p_offset = offset,
		.p_vaddr = ELF_FORGE_BASE + offset,
		.p_filesz = size,
		.p_memsz = size,
	};
}

static void add_note(struct image *image, const struct elf_forge *forge)
{
	unsigned char note[256] = { 0 };
	Elf64_Nhdr header = { (Elf64_Word)strlen(forge->note_owner) + 1, forge->note_bytes,
		forge->note_type };
	size_t at = sizeof(header);

	memcpy(note, &header, sizeof(header));
	memcpy(note + at, forge->note_owner, header.n_namesz);
	at += (header.n_namesz + 3u) & ~3u;
	memcpy(note + at, forge->note, forge->note_bytes);
	at += (forge->note_bytes + 3u) & ~3u;
	add_segment(image, PT_NOTE, add_bytes(image, note, at), at);
}

static void add_dynamic(struct image *image, const struct elf_forge *forge)
{
	char strings[512] = "";
	size_t used = 1;
	Elf64_Dyn entries[8] = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < 4 && forge->needed[i]; i++) {
		entries[count].d_tag = DT_NEEDED;
		entries[count++].d_un.d_val = used;
		used += (size_t)sprintf(strings + used, "%s", forge->needed[i]) + 1;
	}
	if (forge->symbol)
		used += (size_t)sprintf(strings + used, "%s", forge->symbol) + 1;
	entries[count].d_tag = DT_STRTAB;
	entries[count++].d_un.d_ptr = ELF_FORGE_BASE + add_bytes(image, strings, used);
	entries[count].d_tag = DT_STRSZ;
	entries[count++].d_un.d_val = used;
	count++; /* DT_NULL */
	add_segment(image, PT_DYNAMIC, add_bytes(image, entries, count * sizeof(entries[0])),
			count * sizeof(entries[0]));
}

static void put_header(struct image *image, const struct elf_forge *forge)
{
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				EV_CURRENT },
		.e_type = ET_DYN,
		.e_machine = forge->machine ? forge->machine : EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
	};

	if (forge->elf_class)
		header.e_ident[EI_CLASS] = forge->elf_class;
	header.e_phnum = (Elf64_Half)image->segment_count;
	header.e_phoff = add_bytes(
			image, image->segments, image->segment_count * sizeof(image->segments[0]));
	memcpy(image->bytes, &header, sizeof(header));
}

size_t elf_forge_write(const struct elf_forge *forge, char path[64])
{
	struct image image = { .used = sizeof(Elf64_Ehdr) };
	int fd;

	add_segment(&image, PT_LOAD, 0, BYTES_MAX);
	if (forge->interpreter)
		add_segment(&image, PT_INTERP,
				add_bytes(&image, forge->interpreter,
						strlen(forge->interpreter) + 1),
				strlen(forge->interpreter) + 1);
	if (forge->note_owner)
		add_note(&image, forge);
	if (forge->needed[0] || forge->symbol)
		add_dynamic(&image, forge);
	put_header(&image, forge);
	snprintf(path, 64, "/tmp/loiter-elf-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || fchmod(fd, 0700) != 0 ||
			write(fd, image.bytes, image.used) != (ssize_t)image.used)
		abort();
	close(fd);
	return image.used;
}
