#ifndef LOITER_SYMBOLS_DEBUG_UNITS_H
#define LOITER_SYMBOLS_DEBUG_UNITS_H

#include <elfutils/libdwfl.h>
#include <stdint.h>

#include "recorder/symbols/symbolizer.h"

/*
 * The compilation units of one file, as far as they were asked for.
 *
 * libdw finds the unit of an address by .debug_aranges, which clang and rustc do not write, and
 * searches a unit from its first entry on at each question, which large units make dear. So both
 * are indexed here: the ranges of all units when one is missed, the ranges of a unit's functions
 * when it is first needed.
 */
struct address_range {
	uint64_t begin;
	uint64_t end;
	uint32_t item;
};

struct range_list {
	struct address_range *ranges; /* sorted by `begin` when `sorted` */
	uint32_t count;
	uint32_t capacity;
	bool sorted;
};

struct debug_unit {
	Dwarf_Die skeleton; /* has the lines */
	Dwarf_Die die;      /* has the functions: the same, unless they are in a file apart */
	struct range_list functions;
	Dwarf_Die *function_dies;
	uint32_t function_count;
	uint32_t function_capacity;
	bool scanned;
};

struct debug_units {
	Dwfl_Module *module;
	struct debug_unit *units;
	uint32_t count;
	uint32_t capacity;
	struct range_list ranges; /* of all units */
	bool listed;
};

/* Inlined calls in one place; deeper ones are left out at the outer end. */
#define DEBUG_PLACES_MAX 32u

void debug_units_init(struct debug_units *units, Dwfl_Module *module);
void debug_units_release(struct debug_units *units);

/*
 * The places of an address, innermost first. Names are as the debug information has them, mangled
 * or not; they live as long as the module. Returns how many there are, 0 = nothing is known.
 */
uint32_t debug_units_places(struct debug_units *units, uint64_t address,
		struct symbol_place places[DEBUG_PLACES_MAX]);

#endif
