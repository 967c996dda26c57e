#include "viewer/cli/command.h"

#include <stddef.h>

const struct command commands[] = {
	{ "record", "[-o FILE] [...] -- PROGRAM [ARG...] | --go URL",
			"record what the threads of a program wait for, or a running Go program",
			cmd_record },
	{ "report", "FILE... [--json]", "what is stuck, since when and why, as text or JSON",
			cmd_report },
#ifdef LOITER_HAVE_UI
	{ "view", "FILE... [--dump VIEW]", "open a trace in the terminal", cmd_view },
#endif
	{ "import", "FILE... -o OUT", "turn a trace of another program into a loiter trace",
			cmd_import },
	{ "info", "FILE [--json]", "tell what is in a trace, without reading its events",
			cmd_info },
	{ "verify", "FILE | --list", "check whether a trace is sound, down to every event",
			cmd_verify },
	{ "repair", "FILE -o OUT", "save what can be read of a damaged or unfinished trace",
			cmd_repair },
	{ "repack", "FILE -o OUT [--level N]", "make a trace smaller, with the same contents",
			cmd_repack },
	{ NULL, NULL, NULL, NULL },
};
