#include "formats/model/symbol_table.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/limits.h"

/* Where the chain of a frame lies in `symbols`. */
struct symbol_chain {
	uint32_t first;
	uint32_t count;
};

struct symbol_table {
	struct symbol_chain *chains; /* by frame id */
	uint32_t chain_capacity;
	struct symbol *symbols;
	uint32_t symbol_count;
	uint32_t symbol_capacity;
};

enum lo_result symbol_table_new(struct symbol_table **out, struct lo_error *err)
{
	*out = calloc(1, sizeof(**out));
	return *out ? LO_OK : lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for symbols");
}

void symbol_table_free(struct symbol_table *table)
{
	if (!table)
		return;
	free(table->chains);
	free(table->symbols);
	free(table);
}

static enum lo_result reserve_chains(
		struct symbol_table *table, uint32_t frame_id, struct lo_error *err)
{
	uint32_t capacity = table->chain_capacity ? table->chain_capacity : 64;
	struct symbol_chain *chains;

	if (frame_id < table->chain_capacity)
		return LO_OK;
	while (capacity <= frame_id)
		capacity *= 2;
	chains = realloc(table->chains, capacity * sizeof(*chains));
	if (!chains)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET,
				"no memory for symbols of %u frames", capacity);
	memset(chains + table->chain_capacity, 0,
			(capacity - table->chain_capacity) * sizeof(*chains));
	table->chains = chains;
	table->chain_capacity = capacity;
	return LO_OK;
}

static enum lo_result reserve_symbols(
		struct symbol_table *table, uint32_t more, struct lo_error *err)
{
	uint32_t capacity = table->symbol_capacity ? table->symbol_capacity : 64;
	struct symbol *symbols;

	if (more > LIMIT_SYMBOLS - table->symbol_count)
		return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET, "more than %u symbols",
				LIMIT_SYMBOLS);
	if (table->symbol_count + more <= table->symbol_capacity)
		return LO_OK;
	while (capacity < table->symbol_count + more)
		capacity *= 2;
	symbols = realloc(table->symbols, capacity * sizeof(*symbols));
	if (!symbols)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u symbols",
				capacity);
	table->symbols = symbols;
	table->symbol_capacity = capacity;
	return LO_OK;
}

enum lo_result symbol_table_set(struct symbol_table *table, uint32_t frame_id,
		const struct symbol *chain, uint32_t count, struct lo_error *err)
{
	enum lo_result result;

	if (frame_id == 0 || frame_id > LIMIT_FRAMES || count == 0 || count > SYMBOL_CHAIN_MAX)
		return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "frame %u cannot have %u symbols",
				frame_id, count);
	result = reserve_chains(table, frame_id, err);
	if (result == LO_OK)
		result = reserve_symbols(table, count, err);
	if (result != LO_OK)
		return result;
	/* A replaced chain stays where it is, unused: that is rare, and moving others is not. */
	memcpy(table->symbols + table->symbol_count, chain, count * sizeof(*chain));
	table->chains[frame_id] = (struct symbol_chain){ table->symbol_count, count };
	table->symbol_count += count;
	return LO_OK;
}

uint32_t symbol_table_get(
		const struct symbol_table *table, uint32_t frame_id, const struct symbol **chain)
{
	*chain = NULL;
	if (frame_id >= table->chain_capacity || table->chains[frame_id].count == 0)
		return 0;
	*chain = table->symbols + table->chains[frame_id].first;
	return table->chains[frame_id].count;
}
