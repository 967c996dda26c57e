#ifndef LOITER_SHIM_CFI_CURSOR_H
#define LOITER_SHIM_CFI_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A bounded position in unwind data. Reading past the end gives zero, moves to the end and is
 * remembered in `failed`, so a caller reads a whole record and asks once.
 */
struct cfi_cursor {
	const uint8_t *next;
	const uint8_t *end;
	bool failed;
};

static inline size_t cfi_left(const struct cfi_cursor *in)
{
	return (size_t)(in->end - in->next);
}

static inline void cfi_fail(struct cfi_cursor *in)
{
	in->next = in->end;
	in->failed = true;
}

static inline void cfi_skip(struct cfi_cursor *in, uint64_t size)
{
	if (size > cfi_left(in))
		cfi_fail(in);
	else
		in->next += size;
}

/* The next `size` bytes as a cursor of their own. */
static inline struct cfi_cursor cfi_part(struct cfi_cursor *in, uint64_t size)
{
	struct cfi_cursor part = { .next = in->next, .failed = size > cfi_left(in) };

	cfi_skip(in, size);
	part.end = in->next;
	if (part.failed)
		part.next = part.end;
	return part;
}

static inline uint64_t cfi_unsigned(struct cfi_cursor *in, size_t size)
{
	uint64_t value = 0;

	if (size > cfi_left(in)) {
		cfi_fail(in);
		return 0;
	}
	memcpy(&value, in->next, size); /* the machine's own order: these bytes run here */
	in->next += size;
	return value;
}

static inline int64_t cfi_signed(struct cfi_cursor *in, size_t size)
{
	unsigned unused_bits = (unsigned)(8 * (sizeof(uint64_t) - size));

	return (int64_t)(cfi_unsigned(in, size) << unused_bits) >> unused_bits;
}

static inline uint8_t cfi_byte(struct cfi_cursor *in)
{
	return (uint8_t)cfi_unsigned(in, 1);
}

/* LEB128, at most 64 bits; `sign` says whether bit 6 of the last byte is one. */
static inline uint64_t cfi_leb128(struct cfi_cursor *in, bool sign)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = cfi_byte(in);

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (sign && (byte & 0x40) && shift + 7 < 64)
			value |= ~(uint64_t)0 << (shift + 7);
		return value;
	}
	cfi_fail(in);
	return 0;
}

static inline uint64_t cfi_uleb128(struct cfi_cursor *in)
{
	return cfi_leb128(in, false);
}

static inline int64_t cfi_sleb128(struct cfi_cursor *in)
{
	return (int64_t)cfi_leb128(in, true);
}

#endif
