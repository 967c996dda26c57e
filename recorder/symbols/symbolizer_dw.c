#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include <elfutils/libdwfl.h>

#include "recorder/symbols/debug_units.h"
#include "recorder/symbols/demangle.h"
#include "recorder/symbols/elf_file.h"
#include "recorder/symbols/symbolizer.h"

#define VDSO_NAME      "[vdso]"
#define VDSO_BYTES_MAX (1u << 20)

bool symbolizer_is_there(void)
{
	return true;
}

/* ---- The file. ---- */

/* The kernel's library is in every process, but in no file: makes one. Returns -1 without. */
static int open_vdso(void)
{
	const unsigned char *image = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)(const void *)image;
	size_t bytes;
	int fd;

	if (!image)
		return -1;
	bytes = header->e_shoff + (size_t)header->e_shentsize * header->e_shnum;
	if (bytes > VDSO_BYTES_MAX)
		return -1;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd >= 0 && write(fd, image, bytes) != (ssize_t)bytes) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Is it the file that was loaded? */
static enum lo_result check_file(
		const struct symbol_job *job, const char *path, struct lo_error *err)
{
	struct elf_file file;
	uint8_t id[ELF_BUILD_ID_MAX];
	uint32_t size;
	enum lo_result result = elf_file_open(&file, path, err);

	if (result != LO_OK)
		return result;
	size = elf_file_build_id(&file, id);
	elf_file_close(&file);
	if (job->build_id_size > 0 &&
			(size != job->build_id_size || memcmp(id, job->build_id, size) != 0))
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"the file has changed since the program loaded it");
	return LO_OK;
}

static enum lo_result open_file(const struct symbol_job *job, int *fd, struct lo_error *err)
{
	char path[64];
	enum lo_result result;

	if (strcmp(job->path, VDSO_NAME) == 0)
		*fd = open_vdso();
	else
		*fd = open(job->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0)
		return lo_fail_errno(err, errno, "cannot read it");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
	result = check_file(job, path, err);
	if (result != LO_OK)
		close(*fd);
	return result;
}

/* ---- Names. ---- */

static char debug_path[] = ":.debug:/usr/lib/debug";
static char *debug_path_pointer = debug_path;

static const Dwfl_Callbacks callbacks = {
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
	.debuginfo_path = &debug_path_pointer,
};

/* The symbol table knows a name where debug information does not. */
static const char *symbol_at(Dwfl_Module *module, uint64_t address)
{
	GElf_Off offset;
	GElf_Sym symbol;
	const char *name = dwfl_module_addrinfo(
			module, address, &offset, &symbol, NULL, NULL, NULL);

	return name ? name : "";
}

/* "pthread_mutex_lock@@GLIBC_2.2.5" */
static const char *without_version(const char *name, char out[DEMANGLED_MAX])
{
	size_t length = strcspn(name, "@");

	if (name[length] == '\0' || length == 0 || length >= DEMANGLED_MAX)
		return name;
	memcpy(out, name, length);
	out[length] = '\0';
	return out;
}

struct names {
	char demangled[DEBUG_PLACES_MAX][DEMANGLED_MAX];
	char plain[DEMANGLED_MAX];
};

static enum lo_result look_up_one(struct debug_units *units, const struct symbol_job *job,
		uint32_t i, struct names *names, const struct symbol_receiver *receiver,
		struct lo_error *err)
{
	struct symbol_place places[DEBUG_PLACES_MAX];
	uint64_t address = job->addresses[i];
	uint32_t count = debug_units_places(units, address, places);

	if (count == 0) {
		places[0] = (struct symbol_place){ "", "", 0 };
		count = 1;
	}
	if (places[count - 1].function[0] == '\0')
		places[count - 1].function = without_version(
				symbol_at(units->module, address), names->plain);
	for (uint32_t k = 0; k < count; k++)
		places[k].function = demangle(places[k].function, names->demangled[k]);
	if (places[0].function[0] == '\0' && places[0].file[0] == '\0')
		return LO_OK;
	return receiver->take(receiver->context, i, places, count, err);
}

static enum lo_result look_up_all(Dwfl_Module *module, const struct symbol_job *job,
		const struct symbol_receiver *receiver, struct lo_error *err)
{
	struct names *names = malloc(sizeof(*names));
	struct debug_units units;
	enum lo_result result = LO_OK;

	if (!names)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for names");
	debug_units_init(&units, module);
	for (uint32_t i = 0; i < job->count && result == LO_OK; i++)
		result = look_up_one(&units, job, i, names, receiver, err);
	debug_units_release(&units);
	free(names);
	return result;
}

enum lo_result symbolizer_look_up(const struct symbol_job *job,
		const struct symbol_receiver *receiver, struct lo_error *err)
{
	Dwfl *dwfl;
	Dwfl_Module *module;
	int fd;
	enum lo_result result = open_file(job, &fd, err);

	if (result != LO_OK)
		return result;
	dwfl = dwfl_begin(&callbacks);
	if (!dwfl) {
		close(fd);
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "elfutils: %s", dwfl_errmsg(-1));
	}
	dwfl_report_begin(dwfl);
	/* Base 0: addresses are those of the file itself. Takes the descriptor over, on success. */
	module = dwfl_report_elf(dwfl, job->path, job->path, fd, 0, true);
	if (!module) {
		close(fd);
		result = lo_fail(
				err, LO_UNSUPPORTED, LO_NO_OFFSET, "elfutils: %s", dwfl_errmsg(-1));
	}
	dwfl_report_end(dwfl, NULL, NULL);
	if (module)
		result = look_up_all(module, job, receiver, err);
	dwfl_end(dwfl);
	return result;
}
