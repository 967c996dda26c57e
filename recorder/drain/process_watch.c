#include "recorder/drain/process_watch.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#define PAGE_BYTES 4096u

/* Linux 6.15: a pidfd tells how its process ended, once somebody has waited for it. */
struct pidfd_exit_info {
	uint64_t mask;
	uint64_t cgroup;
	uint32_t ids[11];
	int32_t wait_status;
};
#define PIDFD_GET_EXIT_INFO _IOWR(0xff, 11, struct pidfd_exit_info)
#define PIDFD_HAS_EXIT      (1u << 3)
_Static_assert(sizeof(struct pidfd_exit_info) == 64, "the first published size");

void process_watch_init(struct process_watch *watch, const struct segment_owner *segment,
		struct stream *stream, pid_t program_pid, const char *program_image)
{
	memset(watch, 0, sizeof(*watch));
	watch->segment = segment;
	watch->stream = stream;
	watch->next_index = 1;
	watch->program_pid = program_pid;
	watch->program_image = program_image;
}

void process_watch_release(struct process_watch *watch)
{
	for (uint32_t i = 0; i < SEGMENT_PROCESSES; i++)
		target_release(&watch->targets[i]);
}

/* ---- Rows. ---- */

static enum lo_result write_row(
		struct process_watch *watch, const struct process_info *info, struct lo_error *err)
{
	return unless_full(trace_writer_process(watch->stream->writer, info, err));
}

static void set_end(struct process_info *info, int wait_status)
{
	if (WIFEXITED(wait_status)) {
		info->end = PROCESS_EXITED;
		info->end_value = (uint32_t)WEXITSTATUS(wait_status);
	} else if (WIFSIGNALED(wait_status)) {
		info->end = PROCESS_KILLED;
		info->end_value = (uint32_t)WTERMSIG(wait_status);
	}
}

/* Only its parent can ask how a process ended; newer kernels tell the others too, afterwards. */
static bool ask_kernel(struct target *target)
{
	struct pidfd_exit_info info = { .mask = PIDFD_HAS_EXIT };

	if (target->pidfd < 0 || ioctl(target->pidfd, PIDFD_GET_EXIT_INFO, &info) != 0 ||
			!(info.mask & PIDFD_HAS_EXIT))
		return false;
	set_end(&target->info, info.wait_status);
	return true;
}

static bool was_replaced(const struct target *target)
{
	return atomic_load_explicit(&target->slot->state, memory_order_acquire) ==
			       PROCESS_SLOT_ENDED &&
	       atomic_load_explicit(&target->slot->replaced, memory_order_relaxed);
}

/* How a dead process ended: the last to be believed is what it said itself. */
static void learn_end(struct target *target)
{
	uint32_t left = atomic_load_explicit(&target->slot->left, memory_order_relaxed);

	if (target->info.end != PROCESS_RUNNING)
		return;
	if (was_replaced(target))
		target->info.end = PROCESS_REPLACED;
	else if (!ask_kernel(target) && (left & SEGMENT_LEFT))
		set_end(&target->info, (int)(left & 0xff) << 8);
}

/* ---- Beginning. ---- */

/* Of two with that pid, the one that is alive. */
static const struct target *target_of_pid(const struct process_watch *watch, uint32_t pid)
{
	const struct target *found = NULL;

	for (uint32_t i = 0; i < SEGMENT_PROCESSES; i++) {
		const struct target *target = &watch->targets[i];

		if (target->used && target->info.pid == pid && (!found || !target->dead))
			found = target;
	}
	return found;
}

static enum lo_result take_up(struct process_watch *watch, uint32_t i, struct lo_error *err)
{
	struct process_slot *slot = &watch->segment->segment->processes[i];
	struct target *target = &watch->targets[i];
	uint32_t pid = atomic_load_explicit(&slot->pid, memory_order_relaxed);
	const struct target *before = target_of_pid(watch, pid);
	const struct target *parent = target_of_pid(
			watch, atomic_load_explicit(&slot->parent_pid, memory_order_relaxed));
	bool is_program = pid == (uint32_t)watch->program_pid;
	enum lo_result result = target_init(target, slot, i, parent,
			is_program && !before ? watch->program_image : NULL, watch->stream->writer,
			err);

	if (result != LO_OK)
		return result;
	if (before) /* the same process as another program: the same parent */
		target->info.parent = before->info.parent;
	target->info.index = watch->next_index++;
	target->info.begin_ns = stream_time(watch->stream,
			atomic_load_explicit(&slot->begin_ticks, memory_order_relaxed));
	return write_row(watch, &target->info, err);
}

/* ---- End. ---- */

static enum lo_result has_died(
		struct process_watch *watch, uint32_t i, uint64_t ticks, struct lo_error *err)
{
	struct target *target = &watch->targets[i];

	target->dead = true;
	watch->died_at[i] = ticks;
	target->info.end_ns = stream_time(watch->stream, watch->died_at[i]);
	drain_process_died(watch->stream->drain, i, target->generation);
	return write_row(watch, &target->info, err);
}

static enum lo_result look_for_exec(struct process_watch *watch, uint32_t i, struct lo_error *err)
{
	struct target *target = &watch->targets[i];

	if (target->dead || !was_replaced(target))
		return LO_OK;
	target->info.end = PROCESS_REPLACED;
	return has_died(watch, i, tick_clock_now(&watch->stream->clock), err);
}

static void count_overflows(struct process_watch *watch, const struct target *target)
{
	if (atomic_load_explicit(&target->slot->stacks.full, memory_order_relaxed))
		watch->full_arenas++;
	if (atomic_load_explicit(&target->slot->module_count, memory_order_relaxed) >=
			SEGMENT_MODULES)
		watch->full_logs++;
}

/* Back to how the segment was made, but for the generation. The state comes last (S2). */
static void reset_slot(struct process_watch *watch, struct process_slot *slot)
{
	const char *base = (const char *)watch->segment->segment;
	size_t at = (size_t)((const char *)slot->modules - base);
	size_t end = (size_t)((const char *)(slot + 1) - base);
	size_t first_page = (at + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;

	memset((void *)slot->modules, 0, first_page - at);
	segment_drop(watch->segment, first_page, end - first_page);
	atomic_store_explicit(&slot->module_count, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->next_task, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->pid, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->state, PROCESS_SLOT_FREE, memory_order_release);
}

static enum lo_result end_tasks(struct process_watch *watch, uint32_t i, struct lo_error *err)
{
	struct target *target = &watch->targets[i];
	struct merge *merge = &watch->stream->merge;

	learn_end(target);
	target->ended = true;
	if (target->info.end != PROCESS_EXITED && target->info.end != PROCESS_REPLACED)
		return LO_OK;
	merge_advance(merge, watch->died_at[i]);
	return translator_end_tasks(&watch->stream->translator, target, merge->time, err);
}

static uint64_t next_end(const struct process_watch *watch)
{
	uint64_t next = UINT64_MAX;

	for (uint32_t i = 0; i < SEGMENT_PROCESSES; i++) {
		const struct target *target = &watch->targets[i];

		if (target->used && target->dead && !target->ended && watch->died_at[i] < next)
			next = watch->died_at[i];
	}
	return next;
}

/* Ends the tasks of the processes whose time has come. */
static enum lo_result end_those_due(
		struct process_watch *watch, uint64_t until, bool *any, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	*any = false;
	if (until == UINT64_MAX || !stream_is_past(watch->stream, until))
		return LO_OK;
	for (uint32_t i = 0; i < SEGMENT_PROCESSES && result == LO_OK; i++) {
		const struct target *target = &watch->targets[i];

		if (!target->used || !target->dead || target->ended || watch->died_at[i] != until)
			continue;
		*any = true;
		result = end_tasks(watch, i, err);
	}
	return result;
}

enum lo_result process_watch_let_out(
		struct process_watch *watch, uint64_t most, bool *more, struct lo_error *err)
{
	enum lo_result result;
	bool any;

	do {
		uint64_t until = next_end(watch);

		result = stream_let_out(watch->stream, most, until, more, err);
		if (result == LO_OK)
			result = end_those_due(watch, until, &any, err);
	} while (result == LO_OK && any);
	return result;
}

/* Everything a dead process left is collected when a whole pass has begun after its death. */
static bool is_drained(const struct process_watch *watch, uint32_t i)
{
	return watch->targets[i].ended && watch->stream->horizon > watch->died_at[i] &&
	       watch->stream->merge.runs_of_process[i] == 0;
}

static enum lo_result let_go(struct process_watch *watch, uint32_t i, struct lo_error *err)
{
	struct target *target = &watch->targets[i];
	struct process_slot *slot = target->slot;
	enum lo_result result = translator_end_process(&watch->stream->translator, target, err);

	learn_end(target);
	if (result == LO_OK)
		result = write_row(watch, &target->info, err);
	count_overflows(watch, target);
	target_release(target);
	reset_slot(watch, slot);
	return result;
}

static bool is_new(const struct process_watch *watch, uint32_t i)
{
	const struct process_slot *slot = &watch->segment->segment->processes[i];

	return !watch->targets[i].used &&
	       atomic_load_explicit(&slot->state, memory_order_acquire) != PROCESS_SLOT_FREE &&
	       atomic_load_explicit(&slot->pid, memory_order_acquire) != 0;
}

/* First come the new ones: their parents may be among those that go. */
enum lo_result process_watch_scan(struct process_watch *watch, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < SEGMENT_PROCESSES && result == LO_OK; i++)
		if (is_new(watch, i))
			result = take_up(watch, i, err);
	for (uint32_t i = 0; i < SEGMENT_PROCESSES && result == LO_OK; i++) {
		if (!watch->targets[i].used)
			continue;
		result = look_for_exec(watch, i, err);
		if (result == LO_OK && is_drained(watch, i))
			result = let_go(watch, i, err);
	}
	return result;
}

void process_watch_poll_set(const struct process_watch *watch, struct pollfd *fds)
{
	for (uint32_t i = 0; i < SEGMENT_PROCESSES; i++) {
		const struct target *target = &watch->targets[i];
		bool wanted = target->used && !target->dead &&
			      target->info.pid != (uint32_t)watch->program_pid;

		fds[i] = (struct pollfd){ .fd = wanted ? target->pidfd : -1, .events = POLLIN };
	}
}

enum lo_result process_watch_look(
		struct process_watch *watch, const struct pollfd *fds, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < SEGMENT_PROCESSES && result == LO_OK; i++) {
		struct target *target = &watch->targets[i];
		bool gone = target->gone || (fds[i].fd >= 0 && fds[i].revents);

		if (!target->used || target->dead || !gone ||
				target->info.pid == (uint32_t)watch->program_pid)
			continue;
		learn_end(target);
		result = has_died(watch, i, tick_clock_now(&watch->stream->clock), err);
	}
	return result;
}

enum lo_result process_watch_program_ended(
		struct process_watch *watch, int wait_status, uint64_t ticks, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < SEGMENT_PROCESSES && result == LO_OK; i++) {
		struct target *target = &watch->targets[i];

		if (!target->used || target->dead ||
				target->info.pid != (uint32_t)watch->program_pid)
			continue;
		if (!was_replaced(target)) {
			set_end(&target->info, wait_status);
			target->ended = true; /* the recording ends with it */
		}
		learn_end(target);
		result = has_died(watch, i, ticks, err);
	}
	return result;
}

static enum lo_result write_unseen_program(
		struct process_watch *watch, const int *wait_status, struct lo_error *err)
{
	struct process_info info = {
		.index = watch->next_index++,
		.pid = (uint32_t)watch->program_pid,
	};
	enum lo_result result = trace_writer_string(watch->stream->writer, watch->program_image,
			(uint32_t)strlen(watch->program_image), &info.program, err);

	if (wait_status)
		set_end(&info, *wait_status);
	return result == LO_OK ? write_row(watch, &info, err) : result;
}

/* Found by looking: is it gone, although nobody has said so? */
static bool is_gone(const struct target *target)
{
	struct pollfd fd = { .fd = target->pidfd, .events = POLLIN };

	return target->gone || (target->pidfd >= 0 && poll(&fd, 1, 0) > 0);
}

static enum lo_result end_the_unnoticed(
		struct process_watch *watch, uint64_t ticks, struct lo_error *err)
{
	enum lo_result result = LO_OK;
	bool more;

	for (uint32_t i = 0; i < SEGMENT_PROCESSES && result == LO_OK; i++) {
		struct target *target = &watch->targets[i];

		if (!target->used || target->dead ||
				target->info.pid == (uint32_t)watch->program_pid ||
				!is_gone(target))
			continue;
		learn_end(target);
		result = has_died(watch, i, ticks, err);
	}
	return result == LO_OK ? process_watch_let_out(watch, UINT64_MAX, &more, err) : result;
}

enum lo_result process_watch_finish(struct process_watch *watch, const int *program_wait_status,
		uint64_t ticks, struct lo_error *err)
{
	enum lo_result result = end_the_unnoticed(watch, ticks, err);

	if (result == LO_OK && !process_watch_any(watch))
		return write_unseen_program(watch, program_wait_status, err);
	for (uint32_t i = 0; i < SEGMENT_PROCESSES && result == LO_OK; i++) {
		struct target *target = &watch->targets[i];

		if (!target->used)
			continue;
		if (target->dead)
			learn_end(target);
		count_overflows(watch, target);
		result = translator_end_process(&watch->stream->translator, target, err);
		if (result == LO_OK)
			result = write_row(watch, &target->info, err);
	}
	return result;
}

bool process_watch_any(const struct process_watch *watch)
{
	return watch->next_index > 1;
}

uint32_t process_watch_running(const struct process_watch *watch)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < SEGMENT_PROCESSES; i++)
		count += watch->targets[i].used && !watch->targets[i].dead;
	return count;
}
