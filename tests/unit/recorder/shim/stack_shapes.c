#include "tests/unit/recorder/shim/stack_shapes.h"

#include <alloca.h>
#include <search.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Keeps a local alive and its address unknown. */
#define USE(local) __asm__ volatile("" : : "r"(&(local)) : "memory")

#define FUNCTION static __attribute__((noinline))

static stack_leaf *leaf_now; /* one thread at a time */

FUNCTION int plain(int value)
{
	leaf_now();
	return value + 1;
}

FUNCTION int with_locals(int value)
{
	char bytes[200];

	memset(bytes, value, sizeof(bytes));
	USE(bytes);
	leaf_now();
	USE(bytes);
	return bytes[value & 63];
}

/* More values alive over the call than a function has registers to keep them. */
FUNCTION long with_many_registers(const long *values)
{
	long a = values[0] * 3, b = values[1] * 5, c = values[2] * 7, d = values[3] * 11;
	long e = values[4] * 13, f = values[5] * 17, g = values[6] * 19, h = values[7] * 23;

	leaf_now();
	return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h;
}

FUNCTION int with_alloca(size_t size)
{
	char *bytes = alloca(size);

	memset(bytes, 1, size);
	USE(bytes);
	leaf_now();
	return bytes[size / 2];
}

FUNCTION int with_array(size_t size)
{
	char bytes[size];

	memset(bytes, 1, size);
	USE(bytes);
	leaf_now();
	return bytes[size / 2];
}

FUNCTION int realigned(int value)
{
	_Alignas(64) char bytes[64];

	memset(bytes, value, sizeof(bytes));
	USE(bytes);
	leaf_now();
	return bytes[0];
}

FUNCTION int realigned_with_alloca(size_t size)
{
	_Alignas(128) char bytes[128];
	char *more = alloca(size);

	memset(bytes, 1, sizeof(bytes));
	memset(more, 2, size);
	USE(bytes);
	USE(more);
	leaf_now();
	return bytes[0] + more[0];
}

FUNCTION int large(int value)
{
	char bytes[100000];

	memset(bytes, value, sizeof(bytes));
	USE(bytes);
	leaf_now();
	return bytes[50000];
}

FUNCTION long arguments_on_stack(
		long a, long b, long c, long d, long e, long f, long g, long h, long i)
{
	leaf_now();
	return a + b + c + d + e + f + g + h + i;
}

struct big {
	long values[20];
};

FUNCTION struct big returns_big(struct big value)
{
	leaf_now();
	value.values[3]++;
	return value;
}

FUNCTION int variadic(int count, ...)
{
	va_list list;
	int sum = 0;

	va_start(list, count);
	for (int i = 0; i < count; i++)
		sum += va_arg(list, int);
	va_end(list);
	leaf_now();
	return sum;
}

/* Leaves early before it has made its frame. */
FUNCTION int shrink_wrapped(int value, int (*next)(int))
{
	if (value < 0)
		return value;

	long copies[4] = { value, value + 1, value + 2, value + 3 };

	USE(copies);
	int result = next(value);
	leaf_now();
	return result + (int)copies[2];
}

FUNCTION int tail_called(int value)
{
	leaf_now();
	return value;
}

FUNCTION int tail_calls(int value)
{
	return tail_called(value + 1);
}

FUNCTION int recursive(int depth)
{
	char bytes[24 + (size_t)(depth % 3) * 16];

	memset(bytes, depth, sizeof(bytes));
	USE(bytes);
	if (depth == 0 || depth % 29 == 0)
		leaf_now();
	return depth == 0 ? bytes[0] : recursive(depth - 1) + bytes[1];
}

FUNCTION int odd(int depth);

FUNCTION int even(int depth)
{
	if (depth == 0) {
		leaf_now();
		return 1;
	}
	int result = odd(depth - 1);
	leaf_now();
	return result;
}

FUNCTION int odd(int depth)
{
	int local = depth;

	USE(local);
	return depth == 0 ? 0 : even(depth - 1) + local;
}

static int compare_numbers(const void *a, const void *b)
{
	leaf_now();
	return *(const int *)a - *(const int *)b;
}

FUNCTION int under_libc(void)
{
	int numbers[] = { 5, 3, 9, 1, 7 };
	int wanted = 7;
	int *found;

	qsort(numbers, 5, sizeof(int), compare_numbers);
	found = bsearch(&wanted, numbers, 5, sizeof(int), compare_numbers);
	return found ? *found : 0;
}

static void visit_node(const void *node, VISIT order, int depth)
{
	(void)node;
	(void)depth;
	if (order == leaf || order == postorder)
		leaf_now();
}

FUNCTION void under_recursive_libc(void)
{
	static int numbers[] = { 4, 2, 6, 1, 3, 5, 7 };
	void *tree = NULL;

	for (size_t i = 0; i < 7; i++)
		tsearch(&numbers[i], &tree, compare_numbers);
	twalk(tree, visit_node);
	for (size_t i = 0; i < 7; i++)
		tdelete(&numbers[i], &tree, compare_numbers);
}

static void handle_signal(int number)
{
	int local = number;

	USE(local);
	leaf_now();
	USE(local);
}

FUNCTION void under_signal(int flags)
{
	struct sigaction action = { .sa_handler = handle_signal, .sa_flags = flags };
	struct sigaction old;

	sigaction(SIGUSR1, &action, &old);
	raise(SIGUSR1);
	sigaction(SIGUSR1, &old, NULL);
}

/* The interrupted instruction is one of ours, in the middle of a frame. */
FUNCTION int interrupted_by_fault(int value)
{
	struct sigaction action = { .sa_handler = handle_signal };
	struct sigaction old;
	char bytes[40];

	memset(bytes, value, sizeof(bytes));
	sigaction(SIGTRAP, &action, &old);
	USE(bytes);
#ifdef __x86_64__
	__asm__ volatile("int3" : : : "memory");
#else
	raise(SIGTRAP);
#endif
	USE(bytes);
	sigaction(SIGTRAP, &old, NULL);
	return bytes[3];
}

static jmp_buf jump;
static volatile bool jump_at_last = true; /* or the compiler sees an endless recursion */

FUNCTION void jumps(int depth)
{
	if (depth > 0)
		jumps(depth - 1);
	leaf_now();
	if (jump_at_last)
		longjmp(jump, 1);
}

FUNCTION void after_jump(void)
{
	if (setjmp(jump) == 0)
		jumps(5);
	leaf_now();
}

#define NAME_OF(variant)  stack_shapes_##variant
#define NAME_FOR(variant) NAME_OF(variant)

void NAME_FOR(STACK_SHAPES)(stack_leaf *call, bool with_large_frames)
{
	long values[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct big big = { .values = { 1 } };

	leaf_now = call;
	plain(1);
	with_locals(2);
	with_many_registers(values);
	for (size_t size = 8; size < 5000; size = size * 3 + 1) {
		with_alloca(size);
		with_array(size);
		realigned_with_alloca(size);
	}
	realigned(3);
	arguments_on_stack(1, 2, 3, 4, 5, 6, 7, 8, 9);
	returns_big(big);
	variadic(5, 1, 2, 3, 4, 5);
	shrink_wrapped(4, plain);
	shrink_wrapped(-4, plain);
	tail_calls(5);
	recursive(87);
	even(30);
	under_libc();
	under_recursive_libc();
	after_jump();
	under_signal(0);
	under_signal(SA_ONSTACK);
	interrupted_by_fault(6);
	if (with_large_frames) {
		large(1);
		recursive(500);
	}
}
