#ifndef LOITER_NATIVE_READER_PARTS_H
#define LOITER_NATIVE_READER_PARTS_H

#include <stdint.h>

#include "formats/model/event.h"
#include "formats/native/section_list.h"
#include "formats/native/trace_reader.h"
#include "formats/native/trace_schema.h"

/* What the modules of this folder see of an open reader, and nobody else. */
const struct trace_schema *trace_reader_schema(const struct trace_reader *reader);
const struct section_list *trace_reader_sections(const struct trace_reader *reader);

/*
 * The blocks of an open trace, for cursors: by number, decoded, held in the reader's cache while
 * they are in use. Safe to use from several threads.
 */
struct cached_block {
	const struct event *events;
	uint32_t count;
};

uint32_t trace_block_count(const struct trace_reader *reader);

/* The first block that may have an event at or after `time_ns`; the number of blocks if none. */
uint32_t trace_block_at(const struct trace_reader *reader, uint64_t time_ns);

/*
 * Takes hold of a block until trace_block_release(). LO_CORRUPT: it is damaged and was added to
 * the damage list, now or before; other failures are not the block's fault.
 */
enum lo_result trace_block_acquire(struct trace_reader *reader, uint32_t number,
		const struct cached_block **out, struct lo_error *err);
/* Accepts NULL. */
void trace_block_release(struct trace_reader *reader, const struct cached_block *block);

#endif
