#ifndef LOITER_ANALYSIS_WAIT_CLASS_H
#define LOITER_ANALYSIS_WAIT_CLASS_H

#include <stdint.h>

#include "formats/base/error.h"
#include "formats/model/reason.h"
#include "formats/native/trace_reader.h"

/*
 * What kind of wait a wait is. Mostly its reason says so. But Go has one reason for mutexes, wait
 * groups, conditions and once, and there only the functions that it called tell them apart.
 *
 * Remembers what it found for a stack: one thread at a time.
 */
struct wait_classes {
	const struct trace_reader *reader;
	uint8_t *by_stack; /* enum wait_class + 1; 0 = nobody asked yet */
	uint32_t stack_count;
};

enum lo_result wait_classes_init(struct wait_classes *classes, const struct trace_reader *reader,
		struct lo_error *err);
void wait_classes_release(struct wait_classes *classes);

enum wait_class wait_class_of(const struct wait_classes *classes, uint8_t reason, uint32_t stack);

#endif
