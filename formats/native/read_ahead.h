#ifndef LOITER_NATIVE_READ_AHEAD_H
#define LOITER_NATIVE_READ_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/native/reader_parts.h"
#include "formats/native/trace_cursor.h"

/*
 * A thread that decodes one block while somebody works on the one before, for passes over a whole
 * trace. It has one block in hand at the most, and everything about it is behind its lock. Used by
 * one cursor, from one thread.
 */
struct read_ahead;

/* LO_NO_MEMORY, also when there can be no thread. */
enum lo_result read_ahead_start(struct read_ahead **out, struct trace_reader *reader,
		enum trace_detail detail, struct lo_error *err);
/* Ends the thread, waits for it, and releases what it holds. Accepts NULL. */
void read_ahead_stop(struct read_ahead *ahead);

/* Decode this block next, if it is not the one that is wanted already. */
void read_ahead_want(struct read_ahead *ahead, uint32_t number);

/*
 * Takes over the block that was wanted, waiting for it to be ready. NULL when another one was
 * wanted, or none, or it cannot be had.
 */
const struct cached_block *read_ahead_take(struct read_ahead *ahead, uint32_t number);

#endif
