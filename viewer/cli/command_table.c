#include "viewer/cli/command.h"

#include <stddef.h>

const struct command commands[] = {
	{ "record", "[-o FILE] [--max-size SIZE] [--duration TIME] [...] -- PROGRAM [ARG...]",
			"record what the threads of a program wait for", cmd_record },
	{ NULL, NULL, NULL, NULL },
};
