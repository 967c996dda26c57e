#include "formats/base/string_table.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/checksum.h"
#include "formats/base/id_index.h"
#include "formats/base/limits.h"

/* Strings lie in chunks that never move, so that pointers to them stay valid. */
#define CHUNK_BYTES 65536u

struct string_chunk {
	struct string_chunk *next;
	char bytes[];
};

struct string_entry {
	const char *bytes;
	uint32_t length;
};

struct string_table {
	struct string_chunk *chunks; /* newest first; all are freed with the table */
	char *room;                  /* free part of the newest */
	size_t room_left;
	size_t total_bytes;
	struct string_entry *entries; /* id - 1 */
	uint32_t count;
	uint32_t capacity;
	struct id_index index;
};

enum lo_result string_table_new(struct string_table **out, struct lo_error *err)
{
	*out = calloc(1, sizeof(**out));
	return *out ? LO_OK : lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for strings");
}

void string_table_free(struct string_table *table)
{
	if (!table)
		return;
	while (table->chunks) {
		struct string_chunk *next = table->chunks->next;

		free(table->chunks);
		table->chunks = next;
	}
	free(table->entries);
	id_index_release(&table->index);
	free(table);
}

/* Room for `size` bytes that will not move. A large string has a chunk to itself. */
static char *take_room(struct string_table *table, size_t size)
{
	char *room;

	if (size > table->room_left) {
		size_t bytes = size > CHUNK_BYTES ? size : CHUNK_BYTES;
		struct string_chunk *chunk = malloc(sizeof(*chunk) + bytes);

		if (!chunk)
			return NULL;
		chunk->next = table->chunks;
		table->chunks = chunk;
		table->room = chunk->bytes;
		table->room_left = bytes;
	}
	room = table->room;
	table->room += size;
	table->room_left -= size;
	return room;
}

static enum lo_result reserve_entries(
		struct string_table *table, uint32_t count, struct lo_error *err)
{
	uint32_t capacity = table->capacity ? table->capacity : 64;
	struct string_entry *entries;

	if (count > LIMIT_STRINGS)
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET, "more than %u strings",
				LIMIT_STRINGS);
	if (count <= table->capacity)
		return LO_OK;
	while (capacity < count)
		capacity *= 2;
	entries = realloc(table->entries, capacity * sizeof(*entries));
	if (!entries)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u strings", count);
	table->entries = entries;
	table->capacity = capacity;
	return LO_OK;
}

enum lo_result string_table_append(struct string_table *table, const char *bytes, uint32_t length,
		struct lo_error *err)
{
	enum lo_result result = reserve_entries(table, table->count + 1, err);
	char *room;

	if (result != LO_OK)
		return result;
	if (length > LIMIT_STRING_LENGTH || table->total_bytes + length > LIMIT_STRING_BYTES)
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
				"a string of %u bytes is more than the limits of %u, and %u for all",
				length, LIMIT_STRING_LENGTH, LIMIT_STRING_BYTES);
	room = take_room(table, (size_t)length + 1);
	if (!room)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET,
				"no memory for a string of %u bytes", length);
	if (length > 0)
		memcpy(room, bytes, length);
	room[length] = '\0';
	table->total_bytes += length;
	table->entries[table->count++] = (struct string_entry){ room, length };
	return LO_OK;
}

enum lo_result string_table_leave_out(
		struct string_table *table, uint32_t count, struct lo_error *err)
{
	enum lo_result result = count <= LIMIT_STRINGS - table->count
						? reserve_entries(table, table->count + count, err)
						: reserve_entries(table, LIMIT_STRINGS + 1, err);

	if (result != LO_OK)
		return result;
	for (uint32_t i = 0; i < count; i++)
		table->entries[table->count++] = (struct string_entry){ "", 0 };
	return LO_OK;
}

enum lo_result string_table_add(struct string_table *table, const char *bytes, uint32_t length,
		uint32_t *id, struct lo_error *err)
{
	uint32_t hash = (uint32_t)checksum64(bytes, length);
	enum lo_result result;
	uint32_t probe;
	uint32_t found;

	for (found = id_index_first(&table->index, hash, &probe); found;
			found = id_index_next(&table->index, hash, &probe)) {
		const struct string_entry *entry = &table->entries[found - 1];

		if (entry->length == length &&
				(length == 0 || memcmp(entry->bytes, bytes, length) == 0)) {
			*id = found;
			return LO_OK;
		}
	}
	result = string_table_append(table, bytes, length, err);
	if (result == LO_OK)
		result = id_index_add(&table->index, hash, table->count, err);
	*id = result == LO_OK ? table->count : STRING_NONE;
	return result;
}

uint32_t string_table_count(const struct string_table *table)
{
	return table->count;
}

const char *string_table_get(const struct string_table *table, uint32_t id, uint32_t *length)
{
	const struct string_entry empty = { "", 0 };
	const struct string_entry *entry = id >= 1 && id <= table->count ? &table->entries[id - 1]
									 : &empty;

	if (length)
		*length = entry->length;
	return entry->bytes;
}
