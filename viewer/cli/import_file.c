#include "viewer/cli/import_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "formats/base/printable.h"
#include "formats/import/import_run.h"
#include "viewer/cli/open_trace.h"

static void print_warning(void *context, const char *sentence)
{
	char text[512];

	printable_copy(text, sizeof(text), sentence, strlen(sentence), 0);
	terminal_progress_done();
	fprintf(stderr, "%s: %s\n", (const char *)context, text);
}

enum lo_result import_files(const char *program, const struct import_part *parts, uint32_t count,
		const char *out, const struct progress *progress, struct lo_error *err)
{
	struct import_options options = { .progress = progress,
		.warn = print_warning,
		.warn_context = (void *)(uintptr_t)program };
	struct byte_sink *sink;
	const struct importer *importer;
	enum lo_result result = import_find(parts[0].in, &importer, err);

	if (result == LO_OK)
		result = byte_sink_open_file(&sink, out, err);
	if (result != LO_OK)
		return result;
	result = import_run_parts(parts, count, sink, &options, err);
	if (result != LO_OK)
		unlink(out);
	return result;
}

enum lo_result import_file(const char *program, struct byte_stream *in, const char *out,
		const struct progress *progress, struct lo_error *err)
{
	struct import_part part = { in, 0 };

	return import_files(program, &part, 1, out, progress, err);
}
