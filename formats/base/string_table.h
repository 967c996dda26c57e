#ifndef LOITER_BASE_STRING_TABLE_H
#define LOITER_BASE_STRING_TABLE_H

#include <stdint.h>

#include "formats/base/error.h"

/*
 * Byte strings to dense ids from 1 and back; equal strings share an id. Strings may hold any bytes
 * (they come from programs and from files): clean them before they reach a terminal. A NUL is kept
 * behind each one for convenience. Not thread safe.
 */
#define STRING_NONE 0u

struct string_table;

enum lo_result string_table_new(struct string_table **out, struct lo_error *err);
void string_table_free(struct string_table *table);

/* Find or add. LO_UNSUPPORTED beyond LIMIT_STRINGS or LIMIT_STRING_BYTES. */
enum lo_result string_table_add(struct string_table *table, const char *bytes, uint32_t length,
		uint32_t *id, struct lo_error *err);

/*
 * For readers of a file, where ids are given: the next id stands for these bytes, without looking
 * for an equal string and without ever being found by string_table_add(); and the next `count` ids
 * stand for nothing, since their rows were lost.
 */
enum lo_result string_table_append(struct string_table *table, const char *bytes, uint32_t length,
		struct lo_error *err);
enum lo_result string_table_leave_out(
		struct string_table *table, uint32_t count, struct lo_error *err);

uint32_t string_table_count(const struct string_table *table);

/*
 * Never NULL: "" for STRING_NONE and for ids out of range. `length` may be NULL. The bytes stay
 * where they are until the table is freed.
 */
const char *string_table_get(const struct string_table *table, uint32_t id, uint32_t *length);

#endif
