#ifndef LOITER_REPORT_REPORT_H
#define LOITER_REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "formats/base/error.h"
#include "formats/native/trace_reader.h"
#include "viewer/analysis/analysis.h"

/* What a report is about. Everything stays the caller's. */
struct report {
	const char *file; /* as the user named it */
	struct trace_reader *reader;
	const struct analysis *analysis;
};

/* For a bug report: 80 columns, no escape sequences, every name cleaned. */
enum lo_result report_write_text(const struct report *report, FILE *out, struct lo_error *err);

/* One JSON document, schema version 1. LO_UNSUPPORTED in a build without jansson. */
enum lo_result report_write_json(const struct report *report, FILE *out, struct lo_error *err);

#endif
