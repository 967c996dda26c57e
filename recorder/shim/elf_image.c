#include "recorder/shim/elf_image.h"

#include <string.h>

/* The headers that are looked at lie in the first page, as with every linker known. */
#define HEADERS_MAX 4096u
#define PAGE_SIZE   4096u

void elf_image_from_headers(struct elf_image *image, const struct dl_phdr_info *info)
{
	*image = (struct elf_image){
		.segments = info->dlpi_phdr,
		.segment_count = info->dlpi_phnum,
		.bias = info->dlpi_addr,
		.begin = UINTPTR_MAX,
	};
	for (size_t i = 0; i < image->segment_count; i++) {
		const ElfW(Phdr) *segment = &image->segments[i];
		uintptr_t begin = image->bias + segment->p_vaddr;
		uintptr_t end = begin + segment->p_memsz;

		if (segment->p_type != PT_LOAD)
			continue;
		if (begin < image->begin)
			image->begin = begin & ~(uintptr_t)(PAGE_SIZE - 1);
		if (end > image->end)
			image->end = end;
	}
}

bool elf_image_from_memory(struct elf_image *image, uintptr_t begin, uintptr_t end, uintptr_t bias)
{
	const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)begin;

	if (end - begin < HEADERS_MAX || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
			header->e_phentsize != sizeof(ElfW(Phdr)) ||
			header->e_phoff % _Alignof(ElfW(Phdr)) != 0 ||
			header->e_phoff > HEADERS_MAX ||
			header->e_phnum > (HEADERS_MAX - header->e_phoff) / sizeof(ElfW(Phdr)))
		return false;
	*image = (struct elf_image){
		.segments = (const ElfW(Phdr) *)(begin + header->e_phoff),
		.segment_count = header->e_phnum,
		.bias = bias,
		.begin = begin,
		.end = end,
	};
	return true;
}

struct elf_range elf_image_segment_at(const struct elf_image *image, uintptr_t address)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const ElfW(Phdr) *segment = &image->segments[i];
		uintptr_t begin = image->bias + segment->p_vaddr;

		/* The file's part: what follows it may be on a page that the file has not. */
		if (segment->p_type == PT_LOAD && (segment->p_flags & PF_R) &&
				address - begin < segment->p_filesz && begin >= image->begin &&
				begin <= image->end && segment->p_filesz <= image->end - begin)
			return (struct elf_range){
				.begin = (const uint8_t *)begin,
				.end = (const uint8_t *)begin + segment->p_filesz,
			};
	}
	return (struct elf_range){ 0 };
}

/* The piece [address, address + size), if it lies in one segment. */
static struct elf_range piece(const struct elf_image *image, uintptr_t address, size_t size)
{
	struct elf_range range = elf_image_segment_at(image, address);

	if (size > (uintptr_t)range.end - address || range.begin == range.end)
		return (struct elf_range){ 0 };
	range.begin = (const uint8_t *)address;
	range.end = range.begin + size;
	return range;
}

static size_t padded(size_t size, size_t align)
{
	return (size + align - 1) & ~(align - 1);
}

static struct elf_range notes_build_id(struct elf_range notes, size_t align)
{
	ElfW(Nhdr) note;

	while ((size_t)(notes.end - notes.begin) >= sizeof(note)) {
		memcpy(&note, notes.begin, sizeof(note));
		notes.begin += sizeof(note);

		/* 32-bit sizes cannot make a 64-bit sum wrap. */
		size_t left = (size_t)(notes.end - notes.begin);
		size_t name_size = padded(note.n_namesz, align);
		size_t size = name_size + padded(note.n_descsz, align);

		if (name_size + note.n_descsz > left)
			break;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof(ELF_NOTE_GNU) &&
				memcmp(notes.begin, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0)
			return (struct elf_range){
				.begin = notes.begin + name_size,
				.end = notes.begin + name_size + note.n_descsz,
			};
		notes.begin += size < left ? size : left;
	}
	return (struct elf_range){ 0 };
}

struct elf_range elf_image_build_id(const struct elf_image *image)
{
	struct elf_range id = { 0 };

	for (size_t i = 0; i < image->segment_count && id.begin == id.end; i++) {
		const ElfW(Phdr) *segment = &image->segments[i];

		if (segment->p_type == PT_NOTE)
			id = notes_build_id(piece(image, image->bias + segment->p_vaddr,
							    segment->p_filesz),
					segment->p_align == 8 ? 8 : 4);
	}
	return id;
}

uintptr_t elf_image_unwind_header(const struct elf_image *image)
{
	for (size_t i = 0; i < image->segment_count; i++)
		if (image->segments[i].p_type == PT_GNU_EH_FRAME)
			return image->bias + image->segments[i].p_vaddr;
	return 0;
}
