#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "formats/base/duration.h"
#include "formats/base/printable.h"
#include "formats/native/trace_writer.h"
#include "recorder/backend/preload.h"
#include "recorder/backend/target_check.h"
#include "recorder/drain/session.h"
#include "recorder/ring/segment.h"
#include "viewer/cli/command.h"
#include "viewer/cli/exit_codes.h"
#include "viewer/cli/open_trace.h"
#include "viewer/cli/output_file.h"
#include "viewer/cli/record_go.h"

#define STACK_DEPTH_DEFAULT 64u
#define WAIT_THRESHOLD_NS   1000u

/* As a shell says it. */
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND      127
#define EXIT_BY_SIGNAL      128

struct arguments {
	const char *output; /* NULL: choose a name */
	struct budget budget;
	uint32_t stack_depth;
	uint64_t resolution_ns;
	bool follow_children;
	const char *of_programs; /* an option that only makes sense for them, NULL = none was given
				  */
	struct go_choices go;
	char **program; /* and its arguments; NULL-terminated */
};

/* Everything that one run holds; released in one place. */
struct recording {
	const char *command; /* "loiter record" */
	struct arguments arguments;
	struct target_check check;
	char library[PATH_MAX];
	struct signals signals;
	struct session *session;
	struct preloaded child;
	char output[PATH_MAX];
	bool made_output; /* a file that was not there before */
};

/* ---- Words. ---- */

/* Names of programs and files may hold bytes that a terminal would obey. */
static void say(void *context, const char *sentence)
{
	const struct recording *recording = context;
	char clean[800];

	printable_copy(clean, sizeof(clean), sentence, strlen(sentence), 0);
	fprintf(stderr, "%s: %s\n", recording->command, clean);
}

static void say_error(struct recording *recording, const struct lo_error *err)
{
	say(recording, err->message);
}

static void say_summary(struct recording *recording, const struct session_result *result)
{
	uint64_t lost = 0;
	char size[SIZE_TEXT_MAX];
	char line[PATH_MAX + 128];

	for (unsigned i = 0; i < LOSS_CAUSE_COUNT; i++)
		lost += result->stats.lost[i];
	snprintf(line, sizeof(line), "%s: %s, %" PRIu64 " event%s, %" PRIu64 " lost%s",
			recording->output, size_format(size, result->stats.bytes),
			result->stats.events, result->stats.events == 1 ? "" : "s", lost,
			result->end == SESSION_WRITE_FAILED ? "; cut short, but readable" : "");
	say(recording, line);
}

static void say_what_is_missing(struct recording *recording, const struct session_result *result)
{
	char line[PATH_MAX + 300];

	if (!result->attached) {
		snprintf(line, sizeof(line),
				"no events: '%.200s' never loaded the recorder library. It may have "
				"failed before it began, or started something else without passing on "
				"its environment; a message of the loader above would say why",
				recording->arguments.program[0]);
		say(recording, line);
	} else if (result->end == SESSION_PROGRAM_ENDED && result->left_behind) {
		snprintf(line, sizeof(line),
				"the program has ended, %" PRIu32
				" of its processes still run; the recording ended with the program",
				result->left_behind);
		say(recording, line);
	}
}

/* ---- Arguments. ---- */

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0,
			"Write the trace to FILE, replacing it (default: PROGRAM.PID.loiter, "
			"never replacing a file)",
			0 },
	{ "max-size", 's', "SIZE", 0,
			"End the recording when FILE reaches about SIZE (64M, 1G); the program runs on",
			0 },
	{ "duration", 'd', "TIME", 0,
			"End the recording after TIME (10s, 5min); the program runs on", 0 },
	{ "stack-depth", 'n', "N", 0,
			"Keep the N innermost frames of each stack (0 to 128, default 64)", 0 },
	{ "resolution", 'r', "TIME", 0,
			"Keep times to TIME, rounded down to 2, 4, 8, ... ns (1ns to 1ms, default 1ns); "
			"the file gets smaller",
			0 },
	{ "follow-children", 'f', "yes|no", 0,
			"Record processes that the program starts as well (default: yes)", 0 },
	{ 0 },
};

static uint32_t parse_depth(struct argp_state *state, const char *text)
{
	unsigned long depth;
	char *end;

	errno = 0;
	depth = strtoul(text, &end, 10);
	if (errno || *end || end == text || text[0] == '-' || depth > STACK_DEPTH_MAX)
		argp_error(state, "'%s' is no stack depth: a number from 0 to %u is wanted", text,
				STACK_DEPTH_MAX);
	return (uint32_t)depth;
}

static uint64_t parse_resolution(struct argp_state *state, const char *text)
{
	struct lo_error err;
	uint64_t resolution_ns = 0;

	if (duration_parse(text, &resolution_ns, &err) != LO_OK)
		argp_error(state, "%s", err.message);
	else if (resolution_ns < 1 || resolution_ns > TRACE_RESOLUTION_MAX_NS)
		argp_error(state, "'%s' is no resolution: a time from 1ns to 1ms is wanted", text);
	return resolution_ns;
}

static bool parse_yes_or_no(struct argp_state *state, const char *text)
{
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		argp_error(state, "'%s' is neither yes nor no", text);
	return strcmp(text, "yes") == 0;
}

/* Either a program or an address. */
static void check_source(struct argp_state *state, const struct arguments *arguments)
{
	if (!arguments->program && !arguments->go.url)
		argp_error(state, "name the program to record: loiter record -- PROGRAM [ARG...]");
	if (arguments->program && arguments->go.url)
		argp_error(state, "either a program to start or --go with an address, please");
	if (arguments->go.url && arguments->of_programs)
		argp_error(state, "%s does not go with --go", arguments->of_programs);
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	struct lo_error err;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->go;
		return 0;
	case 'o':
		arguments->output = text;
		return 0;
	case 's':
		if (size_parse(text, &arguments->budget.max_bytes, &err) != LO_OK)
			argp_error(state, "%s", err.message);
		return 0;
	case 'd':
		arguments->of_programs = "--duration (say --seconds)";
		if (duration_parse(text, &arguments->budget.duration_ns, &err) != LO_OK)
			argp_error(state, "%s", err.message);
		return 0;
	case 'n':
		arguments->of_programs = "--stack-depth";
		arguments->stack_depth = parse_depth(state, text);
		return 0;
	case 'r':
		arguments->of_programs = "--resolution";
		arguments->resolution_ns = parse_resolution(state, text);
		return 0;
	case 'f':
		arguments->of_programs = "--follow-children";
		arguments->follow_children = parse_yes_or_no(state, text);
		return 0;
	case ARGP_KEY_ARG: /* the program; what follows is its own */
		arguments->program = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		check_source(state, arguments);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &record_go_argp, 0, NULL, 1 }, { 0 } };

static const struct argp parser = {
	.options = options,
	.parser = parse_option,
	.args_doc = "[--] PROGRAM [ARG...]\n--go URL",
	.doc = "Record what the threads of a program wait for, from its start to its end; or what "
	       "the goroutines of a running Go program do for some seconds."
	       "\vThe exit status is that of the program, 128+N if signal N ended it, 2 if it cannot "
	       "be recorded (then it is not started). With --go it is 0 if there is a trace, else 2, "
	       "or 130 if it was interrupted before there was one.",
	.children = children,
};

/* ---- The file. ---- */

/*
 * The trace would land on a standard descriptor that somebody closed, and messages in the trace.
 * Close-on-exec: the program finds them as closed as they were.
 */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* PROGRAM.PID.loiter */
static enum lo_result choose_output(struct recording *recording, struct lo_error *err)
{
	const char *program = recording->arguments.program[0];
	const char *base = strrchr(program, '/') ? strrchr(program, '/') + 1 : program;
	char stem[256];
	enum lo_result result;

	snprintf(stem, sizeof(stem), "%.200s.%d", base, (int)recording->child.pid);
	result = output_file_choose(recording->output, stem, err);
	recording->made_output = result == LO_OK;
	return result;
}

static enum lo_result open_output(
		struct recording *recording, struct byte_sink **sink, struct lo_error *err)
{
	const char *named = recording->arguments.output;

	if (!named) {
		enum lo_result result = choose_output(recording, err);

		if (result != LO_OK)
			return result;
	} else {
		if (is_same_file(named, recording->check.path))
			return lo_fail(err, LO_USAGE, LO_NO_OFFSET,
					"'%.180s' is the program itself; name another file with -o",
					named);
		if (snprintf(recording->output, sizeof(recording->output), "%s", named) >=
				(int)sizeof(recording->output))
			return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "the file name is too long");
		recording->made_output = access(named, F_OK) != 0;
	}
	return byte_sink_open_file(sink, recording->output, err);
}

/* ---- One run. ---- */

static enum lo_result check_and_prepare(struct recording *recording, struct lo_error *err)
{
	enum lo_result result = target_check(
			&recording->check, recording->arguments.program[0], err);
	int error;

	if (result == LO_OK)
		result = preload_find_library(recording->library, err);
	if (result != LO_OK)
		return result;
	error = signals_init(&recording->signals);
	if (error)
		return lo_fail_errno(err, error, "cannot watch signals");
	return LO_OK;
}

static enum lo_result open_session(struct recording *recording, struct lo_error *err)
{
	const struct arguments *arguments = &recording->arguments;
	const struct session_options session_options = {
		.program = arguments->program[0],
		.image = recording->check.image,
		.arguments = arguments->program,
		.recorder = "loiter " LOITER_VERSION,
		.warning = recording->check.warning,
		.stack_depth = arguments->stack_depth,
		.resolution_ns = arguments->resolution_ns,
		.follow_children = arguments->follow_children,
		.wait_threshold_ns = WAIT_THRESHOLD_NS,
		.budget = arguments->budget,
		.signals = &recording->signals,
		.progress = terminal_progress("looking up symbols"),
		.say = say,
		.context = recording,
	};

	return session_open(&recording->session, &session_options, err);
}

static enum lo_result spawn(struct recording *recording, struct lo_error *err)
{
	const struct preload_options preload = {
		.arguments = recording->arguments.program,
		.library = recording->library,
		.first = recording->check.first,
		.segment_fd = session_segment_fd(recording->session),
		.segment_token = session_segment_token(recording->session),
		.signals = &recording->signals,
	};

	return preload_spawn(&recording->child, &preload, err);
}

static enum lo_result start(struct recording *recording, struct lo_error *err)
{
	struct byte_sink *sink;
	enum lo_result result = open_session(recording, err);

	if (result == LO_OK)
		result = spawn(recording, err);
	if (result == LO_OK)
		result = open_output(recording, &sink, err);
	if (result == LO_OK)
		result = session_begin(recording->session, sink, recording->child.pid, err);
	if (result == LO_OK)
		result = preload_go(&recording->child, &recording->check.exec_error, err);
	return result;
}

static int status_of(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return EXIT_BY_SIGNAL + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}

static int record(struct recording *recording)
{
	struct session_result result;
	int wait_status;
	int signal_number;

	session_run(recording->session, &result);
	terminal_progress_done();
	say_what_is_missing(recording, &result);
	say_summary(recording, &result);
	if (!result.program_running)
		return status_of(result.wait_status);
	if (result.end == SESSION_SIGNALLED)
		return EXIT_BY_SIGNAL + result.signal;
	if (session_await_program(recording->session, &wait_status, &signal_number))
		return status_of(wait_status);
	return EXIT_BY_SIGNAL + signal_number;
}

/* Nothing was recorded: no trace of it stays behind. */
static int give_up(struct recording *recording, const struct lo_error *err)
{
	preload_abandon(&recording->child);
	if (recording->made_output)
		unlink(recording->output);
	say_error(recording, err);
	if (recording->check.exec_error == ENOENT)
		return EXIT_NOT_FOUND;
	return recording->check.exec_error ? EXIT_NOT_EXECUTABLE : LOITER_EXIT_FAILURE;
}

int cmd_record(int argc, char **argv)
{
	struct recording recording = {
		.command = argv[0],
		.arguments = { .stack_depth = STACK_DEPTH_DEFAULT,
				.resolution_ns = 1,
				.follow_children = true },
		.signals.fd = -1,
	};
	struct lo_error err = { .offset = LO_NO_OFFSET };
	int status;

	fill_standard_descriptors();
	argp_parse(&parser, argc, argv, ARGP_IN_ORDER, NULL, &recording.arguments);
	if (recording.arguments.go.url) {
		recording.arguments.go.output = recording.arguments.output;
		recording.arguments.go.max_bytes = recording.arguments.budget.max_bytes;
		return record_go(argv[0], &recording.arguments.go);
	}
	if (check_and_prepare(&recording, &err) == LO_OK && start(&recording, &err) == LO_OK)
		status = record(&recording);
	else
		status = give_up(&recording, &err);
	session_close(recording.session);
	signals_release(&recording.signals);
	return status;
}
