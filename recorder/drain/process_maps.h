#ifndef LOITER_DRAIN_PROCESS_MAPS_H
#define LOITER_DRAIN_PROCESS_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One line of /proc/PID/maps that has a name. */
struct process_mapping {
	uint64_t begin;
	uint64_t end;
	uint64_t offset; /* in the file */
	char path[512];  /* "[vdso]" and the like too */
};

/* False when the line is not of that form, or the mapping has no name. */
bool process_mapping_parse(const char *line, struct process_mapping *mapping);

/* The mapping at `address` of a living process. False when there is none, or it has no name. */
bool process_maps_find(uint32_t pid, uint64_t address, struct process_mapping *mapping);

#endif
