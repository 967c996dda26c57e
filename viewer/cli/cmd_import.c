#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/import/importer.h"
#include "viewer/cli/command.h"
#include "viewer/cli/exit_codes.h"
#include "viewer/cli/import_file.h"
#include "viewer/cli/open_trace.h"
#include "viewer/cli/output_file.h"
#include "viewer/cli/trace_file.h"

struct arguments {
	struct trace_paths in;
	const char *out;
};

static const struct argp_option options[] = {
	{ "output", 'o', "OUT", 0, "Write the loiter trace to this file", 0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'o':
		arguments->out = value;
		return 0;
	case ARGP_KEY_ARG:
		if (!trace_paths_add(&arguments->in, value))
			argp_error(state, "more than %u files", TRACE_PATHS_MAX);
		return 0;
	case ARGP_KEY_END:
		if (arguments->in.count == 0 || !arguments->out)
			argp_error(state, "needs the file to read and -o with the file to write");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static char *help_filter(int key, const char *text, void *input)
{
	size_t used;
	FILE *out;
	char *whole = NULL;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)(uintptr_t)text;
	out = open_memstream(&whole, &used);
	if (!out)
		return NULL;
	fputs("Reads, known by their first bytes and not by their names:\n", out);
	for (const struct importer *const *importer = importers; *importer; importer++)
		fprintf(out, "  %s\n      %s\n", (*importer)->name, (*importer)->help);
	fputs("also compressed with zstd or gzip. '-' reads standard input.", out);
	fclose(out);
	return whole;
}

/* Opening the output empties it: it must not be an input. */
static bool writes_over_input(const struct arguments *arguments)
{
	for (uint32_t i = 0; i < arguments->in.count; i++)
		if (is_same_file(arguments->in.paths[i], arguments->out))
			return true;
	return false;
}

static enum lo_result import_all(
		const char *program, const struct arguments *arguments, struct lo_error *err)
{
	uint32_t count = arguments->in.count;
	struct import_part *parts = calloc(count, sizeof(*parts));
	struct progress progress;
	enum lo_result result;

	if (!parts)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u files", count);
	result = trace_files_stream(parts, arguments->in.paths, count, err);
	if (result == LO_OK) {
		progress = terminal_progress("importing");
		result = import_files(program, parts, count, arguments->out, &progress, err);
		terminal_progress_done();
		trace_files_close(parts, count);
	}
	free(parts);
	return result;
}

int cmd_import(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "FILE... -o OUT",
		"Turns a trace of another program into a loiter trace. Several FILEs are goroutine "
		"dumps of one program, one after the other.\v",
		NULL, help_filter, NULL };
	struct arguments arguments = { 0 };
	struct lo_error err = { .offset = LO_NO_OFFSET };
	enum lo_result result;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	if (writes_over_input(&arguments)) {
		fprintf(stderr, "%s: the file to write is the file to read\n", argv[0]);
		return LOITER_EXIT_FAILURE;
	}
	result = import_all(argv[0], &arguments, &err);
	if (result != LO_OK)
		print_file_error(argv[0], arguments.in.paths[0], &err);
	return result == LO_OK ? LOITER_EXIT_OK : LOITER_EXIT_FAILURE;
}
