#ifndef LOITER_IMPORT_GO_WIRE_H
#define LOITER_IMPORT_GO_WIRE_H

#include <stdint.h>

/*
 * Numbers of the Go execution trace format v2 (Go 1.22 and later), as they stand in files.
 */
enum go_wire {
	GO_WIRE_EVENT_BATCH = 1,
	GO_WIRE_STACKS = 2,
	GO_WIRE_STACK = 3,
	GO_WIRE_STRINGS = 4,
	GO_WIRE_STRING = 5,
	GO_WIRE_CPU_SAMPLES = 6,
	GO_WIRE_CPU_SAMPLE = 7,
	GO_WIRE_FREQUENCY = 8,
	GO_WIRE_PROCS_CHANGE = 9,
	GO_WIRE_PROC_START = 10,
	GO_WIRE_PROC_STOP = 11,
	GO_WIRE_PROC_STEAL = 12,
	GO_WIRE_PROC_STATUS = 13,
	GO_WIRE_GO_CREATE = 14,
	GO_WIRE_GO_CREATE_SYSCALL = 15,
	GO_WIRE_GO_START = 16,
	GO_WIRE_GO_DESTROY = 17,
	GO_WIRE_GO_DESTROY_SYSCALL = 18,
	GO_WIRE_GO_STOP = 19,
	GO_WIRE_GO_BLOCK = 20,
	GO_WIRE_GO_UNBLOCK = 21,
	GO_WIRE_GO_SYSCALL_BEGIN = 22,
	GO_WIRE_GO_SYSCALL_END = 23,
	GO_WIRE_GO_SYSCALL_END_BLOCKED = 24,
	GO_WIRE_GO_STATUS = 25,
	GO_WIRE_GC_ACTIVE = 28,
	GO_WIRE_GC_BEGIN = 29,
	GO_WIRE_GC_END = 30,
	GO_WIRE_GO_SWITCH = 45,
	GO_WIRE_GO_SWITCH_DESTROY = 46,
	GO_WIRE_GO_CREATE_BLOCKED = 47,
	GO_WIRE_GO_STATUS_STACK = 48,
	GO_WIRE_EXPERIMENTAL_BATCH = 49,
	GO_WIRE_SYNC = 50,
	GO_WIRE_CLOCK_SNAPSHOT = 51,
	GO_WIRE_END_OF_GENERATION = 52,
};

#define GO_WIRE_TYPES         137u /* one more than the largest event type */
#define GO_WIRE_ARGUMENTS_MAX 4u
#define GO_WIRE_NOT_AN_EVENT  0xffu

/* "No thread", "no P". */
#define GO_WIRE_NONE UINT64_MAX

/* Limits of the format itself; a file that exceeds one is damaged. */
#define GO_WIRE_BATCH_MAX  65536u
#define GO_WIRE_STRING_MAX 1024u

/* Arguments of an ordinary event after its time, by type; or GO_WIRE_NOT_AN_EVENT. */
extern const uint8_t go_wire_arguments[GO_WIRE_TYPES];

#endif
