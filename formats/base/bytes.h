#ifndef LOITER_BASE_BYTES_H
#define LOITER_BASE_BYTES_H

#include <stdint.h>

/* Little-endian numbers at any address. Files are written and read with these, never through a
 * struct, so that padding and byte order of a machine never reach a file. */
static inline uint16_t load_le16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t load_le32(const uint8_t *at)
{
	return (uint32_t)load_le16(at) | (uint32_t)load_le16(at + 2) << 16;
}

static inline uint64_t load_le64(const uint8_t *at)
{
	return (uint64_t)load_le32(at) | (uint64_t)load_le32(at + 4) << 32;
}

static inline void store_le16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static inline void store_le32(uint8_t *at, uint32_t value)
{
	store_le16(at, (uint16_t)value);
	store_le16(at + 2, (uint16_t)(value >> 16));
}

static inline void store_le64(uint8_t *at, uint64_t value)
{
	store_le32(at, (uint32_t)value);
	store_le32(at + 4, (uint32_t)(value >> 32));
}

#endif
