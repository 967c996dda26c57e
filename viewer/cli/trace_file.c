#include "viewer/cli/trace_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/base/byte_sink.h"
#include "formats/base/bytes.h"
#include "formats/import/import_probe.h"
#include "formats/import/import_run.h"
#include "formats/native/layout.h"
#include "viewer/cli/import_cache.h"
#include "viewer/cli/temporary_file.h"

#define COPY_BYTES (256u << 10)

static bool is_standard_input(const char *path)
{
	return strcmp(path, "-") == 0;
}

/* Pipes and terminals have to be read from front to back. */
static bool can_be_sought(const char *path)
{
	struct stat status;

	return !is_standard_input(path) && (stat(path, &status) != 0 || S_ISREG(status.st_mode));
}

enum lo_result trace_file_stream(struct byte_stream **out, const char *path, struct lo_error *err)
{
	struct byte_source *source;
	enum lo_result result;

	if (is_standard_input(path))
		return byte_stream_open_descriptor(out, STDIN_FILENO, err);
	if (!can_be_sought(path))
		return byte_stream_open_pipe(out, path, err);
	result = byte_source_open_file(&source, path, err);
	if (result != LO_OK)
		return result;
	return byte_stream_open(out, source, err);
}

static enum lo_result copy_stream(struct byte_stream *in, struct byte_sink *sink,
		const struct progress *progress, struct lo_error *err)
{
	enum lo_result result = LO_OK;
	const uint8_t *bytes;
	size_t got = 1;

	while (result == LO_OK && got > 0) {
		result = byte_stream_peek(in, COPY_BYTES, &bytes, &got, err);
		if (result == LO_OK)
			result = byte_sink_write(sink, bytes, got, err);
		if (result == LO_OK)
			byte_stream_skip(in, got);
		if (!progress_step(progress, byte_stream_done(in), byte_stream_total(in)))
			result = lo_fail(err, LO_CANCELLED, LO_NO_OFFSET, "reading was stopped");
	}
	if (result != LO_OK) {
		byte_sink_close(sink, NULL);
		return result;
	}
	return byte_sink_close(sink, err);
}

/* What is to be made a native trace that can be sought. */
struct input {
	const struct import_part *parts;
	uint32_t count;
	bool import; /* false: it is one already */
};

static enum lo_result fill_temporary(const char *path, const struct input *input,
		const struct progress *progress, struct lo_error *err)
{
	struct import_options options = { .progress = progress };
	struct byte_sink *sink;
	enum lo_result result = byte_sink_open_file(&sink, path, err);

	if (result != LO_OK)
		return result;
	return input->import ? import_run_parts(input->parts, input->count, sink, &options, err)
			     : copy_stream(input->parts[0].in, sink, progress, err);
}

static enum lo_result open_temporary(struct byte_source **out, const struct input *input,
		const struct progress *progress, struct lo_error *err)
{
	struct temporary_file file;
	enum lo_result result = temporary_file_open(&file, err);

	if (result != LO_OK)
		return result;
	result = fill_temporary(file.path, input, progress, err);
	if (result == LO_OK)
		result = byte_source_open_file(out, file.path, err);
	temporary_file_close(&file);
	return result;
}

/* A stream is read once, so its content has no name before it is imported: no cache for it. */
static enum lo_result open_foreign(struct byte_source **out, const char *path,
		const struct input *input, bool use_cache, const struct progress *progress,
		struct lo_error *err)
{
	enum lo_result result = LO_END;

	if (use_cache && can_be_sought(path))
		result = import_cache_open(out, path, progress, err);
	return result == LO_END ? open_temporary(out, input, progress, err) : result;
}

enum lo_result trace_file_open(struct byte_source **out, const char *path, bool use_cache,
		const struct progress *progress, struct lo_error *err)
{
	struct import_part part = { 0 };
	struct input input = { &part, 1, false };
	struct byte_stream *in;
	const uint8_t *head;
	size_t size;
	enum lo_result result = trace_file_stream(&in, path, err);

	if (result != LO_OK)
		return result;
	result = byte_stream_peek(in, IMPORT_HEAD_BYTES, &head, &size, err);
	part.in = in;
	input.import = result == LO_OK && import_probe(head, size);
	if (input.import)
		result = open_foreign(out, path, &input, use_cache, progress, err);
	else if (result == LO_OK && (byte_stream_is_packed(in) || !can_be_sought(path)))
		result = open_temporary(out, &input, progress, err);
	else if (result == LO_OK)
		result = byte_source_open_file(out, path, err);
	byte_stream_close(in);
	return result;
}

static uint64_t modified_ns(const char *path)
{
	struct stat status;

	if (!can_be_sought(path) || stat(path, &status) != 0 || status.st_mtim.tv_sec < 0)
		return 0;
	return (uint64_t)status.st_mtim.tv_sec * 1000000000u + (uint64_t)status.st_mtim.tv_nsec;
}

void trace_files_close(struct import_part *parts, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		byte_stream_close(parts[i].in);
}

enum lo_result trace_files_stream(struct import_part *parts, const char *const *paths,
		uint32_t count, struct lo_error *err)
{
	for (uint32_t i = 0; i < count; i++) {
		struct lo_error why;
		enum lo_result result = trace_file_stream(&parts[i].in, paths[i], &why);

		parts[i].modified_ns = modified_ns(paths[i]);
		if (result == LO_OK)
			continue;
		trace_files_close(parts, i);
		if (count == 1 && err)
			*err = why;
		return count == 1 ? result
				  : lo_fail(err, result, LO_NO_OFFSET, "file %u of %u: %s", i + 1,
						    count, why.message);
	}
	return LO_OK;
}

enum lo_result trace_files_open(struct byte_source **out, const char *const *paths, uint32_t count,
		bool use_cache, const struct progress *progress, struct lo_error *err)
{
	struct import_part *parts;
	struct input input = { .count = count, .import = true };
	enum lo_result result;

	if (count == 1)
		return trace_file_open(out, paths[0], use_cache, progress, err);
	parts = calloc(count, sizeof(*parts));
	if (!parts)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u files", count);
	input.parts = parts;
	result = trace_files_stream(parts, paths, count, err);
	if (result == LO_OK) {
		result = open_temporary(out, &input, progress, err);
		trace_files_close(parts, count);
	}
	free(parts);
	return result;
}

void trace_file_explain(const char *path, struct lo_error *err)
{
	struct byte_stream *in;
	const uint8_t *head;
	size_t size;

	if (!can_be_sought(path) || trace_file_stream(&in, path, NULL) != LO_OK)
		return;
	if (byte_stream_peek(in, IMPORT_HEAD_BYTES, &head, &size, NULL) == LO_OK &&
			!import_probe(head, size) &&
			(size < SECTION_AT_EXTRA || load_le32(head) != SECTION_FRAME_MAGIC))
		lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"not a trace, neither of loiter nor of a program that can be "
				"imported: %s",
				import_probe_guess(head, size));
	byte_stream_close(in);
}
