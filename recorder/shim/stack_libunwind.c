#include "recorder/shim/stack_libunwind.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

#include "recorder/shim/code_module.h"

#define LIBUNWIND_NAME "libunwind.so.8"

static int (*unwind_backtrace)(void **buffer, int size);
static uint32_t frames_max;

bool stack_libunwind_init(uint32_t depth)
{
	void *library = dlopen(LIBUNWIND_NAME, RTLD_LOCAL | RTLD_NOW);

	if (!library)
		return false;
	/* POSIX guarantees the conversion that ISO C does not know. */
	*(void **)&unwind_backtrace = dlsym(library, "unw_backtrace");
	frames_max = depth < STACK_DEPTH_MAX ? depth : STACK_DEPTH_MAX;
	return unwind_backtrace != NULL;
}

/* Drops this library's frames and all beyond the limit; true: there were some beyond. */
static bool keep_innermost(uintptr_t *addresses, uint32_t *count)
{
	const struct elf_image *own = code_module_own();
	uint32_t kept = 0;

	for (uint32_t i = 0; i < *count; i++) {
		if (addresses[i] >= own->begin && addresses[i] < own->end)
			continue;
		if (kept == frames_max) {
			*count = kept;
			return true;
		}
		addresses[kept++] = addresses[i];
	}
	*count = kept;
	return false;
}

/* Modules that can be unloaded are not told apart here. */
static uint64_t hash_stack(const uintptr_t *addresses, uint32_t count, uint64_t flags)
{
	uint64_t hash = flags;

	for (uint32_t i = 0; i < count; i++) {
		hash = (hash ^ addresses[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 32;
	}
	return hash;
}

bool stack_libunwind_walk(struct stack_memo *memo, struct stack_walk *result)
{
	struct memo_view view;

	if (!stack_memo_begin(memo, &view))
		return false;

	uintptr_t *addresses = view.other_side->address;
	int saved_errno = errno;
	int count = unwind_backtrace((void **)addresses, MEMO_FRAMES);
	errno = saved_errno;

	result->count = count > 0 ? (uint32_t)count : 0;
	result->flags = result->count == MEMO_FRAMES ? STACK_WORD_FLAG_CUT : 0;
	if (keep_innermost(addresses, &result->count))
		result->flags = STACK_WORD_FLAG_CUT;
	result->addresses = addresses;
	result->hash = hash_stack(addresses, result->count, result->flags);
	result->id = STACK_NONE;
	result->turn = view.turn;
	return stack_memo_commit(memo, view.turn);
}
