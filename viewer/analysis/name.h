#ifndef LOITER_ANALYSIS_NAME_H
#define LOITER_ANALYSIS_NAME_H

#include <stdint.h>

#include "formats/native/trace_reader.h"
#include "viewer/analysis/analysis.h"

/*
 * Short texts by value, to be used inside one expression:
 *	finding_why(list, finding, "%s has exited", name_task(reader, task).text);
 */
struct name {
	char text[256];
};

struct name name_task(const struct trace_reader *reader, uint32_t task);
/* "T2 printer, T5 and 3 more". */
struct name name_tasks(const struct trace_reader *reader, const uint32_t *tasks, uint32_t count);
struct name name_object(const struct wait *wait);
struct name name_duration(uint64_t duration_ns);
struct name name_time(uint64_t time_ns);
/* "3 tasks", "1 task". */
struct name name_count(uint64_t count, const char *singular, const char *plural);
/* The top user function of a stack, "an unknown place" without one. */
struct name name_site(const struct trace_reader *reader, uint32_t stack);

#endif
