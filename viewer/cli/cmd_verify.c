#include <argp.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "formats/base/byte_source.h"
#include "formats/base/printable.h"
#include "formats/native/trace_check.h"
#include "viewer/cli/command.h"
#include "viewer/cli/exit_codes.h"
#include "viewer/cli/open_trace.h"

/* Problems of one check that are printed; the rest is counted. */
#define PRINTED_MAX 20u

struct arguments {
	const char *file;
	bool list;
};

static const struct argp_option options[] = {
	{ "list", 'l', NULL, 0, "Print the names of all checks, and what is true of a sound trace",
			0 },
	{ 0 },
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'l':
		arguments->list = true;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->file)
			argp_error(state, "one FILE at a time, please");
		arguments->file = text;
		return 0;
	case ARGP_KEY_END:
		if (!arguments->file && !arguments->list)
			argp_error(state, "which FILE?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Problems of one check, kept until its result line is printed above them. */
struct problems {
	struct {
		uint64_t offset;
		char sentence[256];
	} kept[PRINTED_MAX];
	unsigned count;
};

static void keep_problem(void *context, uint64_t offset, const char *sentence)
{
	struct problems *problems = context;

	if (problems->count == PRINTED_MAX)
		return;
	problems->kept[problems->count].offset = offset;
	printable_copy(problems->kept[problems->count].sentence, sizeof(problems->kept[0].sentence),
			sentence, strlen(sentence), 0);
	problems->count++;
}

static void print_result(const struct trace_check_info *info,
		const struct trace_check_result *result, const struct problems *problems)
{
	bool sound = result->problems + result->known == 0;

	printf("%-11s ", info->name);
	if (!result->possible) {
		puts("skipped");
		return;
	}
	printf("%-9s %s: %" PRIu64 "\n", sound ? "ok" : "damaged", result->what, result->checked);
	if (!sound)
		printf("    expected: %s\n", info->help);
	if (result->known > 0)
		printf("    found above: %" PRIu64 "\n", result->known);
	for (unsigned i = 0; i < problems->count; i++)
		if (problems->kept[i].offset == LO_NO_OFFSET)
			printf("    %s\n", problems->kept[i].sentence);
		else
			printf("    byte %" PRIu64 ": %s\n", problems->kept[i].offset,
					problems->kept[i].sentence);
	if (result->problems > problems->count)
		printf("    and %" PRIu64 " more\n", result->problems - problems->count);
}

/* Runs all checks; the number of problems goes to `total`. */
static enum lo_result run_checks(
		struct trace_checking *checking, uint64_t *total, struct lo_error *err)
{
	const struct trace_check_info *info;

	for (unsigned i = 0; (info = trace_check_at(i)); i++) {
		struct problems problems = { .count = 0 };
		struct trace_check_listener listener = { keep_problem, &problems };
		struct trace_check_result found;
		enum lo_result result = trace_checking_run(checking, i, &listener, &found, err);

		terminal_progress_done();
		if (result != LO_OK)
			return result;
		print_result(info, &found, &problems);
		*total += found.problems;
	}
	return LO_OK;
}

static enum lo_result verify(const char *file, uint64_t *problems, struct lo_error *err)
{
	struct progress progress = terminal_progress("checking");
	struct trace_checking *checking = NULL;
	struct byte_source *source = NULL;
	enum lo_result result = byte_source_open_file(&source, file, err);

	if (result == LO_OK)
		result = trace_checking_open(&checking, source, &progress, err);
	terminal_progress_done();
	if (result == LO_OK)
		result = run_checks(checking, problems, err);
	trace_checking_close(checking);
	return result;
}

static void print_checks(void)
{
	const struct trace_check_info *info;

	for (unsigned i = 0; (info = trace_check_at(i)); i++)
		printf("%-11s %s\n", info->name, info->help);
}

int cmd_verify(int argc, char **argv)
{
	static const struct argp parser = { .options = options,
		.parser = parse_option,
		.args_doc = "FILE\n--list",
		.doc = "Check whether a trace is sound, down to every event. Damage is listed with "
		       "its place in the file."
		       "\v"
		       "The exit status is 0 for a sound trace, 1 for a damaged or unfinished one, "
		       "and 2 when it could not be read. Every other command reads what a damaged "
		       "trace still has." };
	struct arguments arguments = { 0 };
	struct lo_error err = { .offset = LO_NO_OFFSET };
	uint64_t problems = 0;

	if (argp_parse(&parser, argc, argv, 0, NULL, &arguments) != 0)
		return LOITER_EXIT_FAILURE;
	if (arguments.list) {
		print_checks();
		return fflush(stdout) == 0 ? LOITER_EXIT_OK : LOITER_EXIT_FAILURE;
	}
	if (verify(arguments.file, &problems, &err) != LO_OK) {
		print_file_error(argv[0], arguments.file, &err);
		return LOITER_EXIT_FAILURE;
	}
	puts(problems == 0 ? "This trace is sound." : "This trace is damaged or unfinished.");
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "%s: cannot write the output\n", argv[0]);
		return LOITER_EXIT_FAILURE;
	}
	return problems == 0 ? LOITER_EXIT_OK : LOITER_EXIT_FINDINGS;
}
