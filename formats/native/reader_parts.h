#ifndef LOITER_NATIVE_READER_PARTS_H
#define LOITER_NATIVE_READER_PARTS_H

#include <stdint.h>

#include "formats/model/event.h"
#include "formats/native/section_list.h"
#include "formats/native/section_read.h"
#include "formats/native/trace_cursor.h"
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
	struct event *events;
	uint32_t count;
	uint32_t section; /* position in the list of sections */
	uint32_t cache_place;
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
/* With at least the members that `detail` wants. */
enum lo_result trace_block_acquire_detail(struct trace_reader *reader, uint32_t number,
		enum trace_detail detail, const struct cached_block **out, struct lo_error *err);
/*
 * The same before anybody asks for it. NULL when it cannot be had: then whoever asks is told why,
 * and the damage is listed no earlier than it would be without this.
 */
const struct cached_block *trace_block_prepare(
		struct trace_reader *reader, uint32_t number, enum trace_detail detail);
/* Accepts NULL. */
void trace_block_release(struct trace_reader *reader, const struct cached_block *block);

/*
 * Sections that are loaded when they are needed: section_list_of() tells where those of a type
 * are, and the entries what time and which numbers each is about. What one was decoded to is kept
 * in the reader's cache, together with blocks. Safe to use from several threads.
 */
struct section_decoder {
	/*
	 * Makes an object of an unpacked section (section->raw); `bytes` is what it takes in
	 * memory. LO_CORRUPT, LO_UNSUPPORTED: the section is damaged, as far as this reader goes.
	 */
	enum lo_result (*decode)(void **object, uint64_t *bytes, const struct trace_schema *schema,
			const struct section_payload *section, struct lo_error *err);
	void (*free_object)(void *object);
};

/*
 * Takes hold of a section, by its position in the list, until trace_section_release(). A section
 * is always asked for with the same decoder. LO_CORRUPT as for blocks.
 */
enum lo_result trace_section_acquire(const struct trace_reader *reader, uint32_t section,
		const struct section_decoder *decoder, const void **out, struct lo_error *err);
void trace_section_release(const struct trace_reader *reader, uint32_t section);

#endif
