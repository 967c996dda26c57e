#ifndef LOITER_ANALYSIS_FLAME_H
#define LOITER_ANALYSIS_FLAME_H

#include <stdint.h>

#include "formats/base/error.h"
#include "formats/base/progress.h"
#include "formats/model/time_span.h"
#include "formats/native/trace_reader.h"

/*
 * Blocked time by call stack, as a tree, root first. Frames are merged by function (and module),
 * so recursion and different lines of one function do not scatter it; inlined functions are frames
 * of their own. Below the innermost frame stands one pseudo frame with the wait reason.
 */
struct flame_node {
	uint64_t total_ns;     /* blocked time in this node and below */
	uint64_t blocks;       /* waits in this node and below */
	uint32_t stuck;        /* of these, still blocked at the end of the span */
	uint32_t name;         /* index for flame_name() */
	uint32_t parent;       /* node index; the root is its own parent */
	uint32_t first_child;  /* 0 = none; children are sorted by total_ns, largest first */
	uint32_t next_sibling; /* 0 = none */
	uint32_t stack; /* a stack id that passes through here, for details; 0 for the root */
	uint16_t depth; /* root 0 */
};

struct flame {
	struct flame_node *nodes; /* [0] is the root: everything */
	uint32_t node_count;
	uint16_t max_depth;
	struct string_table *names;
};

enum flame_weight {
	FLAME_BLOCKED_TIME,
	FLAME_BLOCKS,
	FLAME_STUCK
};

/*
 * Waits that overlap `span`, clipped to it; of one task, or of all with TASK_NONE.
 */
enum lo_result flame_new(struct flame **out, struct trace_reader *reader, struct time_span span,
		uint32_t task, const struct progress *progress, struct lo_error *err);
void flame_free(struct flame *flame);

/* Clean for a terminal. */
const char *flame_name(const struct flame *flame, const struct flame_node *node);

#endif
