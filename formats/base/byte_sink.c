#include "formats/base/byte_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "formats/base/byte_buffer.h"

struct file_sink {
	struct byte_sink sink;
	int descriptor;
};

struct memory_sink {
	struct byte_sink sink;
	struct byte_buffer *buffer; /* `own`, or the caller's */
	struct byte_buffer own;
};

static enum lo_result file_write(
		struct byte_sink *sink, const void *bytes, size_t size, struct lo_error *err)
{
	struct file_sink *file = (struct file_sink *)sink;
	const uint8_t *next = bytes;

	while (size > 0) {
		ssize_t count = write(file->descriptor, next, size);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return lo_fail_errno(err, errno, "cannot write the file");
		next += count;
		size -= (size_t)count;
	}
	return LO_OK;
}

static enum lo_result file_close(struct byte_sink *sink, struct lo_error *err)
{
	struct file_sink *file = (struct file_sink *)sink;
	int status = close(file->descriptor);
	int number = errno;

	free(file);
	return status == 0 ? LO_OK : lo_fail_errno(err, number, "cannot finish the file");
}

static const struct byte_sink_ops file_ops = { file_write, file_close };

enum lo_result byte_sink_open_file(struct byte_sink **out, const char *path, struct lo_error *err)
{
	struct file_sink *file = calloc(1, sizeof(*file));

	if (!file)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to open a file");
	/* A trace tells arguments and paths of its program: for its owner, until they share it. */
	file->descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file->descriptor < 0) {
		int number = errno;

		free(file);
		return lo_fail_errno(err, number, "cannot create '%s'", path);
	}
	file->sink.ops = &file_ops;
	*out = &file->sink;
	return LO_OK;
}

static enum lo_result memory_write(
		struct byte_sink *sink, const void *bytes, size_t size, struct lo_error *err)
{
	struct memory_sink *memory = (struct memory_sink *)sink;

	byte_buffer_put(memory->buffer, bytes, size);
	return byte_buffer_check(memory->buffer, err);
}

static enum lo_result memory_close(struct byte_sink *sink, struct lo_error *err)
{
	struct memory_sink *memory = (struct memory_sink *)sink;

	(void)err;
	byte_buffer_release(&memory->own);
	free(memory);
	return LO_OK;
}

static const struct byte_sink_ops memory_ops = { memory_write, memory_close };

enum lo_result byte_sink_open_buffer(
		struct byte_sink **out, struct byte_buffer *buffer, struct lo_error *err)
{
	struct memory_sink *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a memory file");
	memory->sink.ops = &memory_ops;
	memory->buffer = buffer ? buffer : &memory->own;
	*out = &memory->sink;
	return LO_OK;
}

enum lo_result byte_sink_open_memory(struct byte_sink **out, struct lo_error *err)
{
	return byte_sink_open_buffer(out, NULL, err);
}

const uint8_t *byte_sink_memory(const struct byte_sink *sink, size_t *size)
{
	const struct memory_sink *memory = (const struct memory_sink *)sink;

	*size = memory->buffer->size;
	return memory->buffer->bytes;
}

enum lo_result byte_sink_write(
		struct byte_sink *sink, const void *bytes, size_t size, struct lo_error *err)
{
	enum lo_result result = sink->ops->write(sink, bytes, size, err);

	if (result == LO_OK)
		sink->written += size;
	return result;
}

enum lo_result byte_sink_close(struct byte_sink *sink, struct lo_error *err)
{
	return sink ? sink->ops->close(sink, err) : LO_OK;
}
