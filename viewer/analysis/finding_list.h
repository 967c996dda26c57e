#ifndef LOITER_ANALYSIS_FINDING_LIST_H
#define LOITER_ANALYSIS_FINDING_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "formats/base/macros.h"
#include "viewer/analysis/analysis.h"
#include "viewer/analysis/evidence.h"

/*
 * Findings under construction. A failure for lack of memory is kept and reported once at the end,
 * so that the rules need not check each line of text they write. Zeroed is empty.
 */
struct finding_list {
	struct finding *findings;
	size_t capacity;
	uint32_t count;
	bool failed;
	struct finding spare; /* stands in for one that there was no memory for */
};

void finding_list_release(struct finding_list *list);

/* A new finding at the end, never NULL; valid until the next one is added. */
struct finding *finding_list_add(struct finding_list *list, enum finding_kind kind);

void finding_summary(struct finding_list *list, struct finding *finding, const char *format, ...)
		LO_PRINTF(3, 4);
/* One line of the evidence. */
void finding_why(struct finding_list *list, struct finding *finding, const char *format, ...)
		LO_PRINTF(3, 4);

/* Copies the ids. */
void finding_tasks(struct finding_list *list, struct finding *finding, const uint32_t *tasks,
		uint32_t count);

/* Who woke waiters at this record before, most wakes first. */
void finding_wakers(struct finding_list *list, struct finding *finding,
		const struct evidence *evidence, const struct wait_record *record);

/* Frees what a finding owns. */
void finding_release(struct finding *finding);

#endif
