#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

#include "formats/import/importer.h"
#include "viewer/cli/command.h"
#include "viewer/cli/exit_codes.h"
#include "viewer/cli/import_file.h"
#include "viewer/cli/open_trace.h"
#include "viewer/cli/output_file.h"
#include "viewer/cli/trace_file.h"

struct arguments {
	const char *in;
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
		if (arguments->in)
			argp_error(state, "only one file at a time");
		arguments->in = value;
		return 0;
	case ARGP_KEY_END:
		if (!arguments->in || !arguments->out)
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

int cmd_import(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "FILE -o OUT",
		"Turns a trace of another program into a loiter trace.\v", NULL, help_filter,
		NULL };
	struct arguments arguments = { 0 };
	struct lo_error err = { .offset = LO_NO_OFFSET };
	struct progress progress;
	struct byte_stream *in;
	enum lo_result result;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	/* Opening the output empties it: it must not be the input. */
	if (is_same_file(arguments.in, arguments.out)) {
		fprintf(stderr, "%s: the file to write is the file to read\n", argv[0]);
		return LOITER_EXIT_FAILURE;
	}
	result = trace_file_stream(&in, arguments.in, &err);
	if (result == LO_OK) {
		progress = terminal_progress("importing");
		result = import_file(argv[0], in, arguments.out, &progress, &err);
		terminal_progress_done();
		byte_stream_close(in);
	}
	if (result != LO_OK)
		print_file_error(argv[0], arguments.in, &err);
	return result == LO_OK ? LOITER_EXIT_OK : LOITER_EXIT_FAILURE;
}
