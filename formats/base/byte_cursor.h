#ifndef LOITER_BASE_BYTE_CURSOR_H
#define LOITER_BASE_BYTE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/varint.h"

/*
 * A reading position in bytes that it never leaves. Reading past the end, or a number that makes
 * no sense, sets `failed`, moves to the end and yields zero; so a sequence of reads needs one
 * check at its end, and no loop over a cursor can run past `byte_cursor_left() == 0`.
 */
struct byte_cursor {
	const uint8_t *next;
	const uint8_t *end;
	bool failed;
};

static inline struct byte_cursor byte_cursor_over(const void *bytes, size_t size)
{
	const uint8_t *next = bytes;

	return (struct byte_cursor){ next, size ? next + size : next, false };
}

static inline size_t byte_cursor_left(const struct byte_cursor *cursor)
{
	return (size_t)(cursor->end - cursor->next);
}

static inline void byte_cursor_fail(struct byte_cursor *cursor)
{
	cursor->next = cursor->end;
	cursor->failed = true;
}

static inline uint64_t byte_cursor_varint(struct byte_cursor *cursor)
{
	uint64_t value = 0;
	size_t used = varint_get(cursor->next, byte_cursor_left(cursor), &value);

	if (LO_UNLIKELY(used == 0)) {
		byte_cursor_fail(cursor);
		return 0;
	}
	cursor->next += used;
	return value;
}

static inline uint8_t byte_cursor_byte(struct byte_cursor *cursor)
{
	if (LO_UNLIKELY(cursor->next == cursor->end)) {
		cursor->failed = true;
		return 0;
	}
	return *cursor->next++;
}

/* The next `size` bytes in place, or NULL. */
static inline const uint8_t *byte_cursor_bytes(struct byte_cursor *cursor, uint64_t size)
{
	const uint8_t *bytes = cursor->next;

	if (size > byte_cursor_left(cursor)) {
		byte_cursor_fail(cursor);
		return NULL;
	}
	cursor->next += size;
	return bytes;
}

#endif
