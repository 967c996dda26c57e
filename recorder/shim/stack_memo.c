#include "recorder/shim/stack_memo.h"

#include <stddef.h>
#include <string.h>

#include "recorder/shim/code_module.h"

static uint64_t of_turn(uint32_t turn, uint32_t value)
{
	return (uint64_t)turn << 32 | value;
}

void stack_memo_reset(struct stack_memo *memo)
{
	atomic_store_explicit(&memo->committed, 0, memory_order_relaxed);
	memo->module_count = 0;
	memo->thread_low = 0;
}

static bool is_turn(const struct stack_memo *memo, uint32_t turn)
{
	atomic_signal_fence(memory_order_seq_cst);
	return atomic_load_explicit(&memo->turn, memory_order_relaxed) == turn;
}

bool stack_memo_begin(struct stack_memo *memo, struct memo_view *view)
{
	uint64_t committed;
	uint64_t stored;

	/* The turn first: what a handler did before that is finished and simply the last stack. */
	view->turn = atomic_load_explicit(&memo->turn, memory_order_relaxed) + 1;
	atomic_store_explicit(&memo->turn, view->turn, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	committed = atomic_load_explicit(&memo->committed, memory_order_relaxed);
	stored = atomic_load_explicit(&memo->stored, memory_order_relaxed);
	view->is_nothing = (uint32_t)committed == 0;
	view->id = stored >> 32 == committed >> 32 ? (uint32_t)stored : STACK_NONE;
	view->side = &memo->sides[memo->side];
	view->other_side = &memo->sides[!memo->side];
	view->stack = memo->stack;
	/* From here on a handler finds nothing. */
	atomic_store_explicit(&memo->committed, 0, memory_order_relaxed);
	return is_turn(memo, view->turn);
}

bool stack_memo_commit(struct stack_memo *memo, uint32_t turn)
{
	/*
	 * Asked twice: what a handler left before we were ready may be a mixture of both, and must
	 * at no time look committed; one that comes just then has its own, but ours is overwritten.
	 */
	bool undisturbed = is_turn(memo, turn);

	if (undisturbed) {
		atomic_store_explicit(&memo->committed, of_turn(turn, 1), memory_order_relaxed);
		undisturbed = is_turn(memo, turn);
	}
	if (!undisturbed)
		atomic_store_explicit(&memo->committed, 0, memory_order_relaxed);
	return undisturbed;
}

bool stack_memo_store_id(struct stack_memo *memo, uint32_t turn, uint32_t id)
{
	atomic_signal_fence(memory_order_seq_cst);
	atomic_store_explicit(&memo->stored, of_turn(turn, id), memory_order_relaxed);
	return is_turn(memo, turn);
}

uint8_t stack_memo_number_module(struct stack_memo *memo, uint64_t salt)
{
	uint32_t i = 0;

	while (i < memo->module_count && memo->module_salts[i] != salt)
		i++;
	if (i == MEMO_MODULES)
		return MEMO_MODULE_STAY;
	if (i == memo->module_count) {
		memo->module_salts[i] = salt;
		memo->module_count = i + 1;
	}
	return (uint8_t)(i + 1);
}

/* Words of other people's stacks, of which the sanitizers know nothing. */
__attribute__((no_sanitize("address", "thread"))) static inline uintptr_t word_at(uintptr_t slot)
{
	return *(const volatile uintptr_t *)slot;
}

/* Is the word at `slot`, a place found in the memo, still `value`? */
static inline bool holds_word(
		const struct stack_memo *memo, uint32_t turn, uintptr_t slot, uintptr_t value)
{
	return is_turn(memo, turn) && word_at(slot) == value; /* M7 */
}

/*
 * The same for the return addresses of four frames at once: to ask for the turn costs as much as to
 * compare a frame.
 */
static inline bool four_hold(const struct stack_memo *memo, uint32_t turn, const uintptr_t *sp,
		const uintptr_t *address)
{
	uintptr_t slots[] = { sp[0] - 8, sp[1] - 8, sp[2] - 8, sp[3] - 8 };

	if (!is_turn(memo, turn)) /* M7 */
		return false;
	return ((word_at(slots[0]) ^ address[0]) | (word_at(slots[1]) ^ address[1]) |
			       (word_at(slots[2]) ^ address[2]) |
			       (word_at(slots[3]) ^ address[3])) == 0;
}

/* The first frame behind `frame` whose return address has changed, or the end. */
static uint32_t first_changed_frame(
		const struct stack_memo *memo, const struct memo_view *view, uint32_t frame)
{
	const uintptr_t *sp = view->side->sp;
	const uintptr_t *address = view->side->address;
	const uint32_t end = view->stack.end;
	const uint32_t turn = view->turn;
	uint32_t i = frame + 1;

	while (i + 4 <= end && four_hold(memo, turn, &sp[i], &address[i]))
		i += 4;
	while (i < end && holds_word(memo, turn, sp[i] - 8, address[i]))
		i++;
	return i;
}

static uint32_t first_changed_read(
		const struct stack_memo *memo, const struct memo_view *view, uint32_t begin)
{
	const struct memo_read *reads = view->side->reads;
	uint32_t i = begin;

	while (i < view->stack.reads_end &&
			holds_word(memo, view->turn, reads[i].address, reads[i].value))
		i++;
	return i;
}

/* M6. All reads of `frame` and further out are known to hold. */
static bool modules_hold(const struct stack_memo *memo, const struct memo_view *view,
		uint32_t frame, bool certain, uint32_t *candidate)
{
	uint32_t asked = 0;

	for (uint32_t i = frame; i < view->stack.end; i++) {
		const struct memo_mark mark = view->side->marks[i];
		uintptr_t address = view->side->address[i];
		struct code_module module;

		if (mark.module != MEMO_MODULE_STAY && !(asked & 1u << mark.module)) {
			asked |= 1u << mark.module;
			if (!is_turn(memo, view->turn) ||
					!code_module_find(address - 1, certain, &module) ||
					module.salt != memo->module_salts[mark.module - 1]) {
				*candidate = i + 1;
				return false;
			}
		}
		certain &= !(mark.flags & MEMO_GUESS);
	}
	return true;
}

bool stack_memo_holds(const struct stack_memo *memo, const struct memo_view *view, uint32_t frame,
		struct stack_reach *reach, bool certain, uint32_t *candidate)
{
	const struct memo_side *side = view->side;
	const struct memo_stack *stack = &view->stack;

	if (stack->top > reach->high && !stack_reach_extend(reach, stack->top)) {
		*candidate = stack->end;
		return false;
	}

	uint32_t frame_changed = first_changed_frame(memo, view, frame);
	uint32_t read_changed = first_changed_read(memo, view, side->marks[frame].reads);
	if (frame_changed < stack->end || read_changed < stack->reads_end) {
		/* Out are all frames whose rest has a changed word in it. */
		frame = frame_changed < stack->end ? frame_changed : frame + 1;
		while (frame < stack->end && read_changed < stack->reads_end &&
				side->marks[frame].reads <= read_changed)
			frame++;
		*candidate = frame;
		return false;
	}
	return memo->module_count == 0 || modules_hold(memo, view, frame, certain, candidate);
}

/* With FACTOR * INVERSE = 1 modulo 2^64; Newton's iteration doubles the right bits, from three. */
static uint64_t inverse(uint64_t odd)
{
	uint64_t result = odd;

	for (int bits = 3; bits < 64; bits *= 2)
		result *= 2 - odd * result;
	return result;
}

/* The hash of the stack without the frames before `tail`. */
static uint64_t hash_from(
		const struct stack_memo *memo, const struct memo_view *view, uint32_t tail)
{
	const struct memo_side *side = view->side;
	const uint64_t inverse_factor = inverse(MEMO_HASH_FACTOR);
	uint64_t hash = view->stack.hash;

	for (uint32_t i = view->stack.own_end; i < tail; i++) {
		uint8_t module = side->marks[i].module;
		uint64_t salt = module == MEMO_MODULE_STAY ? 0 : memo->module_salts[module - 1];

		hash = (hash - stack_memo_hash(side->address[i], salt)) * inverse_factor;
	}
	return hash;
}

/* Copies frames, and their reads, which come to lie elsewhere too. */
static void copy_frames(struct memo_side *to, uint32_t to_frame, uint32_t to_read,
		const struct memo_side *from, uint32_t from_frame, uint32_t from_read,
		uint32_t frames, uint32_t reads)
{
	memcpy(&to->sp[to_frame], &from->sp[from_frame], frames * sizeof(to->sp[0]));
	memcpy(&to->address[to_frame], &from->address[from_frame], frames * sizeof(to->address[0]));
	memcpy(&to->bp[to_frame], &from->bp[from_frame], frames * sizeof(to->bp[0]));
	memcpy(&to->reads[to_read], &from->reads[from_read], reads * sizeof(to->reads[0]));
	for (uint32_t i = 0; i < frames; i++) {
		to->marks[to_frame + i] = from->marks[from_frame + i];
		to->marks[to_frame + i].reads = (uint16_t)(from->marks[from_frame + i].reads -
							   from_read + to_read);
	}
}

/* What the two parts make together, when the first frame of the rest comes to lie at `rest`. */
static void merge(struct memo_stack *result, const struct memo_stack *stack,
		const struct memo_stack *fresh, uint32_t tail, uint32_t rest)
{
	uint32_t begin = rest - (fresh->end - fresh->begin);

	*result = *stack;
	result->begin = begin;
	result->end = rest + (stack->end - tail);
	result->joinable = begin + (fresh->joinable - fresh->begin);
	result->own_end = begin + (fresh->own_end - fresh->begin);
	if (fresh->own_end == fresh->end && stack->own_end > tail)
		result->own_end = rest + (stack->own_end - tail);
	result->guess_end = 0;
	if (stack->guess_end > tail)
		result->guess_end = rest + (stack->guess_end - tail);
	else if (fresh->guess_end > 0)
		result->guess_end = begin + (fresh->guess_end - fresh->begin);
}

void stack_memo_join(struct stack_memo *memo, const struct memo_view *view,
		const struct memo_stack *fresh, uint32_t tail, uint64_t factor)
{
	const struct memo_stack *stack = &view->stack;
	struct memo_side *here = view->side;
	struct memo_side *there = view->other_side;
	struct memo_stack result;

	if (tail == stack->end) {
		memo->stack = *fresh;
		memo->side = !memo->side;
		return;
	}

	uint32_t frames = fresh->end - fresh->begin;
	uint32_t reads = fresh->reads_end - fresh->reads_begin;
	uint32_t tail_frames = stack->end - tail;
	uint32_t tail_read = here->marks[tail].reads;
	if (!is_turn(memo, view->turn))
		return; /* M7: that may be an index of another stack */

	uint32_t tail_reads = stack->reads_end - tail_read;
	uint64_t hash = fresh->hash + factor * hash_from(memo, view, tail);

	if (frames <= tail && reads <= tail_read) {
		merge(&result, stack, fresh, tail, tail);
		result.reads_begin = tail_read - reads;
		copy_frames(here, result.begin, result.reads_begin, there, fresh->begin,
				fresh->reads_begin, frames, reads);
	} else {
		merge(&result, stack, fresh, tail, fresh->end);
		if (fresh->reads_end + tail_reads > MEMO_READS) {
			tail_reads = 0;
			result.joinable = result.end;
		}
		result.reads_begin = fresh->reads_begin;
		result.reads_end = fresh->reads_end + tail_reads;
		copy_frames(there, fresh->end, fresh->reads_end, here, tail, tail_read, tail_frames,
				tail_reads);
		memo->side = !memo->side;
	}
	result.hash = hash;
	memo->stack = result;
}
