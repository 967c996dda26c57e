#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/byte_buffer.h"
#include "formats/import/import_run.h"
#include "formats/native/trace_reader.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/trace_model.h"
#include "tests/integration/go/trace_facts.h"

/*
 * Imports arbitrary bytes with one importer, FUZZ_IMPORTER by name. Whatever the bytes are, the
 * import ends with a sentence or with a native trace that opens and keeps its promises.
 */
static bool is_ours(const uint8_t *bytes, size_t size)
{
	for (const struct importer *const *importer = importers; *importer; importer++)
		if ((*importer)->probe(bytes, size))
			return strcmp((*importer)->name, FUZZ_IMPORTER) == 0;
	return false;
}

static void check_native(const struct byte_buffer *native)
{
	struct trace_reader *reader;
	struct byte_source *source;
	struct trace_facts facts;
	struct lo_error err;

	if (byte_source_open_memory(&source, native->bytes, native->size, &err) != LO_OK ||
			trace_reader_open(&reader, source, NULL, &err) != LO_OK) {
		fprintf(stderr, "the import cannot be read: %s\n", err.message);
		abort();
	}
	trace_facts_collect(&facts, reader);
	trace_facts_release(&facts);
	model_check_side(reader);
	trace_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct lo_error err = { .message = "" };
	struct byte_buffer native = { 0 };
	struct byte_source *source;
	struct byte_stream *in;
	struct byte_sink *sink;
	enum lo_result result;

	if (!is_ours(bytes, size))
		return 0;
	if (byte_source_open_memory(&source, bytes, size, NULL) != LO_OK ||
			byte_stream_open(&in, source, NULL) != LO_OK ||
			byte_sink_open_buffer(&sink, &native, NULL) != LO_OK)
		abort();
	result = import_run(in, sink, NULL, &err);
	if (result == LO_OK)
		check_native(&native);
	else if (err.message[0] == '\0')
		abort();
	byte_stream_close(in);
	byte_buffer_release(&native);
	return 0;
}
