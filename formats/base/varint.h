#ifndef LOITER_BASE_VARINT_H
#define LOITER_BASE_VARINT_H

#include <stddef.h>
#include <stdint.h>

#include "formats/base/macros.h"

/*
 * Unsigned numbers in 1 to 10 bytes, seven bits each, lowest first; the high bit says that another
 * byte follows. Signed differences are folded so that small ones of either sign stay short.
 */
#define VARINT_MAX 10u

/* Returns the bytes stored. */
static inline size_t varint_put(uint8_t out[VARINT_MAX], uint64_t value)
{
	size_t size = 0;

	while (value >= 0x80) {
		out[size++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	out[size++] = (uint8_t)value;
	return size;
}

/* The rest of varint_get(), for numbers of more than one byte. */
size_t varint_get_long(const uint8_t *bytes, size_t size, uint64_t *value);

/*
 * Returns the bytes used, or 0 when the number is cut short or does not fit in 64 bits. Needlessly
 * long forms of a number are accepted.
 */
static inline size_t varint_get(const uint8_t *bytes, size_t size, uint64_t *value)
{
	if (LO_LIKELY(size > 0 && bytes[0] < 0x80)) {
		*value = bytes[0];
		return 1;
	}
	return varint_get_long(bytes, size, value);
}

static inline uint64_t zigzag_fold(uint64_t difference)
{
	return difference << 1 ^ (0 - (difference >> 63));
}

/* Both ends work modulo 2^64, so any two numbers have a difference. */
static inline uint64_t zigzag_unfold(uint64_t folded)
{
	return folded >> 1 ^ (0 - (folded & 1));
}

#endif
