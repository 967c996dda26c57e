#include "recorder/shim/segment_map.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/ring/system_call.h"
#include "recorder/shim/shim.h"

#define PAGE_BYTES   4096u
#define HEADER_BYTES offsetof(struct segment, processes)
#define GROUP_BYTES  (RING_GROUP * sizeof(struct ring))

/*
 * Where address space is rationed (ulimit -v) even the little that stays mapped could be what the
 * program needs next; below this multiple of it nothing is recorded.
 */
#define ADDRESS_SPACE_MULTIPLE 16u
#define STAYS_MAPPED           (sizeof(struct process_slot) + 2 * GROUP_BYTES)

static struct segment_header *header;

struct segment_header *segment_map_header(void)
{
	return header;
}

static bool address_space_suffices(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_AS, &limit) == 0 &&
	       (limit.rlim_cur == RLIM_INFINITY ||
			       limit.rlim_cur / ADDRESS_SPACE_MULTIPLE >= STAYS_MAPPED);
}

static bool is_ours(const struct segment_header *found, uint64_t token)
{
	return found->magic == SEGMENT_MAGIC && found->version == SEGMENT_VERSION &&
	       found->bytes == sizeof(struct segment) && found->token == token &&
	       found->stack_depth <= STACK_DEPTH_MAX && found->recording == 1;
}

bool segment_map_open(const char *path, uint64_t token)
{
	struct stat status;
	void *memory = MAP_FAILED;

	if (!address_space_suffices())
		return false;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
			(uint64_t)status.st_size == sizeof(struct segment))
		memory = mmap(NULL, HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory == MAP_FAILED)
		return false;
	if (!is_ours(memory, token)) {
		munmap(memory, HEADER_BYTES);
		return false;
	}
	/* Copies of the mapping are left out of core files too. */
	madvise(memory, HEADER_BYTES, MADV_DONTDUMP);
	header = memory;
	return true;
}

static void unmap(char *begin, const char *end)
{
	if (begin < end)
		system_call(SYS_munmap, (long)begin, end - begin, 0, 0);
}

/*
 * Maps [offset, offset + size) of the file, given a page at `source` that is mapped from the offset
 * `source_offset`, which lies before. What lies between is mapped for a moment too.
 */
static char *map_from(char *source, size_t source_offset, size_t offset, size_t size)
{
	size_t ahead = offset - source_offset;
	long copy = system_call(SYS_mremap, (long)source, 0, (long)(ahead + size), MREMAP_MAYMOVE);

	if (copy < 0 && copy > -(long)PAGE_BYTES)
		return NULL;
	unmap((char *)copy, (char *)copy + ahead);
	return (char *)copy + ahead;
}

/* ---- slots ---- */

static void end_replaced_program(struct process_slot *slots, uint32_t pid)
{
	for (uint32_t i = 0; i < SEGMENT_PROCESSES; i++) {
		struct process_slot *slot = &slots[i];

		if (atomic_load_explicit(&slot->state, memory_order_acquire) != PROCESS_SLOT_LIVE ||
				atomic_load_explicit(&slot->pid, memory_order_relaxed) != pid)
			continue;
		atomic_store_explicit(&slot->replaced, 1, memory_order_relaxed);
		atomic_store_explicit(&slot->state, PROCESS_SLOT_ENDED, memory_order_release);
	}
}

static struct process_slot *claim(struct process_slot *slots, uint32_t *index)
{
	for (uint32_t i = 0; i < SEGMENT_PROCESSES; i++) {
		_Atomic uint32_t *state = &slots[i].state;
		uint32_t free_state = PROCESS_SLOT_FREE;

		if (atomic_load_explicit(state, memory_order_relaxed) != PROCESS_SLOT_FREE ||
				!atomic_compare_exchange_strong_explicit(state, &free_state,
						PROCESS_SLOT_LIVE, memory_order_acquire,
						memory_order_relaxed))
			continue;
		*index = i;
		return &slots[i];
	}
	return NULL;
}

struct process_slot *segment_map_take_slot(uint32_t pid, bool replaces, uint32_t *index)
{
	struct process_slot *slots = (struct process_slot *)(void *)map_from((char *)header, 0,
			offsetof(struct segment, processes),
			SEGMENT_PROCESSES * sizeof(struct process_slot));

	if (!slots)
		return NULL;
	if (replaces)
		end_replaced_program(slots, pid);
	struct process_slot *own = claim(slots, index);
	const char *end = (char *)(slots + SEGMENT_PROCESSES);
	unmap((char *)slots, own ? (char *)own : end);
	if (own)
		unmap((char *)(own + 1), end);
	else
		atomic_fetch_add_explicit(&header->lost_processes, 1, memory_order_relaxed);
	return own;
}

/* ---- rings ---- */

/* The nearest group before this one that is mapped; RING_GROUPS: there is none. */
static uint32_t mapped_before(uint32_t group)
{
	while (group-- > 0)
		if (atomic_load_explicit(&shim.rings.groups[group], memory_order_acquire))
			return group;
	return RING_GROUPS;
}

static char *map_rings(uint32_t group)
{
	size_t offset = offsetof(struct segment, rings) + group * GROUP_BYTES;
	uint32_t before = mapped_before(group);

	if (before == RING_GROUPS)
		return map_from((char *)header, 0, offset, GROUP_BYTES);

	struct ring *rings = atomic_load_explicit(&shim.rings.groups[before], memory_order_acquire);
	return map_from((char *)rings + GROUP_BYTES - PAGE_BYTES,
			offsetof(struct segment, rings) + (before + 1) * GROUP_BYTES - PAGE_BYTES,
			offset, GROUP_BYTES);
}

struct ring *segment_map_group(uint32_t group)
{
	char *memory = map_rings(group);
	struct ring *other = NULL;

	if (!memory)
		return NULL;
	if (atomic_compare_exchange_strong_explicit(&shim.rings.groups[group], &other,
			    (struct ring *)(void *)memory, memory_order_acq_rel,
			    memory_order_acquire))
		return (struct ring *)(void *)memory;
	unmap(memory, memory + GROUP_BYTES);
	return other;
}
