#ifndef LOITER_BACKEND_PRELOAD_H
#define LOITER_BACKEND_PRELOAD_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "formats/base/error.h"
#include "recorder/drain/signals.h"

/*
 * Starts a program with the recorder library in front of its own.
 *
 * In two steps, because the trace should bear the program's process id in its name and must exist
 * before the program does anything: preload_spawn() makes a process that waits, preload_go() lets
 * it become the program. The program inherits what the recorder was given, and besides it nothing
 * but three environment variables: working directory, terminal, process group, descriptors,
 * limits, signal mask and actions are those that loiter began with.
 */
struct preload_options {
	char *const *arguments; /* of the program, its name first; ends with NULL */
	const char *library;    /* path of the recorder library */
	const char *first;      /* library to put in front of it, or "" */
	int segment_fd;         /* in this process; open as long as children may attach */
	uint64_t segment_token;
	const struct signals *signals;
};

struct preloaded {
	pid_t pid;    /* 0 = none */
	int go_fd;    /* one byte: go on; closed without: do not */
	int error_fd; /* errno of exec, or nothing when it worked */
};

/* Stores the path of the recorder library. LO_UNSUPPORTED with a sentence when there is none. */
enum lo_result preload_find_library(char path[PATH_MAX], struct lo_error *err);

enum lo_result preload_spawn(struct preloaded *child, const struct preload_options *options,
		struct lo_error *err);

/* LO_IO, with `*exec_error` set and the child gone, when the program could not be executed. */
enum lo_result preload_go(struct preloaded *child, int *exec_error, struct lo_error *err);

/* The child ends without having become the program. After preload_go(): does nothing. */
void preload_abandon(struct preloaded *child);

#endif
