#ifndef LOITER_UI_PHRASE_H
#define LOITER_UI_PHRASE_H

#include <stddef.h>
#include <stdint.h>

#include "viewer/ui/app.h"

/* The phrases that several views use, so that one thing is said in one way. They return `out`. */
#define PHRASE_MAX 512

/* Formats; what does not fit is cut off, at a whole character. */
void phrase(char *out, size_t capacity, const char *format, ...) LO_PRINTF(3, 4);

/* "active", "blocked", "exited". */
const char *state_name(uint8_t state);

/* "mutex lock on 0x55d0c8a012c0", "join on T3 left", "read on descriptor 5", "sleep". */
const char *wait_phrase(const struct app *app, const struct wait *wait, char *out, size_t capacity);

/* What a task does at the end: "blocked 9.20 s in mutex lock", "exited at 0:04.217", "active". */
const char *fate_phrase(const struct app *app, uint32_t task, char *out, size_t capacity);

/* "T3 left" followed by its fate: "T3 left, exited at 0:04.217". */
const char *task_phrase(const struct app *app, uint32_t task, char *out, size_t capacity);

/* "ledger_post (ledger.c:204)": the top user frame; "" without a stack. */
const char *place_phrase(const struct app *app, uint32_t stack, char *out, size_t capacity);

/*
 * "mutex lock in ledger_post": reason and top user frame; the frame alone when both do not fit into
 * `columns`.
 */
const char *where_phrase(const struct app *app, const struct wait *wait, int columns, char *out,
		size_t capacity);

/* "pthread_mutex_lock < ledger_post < serve < main": innermost first. */
const char *stack_phrase(const struct app *app, uint32_t stack, char *out, size_t capacity);

/* "312 tasks", "1 task". */
const char *count_phrase(uint64_t count, const char *noun, char *out, size_t capacity);

/* How long since `since_ns`, up to the end of the trace. */
uint64_t until_end(const struct app *app, uint64_t since_ns);

/* Whom a wait needs: who holds the object, or the task to be joined; TASK_NONE when not known. */
uint32_t wait_needs(const struct wait *wait);

/*
 * A state at a moment: "blocked 9.20 s since 0:01.204, mutex lock on 0x55d0c8a012c0"; when it is
 * over, "blocked 999 ms, 0:01.001 to 0:02.000, sleep".
 */
const char *moment_phrase(const struct app *app, const struct lane_moment *moment, char *out,
		size_t capacity);

/* Of a wait: "held by T4 right; nobody has woken it", "woken by T8 timer". */
const char *others_phrase(const struct app *app, const struct lane_moment *moment, char *out,
		size_t capacity);

#endif
