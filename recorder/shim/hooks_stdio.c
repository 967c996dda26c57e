#define __NO_INLINE__ /* or some headers define what is defined here */
#include <stdbool.h>
#include <stdio.h>

#include "recorder/shim/hook.h"
#include "recorder/shim/wait.h"

/*
 * Reading lines and blocks through stdio, which calls read() from within the C library, where no
 * hook sees it. A call that finds what it wants in the stream's buffer is passed on after a look at
 * two pointers.
 *
 * Single characters, scanf() and all output are left alone: there the look would cost about as
 * much as the call.
 */

/* Is there less in the buffer? The look is unlocked; when it is wrong a wait is missed, or armed in
 * vain. */
static inline bool may_read(FILE *stream, size_t wanted)
{
	const char *from = __atomic_load_n(&stream->_IO_read_ptr, __ATOMIC_RELAXED);
	const char *to = __atomic_load_n(&stream->_IO_read_end, __ATOMIC_RELAXED);

	return to <= from || (size_t)(to - from) < wanted;
}

#undef fread_unlocked /* a macro in some headers */

char *__fgets_chk(char *restrict line, size_t room, int size, FILE *restrict stream);
size_t __fread_chk(void *restrict buffer, size_t room, size_t size, size_t count,
		FILE *restrict stream);

#define STDIO_HOOK(type, name, wanted, parameters, arguments)                             \
	NEXT_SYMBOL(name);                                                                \
	HOOK_EXPORT type name parameters                                                  \
	{                                                                                 \
		struct wait wait = WAIT(REASON_READ, OBJECT_DESCRIPTOR, stream->_fileno); \
                                                                                          \
		if (!may_read(stream, wanted))                                            \
			return NEXT(name) arguments;                                      \
		wait_try(&wait);                                                          \
		type result = NEXT(name) arguments;                                       \
		wait_end(&wait, TASK_NONE, 0);                                            \
		return result;                                                            \
	}

/* clang-format off */
STDIO_HOOK(char *, fgets, 1,
		(char *restrict line, int size, FILE *restrict stream),
		(line, size, stream))
STDIO_HOOK(char *, fgets_unlocked, 1,
		(char *restrict line, int size, FILE *restrict stream),
		(line, size, stream))
STDIO_HOOK(char *, __fgets_chk, 1,
		(char *restrict line, size_t room, int size, FILE *restrict stream),
		(line, room, size, stream))
STDIO_HOOK(ssize_t, getline, 1,
		(char **restrict line, size_t *restrict room, FILE *restrict stream),
		(line, room, stream))
STDIO_HOOK(ssize_t, getdelim, 1,
		(char **restrict line, size_t *restrict room, int end, FILE *restrict stream),
		(line, room, end, stream))
STDIO_HOOK(ssize_t, __getdelim, 1,
		(char **restrict line, size_t *restrict room, int end, FILE *restrict stream),
		(line, room, end, stream))
STDIO_HOOK(size_t, fread, size * count,
		(void *restrict buffer, size_t size, size_t count, FILE *restrict stream),
		(buffer, size, count, stream))
STDIO_HOOK(size_t, fread_unlocked, size * count,
		(void *restrict buffer, size_t size, size_t count, FILE *restrict stream),
		(buffer, size, count, stream))
STDIO_HOOK(size_t, __fread_chk, size * count,
		(void *restrict buffer, size_t room, size_t size, size_t count,
				FILE *restrict stream),
		(buffer, room, size, count, stream))
/* clang-format on */
