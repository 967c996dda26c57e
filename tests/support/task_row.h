#ifndef LOITER_TESTS_TASK_ROW_H
#define LOITER_TESTS_TASK_ROW_H

#include "formats/native/trace_reader.h"

/* The row about a task as a value: zeroed when there is none. */
static inline struct task_info task_row(const struct trace_reader *reader, uint32_t id)
{
	struct task_info task;

	trace_reader_task(reader, id, &task);
	return task;
}

#endif
