#ifndef LOITER_BASE_DURATION_H
#define LOITER_BASE_DURATION_H

#include <stddef.h>
#include <stdint.h>

#include "formats/base/error.h"

/* Room for any formatted duration or size, with the terminating NUL. */
#define DURATION_TEXT_MAX 32
#define SIZE_TEXT_MAX     32

/*
 * A length of time for people, three significant digits and a unit: "0 ns", "1.20 ms", "12.4 s",
 * "3 min 20 s", "2 h 05 min". Returns `text`.
 */
const char *duration_format(char text[DURATION_TEXT_MAX], uint64_t duration_ns);

/* A point on the time axis, fixed shape: "0:04.217", "14:03.200", "2:14:03.200". Returns `text`. */
const char *time_point_format(char text[DURATION_TEXT_MAX], uint64_t time_ns);

/* "10s", "1.5ms", "2min", "1h": a unit is required. LO_USAGE with a sentence otherwise. */
enum lo_result duration_parse(const char *text, uint64_t *duration_ns, struct lo_error *err);

/* "517 B", "64.0 KiB", "1.20 MiB". Returns `text`. */
const char *size_format(char text[SIZE_TEXT_MAX], uint64_t bytes);

/* "512", "64K", "1.5M", "2G", also "64KiB": powers of 1024. LO_USAGE with a sentence otherwise. */
enum lo_result size_parse(const char *text, uint64_t *bytes, struct lo_error *err);

#endif
