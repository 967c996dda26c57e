#include "recorder/shim/stack_capture.h"

#include <errno.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

#include "recorder/shim/stack_intern.h"
#include "recorder/shim/stack_libunwind.h"

static struct {
	struct process_slot *slot;
	uint32_t depth;
	/* Where this library lies: its frames are nobody's business. */
	uintptr_t own_begin;
	uintptr_t own_end;
} capture;

/* A program that has the walker linked into itself has no frames to hide. */
static int find_own_range(struct dl_phdr_info *info, size_t size, void *context)
{
	const uintptr_t here = (uintptr_t)&find_own_range;
	uintptr_t end = 0;
	bool contains = false;

	(void)size;
	(void)context;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t begin = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type != PT_LOAD)
			continue;
		contains |= here - begin < segment->p_memsz;
		end = begin + segment->p_memsz;
	}
	if (!contains)
		return 0;
	if (info->dlpi_name && info->dlpi_name[0]) {
		capture.own_begin = info->dlpi_addr;
		capture.own_end = end;
	}
	return 1;
}

bool stack_capture_init(struct process_slot *slot, uint32_t depth)
{
	if (!capture.slot)
		dl_iterate_phdr(find_own_range, NULL);
	capture.slot = slot;
	capture.depth = depth < STACK_DEPTH_MAX ? depth : STACK_DEPTH_MAX;
	if (depth == 0 || !stack_libunwind_init())
		capture.depth = 0;
	return capture.depth > 0;
}

void stack_capture_modules_changed(void)
{
}

void stack_memo_reset(struct stack_memo *memo)
{
	memset(memo, 0, sizeof(*memo));
}

static uint32_t drop_own_frames(uintptr_t *frames, uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++)
		if (frames[i] - capture.own_begin >= capture.own_end - capture.own_begin)
			frames[kept++] = frames[i];
	return kept;
}

static uint64_t hash_frames(const uintptr_t *frames, uint32_t count)
{
	uint64_t hash = count;

	for (uint32_t i = 0; i < count; i++) {
		hash = (hash ^ frames[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 32;
	}
	return hash;
}

uint32_t stack_capture(
		struct stack_memo *memo, const struct stack_registers *from, uint8_t *event_flags)
{
	if (capture.depth == 0)
		return STACK_NONE;

	(void)from;
	int saved_errno = errno;
	uint32_t count = stack_libunwind_walk(memo->frames, STACK_DEPTH_MAX);
	errno = saved_errno;

	uint64_t flags = count >= STACK_DEPTH_MAX ? STACK_WORD_FLAG_CUT : 0;
	count = drop_own_frames(memo->frames, count);
	if (count > capture.depth) {
		count = capture.depth;
		flags = STACK_WORD_FLAG_CUT;
	}
	if (flags)
		*event_flags |= EVENT_FLAG_STACK_CUT;
	return count == 0 ? STACK_NONE
			  : stack_intern(&capture.slot->stacks, memo->frames, count, flags,
					    hash_frames(memo->frames, count));
}
