#include "viewer/analysis/task_end.h"

uint64_t task_end_ns(const struct trace_reader *reader, uint32_t task, uint64_t duration_ns)
{
	const struct process_info *process = NULL;
	struct task_info info;

	if (trace_reader_task(reader, task, &info))
		process = trace_reader_process(reader, info.process);
	if (process && process->end != PROCESS_RUNNING && process->end_ns > 0 &&
			process->end_ns < duration_ns)
		return process->end_ns;
	return duration_ns;
}
