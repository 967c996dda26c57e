#ifndef LOITER_MODEL_SYMBOL_TABLE_H
#define LOITER_MODEL_SYMBOL_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"

/*
 * What a frame is called: for each frame id a chain of source places, innermost first. More than
 * one place means that the compiler inlined: the last is the function that has the machine code.
 * All texts are string ids of the same trace. Not thread safe.
 */
struct symbol {
	uint32_t function; /* string id, 0 = unknown; demangled */
	uint32_t file;     /* string id, 0 = unknown */
	uint32_t line;     /* 0 = unknown */
};

#define SYMBOL_CHAIN_MAX 32

struct symbol_table;

enum lo_result symbol_table_new(struct symbol_table **out, struct lo_error *err);
void symbol_table_free(struct symbol_table *table);

/* Replaces what was known of `frame_id`. `count` is 1 to SYMBOL_CHAIN_MAX. */
enum lo_result symbol_table_set(struct symbol_table *table, uint32_t frame_id,
		const struct symbol *chain, uint32_t count, struct lo_error *err);

/* The chain of a frame and its length; 0 and NULL when nothing is known. Valid until the next set.
 */
uint32_t symbol_table_get(
		const struct symbol_table *table, uint32_t frame_id, const struct symbol **chain);

#endif
