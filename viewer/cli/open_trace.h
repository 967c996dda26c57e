#ifndef LOITER_CLI_OPEN_TRACE_H
#define LOITER_CLI_OPEN_TRACE_H

#include <argp.h>
#include <stdbool.h>

#include "formats/native/trace_reader.h"

/*
 * From a path to an open reader: of a native trace, or of anything that can be imported. Shows
 * progress on stderr when that is a terminal and the work takes long. On failure prints a sentence
 * that says what, where and what to do now, prefixed with `program` (argv[0] of the command), and
 * returns NULL.
 */
struct trace_reader *open_trace(const char *program, const char *path);

/* How a command wants its FILE opened. All zero: as open_trace() does. */
struct open_choices {
	bool no_cache; /* neither look for the result of an earlier import nor keep one */
};
struct trace_reader *open_trace_as(
		const char *program, const char *path, const struct open_choices *choices);

/* The options about it, as a child of a command's own; `input` is a struct open_choices. */
extern const struct argp open_trace_argp;

/* One line per stretch of damage and one for a missing end, to stderr, cleaned for a terminal. */
void warn_about_damage(const char *program, const char *path, struct trace_reader *reader);

/* Prints why something could not be done with `path`, cleaned for a terminal. */
void print_file_error(const char *program, const char *path, const struct lo_error *err);

/* A progress callback for any long work: a percentage on stderr, only if that is a terminal. */
struct progress terminal_progress(const char *what);
/* Removes the progress line, if one was shown. */
void terminal_progress_done(void);

#endif
