#ifndef LOITER_SHIM_MODULE_LOG_H
#define LOITER_SHIM_MODULE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/ring/segment.h"
#include "recorder/shim/elf_image.h"

/*
 * The loaded files of this process, for whoever turns addresses into names later.
 *
 * Adding takes no lock and is bounded by the size of the log: any thread may do it at any time,
 * also in a hook, also under the loader's locks.
 */

/* Appends unless the log has it already. False: the log is full. */
bool module_log_add(struct process_slot *slot, const struct elf_image *image, const char *path,
		uint64_t ticks);

/* Everything that is loaded now. Takes the loader's lock: only for the constructor. */
void module_log_add_all(struct process_slot *slot, uint64_t ticks);

/* A child begins with what its parent had. */
void module_log_copy(struct process_slot *slot, const struct process_slot *parent);

#endif
