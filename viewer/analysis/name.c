#include "viewer/analysis/name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "formats/base/duration.h"
#include "formats/base/printable.h"
#include "viewer/analysis/site.h"

#define TASKS_NAMED 4u

struct name name_task(const struct trace_reader *reader, uint32_t task)
{
	struct name name;

	task_format(reader, task, name.text, sizeof(name.text));
	return name;
}

struct name name_tasks(const struct trace_reader *reader, const uint32_t *tasks, uint32_t count)
{
	uint32_t named = count > TASKS_NAMED ? TASKS_NAMED - 1 : count;
	struct name name = { "" };
	char text[sizeof(name.text) * TASKS_NAMED] = "";
	size_t used = 0;

	for (uint32_t i = 0; i < named; i++) {
		const char *between = i == 0 ? "" : i + 1 == count ? " and " : ", ";

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", between,
				name_task(reader, tasks[i]).text);
	}
	if (named < count)
		snprintf(text + used, sizeof(text) - used, " and %" PRIu32 " more", count - named);
	printable_copy(name.text, sizeof(name.text), text, strlen(text), 0);
	return name;
}

struct name name_object(const struct wait *wait)
{
	struct name name;

	object_format(wait->object_kind, wait->object, name.text, sizeof(name.text));
	return name;
}

struct name name_duration(uint64_t duration_ns)
{
	char text[DURATION_TEXT_MAX];
	struct name name;

	snprintf(name.text, sizeof(name.text), "%s", duration_format(text, duration_ns));
	return name;
}

struct name name_time(uint64_t time_ns)
{
	char text[DURATION_TEXT_MAX];
	struct name name;

	snprintf(name.text, sizeof(name.text), "%s", time_point_format(text, time_ns));
	return name;
}

struct name name_count(uint64_t count, const char *singular, const char *plural)
{
	struct name name;

	snprintf(name.text, sizeof(name.text), "%" PRIu64 " %s", count,
			count == 1 ? singular : plural);
	return name;
}

struct name name_site(const struct trace_reader *reader, uint32_t stack)
{
	struct place place;
	struct name name;

	stack_user_place(reader, stack, &place);
	snprintf(name.text, sizeof(name.text), "%s",
			place.function[0] ? place.function : "an unknown place");
	return name;
}
