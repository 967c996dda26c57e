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

/* How far from one frame of JIT code another may lie, not being reached by a frame pointer. */
#define JIT_AREA (128u << 20)

static struct {
	struct rule_table *rules;
	struct process_slot *slot;
	enum segment_clock clock;
	uint32_t depth;
	uint32_t generation; /* of the process, by forks */
	uintptr_t own_begin; /* frames in this library are nobody's business */
	uintptr_t own_size;
} walker;

/*
 * Where a walk is. The instruction that called, or was interrupted, is the byte before `address`,
 * as in stack_capture.h, for every kind of frame.
 */
struct position {
	uintptr_t address;
	uintptr_t sp;
	uintptr_t bp;
};

struct walk {
	struct stack_memo *memo;
	const struct memo_view *remembered;
	struct memo_side *side;  /* where new frames go */
	struct memo_stack fresh; /* the frames found so far, in `side` */
	struct stack_reach reach;
	uint64_t factor;    /* MEMO_HASH_FACTOR to the power of their number */
	uint32_t limit;     /* the frame that must not be added any more */
	uint32_t candidate; /* next remembered frame that may be joined */
	bool certain;       /* all positions so far were found by unwind data */
	/* M3: where the bp of the position was loaded from, if `reads` does not have it yet; and
	 * the first frame that has this bp and is not yet marked to need it. */
	uintptr_t bp_slot;
	uint32_t bp_frame;
	/* The module that the walk is in, if it is one that can be unloaded. */
	uint8_t module_number;
	uintptr_t module_begin;
	uintptr_t module_size;
	uint64_t module_salt;
};

/* A step, if it does not end the walk with an enum memo_end. */
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

/* Words of other people's stacks, of which the sanitizers know nothing. */
__attribute__((no_sanitize("address", "thread"))) static inline bool read_word(
		struct walk *walk, uintptr_t address, uintptr_t *word)
{
	if (!stack_reach_holds(&walk->reach, address))
		return false;
	*word = *(const volatile uintptr_t *)address;
	return true;
}

static uint32_t compile_rule(const struct code_module *module, uintptr_t address)
{
	uintptr_t header = elf_image_unwind_header(&module->image);
	struct elf_range segment = elf_image_segment_at(&module->image, header);
	const struct cfi_tables tables = { segment.begin, segment.end, (const uint8_t *)header };

	return header == 0 ? unwind_rule_of_kind(UNWIND_NO_DATA)
			   : unwind_rule_compile(&tables, address - 1);
}

/* The module that the walk is in from now on. */
static void enter_module(struct walk *walk, const struct code_module *module)
{
	walk->module_begin = module->image.begin;
	walk->module_size = module->image.end - module->image.begin;
	walk->module_salt = module->salt;
	walk->module_number = stack_memo_number_module(walk->memo, module->salt);
}

/* The rule for an address that is not in the table, or whose module is another than the last. */
static __attribute__((noinline)) uint32_t learn_rule(struct walk *walk, uintptr_t address)
{
	struct code_module module;
	uint32_t rule = 0;

	if (!code_module_find(address - 1, walk->certain, &module))
		return unwind_rule_of_kind(UNWIND_NO_DATA); /* not remembered: there may be a module
							       tomorrow */
	if (module.salt != 0) {
		enter_module(walk, &module);
		rule = rule_table_find(walker.rules, address ^ module.salt);
	}
	if (rule == 0) {
		rule = compile_rule(&module, address);
		if (address - walker.own_begin < walker.own_size)
			rule |= UNWIND_OWN;
		rule_table_put(walker.rules, address ^ module.salt, rule);
		if (module.salt != 0)
			module_log_add(walker.slot, &module.image, module.path,
					clock_ticks(walker.clock));
	}
	return rule;
}

/* 0: the address is not in the module that the walk is in. */
static inline uint64_t salt_of(const struct walk *walk, uintptr_t address)
{
	return address - 1 - walk->module_begin < walk->module_size ? walk->module_salt : 0;
}

static inline uint32_t find_rule(struct walk *walk, uintptr_t address, uint64_t *salt)
{
	*salt = salt_of(walk, address);

	uint32_t rule = rule_table_find(walker.rules, address ^ *salt);
	if (__builtin_expect(rule != 0, 1))
		return rule;
	rule = learn_rule(walk, address);
	*salt = salt_of(walk, address);
	return rule;
}

/* M2. Where there is no more room, nothing that has been found so far can be joined. */
static inline void log_read(struct walk *walk, uintptr_t address, uintptr_t value)
{
	struct memo_stack *fresh = &walk->fresh;

	if (__builtin_expect(fresh->reads_end == MEMO_READS, 0)) {
		fresh->joinable = fresh->end;
		return;
	}
	walk->side->reads[fresh->reads_end].address = address;
	walk->side->reads[fresh->reads_end++].value = value;
}

/*
 * M3: the next frame needs the bp of the position. Then so do the frames that have the same; and
 * if it was loaded from the stack, that is a word that only the frames before them depend on.
 */
static inline void need_bp(struct walk *walk, uintptr_t bp)
{
	struct memo_stack *fresh = &walk->fresh;
	struct memo_mark *marks = walk->side->marks;
	bool loaded = walk->bp_slot != 0;

	if (loaded)
		log_read(walk, walk->bp_slot, bp);
	walk->bp_slot = 0;
	for (uint32_t i = walk->bp_frame; i < fresh->end; i++) {
		marks[i].flags |= MEMO_NEEDS_BP;
		marks[i].reads = (uint16_t)(marks[i].reads + loaded);
	}
	walk->bp_frame = fresh->end + 1;
}

/* The position becomes a frame. */
static inline void add_frame(
		struct walk *walk, const struct position *here, uint64_t salt, uint8_t flags)
{
	struct memo_stack *fresh = &walk->fresh;
	struct memo_side *side = walk->side;
	uint32_t i = fresh->end++;

	side->sp[i] = here->sp;
	side->address[i] = here->address;
	side->bp[i] = here->bp;
	side->marks[i] = (struct memo_mark){
		.reads = (uint16_t)fresh->reads_end,
		.flags = flags,
		.module = salt ? walk->module_number : MEMO_MODULE_STAY,
	};
}

static inline void hash_frame(struct walk *walk, uintptr_t address, uint64_t salt)
{
	walk->fresh.hash += walk->factor * stack_memo_hash(address, salt);
	walk->factor *= MEMO_HASH_FACTOR;
}

/* M8. Further out it is a frame of the shim through which the program's code was called. */
static void add_own_frame(struct walk *walk, const struct position *here, uint8_t flags)
{
	struct memo_stack *fresh = &walk->fresh;

	if (fresh->own_end == fresh->end) {
		add_frame(walk, here, 0, flags);
		fresh->own_end = fresh->end;
		if (walk->limit < MEMO_FRAMES)
			walk->limit++;
	} else {
		need_bp(walk, here->bp);
		log_read(walk, here->sp - 8, here->address);
		walk->bp_frame = fresh->end;
	}
}

/* Addresses of programs have 47 bits. */
static bool is_code_address(uintptr_t address)
{
	return address >> RULE_KEY_BITS == 0;
}

/* The registers as the kernel saved them; the rest of the walk may be on another stack. */
static int find_interrupted(struct walk *walk, struct position *here)
{
	struct memo_stack *fresh = &walk->fresh;
	uintptr_t frame = here->sp;
	uintptr_t pc;

	if (!read_word(walk, frame + UNWIND_SIGNAL_PC, &pc) ||
			!read_word(walk, frame + UNWIND_SIGNAL_BP, &here->bp) ||
			!read_word(walk, frame + UNWIND_SIGNAL_SP, &here->sp) ||
			!is_code_address(pc))
		return MEMO_END_LOST;
	here->address = pc + 1;
	fresh->joinable = fresh->end;
	walk->bp_slot = 0;
	walk->bp_frame = fresh->end;
	if (!stack_reach_move(&walk->reach, here->sp - RED_ZONE, here->sp))
		return MEMO_END_LOST;
	return STEP_DONE;
}

/* gcc's function with a realigned stack keeps the CFA in its frame. */
static uintptr_t find_realigned_cfa(struct walk *walk, uintptr_t sp, uintptr_t slot)
{
	uintptr_t cfa;

	if (!read_word(walk, slot, &cfa))
		return 0;
	if (slot < sp || slot >= cfa)
		walk->fresh.joinable = walk->fresh.end; /* M4 */
	log_read(walk, slot, cfa);
	return cfa;
}

/*
 * Code without unwind data that keeps frame pointers has the caller's at bp, and the return address
 * behind it. Taken for that if the caller's frame lies further up, or if the caller uses bp for
 * something else and is code all the same: in a module, or where the callee is (one JIT compiler's
 * code lies together).
 */
static bool guess_caller(struct walk *walk, uintptr_t here, uintptr_t sp, uintptr_t bp)
{
	struct memo_stack *fresh = &walk->fresh;
	struct code_module module;
	uintptr_t link;
	uintptr_t address;

	walk->certain = false;
	if (bp < sp || !read_word(walk, bp, &link) || !read_word(walk, bp + 8, &address))
		return false;
	if (link <= bp && address - here + JIT_AREA > 2 * JIT_AREA &&
			!code_module_find(address - 1, false, &module))
		return false;
	log_read(walk, bp, link);
	walk->side->marks[fresh->end - 1].flags |= MEMO_GUESS;
	fresh->guess_end = fresh->end;
	return true;
}

/* The caller's frame, and where the caller's bp lies; 0: it is still in the register. */
struct way_out {
	uintptr_t cfa;
	uintptr_t bp_slot;
};

/* From a function to its caller, when the way is known. */
static inline int take_way(struct walk *walk, const struct way_out *way, struct position *here)
{
	uintptr_t address;

	if (way->cfa <= here->sp || !read_word(walk, way->cfa - 8, &address) ||
			!is_code_address(address))
		return MEMO_END_LOST;
	if (way->bp_slot) {
		if (!read_word(walk, way->bp_slot, &here->bp))
			return MEMO_END_LOST;
		if (way->bp_slot - here->sp >= way->cfa - here->sp)
			walk->fresh.joinable = walk->fresh.end; /* M4 */
		walk->bp_slot = way->bp_slot;
		walk->bp_frame = walk->fresh.end;
	}
	here->address = address;
	here->sp = way->cfa;
	return __builtin_expect(address == 0, 0) ? MEMO_END_ZERO : STEP_DONE;
}

/* The most frequent kind of frame: one without frame pointer. */
static inline int step_plain(struct walk *walk, uint32_t rule, uint64_t salt, struct position *here)
{
	uintptr_t cfa = here->sp + (uintptr_t)unwind_rule_a(rule);
	const struct way_out way = { cfa, unwind_rule_b(rule) ? cfa - unwind_rule_b(rule) : 0 };

	add_frame(walk, here, salt, 0);
	hash_frame(walk, here->address, salt);
	return take_way(walk, &way, here);
}

static inline int step_other(struct walk *walk, uint32_t rule, uint64_t salt, struct position *here)
{
	enum unwind_kind kind = unwind_rule_kind(rule);
	bool needs_bp = kind == UNWIND_CFA_BP || kind == UNWIND_REALIGNED || kind == UNWIND_NO_DATA;
	uintptr_t a = (uintptr_t)unwind_rule_a(rule);
	uintptr_t b = unwind_rule_b(rule);
	struct way_out way;

	if (needs_bp)
		need_bp(walk, here->bp);
	if (kind == UNWIND_SIGNAL)
		here->address++; /* nobody called the trampoline: what goes on is its first byte */
	if (rule & UNWIND_OWN) {
		add_own_frame(walk, here, needs_bp ? MEMO_NEEDS_BP : 0);
	} else {
		add_frame(walk, here, salt, needs_bp ? MEMO_NEEDS_BP : 0);
		hash_frame(walk, here->address, salt);
	}

	switch (kind) {
	case UNWIND_CFA_BP:
		way.cfa = here->bp + a;
		way.bp_slot = b ? way.cfa - b : 0;
		break;
	case UNWIND_CFA_SP: /* own */
		way.cfa = here->sp + a;
		way.bp_slot = b ? way.cfa - b : 0;
		break;
	case UNWIND_REALIGNED:
		way.cfa = find_realigned_cfa(walk, here->sp, here->bp + a);
		way.bp_slot = here->bp + b;
		break;
	case UNWIND_NO_DATA:
		if (!guess_caller(walk, here->address, here->sp, here->bp))
			return MEMO_END_LOST;
		way.cfa = here->bp + 16;
		way.bp_slot = here->bp;
		break;
	case UNWIND_SIGNAL:
		return find_interrupted(walk, here);
	case UNWIND_ROOT:
		return MEMO_END_ROOT;
	default:
		return MEMO_END_STUCK;
	}

	int end = take_way(walk, &way, here);
	if (kind == UNWIND_NO_DATA)
		walk->bp_slot = 0; /* what a guess was made of is logged already */
	return end;
}

/* May the rest of the memo from `frame` on be the rest of this walk? */
static bool fits(const struct walk *walk, uint32_t frame)
{
	const struct memo_stack *stack = &walk->remembered->stack;
	const struct memo_stack *fresh = &walk->fresh;
	uint32_t fresh_count = fresh->end - fresh->own_end;
	uint32_t tail_begin = frame > stack->own_end ? frame : stack->own_end;

	/* The shim's frames are at the inner end of the whole or not there (M8). */
	if (frame < stack->own_end && fresh_count > 0)
		return false;
	/* A walk ends at its limit of frames, and a side at its size. */
	return fresh_count + (stack->end - tail_begin) <= walker.depth &&
	       fresh->end + (stack->end - frame) <= MEMO_FRAMES;
}

/* True if the rest of the walk is the remembered one from `walk->candidate` on. */
static inline bool join(struct walk *walk, const struct position *here)
{
	const struct memo_stack *stack = &walk->remembered->stack;
	const struct memo_side *side = walk->remembered->side;
	uint32_t i = walk->candidate;

	while (i < stack->end && side->sp[i] < here->sp)
		i++;
	walk->candidate = i;
	if (i == stack->end || side->sp[i] != here->sp || side->address[i] != here->address)
		return false;

	bool needs_bp = side->marks[i].flags & MEMO_NEEDS_BP;
	if (needs_bp && side->bp[i] != here->bp)
		return false;
	if (!fits(walk, i)) {
		walk->candidate = stack->end;
		return false;
	}
	if (!stack_memo_holds(walk->memo, walk->remembered, i, &walk->reach, walk->certain,
			    &walk->candidate))
		return false;
	if (needs_bp)
		need_bp(walk, here->bp);
	return true;
}

/* Walks until the memo has the rest, from `candidate` on, or there is none. */
static void walk_out(struct walk *walk, const struct stack_registers *from)
{
	struct position here = { .address = from->pc + 1, .sp = from->sp, .bp = from->bp };
	struct memo_stack *fresh = &walk->fresh;
	int end = STEP_DONE;

	while (end == STEP_DONE) {
		if (walk->candidate < walk->remembered->stack.end && join(walk, &here))
			return;
		if (fresh->end == walk->limit) {
			end = MEMO_END_DEPTH;
			break;
		}

		uint64_t salt;
		uint32_t rule = find_rule(walk, here.address, &salt);
		if (__builtin_expect(unwind_rule_is_plain(rule), 1)) {
			end = step_plain(walk, rule, salt, &here);
		} else {
			/* A copy: the position itself is best kept in registers. */
			struct position there = here;

			end = step_other(walk, rule, salt, &there);
			here = there;
		}
	}

	walk->candidate = walk->remembered->stack.end;
	fresh->ended = (enum memo_end)end;
	fresh->top = walk->side->sp[fresh->end - 1];
	if (end == MEMO_END_ZERO) {
		log_read(walk, here.sp - 8, 0);
		fresh->top = here.sp;
	} else if (end == MEMO_END_LOST) {
		fresh->joinable = fresh->end;
	} else if (end == MEMO_END_DEPTH) {
		stack_reach_learn(&walk->reach);
	}
}

static void set_result(struct stack_walk *result, const struct stack_memo *memo)
{
	const struct memo_stack *stack = &memo->stack;

	result->addresses = &memo->sides[memo->side].address[stack->own_end];
	result->count = stack->end - stack->own_end;
	result->flags = 0;
	if (stack->ended != MEMO_END_ROOT && stack->ended != MEMO_END_ZERO)
		result->flags |= STACK_WORD_FLAG_CUT;
	if (stack->guess_end > 0)
		result->flags |= STACK_WORD_FLAG_GUESSED;
	/* The sum gets good bits at both ends. */
	uint64_t hash = (stack->hash ^ stack->hash >> 32 ^ result->flags) * 0xe7037ed1a0b428dbull;
	result->hash = hash ^ hash >> 32;
}

/*
 * Is it the remembered stack, as a whole? That is what a thread that waits in a loop has. On false
 * `*candidate` is where a walk may begin to compare.
 */
static bool is_same(const struct stack_memo *memo, const struct memo_view *view,
		const struct stack_registers *from, struct stack_reach *reach, uint32_t *candidate)
{
	const struct memo_stack *stack = &view->stack;
	const struct memo_side *side = view->side;
	uint32_t begin = stack->begin;

	*candidate = stack->joinable;
	if (stack->joinable == begin && side->sp[begin] == from->sp &&
			side->address[begin] == from->pc + 1 &&
			(side->bp[begin] == from->bp ||
					!(side->marks[begin].flags & MEMO_NEEDS_BP)) &&
			stack_memo_holds(memo, view, begin, reach, true, candidate))
		return true;
	if (stack->ended == MEMO_END_DEPTH) /* M5 */
		*candidate = stack->end;
	return false;
}

/* Sets `*id` to STACK_NONE unless the stack is, apart from the shim's frames, the remembered one.
 */
static __attribute__((noinline)) void walk_and_join(struct stack_memo *memo,
		const struct memo_view *view, const struct stack_registers *from,
		const struct stack_reach *reach, uint32_t candidate, uint32_t *id)
{
	const struct memo_stack nothing = {
		.begin = MEMO_ROOM,
		.own_end = MEMO_ROOM,
		.end = MEMO_ROOM,
		.reads_begin = MEMO_ROOM,
		.reads_end = MEMO_ROOM,
		.joinable = MEMO_ROOM,
	};
	struct walk walk = {
		.memo = memo,
		.remembered = view,
		.side = view->other_side,
		.fresh = nothing,
		.reach = *reach,
		.factor = 1,
		.limit = MEMO_ROOM + walker.depth,
		.candidate = candidate,
		.certain = true,
		.bp_frame = MEMO_ROOM,
	};

	walk_out(&walk, from);
	if (walk.fresh.own_end < walk.fresh.end || walk.candidate > view->stack.own_end ||
			walk.candidate == view->stack.end)
		*id = STACK_NONE;
	stack_memo_join(memo, view, &walk.fresh, walk.candidate, walk.factor);
}

bool stack_walk(struct stack_memo *memo, const struct stack_registers *from,
		struct stack_walk *result)
{
	struct memo_view view;
	struct stack_reach reach;
	uint32_t candidate;

	if (!stack_memo_begin(memo, &view))
		return false;
	result->turn = view.turn;
	result->id = view.id;
	stack_reach_begin(&reach, &memo->thread_low, from->sp, from->sp);
	if (view.is_nothing || memo->generation != walker.generation ||
			memo->module_count == MEMO_MODULES) {
		memo->generation = walker.generation;
		memo->module_count = 0;
		walk_and_join(memo, &view, from, &reach, view.stack.end, &result->id);
	} else if (!is_same(memo, &view, from, &reach, &candidate)) {
		walk_and_join(memo, &view, from, &reach, candidate, &result->id);
	}
	set_result(result, memo);
	return stack_memo_commit(memo, result->turn);
}
