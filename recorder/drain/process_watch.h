#ifndef LOITER_DRAIN_PROCESS_WATCH_H
#define LOITER_DRAIN_PROCESS_WATCH_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "formats/base/error.h"
#include "recorder/drain/stream.h"
#include "recorder/drain/target.h"
#include "recorder/ring/segment.h"

/*
 * Which processes are traced: takes up those that appear in the segment, learns how they end, and
 * gives their slots to others when the last of their records is in the file.
 *
 * A process counts as dead when the kernel says so (its pidfd, or waitpid for the program itself),
 * or when another program took its place by exec. Only then may its rings be taken from it.
 */
struct process_watch {
	const struct segment_owner *segment;
	struct stream *stream;
	struct target targets[SEGMENT_PROCESSES]; /* by slot */
	uint64_t died_at[SEGMENT_PROCESSES];      /* ticks, of dead targets */
	uint32_t next_index;                      /* of the next process row */
	pid_t program_pid;
	const char *program_image;
	uint32_t full_arenas; /* processes with more stacks, more modules than there was room for */
	uint32_t full_logs;
};

void process_watch_init(struct process_watch *watch, const struct segment_owner *segment,
		struct stream *stream, pid_t program_pid, const char *program_image);
void process_watch_release(struct process_watch *watch);

/* Takes up new processes and lets drained ones go. After each stream_collect(). */
enum lo_result process_watch_scan(struct process_watch *watch, struct lo_error *err);

/*
 * Lets out records as stream_let_out() does, and among them, at their times, the ends of processes.
 * When a process has ended in order, or has become another program, its tasks end with it. When it
 * was killed, or nobody knows, they stay what they were: what was stuck is the evidence. So they do
 * when the recording ends with it.
 */
enum lo_result process_watch_let_out(
		struct process_watch *watch, uint64_t most, bool *more, struct lo_error *err);

/* One entry for each slot, to be polled; then to be shown to process_watch_look(). */
void process_watch_poll_set(const struct process_watch *watch, struct pollfd *fds);
enum lo_result process_watch_look(
		struct process_watch *watch, const struct pollfd *fds, struct lo_error *err);

/* The program itself has ended, by `ticks`, and was waited for. */
enum lo_result process_watch_program_ended(
		struct process_watch *watch, int wait_status, uint64_t ticks, struct lo_error *err);

/*
 * The recording ended at `ticks` and everything has been let out: ends processes that nobody has
 * noticed to be gone, writes the last rows of all, and one of the program if it never appeared.
 */
enum lo_result process_watch_finish(struct process_watch *watch, const int *program_wait_status,
		uint64_t ticks, struct lo_error *err);

/* Has any process loaded the recorder library? How many are still running? */
bool process_watch_any(const struct process_watch *watch);
uint32_t process_watch_running(const struct process_watch *watch);

#endif
