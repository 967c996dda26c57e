#ifndef LOITER_BACKEND_TARGET_CHECK_H
#define LOITER_BACKEND_TARGET_CHECK_H

#include <limits.h>

#include "formats/base/error.h"
#include "recorder/symbols/elf_file.h"

/*
 * Can this program be recorded by preloading? Asked before it is started: an empty trace an hour
 * later would be a poor answer.
 */
struct target_check {
	char path[PATH_MAX];  /* the file that exec will find */
	char image[PATH_MAX]; /* the program that is really loaded: of a script, its interpreter */
	char first[ELF_NAME_MAX]; /* library that must come before ours in LD_PRELOAD, or "" */
	char warning[200];        /* what the trace will not show, or "" */
	int exec_error;           /* errno that exec would fail with, 0 = none */
};

/*
 * LO_UNSUPPORTED with a sentence: it would start but could not be recorded. LO_IO with a sentence
 * and `exec_error`: it could not even start.
 */
enum lo_result target_check(struct target_check *check, const char *program, struct lo_error *err);

#endif
