#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "recorder/shim/stack_capture.h"
#include "tests/support/rounds.h"
#include "tests/support/stack_oracle.h"
#include "tests/unit/recorder/shim/stack_shapes.h"

#define DEPTH 128u

#if defined(__SANITIZE_THREAD__)
#define WITH_THREAD_SANITIZER
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_THREAD_SANITIZER
#endif
#endif

/* What one thread under test has; the comparisons are counted, as cmocka is for one thread only. */
static __thread struct stack_oracle *oracle;
static _Atomic uint64_t compared;
static _Atomic uint64_t different;

static void compare_here(void)
{
	enum oracle_verdict verdict = stack_oracle_compare(oracle);

	atomic_fetch_add(&compared, 1);
	if (verdict != ORACLE_EQUAL && atomic_fetch_add(&different, 1) < 3)
		stack_oracle_print(oracle, verdict);
}

static void begin_comparing(void)
{
	atomic_store(&compared, 0);
	atomic_store(&different, 0);
}

static void assert_all_equal(uint64_t at_least)
{
	assert_int_equal(atomic_load(&different), 0);
	assert_in_range(atomic_load(&compared), at_least, UINT64_MAX);
}

static struct stack_oracle *oracle_new(void)
{
	return calloc(1, sizeof(struct stack_oracle));
}

static void all_shapes(bool with_large_frames)
{
	stack_shapes_O0(compare_here, with_large_frames);
	stack_shapes_O2(compare_here, with_large_frames);
	stack_shapes_fp(compare_here, with_large_frames);
#ifdef STACK_SHAPES_CXX
	stack_shapes_cxx(compare_here, with_large_frames);
#endif
}

static void frames_of_every_shape_are_found_as_libunwind_finds_them(void **state)
{
	(void)state;
	begin_comparing();
	all_shapes(true);
	assert_all_equal(400);
}

static void *shapes_in_thread(void *large)
{
	oracle = oracle_new();
	all_shapes(large != NULL);
	free(oracle);
	return NULL;
}

static void run_thread(const pthread_attr_t *attributes, void *(*function)(void *), void *argument)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, attributes, function, argument), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void a_new_thread_is_walked_to_its_first_function(void **state)
{
	(void)state;
	begin_comparing();
	run_thread(NULL, shapes_in_thread, "large");
	assert_all_equal(400);
}

static void a_stack_that_the_program_supplies_is_walked(void **state)
{
	const size_t size = 2 << 20; /* a sanitizer wants a lot */
	pthread_attr_t attributes;
	void *stack = aligned_alloc(4096, size);

	(void)state;
	assert_non_null(stack);
	pthread_attr_init(&attributes);
	assert_int_equal(pthread_attr_setstack(&attributes, stack, size), 0);
	begin_comparing();
	run_thread(&attributes, shapes_in_thread, NULL);
	assert_all_equal(250);
	pthread_attr_destroy(&attributes);
	free(stack);
}

static void handler_on_its_own_stack_and_back(void **state)
{
	const size_t size = 256 * 1024;
	stack_t other = { .ss_sp = malloc(size), .ss_size = size };
	stack_t none = { .ss_flags = SS_DISABLE };

	(void)state;
	assert_int_equal(sigaltstack(&other, NULL), 0);
	begin_comparing();
	all_shapes(false);
	assert_all_equal(250);
	sigaltstack(&none, NULL);
	free(other.ss_sp);
}

/* A thread that no pthread function made: no descriptor of its own, a stack from anywhere. */
static int shapes_in_clone(void *argument)
{
	(void)argument;
	stack_shapes_O2(compare_here, false);
	return 0;
}

static void a_thread_without_thread_library_is_walked(void **state)
{
	const size_t size = 256 * 1024;
	char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
#ifdef WITH_THREAD_SANITIZER
	print_message("skipped: the thread sanitizer takes a clone() for a fork() and gives up\n");
	munmap(stack, size);
	skip();
#endif
	assert_ptr_not_equal(stack, MAP_FAILED);
	begin_comparing();
	/* It shares our descriptor, so nobody else may run: like vfork(). */
	int child = clone(shapes_in_clone, stack + size, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	assert_true(child > 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_all_equal(80);
	munmap(stack, size);
}

/* Only our own walk: libunwind would not fit. */
struct small {
	struct stack_memo memo;
	struct stack_walk walk;
	bool walked;
};

static __attribute__((noinline)) void *walk_on_small_stack(void *argument)
{
	struct small *small = argument;
	struct stack_registers here;

	STACK_REGISTERS_HERE(here);
	small->walked = stack_walk(&small->memo, &here, &small->walk);
	return NULL;
}

static void the_smallest_stack_is_enough(void **state)
{
	struct small *small = calloc(1, sizeof(*small));
	pthread_attr_t attributes;

	(void)state;
	assert_non_null(small);
	pthread_attr_init(&attributes);
	assert_int_equal(pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN), 0);
	run_thread(&attributes, walk_on_small_stack, small);
	assert_true(small->walked);
	assert_int_equal(small->walk.flags, 0);
	assert_in_range(small->walk.count, 2, 10);
	pthread_attr_destroy(&attributes);
	free(small);
}

/* Deeper and deeper, one walk per depth: each joins the one before. */
static __attribute__((noinline)) int descend(int depth, int every)
{
	volatile int local = depth;

	if (depth % every == 0)
		compare_here();
	if (depth > 0)
		descend(depth - 1, every);
	if (depth % every == 0)
		compare_here();
	return local;
}

static void stacks_that_grow_and_shrink_are_joined_rightly(void **state)
{
	(void)state;
	begin_comparing();
	descend(100, 1);
	descend(100, 40);
	descend(100, 7);
	descend(3, 1);
	assert_all_equal(202);
}

static void stacks_about_the_limit_are_cut_rightly(void **state)
{
	(void)state;
	begin_comparing();
	for (int depth = (int)DEPTH - 16; depth < (int)DEPTH + 16; depth++) {
		descend(depth, depth);
		descend(depth, depth / 2);
	}
	descend(300, 1);
	assert_all_equal(700);
}

static void *descend_in_thread(void *unused)
{
	(void)unused;
	oracle = oracle_new();
	descend(2000, 100);
	free(oracle);
	return NULL;
}

static void a_walk_that_ends_far_from_the_root_of_a_thread_is_cut_rightly(void **state)
{
	(void)state;
	begin_comparing();
	run_thread(NULL, descend_in_thread, NULL);
	assert_all_equal(40);
}

static struct stack_memo memo; /* of the main thread, for walks of ours alone */

/* The processor interrupts behind each instruction that begins with this in its flags. */
#define TRAP_FLAG 0x100ul

static volatile unsigned long walk_flags; /* TRAP_FLAG or 0, for the next walk */

/* Leaves the red zone alone. */
static inline __attribute__((always_inline)) void set_processor_flags(unsigned long flags)
{
#ifdef __x86_64__
	__asm__ volatile("leaq -128(%%rsp), %%rsp\n\t"
			 "pushfq\n\t"
			 "andq %1, (%%rsp)\n\t"
			 "orq %0, (%%rsp)\n\t"
			 "popfq\n\t"
			 "leaq 128(%%rsp), %%rsp"
			 :
			 : "r"(flags), "r"(~TRAP_FLAG)
			 : "memory", "cc");
#else
	(void)flags;
#endif
}

static __attribute__((noinline)) bool walk_here(struct stack_walk *walk)
{
	struct stack_registers here;
	bool walked;

	STACK_REGISTERS_HERE(here);
	set_processor_flags(walk_flags);
	walked = stack_walk(&memo, &here, walk);
	set_processor_flags(0);
	return walked;
}

static __attribute__((noinline)) int walk_deep(int depth, struct stack_walk *walk)
{
	volatile int local = depth;

	if (depth > 0)
		walk_deep(depth - 1, walk);
	else if (!walk_here(walk))
		walk->count = 0; /* interrupted */
	return local;
}

static void a_cut_stack_has_the_innermost_frames_and_says_so(void **state)
{
	struct stack_walk shallow;
	struct stack_walk deep;
	uintptr_t recursion;

	(void)state;
	walk_deep(3, &shallow);
	assert_int_equal(shallow.flags, 0);
	recursion = shallow.addresses[2];
	walk_deep(500, &deep);
	assert_int_equal(deep.flags, STACK_WORD_FLAG_CUT);
	assert_int_equal(deep.count, DEPTH);
	for (uint32_t i = 2; i < deep.count; i++)
		assert_int_equal(deep.addresses[i], recursion);
}

/* The stack of the round. */
struct trial {
	struct stack_walk walk;
	int depth;
};

static void walk_at_depth(int round, void *context)
{
	struct trial *trial = context;

	(void)round;
	walk_deep(trial->depth, &trial->walk);
}

static void recognise(int round, void *context)
{
	struct trial *trial = context;

	assert_int_equal(trial->walk.id, round == 0 ? STACK_NONE : 77);
	assert_true(stack_memo_store_id(&memo, trial->walk.turn, 77));
}

static void the_same_stack_is_recognised_when_the_id_is_known(void **state)
{
	round_step *const steps[] = { walk_at_depth, recognise, NULL };
	struct trial trial = { .depth = 3 };

	(void)state;
	stack_memo_reset(&memo);
	run_rounds(4, steps, &trial);
	/* Another call of the same function: other stack, no id. */
	walk_deep(3, &trial.walk);
	assert_int_equal(trial.walk.id, STACK_NONE);
}

#define HASHED 20

static uint64_t plain_hashes[HASHED];

static void choose_depth(int round, void *context)
{
	struct trial *trial = context;

	trial->depth = round < HASHED ? round : round * 7 % HASHED;
	if (round < HASHED)
		stack_memo_reset(&memo);
}

static void compare_hash(int round, void *context)
{
	const struct trial *trial = context;

	if (round < HASHED)
		plain_hashes[round] = trial->walk.hash;
	assert_true(trial->walk.hash == plain_hashes[trial->depth]);
	for (int other = 0; other < round && other < HASHED; other++)
		assert_true(other == trial->depth || plain_hashes[other] != trial->walk.hash);
}

static void equal_stacks_hash_equally_however_they_were_found(void **state)
{
	round_step *const steps[] = { choose_depth, walk_at_depth, compare_hash, NULL };
	struct trial trial;

	(void)state;
	run_rounds(20 * HASHED, steps, &trial);
}

/*
 * M7: a handler walks with the memo of the walk that it interrupts. Whatever comes of the latter,
 * it is its own stack or nothing.
 */
#define STORM_ROUNDS 300000
#define STORM_DEPTHS 3

static _Atomic bool storm_is_on;
static _Atomic uint64_t nested_walks;
static uint64_t storm_walks;
static uint64_t storm_nothing;
static uintptr_t storm_stacks[STORM_DEPTHS][DEPTH];
static uint32_t storm_counts[STORM_DEPTHS];
static pthread_t storm_target;
static pthread_t storm_sender;

static void walk_in_handler(int number)
{
	struct stack_walk walk;

	(void)number;
	if (walk_here(&walk) && walk.count > 4)
		atomic_fetch_add(&nested_walks, 1);
}

static void *send_signals(void *unused)
{
	(void)unused;
	while (atomic_load(&storm_is_on)) {
		pthread_kill(storm_target, SIGUSR2);
		usleep(30);
	}
	return NULL;
}

static void begin_storm(void)
{
	struct sigaction action = { .sa_handler = walk_in_handler };

	sigaction(SIGUSR2, &action, NULL);
	atomic_store(&storm_is_on, true);
	storm_target = pthread_self();
	assert_int_equal(pthread_create(&storm_sender, NULL, send_signals, NULL), 0);
}

static void prepare_storm(int round, void *context)
{
	struct trial *trial = context;

	trial->depth = round % STORM_DEPTHS * 5;
	if (round == STORM_DEPTHS)
		begin_storm();
}

static void compare_with_calm(int round, void *context)
{
	const struct stack_walk *walk = &((struct trial *)context)->walk;
	int place = round % STORM_DEPTHS;
	uintptr_t copy[DEPTH];

	storm_walks += walk->count > 0;
	storm_nothing += walk->count == 0;
	if (walk->count == 0)
		return;
	memcpy(copy, walk->addresses, walk->count * sizeof(uintptr_t));
	if (round < STORM_DEPTHS) {
		storm_counts[place] = walk->count;
		memcpy(storm_stacks[place], copy, sizeof(copy));
	}
	/* The addresses are the handler's if it came between the walk and the copy. */
	if (atomic_load(&memo.turn) != walk->turn)
		return;
	assert_int_equal(walk->count, storm_counts[place]);
	assert_memory_equal(copy, storm_stacks[place], walk->count * sizeof(uintptr_t));
}

static void a_walk_interrupted_by_a_walk_is_right_or_nothing(void **state)
{
	round_step *const steps[] = { prepare_storm, walk_at_depth, compare_with_calm, NULL };
	struct trial trial;

	(void)state;
	run_rounds(STORM_ROUNDS, steps, &trial);
	atomic_store(&storm_is_on, false);
	pthread_join(storm_sender, NULL);
	signal(SIGUSR2, SIG_DFL);
	assert_true(atomic_load(&nested_walks) > 0);
	assert_true(storm_walks > storm_nothing);
}

#ifdef __x86_64__
/*
 * The same, but not by chance: through the processor's trap flag a handler counts the instructions
 * of a walk, and at the one that is due it walks, once to three times: then the sides have changed
 * places, have other frames, or both. A trial is four walks: two that are remembered, the second of
 * them joined in front of the first; the interrupted one, of the same stack or of the first again;
 * and one more, which finds what the others have left. In a thread, where the stacks are short, and
 * not at every instruction, as the number of signals is the square of theirs.
 */
#define TRAP_STRIDE       5
#define TRAP_INSTRUCTIONS 5000 /* more than a walk has */
#define TRAP_CALM         2    /* rounds at the begin that tell what is right */
#define TRAP_ROUNDS       (TRAP_CALM + 4 * 2 * TRAP_INSTRUCTIONS / TRAP_STRIDE)

static const int trap_depths[TRAP_CALM] = { 4, 9 };
static uintptr_t trap_stacks[TRAP_CALM][DEPTH];
static uint32_t trap_counts[TRAP_CALM];
static volatile int trap_due; /* instructions to go */
static int trap_walks;
static bool trap_done; /* walks of both kinds were over before their turn came */
static int trap_over;
static int trap_nothing;
static int trap_wrong;

static int trap_trial(int round)
{
	return (round - TRAP_CALM) / 4;
}

static int trap_step(int round)
{
	return round < TRAP_CALM ? -1 : (round - TRAP_CALM) % 4;
}

static int trap_stack(int round)
{
	if (round < TRAP_CALM)
		return round;
	return trap_step(round) < 2 ? trap_step(round) : trap_trial(round) % 2;
}

static void walk_in_trap(int number, siginfo_t *info, void *interrupted)
{
	ucontext_t *context = interrupted;
	struct stack_walk walk;

	(void)number;
	(void)info;
	if (trap_due-- > 0)
		return;
	context->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
	walk_flags = 0;
	for (int i = 0; i < trap_walks; i++)
		walk_deep(i % 2 ? 40 : 1, &walk);
}

static void set_trap(int round, void *context)
{
	struct trial *trial = context;

	trial->depth = trap_depths[trap_stack(round)];
	if (trap_step(round) == 0)
		memset(&memo, 0, sizeof(memo)); /* or what other tests have left there does for good
						 */
	if (trap_step(round) != 2 || trap_done)
		return;
	trap_due = trap_trial(round) / 2 * TRAP_STRIDE;
	trap_walks = 1 + trap_trial(round) / 2 % 3;
	walk_flags = TRAP_FLAG;
}

static void compare_after_trap(int round, void *context)
{
	const struct stack_walk *walk = &((struct trial *)context)->walk;
	int stack = trap_stack(round);

	if (round < TRAP_CALM) {
		trap_counts[stack] = walk->count;
		memcpy(trap_stacks[stack], walk->addresses, walk->count * sizeof(uintptr_t));
	}
	if (trap_step(round) == 2 && !trap_done) {
		trap_over = walk_flags ? trap_over + 1 : 0;
		trap_done = trap_over == 2;
		walk_flags = 0;
		trap_nothing += walk->count == 0;
		/* As above: the addresses may be the handler's. */
		if (walk->count == 0 || memo.turn != walk->turn)
			return;
	}
	trap_wrong += walk->count != trap_counts[stack] ||
		      memcmp(walk->addresses, trap_stacks[stack],
				      walk->count * sizeof(uintptr_t)) != 0;
}

static void *run_trap_rounds(void *unused)
{
	round_step *const steps[] = { set_trap, walk_at_depth, compare_after_trap, NULL };
	struct trial trial;

	run_rounds(TRAP_ROUNDS, steps, &trial);
	return unused;
}

static void a_walk_is_right_or_nothing_whichever_instruction_another_comes_at(void **state)
{
	struct sigaction action = { .sa_sigaction = walk_in_trap, .sa_flags = SA_SIGINFO };

	(void)state;
#ifdef WITH_THREAD_SANITIZER
	print_message("skipped: the thread sanitizer hands no trap over when it happens\n");
	skip();
#endif
	sigaction(SIGTRAP, &action, NULL);
	run_thread(NULL, run_trap_rounds, NULL);
	signal(SIGTRAP, SIG_DFL);
	stack_memo_reset(&memo);
	assert_int_equal(trap_wrong, 0);
	assert_true(trap_done);
	assert_true(trap_nothing > 100);
}
#endif

static int start(void **state)
{
	(void)state;
	oracle = oracle_new();
	return oracle && stack_oracle_init(DEPTH) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_every_shape_are_found_as_libunwind_finds_them),
		cmocka_unit_test(a_new_thread_is_walked_to_its_first_function),
		cmocka_unit_test(a_stack_that_the_program_supplies_is_walked),
		cmocka_unit_test(handler_on_its_own_stack_and_back),
		cmocka_unit_test(a_thread_without_thread_library_is_walked),
		cmocka_unit_test(the_smallest_stack_is_enough),
		cmocka_unit_test(stacks_that_grow_and_shrink_are_joined_rightly),
		cmocka_unit_test(stacks_about_the_limit_are_cut_rightly),
		cmocka_unit_test(a_walk_that_ends_far_from_the_root_of_a_thread_is_cut_rightly),
		cmocka_unit_test(a_cut_stack_has_the_innermost_frames_and_says_so),
		cmocka_unit_test(the_same_stack_is_recognised_when_the_id_is_known),
		cmocka_unit_test(equal_stacks_hash_equally_however_they_were_found),
		cmocka_unit_test(a_walk_interrupted_by_a_walk_is_right_or_nothing),
#ifdef __x86_64__
		cmocka_unit_test(a_walk_is_right_or_nothing_whichever_instruction_another_comes_at),
#endif
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
