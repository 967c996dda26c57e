#include "tests/unit/viewer/analysis/analysed.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/trace_builder.h"

static struct analysis *last_analysis;
static struct trace_reader *last_reader;

const struct analysis *analysed(const char *text)
{
	struct lo_error err;

	analysis_free(last_analysis);
	trace_reader_close(last_reader);
	last_analysis = NULL;
	last_reader = NULL;
	if (!text)
		return NULL;
	last_reader = trace_from_text(text);
	if (analysis_new(&last_analysis, last_reader, NULL, &err) != LO_OK) {
		fprintf(stderr, "the analysis failed: %s\n", err.message);
		abort();
	}
	return last_analysis;
}

const struct finding *finding_of(const struct analysis *analysis, enum finding_kind kind)
{
	for (uint32_t i = 0; i < analysis->finding_count; i++)
		if (analysis->findings[i].kind == kind)
			return &analysis->findings[i];
	return NULL;
}

uint32_t findings_of(const struct analysis *analysis, enum finding_kind kind)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < analysis->finding_count; i++)
		count += analysis->findings[i].kind == kind;
	return count;
}

static bool has_task(const uint32_t *tasks, uint32_t count, uint32_t task)
{
	for (uint32_t i = 0; i < count; i++)
		if (tasks[i] == task)
			return true;
	return false;
}

const struct finding *finding_with(
		const struct analysis *analysis, enum finding_kind kind, uint32_t task)
{
	for (uint32_t i = 0; i < analysis->finding_count; i++) {
		const struct finding *finding = &analysis->findings[i];

		if (finding->kind == kind && has_task(finding->tasks, finding->task_count, task))
			return finding;
	}
	return NULL;
}

const struct wait_group *parked_with(const struct analysis *analysis, uint32_t task)
{
	for (uint32_t i = 0; i < analysis->parked_count; i++) {
		const struct wait_group *group = &analysis->parked[i];

		if (has_task(group->tasks, group->task_count, task))
			return group;
	}
	return NULL;
}

bool why_has(const struct finding *finding, const char *words)
{
	for (uint32_t i = 0; i < finding->why_count; i++)
		if (strstr(finding->why[i], words))
			return true;
	return false;
}

void add_lines(char *text, size_t capacity, const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(text + used, capacity - used, format, arguments);
	va_end(arguments);
	if (size < 0 || (size_t)size >= capacity - used) {
		fprintf(stderr, "the trace text of the test does not fit\n");
		abort();
	}
}
