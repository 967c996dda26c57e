#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/base/byte_codec.h"
#include "formats/base/duration.h"
#include "viewer/cli/command.h"
#include "viewer/cli/exit_codes.h"
#include "viewer/cli/rewrite_file.h"

struct arguments {
	const char *in;
	const char *out;
	int level;
};

static const struct argp_option options[] = {
	{ "output", 'o', "OUT", 0, "Write the smaller trace to this file", 0 },
	{ "level", 'l', "N", 0,
			"How hard to compress, 1 to 19 (the default); recorders use 3, which takes "
			"a twentieth of the time",
			0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	char *end;

	switch (key) {
	case 'o':
		arguments->out = value;
		return 0;
	case 'l':
		arguments->level = (int)strtol(value, &end, 10);
		if (*end || arguments->level < 1 || arguments->level > BYTE_PACKER_LEVEL_MAX)
			argp_error(state, "a level is a number from 1 to %d",
					BYTE_PACKER_LEVEL_MAX);
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

	printf("%s before, %s now (%.1f%%); %" PRIu64 " events\n", size_format(before, sizes->in),
			size_format(after, sizes->out),
			sizes->in ? (double)sizes->out * 100.0 / (double)sizes->in : 0.0,
			result->events);
}

int cmd_repack(int argc, char **argv)
{
	static const struct argp parser = { options, parse, "FILE -o OUT",
		"Make a trace smaller, for keeping or sending it, with the same contents."
		"\v"
		"A damaged trace is refused: 'loiter repair' comes first. FILE stays as it is, and "
		"OUT is there only when it is complete.",
		NULL, NULL, NULL };
	struct arguments arguments = { .level = BYTE_PACKER_LEVEL_MAX };
	struct trace_rewrite_result result;
	struct rewrite_sizes sizes;
	struct rewrite_request request;

	if (argp_parse(&parser, argc, argv, 0, NULL, &arguments) != 0)
		return LOITER_EXIT_FAILURE;
	request = (struct rewrite_request){ .program = argv[0],
		.in = arguments.in,
		.out = arguments.out,
		.doing = "repacking",
		.level = arguments.level };
	if (rewrite_file(&request, &result, &sizes) != LO_OK)
		return LOITER_EXIT_FAILURE;
	print_outcome(&result, &sizes);
	return fflush(stdout) == 0 ? LOITER_EXIT_OK : LOITER_EXIT_FAILURE;
}
