#include "recorder/shim/stack_memo.h"

#include <stddef.h>

#include "recorder/shim/code_module.h"
#include "recorder/shim/unwind_rule.h"

static uint64_t of_turn(uint32_t turn, uint32_t value)
{
	return (uint64_t)turn << 32 | value;
}

void stack_memo_reset(struct stack_memo *memo)
{
	atomic_store_explicit(&memo->committed, 0, memory_order_relaxed);
	memo->thread_low = 0;
}

uint32_t stack_memo_begin(struct stack_memo *memo, uint32_t *turn, uint32_t *stored_id)
{
	uint64_t committed = atomic_load_explicit(&memo->committed, memory_order_relaxed);
	uint64_t stored = atomic_load_explicit(&memo->stored, memory_order_relaxed);

	*turn = atomic_load_explicit(&memo->turn, memory_order_relaxed) + 1;
	*stored_id = stored >> 32 == committed >> 32 ? (uint32_t)stored : STACK_NONE;
	atomic_store_explicit(&memo->turn, *turn, memory_order_relaxed);
	atomic_store_explicit(&memo->committed, 0, memory_order_relaxed);
	/* From here on a handler finds nothing, and we find that it was here by its turn. */
	atomic_signal_fence(memory_order_seq_cst);
	return (uint32_t)committed;
}

bool stack_memo_commit(struct stack_memo *memo, uint32_t turn, uint32_t count)
{
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&memo->committed, of_turn(turn, count), memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&memo->turn, memory_order_relaxed) == turn)
		return true;
	/* What is there may be a mixture of both. */
	atomic_store_explicit(&memo->committed, 0, memory_order_relaxed);
	return false;
}

bool stack_memo_store_id(struct stack_memo *memo, uint32_t turn, uint32_t id)
{
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&memo->stored, of_turn(turn, id), memory_order_relaxed);
	return atomic_load_explicit(&memo->turn, memory_order_relaxed) == turn;
}

/*
 * How many of the reads, from the root, are not known to have changed: `end` or fewer. All of them
 * can be read: the caller has seen to it.
 */
__attribute__((no_sanitize("address", "thread"))) static uint32_t unchanged_reads(
		const struct memo_read *reads, uint32_t end)
{
	for (uint32_t i = end; i-- > 0;)
		if (*(const volatile uintptr_t *)reads[i].address != reads[i].value)
			return i;
	return end;
}

/* M6. All reads of `frame` and further out are known to hold. */
static bool modules_hold(
		const struct stack_memo *memo, uint32_t frame, bool certain, uint32_t *candidates)
{
	uint64_t asked = 0;

	for (uint32_t i = frame + 1; i-- > 0;) {
		const struct memo_frame *at = &memo->frames[i];
		struct code_module module;

		if (at->module != 0 && !(asked & (uint64_t)1 << at->module)) {
			asked |= (uint64_t)1 << at->module;
			if (!code_module_find(at->at, certain, &module) ||
					module.salt != memo->module_salts[at->module - 1]) {
				*candidates = i;
				return false;
			}
		}
		certain &= !(at->flags & MEMO_GUESS);
	}
	return true;
}

bool stack_memo_holds(const struct stack_memo *memo, uint32_t frame, struct stack_reach *reach,
		bool certain, uint32_t *candidates)
{
	uint32_t end = memo->frames[frame].reads_end;

	if (memo->top > reach->high && !stack_reach_extend(reach, memo->top)) {
		*candidates = 0;
		return false;
	}

	uint32_t unchanged = unchanged_reads(memo->reads, end);
	if (unchanged < end) {
		/* Every frame whose rest has this read in it is out. */
		while (frame > 0 && memo->frames[frame - 1].reads_end > unchanged)
			frame--;
		*candidates = frame;
		return false;
	}
	return memo->module_count == 0 || modules_hold(memo, frame, certain, candidates);
}

/* What a walk reads on its way from one frame to the next. */
struct way_out {
	struct memo_read reads[3];
	uint32_t count;
	uint8_t flags; /* enum memo_frame_flag of `fresh` */
	bool ordered;  /* M4 */
};

static void add_read(struct way_out *way, uintptr_t address, uintptr_t value)
{
	way->reads[way->count].address = address;
	way->reads[way->count++].value = value;
}

/* What stack_step() in stack_walk.c did to get from `fresh` to `caller`. */
static void way_out_trace(struct way_out *way, const struct memo_fresh *fresh,
		const struct memo_frame *caller)
{
	uintptr_t b = unwind_rule_b(fresh->rule);
	bool caller_needs_bp = caller->flags & MEMO_NEEDS_BP;

	way->flags = caller->flags & MEMO_GUESS_OUT;
	switch (unwind_rule_kind(fresh->rule)) {
	case UNWIND_CFA_SP:
		if (b == 0 && caller_needs_bp)
			way->flags |= MEMO_NEEDS_BP;
		if (b != 0 && caller_needs_bp)
			add_read(way, caller->sp - b, caller->bp);
		break;
	case UNWIND_CFA_BP:
		way->flags |= MEMO_NEEDS_BP;
		if (b != 0 && caller_needs_bp)
			add_read(way, caller->sp - b, caller->bp);
		break;
	case UNWIND_REALIGNED:
		way->flags |= MEMO_NEEDS_BP;
		add_read(way, fresh->bp + (uintptr_t)unwind_rule_a(fresh->rule), caller->sp);
		if (caller_needs_bp)
			add_read(way, fresh->bp + b, caller->bp);
		break;
	case UNWIND_NO_DATA: /* whether the guess is taken depends on the caller's bp */
		way->flags |= MEMO_NEEDS_BP | MEMO_GUESS | MEMO_GUESS_OUT;
		add_read(way, fresh->bp, caller->bp);
		break;
	default: /* from a signal frame one may come to another stack */
		way->ordered = false;
		return;
	}
	add_read(way, caller->sp - 8, caller->at + 1);
	for (uint32_t i = 0; i < way->count; i++)
		way->ordered &= way->reads[i].address >= fresh->sp &&
				way->reads[i].address < caller->sp;
}

/* Numbers the modules of the memo from 1; 0 is for those that stay. */
static bool number_module(struct stack_memo *memo, uint64_t salt, uint8_t *number)
{
	uint32_t i = 0;

	*number = 0;
	if (salt == 0)
		return true;
	while (i < memo->module_count && memo->module_salts[i] != salt)
		i++;
	if (i == MEMO_MODULES)
		return false;
	if (i == memo->module_count)
		memo->module_salts[memo->module_count++] = salt;
	*number = (uint8_t)(i + 1);
	return true;
}

/* A sum of independent products: they do not wait for each other. */
static uint64_t hash_frame(uintptr_t address, uint64_t salt, uint32_t depth)
{
	uint64_t mixed = ((address ^ salt) + depth * 0xd6e8feb86659fd93ull) * 0x9e3779b97f4a7c15ull;

	return (mixed ^ mixed >> 32) * 0xa0761d6478bd642full;
}

/* `caller` is the frame before `place`, or what stands for it at the root; NULL: nothing does. */
static void append_frame(struct stack_memo *memo, uint32_t place, const struct memo_fresh *fresh,
		const struct memo_frame *caller)
{
	struct memo_frame *frame = &memo->frames[place];
	struct way_out way = { .ordered = true };
	uint32_t reads = caller ? caller->reads_end : 0;
	uint32_t kept = caller ? caller->kept : 0;
	uint64_t hash = caller ? caller->hash : 0;

	if (caller)
		way_out_trace(&way, fresh, caller);
	way.ordered &= reads + way.count <= MEMO_READS;
	way.ordered &= number_module(memo, fresh->salt, &frame->module);
	if (way.ordered && memo->joinable == place) {
		for (uint32_t i = 0; i < way.count; i++)
			memo->reads[reads + i] = way.reads[i];
		reads += way.count;
		memo->joinable = place + 1;
	}
	if (fresh->kept) {
		/* Nobody called the trampoline of a signal: its first byte is what goes on. */
		bool trampoline = unwind_rule_kind(fresh->rule) == UNWIND_SIGNAL;

		hash += hash_frame(fresh->at, fresh->salt, kept);
		memo->addresses[kept++] = fresh->at + 1 + trampoline;
	}
	frame->at = fresh->at;
	frame->sp = fresh->sp;
	frame->bp = fresh->bp;
	frame->hash = hash;
	frame->reads_end = (uint16_t)reads;
	frame->kept = (uint8_t)kept;
	frame->flags = way.flags;
}

void stack_memo_append(struct stack_memo *memo, uint32_t tail, uint32_t fresh_count,
		enum memo_end end, uintptr_t end_sp)
{
	/* Stands for the function that the zero return address is in. */
	const struct memo_frame nobody = { .at = UINTPTR_MAX, .sp = end_sp };
	const struct memo_frame *caller = end == MEMO_END_ZERO ? &nobody : NULL;

	if (tail == 0) {
		memo->joinable = 0;
		memo->module_count = 0;
		memo->end = end;
		memo->top = end == MEMO_END_ZERO || fresh_count == 0
					    ? end_sp
					    : memo->fresh[fresh_count - 1].sp;
	} else {
		caller = &memo->frames[tail - 1];
		if (memo->joinable > tail)
			memo->joinable = tail;
	}
	for (uint32_t i = 0; i < fresh_count; i++) {
		append_frame(memo, tail + i, &memo->fresh[fresh_count - 1 - i], caller);
		caller = &memo->frames[tail + i];
	}
	if (memo->end == MEMO_END_LOST)
		memo->joinable = 0;
}
