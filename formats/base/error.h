#ifndef LOITER_BASE_ERROR_H
#define LOITER_BASE_ERROR_H

#include <stdint.h>

#include "formats/base/macros.h"

/*
 * Errors are a kind plus a sentence: the kind is for the program, the sentence for the person.
 * Libraries never print and never exit; the command line prints the sentence once, at the top.
 */
enum lo_result {
	LO_OK,
	LO_END,         /* clean end of a sequence; not a failure */
	LO_IO,          /* the operating system refused */
	LO_TRUNCATED,   /* the bytes stop early; what came before is good */
	LO_CORRUPT,     /* bytes are present but make no sense */
	LO_UNSUPPORTED, /* valid, but newer or rarer than this build */
	LO_NO_MEMORY,
	LO_CANCELLED, /* the caller's progress callback asked to stop */
	LO_USAGE,     /* the caller asked for something impossible */
};

#define LO_NO_OFFSET UINT64_MAX

/* Filled only when a call fails, so one `err` serves a chain of calls. May be NULL. */
struct lo_error {
	enum lo_result result;
	uint64_t offset; /* file position at fault, or LO_NO_OFFSET */
	char message[240];
};

/*
 * Fills `err` (when not NULL) and returns `result`, so that a failure is one statement:
 * `return lo_fail(err, LO_CORRUPT, offset, "block claims %u rows", rows);`
 */
enum lo_result lo_fail(struct lo_error *err, enum lo_result result, uint64_t offset,
		const char *format, ...) LO_PRINTF(4, 5);

/* The same with ": " and the text of the errno value `number` at the end, as LO_IO. */
enum lo_result lo_fail_errno(struct lo_error *err, int number, const char *format, ...)
		LO_PRINTF(3, 4);

#endif
