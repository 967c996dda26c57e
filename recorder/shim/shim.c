#include "recorder/shim/shim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/ring/system_call.h"
#include "recorder/shim/environment.h"
#include "recorder/shim/hook.h"
#include "recorder/shim/hooks_jump.h"
#include "recorder/shim/module_log.h"
#include "recorder/shim/segment_map.h"
#include "recorder/shim/thread.h"
#include "recorder/shim/births.h"
#include "recorder/shim/wakers.h"

struct shim shim;
_Alignas(4096) union shim_page shim_page;

bool shim_wipe_on_fork(void *memory, size_t size)
{
	return madvise(memory, size, MADV_WIPEONFORK) == 0;
}

void shim_turn_off(void)
{
	atomic_store_explicit(&shim_page.is.live, 0, memory_order_relaxed);
	shim.state = SHIM_OFF;
}

/* The process id comes last: a slot without one is still being filled. */
static void fill_slot(uint32_t pid, bool forked)
{
	struct process_slot *slot = shim.slot;
	uint32_t parent = (uint32_t)system_call(SYS_getppid, 0, 0, 0, 0);

	shim.slot_generation = 1 + atomic_fetch_add_explicit(
						   &slot->generation, 1, memory_order_relaxed);
	atomic_store_explicit(&slot->begin_ticks, shim_ticks(), memory_order_relaxed);
	atomic_store_explicit(&slot->next_task, 1, memory_order_relaxed);
	atomic_store_explicit(&slot->main_task, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->replaced, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->forked, forked, memory_order_relaxed);
	atomic_store_explicit(&slot->left, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->parent_pid, parent, memory_order_relaxed);
	atomic_store_explicit(&slot->pid, pid, memory_order_release);
}

static bool take_slot(bool forked)
{
	uint32_t pid = (uint32_t)system_call(SYS_getpid, 0, 0, 0, 0);
	const struct process_slot *parent = shim.slot;
	uint32_t parent_generation = shim.slot_generation;

	shim.slot = segment_map_take_slot(pid, !forked, &shim.slot_index);
	if (!shim.slot)
		return false;
	fill_slot(pid, forked);
	if (!forked)
		module_log_add_all(shim.slot, shim_ticks());
	else if (atomic_load_explicit(&parent->generation, memory_order_acquire) ==
			parent_generation)
		module_log_copy(shim.slot, parent);
	stack_capture_init(shim.slot, shim.header->stack_depth, shim.clock);
	return true;
}

/*
 * The calling thread is the process's first; it is there from now on, whatever it does. `claimed`
 * comes first: another thread that looks in between must not take this process for a new child.
 */
static void go_live(void)
{
	atomic_store_explicit(&shim_page.is.claimed, 1, memory_order_release);
	shim.state = SHIM_ATTACHED;
	atomic_store_explicit(&shim_page.is.live, 1, memory_order_relaxed);
	atomic_store_explicit(&shim.slot->main_task, thread_task(), memory_order_relaxed);
}

bool shim_revive(void)
{
	uint32_t unclaimed = 0;

	if (!atomic_compare_exchange_strong(&shim_page.is.claimed, &unclaimed, 1))
		return false;
	if (!shim.header->follow_children || !take_slot(true)) {
		shim_turn_off();
		return false;
	}
	thread_forget_parent();
	go_live();
	return true;
}

#define MEMO_GROUP_BYTES (RING_GROUP * sizeof(struct stack_memo))

/* Pages appear at first use; those of a thread that never waits at a new place stay few. */
static struct stack_memo *map_memos(uint32_t group)
{
	struct stack_memo *other = NULL;
	long memory = system_call6(SYS_mmap, 0, MEMO_GROUP_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory < 0 && memory > -4096)
		return NULL;
	system_call(SYS_madvise, memory, MEMO_GROUP_BYTES, MADV_DONTDUMP, 0);
	if (atomic_compare_exchange_strong_explicit(&shim.memos[group], &other,
			    (struct stack_memo *)memory, memory_order_acq_rel,
			    memory_order_acquire))
		return (struct stack_memo *)memory;
	system_call(SYS_munmap, memory, MEMO_GROUP_BYTES, 0, 0);
	return other;
}

struct stack_memo *shim_memo(uint32_t ring)
{
	uint32_t group = ring / RING_GROUP;
	struct stack_memo *memos = atomic_load_explicit(&shim.memos[group], memory_order_acquire);

	if (!memos)
		memos = map_memos(group);
	return memos ? &memos[ring % RING_GROUP] : NULL;
}

static bool attach(void)
{
	const char *path = getenv(SEGMENT_ENV_PATH);
	const char *token = getenv(SEGMENT_ENV_TOKEN);

	if (!path || !token || !thread_key_init())
		return false;
	if (!shim_wipe_on_fork(&shim_page, sizeof(shim_page)) || !wakers_init() || !births_init())
		return false;
	if (!segment_map_open(path, strtoull(token, NULL, 16)))
		return false;
	shim.header = segment_map_header();
	shim.clock = (enum segment_clock)shim.header->clock;
	shim.rings.header = shim.header;
	shim.rings.map_group = segment_map_group;
	return shim_watch_exit() && take_slot(false);
}

__attribute__((constructor)) static void shim_start(void)
{
	int saved_errno = errno;

	next_find_all();
	jump_targets_init();
	if (attach())
		go_live();
	if (!shim.header || !shim.header->follow_children)
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
