#include <stdlib.h>

#include "formats/native/trace_cursor.h"
#include "formats/native/trace_rewrite.h"
#include "tests/fuzz/fuzz.h"

/*
 * The bytes are a trace file. Whatever of it can be opened can be salvaged, into a trace that has
 * the same events and no damage.
 */
static uint64_t count_events(struct trace_reader *reader)
{
	struct trace_cursor *cursor;
	const struct event *events;
	uint64_t total = 0;
	uint32_t count;

	if (trace_cursor_open(&cursor, reader, (struct time_span){ 0, UINT64_MAX }, NULL) != LO_OK)
		abort();
	while (trace_cursor_next_run(cursor, &events, &count, NULL) == LO_OK)
		total += count;
	trace_cursor_close(cursor);
	return total;
}

static struct trace_reader *open_bytes(const uint8_t *bytes, size_t size)
{
	struct trace_reader *reader;
	struct byte_source *source;

	if (byte_source_open_memory(&source, bytes, size, NULL) != LO_OK)
		abort();
	return trace_reader_open(&reader, source, NULL, NULL) == LO_OK ? reader : NULL;
}

static enum lo_result salvage(struct trace_reader *reader, struct byte_buffer *out,
		struct trace_rewrite_result *result)
{
	struct trace_rewrite_options options = { .salvage = true };
	struct trace_writer *writer;
	struct byte_sink *sink;
	enum lo_result outcome;

	if (byte_sink_open_buffer(&sink, out, NULL) != LO_OK ||
			trace_writer_open(&writer, sink, NULL) != LO_OK)
		abort();
	outcome = trace_rewrite(reader, writer, &options, result, NULL);
	trace_writer_close(writer);
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct trace_reader *reader = open_bytes(bytes, size);
	struct trace_rewrite_result result;
	struct byte_buffer out = { 0 };
	struct trace_reader *again;
	enum lo_result outcome;

	if (!reader)
		return 0;
	outcome = salvage(reader, &out, &result);
	/* More than a limit allows is the one excuse. */
	if (outcome != LO_OK && outcome != LO_UNSUPPORTED)
		abort();
	again = outcome == LO_OK ? open_bytes(out.bytes, out.size) : NULL;
	if (outcome == LO_OK && (!again || trace_reader_damage_count(again) > 0 ||
						count_events(again) != result.events ||
						count_events(reader) != result.events))
		abort();
	trace_reader_close(again);
	trace_reader_close(reader);
	byte_buffer_release(&out);
	return 0;
}
