#include <argp.h>
#include <inttypes.h>
#include <stdio.h>

#include "formats/base/duration.h"
#include "viewer/cli/command.h"
#include "viewer/cli/exit_codes.h"
#include "viewer/cli/rewrite_file.h"

struct arguments {
	const char *in;
	const char *out;
};

static const struct argp_option options[] = {
	{ "output", 'o', "OUT", 0, "Write the repaired trace to this file", 0 },
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

static void print_outcome(
		const struct trace_rewrite_result *result, const struct rewrite_sizes *sizes)
{
	char before[SIZE_TEXT_MAX];
	char after[SIZE_TEXT_MAX];

	printf("%s before, %s now; %" PRIu64 " events kept, ", size_format(before, sizes->in),
			size_format(after, sizes->out), result->events);
	if (result->lost > 0)
		printf("%s%" PRIu64 " lost; %" PRIu32 " damaged places\n",
				result->lost_stretches > 0 ? "at least " : "", result->lost,
				result->problems);
	else if (result->problems > 0)
		printf("none known to be lost; %" PRIu32 " damaged places\n", result->problems);
	else
		puts("nothing was damaged");
}

int cmd_repair(int argc, char **argv)
{
	static const struct argp parser = { options, parse, "FILE -o OUT",
		"Save what can be read of a damaged or unfinished trace, and make a sound one of "
		"it."
		"\v"
		"Lost events are counted where they are missing. Also gives old traces the index "
		"sections that make large ones quick to open. FILE stays as it is, and OUT is "
		"there only when it is complete.",
		NULL, NULL, NULL };
	struct arguments arguments = { 0 };
	struct trace_rewrite_result result;
	struct rewrite_sizes sizes;
	struct rewrite_request request;

	if (argp_parse(&parser, argc, argv, 0, NULL, &arguments) != 0)
		return LOITER_EXIT_FAILURE;
	request = (struct rewrite_request){ .program = argv[0],
		.in = arguments.in,
		.out = arguments.out,
		.doing = "repairing",
		.salvage = true };
	if (rewrite_file(&request, &result, &sizes) != LO_OK)
		return LOITER_EXIT_FAILURE;
	print_outcome(&result, &sizes);
	return fflush(stdout) == 0 ? LOITER_EXIT_OK : LOITER_EXIT_FAILURE;
}
