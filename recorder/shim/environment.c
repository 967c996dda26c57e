#include "recorder/shim/environment.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "recorder/ring/segment.h"

#define PRELOAD      "LD_PRELOAD"
#define LIBRARY_NAME "libloiter-preload.so"

/* The value in "NAME=value"; NULL for another name. */
static char *value_of(char *variable, const char *name)
{
	size_t length = strlen(name);

	return strncmp(variable, name, length) == 0 && variable[length] == '='
			       ? variable + length + 1
			       : NULL;
}

static bool is_ours(const char *path, size_t length)
{
	size_t own = strlen(LIBRARY_NAME);

	return length >= own && memcmp(path + length - own, LIBRARY_NAME, own) == 0 &&
	       (length == own || path[length - own - 1] == '/');
}

/* Takes us out of the list, in place; the list is separated by colons or blanks. */
static void remove_from_list(char *list)
{
	char *end = list;

	for (char *entry = list; *entry;) {
		size_t length = strcspn(entry, ": ");
		size_t separator = entry[length] ? 1 : 0;

		if (!is_ours(entry, length)) {
			memmove(end, entry, length + separator);
			end += length + separator;
		}
		entry += length + separator;
	}
	if (end > list && (end[-1] == ':' || end[-1] == ' '))
		end--;
	*end = '\0';
}

void environment_forget(void)
{
	char **kept = environ;

	if (!environ)
		return;
	for (char **variable = environ; *variable; variable++) {
		char *preload = value_of(*variable, PRELOAD);

		if (preload)
			remove_from_list(preload);
		if ((preload && !*preload) || value_of(*variable, SEGMENT_ENV_PATH) ||
				value_of(*variable, SEGMENT_ENV_TOKEN))
			continue;
		*kept++ = *variable;
	}
	*kept = NULL;
}
