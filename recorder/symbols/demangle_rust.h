#ifndef LOITER_SYMBOLS_DEMANGLE_RUST_H
#define LOITER_SYMBOLS_DEMANGLE_RUST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Rust's two manglings.
 *
 * The current one ("_R...") is read by its grammar, see
 * https://doc.rust-lang.org/rustc/symbol-mangling/v0.html: paths, generic arguments, types. The
 * older one is an Itanium name whose last part is a hash: once the C++ demangler has been over it,
 * what is left are escapes like "$LT$" and the hash.
 *
 * Symbols come from files that may be hostile: nesting, steps and output are bounded.
 */

/* False, and `out` is undefined, when the symbol is not of this mangling or uses a form that is
 * not known here. The result is cut at `capacity`. Crate hashes are left out. */
bool demangle_rust(const char *symbol, char *out, size_t capacity);

/* Removes hash and escapes from a demangled older name, in place; leaves other names alone. */
void demangle_rust_legacy(char *name);

#endif
