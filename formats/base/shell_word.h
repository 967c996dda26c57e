#ifndef LOITER_BASE_SHELL_WORD_H
#define LOITER_BASE_SHELL_WORD_H

#include <stddef.h>

/*
 * A word as one would type it in a shell, for command lines that people read and paste. Whatever
 * bytes it has come back when bash, zsh, ksh or a shell of POSIX 2024 reads it; what is not fit to
 * be shown (printable.h) is written as escapes:
 *
 *     --port=80   ''   'two words'   $'it\'s'   $'one\ntwo'   $'\377'
 */

/* Room that is enough for any word of `length` bytes. */
#define SHELL_WORD_ROOM(length) (4 * (length) + sizeof("$''"))

/*
 * Stores at most `capacity` - 1 bytes and a NUL; returns the length stored. A word for which there
 * is no room ends early, never within a character or an escape.
 */
size_t shell_word(char *out, size_t capacity, const char *bytes, size_t length);

#endif
