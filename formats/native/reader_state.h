#ifndef LOITER_NATIVE_READER_STATE_H
#define LOITER_NATIVE_READER_STATE_H

#include <stdatomic.h>
#include <stdint.h>

#include "formats/native/block.h"
#include "formats/native/damage_list.h"
#include "formats/native/reader_parts.h"
#include "formats/native/section_cache.h"
#include "formats/native/section_list.h"
#include "formats/native/section_read.h"
#include "formats/native/side_store.h"
#include "formats/native/task_pages.h"
#include "formats/native/trace_alive.h"
#include "formats/native/trace_reader.h"
#include "formats/native/trace_schema.h"
#include "formats/native/trace_tables.h"

/*
 * An open reader, as the two files that make it up see it: trace_reader.c opens it and answers
 * from what was loaded then, reader_sections.c reads blocks and other sections when they are asked
 * for. What changes after opening is the cache, the damage list and the store of counters and
 * notes, all of them locked, and atomics.
 */

/*
 * Work space of reading one section. Several threads may read at once, each in a space of its own;
 * one space is kept between two sections, since making one costs more than a small block.
 */
struct section_reading {
	struct section_payload section;
	struct block_header block;
	struct byte_buffer scratch;
	struct byte_unpacker *unpacker;
};

struct trace_reader {
	/* For what is loaded when it is asked for, though the caller sees a constant reader. */
	struct trace_reader *self;
	struct byte_source *source;
	struct section_list sections;
	struct trace_schema schema;
	struct trace_tables tables;
	struct trace_info info;

	const uint32_t *blocks; /* positions in `sections` */
	uint32_t block_count;
	struct section_cache cache;
	struct damage_list damage;
	atomic_bool *is_bad; /* by section: reported before */
	_Atomic(struct section_reading *) spare;
	struct side_store side;
	struct task_pages tasks;
	pthread_mutex_t lives_lock;
	struct lives_heads lives;
};

void section_reading_free(struct section_reading *reading);

/* Reads a section and makes sure that it is the one that the list promises. */
enum lo_result reader_read_section(struct section_payload *section, struct byte_source *source,
		const struct section_entry *entry, struct lo_error *err);

/* What the damage list says about a section. */
struct trace_damage section_damage(const struct section_entry *entry);

/* Is this result the fault of the file? */
bool is_damage(enum lo_result result);

#endif
