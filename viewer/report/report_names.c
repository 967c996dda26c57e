#include "viewer/report/report_names.h"

#include <string.h>

#include "formats/base/printable.h"

const char *reason_text(
		const struct trace_reader *reader, uint8_t reason, char text[REASON_TEXT_MAX])
{
	const char *name = reason == REASON_NONE ? "unknown (before the trace)"
						 : trace_reader_reason_name(reader, reason);

	printable_copy(text, REASON_TEXT_MAX, name, strlen(name), 0);
	return text;
}

const char *task_name_text(
		const struct trace_reader *reader, uint32_t task, char text[TASK_NAME_MAX])
{
	struct task_info info;
	uint32_t length = 0;
	const char *name;

	trace_reader_task(reader, task, &info);
	name = trace_reader_string(reader, info.name, &length);
	printable_copy(text, TASK_NAME_MAX, name, length, 0);
	return text;
}

bool wait_has_holder(const struct trace_reader *reader, const struct wait *wait)
{
	return wait->holder != TASK_NONE &&
	       trace_reader_reason_class(reader, wait->reason) == WAIT_CLASS_LOCK;
}
