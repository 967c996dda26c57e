#include "recorder/shim/stack_walk.h"

#include <stddef.h>

#include "recorder/ring/clock.h"
#include "recorder/shim/code_module.h"
#include "recorder/shim/module_log.h"
#include "recorder/shim/rule_table.h"
#include "recorder/shim/stack_reach.h"
#include "recorder/shim/unwind_rule.h"

/* Below sp an interrupted function may still have its data (x86-64 ABI, 3.2.2). */
#define RED_ZONE 128u

static struct {
	struct rule_table *rules;
	struct process_slot *slot;
	enum segment_clock clock;
	uint32_t depth;
	uint32_t generation; /* of the process, by forks */
	uintptr_t own_begin; /* frames in this library are nobody's business */
	uintptr_t own_size;
} walker;

/* Where a walk is: in the call or the interrupted instruction `at`, which has this sp and bp. */
struct position {
	uintptr_t at;
	uintptr_t sp;
	uintptr_t bp;
};

struct walk {
	struct stack_memo *memo;
	struct stack_reach reach;
	uint32_t candidates; /* frames of the memo, from the root, that may still be joined */
	uint32_t fresh_count;
	uint32_t kept;
	uint32_t whole; /* M5: not 0: only so many, at the first position */
	bool certain;   /* all positions so far were found by unwind data */
	/* The module that the walk is in, if it is one that can be unloaded. */
	uintptr_t module_begin;
	uintptr_t module_size;
	uint64_t module_salt;
	uintptr_t end_sp; /* MEMO_END_ZERO */
};

/* Either the walk goes on, or an enum memo_end. */
#define STEP_DONE (-1)

bool stack_walk_init(uint32_t depth)
{
	const struct elf_image *own = code_module_own();

	walker.depth = depth < STACK_DEPTH_MAX ? depth : STACK_DEPTH_MAX;
	walker.own_begin = own->begin;
	walker.own_size = own->end - own->begin;
	stack_reach_init();
	walker.rules = rule_table_new();
	return walker.rules != NULL;
}

void stack_walk_serve(struct process_slot *slot, enum segment_clock clock)
{
	walker.slot = slot;
	walker.clock = clock;
	walker.generation++;
}

/* Walks other people's stacks, whose words the sanitizers know nothing about. */
__attribute__((no_sanitize("address", "thread"))) static inline bool read_word(
		struct walk *walk, uintptr_t address, uintptr_t *word)
{
	if (!stack_reach_holds(&walk->reach, address))
		return false;
	*word = *(const volatile uintptr_t *)address;
	return true;
}

static uint32_t compile_rule(const struct code_module *module, uintptr_t at)
{
	uintptr_t header = elf_image_unwind_header(&module->image);
	struct elf_range segment = elf_image_segment_at(&module->image, header);
	const struct cfi_tables tables = { segment.begin, segment.end, (const uint8_t *)header };

	return header == 0 ? UNWIND_NO_DATA : unwind_rule_compile(&tables, at);
}

/* The rule for an address that the table has not, not with the salt that the walk has now. */
static __attribute__((noinline)) uint32_t learn_rule(
		struct walk *walk, uintptr_t at, uint64_t *salt)
{
	struct code_module module;
	uint32_t rule = UNWIND_UNKNOWN;

	*salt = 0;
	if (!code_module_find(at, walk->certain, &module))
		return UNWIND_NO_DATA; /* not remembered: there may be a module tomorrow */
	if (module.salt != 0) {
		*salt = module.salt;
		walk->module_begin = module.image.begin;
		walk->module_size = module.image.end - module.image.begin;
		walk->module_salt = module.salt;
		rule = rule_table_find(walker.rules, at ^ module.salt);
	}
	if (rule == UNWIND_UNKNOWN) {
		rule = compile_rule(&module, at);
		rule_table_put(walker.rules, at ^ module.salt, rule);
		if (module.salt != 0)
			module_log_add(walker.slot, &module.image, module.path,
					clock_ticks(walker.clock));
	}
	return rule;
}

static inline uint32_t find_rule(struct walk *walk, uintptr_t at, uint64_t *salt)
{
	*salt = at - walk->module_begin < walk->module_size ? walk->module_salt : 0;

	uint32_t rule = rule_table_find(walker.rules, at ^ *salt);
	return __builtin_expect(rule != UNWIND_UNKNOWN, 1) ? rule : learn_rule(walk, at, salt);
}

/* Addresses of programs have 47 bits. */
static bool is_code_address(uintptr_t address)
{
	return address >> RULE_KEY_BITS == 0;
}

/* The registers as the kernel saved them; the rest of the walk may be on another stack. */
static __attribute__((noinline)) int step_over_signal(struct walk *walk, struct position *here)
{
	uintptr_t frame = here->sp;

	if (!read_word(walk, frame + UNWIND_SIGNAL_PC, &here->at) ||
			!read_word(walk, frame + UNWIND_SIGNAL_BP, &here->bp) ||
			!read_word(walk, frame + UNWIND_SIGNAL_SP, &here->sp) ||
			!is_code_address(here->at))
		return MEMO_END_LOST;
	stack_reach_begin(&walk->reach, here->sp - RED_ZONE, here->sp);
	return STEP_DONE;
}

/*
 * Code without unwind data that keeps frame pointers has the caller's at bp, and the return address
 * behind it. Taken for that if the caller's frame lies further up, or if the caller, not being of
 * the same kind, is in a module.
 */
static __attribute__((noinline)) bool guess_caller(struct walk *walk, const struct position *here)
{
	uintptr_t link;
	uintptr_t return_address;
	struct code_module module;

	walk->certain = false;
	return here->bp >= here->sp && read_word(walk, here->bp, &link) &&
	       read_word(walk, here->bp + 8, &return_address) &&
	       (link > here->bp || code_module_find(return_address - 1, false, &module));
}

/* From a function to its caller. */
static inline int step(struct walk *walk, uint32_t rule, struct position *here)
{
	uintptr_t cfa;
	uintptr_t bp_slot;
	uintptr_t return_address;
	enum unwind_kind kind = unwind_rule_kind(rule);

	if (__builtin_expect(kind == UNWIND_CFA_SP || kind == UNWIND_CFA_BP, 1)) {
		cfa = (kind == UNWIND_CFA_SP ? here->sp : here->bp) +
		      (uintptr_t)unwind_rule_a(rule);
		bp_slot = unwind_rule_b(rule) ? cfa - unwind_rule_b(rule) : 0;
	} else if (kind == UNWIND_REALIGNED) {
		if (!read_word(walk, here->bp + (uintptr_t)unwind_rule_a(rule), &cfa))
			return MEMO_END_LOST;
		bp_slot = here->bp + unwind_rule_b(rule);
	} else if (kind == UNWIND_SIGNAL) {
		return step_over_signal(walk, here);
	} else if (kind == UNWIND_NO_DATA) {
		if (!guess_caller(walk, here))
			return MEMO_END_LOST;
		cfa = here->bp + 16;
		bp_slot = here->bp;
	} else {
		return kind == UNWIND_ROOT ? MEMO_END_ROOT : MEMO_END_STUCK;
	}

	if (cfa <= here->sp || !read_word(walk, cfa - 8, &return_address) ||
			!is_code_address(return_address))
		return MEMO_END_LOST;
	if (bp_slot && !read_word(walk, bp_slot, &here->bp))
		return MEMO_END_LOST;
	if (return_address == 0) {
		walk->end_sp = cfa;
		return MEMO_END_ZERO;
	}
	here->at = return_address - 1;
	here->sp = cfa;
	return STEP_DONE;
}

/* Index + 1 of the remembered frame with which all the rest is the same; 0: none (yet). */
static inline uint32_t join(struct walk *walk, const struct position *here)
{
	const struct stack_memo *memo = walk->memo;
	uint32_t place = walk->candidates;

	while (place > 0 && memo->frames[place - 1].sp < here->sp)
		place--;
	walk->candidates = place;
	if (place == 0 || place < walk->whole)
		return 0;

	const struct memo_frame *frame = &memo->frames[place - 1];
	if (frame->sp != here->sp || frame->at != here->at ||
			(frame->bp != here->bp && (frame->flags & MEMO_NEEDS_BP)))
		return 0;
	/* The whole must be what a walk would find, which ends at the limit. */
	if (walk->kept + frame->kept > walker.depth || walk->fresh_count + place > MEMO_FRAMES) {
		walk->candidates = 0;
		return 0;
	}
	return stack_memo_holds(memo, place - 1, &walk->reach, walk->certain, &walk->candidates)
			       ? place
			       : 0;
}

/* Walks until the memo has the rest or there is none; number of frames that the memo gives. */
static uint32_t walk_out(struct walk *walk, struct position here, int *end)
{
	for (;;) {
		struct memo_fresh *fresh = &walk->memo->fresh[walk->fresh_count];
		uint32_t tail = walk->candidates > 0 ? join(walk, &here) : 0;
		uint64_t salt;

		if (tail > 0)
			return tail;
		if (walk->whole)
			walk->candidates = 0;
		if (walk->kept == walker.depth || walk->fresh_count == MEMO_FRAMES) {
			*end = MEMO_END_DEPTH;
			return 0;
		}
		fresh->at = here.at;
		fresh->sp = here.sp;
		fresh->bp = here.bp;
		fresh->rule = find_rule(walk, here.at, &salt);
		fresh->salt = salt;
		fresh->kept = here.at - walker.own_begin >= walker.own_size;
		walk->kept += fresh->kept;
		walk->fresh_count++;
		*end = step(walk, fresh->rule, &here);
		if (*end != STEP_DONE)
			return 0;
	}
}

/* How many frames of the memo may be joined (M4, M5). */
static uint32_t joinable(const struct stack_memo *memo, uint32_t count)
{
	if (memo->generation != walker.generation || memo->module_count == MEMO_MODULES)
		return 0;
	return memo->joinable < count ? memo->joinable : count;
}

static uint64_t stack_flags(const struct stack_memo *memo, const struct memo_frame *innermost)
{
	uint64_t flags = 0;

	if (memo->end != MEMO_END_ROOT && memo->end != MEMO_END_ZERO)
		flags |= STACK_WORD_FLAG_CUT;
	if (innermost->flags & MEMO_GUESS_OUT)
		flags |= STACK_WORD_FLAG_GUESSED;
	return flags;
}

/* The hash in the frame is a plain sum; here it gets good bits at both ends. */
static uint64_t finish_hash(uint64_t hash, uint64_t flags)
{
	hash = (hash ^ hash >> 32 ^ flags) * 0xe7037ed1a0b428dbull;
	return hash ^ hash >> 32;
}

bool stack_walk(struct stack_memo *memo, const struct stack_registers *from,
		struct stack_walk *result)
{
	struct walk walk = { .memo = memo, .certain = true };
	struct position here = { .at = from->pc, .sp = from->sp, .bp = from->bp };
	uint32_t count = stack_memo_begin(memo, &result->turn, &result->id);
	uint32_t kept_before = count > 0 ? memo->frames[count - 1].kept : 0;
	int end = MEMO_END_ROOT;

	walk.candidates = joinable(memo, count);
	walk.whole = memo->end == MEMO_END_DEPTH ? count : 0;
	walk.reach.thread_low = &memo->thread_low;
	stack_reach_begin(&walk.reach, here.sp, here.sp);

	uint32_t tail = walk_out(&walk, here, &end);
	count = tail + walk.fresh_count;
	if (tail == 0 && end == MEMO_END_DEPTH)
		stack_reach_learn(&walk.reach);
	if (walk.fresh_count > 0)
		stack_memo_append(memo, tail, walk.fresh_count, (enum memo_end)end, walk.end_sp);
	memo->generation = walker.generation;

	const struct memo_frame *innermost = &memo->frames[count - 1];
	if (tail == 0 || walk.kept > 0 || innermost->kept != kept_before)
		result->id = STACK_NONE;
	result->addresses = memo->addresses;
	result->count = innermost->kept;
	result->flags = stack_flags(memo, innermost);
	result->hash = finish_hash(innermost->hash, result->flags);
	return stack_memo_commit(memo, result->turn, count);
}
