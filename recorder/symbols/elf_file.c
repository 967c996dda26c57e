#include "recorder/symbols/elf_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOTES_MAX           (64u * 1024u)
#define DYNAMIC_MAX         4096u       /* entries */
#define DYNAMIC_STRINGS_MAX (16u << 20) /* the largest C++ libraries have some 8 MiB */

/* All `size` bytes at `offset`, or false. */
static bool read_at(const struct elf_file *file, uint64_t offset, void *bytes, size_t size)
{
	size_t done = 0;

	if (offset > file->size || size > file->size - offset)
		return false;
	while (done < size) {
		ssize_t got = pread(file->fd, (char *)bytes + done, size - done,
				(off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

static enum lo_result read_identity(struct elf_file *file, struct lo_error *err)
{
	unsigned char start[20]; /* up to e_machine, the same in all classes */

	if (!read_at(file, 0, start, sizeof(start)) || memcmp(start, ELFMAG, SELFMAG) != 0)
		return lo_fail(err, LO_UNSUPPORTED, 0, "not an ELF file");
	file->elf_class = start[EI_CLASS];
	file->little_endian = start[EI_DATA] == ELFDATA2LSB;
	if (file->little_endian) {
		file->type = (uint16_t)(start[16] | start[17] << 8);
		file->machine = (uint16_t)(start[18] | start[19] << 8);
	} else {
		file->type = (uint16_t)(start[17] | start[16] << 8);
		file->machine = (uint16_t)(start[19] | start[18] << 8);
	}
	return LO_OK;
}

static enum lo_result read_segments(struct elf_file *file, struct lo_error *err)
{
	Elf64_Ehdr header;

	if (!read_at(file, 0, &header, sizeof(header)))
		return lo_fail(err, LO_TRUNCATED, 0, "the ELF header is cut short");
	if (header.e_phnum > ELF_SEGMENTS_MAX || header.e_phentsize != sizeof(Elf64_Phdr))
		return lo_fail(err, LO_CORRUPT, 54, "%u program headers of %u bytes each",
				header.e_phnum, header.e_phentsize);
	for (uint32_t i = 0; i < header.e_phnum; i++) {
		uint64_t offset = header.e_phoff + i * sizeof(Elf64_Phdr);
		Elf64_Phdr entry;

		if (offset < header.e_phoff || !read_at(file, offset, &entry, sizeof(entry)))
			return lo_fail(err, LO_TRUNCATED, header.e_phoff,
					"the program headers are cut short");
		file->segments[file->segment_count++] = (struct elf_segment){ entry.p_type,
			entry.p_offset, entry.p_vaddr, entry.p_filesz };
	}
	return LO_OK;
}

enum lo_result elf_file_open(struct elf_file *file, const char *path, struct lo_error *err)
{
	struct stat status;
	enum lo_result result;

	*file = (struct elf_file){ .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) };
	if (file->fd < 0)
		return lo_fail_errno(err, errno, "cannot read %.180s", path);
	if (fstat(file->fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		elf_file_close(file);
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET, "not a regular file");
	}
	file->size = (uint64_t)status.st_size;
	result = read_identity(file, err);
	if (result == LO_OK && file->elf_class == ELFCLASS64 && file->little_endian)
		result = read_segments(file, err);
	if (result != LO_OK)
		elf_file_close(file);
	return result;
}

void elf_file_close(struct elf_file *file)
{
	if (file->fd > 0)
		close(file->fd);
	*file = (struct elf_file){ .fd = -1 };
}

const struct elf_segment *elf_file_segment(const struct elf_file *file, uint32_t type)
{
	for (uint32_t i = 0; i < file->segment_count; i++)
		if (file->segments[i].type == type)
			return &file->segments[i];
	return NULL;
}

bool elf_file_vaddr(const struct elf_file *file, uint64_t offset, uint64_t *vaddr)
{
	for (uint32_t i = 0; i < file->segment_count; i++) {
		const struct elf_segment *segment = &file->segments[i];

		if (segment->type == PT_LOAD && offset >= segment->offset &&
				offset - segment->offset < segment->file_bytes) {
			*vaddr = segment->vaddr + (offset - segment->offset);
			return true;
		}
	}
	return false;
}

/* The file offset of an ELF address. */
static bool offset_of(const struct elf_file *file, uint64_t vaddr, uint64_t *offset)
{
	for (uint32_t i = 0; i < file->segment_count; i++) {
		const struct elf_segment *segment = &file->segments[i];

		if (segment->type == PT_LOAD && vaddr >= segment->vaddr &&
				vaddr - segment->vaddr < segment->file_bytes) {
			*offset = segment->offset + (vaddr - segment->vaddr);
			return true;
		}
	}
	return false;
}

bool elf_file_interpreter(const struct elf_file *file, char *path, size_t capacity)
{
	const struct elf_segment *segment = elf_file_segment(file, PT_INTERP);

	if (!segment || segment->file_bytes < 2 || segment->file_bytes > capacity)
		return false;
	return read_at(file, segment->offset, path, segment->file_bytes) &&
	       path[segment->file_bytes - 1] == '\0';
}

/* ---- Notes. ---- */

struct note {
	uint32_t type;
	uint32_t owner_bytes; /* with its NUL */
	uint32_t bytes;
	const unsigned char *owner;
	const unsigned char *content;
};

static size_t padded(uint32_t bytes)
{
	return ((size_t)bytes + 3) & ~(size_t)3;
}

/* The note at `at` of `size` bytes; returns the bytes it takes, 0 when there is none. */
static size_t parse_note(const unsigned char *at, size_t size, struct note *note)
{
	Elf64_Nhdr header;
	size_t taken;

	if (size < sizeof(header))
		return 0;
	memcpy(&header, at, sizeof(header));
	if (header.n_namesz > NOTES_MAX || header.n_descsz > NOTES_MAX)
		return 0;
	taken = sizeof(header) + padded(header.n_namesz);
	if (taken > size || header.n_descsz > size - taken)
		return 0;
	*note = (struct note){ header.n_type, header.n_namesz, header.n_descsz, at + sizeof(header),
		at + taken };
	taken += padded(header.n_descsz);
	return taken < size ? taken : size;
}

typedef bool note_visitor(const struct note *note, void *context);

static bool visit_notes_of(const struct elf_file *file, const struct elf_segment *segment,
		note_visitor *visit, void *context)
{
	size_t left = segment->file_bytes < NOTES_MAX ? (size_t)segment->file_bytes : NOTES_MAX;
	unsigned char *bytes = malloc(left ? left : 1);
	const unsigned char *at = bytes;
	struct note note;
	size_t taken;
	bool found = false;

	if (bytes && read_at(file, segment->offset, bytes, left)) {
		while (!found && (taken = parse_note(at, left, &note)) > 0) {
			found = visit(&note, context);
			at += taken;
			left -= taken;
		}
	}
	free(bytes);
	return found;
}

/* Until `visit` returns true. */
static bool visit_notes(const struct elf_file *file, note_visitor *visit, void *context)
{
	for (uint32_t i = 0; i < file->segment_count; i++)
		if (file->segments[i].type == PT_NOTE &&
				visit_notes_of(file, &file->segments[i], visit, context))
			return true;
	return false;
}

/* Some linkers count the padding behind the owner as part of it. */
static bool note_is(const struct note *note, const char *owner, uint32_t type)
{
	size_t bytes = strlen(owner) + 1;

	return note->type == type && note->owner_bytes >= bytes && note->owner_bytes < bytes + 4 &&
	       memcmp(note->owner, owner, bytes) == 0;
}

struct wanted_build_id {
	uint8_t *id;
	uint32_t size;
};

static bool visit_build_id(const struct note *note, void *context)
{
	struct wanted_build_id *wanted = context;

	if (!note_is(note, "GNU", NT_GNU_BUILD_ID) || note->bytes == 0 ||
			note->bytes > ELF_BUILD_ID_MAX)
		return false;
	memcpy(wanted->id, note->content, note->bytes);
	wanted->size = note->bytes;
	return true;
}

uint32_t elf_file_build_id(const struct elf_file *file, uint8_t id[ELF_BUILD_ID_MAX])
{
	struct wanted_build_id wanted = { id, 0 };

	visit_notes(file, visit_build_id, &wanted);
	return wanted.size;
}

struct wanted_note {
	const char *owner;
	uint32_t type;
};

static bool visit_any(const struct note *note, void *context)
{
	const struct wanted_note *wanted = context;

	return note_is(note, wanted->owner, wanted->type);
}

bool elf_file_has_note(const struct elf_file *file, const char *owner, uint32_t type)
{
	struct wanted_note wanted = { owner, type };

	return visit_notes(file, visit_any, &wanted);
}

/* ---- The dynamic section. ---- */

struct dynamic {
	uint64_t strings; /* file offset */
	uint64_t strings_size;
	uint64_t needed[ELF_NEEDED_MAX]; /* offsets in the strings */
	uint32_t needed_count;
};

static bool read_dynamic(const struct elf_file *file, struct dynamic *dynamic)
{
	const struct elf_segment *segment = elf_file_segment(file, PT_DYNAMIC);
	uint64_t strings_vaddr = 0;
	uint64_t count = segment ? segment->file_bytes / sizeof(Elf64_Dyn) : 0;

	*dynamic = (struct dynamic){ 0 };
	for (uint64_t i = 0; i < count && i < DYNAMIC_MAX; i++) {
		Elf64_Dyn entry;

		if (!read_at(file, segment->offset + i * sizeof(entry), &entry, sizeof(entry)))
			return false;
		if (entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_STRTAB)
			strings_vaddr = entry.d_un.d_ptr;
		else if (entry.d_tag == DT_STRSZ)
			dynamic->strings_size = entry.d_un.d_val;
		else if (entry.d_tag == DT_NEEDED && dynamic->needed_count < ELF_NEEDED_MAX)
			dynamic->needed[dynamic->needed_count++] = entry.d_un.d_val;
	}
	return strings_vaddr && offset_of(file, strings_vaddr, &dynamic->strings);
}

bool elf_file_needed(const struct elf_file *file, uint32_t i, char name[ELF_NAME_MAX])
{
	struct dynamic dynamic;
	uint64_t left;
	size_t bytes = ELF_NAME_MAX;

	if (!read_dynamic(file, &dynamic) || i >= dynamic.needed_count ||
			dynamic.needed[i] >= dynamic.strings_size)
		return false;
	left = dynamic.strings_size - dynamic.needed[i];
	if (bytes > left)
		bytes = (size_t)left;
	return read_at(file, dynamic.strings + dynamic.needed[i], name, bytes) &&
	       memchr(name, '\0', bytes) != NULL;
}

bool elf_file_names_symbol(const struct elf_file *file, const char *name)
{
	struct dynamic dynamic;
	char wanted[ELF_NAME_MAX];
	size_t length = strlen(name);
	char *strings;
	bool found = false;

	if (!read_dynamic(file, &dynamic) || dynamic.strings_size > DYNAMIC_STRINGS_MAX ||
			length + 2 > sizeof(wanted))
		return false;
	wanted[0] = '\0';
	memcpy(wanted + 1, name, length + 1);
	strings = malloc((size_t)dynamic.strings_size + 1);
	if (strings && read_at(file, dynamic.strings, strings, (size_t)dynamic.strings_size))
		found = memmem(strings, (size_t)dynamic.strings_size, wanted, length + 2) != NULL;
	free(strings);
	return found;
}
