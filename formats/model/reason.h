#ifndef LOITER_MODEL_REASON_H
#define LOITER_MODEL_REASON_H

#include <stdint.h>

/*
 * Why a task blocks. Types only: this header is shared with the code inside the traced program.
 *
 * A file stores the names of the reasons it uses; the numbers are this build's own and may change.
 * Numbers from REASON_COUNT up to REASON_LIMIT - 1 stand for names that a file brings along and
 * this build does not know: they keep their name and are otherwise treated as WAIT_CLASS_UNKNOWN.
 */
enum wait_reason {
	REASON_NONE, /* not recorded, or older than the trace */

	REASON_MUTEX_LOCK,
	REASON_RWLOCK_READ,
	REASON_RWLOCK_WRITE,
	REASON_SPIN_LOCK,
	REASON_ONCE,
	REASON_COND_WAIT,
	REASON_SEMAPHORE_WAIT,
	REASON_BARRIER_WAIT,
	REASON_JOIN,
	REASON_FUTEX_WAIT,

	REASON_SLEEP,
	REASON_PAUSE,
	REASON_SIGNAL_WAIT,
	REASON_CHILD_WAIT,

	REASON_POLL,
	REASON_READ,
	REASON_WRITE,
	REASON_ACCEPT,
	REASON_CONNECT,
	REASON_RECEIVE,
	REASON_SEND,
	REASON_FILE_LOCK,

	/* Go; the names are those of the Go runtime. Mutexes, wait groups and once are one reason
	 * in its traces; only the stack tells them apart. */
	REASON_CHAN_SEND,
	REASON_CHAN_RECEIVE,
	REASON_SELECT,
	REASON_SYNC,
	REASON_SYNC_COND,
	REASON_NETWORK,
	REASON_FOREVER,
	REASON_COROUTINE,
	REASON_SYSCALL,
	REASON_PREEMPTED,
	REASON_SYSTEM_GOROUTINE_WAIT,
	REASON_GC_MARK_ASSIST_WAIT,
	REASON_GC_SWEEPER_WAIT,
	REASON_GC_END_WAIT,
	REASON_GC_WEAK_WAIT,
	REASON_SYNCTEST,
	REASON_DEBUG_CALL_WAIT,
	REASON_UNSPECIFIED,

	/* Go, only in goroutine dumps, which are finer than traces. */
	REASON_CHAN_SEND_NIL,
	REASON_CHAN_RECEIVE_NIL,
	REASON_SELECT_NO_CASES,
	REASON_IO_WAIT,
	REASON_SEMACQUIRE,
	REASON_SYNC_MUTEX_LOCK,
	REASON_SYNC_RWMUTEX_RLOCK,
	REASON_SYNC_RWMUTEX_LOCK,
	REASON_SYNC_WAIT_GROUP,
	REASON_SYNC_COND_DUMP,
	REASON_FINALIZER_WAIT,
	REASON_CLEANUP_WAIT,
	REASON_FORCE_GC_IDLE,
	REASON_GC_SWEEP_WAIT,
	REASON_GC_SCAVENGE_WAIT,
	REASON_GC_WORKER_IDLE,
	REASON_GC_ASSIST_WAIT,
	REASON_GC_ASSIST_MARKING,
	REASON_TRACE_READER,
	REASON_PROCS_UPDATER_IDLE,
	REASON_PANIC_WAIT,
	REASON_SYNCTEST_RUN,
	REASON_SYNCTEST_WAIT,
	REASON_STOPPING_THE_WORLD,
	REASON_DEBUG_CALL,

	REASON_COUNT,
};

#define REASON_LIMIT 256 /* an event stores its reason in one byte */

/*
 * What kind of wait a reason is: the first question of every verdict. A receiver that waits is a
 * program at rest; one that waits for a lock or to send has work in its hands.
 */
enum wait_class {
	WAIT_CLASS_UNKNOWN,
	WAIT_CLASS_LOCK,    /* mutex, rwlock, spin lock, once */
	WAIT_CLASS_SEND,    /* hand-over to a full queue or channel */
	WAIT_CLASS_JOIN,    /* the end of other tasks */
	WAIT_CLASS_RECEIVE, /* condition, semaphore, channel receive, barrier, queue */
	WAIT_CLASS_OUTSIDE, /* network, poll, read, child process, signal */
	WAIT_CLASS_TIME,    /* sleep, timer */
	WAIT_CLASS_FOREVER, /* pause(): an idiom to keep a program alive */
	WAIT_CLASS_COUNT,
};

struct reason_info {
	const char *name; /* "mutex lock": lower case, as in every output */
	const char *help; /* one line for a person */
	enum wait_class wait_class;
};

/* Indexed by enum wait_reason; complete for [0, REASON_COUNT). */
extern const struct reason_info reason_infos[REASON_COUNT];

/* The reason called `name` (`length` bytes, not terminated), or REASON_COUNT when unknown. */
enum wait_reason reason_by_name(const char *name, uint32_t length);

#endif
