#ifndef LOITER_CLI_INFO_SUMS_H
#define LOITER_CLI_INFO_SUMS_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/native/trace_notes.h"
#include "formats/native/trace_reader.h"

/* What `info` tells, whether as text or as JSON: facts about a trace that need no events. */

/* All sections of one name together. */
struct section_sum {
	const char *name;
	uint64_t count;
	uint64_t bytes;
	uint64_t rows;
};

#define SECTION_SUMS_MAX 32u

/* In order of first appearance; returns how many there are. */
unsigned sum_sections(const struct trace_reader *reader, struct section_sum sums[SECTION_SUMS_MAX]);

/* Known causes and those that this build does not know, together. */
uint64_t sum_losses(const struct trace_info *info);

/* "complete", "partial", "none". */
const char *index_state_name(enum trace_index_state state);

/* All notes of one kind: false past the last kind; count 0 where there are none. */
struct note_sum {
	const char *name; /* fit for a terminal */
	struct note_total total;
};
bool sum_notes(struct trace_reader *reader, unsigned kind, struct note_sum *sum);

#endif
