#ifndef LOITER_SYMBOLS_SYMBOL_PROCESS_H
#define LOITER_SYMBOLS_SYMBOL_PROCESS_H

#include "recorder/symbols/symbolizer.h"

/*
 * symbolizer_look_up() in a child process, with limits on its time and memory.
 *
 * Whatever a broken file does to the library that reads it, crash, endless loop or hunger for
 * memory, costs the names in that file and nothing else; and what reading hundreds of megabytes of
 * debug information takes is given back at once. Answers are checked like any other input.
 *
 * LO_CORRUPT with a sentence: the child died of it; what it had said before was taken.
 * LO_CANCELLED: `keep_on` said so; it is asked several times a second and may be NULL.
 * The rest is as for symbolizer_look_up(). Call it from a process with one thread.
 */
enum lo_result symbol_process_look_up(const struct symbol_job *job,
		const struct symbol_receiver *receiver, bool (*keep_on)(void *context),
		void *keep_on_context, struct lo_error *err);

#endif
