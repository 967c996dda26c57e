#include <argp.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "viewer/cli/command.h"
#include "viewer/cli/exit_codes.h"

#ifndef LOITER_VERSION
#error "LOITER_VERSION comes from the build"
#endif

static const char loiter_home[] = "Read loiter(1) for options, keys and exit statuses.";

static void print_help(FILE *out)
{
	fputs("loiter shows what the tasks of a program wait for.\n\nUsage:\n", out);
	fputs("  loiter FILE                 open a trace (the same as 'loiter view FILE')\n", out);
	for (const struct command *command = commands; command->name; command++)
		fprintf(out, "  loiter %s %s\n      %s\n", command->name, command->arguments,
				command->summary);
	fprintf(out, "\n'loiter COMMAND --help' explains a command. %s\n", loiter_home);
}

static const struct command *find_command(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	char full_name[64];

	snprintf(full_name, sizeof(full_name), "loiter %s", command->name);
	argv[0] = full_name;
	return command->run(argc, argv);
}

/* `loiter FILE ...` is `loiter view FILE ...`: argv keeps its shape, only the name differs. */
static int run_default(int argc, char **argv)
{
	const struct command *view = find_command("view");

	if (view)
		return run_command(view, argc, argv);
	fputs("loiter: this build has no viewer (it was built without ncurses); "
	      "try 'loiter report FILE'\n",
			stderr);
	return LOITER_EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	const struct command *command;

	/* Only the character set: numbers are read and written the same way everywhere. */
	setlocale(LC_CTYPE, "");
	argp_err_exit_status = LOITER_EXIT_FAILURE;
	if (argc < 2) {
		print_help(stderr);
		return LOITER_EXIT_FAILURE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return LOITER_EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("loiter " LOITER_VERSION);
		return LOITER_EXIT_OK;
	}
	command = find_command(argv[1]);
	if (command)
		return run_command(command, argc - 1, argv + 1);
	if (argv[1][0] == '-' && argv[1][1] != '\0') {
		fprintf(stderr, "loiter: there is no option '%s'; see 'loiter --help'\n", argv[1]);
		return LOITER_EXIT_FAILURE;
	}
	return run_default(argc, argv);
}
