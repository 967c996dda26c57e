#ifndef LOITER_DRAIN_SESSION_H
#define LOITER_DRAIN_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "formats/base/byte_sink.h"
#include "formats/base/error.h"
#include "formats/base/progress.h"
#include "formats/native/trace_writer.h"
#include "recorder/drain/budget.h"
#include "recorder/drain/signals.h"

/*
 * One recording, from an empty segment to a sealed file.
 *
 * The recording ends with the program, or before it: at a limit, at a signal to the recorder, when
 * the file cannot be written. In any case the program is left alone: it runs on until it ends by
 * itself, and its children are never waited for.
 */
struct session_options {
	const char *program;    /* as on the command line */
	const char *image;      /* path of what is loaded */
	char *const *arguments; /* the program's, its name first */
	const char *recorder;   /* name and version of this program */
	const char *warning;    /* for the trace, or "" */
	uint32_t stack_depth;   /* at most STACK_DEPTH_MAX */
	bool follow_children;
	uint64_t wait_threshold_ns; /* I/O that returns sooner is no wait */
	uint64_t resolution_ns;     /* of times; see trace_writer_resolution() */
	struct budget budget;
	struct signals *signals;
	struct progress progress;                         /* of looking up symbols */
	void (*say)(void *context, const char *sentence); /* something to know while recording */
	void *context;
};

enum session_end {
	SESSION_PROGRAM_ENDED,
	SESSION_SIZE_LIMIT,
	SESSION_DURATION_LIMIT,
	SESSION_SIGNALLED,
	SESSION_WRITE_FAILED, /* it has been said why */
};

struct session_result {
	enum session_end end;
	int signal;           /* that ended it; SESSION_SIGNALLED only */
	bool program_running; /* when the recording ended */
	int wait_status;      /* of the program, unless it is running */
	bool attached;        /* the recorder library was loaded at least once */
	uint32_t left_behind; /* other traced processes that were running at the end */
	struct trace_writer_stats stats;
	uint64_t duration_ns;
};

struct session;

/* Makes the segment. `options` and what it points to must outlive the session. */
enum lo_result session_open(
		struct session **out, const struct session_options *options, struct lo_error *err);
/* Accepts NULL. Without session_run() the file is left without an end. */
void session_close(struct session *session);

int session_segment_fd(const struct session *session);
uint64_t session_segment_token(const struct session *session);

/*
 * The program is process `pid`, a child of ours that has not begun yet. Takes over `sink`, even on
 * failure, and writes the head of the trace.
 */
enum lo_result session_begin(
		struct session *session, struct byte_sink *sink, pid_t pid, struct lo_error *err);

/* The program begins now: records until the end, and seals the file. */
void session_run(struct session *session, struct session_result *result);

/*
 * Waits until the program has ended, passing signals on. False when somebody asked twice to stop
 * waiting; then `wait_status` is not set and `*signal_number` says how they asked.
 */
bool session_await_program(struct session *session, int *wait_status, int *signal_number);

#endif
