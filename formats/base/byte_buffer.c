#include "formats/base/byte_buffer.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/varint.h"

#define FIRST_CAPACITY 256u

void byte_buffer_release(struct byte_buffer *buffer)
{
	if (!buffer)
		return;
	free(buffer->bytes);
	*buffer = (struct byte_buffer){ 0 };
}

void byte_buffer_clear(struct byte_buffer *buffer)
{
	buffer->size = 0;
	buffer->failed = false;
}

static bool grow(struct byte_buffer *buffer, size_t size)
{
	size_t capacity = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
	uint8_t *bytes;

	if (size > SIZE_MAX / 4 - buffer->size)
		return false;
	while (capacity < buffer->size + size)
		capacity *= 2;
	bytes = realloc(buffer->bytes, capacity);
	if (!bytes)
		return false;
	buffer->bytes = bytes;
	buffer->capacity = capacity;
	return true;
}

uint8_t *byte_buffer_reserve(struct byte_buffer *buffer, size_t size)
{
	if (!buffer->failed && (!buffer->bytes || size > buffer->capacity - buffer->size))
		buffer->failed = !grow(buffer, size);
	return buffer->failed ? NULL : buffer->bytes + buffer->size;
}

void byte_buffer_commit(struct byte_buffer *buffer, size_t size)
{
	buffer->size += size;
}

void byte_buffer_put(struct byte_buffer *buffer, const void *bytes, size_t size)
{
	uint8_t *room = byte_buffer_reserve(buffer, size);

	if (!room || size == 0)
		return;
	memcpy(room, bytes, size);
	byte_buffer_commit(buffer, size);
}

void byte_buffer_put_byte(struct byte_buffer *buffer, uint8_t byte)
{
	byte_buffer_put(buffer, &byte, 1);
}

void byte_buffer_put_varint(struct byte_buffer *buffer, uint64_t value)
{
	uint8_t *room = byte_buffer_reserve(buffer, VARINT_MAX);

	if (room)
		byte_buffer_commit(buffer, varint_put(room, value));
}

enum lo_result byte_buffer_check(const struct byte_buffer *buffer, struct lo_error *err)
{
	if (!buffer->failed)
		return LO_OK;
	return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for more than %zu bytes",
			buffer->size);
}
