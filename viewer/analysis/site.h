#ifndef LOITER_ANALYSIS_SITE_H
#define LOITER_ANALYSIS_SITE_H

#include <stddef.h>
#include <stdint.h>

#include "formats/native/trace_reader.h"

/*
 * From ids to what a person reads. All texts are clean for a terminal (printable.h), inlined
 * frames are unfolded, and a frame without symbol reads "module+0x1234" or "0x7f...".
 */
struct place {
	char function[256];
	char file[256];   /* "" = unknown */
	uint32_t line;    /* 0 = unknown */
	char module[128]; /* last part of the path; "" = none */
};

/* The places of a stack, innermost first, inlined ones included; returns how many were stored. */
uint32_t stack_places(const struct trace_reader *reader, uint32_t stack, struct place *places,
		uint32_t capacity);

/* The same for its innermost frame alone: one place, or more where functions were inlined. */
uint32_t stack_frame_places(const struct trace_reader *reader, uint32_t stack, struct place *places,
		uint32_t capacity);

/*
 * Top user frame, as the report contract defines it. For C and C++: the innermost place in the main
 * program or in a module outside the system library directories; if there is none, the innermost
 * outside libc, libpthread, the dynamic loader, the C++ runtime and loiter itself; else the
 * innermost. Of the places in the main program those come first whose source is not a header of the
 * system: the lock_guard and mutex::lock() that a C++ program is compiled with are not the user's
 * own code, the function that uses them is. For Go: the innermost in package main or under an
 * import path whose first element has a dot; if there is none, the innermost outside package
 * runtime; else the innermost. Stores "" for STACK_NONE. O(depth).
 */
void stack_user_place(const struct trace_reader *reader, uint32_t stack, struct place *place);
/* The innermost place. */
void stack_leaf_place(const struct trace_reader *reader, uint32_t stack, struct place *place);

/*
 * "pthread_mutex_lock < ledger_post": leaf and top user function, or only one when they are equal.
 * Returns `out`.
 */
const char *site_format(
		const struct trace_reader *reader, uint32_t stack, char *out, size_t capacity);

/* "T12 order-worker", "T12" without a name. Returns `out`. */
const char *task_format(
		const struct trace_reader *reader, uint32_t task, char *out, size_t capacity);

/* "mutex 0x55d0c8a012c0", "descriptor 5", "task T3"; "" for OBJECT_NONE. Returns `out`. */
const char *object_format(uint8_t object_kind, uint64_t object, char *out, size_t capacity);

#endif
