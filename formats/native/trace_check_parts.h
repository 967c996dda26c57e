#ifndef LOITER_NATIVE_TRACE_CHECK_PARTS_H
#define LOITER_NATIVE_TRACE_CHECK_PARTS_H

#include "formats/base/macros.h"
#include "formats/native/block.h"
#include "formats/native/counter_section.h"
#include "formats/native/damage_list.h"
#include "formats/native/note_section.h"
#include "formats/native/section_list.h"
#include "formats/native/section_read.h"
#include "formats/native/trace_check.h"
#include "formats/native/trace_reader.h"

/* What the files with checks share: trace_check.c has the list of checks and most of them,
 * trace_check_index.c those of what is derived from events. */

/* Places of problems that are remembered, so that each is told once. */
#define KNOWN_PROBLEMS 1024u

struct trace_checking {
	struct byte_source *source;
	struct section_list scanned;
	struct damage_list scan_damage;
	struct trace_reader *reader; /* NULL: it could not be opened, and `open_error` tells why */
	struct lo_error open_error;
	const struct progress *progress;

	struct section_payload section; /* work space */
	struct byte_unpacker *unpacker;
	struct block_header block;
	struct counter_header counters;
	struct note_header notes;
	struct byte_buffer scratch;
	struct event *events;

	uint64_t known[KNOWN_PROBLEMS];
	unsigned known_count;

	/* Of the check that runs. */
	const struct trace_check_listener *listener;
	struct trace_check_result *result;
};

/* Tells the listener, unless something was told about that place before. */
void LO_PRINTF(3, 4) trace_check_tell(
		struct trace_checking *checking, uint64_t offset, const char *format, ...);

/* Turns damage into a problem; passes on what is not the file's fault. */
enum lo_result trace_check_judge(struct trace_checking *checking, uint64_t offset,
		enum lo_result result, const struct lo_error *why, struct lo_error *err);

/* LO_CANCELLED when somebody wants an end. */
enum lo_result trace_check_step(struct trace_checking *checking, uint64_t done, uint64_t total,
		struct lo_error *err);

/* One decoded block, as its visitor sees it. */
struct checked_block {
	const struct section_entry *entry;
	const struct event *events;
	uint32_t count;
};

/* The events are valid until the next block. */
enum lo_result trace_check_block(struct trace_checking *checking, const struct section_entry *entry,
		struct checked_block *out, struct lo_error *why);

/* ---- trace_check_index.c ---- */

enum lo_result trace_check_snapshots(struct trace_checking *checking, struct lo_error *err);
enum lo_result trace_check_checkpoints(struct trace_checking *checking, struct lo_error *err);

#endif
