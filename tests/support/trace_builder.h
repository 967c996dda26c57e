#ifndef LOITER_TESTS_TRACE_BUILDER_H
#define LOITER_TESTS_TRACE_BUILDER_H

#include "formats/base/byte_buffer.h"
#include "formats/native/trace_reader.h"

/*
 * Traces as a test wants to read them, one thing a line:
 *
 *	program /usr/bin/shop                      path of the main program
 *	module libc /usr/lib/libc.so.6 system      a library; "system" is optional
 *	meta backend preload
 *	name T2 order-worker                       also: runtime T3, kind T4 goroutine
 *
 *	@0     run T1 existing
 *	@1ms   create T2 by T1 at main>start_workers>pthread_create!libc
 *	@1.5ms block T2 mutex 0x10 held T1 at main>worker(shop.c:12)>lock
 *	@2ms   block T1 for sleep timed
 *	       unblock T1 timed out
 *	@3ms   unblock T2 by T1
 *	       exit T2
 *	@4ms   lost 12 ring full
 *	@4ms   counter heap bytes 4096             a sample
 *	@4ms   note region of T2 since 1ms called checkout
 *	       note log of T1 called audit says it is paid
 *	@20ms  flush                               seals a block
 *	@30s   advance                             as a recorder does that sees nothing happen
 *	@31s   process exited 3                    also: killed 9, replaced
 *	@31s   end                                 without it the trace ends at the last time
 *	cut                                        last line: no end mark, as after a kill
 *
 * Times count from the start and stay until the next @. A `block` has an object ("mutex 0x10"), or
 * a reason ("for cond wait"), or both; without a reason the object's usual one is taken. It may be
 * followed by held TASK, signalled TASK (before anybody waited), timed, cut-stack. An `unblock` may
 * be "timed out" or "interrupted".
 *
 * Stacks are written outermost first. A frame is FUNCTION or an address like 0x1234 without a
 * symbol, then !MODULE (default: the main program) and (FILE:LINE). "helper~worker" is one frame,
 * helper inlined into worker. The same text is the same frame.
 *
 * Each task gets a row when first mentioned, in process 1, with 1000 + its number as tid. Text
 * after # is comment. What is wrong with a line is printed, and the test aborts.
 */

/* The open trace; close it as usual, nothing else needs to be freed. */
struct trace_reader *trace_from_text(const char *text);

/* The bytes of the file, for tests that want to harm them. */
void trace_text_to_bytes(const char *text, struct byte_buffer *file);

#endif
