#include "viewer/cli/record_go.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "formats/base/duration.h"
#include "formats/base/printable.h"
#include "formats/import/dump_line.h"
#include "recorder/backend/go_http.h"
#include "viewer/cli/exit_codes.h"
#include "viewer/cli/import_file.h"
#include "viewer/cli/open_trace.h"
#include "viewer/cli/output_file.h"
#include "viewer/cli/temporary_file.h"
#include "viewer/cli/trace_file.h"

#define DUMPS_MAX        10000u
#define EVERY_DEFAULT_NS 1000000000ull
#define EVERY_MIN_NS     10000000ull /* each dump stops the program for a moment */
#define WAIT_SLICE_NS    100000000ull
#define EXIT_INTERRUPTED 130 /* as a shell says it */

/* One visit at the address. */
struct visit {
	const char *program; /* "loiter record" */
	const struct go_choices *choices;
	struct go_address address;
	struct temporary_file fetched;
	uint64_t bytes;
	struct progress terminal;
	struct progress progress; /* of the fetching: stops at a signal */
	uint64_t begin_ns;
	uint64_t length_ns; /* that all dumps take together */
};

static volatile sig_atomic_t interrupted;

static void note_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static const int watched_signals[] = { SIGINT, SIGTERM, SIGHUP };

/* What has been fetched is of use, so whoever wants an end gets it in order. */
static void watch_signals(struct sigaction old_actions[LO_COUNT_OF(watched_signals)])
{
	struct sigaction action = { .sa_handler = note_interrupt };

	for (size_t i = 0; i < LO_COUNT_OF(watched_signals); i++) {
		sigaction(watched_signals[i], &action, &old_actions[i]);
		/* As nohup wants it. */
		if (watched_signals[i] == SIGHUP && old_actions[i].sa_handler == SIG_IGN)
			sigaction(SIGHUP, &old_actions[i], NULL);
	}
}

static void leave_signals(const struct sigaction old_actions[LO_COUNT_OF(watched_signals)])
{
	for (size_t i = 0; i < LO_COUNT_OF(watched_signals); i++)
		sigaction(watched_signals[i], &old_actions[i], NULL);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

__attribute__((format(printf, 2, 3))) static void say(
		const struct visit *visit, const char *format, ...)
{
	char line[PATH_MAX + 256];
	char clean[PATH_MAX + 256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	printable_copy(clean, sizeof(clean), line, strlen(line), 0);
	terminal_progress_done();
	fprintf(stderr, "%s: %s\n", visit->program, clean);
}

/* ---- Options. ---- */

enum {
	OPTION_GO = 0x200,
	OPTION_SECONDS,
	OPTION_DUMPS,
	OPTION_EVERY,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Of a Go program that serves net/http/pprof, without starting it:", 1 },
	{ "go", OPTION_GO, "URL", 0,
			"Fetch an execution trace from its address (http://localhost:6060, "
			"unix:/run/shop.sock)",
			0 },
	{ "seconds", OPTION_SECONDS, "N", 0, "Trace for N seconds (default: 5)", 0 },
	{ "dumps", OPTION_DUMPS, "N", 0, "Fetch N goroutine dumps instead", 0 },
	{ "every", OPTION_EVERY, "TIME", 0, "A dump each TIME (default: 1s)", 0 },
	{ 0 },
};

static uint32_t parse_count(
		struct argp_state *state, const char *what, const char *text, uint32_t most)
{
	unsigned long count;
	char *end;

	errno = 0;
	count = strtoul(text, &end, 10);
	if (errno || *end || end == text || text[0] == '-' || count == 0 || count > most)
		argp_error(state, "'%s' is no number of %s: one from 1 to %u is wanted", text, what,
				most);
	return (uint32_t)count;
}

static void check_choices(struct argp_state *state, const struct go_choices *choices)
{
	if (!choices->url && (choices->seconds || choices->dumps || choices->every_ns))
		argp_error(state, "--seconds, --dumps and --every belong to --go URL");
	if (choices->seconds && choices->dumps)
		argp_error(state, "either --seconds of tracing or --dumps, please");
	if (choices->every_ns && !choices->dumps)
		argp_error(state, "--every says how often to dump; --dumps says how many");
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct go_choices *choices = state->input;
	struct lo_error err;

	switch (key) {
	case OPTION_GO:
		choices->url = text;
		return 0;
	case OPTION_SECONDS:
		choices->seconds = parse_count(state, "seconds", text, GO_SECONDS_MAX);
		return 0;
	case OPTION_DUMPS:
		choices->dumps = parse_count(state, "dumps", text, DUMPS_MAX);
		return 0;
	case OPTION_EVERY:
		if (duration_parse(text, &choices->every_ns, &err) != LO_OK)
			argp_error(state, "%s", err.message);
		if (choices->every_ns < EVERY_MIN_NS)
			argp_error(state, "--every wants at least 10ms");
		return 0;
	case ARGP_KEY_END:
		check_choices(state, choices);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp record_go_argp = { .options = options, .parser = parse_option };

/* ---- Fetching. ---- */

static bool go_on(void *context, uint64_t done, uint64_t total)
{
	const struct visit *visit = context;

	if (interrupted)
		return false;
	if (visit->choices->dumps > 0) {
		total = visit->length_ns;
		done = clock_ns(CLOCK_MONOTONIC) - visit->begin_ns;
	}
	if (total > 0)
		progress_step(&visit->terminal, done < total ? done : total, total);
	return true;
}

static enum lo_result fetch(
		struct visit *visit, struct go_http_answer *answer, struct lo_error *err)
{
	uint64_t most = visit->choices->max_bytes ? visit->choices->max_bytes : GO_HTTP_BYTES_MAX;
	const struct go_http_request request = {
		.address = &visit->address,
		.profile = visit->choices->dumps ? GO_PROFILE_GOROUTINES : GO_PROFILE_TRACE,
		.max_bytes = most > visit->bytes ? most - visit->bytes : 0,
		.patience_ms = GO_HTTP_PATIENCE_MS,
		.progress = &visit->progress,
	};
	enum lo_result result = go_http_fetch(visit->fetched.descriptor, &request, answer, err);

	visit->bytes += answer->bytes;
	return result;
}

static enum lo_result fetch_trace(struct visit *visit, struct lo_error *err)
{
	struct go_http_answer answer;
	enum lo_result result = fetch(visit, &answer, err);
	char size[SIZE_TEXT_MAX];

	if (result != LO_OK)
		return result;
	if (answer.end == GO_HTTP_STOPPED)
		say(visit, "stopped; what had come is kept");
	else if (answer.end == GO_HTTP_LIMIT)
		say(visit, "stopped at the limit of %s; --max-size sets another",
				size_format(size, answer.bytes));
	else if (answer.end == GO_HTTP_BROKEN)
		say(visit, "%s: %s; what had come is kept", visit->address.shown, answer.why);
	return LO_OK;
}

/* Waits for the time of dump `number`; false when somebody wants an end. */
static bool await_dump(struct visit *visit, uint32_t number)
{
	uint64_t due = visit->begin_ns + number * visit->choices->every_ns;

	while (go_on(visit, 0, 0)) {
		uint64_t now = clock_ns(CLOCK_MONOTONIC);
		uint64_t left = now < due ? due - now : 0;
		struct timespec slice = { 0,
			(long)(left < WAIT_SLICE_NS ? left : WAIT_SLICE_NS - 1) };

		if (left == 0)
			return true;
		nanosleep(&slice, NULL);
	}
	return false;
}

/* One more dump behind the others, after a line that says when; complete or not at all. */
static enum lo_result fetch_dump(struct visit *visit, struct lo_error *err)
{
	int descriptor = visit->fetched.descriptor;
	off_t begin = lseek(descriptor, 0, SEEK_CUR);
	struct go_http_answer answer;
	enum lo_result result = LO_OK;

	if (dprintf(descriptor, DUMP_TAKEN_LINE "%" PRIu64 "\n", clock_ns(CLOCK_REALTIME)) < 0)
		return lo_fail_errno(err, errno, "cannot keep what was fetched");
	result = fetch(visit, &answer, err);
	if (result == LO_OK && answer.end == GO_HTTP_STOPPED)
		result = lo_fail(err, LO_CANCELLED, LO_NO_OFFSET, "stopped");
	else if (result == LO_OK && answer.end == GO_HTTP_LIMIT)
		result = lo_fail(err, LO_USAGE, LO_NO_OFFSET,
				"the limit of size is reached; --max-size sets another");
	else if (result == LO_OK && answer.end == GO_HTTP_BROKEN)
		result = lo_fail(err, LO_IO, LO_NO_OFFSET, "%s", answer.why);
	if (result == LO_OK)
		result = dprintf(descriptor, "\n") < 0
					 ? lo_fail_errno(err, errno, "cannot keep what was fetched")
					 : LO_OK;
	if (result != LO_OK && (ftruncate(descriptor, begin) != 0 ||
					       lseek(descriptor, begin, SEEK_SET) != begin))
		return lo_fail_errno(err, errno, "cannot keep what was fetched");
	return result;
}

static enum lo_result fetch_dumps(struct visit *visit, struct lo_error *err)
{
	uint32_t wanted = visit->choices->dumps;
	enum lo_result result = LO_OK;
	uint32_t got = 0;

	while (result == LO_OK && got < wanted && await_dump(visit, got)) {
		result = fetch_dump(visit, err);
		if (result == LO_OK)
			got++;
	}
	if (got == 0)
		return result != LO_OK ? result
				       : lo_fail(err, LO_CANCELLED, LO_NO_OFFSET,
							 "stopped before anything had come");
	if (interrupted)
		say(visit, "stopped; %" PRIu32 " of %" PRIu32 " dumps are kept", got, wanted);
	else if (result != LO_OK)
		say(visit, "%s: dump %" PRIu32 " of %" PRIu32 ": %s; those before it are kept",
				visit->address.shown, got + 1, wanted, err->message);
	return LO_OK;
}

static enum lo_result fetch_all(struct visit *visit, struct lo_error *err)
{
	struct sigaction old_actions[LO_COUNT_OF(watched_signals)];
	enum lo_result result;

	visit->terminal = terminal_progress("fetching");
	visit->progress = (struct progress){ go_on, visit };
	visit->begin_ns = clock_ns(CLOCK_MONOTONIC);
	visit->length_ns = (visit->choices->dumps - 1ull) * visit->choices->every_ns;
	watch_signals(old_actions);
	result = visit->choices->dumps ? fetch_dumps(visit, err) : fetch_trace(visit, err);
	leave_signals(old_actions);
	terminal_progress_done();
	return result;
}

/* ---- What becomes of it. ---- */

static enum lo_result say_summary(const struct visit *visit, const char *path, struct lo_error *err)
{
	struct byte_source *source;
	struct trace_reader *reader;
	enum lo_result result = byte_source_open_file(&source, path, err);
	const struct trace_info *info;
	char size[SIZE_TEXT_MAX];
	char length[DURATION_TEXT_MAX];

	if (result == LO_OK)
		result = trace_reader_open(&reader, source, NULL, err);
	if (result != LO_OK)
		return result;
	info = trace_reader_info(reader);
	say(visit, "%s: %s, %" PRIu32 " goroutines, %" PRIu64 " events in %s", path,
			size_format(size, info->file_bytes), info->tasks, info->events,
			duration_format(length, info->duration_ns));
	trace_reader_close(reader);
	return LO_OK;
}

static enum lo_result import_fetched(struct visit *visit, struct lo_error *err)
{
	struct progress progress = terminal_progress("importing");
	const char *named = visit->choices->output;
	char chosen[PATH_MAX];
	struct byte_stream *in;
	enum lo_result result = trace_file_stream(&in, visit->fetched.path, err);

	if (result != LO_OK)
		return result;
	if (!named)
		result = output_file_choose(chosen, visit->address.name, err);
	if (result == LO_OK) {
		result = import_file(visit->program, in, named ? named : chosen, &progress, err);
		terminal_progress_done();
		if (result != LO_OK && !named)
			unlink(chosen);
	}
	byte_stream_close(in);
	if (result == LO_OK)
		result = say_summary(visit, named ? named : chosen, err);
	return result;
}

static enum lo_result visit_address(struct visit *visit, struct lo_error *err)
{
	const struct go_choices *choices = visit->choices;
	enum lo_result result = go_address_parse(&visit->address, choices->url,
			choices->dumps ? GO_PROFILE_GOROUTINES : GO_PROFILE_TRACE, choices->seconds,
			err);

	if (result != LO_OK)
		return result;
	result = temporary_file_open(&visit->fetched, err);
	if (result != LO_OK)
		return result;
	result = fetch_all(visit, err);
	if (result == LO_OK)
		result = import_fetched(visit, err);
	temporary_file_close(&visit->fetched);
	return result;
}

int record_go(const char *program, const struct go_choices *choices)
{
	struct go_choices completed = *choices;
	struct visit visit = { .program = program, .choices = &completed };
	struct lo_error err = { .offset = LO_NO_OFFSET };
	enum lo_result result;

	if (completed.every_ns == 0)
		completed.every_ns = EVERY_DEFAULT_NS;
	result = visit_address(&visit, &err);
	if (result == LO_OK)
		return LOITER_EXIT_OK;
	if (visit.address.shown[0])
		print_file_error(program, visit.address.shown, &err);
	else
		say(&visit, "%s", err.message);
	return result == LO_CANCELLED ? EXIT_INTERRUPTED : LOITER_EXIT_FAILURE;
}
