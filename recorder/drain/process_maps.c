#include "recorder/drain/process_maps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "begin-end perms offset dev inode   path"; the path is the rest of the line, spaces and all. */
bool process_mapping_parse(const char *line, struct process_mapping *mapping)
{
	int path_at = 0;
	size_t length;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*4s %" SCNx64 " %*x:%*x %*u %n", &mapping->begin,
			    &mapping->end, &mapping->offset, &path_at) != 3 ||
			path_at == 0)
		return false;
	length = strcspn(line + path_at, "\n");
	if (length == 0 || length >= sizeof(mapping->path))
		return false;
	memcpy(mapping->path, line + path_at, length);
	mapping->path[length] = '\0';
	return true;
}

bool process_maps_find(uint32_t pid, uint64_t address, struct process_mapping *mapping)
{
	char path[64];
	char *line = NULL;
	size_t capacity = 0;
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/maps", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && getline(&line, &capacity, file) > 0)
		found = process_mapping_parse(line, mapping) && address >= mapping->begin &&
			address < mapping->end;
	free(line);
	fclose(file);
	return found;
}
