#ifndef LOITER_RING_SYSTEM_CALL_H
#define LOITER_RING_SYSTEM_CALL_H

/*
 * A system call that leaves errno alone and is no cancellation point, for the few that are needed
 * inside the traced program. Returns what the kernel returns: negative errno values on failure.
 */
#ifdef __x86_64__
static inline long system_call(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}
#else
#error "system_call() is not written for this machine"
#endif

#endif
