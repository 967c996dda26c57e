#ifndef LOITER_SHIM_SEGMENT_MAP_H
#define LOITER_SHIM_SEGMENT_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/ring/ring_producer.h"
#include "recorder/ring/segment.h"

/*
 * The parts of the segment that this process has mapped.
 *
 * The whole is hundreds of megabytes, sparse in the recorder. Mapped as a whole it would be just
 * that much address space, until the program locks its memory (mlockall) and makes all of it real,
 * or has its address space rationed. So only what is used is mapped: the header, the own slot, and
 * rings in groups.
 *
 * There is no descriptor to map more from: the program may close any, and may have lost the right
 * to open the file again (another user, another root). But a mapping of shared memory can be copied
 * by its address, to any length (mremap() from size 0), so what lies behind a mapped part in the
 * file can be reached from it.
 */

/* Constructor: opens the file and maps the header. False: there is no sound segment of ours. */
bool segment_map_open(const char *path, uint64_t token);

struct segment_header *segment_map_header(void);

/*
 * Takes a free slot for this process and maps it alone. `replaces`: a slot that is still LIVE under
 * the same process id is the program that this one replaced by exec; it is ended. NULL: none free.
 */
struct process_slot *segment_map_take_slot(uint32_t pid, bool replaces, uint32_t *index);

/* A group of rings, mapped at the first time; or NULL. May be called in a hook. */
struct ring *segment_map_group(uint32_t group);

#endif
