#include "recorder/backend/preload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recorder/ring/segment.h"

#ifndef LOITER_PRELOAD_PLACES
#error "LOITER_PRELOAD_PLACES comes from the build"
#endif

#define PRELOAD     "LD_PRELOAD"
#define LIBRARY_ENV "LOITER_PRELOAD"

/* ---- The library. ---- */

/* Relative to the folder of the running program: where it is installed, and where it is built. */
static const char *const library_places[] = { LOITER_PRELOAD_PLACES };

static bool own_folder(char *folder, size_t capacity)
{
	ssize_t length = readlink("/proc/self/exe", folder, capacity - 1);

	if (length <= 0)
		return false;
	folder[length] = '\0';
	*strrchr(folder, '/') = '\0';
	return true;
}

static bool find_beside_us(char path[PATH_MAX])
{
	char folder[PATH_MAX];
	char place[2 * PATH_MAX];

	if (!own_folder(folder, sizeof(folder)))
		return false;
	for (size_t i = 0; i < sizeof(library_places) / sizeof(library_places[0]); i++) {
		snprintf(place, sizeof(place), "%s/%s", folder, library_places[i]);
		if (realpath(place, path) && access(path, R_OK) == 0)
			return true;
	}
	return false;
}

enum lo_result preload_find_library(char path[PATH_MAX], struct lo_error *err)
{
	const char *given = getenv(LIBRARY_ENV);

	if (given && given[0]) {
		if (!realpath(given, path) || access(path, R_OK) != 0)
			return lo_fail_errno(err, errno,
					"cannot read the recorder library '%.120s' that "
					"$" LIBRARY_ENV " names",
					given);
	} else if (!find_beside_us(path)) {
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"the recorder library libloiter-preload.so is not where it was "
				"installed; install loiter again, or name the library in "
				"$" LIBRARY_ENV);
	}
	if (strpbrk(path, ": \t\n$"))
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"the path of the recorder library holds a character that "
				"LD_PRELOAD cannot express: '%.100s'. Install loiter elsewhere",
				path);
	return LO_OK;
}

/* ---- The environment. ---- */

static bool is_variable(const char *entry, const char *name)
{
	size_t length = strlen(name);

	return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

static bool is_replaced(const char *entry)
{
	return is_variable(entry, PRELOAD) || is_variable(entry, SEGMENT_ENV_PATH) ||
	       is_variable(entry, SEGMENT_ENV_TOKEN);
}

/* What the user preloads stays, behind ours. */
static char *make_preload(const struct preload_options *options)
{
	const char *users = getenv(PRELOAD);
	char *entry = NULL;

	if (asprintf(&entry, PRELOAD "=%s%s%s%s%s", options->first, options->first[0] ? ":" : "",
			    options->library, users && users[0] ? ":" : "", users ? users : "") < 0)
		return NULL;
	return entry;
}

static void free_environment(char **environment)
{
	for (size_t i = 0; environment && i < 3; i++)
		free(environment[i]);
	free(environment);
}

/* Our three variables first, owned; then the others of ours, borrowed. */
static char **make_environment(const struct preload_options *options)
{
	size_t count = 0;
	char **environment;

	while (environ && environ[count])
		count++;
	environment = calloc(count + 4, sizeof(*environment));
	if (!environment)
		return NULL;
	environment[0] = make_preload(options);
	if (asprintf(&environment[1], SEGMENT_ENV_PATH "=/proc/%d/fd/%d", (int)getpid(),
			    options->segment_fd) < 0)
		environment[1] = NULL;
	if (asprintf(&environment[2], SEGMENT_ENV_TOKEN "=%" PRIx64, options->segment_token) < 0)
		environment[2] = NULL;
	if (!environment[0] || !environment[1] || !environment[2]) {
		free_environment(environment);
		return NULL;
	}
	for (size_t i = 0, to = 3; i < count; i++)
		if (!is_replaced(environ[i]))
			environment[to++] = environ[i];
	return environment;
}

/* ---- The process. ---- */

__attribute__((noreturn)) static void become_program(
		const struct preload_options *options, char **environment, int go_fd, int error_fd)
{
	char go;
	int error;

	/* Nobody says so: the recorder has died or changed its mind. */
	if (read(go_fd, &go, 1) != 1)
		_exit(127);
	signals_restore(options->signals);
	execvpe(options->arguments[0], options->arguments, environment);
	error = errno;
	if (write(error_fd, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

static void close_pair(int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

enum lo_result preload_spawn(struct preloaded *child, const struct preload_options *options,
		struct lo_error *err)
{
	char **environment = make_environment(options);
	int go[2];
	int report[2];
	enum lo_result result;

	*child = (struct preloaded){ .go_fd = -1, .error_fd = -1 };
	if (!environment)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for an environment");
	if (pipe2(go, O_CLOEXEC) != 0) {
		result = lo_fail_errno(err, errno, "cannot make a pipe");
		goto out;
	}
	if (pipe2(report, O_CLOEXEC) != 0) {
		result = lo_fail_errno(err, errno, "cannot make a pipe");
		close_pair(go);
		goto out;
	}
	child->pid = fork();
	if (child->pid == 0) {
		close(go[1]);
		become_program(options, environment, go[0], report[1]);
	}
	if (child->pid < 0) {
		result = lo_fail_errno(err, errno, "cannot make a process");
		child->pid = 0;
		close_pair(go);
		close_pair(report);
		goto out;
	}
	close(go[0]);
	close(report[1]);
	child->go_fd = go[1];
	child->error_fd = report[0];
	result = LO_OK;
out:
	free_environment(environment);
	return result;
}

static void close_ends(struct preloaded *child)
{
	if (child->go_fd >= 0)
		close(child->go_fd);
	if (child->error_fd >= 0)
		close(child->error_fd);
	child->go_fd = child->error_fd = -1;
}

enum lo_result preload_go(struct preloaded *child, int *exec_error, struct lo_error *err)
{
	const char go = 1;
	ssize_t got;

	*exec_error = 0;
	if (write(child->go_fd, &go, 1) != 1) {
		preload_abandon(child);
		return lo_fail(err, LO_IO, LO_NO_OFFSET,
				"the new process died before it became the program");
	}
	do {
		got = read(child->error_fd, exec_error, sizeof(*exec_error));
	} while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof(*exec_error)) {
		close_ends(child);
		return LO_OK;
	}
	preload_abandon(child);
	return lo_fail_errno(err, *exec_error, "cannot run the program");
}

void preload_abandon(struct preloaded *child)
{
	if (child->pid <= 0 || child->go_fd < 0)
		return;
	close_ends(child);
	waitpid(child->pid, NULL, 0);
	child->pid = 0;
}
