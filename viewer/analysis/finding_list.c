#include "viewer/analysis/finding_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viewer/analysis/array.h"
#include "viewer/analysis/finding_table.h"

/* Of many wakers the first few tell the story. */
#define WAKERS_KEPT 10u

struct finding *finding_list_add(struct finding_list *list, enum finding_kind kind)
{
	struct finding *findings = array_grow(list->findings, &list->capacity,
			(size_t)list->count + 1, sizeof(*findings));
	struct finding *finding = &list->spare;

	if (findings) {
		list->findings = findings;
		finding = &findings[list->count++];
	} else {
		list->failed = true;
		finding_release(finding);
	}
	*finding = (struct finding){
		.kind = kind,
		.severity = finding_row(kind)->severity,
		.until_ns = UINT64_MAX,
	};
	return finding;
}

static char *format_text(struct finding_list *list, const char *format, va_list arguments)
{
	char *text = NULL;

	if (vasprintf(&text, format, arguments) >= 0)
		return text;
	list->failed = true;
	return NULL;
}

void finding_summary(struct finding_list *list, struct finding *finding, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	free(finding->summary);
	finding->summary = format_text(list, format, arguments);
	va_end(arguments);
}

void finding_why(struct finding_list *list, struct finding *finding, const char *format, ...)
{
	char **why = realloc(finding->why, (finding->why_count + 1) * sizeof(*why));
	va_list arguments;

	if (!why) {
		list->failed = true;
		return;
	}
	finding->why = why;
	va_start(arguments, format);
	why[finding->why_count] = format_text(list, format, arguments);
	va_end(arguments);
	if (why[finding->why_count])
		finding->why_count++;
}

void finding_tasks(struct finding_list *list, struct finding *finding, const uint32_t *tasks,
		uint32_t count)
{
	uint32_t *copy = malloc(((size_t)count + 1) * sizeof(*copy));

	if (!copy) {
		list->failed = true;
		return;
	}
	memcpy(copy, tasks, count * sizeof(*copy));
	free(finding->tasks);
	finding->tasks = copy;
	finding->task_count = count;
}

static bool wakes_more(const struct waker *a, const struct expected_waker *b)
{
	return a->wakes != b->wakes ? a->wakes > b->wakes : a->task < b->task;
}

/* Keeps the list sorted and at most WAKERS_KEPT long. */
static void insert_waker(struct finding *finding, const struct waker *waker, uint8_t state)
{
	uint32_t i = finding->waker_count;

	if (i == WAKERS_KEPT && !wakes_more(waker, &finding->wakers[i - 1]))
		return;
	if (i == WAKERS_KEPT)
		i--;
	else
		finding->waker_count++;
	for (; i > 0 && wakes_more(waker, &finding->wakers[i - 1]); i--)
		finding->wakers[i] = finding->wakers[i - 1];
	finding->wakers[i] = (struct expected_waker){
		.task = waker->task,
		.wakes = waker->wakes,
		.last_ns = waker->last_ns,
		.state = state,
	};
}

void finding_wakers(struct finding_list *list, struct finding *finding,
		const struct evidence *evidence, const struct wait_record *record)
{
	const struct waker *waker;

	if (!record || record->first_waker == HISTORY_NONE)
		return;
	free(finding->wakers);
	finding->waker_count = 0;
	finding->wakers = malloc(WAKERS_KEPT * sizeof(*finding->wakers));
	if (!finding->wakers) {
		list->failed = true;
		return;
	}
	for (uint32_t id = record->first_waker;
			(waker = wait_history_waker(&evidence->history, id)); id = waker->next)
		insert_waker(finding, waker, evidence_task(evidence, waker->task)->state);
}

void finding_release(struct finding *finding)
{
	for (uint32_t i = 0; i < finding->why_count; i++)
		free(finding->why[i]);
	free(finding->why);
	free(finding->summary);
	free(finding->tasks);
	free(finding->cycle);
	free(finding->wakers);
	*finding = (struct finding){ 0 };
}

void finding_list_release(struct finding_list *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		finding_release(&list->findings[i]);
	free(list->findings);
	finding_release(&list->spare);
	*list = (struct finding_list){ 0 };
}
