#ifndef LOITER_RING_SYSTEM_CALL_H
#define LOITER_RING_SYSTEM_CALL_H

/*
 * A system call that leaves errno alone and is no cancellation point, for the few that are needed
 * inside the traced program. Returns what the kernel returns: negative errno values on failure.
 */
#ifdef __x86_64__
static inline long system_call6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#else
#error "system_call() is not written for this machine"
#endif

static inline long system_call(long number, long a, long b, long c, long d)
{
	return system_call6(number, a, b, c, d, 0, 0);
}

#endif
