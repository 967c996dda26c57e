#include "recorder/drain/session.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "formats/base/duration.h"
#include "recorder/drain/drain.h"
#include "recorder/drain/facts.h"
#include "recorder/drain/memory_sampler.h"
#include "recorder/drain/process_watch.h"
#include "recorder/drain/stream.h"
#include "recorder/drain/tick_clock.h"
#include "recorder/drain/trace_symbols.h"
#include "recorder/ring/segment.h"

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000ull

/* How often the encoder looks for records when nobody wakes it. */
#define POLL_MS 25
/* Events let out before signals and the end of the program are looked at again: some ms. */
#define EVENTS_AT_ONCE 65536u
/* How long a program may take to end after somebody asked it to, and what counts as asking again:
 * some senders signal the process and then its whole group. */
#define GRACE_NS     (5 * NS_PER_S)
#define ASK_AGAIN_NS (NS_PER_S / 2)
/* Looking up symbols shows its progress only when it takes long. */
#define PROGRESS_AFTER_NS (NS_PER_S / 2)

struct session {
	struct session_options options;
	struct tick_clock clock;
	struct segment_owner segment;
	struct drain *drain;
	int wake_fd;
	struct trace_writer *writer;
	struct stream stream;
	bool streaming;
	struct process_watch watch;
	struct memory_sampler memory;
	pid_t pid;
	int pidfd;
	bool program_ended;
	int wait_status;

	uint64_t begin_ns;      /* of the clock: the program begins */
	int64_t unix_offset_ns; /* wall clock minus the clock */
	uint64_t sealing_ns;    /* symbols are looked up since */
	bool told_start;

	bool ending;          /* `result.end` is decided */
	uint64_t asked_at_ns; /* when a signal first asked for an end; 0 = never */
	uint64_t passed_at_ns[NSIG];
	struct session_result result;
};

static uint64_t clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

LO_PRINTF(2, 3) static void say(struct session *session, const char *format, ...)
{
	char sentence[400];
	va_list arguments;

	if (!session->options.say)
		return;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	session->options.say(session->options.context, sentence);
}

/* ---- Begin. ---- */

static enum lo_result make_segment(struct session *session, struct lo_error *err)
{
	const struct segment_options options = {
		.clock = session->clock.kind,
		.io_threshold_ticks = tick_clock_ticks(
				&session->clock, session->options.wait_threshold_ns),
		.stack_depth = session->options.stack_depth,
		.follow_children = session->options.follow_children,
	};
	int error = segment_create(&session->segment, &options);

	if (error)
		return lo_fail_errno(err, error,
				"cannot make %zu MiB of shared address space for the recording",
				sizeof(struct segment) >> 20);
	return LO_OK;
}

static enum lo_result make_drain(struct session *session, struct lo_error *err)
{
	struct drain_options options = {
		.segment = &session->segment,
		.clock = session->clock,
		.lateness_ticks = tick_clock_ticks(&session->clock, DRAIN_LATENESS_NS),
		.wait_ticks = tick_clock_ticks(&session->clock, session->options.wait_threshold_ns),
	};

	session->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (session->wake_fd < 0)
		return lo_fail_errno(err, errno, "cannot make an event descriptor");
	options.wake_fd = session->wake_fd;
	return drain_new(&session->drain, &options, err);
}

enum lo_result session_open(
		struct session **out, const struct session_options *options, struct lo_error *err)
{
	struct session *session = calloc(1, sizeof(*session));
	enum lo_result result;

	if (!session)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a recording");
	session->options = *options;
	session->wake_fd = session->pidfd = session->memory.fd = -1;
	session->segment.fd = -1;
	tick_clock_init(&session->clock);
	result = make_segment(session, err);
	if (result == LO_OK)
		result = make_drain(session, err);
	if (result != LO_OK) {
		session_close(session);
		return result;
	}
	*out = session;
	return LO_OK;
}

void session_close(struct session *session)
{
	if (!session)
		return;
	drain_free(session->drain);
	if (session->streaming) {
		process_watch_release(&session->watch);
		stream_release(&session->stream);
	}
	if (session->pidfd >= 0)
		close(session->pidfd);
	memory_sampler_close(&session->memory);
	trace_writer_close(session->writer);
	if (session->wake_fd >= 0)
		close(session->wake_fd);
	segment_release(&session->segment);
	free(session);
}

int session_segment_fd(const struct session *session)
{
	return session->segment.fd;
}

uint64_t session_segment_token(const struct session *session)
{
	return session->segment.token;
}

/* ---- Recording. ---- */

/* As soon as the first event has made known when the trace begins. */
static enum lo_result tell_start(struct session *session, struct lo_error *err)
{
	const struct translator *translator = &session->stream.translator;
	uint64_t start = translator->any ? translator->zero_ns : session->begin_ns;

	session->told_start = true;
	return facts_of_start(session->writer, (int64_t)start + session->unix_offset_ns, err);
}

enum lo_result session_begin(
		struct session *session, struct byte_sink *sink, pid_t pid, struct lo_error *err)
{
	enum lo_result result = trace_writer_open(&session->writer, sink, err);

	if (result == LO_OK)
		result = trace_writer_resolution(
				session->writer, session->options.resolution_ns, err);
	if (result != LO_OK)
		return result;
	session->pid = pid;
	session->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (session->pidfd < 0)
		return lo_fail_errno(err, errno, "cannot watch the new process (Linux 5.3 needed)");
	result = stream_init(&session->stream, session->drain, &session->clock,
			session->watch.targets, err);
	if (result != LO_OK)
		return result;
	session->streaming = true;
	process_watch_init(&session->watch, &session->segment, &session->stream, pid,
			session->options.image);
	stream_set_writer(&session->stream, session->writer);
	memory_sampler_open(&session->memory, pid);
	session->begin_ns = now_ns();
	session->unix_offset_ns = (int64_t)clock_ns(CLOCK_REALTIME) - (int64_t)session->begin_ns;
	result = facts_of_beginning(session->writer, &session->options, pid, &session->clock, err);
	if (result == LO_OK)
		result = trace_writer_flush(session->writer, err);
	if (result == LO_OK)
		result = drain_start(session->drain, err);
	return result;
}

static void decide_end(struct session *session, enum session_end end)
{
	if (!session->ending)
		session->result.end = end;
	session->ending = true;
}

static struct budget_use budget_use(const struct session *session)
{
	struct trace_writer_stats stats;

	trace_writer_stats(session->writer, &stats);
	return (struct budget_use){
		.file_bytes = stats.bytes,
		.unsealed_events = stats.events - session->stream.sealed_events,
		.frames = stack_table_frame_count(trace_writer_stacks(session->writer)),
		.blocks = stats.blocks,
		.elapsed_ns = now_ns() - session->begin_ns,
	};
}

static enum lo_result check_budget(struct session *session, struct lo_error *err)
{
	struct budget_use use = budget_use(session);
	enum lo_result result = LO_OK;

	if (budget_check(&session->options.budget, &use) == BUDGET_SEAL) {
		result = stream_seal(&session->stream, err);
		use = budget_use(session);
	}
	switch (budget_check(&session->options.budget, &use)) {
	case BUDGET_SIZE:
		decide_end(session, SESSION_SIZE_LIMIT);
		break;
	case BUDGET_DURATION:
		decide_end(session, SESSION_DURATION_LIMIT);
		break;
	case BUDGET_LEFT:
	case BUDGET_SEAL:
		break;
	}
	return result;
}

/* Events that may be let out before the budget is looked at again. */
static uint64_t events_at_once(const struct session *session)
{
	struct budget_use use = budget_use(session);
	uint64_t most = budget_events(&session->options.budget, &use);

	return most < EVENTS_AT_ONCE ? most : EVENTS_AT_ONCE;
}

/* The time axis begins with the first record. */
static enum lo_result sample_memory(struct session *session, struct lo_error *err)
{
	uint64_t ticks = tick_clock_now(&session->clock);

	if (!session->stream.translator.any)
		return LO_OK;
	return memory_sampler_look(&session->memory, session->writer, now_ns(),
			stream_time(&session->stream, ticks), err);
}

/* One round of encoding. `*more`: there is more to do at once. */
static enum lo_result encode(struct session *session, bool *more, struct lo_error *err)
{
	uint64_t collected = stream_collect(&session->stream);
	enum lo_result result = process_watch_scan(&session->watch, err);

	if (result == LO_OK)
		result = process_watch_let_out(&session->watch, events_at_once(session), more, err);
	if (result == LO_OK && !session->told_start && session->stream.translator.any)
		result = tell_start(session, err);
	if (result == LO_OK)
		result = sample_memory(session, err);
	if (result == LO_OK)
		result = stream_advance(&session->stream, err);
	if (result == LO_OK)
		result = check_budget(session, err);
	*more |= collected > 0 && session->stream.starved;
	return result;
}

static void pass_on(struct session *session, const struct signal_news *news, uint64_t now)
{
	if (!news->sent || session->program_ended)
		return;
	if (now - session->passed_at_ns[news->number] < ASK_AGAIN_NS)
		return;
	session->passed_at_ns[news->number] = now;
	kill(session->pid, news->number);
}

/* True when the sender has asked for an end for the second time. */
static bool heed_signals(struct session *session)
{
	struct signal_news news;
	bool again = false;

	while (signals_next(session->options.signals, &news)) {
		uint64_t now = now_ns();

		pass_on(session, &news, now);
		if (!news.ends)
			continue;
		session->result.signal = news.number;
		if (session->asked_at_ns == 0)
			session->asked_at_ns = now;
		else
			again |= now - session->asked_at_ns >= ASK_AGAIN_NS;
	}
	return again;
}

static bool wait_for_program(struct session *session)
{
	if (!session->program_ended &&
			waitpid(session->pid, &session->wait_status, WNOHANG) == session->pid)
		session->program_ended = true;
	return session->program_ended;
}

static int poll_timeout(const struct session *session, bool more)
{
	uint64_t now = now_ns();
	uint64_t wait_ms = POLL_MS;
	uint64_t limit = session->options.budget.duration_ns;

	if (more)
		return 0;
	if (limit && now - session->begin_ns < limit &&
			(limit - (now - session->begin_ns)) / NS_PER_MS < wait_ms)
		wait_ms = (limit - (now - session->begin_ns)) / NS_PER_MS + 1;
	return (int)wait_ms;
}

/* The count of wake-ups says nothing, and there may be none after all. */
static void take_wakes(struct session *session)
{
	uint64_t count;
	ssize_t got = read(session->wake_fd, &count, sizeof(count));

	(void)got;
}

/* Sleeps until there is something to do, and finds out what happened to the processes. */
static enum lo_result wait_for_news(struct session *session, bool more, struct lo_error *err)
{
	struct pollfd fds[3 + SEGMENT_PROCESSES] = {
		{ .fd = session->pidfd, .events = POLLIN },
		{ .fd = session->wake_fd, .events = POLLIN },
		{ .fd = session->options.signals->fd, .events = POLLIN },
	};

	process_watch_poll_set(&session->watch, fds + 3);
	if (poll(fds, LO_COUNT_OF(fds), poll_timeout(session, more)) < 0 && errno != EINTR)
		return lo_fail_errno(err, errno, "cannot wait for events");
	if (fds[1].revents)
		take_wakes(session);
	if (fds[0].revents && wait_for_program(session))
		decide_end(session, SESSION_PROGRAM_ENDED);
	if (heed_signals(session))
		decide_end(session, SESSION_SIGNALLED);
	if (session->asked_at_ns && now_ns() - session->asked_at_ns >= GRACE_NS)
		decide_end(session, SESSION_SIGNALLED);
	return process_watch_look(&session->watch, fds + 3, err);
}

/* ---- End. ---- */

static void stop_recording(struct session *session)
{
	atomic_store_explicit(&session->segment.segment->header.recording, 0, memory_order_relaxed);
	drain_stop(session->drain);
}

/* What is still in the rings is collected, and written or, at the size limit, lost. */
static enum lo_result encode_rest(struct session *session, struct lo_error *err)
{
	struct pollfd wake = { .fd = session->wake_fd, .events = POLLIN };
	enum lo_result result = LO_OK;
	bool more = true;

	stop_recording(session);
	while (result == LO_OK && (more || !session->stream.finished)) {
		if (!more && poll(&wake, 1, POLL_MS) > 0)
			take_wakes(session);
		more = false;
		stream_collect(&session->stream);
		result = process_watch_scan(&session->watch, err);
		if (session->result.end == SESSION_SIZE_LIMIT)
			stream_lose(&session->stream, LOSS_SIZE_LIMIT);
		if (result == LO_OK)
			result = process_watch_let_out(&session->watch, EVENTS_AT_ONCE, &more, err);
	}
	return result == LO_OK ? translator_flush_losses(&session->stream.translator, err) : result;
}

/* Whoever is tired of waiting for symbols gets the trace without them. */
static bool keep_looking_up(void *context, uint64_t done, uint64_t total)
{
	struct session *session = context;
	struct signal_news news;

	while (signals_next(session->options.signals, &news))
		if (news.ends)
			return false;
	if (now_ns() - session->sealing_ns < PROGRESS_AFTER_NS)
		return true;
	return progress_step(&session->options.progress, done, total);
}

static enum lo_result add_symbols(struct session *session, struct lo_error *err)
{
	const struct progress progress = { keep_looking_up, session };

	session->sealing_ns = now_ns();
	drain_join(session->drain); /* symbols are read in a child, and fork wants one thread */
	return trace_symbols_add(session->writer, &progress, err);
}

static enum lo_result tell_ending(struct session *session, struct lo_error *err)
{
	const struct facts_missing missing = {
		.processes = atomic_load_explicit(&session->segment.segment->header.lost_processes,
				memory_order_relaxed),
		.full_arenas = session->watch.full_arenas,
		.full_logs = session->watch.full_logs,
	};
	enum lo_result result = LO_OK;

	if (!session->told_start)
		result = tell_start(session, err);
	if (result == LO_OK && !session->program_ended)
		result = facts_of_early_end(session->writer, &session->options.budget,
				session->result.end, session->result.signal, err);
	if (result == LO_OK)
		result = facts_of_shortcomings(session->writer, &session->stream, &missing, err);
	return result;
}

static enum lo_result seal(struct session *session, uint64_t end_ticks, struct lo_error *err)
{
	enum lo_result result = encode_rest(session, err);
	uint64_t end_ns;

	if (result == LO_OK)
		result = process_watch_finish(&session->watch,
				session->program_ended ? &session->wait_status : NULL, end_ticks,
				err);
	if (result == LO_OK)
		result = tell_ending(session, err);
	if (result == LO_OK) /* whatever happens to the rest, this much is safe */
		result = trace_writer_flush(session->writer, err);
	if (result == LO_OK)
		result = add_symbols(session, err);
	end_ns = stream_time(&session->stream, end_ticks);
	session->result.duration_ns = end_ns;
	return result == LO_OK ? trace_writer_finish(session->writer, end_ns, err) : result;
}

static enum lo_result record(struct session *session, struct lo_error *err)
{
	enum lo_result result = LO_OK;
	bool more = false;

	while (result == LO_OK && !session->ending) {
		result = wait_for_news(session, more, err);
		if (result == LO_OK)
			result = encode(session, &more, err);
	}
	return result;
}

static void announce_end(struct session *session)
{
	char text[SIZE_TEXT_MAX > DURATION_TEXT_MAX ? SIZE_TEXT_MAX : DURATION_TEXT_MAX];

	if (session->program_ended)
		return;
	if (session->result.end == SESSION_SIZE_LIMIT)
		say(session, "no more fits into %s, the recording ends; the program runs on",
				size_format(text, session->options.budget.max_bytes));
	else if (session->result.end == SESSION_DURATION_LIMIT)
		say(session, "%s are over, the recording ends; the program runs on",
				duration_format(text, session->options.budget.duration_ns));
	else if (session->result.end == SESSION_SIGNALLED)
		say(session, "the recording ends; the program is still running and is left alone");
}

/* The file ends here; nothing more is taken from the program. */
static void give_up(struct session *session, const struct lo_error *failure)
{
	stop_recording(session);
	drain_free(session->drain);
	session->drain = NULL;
	session->result.end = SESSION_WRITE_FAILED;
	say(session, "the trace cannot be written: %s%s", failure->message,
			session->program_ended ? "" : "; the program runs on");
}

void session_run(struct session *session, struct session_result *result)
{
	struct lo_error failure = { .offset = LO_NO_OFFSET };
	enum lo_result outcome = record(session, &failure);
	uint64_t end_ticks = tick_clock_now(&session->clock);

	if (outcome == LO_OK && session->program_ended)
		outcome = process_watch_program_ended(
				&session->watch, session->wait_status, end_ticks, &failure);
	if (outcome == LO_OK) {
		announce_end(session);
		outcome = seal(session, end_ticks, &failure);
	}
	wait_for_program(session);
	if (outcome != LO_OK)
		give_up(session, &failure);
	session->result.program_running = !session->program_ended;
	session->result.wait_status = session->wait_status;
	session->result.attached = process_watch_any(&session->watch);
	session->result.left_behind = process_watch_running(&session->watch);
	trace_writer_stats(session->writer, &session->result.stats);
	*result = session->result;
}

bool session_await_program(struct session *session, int *wait_status, int *signal_number)
{
	struct pollfd fds[2] = {
		{ .fd = session->pidfd, .events = POLLIN },
		{ .fd = session->options.signals->fd, .events = POLLIN },
	};

	while (!wait_for_program(session)) {
		if (heed_signals(session)) {
			*signal_number = session->result.signal;
			return false;
		}
		poll(fds, LO_COUNT_OF(fds), -1);
	}
	*wait_status = session->wait_status;
	return true;
}
