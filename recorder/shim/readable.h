#ifndef LOITER_SHIM_READABLE_H
#define LOITER_SHIM_READABLE_H

#include <stdbool.h>
#include <stdint.h>

/* x86-64 has no other; where pages are larger, more questions are asked than needed. */
#define READABLE_PAGE 4096u

/*
 * Can the page at `address` be read? Asks the kernel (about 150 ns, 800 if not): it reads the new
 * signal mask before it sees that the operation is none, and changes nothing either way. This
 * call, unlike others that copy memory, is open in every sandbox.
 */
bool readable_page(uintptr_t address);

#endif
