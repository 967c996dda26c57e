#ifndef LOITER_NATIVE_TASK_PAGES_H
#define LOITER_NATIVE_TASK_PAGES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/model/task.h"
#include "formats/native/reader_parts.h"

/*
 * Rows about tasks, found by id without loading all of them: there may be millions, and a screen
 * shows some dozen. Each section of tasks is a page in the reader's cache; which of them may have
 * an id is known from their ranges, and of several rows for one id the last in the file counts.
 */
struct task_page {
	uint32_t count;
	struct task_info rows[]; /* ascending ids, none twice */
};

extern const struct section_decoder task_page_decoder;

/* Where to look. Made by the first question; behind its lock until then. */
struct task_pages {
	pthread_mutex_t lock;
	bool known;
	const uint32_t *sections; /* of tasks, in the order of the file */
	uint32_t count;
	uint32_t *highest_before; /* greatest id of a section and all before it */
	uint32_t *lowest_behind;  /* least id of a section and all behind it */
};

void task_pages_init(struct task_pages *pages);
void task_pages_release(struct task_pages *pages);

/* False when there is no such row, or it cannot be read; `task` is zeroed then. */
bool task_pages_find(const struct trace_reader *reader, struct task_pages *pages, uint32_t id,
		struct task_info *task);

/* The highest id named by a row: known from the ranges, unless the file is from before there were
 * any. */
uint32_t task_pages_highest(const struct trace_reader *reader);

#endif
