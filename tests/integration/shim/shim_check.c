/*
 * Checks one target program against what its source says that it does. Usage:
 *
 *     shim_check LIBRARY PROGRAM SOURCE
 *
 * The program is run bare and under the preload library: its standard output and its exit status
 * must be the same. What was recorded must be what the comment in the source lists after a line
 * "Events:", up to the end of the comment, in the form of shim_recording.c. A line that begins
 * with "?" may be missing. A line "Options: ..." may say "follow" (children are recorded too),
 * "monotonic" (that clock), "slow" (rings are emptied at the end, so threads fill one after the
 * other), "lossy" (more events than the rings hold). A program that exits with 77 cannot run here;
 * the test is skipped.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/shim_recording.h"

#define LINES_MAX 4096
#define SKIPPED   77

/*
 * Shorter I/O calls are no waits. On a busy machine any call may take longer than that, so events
 * that differ count when they do so in every attempt.
 */
#define THRESHOLD_NS 10000000
#define ATTEMPTS     4

struct lines {
	char *line[LINES_MAX];
	size_t count;
	bool listed; /* there is a line "Events:" */
	bool lossy;  /* the rings may run full */
};

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static void lines_add(struct lines *lines, const char *text, size_t length)
{
	if (lines->count == LINES_MAX)
		return;
	lines->line[lines->count] = strndup(text, length);
	if (!lines->line[lines->count++])
		die("memory");
}

static void lines_release(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->line[i]);
	lines->count = 0;
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (!file)
		die(path);
	if (getdelim(&text, &room, '\0', file) < 0)
		text = strdup("");
	fclose(file);
	return text;
}

/* The text of a comment line without " *" and blanks around. */
static size_t trim(const char **line, size_t length)
{
	while (length > 0 && strchr(" \t*", **line))
		++*line, --length;
	while (length > 0 && strchr(" \t\r", (*line)[length - 1]))
		length--;
	return length;
}

/* Words of the line "Options:". */
static void read_options(const char *text, const char *end, struct lines *expected,
		struct shim_options *options)
{
	char *words = strndup(text, (size_t)(end - text));

	if (!words)
		die("memory");
	options->follow_children = strstr(words, "follow") != NULL;
	options->clock = strstr(words, "monotonic") ? SEGMENT_CLOCK_MONOTONIC : SEGMENT_CLOCK_TSC;
	options->slow = strstr(words, "slow") != NULL;
	expected->lossy = strstr(words, "lossy") != NULL;
	free(words);
}

static void read_source(const char *path, struct lines *expected, struct shim_options *options)
{
	char *text = read_file(path);
	bool in_events = false;

	for (const char *line = text; *line;) {
		const char *end = strchrnul(line, '\n');
		bool last = end - line >= 2 && strncmp(end - 2, "*/", 2) == 0;
		const char *start = line;
		size_t length = trim(&start, (size_t)(end - line) - (last ? 2 : 0));

		if (in_events && length > 0)
			lines_add(expected, start, length);
		if (strncmp(start, "Events:", 7) == 0)
			in_events = true;
		if (strncmp(start, "Options:", 8) == 0)
			read_options(start + 8, end, expected, options);
		if (last && in_events)
			break;
		line = *end ? end + 1 : end;
	}
	free(text);
	expected->listed = in_events;
}

static bool matches(const struct lines *expected, const struct lines *got)
{
	size_t at = 0;

	for (size_t i = 0; i < expected->count; i++) {
		const char *want = expected->line[i];
		bool optional = *want == '?';

		if (optional)
			want += 1 + strspn(want + 1, " ");
		if (at < got->count && strcmp(want, got->line[at]) == 0)
			at++;
		else if (!optional)
			return false;
	}
	return at == got->count;
}

static void print_difference(const struct lines *expected, const struct lines *got)
{
	char expected_path[] = "/tmp/shim-expected-XXXXXX", got_path[] = "/tmp/shim-got-XXXXXX";
	char command[128];
	int fds[2] = { mkstemp(expected_path), mkstemp(got_path) };
	const struct lines *both[2] = { expected, got };

	for (int i = 0; i < 2; i++) {
		FILE *file = fds[i] >= 0 ? fdopen(fds[i], "w") : NULL;
		if (!file)
			die("mkstemp");
		for (size_t line = 0; line < both[i]->count; line++)
			fprintf(file, "%s\n", both[i]->line[line]);
		fclose(file);
	}
	snprintf(command, sizeof(command), "diff -u --label expected --label recorded %s %s >&2",
			expected_path, got_path);
	if (system(command) < 0)
		die("diff");
	unlink(expected_path);
	unlink(got_path);
}

static void split(char *text, struct lines *lines)
{
	for (char *line = text; *line;) {
		char *end = strchrnul(line, '\n');

		lines_add(lines, line, (size_t)(end - line));
		line = *end ? end + 1 : end;
	}
}

static bool check_events(const struct lines *expected, const struct shim_recording *recording)
{
	struct lines got = { .count = 0 };
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	bool right;

	if (!stream)
		die("memory");
	shim_recording_print(recording, stream);
	fclose(stream);
	split(text, &got);
	right = matches(expected, &got);
	if (!right)
		print_difference(expected, &got);
	lines_release(&got);
	free(text);
	return right;
}

static int compare_lines(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

/* Lines of several threads come in any order. */
static void read_sorted(const char *path, struct lines *lines)
{
	char *text = read_file(path);

	split(text, lines);
	qsort(lines->line, lines->count, sizeof(lines->line[0]), compare_lines);
	free(text);
}

static bool same_lines(const struct lines *one, const struct lines *other)
{
	if (one->count != other->count)
		return false;
	for (size_t i = 0; i < one->count; i++)
		if (strcmp(one->line[i], other->line[i]) != 0)
			return false;
	return true;
}

static bool check_behaviour(int bare_status, int status, const char *bare_path, const char *path)
{
	struct lines bare = { .count = 0 }, recorded = { .count = 0 };

	read_sorted(bare_path, &bare);
	read_sorted(path, &recorded);
	bool same = same_lines(&bare, &recorded);
	if (!same) {
		fputs("the output differs:\n", stderr);
		print_difference(&bare, &recorded);
	}
	if (bare_status != status)
		fprintf(stderr, "status 0x%x bare, 0x%x under the library\n", (unsigned)bare_status,
				(unsigned)status);
	lines_release(&bare);
	lines_release(&recorded);
	return same && bare_status == status;
}

enum verdict {
	RIGHT,
	WRONG,
	OTHER_EVENTS,
	CANNOT_RUN
};

static enum verdict try_once(struct shim_options options, const struct lines *expected,
		const char *library, char *const command[])
{
	struct shim_recording bare, recording;
	char bare_path[] = "/tmp/shim-bare-XXXXXX", path[] = "/tmp/shim-out-XXXXXX";
	enum verdict verdict = RIGHT;

	close(mkstemp(bare_path));
	close(mkstemp(path));
	options.output = bare_path;
	shim_recording_run(&bare, &options, command);
	options.output = path;
	options.library = library;
	shim_recording_run(&recording, &options, command);

	if (expected->listed && !check_events(expected, &recording))
		verdict = OTHER_EVENTS;
	if (!check_behaviour(bare.status, recording.status, bare_path, path) ||
			recording.failures || recording.lost_no_ring ||
			(recording.lost_full && !expected->lossy))
		verdict = WRONG;
	if (WIFEXITED(bare.status) && WEXITSTATUS(bare.status) == SKIPPED)
		verdict = CANNOT_RUN;
	fprintf(stderr,
			"records %zu, taken %" PRIu64 ", lost %" PRIu64 "+%" PRIu64 "+%" PRIu64
			"\n",
			recording.count, recording.taken, recording.lost_full,
			recording.lost_nested, recording.lost_no_ring);
	unlink(bare_path);
	unlink(path);
	shim_recording_release(&bare);
	shim_recording_release(&recording);
	return verdict;
}

int main(int argc, char **argv)
{
	struct shim_options options = {
		.clock = SEGMENT_CLOCK_TSC, .io_threshold_ns = THRESHOLD_NS, .stack_depth = 32
	};
	struct lines expected = { .count = 0 };
	enum verdict verdict = OTHER_EVENTS;

	if (argc != 4) {
		fputs("usage: shim_check LIBRARY PROGRAM SOURCE\n", stderr);
		return 2;
	}
	if (access(argv[2], X_OK) != 0)
		die(argv[2]);
	read_source(argv[3], &expected, &options);
	for (int i = 0; i < ATTEMPTS && verdict == OTHER_EVENTS; i++)
		verdict = try_once(options, &expected, argv[1], argv + 2);
	lines_release(&expected);
	return verdict == CANNOT_RUN ? SKIPPED : verdict != RIGHT;
}
