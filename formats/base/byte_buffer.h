#ifndef LOITER_BASE_BYTE_BUFFER_H
#define LOITER_BASE_BYTE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/error.h"

/*
 * Bytes that grow at the end. When memory runs out the buffer becomes `failed`: further puts do
 * nothing, and one byte_buffer_check() at the end of a sequence of puts tells.
 * Zeroed is empty.
 */
struct byte_buffer {
	uint8_t *bytes;
	size_t size;
	size_t capacity;
	bool failed;
};

void byte_buffer_release(struct byte_buffer *buffer);

/* Empties, keeps the memory, forgets a failure. */
void byte_buffer_clear(struct byte_buffer *buffer);

/* Room for `size` more bytes behind the present end, to be filled and then committed; or NULL. */
uint8_t *byte_buffer_reserve(struct byte_buffer *buffer, size_t size);
void byte_buffer_commit(struct byte_buffer *buffer, size_t size);

void byte_buffer_put(struct byte_buffer *buffer, const void *bytes, size_t size);
void byte_buffer_put_byte(struct byte_buffer *buffer, uint8_t byte);
void byte_buffer_put_varint(struct byte_buffer *buffer, uint64_t value);

enum lo_result byte_buffer_check(const struct byte_buffer *buffer, struct lo_error *err);

#endif
