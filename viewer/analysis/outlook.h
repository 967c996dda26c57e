#ifndef LOITER_ANALYSIS_OUTLOOK_H
#define LOITER_ANALYSIS_OUTLOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/base/error.h"
#include "viewer/analysis/evidence.h"

/*
 * For each task that is blocked at the end: can it be expected to go on?
 *
 * A task goes on when somebody lets it: who holds its lock, who is waited for, who used to wake it.
 * So first every wait gets a kind, by what it is and by whom it depends on. Then "can move" spreads
 * from the tasks that run, sleep or wait for the outside to those who depend on them, and from
 * there on, until nothing changes. Whoever is not reached depends only on tasks that are not
 * reached either: nobody can be expected to let it go on. That holds for cycles, for queues behind
 * them, for the locks of threads that have exited, and for waiters whose wakers all stand still.
 *
 * A task that nothing is known of can move: the answer to doubt is silence.
 */
enum outlook_kind {
	OUTLOOK_NONE, /* not blocked */

	/* These can move, whoever else stands still. */
	OUTLOOK_RUNTIME,
	OUTLOOK_REPLACED, /* its process became another program */
	OUTLOOK_UNKNOWN,  /* no reason, or one that this build does not know */
	OUTLOOK_LOST,     /* events were lost while it waited */
	OUTLOOK_OUTSIDE,
	OUTLOOK_TIME,
	OUTLOOK_FOREVER,
	OUTLOOK_TIMED,  /* the wait has a time limit */
	OUTLOOK_YOUNG,  /* too short to say */
	OUTLOOK_ENDING, /* `on` has ended, but only just: with it perhaps the program */
	OUTLOOK_HOLDER_UNKNOWN,
	OUTLOOK_HANDED,       /* others saw it with the lock since: it was about to go on */
	OUTLOOK_QUEUE_MOVES,  /* those before it went on not long ago */
	OUTLOOK_AT_WORK,      /* `on` may be at work with what it waits for */
	OUTLOOK_WOKEN_BEFORE, /* from this place, by somebody or nobody known */
	OUTLOOK_IDLE,         /* never woken, and nothing speaks against it */

	/* These depend on others. */
	OUTLOOK_HELD,   /* a lock; `on` holds it */
	OUTLOOK_JOIN,   /* the end of `on` */
	OUTLOOK_WAKERS, /* all those who woke waiters here before */
	OUTLOOK_MISSED, /* the same, and the last signal came when it did not wait yet: by `on` */
	OUTLOOK_HOLDS,  /* never woken, but it holds what others are stuck on */
	OUTLOOK_GROUP,  /* the end of tasks that it made, see joined.h */
	OUTLOOK_FORGOTTEN, /* never woken, while most of those that were made with it have ended */

	/* These depend on somebody, and nobody can be seen who would do it, see queue.h. */
	OUTLOOK_OVERTAKEN,
	OUTLOOK_STANDS,

	OUTLOOK_KIND_COUNT,
};

struct outlook {
	uint8_t kind;   /* enum outlook_kind */
	bool can_move;  /* blocked tasks only */
	bool accused;   /* cannot move, and something speaks against parking */
	bool in_cycle;  /* of locks and joins */
	bool late_loss; /* events were lost, but only after it had waited for long */
	bool certain;   /* `on` was seen as it is now: no event can have escaped between */
	uint32_t on;    /* TASK_NONE = nobody in particular */
	uint32_t root;  /* accused: where the chain of `on` ends; in a cycle its lowest id */
};

/* Fills evidence->outlooks, one for each task id below analysis->task_limit. */
enum lo_result outlook_judge(struct evidence *evidence, struct lo_error *err);

/* The outlook of a task; of no task, one of kind OUTLOOK_NONE. */
const struct outlook *outlook_of(const struct evidence *evidence, uint32_t task);

/* Can this task, whatever its state, let others go on? Who has exited acts through its creator. */
bool outlook_can_act(const struct evidence *evidence, uint32_t task);

#endif
