#include "formats/base/byte_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/base/unzip.h"

#define RAW_BYTES    (128u << 10) /* what one read asks for */
#define WINDOW_BYTES (256u << 10) /* least size of the window; a larger peek makes it larger */

struct byte_stream {
	struct byte_source *source; /* NULL: read from `descriptor` */
	int descriptor;
	bool owns_descriptor;
	uint64_t raw_offset; /* bytes read of the file */

	const struct unzip *unzip; /* NULL: not compressed */
	void *unzip_state;
	uint8_t *raw; /* read, not yet unpacked: [raw_begin, raw_end) */
	size_t raw_begin;
	size_t raw_end;
	bool raw_ended;

	uint8_t *window; /* unpacked, not yet taken: [begin, end) */
	size_t begin;
	size_t end;
	size_t capacity;
	uint64_t offset; /* of window[begin] */
	bool ended;
	char fault[96];
};

static enum lo_result read_descriptor(
		int descriptor, uint8_t *bytes, size_t size, size_t *got, struct lo_error *err)
{
	ssize_t count;

	do
		count = read(descriptor, bytes, size);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return lo_fail_errno(err, errno, "cannot read");
	*got = (size_t)count;
	return LO_OK;
}

static enum lo_result read_raw(struct byte_stream *stream, uint8_t *bytes, size_t size, size_t *got,
		struct lo_error *err)
{
	enum lo_result result;

	if (stream->source)
		result = byte_source_read(
				stream->source, stream->raw_offset, bytes, size, got, err);
	else
		result = read_descriptor(stream->descriptor, bytes, size, got, err);
	if (result != LO_OK)
		return result;
	stream->raw_offset += *got;
	stream->raw_ended = *got == 0;
	return LO_OK;
}

/* Only called when all raw bytes are used. */
static enum lo_result refill_raw(struct byte_stream *stream, struct lo_error *err)
{
	size_t got;
	enum lo_result result = read_raw(stream, stream->raw, RAW_BYTES, &got, err);

	if (result != LO_OK)
		return result;
	stream->raw_begin = 0;
	stream->raw_end = got;
	return LO_OK;
}

static void end_with_fault(struct byte_stream *stream, const char *what)
{
	stream->ended = true;
	snprintf(stream->fault, sizeof(stream->fault), "the %s data %s after %llu bytes",
			stream->unzip->name, what, (unsigned long long)stream->raw_offset);
}

static enum lo_result unpack_more(struct byte_stream *stream, struct lo_error *err)
{
	struct unzip_step step;
	enum unzip_state state;

	if (stream->raw_begin == stream->raw_end && !stream->raw_ended) {
		enum lo_result result = refill_raw(stream, err);

		if (result != LO_OK)
			return result;
	}
	step = (struct unzip_step){
		.in = stream->raw + stream->raw_begin,
		.in_size = stream->raw_end - stream->raw_begin,
		.out = stream->window + stream->end,
		.out_size = stream->capacity - stream->end,
	};
	state = stream->unzip->step(stream->unzip_state, &step);
	stream->raw_begin += step.in_used;
	stream->end += step.out_made;
	if (state == UNZIP_BAD)
		end_with_fault(stream, "is damaged");
	else if (step.in_used == 0 && step.out_made == 0 && stream->raw_ended) {
		stream->ended = true;
		if (!stream->unzip->whole(stream->unzip_state))
			end_with_fault(stream, "stops early,");
	}
	return LO_OK;
}

static enum lo_result read_more(struct byte_stream *stream, struct lo_error *err)
{
	size_t got;
	enum lo_result result;

	if (stream->unzip)
		return unpack_more(stream, err);
	if (stream->raw_begin < stream->raw_end) { /* read to look at the magic */
		got = stream->raw_end - stream->raw_begin;
		memcpy(stream->window + stream->end, stream->raw + stream->raw_begin, got);
		stream->raw_begin = stream->raw_end;
	} else {
		result = read_raw(stream, stream->window + stream->end,
				stream->capacity - stream->end, &got, err);
		if (result != LO_OK)
			return result;
		stream->ended = stream->raw_ended;
	}
	stream->end += got;
	return LO_OK;
}

static enum lo_result make_room(struct byte_stream *stream, size_t want, struct lo_error *err)
{
	size_t capacity = want > WINDOW_BYTES / 2 ? want * 2 : WINDOW_BYTES;
	uint8_t *window;

	if (stream->begin > 0 && stream->capacity - stream->begin < want) {
		memmove(stream->window, stream->window + stream->begin,
				stream->end - stream->begin);
		stream->end -= stream->begin;
		stream->begin = 0;
	}
	if (stream->capacity - stream->begin >= want)
		return LO_OK;
	window = realloc(stream->window, capacity);
	if (!window)
		return lo_fail(err, LO_NO_MEMORY, stream->offset, "no memory for %zu bytes of it",
				capacity);
	stream->window = window;
	stream->capacity = capacity;
	return LO_OK;
}

enum lo_result byte_stream_peek(struct byte_stream *stream, size_t want, const uint8_t **bytes,
		size_t *got, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	if (stream->end - stream->begin < want)
		result = make_room(stream, want, err);
	while (result == LO_OK && stream->end - stream->begin < want && !stream->ended)
		result = read_more(stream, err);
	if (result != LO_OK)
		return result;
	*bytes = stream->window + stream->begin;
	*got = stream->end - stream->begin;
	if (*got > want)
		*got = want;
	return LO_OK;
}

void byte_stream_skip(struct byte_stream *stream, size_t size)
{
	if (size > stream->end - stream->begin)
		size = stream->end - stream->begin;
	stream->begin += size;
	stream->offset += size;
}

/* Fills `raw` far enough to see what it begins with. */
static enum lo_result detect_packing(struct byte_stream *stream, struct lo_error *err)
{
	enum lo_result result = LO_OK;
	size_t got;

	while (stream->raw_end < sizeof(stream->unzip->magic) && !stream->raw_ended) {
		result = read_raw(stream, stream->raw + stream->raw_end,
				RAW_BYTES - stream->raw_end, &got, err);
		if (result != LO_OK)
			return result;
		stream->raw_end += got;
	}
	stream->unzip = unzip_by_magic(stream->raw, stream->raw_end);
	if (stream->unzip)
		result = stream->unzip->open(&stream->unzip_state, err);
	else
		stream->raw_ended = false; /* read_more() asks once more and sees the end again */
	return result;
}

static enum lo_result stream_open(struct byte_stream **out, struct byte_source *source,
		int descriptor, struct lo_error *err)
{
	struct byte_stream *stream = calloc(1, sizeof(*stream));
	enum lo_result result = LO_NO_MEMORY;

	if (stream) {
		stream->source = source;
		stream->descriptor = descriptor;
		stream->raw = malloc(RAW_BYTES);
		stream->window = malloc(WINDOW_BYTES);
		stream->capacity = WINDOW_BYTES;
	}
	if (stream && stream->raw && stream->window)
		result = detect_packing(stream, err);
	else
		lo_fail(err, result, LO_NO_OFFSET, "no memory to read it");
	if (result != LO_OK) {
		if (!stream)
			byte_source_close(source);
		byte_stream_close(stream);
		return result;
	}
	*out = stream;
	return LO_OK;
}

enum lo_result byte_stream_open(
		struct byte_stream **out, struct byte_source *source, struct lo_error *err)
{
	return stream_open(out, source, -1, err);
}

enum lo_result byte_stream_open_descriptor(
		struct byte_stream **out, int descriptor, struct lo_error *err)
{
	return stream_open(out, NULL, descriptor, err);
}

enum lo_result byte_stream_open_pipe(
		struct byte_stream **out, const char *path, struct lo_error *err)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	enum lo_result result;

	if (descriptor < 0)
		return lo_fail_errno(err, errno, "cannot open");
	result = stream_open(out, NULL, descriptor, err);
	if (result == LO_OK)
		(*out)->owns_descriptor = true;
	else
		close(descriptor);
	return result;
}

void byte_stream_close(struct byte_stream *stream)
{
	if (!stream)
		return;
	if (stream->owns_descriptor)
		close(stream->descriptor);
	if (stream->unzip)
		stream->unzip->close(stream->unzip_state);
	byte_source_close(stream->source);
	free(stream->raw);
	free(stream->window);
	free(stream);
}

bool byte_stream_is_packed(const struct byte_stream *stream)
{
	return stream->unzip != NULL;
}

uint64_t byte_stream_offset(const struct byte_stream *stream)
{
	return stream->offset;
}

bool byte_stream_is_at_end(const struct byte_stream *stream)
{
	return stream->ended && stream->begin == stream->end;
}

uint64_t byte_stream_done(const struct byte_stream *stream)
{
	return stream->raw_offset;
}

uint64_t byte_stream_total(const struct byte_stream *stream)
{
	return stream->source ? byte_source_size(stream->source) : 0;
}

const char *byte_stream_fault(const struct byte_stream *stream)
{
	return stream->fault[0] ? stream->fault : NULL;
}
