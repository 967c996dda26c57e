#ifndef LOITER_SHIM_BIRTHS_H
#define LOITER_SHIM_BIRTHS_H

#include <stdbool.h>
#include <stdint.h>
#include <threads.h>

/*
 * What a creator hands to the thread that it creates: what to run, and which task it is.
 *
 * A fixed pool of records. A record belongs to the creator from birth_new() until the thread was
 * created, then to the new thread until birth_take(). When all records are on their way the thread
 * is created without one, and is noticed at its first event.
 */
struct birth {
	union {
		void *(*posix)(void *);
		thrd_start_t c11;
	} routine;
	void *argument;
	uint32_t task;
	bool created; /* a CREATE record tells of it */
};

bool births_init(void);

/* NULL: none left. */
struct birth *birth_new(void);

/* A copy; the record is free again. */
struct birth birth_take(struct birth *birth);

#endif
