#include "viewer/cli/rewrite_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/base/byte_sink.h"
#include "formats/base/byte_source.h"
#include "formats/base/macros.h"
#include "viewer/cli/open_trace.h"
#include "viewer/cli/output_file.h"
#include "viewer/cli/trace_file.h"

/* Blocks are read once, one after the other: nothing is gained by keeping them. */
#define CACHE_BYTES (4ull << 20)

/* ---- signals ---- */

static volatile sig_atomic_t stopped_by;

static void note_signal(int number)
{
	stopped_by = number;
}

static const int watched_signals[] = { SIGINT, SIGTERM, SIGHUP };

static void watch_signals(void)
{
	struct sigaction action = { .sa_handler = note_signal };

	for (size_t i = 0; i < LO_COUNT_OF(watched_signals); i++) {
		struct sigaction before;

		sigaction(watched_signals[i], &action, &before);
		/* As nohup wants it. */
		if (before.sa_handler == SIG_IGN)
			sigaction(watched_signals[i], &before, NULL);
	}
	/* A file that may not grow any more is an error of the write. */
	signal(SIGXFSZ, SIG_IGN);
}

/* Whoever sent a signal gets to see that it was obeyed. */
static void obey_signal(void)
{
	if (stopped_by == 0)
		return;
	signal(stopped_by, SIG_DFL);
	raise(stopped_by);
}

static bool step(void *context, uint64_t done, uint64_t total)
{
	const struct progress *terminal = context;

	return stopped_by == 0 && progress_step(terminal, done, total);
}

/* ---- the new file ---- */

static enum lo_result make_temporary(char path[PATH_MAX], const char *out, struct lo_error *err)
{
	int descriptor;

	if (snprintf(path, PATH_MAX, "%s.XXXXXX", out) >= PATH_MAX)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "the name is too long");
	descriptor = mkostemp(path, O_CLOEXEC);
	if (descriptor < 0)
		return lo_fail_errno(err, errno, "cannot create a file there");
	close(descriptor);
	return LO_OK;
}

/* A rename that reaches the disk before the bytes would leave an empty OUT after a crash. */
static enum lo_result put_in_place(const char *temporary, const char *out, struct lo_error *err)
{
	int descriptor = open(temporary, O_RDONLY | O_CLOEXEC);
	int status = descriptor < 0 ? -1 : fsync(descriptor);
	int number = errno;

	if (descriptor >= 0)
		close(descriptor);
	if (status != 0)
		return lo_fail_errno(err, number, "cannot write the file to the disk");
	if (rename(temporary, out) != 0)
		return lo_fail_errno(err, errno, "cannot put the file in its place");
	return LO_OK;
}

/* ---- both sides ---- */

static enum lo_result open_reader(struct trace_reader **reader,
		const struct rewrite_request *request, const struct progress *progress,
		struct lo_error *err)
{
	struct trace_reader_options options = { .cache_bytes = CACHE_BYTES, .progress = progress };
	struct byte_source *source;
	enum lo_result result = byte_source_open_file(&source, request->in, err);

	if (result == LO_OK)
		result = trace_reader_open(reader, source, &options, err);
	if (result == LO_UNSUPPORTED)
		trace_file_explain(request->in, err);
	return result;
}

static enum lo_result rewrite_into(struct trace_reader *reader, const char *temporary,
		const struct rewrite_request *request, const struct progress *progress,
		struct trace_rewrite_result *result, struct lo_error *err)
{
	struct trace_rewrite_options options = { .salvage = request->salvage,
		.progress = progress };
	struct trace_writer *writer = NULL;
	struct byte_sink *sink;
	enum lo_result outcome = byte_sink_open_file(&sink, temporary, err);

	if (outcome == LO_OK)
		outcome = trace_writer_open(&writer, sink, err);
	if (outcome == LO_OK && request->level > 0)
		trace_writer_set_level(writer, request->level);
	if (outcome == LO_OK)
		outcome = trace_rewrite(reader, writer, &options, result, err);
	trace_writer_close(writer);
	return outcome;
}

static uint64_t file_size(const char *path)
{
	struct byte_source *source;
	uint64_t size;

	if (byte_source_open_file(&source, path, NULL) != LO_OK)
		return 0;
	size = byte_source_size(source);
	byte_source_close(source);
	return size;
}

static enum lo_result rewrite(const struct rewrite_request *request, struct trace_reader *reader,
		const struct progress *progress, struct trace_rewrite_result *result,
		struct lo_error *err)
{
	char temporary[PATH_MAX];
	enum lo_result outcome = make_temporary(temporary, request->out, err);

	if (outcome != LO_OK)
		return outcome;
	outcome = rewrite_into(reader, temporary, request, progress, result, err);
	if (outcome == LO_OK && stopped_by != 0)
		outcome = lo_fail(err, LO_CANCELLED, LO_NO_OFFSET, "stopped");
	if (outcome == LO_OK)
		outcome = put_in_place(temporary, request->out, err);
	if (outcome != LO_OK)
		unlink(temporary);
	return outcome;
}

static bool may_write(const struct rewrite_request *request)
{
	const char *why = NULL;

	if (is_same_file(request->in, request->out))
		why = "the file to write is the file to read";
	else if (strcmp(request->out, "-") == 0)
		why = "standard output cannot be taken back if the work fails; name a file";
	if (why)
		fprintf(stderr, "%s: %s\n", request->program, why);
	return !why;
}

enum lo_result rewrite_file(const struct rewrite_request *request,
		struct trace_rewrite_result *result, struct rewrite_sizes *sizes)
{
	struct progress terminal = terminal_progress(request->doing);
	struct progress progress = { step, &terminal };
	struct lo_error err = { .offset = LO_NO_OFFSET };
	const char *at_fault = request->in;
	struct trace_reader *reader = NULL;
	enum lo_result outcome;

	if (!may_write(request))
		return LO_USAGE;
	watch_signals();
	outcome = open_reader(&reader, request, &progress, &err);
	if (outcome == LO_OK) {
		sizes->in = trace_reader_info(reader)->file_bytes;
		outcome = rewrite(request, reader, &progress, result, &err);
		/* What is no fault of the trace has to do with the new file. */
		if (outcome == LO_IO && err.offset == LO_NO_OFFSET)
			at_fault = request->out;
	}
	trace_reader_close(reader);
	terminal_progress_done();
	if (outcome == LO_OK)
		sizes->out = file_size(request->out);
	else if (outcome != LO_CANCELLED)
		print_file_error(request->program, at_fault, &err);
	obey_signal();
	return outcome;
}
