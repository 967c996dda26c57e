#ifndef LOITER_SHIM_THREAD_H
#define LOITER_SHIM_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "recorder/ring/ring_producer.h"
#include "recorder/shim/shim.h"
#include "recorder/shim/stack_capture.h"

struct wait;

/*
 * What the shim knows of one thread.
 *
 * It lies in the static TLS block (initial-exec), so reaching it neither calls nor allocates, and
 * it begins as zeros in every new thread. It stays far below 1 KiB, because a library that is
 * loaded late gets only a small surplus of that block.
 *
 *   T1  `busy` is set while the thread is inside the shim's own code, never while it is in the
 *       function that a hook wraps. A signal handler that blocks meanwhile finds it set, records
 *       nothing and counts what it left out. It is the stack pointer of the frame that has set it:
 *       a handler that jumps lets go of it only if it leaves that frame.
 *   T2  `wait` is the innermost open wait; the waits further out are suspended, see wait.h.
 *   T3  A ring is taken at the first event and given back at the end. Between them lies every
 *       event of the thread; after EXIT its hooks do nothing.
 */
enum thread_phase {
	THREAD_NEW,
	THREAD_LIVE,
	THREAD_ENDED
};

/* A descriptor whose calls were seen to wait; believed until `until_ticks`. */
struct waiting_descriptor {
	uint64_t until_ticks; /* 0 = none */
	int fd;
};
#define WAITING_DESCRIPTORS 4u /* a power of two; found by the low bits of their numbers */

struct thread {
	struct ring_producer producer;
	struct stack_memo *memo; /* NULL: no memory for one, then there are no stacks */
	struct wait *wait;
	uint64_t retry_ticks; /* no ring was found: do not look again before */
	uint32_t task;        /* number in this process; 0 = none yet */
	uint32_t tid;
	volatile uintptr_t busy; /* T1; read and written by handlers of the same thread */
	uint8_t phase;           /* enum thread_phase */
	bool keeps_ring; /* code on another stack may still be about to use the ring and memo */
	struct waiting_descriptor waiting[WAITING_DESCRIPTORS];
};
_Static_assert(sizeof(struct thread) <= 192, "static TLS is scarce");

extern __thread struct thread thread_self
		__attribute__((tls_model("initial-exec"), visibility("hidden")));

enum thread_entry {
	THREAD_ENTERED, /* thread_leave() must follow */
	THREAD_OFF,     /* nothing is recorded, nothing is lost */
	THREAD_NESTED,  /* T1 */
	THREAD_NO_RING,
};

/* What is not in the way of most. */
enum thread_entry thread_enter_slowly(struct thread *self);

/* One store of the stack pointer, which costs no more than one of a constant. */
static inline __attribute__((always_inline)) void thread_set_busy(struct thread *self)
{
	__asm__ volatile("mov %%rsp, %0" : "=m"(self->busy));
	atomic_signal_fence(memory_order_acquire);
}

/* Asks to record something. At the first time the thread takes a ring and says RUN. */
static inline enum thread_entry thread_enter(struct thread *self)
{
	if (__builtin_expect(!shim_is_live() || !self->producer.ring || self->busy ||
					     !shim_is_wanted(),
			    0))
		return thread_enter_slowly(self);
	thread_set_busy(self);
	return THREAD_ENTERED;
}

static inline void thread_leave(struct thread *self)
{
	atomic_signal_fence(memory_order_release);
	self->busy = 0;
}

/* The call stack from `here` outwards; the thread has been entered. */
static inline uint32_t thread_stack(
		struct thread *self, const struct stack_registers *here, uint8_t *event_flags)
{
	return self->memo ? stack_capture(self->memo, here, event_flags) : STACK_NONE;
}

/*
 * The ring is full: goes on in another one, where the memo of stacks is empty. False: there is none
 * for the moment, or the thread has to keep the one it has.
 */
bool thread_change_ring(struct thread *self);

/* So many records were not made, for this reason; THREAD_ENTERED: the ring is full. */
void thread_count_lost(struct thread *self, enum thread_entry why, uint32_t records);

/* The calling thread's number; 0 = not recorded. Begins the thread if need be. */
uint32_t thread_begin_task(void);

static inline uint32_t thread_task(void)
{
	uint32_t task = thread_self.task;

	return __builtin_expect(task != 0, 1) ? task : thread_begin_task();
}

/*
 * The number of another thread, which has not been joined. 0 = not known (yet).
 *
 * The thread descriptor that a pthread_t points to is the thread pointer, and our static TLS
 * variable lies at the same distance from it in every thread. So this is as safe as the C library's
 * own use of a pthread_t, and no safer: after the join, or the end of a detached thread, both read
 * memory that may be gone.
 */
uint32_t thread_task_of(pthread_t thread);

/* First thing in a new thread: it is task `task`. `created`: a CREATE record tells of it. */
void thread_born(uint32_t task, bool created);

/* Last thing in the calling thread. */
void thread_end(void);

/* The new child's only thread. */
void thread_forget_parent(void);

/* Before the first thread: makes the key whose destructor ends threads. */
bool thread_key_init(void);

/* Says NAME. `task` 0: the calling thread. */
void thread_say_name(struct thread *self, uint32_t task, const char *name);

#endif
