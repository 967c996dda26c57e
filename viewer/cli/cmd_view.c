#include "viewer/cli/command.h"

#include <argp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/base/printable.h"
#include "viewer/cli/exit_codes.h"
#include "viewer/cli/open_trace.h"
#include "viewer/ui/app.h"
#include "viewer/ui/loop.h"
#include "viewer/ui/screen.h"
#include "viewer/ui/work.h"

#define DUMP_COLUMNS 80
#define DUMP_ROWS    24

struct view_arguments {
	struct trace_paths files;
	const char *dump; /* NULL = use the terminal */
	int columns;
	int rows;
	bool ascii;
	bool mono;
	struct open_choices open;
};

enum view_option {
	OPTION_DUMP = 0x100,
	OPTION_SIZE,
	OPTION_ASCII,
	OPTION_MONO,
};

static const struct argp_option options[] = {
	{ "ascii", OPTION_ASCII, NULL, 0, "Draw with ASCII characters only", 0 },
	{ "mono", OPTION_MONO, NULL, 0, "No colours, as with NO_COLOR set", 0 },
	{ "dump", OPTION_DUMP, "VIEW", 0,
			"Print one screen as text and exit; needs no terminal. VIEW is findings, "
			"timeline, flame, tasks or help",
			0 },
	{ "size", OPTION_SIZE, "WxH", 0, "Columns and rows of the dump (80x24)", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static bool parse_size(const char *text, struct view_arguments *arguments)
{
	int used = 0;

	return sscanf(text, "%4dx%4d%n", &arguments->columns, &arguments->rows, &used) == 2 &&
	       text[used] == '\0' && arguments->columns > 0 &&
	       arguments->columns <= CANVAS_COLUMNS_MAX && arguments->rows > 0 &&
	       arguments->rows <= CANVAS_ROWS_MAX;
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct view_arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->open;
		return 0;
	case OPTION_DUMP:
		arguments->dump = value;
		return 0;
	case OPTION_SIZE:
		if (!parse_size(value, arguments))
			argp_error(state,
					"--size wants columns and rows, as in 80x24; at most %dx%d",
					CANVAS_COLUMNS_MAX, CANVAS_ROWS_MAX);
		return 0;
	case OPTION_ASCII:
		arguments->ascii = true;
		return 0;
	case OPTION_MONO:
		arguments->mono = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!trace_paths_add(&arguments->files, value))
			argp_error(state, "more than %u files", TRACE_PATHS_MAX);
		return 0;
	case ARGP_KEY_END:
		if (arguments->files.count == 0)
			argp_error(state, "which FILE?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int fail(const char *program, const char *message)
{
	fprintf(stderr, "%s: %s\n", program, message);
	return LOITER_EXIT_FAILURE;
}

/* The last part of the path, clean for a terminal. */
static void trace_name(const struct trace_paths *files, char *out, size_t capacity)
{
	const char *slash = strrchr(files->paths[0], '/');
	const char *name = slash && slash[1] ? slash + 1 : files->paths[0];
	size_t length = printable_copy(out, capacity, name, strlen(name), 0);

	if (files->count > 1)
		snprintf(out + length, capacity - length, " and %u more", files->count - 1);
}

static int find_view(const char *name)
{
	for (int i = 0; i < VIEW_COUNT; i++)
		if (view_table[i]->open && strcasecmp(view_table[i]->name, name) == 0)
			return i;
	return -1;
}

static enum lo_result print_screen(
		struct app *app, const struct view_arguments *arguments, struct lo_error *err)
{
	int view = find_view(arguments->dump);
	enum lo_result result;
	struct canvas canvas;

	if (view < 0)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET,
				"there is no view '%s'; there are findings, timeline, flame, tasks "
				"and help",
				arguments->dump);
	canvas_init(&canvas, arguments->ascii || !screen_locale_is_utf8());
	result = canvas_resize(&canvas, arguments->rows, arguments->columns, err);
	if (result == LO_OK) {
		if (view == VIEW_HELP)
			app->help_open = true;
		else
			app_show(app, (enum view_id)view);
		result = work_finish(app, arguments->columns, err);
	}
	if (result == LO_OK) {
		app_draw(app, &canvas);
		canvas_print(&canvas, stdout, false);
	}
	canvas_release(&canvas);
	return result;
}

static enum lo_result use_terminal(struct app *app, const struct view_arguments *arguments,
		int *signal_number, struct lo_error *err)
{
	struct screen_options wishes = { .ascii = arguments->ascii, .mono = arguments->mono };
	struct screen *screen;
	enum lo_result result = screen_open(&screen, &wishes, err);

	if (result != LO_OK)
		return result;
	*signal_number = loop_run(app, screen);
	screen_close(screen);
	return LO_OK;
}

static int view_trace(const char *program, struct trace_reader *reader,
		const struct view_arguments *arguments)
{
	struct lo_error err = { .offset = LO_NO_OFFSET };
	int signal_number = 0;
	char name[256];
	struct app app;
	enum lo_result result;

	trace_name(&arguments->files, name, sizeof(name));
	result = app_init(&app, reader, name, &err);
	if (result != LO_OK)
		return fail(program, err.message);
	if (arguments->dump)
		result = print_screen(&app, arguments, &err);
	else
		result = use_terminal(&app, arguments, &signal_number, &err);
	app_release(&app);
	if (result == LO_UNSUPPORTED)
		fprintf(stderr, "%s: %s\n'loiter report FILE' prints the findings without one.\n",
				program, err.message);
	else if (result != LO_OK)
		fail(program, err.message);
	if (signal_number) {
		/* The terminal is in order again: end as the signal wants it. */
		signal(signal_number, SIG_DFL);
		raise(signal_number);
	}
	return result == LO_OK ? LOITER_EXIT_OK : LOITER_EXIT_FAILURE;
}

/* A file that is not there is the first thing to say, whatever the terminal. */
static bool is_readable(const char *file)
{
	return strcmp(file, "-") == 0 || access(file, R_OK) == 0;
}

static const struct argp_child children[] = { { &open_trace_argp, 0, NULL, 0 }, { 0 } };

int cmd_view(int argc, char **argv)
{
	struct view_arguments arguments = { .columns = DUMP_COLUMNS, .rows = DUMP_ROWS };
	const struct argp argp = { options, parse, "FILE...",
		"Open a trace in the terminal: what is stuck, since when, on what, and who should "
		"have woken it.\vPress ? for the keys. Without a terminal use --dump, or "
		"'loiter report FILE'.",
		children, NULL, NULL };
	struct trace_reader *reader;
	int status;

	if (argp_parse(&argp, argc, argv, 0, NULL, &arguments) != 0)
		return LOITER_EXIT_FAILURE;
	if (!arguments.dump && is_readable(arguments.files.paths[0]) &&
			(!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		return fail(argv[0], "this is not a terminal; 'loiter report FILE' prints the "
				     "findings as text, 'loiter view FILE --dump VIEW' a screen");
	reader = open_traces(argv[0], &arguments.files, &arguments.open);
	if (!reader)
		return LOITER_EXIT_FAILURE;
	status = view_trace(argv[0], reader, &arguments);
	trace_reader_close(reader);
	return status;
}
