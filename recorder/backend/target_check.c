#include "recorder/backend/target_check.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The kernel follows as many interpreters of interpreters, and reads as much of the first line. */
#define SCRIPTS_MAX       5
#define SCRIPT_LINE_BYTES 256

#define GO_BUILD_ID_NOTE 4u

/* ---- Where it is. ---- */

static int executable_error(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return errno;
	if (!S_ISREG(status.st_mode))
		return EACCES;
	return access(path, X_OK) == 0 ? 0 : errno;
}

/*
 * As a shell does it: the first file on the path that could be executed. One that may not be
 * executed is told from none at all; a folder that may not be looked into holds none.
 */
static int find_on_path(const char *program, char path[PATH_MAX])
{
	const char *folders = getenv("PATH");
	int error = ENOENT;

	if (!folders)
		folders = "/bin:/usr/bin";
	for (;;) {
		int length = (int)strcspn(folders, ":");
		int stored = snprintf(path, PATH_MAX, "%.*s%s%s", length, folders,
				length ? "/" : "", program);
		int found = stored < PATH_MAX ? executable_error(path) : ENAMETOOLONG;

		if (found == 0)
			return 0;
		if (found == EACCES && access(path, F_OK) == 0)
			error = EACCES;
		if (folders[length] == '\0')
			return error;
		folders += length + 1;
	}
}

static enum lo_result find_program(
		struct target_check *check, const char *program, struct lo_error *err)
{
	if (program[0] == '\0') {
		check->exec_error = ENOENT;
	} else if (strchr(program, '/')) {
		if (snprintf(check->path, sizeof(check->path), "%s", program) >=
				(int)sizeof(check->path))
			check->exec_error = ENAMETOOLONG;
		else
			check->exec_error = executable_error(check->path);
	} else {
		check->exec_error = find_on_path(program, check->path);
	}
	if (check->exec_error == ENOENT && !strchr(program, '/'))
		return lo_fail(err, LO_IO, LO_NO_OFFSET, "cannot find a program '%.150s' in PATH",
				program);
	if (check->exec_error)
		return lo_fail_errno(err, check->exec_error, "cannot run '%.150s'", program);
	return LO_OK;
}

/* The interpreter named by a first line "#! /path [argument]"; false when it is no script. */
static bool script_interpreter(const char *path, char interpreter[PATH_MAX])
{
	char line[SCRIPT_LINE_BYTES + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = fd < 0 ? -1 : read(fd, line, SCRIPT_LINE_BYTES);
	const char *begin;
	size_t length;

	if (fd >= 0)
		close(fd);
	if (got < 3 || line[0] != '#' || line[1] != '!')
		return false;
	line[got] = '\0';
	begin = line + 2 + strspn(line + 2, " \t");
	length = strcspn(begin, " \t\n");
	if (length == 0)
		return false;
	snprintf(interpreter, PATH_MAX, "%.*s", (int)length, begin);
	return true;
}

static bool is_elf(const char *path)
{
	char start[SELFMAG] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = fd < 0 ? -1 : read(fd, start, sizeof(start));

	if (fd >= 0)
		close(fd);
	return got == SELFMAG && memcmp(start, ELFMAG, SELFMAG) == 0;
}

static enum lo_result find_image(struct target_check *check, struct lo_error *err)
{
	char next[PATH_MAX];

	memcpy(check->image, check->path, sizeof(check->image));
	for (int i = 0; i < SCRIPTS_MAX && script_interpreter(check->image, next); i++) {
		check->exec_error = executable_error(next);
		if (check->exec_error)
			return lo_fail_errno(err, check->exec_error,
					"cannot run '%.100s': its interpreter '%.80s'", check->path,
					next);
		memcpy(check->image, next, sizeof(check->image));
	}
	/* exec hands what it does not know to the shell. */
	if (!is_elf(check->image) && access(check->image, R_OK) == 0)
		snprintf(check->image, sizeof(check->image), "/bin/sh");
	if (realpath(check->image, next)) /* as the kernel will call it */
		memcpy(check->image, next, sizeof(check->image));
	return LO_OK;
}

/* ---- What it is. ---- */

#define REFUSE(err, ...) lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET, __VA_ARGS__)

/* Would the loader run in secure mode, in which it ignores libraries given by path? */
static bool loader_is_secure(const char *image)
{
	struct stat status;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 || stat(image, &status) != 0)
		return false;
	if ((status.st_mode & S_ISUID) && status.st_uid != getuid())
		return true;
	if ((status.st_mode & S_ISGID) && (status.st_mode & S_IXGRP) && status.st_gid != getgid())
		return true;
	return getuid() != 0 && getxattr(image, "security.capability", NULL, 0) > 0;
}

static bool is_go(const struct elf_file *file)
{
	return elf_file_has_note(file, "Go", GO_BUILD_ID_NOTE);
}

static bool needs_library(const struct elf_file *file, const char *prefix, char name[ELF_NAME_MAX])
{
	for (uint32_t i = 0; elf_file_needed(file, i, name); i++)
		if (strncmp(name, prefix, strlen(prefix)) == 0)
			return true;
	name[0] = '\0';
	return false;
}

static enum lo_result check_machine(
		const struct elf_file *file, const char *image, struct lo_error *err)
{
	if (file->elf_class != ELFCLASS64)
		return REFUSE(err,
				"'%.100s' is a 32-bit program, and the recorder library is for "
				"64-bit ones. Record a 64-bit build of it.",
				image);
	if (file->machine != EM_X86_64 || !file->little_endian)
		return REFUSE(err,
				"'%.100s' is made for another kind of processor (ELF machine %u). "
				"Record it on such a machine.",
				image, file->machine);
	return LO_OK;
}

static enum lo_result check_loader(
		const struct elf_file *file, const char *image, struct lo_error *err)
{
	char loader[PATH_MAX];
	const char *base;

	if (!elf_file_segment(file, PT_INTERP)) {
		if (is_go(file))
			return REFUSE(err,
					"'%.90s' is a Go program without cgo: its tasks are "
					"goroutines, which a preloaded library cannot see. Let it "
					"write an execution trace instead (Go package "
					"runtime/trace).",
					image);
		return REFUSE(err,
				"'%.100s' is statically linked, so it never loads the recorder "
				"library. Link it dynamically to record it.",
				image);
	}
	if (!elf_file_interpreter(file, loader, sizeof(loader)))
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"'%.100s' is damaged: the name of its loader cannot be read.",
				image);
	base = strrchr(loader, '/') ? strrchr(loader, '/') + 1 : loader;
	if (strncmp(base, "ld-musl", strlen("ld-musl")) == 0)
		return REFUSE(err,
				"'%.100s' uses the C library musl, and the recorder library is "
				"for glibc. Record a build of it that uses glibc.",
				image);
	if (strncmp(base, "ld-linux", strlen("ld-linux")) != 0)
		return REFUSE(err,
				"'%.80s' is loaded by '%.60s', which is not the loader of glibc; "
				"the recorder library is for glibc. Record a build that uses it.",
				image, loader);
	return LO_OK;
}

static enum lo_result check_sanitizers(
		struct target_check *check, const struct elf_file *file, struct lo_error *err)
{
	char name[ELF_NAME_MAX];

	if (needs_library(file, "libtsan.so", name) || elf_file_names_symbol(file, "__tsan_init"))
		return REFUSE(err,
				"'%.100s' is built with the thread sanitizer, which watches the "
				"same functions as the recorder. Record a build without it.",
				check->image);
	if (needs_library(file, "libasan.so", name))
		snprintf(check->first, sizeof(check->first), "%s", name);
	return LO_OK;
}

static enum lo_result check_image(struct target_check *check, struct lo_error *err)
{
	struct elf_file file;
	enum lo_result result;

	if (loader_is_secure(check->image))
		return REFUSE(err,
				"'%.90s' gains privileges when it starts (setuid, setgid or file "
				"capabilities), and then the system ignores preloaded libraries. "
				"Record it as the user it becomes.",
				check->image);
	if (access(check->image, R_OK) != 0)
		return LO_OK; /* it may be run but not read: nothing can be said before */
	result = elf_file_open(&file, check->image, err);
	if (result != LO_OK) {
		check->exec_error = result == LO_IO ? 0 : ENOEXEC;
		return lo_fail(err, LO_IO, LO_NO_OFFSET,
				"cannot run '%.150s': it is a damaged ELF file", check->image);
	}
	result = check_machine(&file, check->image, err);
	if (result == LO_OK)
		result = check_loader(&file, check->image, err);
	if (result == LO_OK)
		result = check_sanitizers(check, &file, err);
	if (result == LO_OK && is_go(&file))
		snprintf(check->warning, sizeof(check->warning),
				"goroutines of this Go program are not seen, only threads that "
				"wait in C code");
	elf_file_close(&file);
	return result;
}

enum lo_result target_check(struct target_check *check, const char *program, struct lo_error *err)
{
	enum lo_result result;

	*check = (struct target_check){ 0 };
	result = find_program(check, program, err);
	if (result == LO_OK)
		result = find_image(check, err);
	if (result == LO_OK)
		result = check_image(check, err);
	return result;
}
