#ifndef LOITER_CLI_OPEN_TRACE_H
#define LOITER_CLI_OPEN_TRACE_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* The files of one command line. */
#define TRACE_PATHS_MAX 1024u
struct trace_paths {
	const char *paths[TRACE_PATHS_MAX];
	uint32_t count;
};

/* False when there are too many. */
bool trace_paths_add(struct trace_paths *paths, const char *path);

/* "a.txt", or "a.txt and 2 more": what to call them together. */
const char *trace_paths_name(const struct trace_paths *paths, char *out, size_t capacity);

/* The same for several files that are one input: goroutine dumps, one after the other. */
struct trace_reader *open_traces(const char *program, const struct trace_paths *paths,
		const struct open_choices *choices);

/* One line per stretch of damage and one for a missing end, to stderr, cleaned for a terminal. */
void warn_about_damage(const char *program, const char *path, struct trace_reader *reader);

/* Prints why something could not be done with `path`, cleaned for a terminal. */
void print_file_error(const char *program, const char *path, const struct lo_error *err);

/* A progress callback for any long work: a percentage on stderr, only if that is a terminal. */
struct progress terminal_progress(const char *what);
/* Removes the progress line, if one was shown. */
void terminal_progress_done(void);

#endif
