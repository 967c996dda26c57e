#include "tests/support/stack_oracle.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include "formats/base/macros.h"
#include "recorder/shim/code_module.h"
#include "recorder/shim/stack_capture.h"

/* Only its module log is used; far too large for the stack. */
static struct process_slot slot;
static uint32_t depth_limit;

bool stack_oracle_init(uint32_t depth)
{
	depth_limit = depth;
	return stack_capture_init(&slot, depth, SEGMENT_CLOCK_MONOTONIC);
}

static bool is_own(uintptr_t address)
{
	const struct elf_image *own = code_module_own();

	return address - own->begin < own->end - own->begin;
}

/* libunwind's frames in our form: return addresses, and +1 where nobody called, see
 * stack_capture.h. `context` is of a function that is still running. */
static void walk_with_libunwind(struct stack_oracle *oracle, unw_context_t *context)
{
	unw_cursor_t cursor;
	uint32_t count = 0;

	unw_init_local(&cursor, context);
	do {
		unw_word_t ip = 0;
		/* True of the frame that was interrupted. The one before is the trampoline. */
		bool interrupted = unw_is_signal_frame(&cursor) > 0;

		unw_get_reg(&cursor, UNW_REG_IP, &ip);
		if (ip == 0)
			break;
		if (interrupted && count > 0)
			oracle->expected[count - 1]++;
		if (!is_own(ip))
			oracle->expected[count++] = ip + interrupted;
	} while (count < LO_COUNT_OF(oracle->expected) && unw_step(&cursor) > 0);
	oracle->expected_count = count;
}

/* Ours and libunwind's walk begin at different instructions of the same function. */
static uint32_t frames_to_skip(void)
{
	return code_module_own()->begin == code_module_own()->end ? 1 : 0;
}

static enum oracle_verdict compare(struct stack_oracle *oracle, const struct stack_walk *with_memo,
		const struct stack_walk *plain)
{
	uint32_t skip = frames_to_skip();
	uint32_t expected = oracle->expected_count;
	uint32_t found = plain->count;

	oracle->found[0] = plain->addresses;
	oracle->found[1] = with_memo->addresses;
	oracle->found_count = found;
	oracle->found_flags = plain->flags;
	if (with_memo->count != found || with_memo->flags != plain->flags)
		return ORACLE_MEMO_DIFFERS;
	for (uint32_t i = skip; i < found; i++)
		if (with_memo->addresses[i] != plain->addresses[i])
			return ORACLE_MEMO_DIFFERS;
	for (uint32_t i = skip; i < found && i < expected; i++)
		if (plain->addresses[i] != oracle->expected[i])
			return ORACLE_FRAMES_DIFFER;
	if (found < expected)
		return found == depth_limit && (plain->flags & STACK_WORD_FLAG_CUT)
				       ? ORACLE_EQUAL
				       : ORACLE_SHORTER;
	return found > expected ? ORACLE_LONGER : ORACLE_EQUAL;
}

__attribute__((noinline)) enum oracle_verdict stack_oracle_compare(struct stack_oracle *oracle)
{
	struct stack_registers here;
	struct stack_walk with_memo;
	struct stack_walk plain;
	unw_context_t context;

	STACK_REGISTERS_HERE(here);
	if (!stack_walk(&oracle->with_memo, &here, &with_memo))
		return ORACLE_MEMO_DIFFERS;
	stack_memo_reset(&oracle->plain);
	if (!stack_walk(&oracle->plain, &here, &plain))
		return ORACLE_MEMO_DIFFERS;
	unw_getcontext(&context);
	walk_with_libunwind(oracle, &context);
	/* A hash says which stack it is, so it must not depend on how the stack was found. */
	enum oracle_verdict verdict = compare(oracle, &with_memo, &plain);
	return verdict == ORACLE_EQUAL && with_memo.hash != plain.hash ? ORACLE_MEMO_DIFFERS
								       : verdict;
}

static void print_address(uintptr_t address)
{
	Dl_info info = { 0 };

	if (address == 0) {
		fprintf(stderr, "%-18s ", "-");
		return;
	}
	fprintf(stderr, "%#-18lx ", (unsigned long)address);
	if (dladdr((void *)(address - 1), &info))
		fprintf(stderr, "%s+%#lx %s ", info.dli_fname,
				(unsigned long)(address - (uintptr_t)info.dli_fbase),
				info.dli_sname ? info.dli_sname : "");
}

void stack_oracle_print(const struct stack_oracle *oracle, enum oracle_verdict verdict)
{
	uint32_t found = oracle->found_count;
	uint32_t rows = found > oracle->expected_count ? found : oracle->expected_count;

	fprintf(stderr, "%s: %u frames (flags %#lx), libunwind has %u\n",
			oracle_verdict_name(verdict), found, (unsigned long)oracle->found_flags,
			oracle->expected_count);
	for (uint32_t i = 0; i < rows; i++) {
		const uintptr_t *plain = oracle->found[0];
		const uintptr_t *memo = oracle->found[1];
		uintptr_t ours = i < found ? plain[i] : 0;
		uintptr_t theirs = i < oracle->expected_count ? oracle->expected[i] : 0;

		fprintf(stderr, "%4u %s ", i, ours == theirs ? " " : "*");
		print_address(ours);
		if (ours != theirs)
			print_address(theirs);
		if (verdict == ORACLE_MEMO_DIFFERS && i < found)
			print_address(memo[i]);
		fprintf(stderr, "\n");
	}
}

const char *oracle_verdict_name(enum oracle_verdict verdict)
{
	static const char *const names[ORACLE_VERDICT_COUNT] = {
		[ORACLE_EQUAL] = "equal",
		[ORACLE_MEMO_DIFFERS] = "memo differs",
		[ORACLE_FRAMES_DIFFER] = "frames differ",
		[ORACLE_SHORTER] = "ends early",
		[ORACLE_LONGER] = "libunwind ends early",
	};

	return names[verdict];
}
