#include "formats/native/trace_tables.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/bytes.h"

enum lo_result trace_tables_init(struct trace_tables *tables, struct lo_error *err)
{
	enum lo_result result;

	*tables = (struct trace_tables){ 0 };
	result = string_table_new(&tables->strings, err);
	if (result == LO_OK)
		result = string_table_new(&tables->meta_strings, err);
	if (result == LO_OK)
		result = stack_table_new(&tables->stacks, err);
	if (result == LO_OK)
		result = symbol_table_new(&tables->symbols, err);
	return result;
}

void trace_tables_release(struct trace_tables *tables)
{
	string_table_free(tables->strings);
	string_table_free(tables->meta_strings);
	stack_table_free(tables->stacks);
	symbol_table_free(tables->symbols);
	free(tables->modules.rows);
	free(tables->processes.rows);
	free(tables->meta.rows);
}

/* Adds a copy of `row`, which has `size` bytes. */
static enum lo_result row_list_add(struct row_list *list, uint32_t limit, const void *row,
		size_t size, struct lo_error *err)
{
	if (list->count >= limit)
		return lo_fail(err, LO_CORRUPT, LO_NO_OFFSET, "a table has more than %u rows",
				limit);
	if (list->count == list->capacity) {
		uint32_t capacity = list->capacity ? list->capacity * 2 : 64;
		void *rows = realloc(list->rows, capacity * size);

		if (!rows)
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u rows",
					capacity);
		list->rows = rows;
		list->capacity = capacity;
	}
	memcpy((char *)list->rows + list->count++ * size, row, size);
	return LO_OK;
}

/* A number of a file that must fit in 32 bits; what does not is treated as empty. */
static uint32_t narrow(uint64_t number)
{
	return number <= UINT32_MAX ? (uint32_t)number : 0;
}

struct loading {
	struct trace_tables *tables;
	const struct trace_schema *schema;
	uint64_t next_id;                      /* of tables whose rows have ids by position */
	struct symbol chain[SYMBOL_CHAIN_MAX]; /* places of `chain_frame` so far */
	uint32_t chain_frame;
	uint32_t chain_count;
	struct lo_error *err;
};

static enum lo_result add_string(struct loading *loading, const struct row *row)
{
	if (row->number[STRING_BYTES] > LIMIT_STRING_LENGTH)
		return lo_fail(loading->err, LO_CORRUPT, LO_NO_OFFSET, "a string is too long");
	return string_table_append(loading->tables->strings, (const char *)row->bytes[STRING_BYTES],
			(uint32_t)row->number[STRING_BYTES], loading->err);
}

static enum lo_result add_module(struct loading *loading, const struct row *row)
{
	uint64_t size = row->number[MODULE_BUILD_ID];
	struct module_info module = { .path = narrow(row->number[MODULE_PATH]),
		.flags = (uint8_t)row->number[MODULE_FLAGS] };

	if (size > 0 && size <= MODULE_BUILD_ID_MAX) {
		module.build_id_size = (uint8_t)size;
		memcpy(module.build_id, row->bytes[MODULE_BUILD_ID], size);
	}
	return row_list_add(&loading->tables->modules, LIMIT_MODULES, &module, sizeof(module),
			loading->err);
}

static enum lo_result add_frame(struct loading *loading, const struct row *row)
{
	struct frame frame = { row->number[FRAME_OFFSET], narrow(row->number[FRAME_MODULE]) };

	return stack_table_append_frame(loading->tables->stacks, frame, loading->err);
}

static enum lo_result add_stack(struct loading *loading, const struct row *row)
{
	uint64_t id = loading->next_id;
	uint64_t up = row->number[STACK_UP];

	if (up == 0 || up > id)
		return lo_fail(loading->err, LO_CORRUPT, LO_NO_OFFSET,
				"a stack has no parent %llu rows up", (unsigned long long)up);
	return stack_table_append(loading->tables->stacks,
			(struct stack_node){
					(uint32_t)(id - up), narrow(row->number[STACK_FRAME]) },
			loading->err);
}

static enum lo_result add_process(struct loading *loading, const struct row *row)
{
	uint64_t end = row->number[PROCESS_END_KIND];
	uint8_t own_end = end < 256 ? loading->schema->process_end[end] : SCHEMA_UNKNOWN;
	struct process_info process = { .index = narrow(row->number[PROCESS_INDEX]),
		.parent = narrow(row->number[PROCESS_PARENT]),
		.pid = narrow(row->number[PROCESS_PID]),
		.program = narrow(row->number[PROCESS_PROGRAM]),
		.begin_ns = row->number[PROCESS_BEGIN],
		.end_ns = row->number[PROCESS_FINISH],
		.end = own_end < PROCESS_END_COUNT ? own_end : (uint8_t)PROCESS_RUNNING,
		.end_value = narrow(row->number[PROCESS_END_VALUE]) };

	return row_list_add(&loading->tables->processes, LIMIT_PROCESSES, &process, sizeof(process),
			loading->err);
}

/* A chain is complete when the next one begins, and at the end of its section. */
static enum lo_result finish_chain(struct loading *loading)
{
	enum lo_result result = LO_OK;

	if (loading->chain_count > 0)
		result = symbol_table_set(loading->tables->symbols, loading->chain_frame,
				loading->chain, loading->chain_count, loading->err);
	loading->chain_count = 0;
	return result == LO_USAGE ? LO_CORRUPT : result;
}

static enum lo_result add_symbol(struct loading *loading, const struct row *row)
{
	uint64_t place = row->number[SYMBOL_PLACE];
	enum lo_result result = place == 0 ? finish_chain(loading) : LO_OK;

	if (result != LO_OK)
		return result;
	if (place != loading->chain_count || place >= SYMBOL_CHAIN_MAX)
		return lo_fail(loading->err, LO_CORRUPT, LO_NO_OFFSET,
				"a symbol is not in the order of its chain");
	loading->chain_frame = narrow(row->number[SYMBOL_FRAME]);
	loading->chain[loading->chain_count++] = (struct symbol){
		narrow(row->number[SYMBOL_FUNCTION]), narrow(row->number[SYMBOL_FILE]),
		narrow(row->number[SYMBOL_LINE])
	};
	return LO_OK;
}

static enum lo_result add_text(
		struct loading *loading, const struct row *row, unsigned field, uint32_t *id)
{
	if (row->number[field] > LIMIT_STRING_LENGTH)
		return lo_fail(loading->err, LO_CORRUPT, LO_NO_OFFSET,
				"a text about the recording is too long");
	return string_table_add(loading->tables->meta_strings, (const char *)row->bytes[field],
			(uint32_t)row->number[field], id, loading->err);
}

static enum lo_result add_meta(struct loading *loading, const struct row *row)
{
	struct trace_meta meta;
	enum lo_result result = add_text(loading, row, META_KEY, &meta.key);

	if (result == LO_OK)
		result = add_text(loading, row, META_VALUE, &meta.value);
	if (result != LO_OK)
		return result;
	return row_list_add(
			&loading->tables->meta, LIMIT_META_ROWS, &meta, sizeof(meta), loading->err);
}

static uint32_t strings_so_far(const struct trace_tables *tables)
{
	return string_table_count(tables->strings);
}

static uint32_t modules_so_far(const struct trace_tables *tables)
{
	return tables->modules.count;
}

static uint32_t frames_so_far(const struct trace_tables *tables)
{
	return stack_table_frame_count(tables->stacks);
}

static uint32_t stacks_so_far(const struct trace_tables *tables)
{
	return stack_table_stack_count(tables->stacks);
}

static enum lo_result leave_out_strings(
		struct trace_tables *tables, uint32_t count, struct lo_error *err)
{
	return string_table_leave_out(tables->strings, count, err);
}

static enum lo_result leave_out_modules(
		struct trace_tables *tables, uint32_t count, struct lo_error *err)
{
	const struct module_info unknown = { 0 };
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < count && result == LO_OK; i++)
		result = row_list_add(
				&tables->modules, LIMIT_MODULES, &unknown, sizeof(unknown), err);
	return result;
}

static enum lo_result leave_out_frames(
		struct trace_tables *tables, uint32_t count, struct lo_error *err)
{
	return stack_table_leave_out_frames(tables->stacks, count, err);
}

static enum lo_result leave_out_stacks(
		struct trace_tables *tables, uint32_t count, struct lo_error *err)
{
	return stack_table_leave_out(tables->stacks, count, err);
}

/* What differs from table to table. Ids by position need the two at the end. */
static const struct table {
	enum lo_result (*add)(struct loading *loading, const struct row *row);
	uint32_t (*so_far)(const struct trace_tables *tables);
	enum lo_result (*leave_out)(
			struct trace_tables *tables, uint32_t count, struct lo_error *err);
} tables_by_type[SECTION_TYPE_COUNT] = {
	[SECTION_META] = { add_meta, NULL, NULL },
	[SECTION_STRINGS] = { add_string, strings_so_far, leave_out_strings },
	[SECTION_MODULES] = { add_module, modules_so_far, leave_out_modules },
	[SECTION_FRAMES] = { add_frame, frames_so_far, leave_out_frames },
	[SECTION_STACKS] = { add_stack, stacks_so_far, leave_out_stacks },
	[SECTION_PROCESSES] = { add_process, NULL, NULL },
	[SECTION_SYMBOLS] = { add_symbol, NULL, NULL },
};

bool trace_tables_have(unsigned section_type)
{
	return section_type < SECTION_TYPE_COUNT && tables_by_type[section_type].add != NULL;
}

/* Ids go on where the section before stopped, unless sections in between were lost. */
static enum lo_result go_to_first_id(
		struct loading *loading, const struct table *table, uint32_t first_id)
{
	uint32_t so_far = table->so_far(loading->tables);

	if (first_id <= so_far)
		return lo_fail(loading->err, LO_CORRUPT, LO_NO_OFFSET, "row %u comes a second time",
				first_id);
	loading->next_id = first_id;
	return table->leave_out(loading->tables, first_id - so_far - 1, loading->err);
}

enum lo_result trace_tables_add(struct trace_tables *tables, const struct trace_schema *schema,
		const struct section_payload *section, struct lo_error *err)
{
	const struct table *table = &tables_by_type[section->header.type];
	struct loading loading = { .tables = tables, .schema = schema, .err = err };
	struct row_reader reader = { .map = &schema->tables[section->header.type],
		.cursor = byte_cursor_over(section->raw.bytes, section->raw.size) };
	enum lo_result result = LO_OK;
	uint32_t rows = 0;
	struct row row;

	if (table->so_far)
		result = go_to_first_id(&loading, table,
				load_le32(section->header.extra + TABLE_AT_FIRST_ID));
	while (result == LO_OK && row_reader_next(&reader, &row)) {
		result = table->add(&loading, &row);
		loading.next_id++;
		rows++;
	}
	if (result == LO_OK)
		result = finish_chain(&loading);
	if (result == LO_OK && (reader.cursor.failed || rows != section->header.rows))
		result = lo_fail(err, LO_CORRUPT, section->header.offset,
				"a table has other rows than announced");
	return result;
}

/* ---- finding rows by id ---- */

/* Rows that are found by id begin with it. */
_Static_assert(offsetof(struct process_info, index) == 0, "a row begins with its id");

static uint32_t row_id(const struct row_list *list, uint32_t i, size_t size)
{
	uint32_t id;

	memcpy(&id, (const char *)list->rows + i * size, sizeof(id));
	return id;
}

static bool is_sorted(const struct row_list *list, size_t size)
{
	for (uint32_t i = 1; i < list->count; i++)
		if (row_id(list, i - 1, size) >= row_id(list, i, size))
			return false;
	return true;
}

/* An id in the high half, its place in the file in the low: a total order. */
static int compare_keys(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

/* Sorts by id; of several rows for one id the last in the file stays. */
static enum lo_result sort_rows(struct row_list *list, size_t size, struct lo_error *err)
{
	uint64_t *keys;
	char *sorted;
	uint32_t kept = 0;

	if (is_sorted(list, size))
		return LO_OK;
	keys = malloc(list->count * sizeof(*keys));
	sorted = malloc(list->count * size);
	if (!keys || !sorted) {
		free(keys);
		free(sorted);
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to sort %u rows",
				list->count);
	}
	for (uint32_t i = 0; i < list->count; i++)
		keys[i] = (uint64_t)row_id(list, i, size) << 32 | i;
	qsort(keys, list->count, sizeof(*keys), compare_keys);
	for (uint32_t i = 0; i < list->count; i++)
		if (i + 1 == list->count || keys[i] >> 32 != keys[i + 1] >> 32)
			memcpy(sorted + kept++ * size,
					(char *)list->rows + (uint32_t)keys[i] * size, size);
	free(keys);
	free(list->rows);
	list->rows = sorted;
	list->capacity = list->count;
	list->count = kept;
	return LO_OK;
}

enum lo_result trace_tables_finish(struct trace_tables *tables, struct lo_error *err)
{
	return sort_rows(&tables->processes, sizeof(struct process_info), err);
}

static const void *find_row(const struct row_list *list, size_t size, uint32_t id)
{
	uint32_t low = 0;
	uint32_t high = list->count;

	/* Mostly the ids are dense from 1. */
	if (id >= 1 && id <= list->count && row_id(list, id - 1, size) == id)
		return (const char *)list->rows + (id - 1) * size;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (row_id(list, middle, size) < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->count && row_id(list, low, size) == id
			       ? (const char *)list->rows + low * size
			       : NULL;
}

const struct process_info *trace_tables_process(const struct trace_tables *tables, uint32_t index)
{
	return find_row(&tables->processes, sizeof(struct process_info), index);
}

const struct module_info *trace_tables_module(const struct trace_tables *tables, uint32_t id)
{
	const struct module_info *modules = tables->modules.rows;

	return id >= 1 && id <= tables->modules.count ? &modules[id - 1] : NULL;
}
