#ifndef LOITER_NATIVE_SECTION_BUILDER_H
#define LOITER_NATIVE_SECTION_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/model/event.h"
#include "formats/native/live_tasks.h"
#include "formats/native/section.h"

/*
 * What makes a large trace quick to look at (states at some moments, lives of tasks, overviews) is
 * built while it is written: the writer tells each builder of every block that it sealed, and the
 * builder gives it sections, to be written behind that block, or at the end of the file. All of
 * them are optional: a reader that does not know them, or finds them damaged, comes to the same
 * answers from the events alone.
 *
 * A new builder is one file and one row in section_builder.c. A failure (LO_NO_MEMORY, or one of
 * section_output_put()) ends the trace, like any other failure of the writer.
 */
struct sealed_block {
	uint32_t number;   /* blocks before it */
	uint32_t sequence; /* of its section */
	uint64_t begin_ns; /* the times of its events lie in [begin_ns, end_ns] */
	uint64_t end_ns;
	uint64_t offset; /* of its section in the file */
	uint64_t bytes;  /* of its section */
	const struct event *events;
	uint32_t rows;
	/* All tasks alive after its last event, and which of them had events in it, and how they
	 * were before. The same for all builders. */
	const struct live_tasks *tasks;
};

/* One section to be written. */
struct section_draft {
	enum section_type type; /* one that section_has_range() */
	uint32_t rows;
	/* What the index says about it, so that it is found without being read: a stretch of time
	 * and of numbers, which mostly are task ids. */
	struct section_range range;
	const uint8_t *extra; /* behind the range in the header */
	size_t extra_bytes;
	const void *raw; /* packed into one zstd frame; at most LIMIT_TABLE_RAW bytes */
	size_t raw_bytes;
};

/* Where sections go. */
struct section_output;

/* Writes one section now. `bytes`, unless NULL, gets its size in the file. */
enum lo_result section_output_put(struct section_output *output, const struct section_draft *draft,
		uint64_t *bytes, struct lo_error *err);

/* The sequence number of the section that will be written next. */
uint32_t section_output_sequence(const struct section_output *output);

struct section_builder_kind {
	const char *name; /* "snapshots" */
	enum lo_result (*make)(void **builder, struct lo_error *err);
	/* Called after each block, also after one without events. */
	enum lo_result (*sealed)(void *builder, const struct sealed_block *block,
			struct section_output *output, struct lo_error *err);
	/* Called once, after the last block; `end_ns` is the end of what was watched. May be NULL.
	 */
	enum lo_result (*finish)(void *builder, const struct live_tasks *tasks, uint64_t end_ns,
			struct section_output *output, struct lo_error *err);
	void (*drop)(void *builder); /* accepts NULL */
};

extern const struct section_builder_kind tile_builder_kind;

/* NULL past the last. */
const struct section_builder_kind *section_builder_kind_at(unsigned i);

/* One of each kind, and the tasks that they share. */
struct section_builders;

enum lo_result section_builders_new(struct section_builders **out, struct lo_error *err);
/* Accepts NULL. */
void section_builders_free(struct section_builders *builders);

/* `block->tasks` is filled in here. */
enum lo_result section_builders_sealed(struct section_builders *builders,
		struct sealed_block *block, struct section_output *output, struct lo_error *err);
enum lo_result section_builders_finish(struct section_builders *builders, uint64_t end_ns,
		struct section_output *output, struct lo_error *err);

#endif
