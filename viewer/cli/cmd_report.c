#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

#include "viewer/analysis/analysis.h"
#include "viewer/cli/command.h"
#include "viewer/cli/exit_codes.h"
#include "viewer/cli/open_trace.h"
#include "viewer/report/report.h"

enum {
	OPTION_JSON = 1
};

#define FILE_NAME_MAX 4096u

struct report_options {
	struct trace_paths files;
	bool json;
	struct open_choices open;
};

static const struct argp_option options[] = {
	{ "json", OPTION_JSON, NULL, 0, "Write one JSON document instead of text", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct report_options *chosen = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &chosen->open;
		return 0;
	case OPTION_JSON:
		chosen->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!trace_paths_add(&chosen->files, argument))
			argp_error(state, "more than %u files", TRACE_PATHS_MAX);
		return 0;
	case ARGP_KEY_END:
		if (chosen->files.count == 0)
			argp_error(state, "say which trace: loiter report FILE");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &open_trace_argp, 0, NULL, 0 }, { 0 } };

static const struct argp parser = {
	.options = options,
	.parser = parse_option,
	.args_doc = "FILE...",
	.doc = "Says what is stuck in a trace, since when, on what, and what speaks for it; then "
	       "where the time went and who waits on purpose. Fit to be put into a bug report. "
	       "Several FILEs are goroutine dumps of one program, one after the other."
	       "\vExit status: 0 also with findings, 2 when FILE cannot be read.",
	.children = children,
};

static enum lo_result analyse_and_write(struct trace_reader *reader,
		const struct report_options *chosen, struct lo_error *err)
{
	struct progress progress = terminal_progress("reading events");
	char name[FILE_NAME_MAX];
	struct report report = { .file = trace_paths_name(&chosen->files, name, sizeof(name)),
		.reader = reader };
	struct analysis *analysis = NULL;
	enum lo_result result;

	result = analysis_new(&analysis, reader, &progress, err);
	terminal_progress_done();
	if (result != LO_OK)
		return result;
	report.analysis = analysis;
	result = chosen->json ? report_write_json(&report, stdout, err)
			      : report_write_text(&report, stdout, err);
	if (result == LO_OK && fflush(stdout) != 0)
		result = lo_fail(err, LO_IO, LO_NO_OFFSET, "cannot write the report");
	analysis_free(analysis);
	return result;
}

int cmd_report(int argc, char **argv)
{
	struct report_options chosen = { 0 };
	struct lo_error err = { .offset = LO_NO_OFFSET };
	struct trace_reader *reader;
	enum lo_result result;

	if (argp_parse(&parser, argc, argv, 0, NULL, &chosen) != 0)
		return LOITER_EXIT_FAILURE;
	reader = open_traces(argv[0], &chosen.files, &chosen.open);
	if (!reader)
		return LOITER_EXIT_FAILURE;
	result = analyse_and_write(reader, &chosen, &err);
	warn_about_damage(argv[0], chosen.files.paths[0], reader);
	trace_reader_close(reader);
	if (result == LO_OK)
		return LOITER_EXIT_OK;
	print_file_error(argv[0], chosen.files.paths[0], &err);
	return LOITER_EXIT_FAILURE;
}
