#ifndef LOITER_NATIVE_SECTION_LIST_H
#define LOITER_NATIVE_SECTION_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/byte_source.h"
#include "formats/base/progress.h"
#include "formats/native/block.h"
#include "formats/native/damage_list.h"
#include "formats/native/section.h"
#include "formats/native/trace_reader.h"

/*
 * The sections of a file in their order: from its index when that is sound and fits the file, else
 * by walking the headers from the start. Payloads are not looked at. In what is listed, blocks
 * never go back in time.
 */
struct section_entry {
	uint64_t offset;
	uint64_t begin_ns; /* of blocks and sections with a range, as is end_ns (inclusive) */
	uint64_t end_ns;
	uint32_t low;   /* of sections with a range, and the ids of tables by position; 0 */
	uint32_t high;  /* inclusive */
	uint32_t bytes; /* header and payload */
	uint32_t rows;
	uint32_t sequence;
	uint16_t type;
};

/* Losses stand in a list of their own: hardly any block has some. Sorted by section. */
struct section_loss {
	uint32_t section; /* position in the list */
	uint32_t cause;   /* as in the file's schema */
	uint64_t count;
};

struct section_list {
	struct section_entry *entries;
	uint32_t count;
	uint32_t capacity;
	struct section_loss *losses;
	uint32_t loss_count;
	uint32_t loss_capacity;
	uint32_t *positions; /* of entries, by type and then in order */
	uint32_t type_begin[SECTION_TYPE_COUNT + 1];
	enum trace_index_state index;
	bool cut; /* the file ends inside a section */
};

void section_list_release(struct section_list *list);

/* What is damaged goes to `damage`; fails only for want of memory, on read errors and on cancel. */
enum lo_result section_list_find(struct section_list *list, struct byte_source *source,
		struct damage_list *damage, const struct progress *progress, struct lo_error *err);

/* The same, never using the index: what `verify` compares it with. */
enum lo_result section_list_scan(struct section_list *list, struct byte_source *source,
		struct damage_list *damage, const struct progress *progress, struct lo_error *err);

/* A block covers its end too; spans do not. */
static inline struct time_span block_span(uint64_t begin_ns, uint64_t end_ns)
{
	return (struct time_span){ begin_ns, end_ns < UINT64_MAX ? end_ns + 1 : UINT64_MAX };
}

/* Positions of all sections of one type, in order. */
const uint32_t *section_list_of(
		const struct section_list *list, enum section_type type, uint32_t *count);

/* The losses of one section: a stretch of `list->losses`, NULL when there are none. */
const struct section_loss *section_list_losses(
		const struct section_list *list, uint32_t section, uint32_t *count);

#endif
