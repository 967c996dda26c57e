#ifndef LOITER_TESTS_GO_TRACE_TEXT_H
#define LOITER_TESTS_GO_TRACE_TEXT_H

#include "formats/base/byte_buffer.h"
#include "formats/native/trace_reader.h"

/*
 * Go traces v2 as a test wants to write them. A batch is a line of numbers that become varints:
 *
 *	go 26                          the header; first
 *	batch 1 700 1000: 14 5 2 0 0   generation, thread, time: then the payload
 *	batch 1 none 1000: 25 3 1 4    of no thread
 *	strings 1: 1 chan receive; 2 main.main
 *	stacks 1: 1 4096 2 0 10        one stack a line: id, then pc, function, file, line per frame
 *	clock 1                        frequency 1000000000: a unit is a ns
 *	end                            the mark of header 26
 *	byte 0x37                      anything
 *
 * and traces v1, where every event is a line:
 *
 *	v1 14 10 5 1                   type, then its arguments, time delta included
 *	text 1 main.main               a string
 *	frames 1: 1 4096 1 2 10        a stack: id, number of frames, their numbers
 *
 * In a batch an event is its type, its time delta, its arguments.
 */
void go_trace_from_text(const char *text, struct byte_buffer *file);

/* Imports `file`; fails the test when that fails. Warnings are appended to `warnings`, a line each
 * (may be NULL). */
struct trace_reader *import_bytes(const struct byte_buffer *file, struct byte_buffer *warnings);

/*
 * All events of a trace as lines: "0 run 1 existing", "10 block 2 chan receive at main.f",
 * "20 unblock 2 by 1", "0 create 2 by 1 at main.main". Tasks are printed by their tid, with ' for
 * each earlier task that had the same one.
 */
void events_to_text(struct trace_reader *reader, struct byte_buffer *text);

#endif
