#include "viewer/cli/open_trace.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "formats/base/printable.h"
#include "viewer/cli/trace_file.h"

#define PROGRESS_FIRST_NS 300000000ull /* shorter work shows nothing */
#define PROGRESS_EACH_NS  100000000ull

/* One line of one terminal: there can be only one. */
static struct {
	const char *what;
	uint64_t next_ns;
	bool shown;
} progress_line;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool show_progress(void *context, uint64_t done, uint64_t total)
{
	uint64_t now = now_ns();

	(void)context;
	if (now < progress_line.next_ns)
		return true;
	progress_line.next_ns = now + PROGRESS_EACH_NS;
	progress_line.shown = true;
	fprintf(stderr, "\r%s %3u%%", progress_line.what,
			total ? (unsigned)((double)done * 100.0 / (double)total) : 0);
	fflush(stderr);
	return true;
}

struct progress terminal_progress(const char *what)
{
	struct progress none = { NULL, NULL };

	if (!isatty(STDERR_FILENO))
		return none;
	progress_line.what = what;
	progress_line.next_ns = now_ns() + PROGRESS_FIRST_NS;
	progress_line.shown = false;
	return (struct progress){ show_progress, NULL };
}

void terminal_progress_done(void)
{
	if (progress_line.shown)
		fputs("\r\x1b[K", stderr);
	progress_line.shown = false;
}

/* Paths come from the command line, but a name may still hold bytes that a terminal would obey. */
static const char *clean(char *out, size_t capacity, const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	printable_copy(out, capacity, text, length, 0);
	return out;
}

void print_file_error(const char *program, const char *path, const struct lo_error *err)
{
	char name[512];
	char message[sizeof(err->message)];

	fprintf(stderr, "%s: %s: %s", program, clean(name, sizeof(name), path),
			clean(message, sizeof(message), err->message));
	if (err->offset != LO_NO_OFFSET)
		fprintf(stderr, " (at byte %llu)", (unsigned long long)err->offset);
	fputc('\n', stderr);
}

enum {
	OPTION_NO_CACHE = 0x300,
};

static const struct argp_option options[] = {
	{ "no-cache", OPTION_NO_CACHE, NULL, 0,
			"Import a foreign FILE anew, and do not keep the result for the next time",
			0 },
	{ 0 },
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct open_choices *choices = state->input;

	(void)text;
	if (key != OPTION_NO_CACHE)
		return ARGP_ERR_UNKNOWN;
	choices->no_cache = true;
	return 0;
}

const struct argp open_trace_argp = { .options = options, .parser = parse_option };

bool trace_paths_add(struct trace_paths *paths, const char *path)
{
	if (paths->count == TRACE_PATHS_MAX)
		return false;
	paths->paths[paths->count++] = path;
	return true;
}

const char *trace_paths_name(const struct trace_paths *paths, char *out, size_t capacity)
{
	if (paths->count == 1)
		return paths->paths[0];
	snprintf(out, capacity, "%s and %u more", paths->paths[0], paths->count - 1);
	return out;
}

struct trace_reader *open_traces(const char *program, const struct trace_paths *paths,
		const struct open_choices *choices)
{
	struct progress progress = terminal_progress("opening");
	struct trace_reader_options reader_options = { .progress = &progress };
	struct byte_source *source = NULL;
	struct trace_reader *reader = NULL;
	struct lo_error err = { .offset = LO_NO_OFFSET };
	enum lo_result result;

	result = trace_files_open(
			&source, paths->paths, paths->count, !choices->no_cache, &progress, &err);
	if (result == LO_OK)
		result = trace_reader_open(&reader, source, &reader_options, &err);
	terminal_progress_done();
	if (result == LO_UNSUPPORTED && paths->count == 1)
		trace_file_explain(paths->paths[0], &err);
	if (result != LO_OK) {
		print_file_error(program, paths->paths[0], &err);
		return NULL;
	}
	return reader;
}

struct trace_reader *open_trace_as(
		const char *program, const char *path, const struct open_choices *choices)
{
	struct trace_paths paths = { .paths = { path }, .count = 1 };

	return open_traces(program, &paths, choices);
}

struct trace_reader *open_trace(const char *program, const char *path)
{
	return open_trace_as(program, path, &(struct open_choices){ 0 });
}

void warn_about_damage(const char *program, const char *path, struct trace_reader *reader)
{
	struct trace_damage damage;
	char name[512];
	char what[sizeof(damage.what)];

	clean(name, sizeof(name), path);
	for (uint32_t i = 0; trace_reader_damage(reader, i, &damage); i++)
		fprintf(stderr, "%s: %s: at byte %llu: %s\n", program, name,
				(unsigned long long)damage.offset,
				clean(what, sizeof(what), damage.what));
	if (trace_reader_info(reader)->truncated)
		fprintf(stderr,
				"%s: %s: the trace stops early (the recorder was killed, or the "
				"file was cut); everything up to there is shown\n",
				program, name);
}
