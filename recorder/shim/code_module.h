#ifndef LOITER_SHIM_CODE_MODULE_H
#define LOITER_SHIM_CODE_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/shim/elf_image.h"

/*
 * The loaded files that code lies in.
 *
 * What was there at start-up stays to the end of the process; it is listed once, in the
 * constructor, and found by binary search. What dlopen() brought can go again, and something else
 * can come to the same place, even with an equal layout and an equal link_map. Such a module is
 * looked up with _dl_find_object(), which takes no lock (glibc 2.35), each time a walk enters it,
 * and gets a *salt*: a number made of its place and its build id, with which everything that is
 * remembered about its addresses is mixed. 0 is the salt of the modules that stay.
 */
struct code_module {
	struct elf_image image;
	uint64_t salt;
	const char *path; /* as the loader knows it; "" is the program */
};

/* In the constructor. False: only those of the start will be found. */
bool code_module_init(void);

/* Where this library lies. Empty when it is linked into a program: then it has nothing to hide. */
const struct elf_image *code_module_own(void);

/* Modules without build id are told apart by the number of calls to this. */
void code_module_changed(void);

/*
 * The module at `address`; false: none. `certain`: the address is known to be in code that has a
 * frame on this stack, so that its module cannot be unloaded meanwhile. Otherwise a module that
 * can go is asked for with a system call first. It could only vanish in the instant that follows.
 */
bool code_module_find(uintptr_t address, bool certain, struct code_module *module);

/* The modules of the start; NULL behind the last. */
const struct code_module *code_module_at_start(uint32_t index);

#endif
