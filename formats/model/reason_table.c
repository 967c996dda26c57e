#include "formats/model/reason.h"

#include <string.h>

const struct reason_info reason_infos[REASON_COUNT] = {
	[REASON_NONE] = { "unknown", "not recorded, or older than the trace", WAIT_CLASS_UNKNOWN },
	[REASON_MUTEX_LOCK] = { "mutex lock", "a mutex that another task holds", WAIT_CLASS_LOCK },
	[REASON_RWLOCK_READ] = { "rwlock read", "a reader-writer lock, to read", WAIT_CLASS_LOCK },
	[REASON_RWLOCK_WRITE] = { "rwlock write", "a reader-writer lock, to write",
			WAIT_CLASS_LOCK },
	[REASON_SPIN_LOCK] = { "spin lock", "a spin lock that another task holds",
			WAIT_CLASS_LOCK },
	[REASON_ONCE] = { "once", "another task runs the same one-time initialisation",
			WAIT_CLASS_LOCK },
	[REASON_COND_WAIT] = { "cond wait", "a condition variable", WAIT_CLASS_RECEIVE },
	[REASON_SEMAPHORE_WAIT] = { "semaphore wait", "a semaphore at zero", WAIT_CLASS_RECEIVE },
	[REASON_BARRIER_WAIT] = { "barrier wait", "the other tasks at a barrier",
			WAIT_CLASS_RECEIVE },
	[REASON_JOIN] = { "join", "the end of another task", WAIT_CLASS_JOIN },
	[REASON_FUTEX_WAIT] = { "futex wait", "a futex word, by system call", WAIT_CLASS_RECEIVE },
	[REASON_SLEEP] = { "sleep", "time to pass", WAIT_CLASS_TIME },
	[REASON_PAUSE] = { "pause", "any signal", WAIT_CLASS_FOREVER },
	[REASON_SIGNAL_WAIT] = { "signal wait", "one of a set of signals", WAIT_CLASS_OUTSIDE },
	[REASON_CHILD_WAIT] = { "child wait", "a child process", WAIT_CLASS_OUTSIDE },
	[REASON_POLL] = { "poll", "any of several descriptors (poll, select, epoll)",
			WAIT_CLASS_OUTSIDE },
	[REASON_READ] = { "read", "data from a descriptor", WAIT_CLASS_OUTSIDE },
	[REASON_WRITE] = { "write", "room for data in a descriptor", WAIT_CLASS_OUTSIDE },
	[REASON_ACCEPT] = { "accept", "a connection to arrive", WAIT_CLASS_OUTSIDE },
	[REASON_CONNECT] = { "connect", "a connection to be made", WAIT_CLASS_OUTSIDE },
	[REASON_RECEIVE] = { "network receive", "data from a socket", WAIT_CLASS_OUTSIDE },
	[REASON_SEND] = { "network send", "room for data in a socket", WAIT_CLASS_OUTSIDE },
	[REASON_FILE_LOCK] = { "file lock", "a lock on a file", WAIT_CLASS_LOCK },
	[REASON_CHAN_SEND] = { "chan send", "a receiver, or room in a channel", WAIT_CLASS_SEND },
	[REASON_CHAN_RECEIVE] = { "chan receive", "a value from a channel, or its end",
			WAIT_CLASS_RECEIVE },
	[REASON_SELECT] = { "select", "any of several channels", WAIT_CLASS_RECEIVE },
	[REASON_SYNC] = { "sync", "a mutex, rwlock, wait group or once of Go", WAIT_CLASS_LOCK },
	[REASON_SYNC_COND] = { "sync.(*Cond).Wait", "a condition variable of Go",
			WAIT_CLASS_RECEIVE },
	[REASON_NETWORK] = { "network", "a socket, pipe or terminal to be ready",
			WAIT_CLASS_OUTSIDE },
	[REASON_FOREVER] = { "forever", "nothing: an empty select or a nil channel",
			WAIT_CLASS_FOREVER },
	[REASON_COROUTINE] = { "coroutine", "its turn in a hand-over between coroutines",
			WAIT_CLASS_RECEIVE },
	[REASON_SYSCALL] = { "syscall", "a system call or a call into C", WAIT_CLASS_OUTSIDE },
	[REASON_PREEMPTED] = { "preempted", "the garbage collector to scan its stack",
			WAIT_CLASS_OUTSIDE },
	[REASON_SYSTEM_GOROUTINE_WAIT] = { "system goroutine wait",
			"work for a goroutine of the Go runtime", WAIT_CLASS_OUTSIDE },
	[REASON_GC_MARK_ASSIST_WAIT] = { "GC mark assist wait for work",
			"garbage collection work to do before it may allocate",
			WAIT_CLASS_OUTSIDE },
	[REASON_GC_SWEEPER_WAIT] = { "GC background sweeper wait", "memory to sweep",
			WAIT_CLASS_OUTSIDE },
	[REASON_GC_END_WAIT] = { "wait until GC ends", "the end of a garbage collection",
			WAIT_CLASS_OUTSIDE },
	[REASON_GC_WEAK_WAIT] = { "GC weak to strong wait",
			"the garbage collector, to follow a weak pointer", WAIT_CLASS_OUTSIDE },
	[REASON_SYNCTEST] = { "synctest", "the goroutines of a test bubble", WAIT_CLASS_RECEIVE },
	[REASON_DEBUG_CALL_WAIT] = { "wait for debug call", "a debugger's call to end",
			WAIT_CLASS_OUTSIDE },
	[REASON_UNSPECIFIED] = { "unspecified", "something that the Go runtime does not name",
			WAIT_CLASS_UNKNOWN },
};

enum wait_reason reason_by_name(const char *name, uint32_t length)
{
	unsigned reason = 0;

	while (reason < REASON_COUNT &&
			(strlen(reason_infos[reason].name) != length ||
					memcmp(reason_infos[reason].name, name, length) != 0))
		reason++;
	return (enum wait_reason)reason;
}
