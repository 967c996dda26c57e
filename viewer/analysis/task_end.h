#ifndef LOITER_ANALYSIS_TASK_END_H
#define LOITER_ANALYSIS_TASK_END_H

#include <stdint.h>

#include "formats/native/trace_reader.h"

/*
 * Until when a task that never exited was watched: the end of its process, or of the trace, which
 * is `duration_ns`.
 */
uint64_t task_end_ns(const struct trace_reader *reader, uint32_t task, uint64_t duration_ns);

#endif
