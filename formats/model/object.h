#ifndef LOITER_MODEL_OBJECT_H
#define LOITER_MODEL_OBJECT_H

#include <stdint.h>

/*
 * What is waited on: a kind and a 64-bit value (an address, a descriptor number, a task id).
 * Types only: this header is shared with the code inside the traced program. A file stores the
 * names of the kinds it uses; the numbers are this build's own.
 */
enum object_kind {
	OBJECT_NONE,
	OBJECT_MUTEX,      /* value: address */
	OBJECT_RWLOCK,     /* value: address */
	OBJECT_COND,       /* value: address */
	OBJECT_SEMAPHORE,  /* value: address */
	OBJECT_BARRIER,    /* value: address */
	OBJECT_ONCE,       /* value: address */
	OBJECT_SPIN_LOCK,  /* value: address */
	OBJECT_FUTEX,      /* value: address */
	OBJECT_TASK,       /* value: task id (join) */
	OBJECT_DESCRIPTOR, /* value: file descriptor number */
	OBJECT_PROCESS,    /* value: process id, 0 for any */
	OBJECT_KIND_COUNT,
};

enum object_value_form {
	OBJECT_VALUE_NONE,
	OBJECT_VALUE_ADDRESS,
	OBJECT_VALUE_NUMBER
};

struct object_info {
	const char *name; /* "mutex": as in every output */
	enum object_value_form form;
};

/* Indexed by enum object_kind; complete for [0, OBJECT_KIND_COUNT). */
extern const struct object_info object_infos[OBJECT_KIND_COUNT];

#endif
