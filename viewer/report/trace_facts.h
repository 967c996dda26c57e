#ifndef LOITER_REPORT_TRACE_FACTS_H
#define LOITER_REPORT_TRACE_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/native/trace_reader.h"

/*
 * What a file says about its recording, as every report needs it. Texts are clean for a terminal
 * and stay valid as long as the facts; NULL = the file does not say.
 */
struct trace_facts {
	char *program;
	char **arguments;
	uint32_t argument_count;
	char *command; /* program and arguments, as one would type them in a shell */
	char *host;
	char *backend;
	char *format;   /* of an imported file; NULL = recorded by loiter itself */
	bool truncated; /* the file, or the file that was imported, ended early */
	char *system;
	bool has_pid;
	uint64_t pid;
	bool has_start;
	uint64_t start_unix_ns;
	char **warnings; /* from the recorder, damage, a missing end */
	uint32_t warning_count;
	const struct process_info *process; /* the first; NULL = unknown */
};

enum lo_result trace_facts_init(
		struct trace_facts *facts, struct trace_reader *reader, struct lo_error *err);
void trace_facts_release(struct trace_facts *facts);

/* A copy that is fit to be shown, to be freed; NULL for NULL, or without memory. */
char *trace_facts_clean(const char *text);

#endif
