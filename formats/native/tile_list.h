#ifndef LOITER_NATIVE_TILE_LIST_H
#define LOITER_NATIVE_TILE_LIST_H

#include <stdint.h>

#include "formats/model/time_span.h"
#include "formats/native/tile_section.h"

/* Where the tiles of a trace are, by level and time. Made from the list of sections alone. */
struct tile_level_list {
	uint32_t *sections; /* positions in the list of sections; later in time, no overlaps */
	uint32_t count;
};

struct tile_list {
	struct trace_reader *reader;
	struct tile_level_list levels[LIMIT_TILE_LEVELS];
};

enum lo_result tile_list_init(
		struct tile_list *list, struct trace_reader *reader, struct lo_error *err);
void tile_list_release(struct tile_list *list);

/* The first section of a level that ends after a time. */
uint32_t tile_list_find(const struct tile_list *list, unsigned level, uint64_t time_ns);

/*
 * A stretch of time and where the answers about it come from: a tile, events, or neither. Behind
 * the last block of a finished trace nothing happens.
 */
enum tile_part_kind {
	TILE_PART_TILE,
	TILE_PART_BLOCK,   /* the events of one block, from span.begin_ns on */
	TILE_PART_QUIET,   /* no events */
	TILE_PART_UNKNOWN, /* events that would take too long to read, or are lost */
};

struct tile_part {
	struct time_span span;
	enum tile_part_kind kind;
	uint32_t block;          /* its number; may have events at span.end_ns too */
	const struct tile *tile; /* also of other kinds, when a coarse one is there; or NULL */
};

/*
 * How to answer a question about a view: its time as a row of parts. Few events are read. A tile is
 * used when its bins are at most a TILE_PLAN_BINSth of a column, otherwise those of the level
 * below. Below level 0 there are events, as long as not too many have to be decoded; then a tile
 * that is too coarse is better than none. The number of parts does not depend on the length of the
 * trace.
 */
#define TILE_PLAN_BINS 6u

/* To read a block costs something even if there is hardly an event in it: as much as so many. */
#define TILE_BLOCK_COST 512u

struct tile_plan {
	const struct tile_list *list;
	struct time_span view;
	uint64_t bin_most_ns;
	uint64_t events_left; /* that may still be decoded */
	bool prefer_tiles;    /* however coarse */
	struct tile_part *parts;
	uint32_t count;
	uint32_t capacity;
	uint32_t *held; /* sections */
	uint32_t held_count;
	uint32_t held_capacity;
};

/*
 * At most `events_most` events are decoded, or whatever it takes if that is UINT64_MAX, and none
 * where there is a tile if `prefer_tiles`. LO_NO_MEMORY. A damaged section is as if it was not
 * there. Release in any case.
 */
enum lo_result tile_plan_make(struct tile_plan *plan, const struct tile_list *list,
		struct time_span view, uint32_t columns, uint64_t events_most, bool prefer_tiles,
		struct lo_error *err);
void tile_plan_release(struct tile_plan *plan);

#endif
