#include "tests/unit/viewer/report/reported.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/trace_builder.h"
#include "viewer/report/report.h"

char *reported(const char *text, bool json)
{
	struct trace_reader *reader = trace_from_text(text);
	struct report report = { .file = "FILE", .reader = reader };
	struct analysis *analysis = NULL;
	struct lo_error err;
	char *written = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&written, &size);
	enum lo_result result = analysis_new(&analysis, reader, NULL, &err);

	report.analysis = analysis;
	if (result == LO_OK)
		result = json ? report_write_json(&report, out, &err)
			      : report_write_text(&report, out, &err);
	fclose(out);
	analysis_free(analysis);
	trace_reader_close(reader);
	if (result != LO_OK) {
		fprintf(stderr, "the report failed: %s\n", err.message);
		abort();
	}
	return written;
}
