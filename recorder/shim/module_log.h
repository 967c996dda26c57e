#ifndef LOITER_SHIM_MODULE_LOG_H
#define LOITER_SHIM_MODULE_LOG_H

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

#include "recorder/ring/segment.h"

/*
 * The loaded files of this process, for whoever turns addresses into names later.
 *
 * Adding takes no lock and is bounded by the size of the log: any thread may do it at any time,
 * also in a hook, also under the loader's locks.
 */

/* What the program headers say of a mapped file; false if it has no loadable segment. */
bool module_describe(struct segment_module *module, const char *path, uint64_t bias,
		const ElfW(Phdr) * headers, unsigned header_count);

/* Appends unless the log has it already. False: the log is full. */
bool module_log_add(struct process_slot *slot, const struct segment_module *module);

/* Everything that is loaded now. Takes the loader's lock: only for the constructor. */
void module_log_add_all(struct process_slot *slot);

/* A child begins with what its parent had. */
void module_log_copy(struct process_slot *slot, const struct process_slot *parent);

#endif
