#ifndef LOITER_CLI_COMMAND_H
#define LOITER_CLI_COMMAND_H

/*
 * One subcommand. `run` gets its own arguments (argv[0] is "loiter NAME", fit for messages) and
 * returns an exit status of exit_codes.h. It prints its own errors, each once, to stderr.
 * A new command is one file, one row in command_table.c and a section in the manual.
 */
struct command {
	const char *name;
	const char *arguments; /* "FILE [--json]": as in the usage line */
	const char *summary;   /* one line, lower case */
	int (*run)(int argc, char **argv);
};

/* Ends with a row whose name is NULL. */
extern const struct command commands[];

int cmd_import(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_repack(int argc, char **argv);
int cmd_repair(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_view(int argc, char **argv);

#endif
