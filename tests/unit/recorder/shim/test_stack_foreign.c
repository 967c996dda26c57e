/*
 * Stacks that nobody told us of, and code without unwind data: whatever lies there, a walk ends and
 * touches nothing that it must not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "recorder/shim/stack_capture.h"
#include "recorder/shim/stack_reach.h"

#define DEPTH 64u
#define PAGE  4096u

static struct process_slot slot;
static struct stack_memo memo;
static struct stack_walk walk;
static bool walked;

static __attribute__((noinline)) void walk_here(void)
{
	struct stack_registers here;

	STACK_REGISTERS_HERE(here);
	walked = stack_walk(&memo, &here, &walk);
}

/*
 * `size` bytes that lie between pages which cannot be touched; far below the caller's stack, as all
 * that matters for a thread is what lies between there and its descriptor.
 */
static char *fenced_new(size_t size)
{
	char *hint = (char *)__builtin_frame_address(0) - (1u << 30);
	char *pages = mmap(hint - (uintptr_t)hint % PAGE, size + 2 * PAGE, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_int_equal(mprotect(pages + PAGE, size, PROT_READ | PROT_WRITE), 0);
	return pages + PAGE;
}

static void fenced_free(char *memory, size_t size)
{
	munmap(memory - PAGE, size + 2 * PAGE);
}

static ucontext_t main_context;
static ucontext_t coroutine_context;

static __attribute__((noinline)) int deep(int depth)
{
	volatile int local = depth;

	if (depth > 0)
		deep(depth - 1);
	else
		walk_here();
	return local;
}

static void run_coroutine(void)
{
	deep(5);
	swapcontext(&coroutine_context, &main_context);
	deep(40);
}

static void start_coroutine(char *stack, size_t size)
{
	getcontext(&coroutine_context);
	coroutine_context.uc_stack.ss_sp = stack;
	coroutine_context.uc_stack.ss_size = size;
	coroutine_context.uc_link = &main_context;
	makecontext(&coroutine_context, run_coroutine, 0);
	swapcontext(&main_context, &coroutine_context);
}

/*
 * All frames up to glibc's start of a context, whose unwind data does not say that it is the last:
 * the stack counts as cut there.
 */
static void a_coroutine_is_walked_to_its_first_function(void **state)
{
	const size_t size = 64 * 1024;
	char *stack = fenced_new(size);

	(void)state;
	start_coroutine(stack, size);
	assert_true(walked);
	/* walk_here, deep six times, run_coroutine, the start */
	assert_int_equal(walk.count, 9);
	for (int i = 3; i < 7; i++)
		assert_int_equal(walk.addresses[i], walk.addresses[2]);
	assert_in_range(walk.addresses[7], (uintptr_t)run_coroutine,
			(uintptr_t)run_coroutine + 200);
	swapcontext(&main_context, &coroutine_context);
	assert_true(walked);
	assert_int_equal(walk.count, 44);

	/* And what was learnt of that stack does not outlive it. */
	fenced_free(stack, size);
	deep(2);
	assert_true(walked);
	assert_int_equal(walk.flags, 0);
}

static void *coroutine_in_thread(void *unused)
{
	const size_t size = 64 * 1024;
	char *stack = fenced_new(size);

	deep(1);
	start_coroutine(stack, size);
	deep(1);
	fenced_free(stack, size);
	return unused;
}

static void a_coroutine_of_a_thread_is_walked(void **state)
{
	pthread_t thread;

	(void)state;
	stack_memo_reset(&memo);
	assert_int_equal(pthread_create(&thread, NULL, coroutine_in_thread, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(walked);
	assert_int_equal(walk.flags, 0);
	stack_memo_reset(&memo); /* another thread has it from now on */
}

#ifdef __x86_64__
static int cut_count;

/* Calls `function` with its stack pointer at `stack`, where the return address is put. */
static __attribute__((noinline)) void call_on_stack(uintptr_t *stack, void (*function)(void))
{
	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "movq %0, %%rsp\n\t"
			 "callq *%1\n\t"
			 "movq %%rbx, %%rsp"
			 :
			 : "r"(stack), "r"(function)
			 : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
			 "memory", "cc");
}

/* Says that the caller's frame begins at a place of our choice: any lie that a table can tell. */
static __attribute__((noinline)) void walk_with_registers(uintptr_t sp, uintptr_t bp, uintptr_t pc)
{
	const struct stack_registers from = { .pc = pc, .sp = sp, .bp = bp };

	walked = stack_walk(&memo, &from, &walk);
}

static void *walk_without_a_way_out(void *unused)
{
	const size_t size = 4 * PAGE;
	char *stack = fenced_new(size);
	uintptr_t *top = (uintptr_t *)(void *)(stack + size);

	for (size_t words = 0; words < 64; words += 2) { /* 16-byte alignment */
		/* Return addresses into a function that expects more stack than there is. */
		for (size_t i = 0; i < words; i++)
			top[-1 - (ptrdiff_t)i] = (uintptr_t)qsort + 64;
		call_on_stack(top - words, walk_here);
		cut_count += walked && (walk.flags & STACK_WORD_FLAG_CUT);
	}
	fenced_free(stack, size);
	return unused;
}

static void a_stack_without_a_way_out_is_cut(void **state)
{
	pthread_t thread;

	(void)state;
	cut_count = 0;
	walk_without_a_way_out(NULL);
	assert_int_equal(cut_count, 32);
	/* And with a thread's own stack above it. */
	stack_memo_reset(&memo);
	pthread_create(&thread, NULL, walk_without_a_way_out, NULL);
	pthread_join(thread, NULL);
	stack_memo_reset(&memo);
	assert_int_equal(cut_count, 64);
}

static void registers_that_lie_anywhere_do_no_harm(void **state)
{
	const size_t size = 2 * PAGE;
	char *stack = fenced_new(size);
	uintptr_t *words = (uintptr_t *)(void *)stack;
	size_t count = size / sizeof(*words);
	const uintptr_t codes[] = { (uintptr_t)walk_here + 10, (uintptr_t)qsort + 80,
		(uintptr_t)stack, (uintptr_t)deep + 12, 1, UINTPTR_MAX };
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		for (size_t i = 0; i < count; i += 7 + (unsigned)round % 5) {
			seed = seed * 1103515245u + 12345u;
			switch (seed >> 16 & 3) {
			case 0:
				words[i] = codes[(seed >> 18) % LO_COUNT_OF(codes)];
				break;
			case 1:
				words[i] = (uintptr_t)&words[(seed >> 18) % (count + 8)];
				break;
			case 2:
				words[i] = seed;
				break;
			default:
				words[i] = (uintptr_t)seed << 32 | seed;
			}
		}
		seed = seed * 1103515245u + 12345u;
		uintptr_t sp = (uintptr_t)stack + (seed >> 8) % size;
		uintptr_t bp = round & 1 ? sp + (seed >> 20) : words[seed % count];

		walk_with_registers(round & 2 ? sp & ~(uintptr_t)7 : sp, bp,
				codes[(unsigned)round % LO_COUNT_OF(codes)]);
	}
	fenced_free(stack, size);
}

/* Code as a JIT compiler makes it: no module, no unwind data. Calls its first argument. */
static void (*jit_code(const uint8_t *code, size_t size))(void (*)(void))
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*function)(void (*)(void));

	assert_ptr_not_equal(page, MAP_FAILED);
	memcpy(page, code, size);
	assert_int_equal(mprotect(page, PAGE, PROT_READ | PROT_EXEC), 0);
	memcpy(&function, &page, sizeof(function));
	return function;
}

static void jit_code_with_frame_pointer_is_passed_and_marked(void **state)
{
	static const uint8_t code[] = { 0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3 };
	void (*function)(void (*)(void)) = jit_code(code, sizeof(code));
	uintptr_t page;

	(void)state;
	memcpy(&page, &function, sizeof(page));
	for (int i = 0; i < 3; i++) {
		function(walk_here);
		assert_true(walked);
		assert_int_equal(walk.flags, STACK_WORD_FLAG_GUESSED);
		assert_int_equal(walk.addresses[1], page + 6);
		assert_true(walk.count > 4);
	}
	walk_here();
	assert_int_equal(walk.flags, 0);
	munmap((void *)page, PAGE);
}

static void jit_code_without_frame_pointer_cuts_the_stack(void **state)
{
	/* rbp is a small number there, as in code that computes with it. */
	static const uint8_t code[] = { 0x55, 0xbd, 0x07, 0, 0, 0, 0xff, 0xd7, 0x5d, 0xc3 };
	void (*function)(void (*)(void)) = jit_code(code, sizeof(code));
	uintptr_t page;

	(void)state;
	memcpy(&page, &function, sizeof(page));
	for (int i = 0; i < 3; i++) {
		function(walk_here);
		assert_true(walked);
		assert_int_equal(walk.flags, STACK_WORD_FLAG_CUT);
		assert_int_equal(walk.count, 2);
		assert_int_equal(walk.addresses[1], page + 8);
	}
	munmap((void *)page, PAGE);
}
#endif

static uintptr_t thread_low;

/* Not NULL: all is as it should be. */
static void *reach_of_thread(void *argument)
{
	struct stack_reach *reach = argument;
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	stack_reach_begin(reach, &thread_low, here, here);
	return stack_reach_extend(reach, stack_reach_descriptor()) &&
					       !stack_reach_extend(reach,
							       stack_reach_descriptor() + 8) &&
					       thread_low <= here
			       ? reach
			       : NULL;
}

static void a_threads_stack_is_known_up_to_its_descriptor(void **state)
{
	struct stack_reach reach;
	pthread_t thread;
	void *good;

	(void)state;
	thread_low = 0;
	assert_int_equal(pthread_create(&thread, NULL, reach_of_thread, &reach), 0);
	assert_int_equal(pthread_join(thread, &good), 0);
	assert_non_null(good);
	/* One for a page at most, and none for the first and the last. */
	assert_true(reach.questions * PAGE <= reach.high - reach.low);
}

static __attribute__((noinline)) uint32_t questions_from(uintptr_t sp)
{
	struct stack_reach reach;

	thread_low = 0;
	stack_reach_begin(&reach, &thread_low, sp, sp);
	assert_true(stack_reach_holds(&reach, sp + 20 * PAGE));
	return reach.questions;
}

static void the_main_threads_stack_is_known(void **state)
{
	volatile char deep_down[32 * PAGE];

	(void)state;
	deep_down[0] = 1;
	assert_int_equal(questions_from((uintptr_t)deep_down & ~(uintptr_t)7), 0);
}

static void reach_ends_at_what_cannot_be_read(void **state)
{
	char *memory = fenced_new(4 * PAGE);
	uintptr_t begin = (uintptr_t)memory;
	struct stack_reach reach;

	(void)state;
	thread_low = 0;
	stack_reach_begin(&reach, &thread_low, begin + 16, begin + 16);
	assert_true(stack_reach_holds(&reach, begin + 16));
	assert_true(stack_reach_holds(&reach, begin + PAGE - 8));
	assert_int_equal(reach.questions, 0);
	assert_false(stack_reach_holds(&reach, begin + 8));  /* below */
	assert_false(stack_reach_holds(&reach, begin + 20)); /* not aligned */
	assert_true(stack_reach_holds(&reach, begin + PAGE));
	assert_int_equal(reach.questions, 1);
	assert_true(stack_reach_holds(&reach, begin + 4 * PAGE - 8));
	assert_false(stack_reach_holds(&reach, begin + 4 * PAGE));
	assert_false(stack_reach_holds(
			&reach, begin + ((uintptr_t)STACK_QUESTIONS_MAX + 2) * PAGE));
	assert_false(stack_reach_holds(&reach, UINTPTR_MAX - 7));
	assert_false(stack_reach_holds(&reach, 0));

	/* A red zone reaches below the stack pointer, but not below the stack. */
	stack_reach_begin(&reach, &thread_low, begin + PAGE - 128, begin + PAGE);
	assert_true(stack_reach_holds(&reach, begin + PAGE - 128));
	stack_reach_begin(&reach, &thread_low, begin - 128, begin);
	assert_false(stack_reach_holds(&reach, begin - 128));
	assert_true(stack_reach_holds(&reach, begin));
	fenced_free(memory, 4 * PAGE);
}

static void a_page_is_readable_or_not(void **state)
{
	char *memory = fenced_new(PAGE);

	(void)state;
	assert_true(readable_page((uintptr_t)memory));
	assert_true(readable_page((uintptr_t)memory + PAGE - 1));
	assert_false(readable_page((uintptr_t)memory + PAGE));
	assert_false(readable_page((uintptr_t)memory - 1));
	assert_false(readable_page(0));
	assert_false(readable_page(UINTPTR_MAX));
	fenced_free(memory, PAGE);
}

static int start(void **state)
{
	(void)state;
	return stack_capture_init(&slot, DEPTH, SEGMENT_CLOCK_MONOTONIC) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_is_readable_or_not),
		cmocka_unit_test(reach_ends_at_what_cannot_be_read),
		cmocka_unit_test(the_main_threads_stack_is_known),
		cmocka_unit_test(a_threads_stack_is_known_up_to_its_descriptor),
		cmocka_unit_test(a_coroutine_is_walked_to_its_first_function),
		cmocka_unit_test(a_coroutine_of_a_thread_is_walked),
#ifdef __x86_64__
		cmocka_unit_test(a_stack_without_a_way_out_is_cut),
		cmocka_unit_test(registers_that_lie_anywhere_do_no_harm),
		cmocka_unit_test(jit_code_with_frame_pointer_is_passed_and_marked),
		cmocka_unit_test(jit_code_without_frame_pointer_cuts_the_stack),
#endif
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
