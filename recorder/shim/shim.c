#include "recorder/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/ring/system_call.h"
#include "recorder/shim/environment.h"
#include "recorder/shim/hook.h"
#include "recorder/shim/module_log.h"
#include "recorder/shim/thread.h"
#include "recorder/shim/births.h"
#include "recorder/shim/wakers.h"

struct shim shim;
_Alignas(4096) union shim_page shim_page;

/*
 * The segment is a few hundred megabytes of address space, nearly all of it never touched. Where
 * address space is rationed (ulimit -v) that could be what the program needs next, so below this
 * multiple nothing is recorded.
 */
#define ADDRESS_SPACE_MULTIPLE 16u

bool shim_wipe_on_fork(void *memory, size_t size)
{
	return madvise(memory, size, MADV_WIPEONFORK) == 0;
}

void shim_turn_off(void)
{
	atomic_store_explicit(&shim_page.is.live, 0, memory_order_relaxed);
	shim.state = SHIM_OFF;
}

static bool address_space_suffices(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_AS, &limit) == 0 &&
	       (limit.rlim_cur == RLIM_INFINITY ||
			       limit.rlim_cur / ADDRESS_SPACE_MULTIPLE >= sizeof(struct segment));
}

static bool header_is_ours(const struct segment_header *header, uint64_t token)
{
	return header->magic == SEGMENT_MAGIC && header->version == SEGMENT_VERSION &&
	       header->bytes == sizeof(struct segment) && header->token == token &&
	       header->stack_depth <= STACK_DEPTH_MAX && header->recording == 1;
}

static struct segment *map_segment(const char *path, uint64_t token)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;
	void *memory = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
			(uint64_t)status.st_size == sizeof(struct segment))
		memory = mmap(NULL, sizeof(struct segment), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				0);
	close(fd);
	if (memory == MAP_FAILED)
		return NULL;

	struct segment *segment = memory;
	if (!header_is_ours(&segment->header, token)) {
		munmap(memory, sizeof(struct segment));
		return NULL;
	}
	madvise(memory, sizeof(struct segment), MADV_DONTDUMP);
	return segment;
}

/*
 * A slot that is still LIVE under our process id is the program that this one replaced by exec. Its
 * threads are gone, so nobody writes there any more. An exec that fails never gets here.
 */
static void end_replaced_program(uint32_t pid)
{
	for (uint32_t i = 0; i < SEGMENT_PROCESSES; i++) {
		struct process_slot *slot = &shim.segment->processes[i];

		if (atomic_load_explicit(&slot->state, memory_order_acquire) != PROCESS_SLOT_LIVE ||
				atomic_load_explicit(&slot->pid, memory_order_relaxed) != pid)
			continue;
		atomic_store_explicit(&slot->replaced, 1, memory_order_relaxed);
		atomic_store_explicit(&slot->state, PROCESS_SLOT_ENDED, memory_order_release);
	}
}

static bool claim_slot(void)
{
	for (uint32_t i = 0; i < SEGMENT_PROCESSES; i++) {
		struct process_slot *slot = &shim.segment->processes[i];
		uint32_t free_state = PROCESS_SLOT_FREE;

		if (atomic_load_explicit(&slot->state, memory_order_relaxed) != PROCESS_SLOT_FREE ||
				!atomic_compare_exchange_strong_explicit(&slot->state, &free_state,
						PROCESS_SLOT_LIVE, memory_order_acquire,
						memory_order_relaxed))
			continue;
		shim.slot = slot;
		shim.slot_index = i;
		shim.slot_generation = 1 + atomic_fetch_add_explicit(&slot->generation, 1,
							   memory_order_relaxed);
		return true;
	}
	return false;
}

/* The process id comes last: a slot without one is still being filled. */
static void fill_slot(uint32_t pid, bool forked)
{
	struct process_slot *slot = shim.slot;
	uint32_t parent = (uint32_t)system_call(SYS_getppid, 0, 0, 0, 0);

	atomic_store_explicit(&slot->begin_ticks, shim_ticks(), memory_order_relaxed);
	atomic_store_explicit(&slot->next_task, 1, memory_order_relaxed);
	atomic_store_explicit(&slot->main_task, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->replaced, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->forked, forked, memory_order_relaxed);
	atomic_store_explicit(&slot->parent_pid, parent, memory_order_relaxed);
	atomic_store_explicit(&slot->pid, pid, memory_order_release);
}

static bool take_slot(bool forked)
{
	uint32_t pid = (uint32_t)system_call(SYS_getpid, 0, 0, 0, 0);
	const struct process_slot *parent = shim.slot;
	uint32_t parent_generation = shim.slot_generation;

	if (!forked)
		end_replaced_program(pid);
	if (!claim_slot())
		return false;
	fill_slot(pid, forked);
	if (!forked)
		module_log_add_all(shim.slot, shim_ticks());
	else if (atomic_load_explicit(&parent->generation, memory_order_acquire) ==
			parent_generation)
		module_log_copy(shim.slot, parent);
	stack_capture_init(shim.slot, shim.segment->header.stack_depth, shim.clock);
	return true;
}

/* The calling thread is the process's first; it is there from now on, whatever it does. */
static void go_live(void)
{
	atomic_store_explicit(&shim_page.is.live, 1, memory_order_relaxed);
	atomic_store_explicit(&shim.slot->main_task, thread_task(), memory_order_relaxed);
}

bool shim_revive(void)
{
	uint32_t unclaimed = 0;

	if (!atomic_compare_exchange_strong(&shim_page.is.claimed, &unclaimed, 1))
		return false;
	if (!shim.segment->header.follow_children || !take_slot(true)) {
		shim_turn_off();
		return false;
	}
	thread_forget_parent();
	go_live();
	return true;
}

static bool make_memos(void)
{
	const size_t size = SEGMENT_RINGS * sizeof(struct stack_memo);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return false;
	madvise(memory, size, MADV_DONTDUMP);
	shim.memos = memory;
	return true;
}

static bool attach(void)
{
	const char *path = getenv(SEGMENT_ENV_PATH);
	const char *token = getenv(SEGMENT_ENV_TOKEN);

	if (!path || !token || !address_space_suffices() || !thread_key_init())
		return false;
	if (!shim_wipe_on_fork(&shim_page, sizeof(shim_page)) || !wakers_init() || !births_init())
		return false;
	shim.segment = map_segment(path, strtoull(token, NULL, 16));
	if (!shim.segment)
		return false;
	shim.clock = (enum segment_clock)shim.segment->header.clock;
	return make_memos() && take_slot(false);
}

__attribute__((constructor)) static void shim_start(void)
{
	int saved_errno = errno;

	next_find_all();
	if (attach()) {
		shim.state = SHIM_ATTACHED;
		atomic_store_explicit(&shim_page.is.claimed, 1, memory_order_relaxed);
		go_live();
	}
	if (!shim.segment || !shim.segment->header.follow_children)
		environment_forget();
	errno = saved_errno;
}

/*
 * The program calls exit(). Other threads run on until the process is gone, so only the caller's
 * story ends here; the drain sees the rest end with the process.
 */
__attribute__((destructor)) static void shim_stop(void)
{
	thread_end();
}
