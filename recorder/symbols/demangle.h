#ifndef LOITER_SYMBOLS_DEMANGLE_H
#define LOITER_SYMBOLS_DEMANGLE_H

#include <stddef.h>

#define DEMANGLED_MAX 4096u /* longer names are cut */

/*
 * The name as its author wrote it: `out`, or `symbol` itself when nothing is mangled about it.
 *
 * C++ names are demangled by the C++ runtime library of this machine, loaded at the first such
 * name. Where there is none, they stay as they are. Not thread safe.
 */
const char *demangle(const char *symbol, char out[DEMANGLED_MAX]);

#endif
