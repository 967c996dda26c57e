#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/base/printable.h"
#include "formats/import/import_run.h"
#include "viewer/cli/command.h"
#include "viewer/cli/exit_codes.h"
#include "viewer/cli/open_trace.h"
#include "viewer/cli/trace_file.h"

struct arguments {
	const char *program;
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

static void print_warning(void *context, const char *sentence)
{
	char text[512];
	size_t length = 0;

	while (sentence[length])
		length++;
	printable_copy(text, sizeof(text), sentence, length, 0);
	terminal_progress_done();
	fprintf(stderr, "%s: %s\n", (const char *)context, text);
}

/* Opening the output empties it: it must not be the input. */
static bool is_same_file(const char *in, const char *out)
{
	struct stat a;
	struct stat b;

	return stat(in, &a) == 0 && stat(out, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static enum lo_result import_to(const struct arguments *arguments, struct byte_stream *in,
		const struct progress *progress, struct lo_error *err)
{
	struct import_options import_options = { .progress = progress,
		.warn = print_warning,
		.warn_context = (void *)(uintptr_t)arguments->program };
	struct byte_sink *sink;
	const struct importer *importer;
	enum lo_result result = import_find(in, &importer, err); /* before OUT is emptied */

	if (result == LO_OK)
		result = byte_sink_open_file(&sink, arguments->out, err);
	if (result != LO_OK)
		return result;
	result = import_run(in, sink, &import_options, err);
	if (result != LO_OK)
		unlink(arguments->out);
	return result;
}

int cmd_import(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "FILE -o OUT",
		"Turns a trace of another program into a loiter trace.\v", NULL, help_filter,
		NULL };
	struct arguments arguments = { .program = argv[0] };
	struct lo_error err = { .offset = LO_NO_OFFSET };
	struct progress progress;
	struct byte_stream *in;
	enum lo_result result;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	if (is_same_file(arguments.in, arguments.out)) {
		fprintf(stderr, "%s: the file to write is the file to read\n", argv[0]);
		return LOITER_EXIT_FAILURE;
	}
	result = trace_file_stream(&in, arguments.in, &err);
	if (result == LO_OK) {
		progress = terminal_progress("importing");
		result = import_to(&arguments, in, &progress, &err);
		terminal_progress_done();
		byte_stream_close(in);
	}
	if (result != LO_OK)
		print_file_error(argv[0], arguments.in, &err);
	return result == LO_OK ? LOITER_EXIT_OK : LOITER_EXIT_FAILURE;
}
