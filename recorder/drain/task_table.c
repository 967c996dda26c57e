#include "recorder/drain/task_table.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/limits.h"
#include "formats/base/macros.h"

#define TID_PAGE_ENTRIES 1024u
#define TID_PAGES        (TASK_TID_MAX / TID_PAGE_ENTRIES)

struct task_page {
	struct task_page *next;
	uint32_t process;
	uint32_t first; /* number of entries[0] */
	uint32_t exited;
	struct task_entry entries[TASK_PAGE_ENTRIES];
};

bool task_table_init(struct task_table *table)
{
	memset(table, 0, sizeof(*table));
	table->next_id = 1;
	table->tids = calloc(TID_PAGES, sizeof(*table->tids));
	return table->tids != NULL;
}

void task_table_release(struct task_table *table)
{
	for (size_t i = 0; i < LO_COUNT_OF(table->buckets); i++) {
		while (table->buckets[i]) {
			struct task_page *next = table->buckets[i]->next;

			free(table->buckets[i]);
			table->buckets[i] = next;
		}
	}
	for (uint32_t i = 0; table->tids && i < TID_PAGES; i++)
		free(table->tids[i]);
	free(table->tids);
	table->tids = NULL;
}

static struct task_page **bucket_of(struct task_table *table, uint32_t process, uint32_t number)
{
	uint32_t hash = (number / TASK_PAGE_ENTRIES) * 2654435761u ^ process * 40503u;

	return &table->buckets[hash % LO_COUNT_OF(table->buckets)];
}

static struct task_page *find_page(struct task_table *table, uint32_t process, uint32_t number)
{
	struct task_page *page = *bucket_of(table, process, number);

	while (page && (page->process != process || number - page->first >= TASK_PAGE_ENTRIES))
		page = page->next;
	return page;
}

static struct task_page *add_page(struct task_table *table, uint32_t process, uint32_t number)
{
	struct task_page **bucket = bucket_of(table, process, number);
	struct task_page *page;

	if (table->page_count >= TASK_PAGES_MAX)
		return NULL;
	page = calloc(1, sizeof(*page));
	if (!page)
		return NULL;
	page->process = process;
	page->first = number - number % TASK_PAGE_ENTRIES;
	page->next = *bucket;
	*bucket = page;
	table->page_count++;
	return page;
}

struct task_entry *task_table_find(struct task_table *table, uint32_t process, uint32_t number)
{
	struct task_page *page = find_page(table, process, number);
	struct task_entry *entry = page ? &page->entries[number % TASK_PAGE_ENTRIES] : NULL;

	return entry && entry->id ? entry : NULL;
}

struct task_entry *task_table_add(struct task_table *table, uint32_t process, uint32_t number)
{
	struct task_page *page = find_page(table, process, number);
	struct task_entry *entry;

	if (!page)
		page = add_page(table, process, number);
	if (!page)
		return NULL;
	entry = &page->entries[number % TASK_PAGE_ENTRIES];
	if (entry->id == 0) {
		if (table->next_id >= LIMIT_TASKS)
			return NULL;
		entry->id = table->next_id++;
	}
	return entry;
}

void task_table_exited(struct task_table *table, uint32_t process, uint32_t number)
{
	struct task_page *page = find_page(table, process, number);

	if (page)
		page->exited++;
}

/* The highest number of a page of each process decides how old the others are. */
static uint32_t newest_number(const struct task_table *table, uint32_t process)
{
	uint32_t newest = 0;

	for (size_t i = 0; i < LO_COUNT_OF(table->buckets); i++)
		for (const struct task_page *page = table->buckets[i]; page; page = page->next)
			if (page->process == process && page->first > newest)
				newest = page->first;
	return newest;
}

static void drop_page(struct task_table *table, struct task_page **link)
{
	struct task_page *page = *link;

	*link = page->next;
	free(page);
	table->page_count--;
}

void task_table_retire(struct task_table *table)
{
	/* Far fewer pages than that are worth no search. */
	if (table->page_count <= 2 * TASK_NUMBERS_REMEMBERED / TASK_PAGE_ENTRIES)
		return;
	for (size_t i = 0; i < LO_COUNT_OF(table->buckets); i++) {
		struct task_page **link = &table->buckets[i];

		while (*link) {
			struct task_page *page = *link;

			if (page->exited >= TASK_PAGE_ENTRIES &&
					newest_number(table, page->process) - page->first >
							TASK_NUMBERS_REMEMBERED)
				drop_page(table, link);
			else
				link = &page->next;
		}
	}
}

void task_table_forget_process(struct task_table *table, uint32_t process)
{
	for (size_t i = 0; i < LO_COUNT_OF(table->buckets); i++) {
		struct task_page **link = &table->buckets[i];

		while (*link) {
			if ((*link)->process == process)
				drop_page(table, link);
			else
				link = &(*link)->next;
		}
	}
}

enum lo_result task_table_visit(struct task_table *table, uint32_t process,
		enum lo_result (*visit)(void *context, uint32_t number, struct task_entry *entry),
		void *context)
{
	enum lo_result result = LO_OK;

	for (size_t i = 0; i < LO_COUNT_OF(table->buckets); i++) {
		for (struct task_page *page = table->buckets[i]; page; page = page->next) {
			if (page->process != process)
				continue;
			for (uint32_t k = 0; k < TASK_PAGE_ENTRIES && result == LO_OK; k++)
				if (page->entries[k].id)
					result = visit(context, page->first + k, &page->entries[k]);
		}
	}
	return result;
}

void task_table_set_tid(struct task_table *table, uint32_t tid, uint32_t id)
{
	uint32_t **page = &table->tids[tid / TID_PAGE_ENTRIES % TID_PAGES];

	if (tid == 0 || tid >= TASK_TID_MAX)
		return;
	if (!*page)
		*page = calloc(TID_PAGE_ENTRIES, sizeof(**page));
	if (*page)
		(*page)[tid % TID_PAGE_ENTRIES] = id;
}

uint32_t task_table_by_tid(const struct task_table *table, uint32_t tid)
{
	const uint32_t *page = tid < TASK_TID_MAX ? table->tids[tid / TID_PAGE_ENTRIES] : NULL;

	return page ? page[tid % TID_PAGE_ENTRIES] : 0;
}
