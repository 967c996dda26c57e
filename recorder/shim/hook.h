#ifndef LOITER_SHIM_HOOK_H
#define LOITER_SHIM_HOOK_H

#include <stddef.h>

/*
 * Defining a wrapper and reaching the function that it wraps.
 *
 *     HOOK(ssize_t, read, int fd, void *buffer, size_t size)
 *     {
 *             ... NEXT(read)(fd, buffer, size) ...
 *     }
 *
 * exports `read` and has the constructor look up the next `read` behind this library in the search
 * order. A hook that is called earlier (an allocator, another library's constructor) looks its own
 * up at that moment. For the functions that an allocator needs for looking up anything at all,
 * HOOK_EARLY names a second name under which the C library exports the same function; that one is
 * bound by the loader and valid from the first instruction on.
 */
typedef void next_function(void);

struct next_symbol {
	next_function *address;
	const char *name;
	const char *version; /* NULL: the default one */
};

/* Looks the symbol up; never NULL: what does not exist fails with ENOSYS when it is called. */
next_function *next_find(struct next_symbol *symbol);

/* Looks up all symbols of the library. */
void next_find_all(void);

static inline next_function *next_address(struct next_symbol *symbol)
{
	next_function *address = __atomic_load_n(&symbol->address, __ATOMIC_RELAXED);

	return __builtin_expect(address != NULL, 1) ? address : next_find(symbol);
}

/* Kept together as an array, so that next_find_all() finds them; the compiler may not pad them. */
#define NEXT_SECTION \
	__attribute__((section("loiter_next"), used, aligned(_Alignof(struct next_symbol))))

#define NEXT_SYMBOL(name) static struct next_symbol next_##name NEXT_SECTION = { NULL, #name, NULL }
#define NEXT_SYMBOL_EARLY(name, early)                                                        \
	extern __typeof__(name) early_##name;                                                 \
	__asm__(".symver early_" #name ", " #early "@GLIBC_2.2.5");                           \
	static struct next_symbol next_##name NEXT_SECTION = { (next_function *)early_##name, \
		#name, NULL }
#define NEXT(name) ((__typeof__(&(name)))next_address(&next_##name))

#define HOOK_EXPORT __attribute__((visibility("default")))

#define HOOK(result, name, ...) \
	NEXT_SYMBOL(name);      \
	HOOK_EXPORT result name(__VA_ARGS__)

#define HOOK_EARLY(result, name, early, ...) \
	NEXT_SYMBOL_EARLY(name, early);      \
	HOOK_EXPORT result name(__VA_ARGS__)

/*
 * One of several versions of a symbol. `local` is a name of ours, which exports.map hides; `at` is
 * "@@" for the version that new programs are bound to, "@" for older ones.
 */
#define HOOK_VERSION(result, local, name, at, version_name, ...)                             \
	static struct next_symbol next_##local NEXT_SECTION = { NULL, #name, version_name }; \
	__asm__(".symver " #local ", " #name at version_name);                               \
	HOOK_EXPORT result local(__VA_ARGS__);                                               \
	HOOK_EXPORT result local(__VA_ARGS__)

#endif
