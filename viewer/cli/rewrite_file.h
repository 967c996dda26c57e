#ifndef LOITER_CLI_REWRITE_FILE_H
#define LOITER_CLI_REWRITE_FILE_H

#include "formats/native/trace_rewrite.h"

/*
 * Writes a native trace once more, into another file, for `repair` and `repack`.
 *
 * The new trace grows under a name of its own beside OUT, and gets its name when it is complete and
 * on the disk: so whatever happens (a signal, a full disk), OUT is as it was before, or whole. FILE
 * is only read.
 */
struct rewrite_request {
	const char *program; /* argv[0] of the command */
	const char *in;
	const char *out;
	const char *doing; /* "repairing": in front of the progress */
	bool salvage;
	int level; /* of compression; 0: what a recorder uses */
};

struct rewrite_sizes {
	uint64_t in;
	uint64_t out;
};

/* Prints its errors. A signal that ended it ends the process, after nothing is left behind. */
enum lo_result rewrite_file(const struct rewrite_request *request,
		struct trace_rewrite_result *result, struct rewrite_sizes *sizes);

#endif
