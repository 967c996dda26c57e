#include "recorder/drain/facts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "formats/base/duration.h"
#include "formats/model/meta.h"
#include "recorder/drain/target.h"
#include "recorder/ring/segment.h"

struct facts {
	struct trace_writer *writer;
	struct lo_error *err;
	enum lo_result result; /* of the first that failed */
};

static void tell(struct facts *facts, const char *key, const char *value)
{
	if (facts->result == LO_OK)
		facts->result = unless_full(
				trace_writer_meta(facts->writer, key, value, facts->err));
}

LO_PRINTF(3, 4)
static void tell_about(struct facts *facts, const char *key, const char *format, ...)
{
	char value[400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(value, sizeof(value), format, arguments);
	va_end(arguments);
	tell(facts, key, value);
}

enum lo_result facts_of_beginning(struct trace_writer *writer,
		const struct session_options *options, pid_t pid, const struct tick_clock *clock,
		struct lo_error *err)
{
	struct facts facts = { writer, err, LO_OK };
	struct utsname system;

	tell(&facts, META_PROGRAM, options->program);
	for (char *const *argument = options->arguments + 1; *argument; argument++)
		tell(&facts, META_ARGUMENT, *argument);
	tell_about(&facts, META_PID, "%d", (int)pid);
	if (uname(&system) == 0) {
		tell(&facts, META_HOST, system.nodename);
		tell_about(&facts, META_SYSTEM, "%s %s %s", system.sysname, system.release,
				system.machine);
	}
	tell(&facts, META_BACKEND, "preload");
	tell(&facts, META_RECORDER, options->recorder);
	tell(&facts, META_CLOCK, tick_clock_name(clock));
	tell_about(&facts, META_STACK_DEPTH, "%" PRIu32, options->stack_depth);
	if (options->warning[0])
		tell(&facts, META_WARNING, options->warning);
	return facts.result;
}

enum lo_result facts_of_start(struct trace_writer *writer, int64_t unix_ns, struct lo_error *err)
{
	struct facts facts = { writer, err, LO_OK };

	tell_about(&facts, META_START_UNIX_NS, "%" PRId64, unix_ns);
	return facts.result;
}

enum lo_result facts_of_early_end(struct trace_writer *writer, const struct budget *budget,
		enum session_end end, int signal_number, struct lo_error *err)
{
	struct facts facts = { writer, err, LO_OK };
	char size[SIZE_TEXT_MAX];
	char time[DURATION_TEXT_MAX];

	switch (end) {
	case SESSION_SIZE_LIMIT:
		tell_about(&facts, META_WARNING,
				"the recording ended before the program: no more fitted into %s",
				size_format(size, budget->max_bytes));
		break;
	case SESSION_DURATION_LIMIT:
		tell_about(&facts, META_WARNING,
				"the recording ended before the program: %s were over",
				duration_format(time, budget->duration_ns));
		break;
	case SESSION_SIGNALLED:
		tell_about(&facts, META_WARNING,
				"the recording ended before the program: signal %d", signal_number);
		break;
	case SESSION_PROGRAM_ENDED:
	case SESSION_WRITE_FAILED:
		break;
	}
	return facts.result;
}

static void tell_late(struct facts *facts, const struct stream *stream)
{
	const struct merge *merge = &stream->merge;
	char by[DURATION_TEXT_MAX];

	if (merge->late == 0)
		return;
	duration_format(by, tick_clock_ns(&stream->clock, merge->latest));
	tell_about(facts, META_WARNING,
			"%" PRIu64 " records came late, by up to %s; they have the time of the "
			"event before them",
			merge->late, by);
}

enum lo_result facts_of_shortcomings(struct trace_writer *writer, const struct stream *stream,
		const struct facts_missing *missing, struct lo_error *err)
{
	struct facts facts = { writer, err, LO_OK };

	tell_late(&facts, stream);
	if (missing->processes)
		tell_about(&facts, META_WARNING,
				"%" PRIu32 " processes are missing: more than %u at once cannot be "
				"recorded",
				missing->processes, SEGMENT_PROCESSES);
	if (missing->full_arenas)
		tell_about(&facts, META_WARNING,
				"%" PRIu32 " processes had more distinct stacks than fit; later "
				"ones are missing",
				missing->full_arenas);
	if (missing->full_logs)
		tell_about(&facts, META_WARNING,
				"%" PRIu32 " processes had more than %u loaded files; later ones "
				"have no names",
				missing->full_logs, SEGMENT_MODULES);
	return facts.result;
}
