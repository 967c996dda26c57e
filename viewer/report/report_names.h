#ifndef LOITER_REPORT_REPORT_NAMES_H
#define LOITER_REPORT_REPORT_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/native/trace_reader.h"
#include "viewer/analysis/analysis.h"

/* The words that the text and the JSON form share. All are clean for a terminal. */
#define REASON_TEXT_MAX 128
#define TASK_NAME_MAX   128

/* "mutex lock"; what was blocked before the trace is "unknown (before the trace)". */
const char *reason_text(
		const struct trace_reader *reader, uint8_t reason, char text[REASON_TEXT_MAX]);

/* The name alone, "" when it has none. */
const char *task_name_text(
		const struct trace_reader *reader, uint32_t task, char text[TASK_NAME_MAX]);

/* wait->holder is who holds the object; of a condition it would be who signalled it. */
bool wait_has_holder(const struct trace_reader *reader, const struct wait *wait);

#endif
