#include "recorder/symbols/demangle.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/macros.h"
#include "recorder/symbols/demangle_rust.h"

/* Of the C++ ABI: the result is for free(), NULL when `status` is not 0. */
typedef char *cxa_demangle_function(const char *, char *, size_t *, int *);

static cxa_demangle_function *find_cxa_demangle(void)
{
	static const char *const libraries[] = { "libstdc++.so.6", "libc++abi.so.1" };
	static cxa_demangle_function *function;
	static bool tried;

	for (size_t i = 0; !tried && !function && i < LO_COUNT_OF(libraries); i++) {
		void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_LOCAL);

		if (library)
			*(void **)&function = dlsym(library, "__cxa_demangle");
	}
	tried = true;
	return function;
}

/* LLVM appends ".llvm.NUMBER" to names that it made unique; the demangler knows nothing of that. */
static const char *without_llvm_suffix(const char *symbol, char copy[DEMANGLED_MAX])
{
	const char *suffix = strstr(symbol, ".llvm.");

	if (!suffix || suffix - symbol >= DEMANGLED_MAX)
		return symbol;
	memcpy(copy, symbol, (size_t)(suffix - symbol));
	copy[suffix - symbol] = '\0';
	return copy;
}

const char *demangle(const char *symbol, char out[DEMANGLED_MAX])
{
	cxa_demangle_function *cxa_demangle;
	char *name;
	int status = 0;

	if (strncmp(symbol, "_R", 2) == 0)
		return demangle_rust(symbol, out, DEMANGLED_MAX) ? out : symbol;
	if (strncmp(symbol, "_Z", 2) != 0)
		return symbol;
	cxa_demangle = find_cxa_demangle();
	name = cxa_demangle ? cxa_demangle(without_llvm_suffix(symbol, out), NULL, NULL, &status)
			    : NULL;
	if (!name)
		return symbol;
	demangle_rust_legacy(name);
	snprintf(out, DEMANGLED_MAX, "%s", name);
	free(name);
	return out;
}
