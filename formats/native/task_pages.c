#include "formats/native/task_pages.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/limits.h"

/* ---- one page ---- */

/* A number of a file that must fit in 32 bits; what does not is treated as empty. */
static uint32_t narrow(uint64_t number)
{
	return number <= UINT32_MAX ? (uint32_t)number : 0;
}

static struct task_info task_of(const struct row *row, const struct trace_schema *schema)
{
	uint64_t kind = row->number[TASK_KIND];
	uint8_t own_kind = kind < 256 ? schema->task_kind[kind] : SCHEMA_UNKNOWN;

	return (struct task_info){ .id = (uint32_t)row->number[TASK_ID],
		.process = narrow(row->number[TASK_PROCESS]),
		.tid = narrow(row->number[TASK_TID]),
		.name = narrow(row->number[TASK_NAME]),
		.kind = own_kind < TASK_KIND_COUNT ? own_kind : (uint8_t)TASK_THREAD,
		.flags = (uint8_t)row->number[TASK_FLAGS] };
}

static struct task_page *make_room(struct task_page *page, uint32_t *capacity)
{
	if (page && page->count < *capacity)
		return page;
	*capacity = page ? *capacity * 2 : 64;
	page = realloc(page, sizeof(*page) + *capacity * sizeof(*page->rows));
	return page;
}

/* Where a row belongs: mostly it is the end. */
static uint32_t place_of(const struct task_page *page, uint32_t id)
{
	uint32_t low = 0;
	uint32_t high = page->count;

	if (high > 0 && page->rows[high - 1].id < id)
		return high;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (page->rows[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* An id in the high half, its place in the file in the low: a total order. */
static int compare_keys(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static bool is_sorted(const struct task_page *page)
{
	for (uint32_t i = 1; i < page->count; i++)
		if (page->rows[i - 1].id >= page->rows[i].id)
			return false;
	return true;
}

/* Sorts by id; of several rows for one id the last stays. False without memory. */
static bool sort_rows(struct task_page *page)
{
	struct task_info *rows;
	uint64_t *keys;
	uint32_t kept = 0;

	if (is_sorted(page))
		return true;
	keys = malloc(page->count * sizeof(*keys));
	rows = malloc(page->count * sizeof(*rows));
	if (keys && rows) {
		memcpy(rows, page->rows, page->count * sizeof(*rows));
		for (uint32_t i = 0; i < page->count; i++)
			keys[i] = (uint64_t)rows[i].id << 32 | i;
		qsort(keys, page->count, sizeof(*keys), compare_keys);
		for (uint32_t i = 0; i < page->count; i++)
			if (i + 1 == page->count || keys[i] >> 32 != keys[i + 1] >> 32)
				page->rows[kept++] = rows[(uint32_t)keys[i]];
		page->count = kept;
	}
	free(keys);
	free(rows);
	return kept > 0;
}

static enum lo_result no_memory(struct lo_error *err)
{
	return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for rows about tasks");
}

static enum lo_result read_rows(struct task_page **page, const struct trace_schema *schema,
		const struct section_payload *section, const struct section_range *range,
		struct lo_error *err)
{
	struct row_reader reader = { .map = &schema->tables[SECTION_TASKS],
		.cursor = byte_cursor_over(section->raw.bytes, section->raw.size) };
	uint32_t capacity = 0;
	uint32_t rows = 0;
	struct row row;

	*page = make_room(NULL, &capacity);
	if (!*page)
		return no_memory(err);
	(*page)->count = 0;
	for (; row_reader_next(&reader, &row); rows++) {
		uint64_t id = row.number[TASK_ID];
		struct task_page *grown = make_room(*page, &capacity);

		if (!grown)
			return no_memory(err);
		*page = grown;
		if (id == TASK_NONE || id > LIMIT_TASKS || id < range->low || id > range->high)
			return lo_fail(err, LO_CORRUPT, section->header.offset,
					"there is no task %llu here", (unsigned long long)id);
		grown->rows[grown->count++] = task_of(&row, schema);
	}
	if (reader.cursor.failed || rows != section->header.rows)
		return lo_fail(err, LO_CORRUPT, section->header.offset,
				"a table has other rows than announced");
	return sort_rows(*page) ? LO_OK : no_memory(err);
}

static enum lo_result decode_page(void **object, uint64_t *bytes, const struct trace_schema *schema,
		const struct section_payload *section, struct lo_error *err)
{
	struct section_range range;
	struct task_page *page = NULL;
	enum lo_result result = section_range_parse(&range, &section->header, err);

	if (result == LO_OK)
		result = read_rows(&page, schema, section, &range, err);
	if (result != LO_OK) {
		free(page);
		return result;
	}
	*object = page;
	*bytes = sizeof(*page) + page->count * sizeof(*page->rows);
	return LO_OK;
}

const struct section_decoder task_page_decoder = { decode_page, free };

/* ---- all pages ---- */

void task_pages_init(struct task_pages *pages)
{
	*pages = (struct task_pages){ 0 };
	pthread_mutex_init(&pages->lock, NULL);
}

void task_pages_release(struct task_pages *pages)
{
	free(pages->highest_before);
	free(pages->lowest_behind);
	pthread_mutex_destroy(&pages->lock);
}

static void find_pages(const struct section_list *list, struct task_pages *pages)
{
	uint32_t highest = 0;
	uint32_t lowest = UINT32_MAX;

	pages->sections = section_list_of(list, SECTION_TASKS, &pages->count);
	free(pages->highest_before);
	free(pages->lowest_behind);
	pages->highest_before = malloc(pages->count * sizeof(uint32_t) + 1);
	pages->lowest_behind = malloc(pages->count * sizeof(uint32_t) + 1);
	if (!pages->highest_before || !pages->lowest_behind)
		return;
	for (uint32_t i = 0; i < pages->count; i++) {
		const struct section_entry *entry = &list->entries[pages->sections[i]];

		highest = entry->high > highest ? entry->high : highest;
		pages->highest_before[i] = highest;
	}
	for (uint32_t i = pages->count; i-- > 0;) {
		const struct section_entry *entry = &list->entries[pages->sections[i]];

		lowest = entry->low < lowest ? entry->low : lowest;
		pages->lowest_behind[i] = lowest;
	}
	pages->known = true;
}

/* The first page behind which no id is as low as this one. */
static uint32_t end_of(const struct task_pages *pages, uint32_t id)
{
	uint32_t low = 0;
	uint32_t high = pages->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (pages->lowest_behind[middle] <= id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool find_in_page(const struct trace_reader *reader, uint32_t section, uint32_t id,
		struct task_info *task)
{
	const struct task_page *page;
	const void *object = NULL;
	uint32_t place;
	bool found;

	if (trace_section_acquire(reader, section, &task_page_decoder, &object, NULL) != LO_OK)
		return false;
	page = object;
	place = place_of(page, id);
	found = place < page->count && page->rows[place].id == id;
	if (found)
		*task = page->rows[place];
	trace_section_release(reader, section);
	return found;
}

bool task_pages_find(const struct trace_reader *reader, struct task_pages *pages, uint32_t id,
		struct task_info *task)
{
	const struct section_list *list = trace_reader_sections(reader);
	bool known;

	*task = (struct task_info){ 0 };
	pthread_mutex_lock(&pages->lock);
	if (!pages->known)
		find_pages(list, pages);
	known = pages->known;
	pthread_mutex_unlock(&pages->lock);
	if (!known || id == TASK_NONE)
		return false;
	for (uint32_t i = end_of(pages, id); i-- > 0 && pages->highest_before[i] >= id;) {
		const struct section_entry *entry = &list->entries[pages->sections[i]];

		if (entry->low <= id && id <= entry->high &&
				find_in_page(reader, pages->sections[i], id, task))
			return true;
	}
	return false;
}

static uint32_t highest_in_page(const struct trace_reader *reader, uint32_t section)
{
	const struct task_page *page;
	const void *object = NULL;
	uint32_t highest;

	if (trace_section_acquire(reader, section, &task_page_decoder, &object, NULL) != LO_OK)
		return 0;
	page = object;
	highest = page->count ? page->rows[page->count - 1].id : 0;
	trace_section_release(reader, section);
	return highest;
}

uint32_t task_pages_highest(const struct trace_reader *reader)
{
	const struct section_list *list = trace_reader_sections(reader);
	uint32_t count;
	const uint32_t *sections = section_list_of(list, SECTION_TASKS, &count);
	uint32_t highest = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t high = list->entries[sections[i]].high;

		if (high > LIMIT_TASKS)
			high = highest_in_page(reader, sections[i]);
		if (high > highest)
			highest = high;
	}
	return highest;
}
