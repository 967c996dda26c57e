#include "formats/base/byte_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file_source {
	struct byte_source source;
	int descriptor;
};

struct memory_source {
	struct byte_source source;
	const uint8_t *bytes;
	size_t size;
};

static enum lo_result file_read(struct byte_source *source, uint64_t offset, void *bytes,
		size_t size, size_t *got, struct lo_error *err)
{
	struct file_source *file = (struct file_source *)source;
	uint8_t *next = bytes;
	size_t done = 0;

	while (done < size && offset + done <= INT64_MAX) {
		ssize_t count = pread(
				file->descriptor, next + done, size - done, (off_t)(offset + done));

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return lo_fail_errno(err, errno, "cannot read the file at byte %llu",
					(unsigned long long)(offset + done));
		if (count == 0)
			break;
		done += (size_t)count;
	}
	*got = done;
	return LO_OK;
}

static uint64_t file_size(struct byte_source *source)
{
	struct file_source *file = (struct file_source *)source;
	struct stat status;

	return fstat(file->descriptor, &status) == 0 && status.st_size > 0
			       ? (uint64_t)status.st_size
			       : 0;
}

static void file_close(struct byte_source *source)
{
	struct file_source *file = (struct file_source *)source;

	close(file->descriptor);
	free(file);
}

static const struct byte_source_ops file_ops = { file_read, file_size, file_close };

static enum lo_result check_regular(int descriptor, struct lo_error *err)
{
	struct stat status;

	if (fstat(descriptor, &status) != 0)
		return lo_fail_errno(err, errno, "cannot look at the file");
	if (S_ISREG(status.st_mode))
		return LO_OK;
	if (S_ISDIR(status.st_mode))
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET, "this is a directory");
	return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
			"not a regular file; a trace is read in any order, so save it to a file first");
}

enum lo_result byte_source_open_file(
		struct byte_source **out, const char *path, struct lo_error *err)
{
	/* Without O_NONBLOCK the open of a pipe that nobody writes to would wait for ever. */
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct file_source *file;
	enum lo_result result;

	if (descriptor < 0)
		return lo_fail_errno(err, errno, "cannot open the file");
	result = check_regular(descriptor, err);
	if (result != LO_OK)
		goto fail;
	file = calloc(1, sizeof(*file));
	if (!file) {
		result = lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to open a file");
		goto fail;
	}
	file->source.ops = &file_ops;
	file->descriptor = descriptor;
	*out = &file->source;
	return LO_OK;
fail:
	close(descriptor);
	return result;
}

static enum lo_result memory_read(struct byte_source *source, uint64_t offset, void *bytes,
		size_t size, size_t *got, struct lo_error *err)
{
	struct memory_source *memory = (struct memory_source *)source;

	(void)err;
	*got = 0;
	if (offset >= memory->size || size == 0)
		return LO_OK;
	*got = memory->size - (size_t)offset < size ? memory->size - (size_t)offset : size;
	memcpy(bytes, memory->bytes + offset, *got);
	return LO_OK;
}

static uint64_t memory_size(struct byte_source *source)
{
	return ((struct memory_source *)source)->size;
}

static void memory_close(struct byte_source *source)
{
	free(source);
}

static const struct byte_source_ops memory_ops = { memory_read, memory_size, memory_close };

enum lo_result byte_source_open_memory(
		struct byte_source **out, const void *bytes, size_t size, struct lo_error *err)
{
	struct memory_source *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to open bytes");
	memory->source.ops = &memory_ops;
	memory->bytes = bytes;
	memory->size = size;
	*out = &memory->source;
	return LO_OK;
}

void byte_source_close(struct byte_source *source)
{
	if (source)
		source->ops->close(source);
}

enum lo_result byte_source_read(struct byte_source *source, uint64_t offset, void *bytes,
		size_t size, size_t *got, struct lo_error *err)
{
	return source->ops->read(source, offset, bytes, size, got, err);
}

enum lo_result byte_source_read_all(struct byte_source *source, uint64_t offset, void *bytes,
		size_t size, struct lo_error *err)
{
	size_t got;
	enum lo_result result = byte_source_read(source, offset, bytes, size, &got, err);

	if (result != LO_OK || got == size)
		return result;
	return lo_fail(err, LO_TRUNCATED, offset + got,
			"the file ends where %zu more bytes were expected", size - got);
}

uint64_t byte_source_size(struct byte_source *source)
{
	return source->ops->size(source);
}
