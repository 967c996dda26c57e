#include "formats/import/import_run.h"

#include "formats/import/import_probe.h"
#include "formats/import/import_sink.h"
#include "formats/model/meta.h"
#include "formats/native/trace_writer.h"

enum lo_result import_find(
		struct byte_stream *in, const struct importer **importer, struct lo_error *err)
{
	const uint8_t *head;
	size_t size;
	enum lo_result result = byte_stream_peek(in, IMPORT_HEAD_BYTES, &head, &size, err);

	if (result != LO_OK)
		return result;
	*importer = import_probe(head, size);
	if (!*importer)
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"not a trace that can be read: %s", import_probe_guess(head, size));
	return LO_OK;
}

static enum lo_result write_head(
		struct trace_writer *writer, const struct importer *importer, struct lo_error *err)
{
	enum lo_result result = trace_writer_meta(writer, META_BACKEND, "import", err);

	if (result == LO_OK)
		result = trace_writer_meta(writer, META_SOURCE_FORMAT, importer->name, err);
	return result;
}

static enum lo_result warn_of_fault(
		struct import_sink *sink, const struct byte_stream *in, struct lo_error *err)
{
	const char *fault = byte_stream_fault(in);

	if (!fault)
		return LO_OK;
	sink->cut = true;
	return import_sink_warn(sink, err, "Of the file, %s; what came before is shown.", fault);
}

static enum lo_result warn_of_losses(struct import_sink *sink, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	if (sink->left_out)
		result = import_sink_warn(sink, err,
				"%llu state changes contradict what came before them and are left "
				"out.",
				(unsigned long long)sink->left_out);
	if (result == LO_OK && sink->unnamed)
		result = import_sink_warn(sink, err,
				"There are more tasks than can be shown; %llu are left out.",
				(unsigned long long)sink->unnamed);
	return result;
}

static enum lo_result import_with(const struct importer *importer, const struct import_part *parts,
		uint32_t count, struct trace_writer *writer, const struct import_options *options,
		struct lo_error *err)
{
	struct import_sink sink;
	enum lo_result result = write_head(writer, importer, err);

	import_sink_init(&sink, writer);
	sink.warn = options->warn;
	sink.warn_context = options->warn_context;
	if (result == LO_OK)
		result = count == 1 ? importer->run(parts[0].in, &sink, options->progress, err)
				    : importer->run_parts(
						      parts, count, &sink, options->progress, err);
	for (uint32_t i = 0; i < count && result == LO_OK; i++)
		result = warn_of_fault(&sink, parts[i].in, err);
	if (result == LO_OK)
		result = warn_of_losses(&sink, err);
	if (result == LO_OK && sink.cut)
		result = trace_writer_meta(writer, META_SOURCE_CUT, "1", err);
	if (result == LO_OK)
		result = trace_writer_finish(writer, sink.now_ns, err);
	import_sink_release(&sink);
	return result;
}

/* Who reads all of them. */
static enum lo_result find_for_all(const struct import_part *parts, uint32_t count,
		const struct importer **importer, struct lo_error *err)
{
	enum lo_result result = import_find(parts[0].in, importer, err);

	if (result == LO_OK && count > 1 && !(*importer)->run_parts)
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"this is a trace in itself (%s): open one at a time; only "
				"goroutine dumps can be put in a row",
				(*importer)->name);
	for (uint32_t i = 1; i < count && result == LO_OK; i++) {
		const struct importer *other;

		result = import_find(parts[i].in, &other, err);
		if (result == LO_OK && other != *importer)
			result = LO_UNSUPPORTED;
		if (result == LO_UNSUPPORTED)
			return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
					"it is the first of %u files, but file %u is no %s", count,
					i + 1, (*importer)->name);
	}
	return result;
}

enum lo_result import_run_parts(const struct import_part *parts, uint32_t count,
		struct byte_sink *sink, const struct import_options *options, struct lo_error *err)
{
	static const struct import_options no_options;
	const struct importer *importer;
	struct trace_writer *writer = NULL;
	enum lo_result result = find_for_all(parts, count, &importer, err);

	if (result != LO_OK) {
		byte_sink_close(sink, NULL);
		return result;
	}
	result = trace_writer_open(&writer, sink, err);
	if (result == LO_OK)
		result = import_with(importer, parts, count, writer,
				options ? options : &no_options, err);
	trace_writer_close(writer);
	return result;
}

enum lo_result import_run(struct byte_stream *in, struct byte_sink *sink,
		const struct import_options *options, struct lo_error *err)
{
	struct import_part part = { in, 0 };

	return import_run_parts(&part, 1, sink, options, err);
}
