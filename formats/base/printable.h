#ifndef LOITER_BASE_PRINTABLE_H
#define LOITER_BASE_PRINTABLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Text from a trace comes from strangers. Everything that reaches a terminal or a report goes
 * through here: the result is valid UTF-8 without control characters, escape sequences,
 * bidirectional controls, line separators or other format characters. What is removed stands as
 * U+FFFD, or "?" when `ascii_only`.
 *
 * Stores at most `capacity` - 1 bytes and a NUL, never half a character; returns the length stored.
 */
size_t printable_copy(char *out, size_t capacity, const char *bytes, size_t length, int ascii_only);

/*
 * Reads one character that is fit to be shown from UTF-8: stores the code point (U+FFFD for
 * anything unfit) and returns the number of bytes used, at least 1 unless `length` is 0.
 */
size_t printable_next(const char *bytes, size_t length, uint32_t *code_point);

#endif
