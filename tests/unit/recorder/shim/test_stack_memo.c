/*
 * Walks of made-up stacks: return addresses of real code, everything else a matter of chance. What
 * the memo gives must be what a walk without it finds, whichever words have changed in between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "recorder/shim/code_module.h"
#include "recorder/shim/stack_capture.h"
#include "recorder/shim/unwind_rule.h"
#include "tests/unit/recorder/shim/stack_shapes.h"

#define DEPTH 40u
#define PAGE  4096u
#define WORDS 1024u

static struct process_slot slot;
static struct stack_memo memo;  /* goes through all rounds */
static struct stack_memo plain; /* is forgotten each time */

/* Addresses by what is to be done there. */
enum site_kind {
	SITE_PLAIN,
	SITE_SAVES_BP,
	SITE_FRAMED, /* CFA by bp */
	SITE_REALIGNED,
	SITE_SIGNAL,
	SITE_ROOT,
	SITE_KIND_COUNT
};

struct site {
	uintptr_t address;
	uint32_t rule;
};

#define SITES_MAX 16u

static struct site sites[SITE_KIND_COUNT][SITES_MAX];
static unsigned site_counts[SITE_KIND_COUNT];

static uint32_t rule_at(uintptr_t address)
{
	struct code_module module;

	if (!code_module_find(address - 1, true, &module))
		return 0;
	uintptr_t header = elf_image_unwind_header(&module.image);
	struct elf_range segment = elf_image_segment_at(&module.image, header);
	const struct cfi_tables tables = { segment.begin, segment.end, (const uint8_t *)header };

	return header ? unwind_rule_compile(&tables, address - 1) : 0;
}

static int site_kind_of(uint32_t rule)
{
	intptr_t a = unwind_rule_a(rule);
	uintptr_t b = unwind_rule_b(rule);

	switch (unwind_rule_kind(rule)) {
	case UNWIND_CFA_SP:
		if (a < 16 || a > 400)
			return -1;
		return b == 0 ? SITE_PLAIN : b < (uintptr_t)a ? SITE_SAVES_BP : -1;
	case UNWIND_CFA_BP:
		return a == 16 && b == 16 ? SITE_FRAMED : -1;
	case UNWIND_REALIGNED:
		return a < 0 && a > -64 && b == 0 ? SITE_REALIGNED : -1;
	case UNWIND_SIGNAL:
		return SITE_SIGNAL;
	case UNWIND_ROOT:
		return SITE_ROOT;
	default:
		return -1;
	}
}

static void add_site(uintptr_t address)
{
	uint32_t rule = rule_at(address);
	int kind = site_kind_of(rule);

	if (kind >= 0 && site_counts[kind] < SITES_MAX)
		sites[kind][site_counts[kind]++] = (struct site){ address, rule };
}

static void add_sites_of(uintptr_t code, size_t size)
{
	for (size_t i = 1; i < size; i += 3)
		add_site(code + i);
}

static __attribute__((noinline)) void add_sites_of_this_stack(void)
{
	struct stack_registers here;
	struct stack_walk walk;

	STACK_REGISTERS_HERE(here);
	if (!stack_walk(&plain, &here, &walk))
		return;
	for (uint32_t i = 0; i < walk.count; i++)
		add_site(walk.addresses[i]);
}

static void handle_signal(int number)
{
	(void)number;
	add_sites_of_this_stack();
}

static int collect_sites(void **state)
{
	(void)state;
	if (!stack_capture_init(&slot, DEPTH, SEGMENT_CLOCK_MONOTONIC))
		return -1;
	add_sites_of((uintptr_t)stack_shapes_O0, 600);
	add_sites_of((uintptr_t)qsort, 600);
	add_sites_of((uintptr_t)tsearch, 600);
	add_sites_of((uintptr_t)vfprintf, 4000);
	stack_shapes_O2(add_sites_of_this_stack, false);
	signal(SIGUSR1, handle_signal);
	raise(SIGUSR1);
	/* clang realigns in another way. */
	if (site_counts[SITE_REALIGNED] == 0) {
		memcpy(sites[SITE_REALIGNED], sites[SITE_FRAMED], sizeof(sites[0]));
		site_counts[SITE_REALIGNED] = site_counts[SITE_FRAMED];
	}
	for (int kind = 0; kind < SITE_KIND_COUNT; kind++)
		if (site_counts[kind] == 0)
			return -1;
	return 0;
}

static uint64_t seed = 1;

static uint32_t chance(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static struct site any_site(enum site_kind kind)
{
	return sites[kind][chance(site_counts[kind])];
}

/* A stack under construction, from the inside out. */
struct made_up {
	uintptr_t *words;
	struct stack_registers from;
	uintptr_t sp;
	uintptr_t *bp; /* where the bp of the position comes from */
};

static uintptr_t *word_at(const struct made_up *stack, uintptr_t address)
{
	return &stack->words[(address - (uintptr_t)stack->words) / 8];
}

static bool is_inside(const struct made_up *stack, uintptr_t address)
{
	return address >= (uintptr_t)stack->words &&
	       address < (uintptr_t)(stack->words + WORDS - 64);
}

/* The frame's CFA, and where the return address belongs. */
static uintptr_t make_frame(struct made_up *stack, struct site site, uintptr_t *return_slot)
{
	uintptr_t cfa = stack->sp + (uintptr_t)unwind_rule_a(site.rule);
	uintptr_t bp_slot = 0;
	uintptr_t bp;

	switch (site_kind_of(site.rule)) {
	case SITE_SAVES_BP:
		bp_slot = cfa - unwind_rule_b(site.rule);
		break;
	case SITE_FRAMED:
		bp = stack->sp + 8 * chance(20);
		*stack->bp = bp;
		bp_slot = bp;
		cfa = bp + 16;
		break;
	case SITE_REALIGNED:
		bp = stack->sp + 64 + 8 * chance(20);
		cfa = bp + 16 + 8 * chance(10);
		*stack->bp = bp;
		*word_at(stack, bp + (uintptr_t)unwind_rule_a(site.rule)) = cfa;
		bp_slot = bp;
		break;
	case SITE_SIGNAL:
		cfa = stack->sp + 176 + 8 * chance(20);
		*word_at(stack, stack->sp + UNWIND_SIGNAL_SP) = cfa;
		bp_slot = stack->sp + UNWIND_SIGNAL_BP;
		break;
	default:
		break;
	}
	if (bp_slot) {
		stack->bp = word_at(stack, bp_slot);
		*stack->bp = chance(1000);
	}
	*return_slot = site_kind_of(site.rule) == SITE_SIGNAL ? stack->sp + UNWIND_SIGNAL_PC
							      : cfa - 8;
	return cfa;
}

static struct site next_site(void)
{
	static const enum site_kind mixture[] = { SITE_PLAIN, SITE_PLAIN, SITE_PLAIN, SITE_SAVES_BP,
		SITE_SAVES_BP, SITE_FRAMED, SITE_FRAMED, SITE_REALIGNED };

	return any_site(mixture[chance(LO_COUNT_OF(mixture))]);
}

static void make_up(struct made_up *stack)
{
	struct site site = any_site(SITE_PLAIN);
	uint32_t frames = 2 + chance(DEPTH + 5);
	bool has_signal = chance(4) == 0;

	memset(stack->words, 0, WORDS * sizeof(uintptr_t));
	stack->sp = (uintptr_t)&stack->words[chance(40)];
	stack->from = (struct stack_registers){ site.address - 1, stack->sp, chance(1000) };
	stack->bp = &stack->from.bp;
	for (uint32_t i = 1; i < frames; i++) {
		uintptr_t return_slot;
		uintptr_t cfa = make_frame(stack, site, &return_slot);

		site = next_site();
		if (has_signal && i == frames / 2)
			site = any_site(SITE_SIGNAL);
		if (i + 1 == frames || !is_inside(stack, cfa + 512))
			site = any_site(SITE_ROOT);
		*word_at(stack, return_slot) = site.address;
		stack->sp = cfa;
		if (site_kind_of(site.rule) == SITE_ROOT)
			break;
	}
}

static void spoil_a_word(struct made_up *stack)
{
	uintptr_t *word = &stack->words[chance(WORDS - 64)];

	/* Mostly one that means something. */
	for (int i = 0; i < 50 && *word == 0; i++)
		word = &stack->words[chance(WORDS - 64)];
	switch (chance(5)) {
	case 0:
		*word = any_site((enum site_kind)chance(SITE_KIND_COUNT)).address;
		break;
	case 1:
		*word = (uintptr_t)&stack->words[chance(WORDS)];
		break;
	case 2:
		*word += 8;
		break;
	case 3:
		*word -= 8;
		break;
	default:
		*word = chance(1000);
	}
}

/* From a frame further out, as after some returns; or with another bp. */
static void choose_start(const struct made_up *stack, struct stack_registers *from)
{
	const struct memo_side *side = &plain.sides[plain.side];
	const struct memo_stack *found = &plain.stack;

	*from = stack->from;
	if (chance(3) == 0 && found->end > found->begin + 1) {
		uint32_t i = found->begin + chance(found->end - found->begin);

		*from = (struct stack_registers){ side->address[i] - 1, side->sp[i], side->bp[i] };
	}
	if (chance(6) == 0)
		from->bp += 8;
}

static struct stack_walk with_memo;
static struct stack_walk without;

static bool walks_agree(const struct stack_registers *from, bool *joined)
{

	assert_true(stack_walk(&memo, from, &with_memo));
	stack_memo_reset(&plain);
	assert_true(stack_walk(&plain, from, &without));
	*joined = with_memo.id != STACK_NONE;
	assert_true(stack_memo_store_id(&memo, with_memo.turn, 1));
	return with_memo.count == without.count && with_memo.flags == without.flags &&
	       with_memo.hash == without.hash &&
	       memcmp(with_memo.addresses, without.addresses, without.count * sizeof(uintptr_t)) ==
			       0;
}

static void the_memo_never_changes_what_is_found(void **state)
{
	char *pages = mmap(
			NULL, WORDS * 8 + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct made_up stack;
	uint64_t same = 0;
	uint64_t complete = 0;

	(void)state;
	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_int_equal(mprotect(pages + PAGE, WORDS * 8, PROT_READ | PROT_WRITE), 0);
	stack.words = (uintptr_t *)(void *)(pages + PAGE);
	for (int round = 0; round < 300000; round++) {
		struct stack_registers from;
		bool joined;

		if (round % 10 == 0)
			make_up(&stack);
		for (uint32_t i = chance(3); round % 10 != 0 && i > 1; i--)
			spoil_a_word(&stack);
		choose_start(&stack, &from);
		if (!walks_agree(&from, &joined))
			fail_msg("round %d: %u frames, flags %#lx; without memo %u, %#lx", round,
					with_memo.count, (unsigned long)with_memo.flags,
					without.count, (unsigned long)without.flags);
		same += joined;
		complete += plain.stack.ended == MEMO_END_ROOT;
	}
	/* The rounds are about something. */
	assert_in_range(same, 20000, 280000);
	assert_in_range(complete, 100000, 300000);
	munmap(pages, WORDS * 8 + 2 * PAGE);
}

static void a_frame_that_leads_back_ends_the_walk(void **state)
{
	struct site framed = any_site(SITE_FRAMED);
	uintptr_t words[64];
	struct stack_walk walk;

	(void)state;
	for (size_t i = 0; i < 64; i++)
		words[i] = framed.address;
	for (size_t bp = 0; bp < 20; bp++) {
		const struct stack_registers from = { framed.address - 1, (uintptr_t)&words[20],
			(uintptr_t)&words[bp] };

		stack_memo_reset(&plain);
		assert_true(stack_walk(&plain, &from, &walk));
		/* The CFA is two words above bp. */
		if (bp + 2 <= 20)
			assert_int_equal(walk.count, 1);
		assert_int_equal(walk.flags, STACK_WORD_FLAG_CUT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_memo_never_changes_what_is_found),
		cmocka_unit_test(a_frame_that_leads_back_ends_the_walk),
	};

	return cmocka_run_group_tests(tests, collect_sites, NULL);
}
