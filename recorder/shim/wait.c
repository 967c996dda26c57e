#include "recorder/shim/wait.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unwind.h>

#include "recorder/ring/system_call.h"
#include "recorder/shim/shim.h"

/* A wait is two records. */
#define WAIT_RECORDS 2u

static inline bool tell_begin(struct thread *self, const struct wait *wait)
{
	if (wait->doubtful)
		return ring_producer_arm(&self->producer, &wait->event);
	return ring_producer_try_push(&self->producer, &wait->event, RING_SPARE_OTHER);
}

/* Opens or arms the wait at the present time; also when it goes on after an inner one. */
static void open_wait(struct thread *self, struct wait *wait)
{
	wait->event.time_ns = shim_ticks();
	/* First the stage: a handler may jump away as soon as the event is armed. */
	wait->stage = wait->doubtful ? WAIT_ARMED : WAIT_OPEN;
	if (__builtin_expect(tell_begin(self, wait), 1))
		return;
	if (!thread_change_ring(self) || !tell_begin(self, wait)) {
		wait->stage = WAIT_LOST;
		wait->lost = THREAD_ENTERED;
	}
}

static inline bool lasted(const struct wait *wait, uint64_t now)
{
	return !wait->doubtful || now - wait->event.time_ns >= shim.header->io_threshold_ticks;
}

/*
 * Asked after the call, when it took long. The program may have changed the flag meanwhile, or
 * closed the descriptor: then what is asked may be wrong, and is so once. Other files than sockets
 * and pipes wait in spite of the flag.
 */
static bool has_nonblock(int fd)
{
	long flags = system_call(SYS_fcntl, fd, F_GETFL, 0, 0);
	struct stat file;

	return flags >= 0 && (flags & O_NONBLOCK) &&
	       system_call(SYS_fstat, fd, (long)&file, 0, 0) == 0 &&
	       (S_ISSOCK(file.st_mode) || S_ISFIFO(file.st_mode));
}

/* About a millisecond, whatever the clock counts. */
#define WAITING_TICKS (1u << 21)

/*
 * Two threads that send a byte to and fro over pipes pay a tenth more when each wait asks the
 * kernel, so that a descriptor waits is believed for a moment. That it does not is asked each time:
 * then a wait can never be missed, and all that may go wrong is that the work of a call is taken
 * for a wait a moment longer, after the program has set the flag.
 */
__attribute__((cold, noinline)) static bool never_waits(struct thread *self, int fd, uint64_t now)
{
	struct waiting_descriptor *known = &self->waiting[(unsigned)fd & (WAITING_DESCRIPTORS - 1)];

	if (known->fd == fd && now < known->until_ticks)
		return false;
	if (has_nonblock(fd))
		return true;
	*known = (struct waiting_descriptor){ .until_ticks = now + WAITING_TICKS, .fd = fd };
	return false;
}

/* The call has returned at `now`, and the drain knows nothing of it. */
static inline bool was_wait(struct thread *self, const struct wait *wait, uint64_t now)
{
	return lasted(wait, now) &&
	       (!wait->heeds_nonblock || !never_waits(self, (int)wait->event.object, now));
}

/* The opposite of open_wait(). */
static void close_wait(struct thread *self, struct wait *wait, uint32_t waker, uint8_t flags)
{
	struct event end = {
		.time_ns = shim_ticks(), .peer = waker, .kind = EVENT_UNBLOCK, .flags = flags
	};

	switch ((enum wait_stage)wait->stage) {
	case WAIT_OPEN:
		break;
	case WAIT_ARMED:
		if (ring_producer_disarm(&self->producer))
			break; /* P4: the drain knows the BLOCK */
		if (!was_wait(self, wait, end.time_ns))
			return;
		ring_producer_push(&self->producer, &wait->event, RING_SPARE_OTHER);
		break;
	case WAIT_LOST:
		if (was_wait(self, wait, end.time_ns))
			thread_count_lost(self, (enum thread_entry)wait->lost, WAIT_RECORDS);
		return;
	case WAIT_OFF:
		return;
	}
	ring_producer_push(&self->producer, &end, RING_SPARE_UNBLOCK);
}

bool wait_push_other(struct thread *self, const struct event *event)
{
	bool pushed;

	if (self->wait)
		close_wait(self, self->wait, TASK_NONE, EVENT_FLAG_INTERRUPTED);
	pushed = ring_producer_try_push(&self->producer, event, RING_SPARE_OTHER) ||
		 (thread_change_ring(self) &&
				 ring_producer_try_push(&self->producer, event, RING_SPARE_OTHER));
	if (!pushed)
		thread_count_lost(self, THREAD_ENTERED, 1);
	if (self->wait)
		open_wait(self, self->wait);
	return pushed;
}

void wait_abandon_all(struct thread *self)
{
	if (!self->wait)
		return;
	close_wait(self, self->wait, TASK_NONE, EVENT_FLAG_INTERRUPTED);
	self->wait = NULL; /* those further out are suspended, so they are closed already */
}

static stack_t alternate_stack(void)
{
	stack_t stack = { .ss_flags = SS_DISABLE };

	system_call(SYS_sigaltstack, 0, (long)&stack, 0, 0);
	return stack;
}

static bool on_alternate_stack(void)
{
	return (alternate_stack().ss_flags & SS_ONSTACK) != 0;
}

/* There is a wait further out; `inner` begins. */
static void suspend_outer(struct thread *self, const struct wait *inner)
{
	/* Stacks grow down: what lies below the new frame has been left. */
	if ((uintptr_t)inner > (uintptr_t)self->wait && !on_alternate_stack())
		wait_abandon_all(self);
	else
		close_wait(self, self->wait, TASK_NONE, EVENT_FLAG_INTERRUPTED);
}

void wait_begin_at(struct wait *wait, const struct stack_registers *here)
{
	struct thread *self = &thread_self;
	enum thread_entry entry = thread_enter(self);

	if (__builtin_expect(entry != THREAD_ENTERED, 0)) {
		if (entry == THREAD_OFF)
			return;
		wait->event.time_ns = shim_ticks();
		wait->stage = WAIT_LOST;
		wait->lost = (uint8_t)entry;
		return;
	}
	if (__builtin_expect(self->wait != NULL, 0))
		suspend_outer(self, wait);
	wait->outer = self->wait;
	self->wait = wait;
	wait->event.stack = thread_stack(self, here, &wait->event.flags);
	open_wait(self, wait);
	thread_leave(self);
}

void wait_end(struct wait *wait, uint32_t waker, uint8_t flags)
{
	struct thread *self = &thread_self;

	if (wait->stage == WAIT_OFF || !shim_is_live())
		return;
	if (wait->stage == WAIT_LOST && wait->lost != THREAD_ENTERED) {
		close_wait(self, wait, waker, flags);
		return;
	}
	if (self->wait != wait)
		return;
	thread_set_busy(self); /* nobody has, as this wait has begun and nothing else (T1) */
	close_wait(self, wait, waker, flags);
	self->wait = wait->outer;
	if (__builtin_expect(self->wait != NULL, 0))
		open_wait(self, self->wait);
	thread_leave(self);
}

/*
 * A jump, and what becomes of a frame. Stacks grow down, so a jump to a place above the frame on
 * the same stack leaves it, and one to a place below it stays within what has interrupted it. A
 * frame on the alternate stack is left by every jump away from that stack; a frame on the thread's
 * own stack is not left by a jump within the alternate one, whose handler has interrupted it.
 *
 * Where a jump goes to a third stack nobody can say whether the frame will ever be returned to.
 * Such a jump is known by going down from where it comes, or from one side of the thread's static
 * TLS to the other: the C library has that above the stack of each thread but the first, whose
 * stack is above everything. Then all is closed, so that the thread is recorded on that stack.
 */
enum jump_way {
	JUMP_LEAVES,
	JUMP_STAYS,
	JUMP_ELSEWHERE,
};

struct jump {
	uintptr_t from;
	uintptr_t to;
	uintptr_t alternate; /* the alternate stack's begin */
	size_t alternate_size;
};

static bool is_alternate(const struct jump *jump, uintptr_t place)
{
	return place - jump->alternate < jump->alternate_size;
}

static bool is_below_tls(uintptr_t place)
{
	return place < (uintptr_t)&thread_self;
}

static enum jump_way way_past(const struct jump *jump, uintptr_t frame)
{
	bool from_alternate = is_alternate(jump, jump->from);
	bool to_alternate = is_alternate(jump, jump->to);

	if (to_alternate && !is_alternate(jump, frame))
		return from_alternate ? JUMP_STAYS : JUMP_ELSEWHERE;
	if (!to_alternate && is_alternate(jump, frame))
		return JUMP_LEAVES;
	if (is_below_tls(jump->to) != is_below_tls(frame))
		return JUMP_ELSEWHERE;
	if (from_alternate == to_alternate && jump->to < jump->from)
		return JUMP_ELSEWHERE;
	return jump->to > frame ? JUMP_LEAVES : JUMP_STAYS;
}

static struct jump jump_to(uintptr_t target)
{
	stack_t stack = alternate_stack();
	struct jump jump = { .to = target };

	__asm__("mov %%rsp, %0" : "=r"(jump.from));
	if (!(stack.ss_flags & SS_DISABLE)) {
		jump.alternate = (uintptr_t)stack.ss_sp;
		jump.alternate_size = stack.ss_size;
	}
	return jump;
}

/* Closes the waits whose frames are left; the first that is not goes on. `busy` is set. */
static void leave_waits(struct thread *self, const struct jump *jump)
{
	struct wait *innermost = self->wait;

	while (self->wait && way_past(jump, (uintptr_t)self->wait) == JUMP_LEAVES) {
		if (self->wait == innermost)
			close_wait(self, innermost, TASK_NONE, EVENT_FLAG_INTERRUPTED);
		self->wait = self->wait->outer;
	}
	if (!self->wait || self->wait == innermost)
		return;
	if (way_past(jump, (uintptr_t)self->wait) == JUMP_STAYS)
		open_wait(self, self->wait);
	else
		self->wait = NULL;
}

static void leave_all(struct thread *self)
{
	/* Code on the stack that is left may go on there in the middle of a push. */
	if (self->busy)
		self->keeps_ring = true;
	thread_set_busy(self);
	if (self->producer.ring)
		wait_abandon_all(self);
	thread_leave(self);
}

void wait_jumped(uintptr_t target)
{
	struct thread *self = &thread_self;
	struct jump jump;
	enum jump_way way;

	if ((!self->wait && !self->busy) || !shim_is_live())
		return;
	jump = jump_to(target);
	way = way_past(&jump, self->busy ? self->busy : (uintptr_t)self->wait);
	if (target == 0 || way == JUMP_ELSEWHERE) {
		leave_all(self);
		return;
	}
	/* Waits that began before the shim was interrupted are further out than its frame. */
	if (way == JUMP_STAYS)
		return;
	thread_set_busy(self);
	if (self->producer.ring)
		leave_waits(self, &jump);
	thread_leave(self);
}

/*
 * The unwinder calls this for each frame that it leaves and that says so. The innermost frame with
 * a wait comes first, and the innermost wait is the one to close.
 */
_Unwind_Reason_Code wait_unwound(int version, _Unwind_Action actions,
		_Unwind_Exception_Class exception_class, struct _Unwind_Exception *exception,
		struct _Unwind_Context *context);
_Unwind_Reason_Code wait_unwound(int version, _Unwind_Action actions,
		_Unwind_Exception_Class exception_class, struct _Unwind_Exception *exception,
		struct _Unwind_Context *context)
{
	struct thread *self = &thread_self;

	(void)version;
	(void)exception_class;
	(void)exception;
	(void)context;
	if ((actions & _UA_CLEANUP_PHASE) && self->wait && shim_is_live()) {
		struct wait *outer = self->wait->outer;

		thread_set_busy(self);
		close_wait(self, self->wait, TASK_NONE, EVENT_FLAG_INTERRUPTED);
		self->wait = outer;
		if (outer)
			outer->stage = WAIT_OFF;
		thread_leave(self);
	}
	return _URC_CONTINUE_UNWIND;
}
