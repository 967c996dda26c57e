#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "recorder/shim/unwind_rule.h"
#include "tests/support/unwind_builder.h"

/* Operations of call frame programs, as bytes. */
#define NOP                   0x00
#define ADVANCE(delta)        (0x40 | (delta))
#define OFFSET(reg, factor)   (0x80 | (reg)), (factor)
#define RESTORE(reg)          (0xc0 | (reg))
#define ADVANCE1(delta)       0x02, (delta)
#define ADVANCE2(low, high)   0x03, (low), (high)
#define ADVANCE4(low, high)   0x04, (low), (high), 0, 0
#define OFFSET_EXTENDED       0x05
#define RESTORE_EXTENDED      0x06
#define UNDEFINED             0x07
#define SAME_VALUE            0x08
#define REGISTER              0x09
#define REMEMBER              0x0a
#define RESTORE_STATE         0x0b
#define DEF_CFA               0x0c
#define DEF_CFA_REGISTER(reg) 0x0d, (reg)
#define DEF_CFA_OFFSET(size)  0x0e, (size)
#define DEF_CFA_EXPRESSION    0x0f
#define EXPRESSION            0x10
#define OFFSET_EXTENDED_SF    0x11
#define DEF_CFA_SF            0x12
#define DEF_CFA_OFFSET_SF     0x13
#define VAL_OFFSET            0x14
#define VAL_EXPRESSION        0x16
#define GNU_ARGS_SIZE         0x2e
#define GNU_NEGATIVE_OFFSET   0x2f

#define RBX 3
#define RBP 6
#define RSP 7
#define RIP 16

#define OP_DEREF     0x06
#define OP_LIT(n)    (0x30 + (n))
#define OP_BREG(reg) (0x70 + (reg))

#define PROGRAM(...) { __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

struct rule_case {
	const char *name;
	uint8_t program[32];
	size_t size;
	size_t at; /* of the function, where the rule is asked for */
	enum unwind_kind kind;
	intptr_t a;
	uintptr_t b;
};

static const struct rule_case rule_cases[] = {
	{ "at the first instruction", PROGRAM(NOP), 0, UNWIND_CFA_SP, 8, 0 },
	{ "after sub rsp", PROGRAM(ADVANCE(4), DEF_CFA_OFFSET(48)), 4, UNWIND_CFA_SP, 48, 0 },
	{ "one byte before it", PROGRAM(ADVANCE(4), DEF_CFA_OFFSET(48)), 3, UNWIND_CFA_SP, 8, 0 },
	{ "rbp saved and kept for data", PROGRAM(ADVANCE(1), DEF_CFA_OFFSET(16), OFFSET(RBP, 2)), 9,
			UNWIND_CFA_SP, 16, 16 },
	{ "frame pointer",
			PROGRAM(ADVANCE(1), DEF_CFA_OFFSET(16), OFFSET(RBP, 2), ADVANCE(3),
					DEF_CFA_REGISTER(RBP)),
			9, UNWIND_CFA_BP, 16, 16 },
	{ "frame pointer, not set yet",
			PROGRAM(ADVANCE(1), DEF_CFA_OFFSET(16), OFFSET(RBP, 2), ADVANCE(3),
					DEF_CFA_REGISTER(RBP)),
			3, UNWIND_CFA_SP, 16, 16 },
	{ "behind an early return",
			PROGRAM(ADVANCE(1), DEF_CFA_OFFSET(16), OFFSET(RBP, 2), REMEMBER,
					ADVANCE(8), RESTORE(RBP), DEF_CFA_OFFSET(8), ADVANCE(1),
					RESTORE_STATE),
			12, UNWIND_CFA_SP, 16, 16 },
	{ "in an early return",
			PROGRAM(ADVANCE(1), DEF_CFA_OFFSET(16), OFFSET(RBP, 2), REMEMBER,
					ADVANCE(8), RESTORE(RBP), DEF_CFA_OFFSET(8), ADVANCE(1),
					RESTORE_STATE),
			9, UNWIND_CFA_SP, 8, 0 },
	{ "longer advances",
			PROGRAM(ADVANCE1(200), DEF_CFA_OFFSET(16), ADVANCE2(0, 1),
					DEF_CFA_OFFSET(24), ADVANCE4(0, 2), DEF_CFA_OFFSET(32)),
			200 + 256 + 512, UNWIND_CFA_SP, 32, 0 },
	{ "before the last of them",
			PROGRAM(ADVANCE1(200), DEF_CFA_OFFSET(16), ADVANCE2(0, 1),
					DEF_CFA_OFFSET(24), ADVANCE4(0, 2), DEF_CFA_OFFSET(32)),
			200 + 256 + 511, UNWIND_CFA_SP, 24, 0 },
	{ "extended forms", PROGRAM(OFFSET_EXTENDED, RBP, 3, DEF_CFA, RSP, 32, GNU_ARGS_SIZE, 16),
			5, UNWIND_CFA_SP, 32, 24 },
	{ "signed forms",
			PROGRAM(OFFSET_EXTENDED_SF, RBP, 3, DEF_CFA_SF, RSP, 0x7c,
					DEF_CFA_OFFSET_SF, 0x7a),
			5, UNWIND_CFA_SP, 48, 24 },
	{ "old negative offset", PROGRAM(GNU_NEGATIVE_OFFSET, RBP, 0x7e & 0x02), 5, UNWIND_COMPLEX,
			0, 0 },
	{ "restored to the description", PROGRAM(OFFSET(RBP, 2), RESTORE_EXTENDED, RBP), 5,
			UNWIND_CFA_SP, 8, 0 },
	{ "other registers do not matter",
			PROGRAM(OFFSET(RBX, 4), UNDEFINED, 1, SAME_VALUE, 12, REGISTER, 2, 3,
					VAL_OFFSET, 8, 2, EXPRESSION, 14, 1, OP_LIT(0)),
			5, UNWIND_CFA_SP, 8, 0 },
	{ "a page of locals", PROGRAM(DEF_CFA_OFFSET(0x90), 0x20), 5, UNWIND_CFA_SP, 4112, 0 },
	{ "the largest frame", PROGRAM(DEF_CFA_OFFSET(0xf8), 0xff, 0x0f), 5, UNWIND_CFA_SP, 262136,
			0 },
	{ "a frame too large", PROGRAM(DEF_CFA_OFFSET(0x80), 0x80, 0x10), 5, UNWIND_COMPLEX, 0, 0 },
	{ "rbp saved too far away", PROGRAM(OFFSET(RBP, 0x80), 2), 5, UNWIND_COMPLEX, 0, 0 },
	{ "an offset that is no multiple of 8", PROGRAM(DEF_CFA_OFFSET(20)), 5, UNWIND_COMPLEX, 0,
			0 },
	{ "the first function of a thread", PROGRAM(UNDEFINED, RIP), 5, UNWIND_ROOT, 0, 0 },
	{ "return address in a register", PROGRAM(REGISTER, RIP, RBX), 5, UNWIND_COMPLEX, 0, 0 },
	{ "return address elsewhere", PROGRAM(OFFSET(RIP, 2)), 5, UNWIND_COMPLEX, 0, 0 },
	{ "rbp in a register", PROGRAM(REGISTER, RBP, RBX), 5, UNWIND_COMPLEX, 0, 0 },
	{ "rbp lost", PROGRAM(UNDEFINED, RBP), 5, UNWIND_COMPLEX, 0, 0 },
	{ "rbp computed", PROGRAM(VAL_EXPRESSION, RBP, 1, OP_LIT(0)), 5, UNWIND_COMPLEX, 0, 0 },
	{ "CFA by another register", PROGRAM(DEF_CFA_REGISTER(RBX)), 5, UNWIND_COMPLEX, 0, 0 },
	{ "realigned stack",
			PROGRAM(DEF_CFA_EXPRESSION, 3, OP_BREG(RBP), 0x78, OP_DEREF, EXPRESSION,
					RBP, 2, OP_BREG(RBP), 0),
			5, UNWIND_REALIGNED, -8, 0 },
	{ "CFA as an expression of rsp", PROGRAM(DEF_CFA_EXPRESSION, 2, OP_BREG(RSP), 24), 5,
			UNWIND_CFA_SP, 24, 0 },
	{ "CFA defined after an expression",
			PROGRAM(DEF_CFA_EXPRESSION, 2, OP_BREG(RSP), 24, DEF_CFA, RSP, 32), 5,
			UNWIND_CFA_SP, 32, 0 },
	{ "an operation that does not exist", PROGRAM(0x3f), 5, UNWIND_COMPLEX, 0, 0 },
	{ "behind the instruction that is asked for", PROGRAM(ADVANCE(8), 0x3f), 5, UNWIND_CFA_SP,
			8, 0 },
	{ "a state restored that was not kept", PROGRAM(RESTORE_STATE), 5, UNWIND_COMPLEX, 0, 0 },
	{ "states kept too deeply", PROGRAM(REMEMBER, REMEMBER, REMEMBER, REMEMBER, REMEMBER), 5,
			UNWIND_COMPLEX, 0, 0 },
	{ "an operand cut off",
			PROGRAM(NOP, NOP, NOP, NOP, NOP, NOP, NOP, DEF_CFA, RSP, 0x80, 0x80), 5,
			UNWIND_COMPLEX, 0, 0 },
	{ "an expression longer than the program",
			PROGRAM(DEF_CFA_EXPRESSION, 0x7f, OP_BREG(RSP), 8), 5, UNWIND_COMPLEX, 0,
			0 },
	{ "an endless number",
			PROGRAM(DEF_CFA, RSP, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
					0x80, 0x00),
			5, UNWIND_COMPLEX, 0, 0 },
};

#define FUNCTION_SIZE 4096u

static uint32_t compile_at(const struct unwind_builder *builder, size_t offset)
{
	struct cfi_tables tables = unwind_builder_tables(builder);

	return unwind_rule_compile(&tables, unwind_builder_pc(builder, offset));
}

static void every_program_gives_its_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(rule_cases); i++) {
		const struct rule_case *row = &rule_cases[i];
		struct unwind_builder builder;

		unwind_builder_init(&builder);
		unwind_builder_add(&builder, 0, FUNCTION_SIZE, row->program, row->size);
		unwind_builder_finish(&builder);
		uint32_t rule = compile_at(&builder, row->at);

		if (unwind_rule_kind(rule) != row->kind || unwind_rule_a(rule) != row->a ||
				unwind_rule_b(rule) != row->b)
			fail_msg("%s: kind %d, A %ld, B %lu", row->name, unwind_rule_kind(rule),
					(long)unwind_rule_a(rule),
					(unsigned long)unwind_rule_b(rule));
	}
}

static void a_rule_is_packed_and_read_back(void **state)
{
	(void)state;
	uint32_t rule = UNWIND_OWN | unwind_rule_of_kind(UNWIND_CFA_SP) | 0xffff;

	assert_int_equal(unwind_rule_kind(rule), UNWIND_CFA_SP);
	assert_int_equal(unwind_rule_a(rule), -8);
	assert_int_equal(unwind_rule_b(rule), 0);
	assert_false(unwind_rule_is_plain(rule));
	assert_true(unwind_rule_is_plain(rule & ~UNWIND_OWN));
	for (unsigned kind = 0; kind < 8; kind++) {
		assert_int_equal(unwind_rule_kind(unwind_rule_of_kind((enum unwind_kind)kind)),
				kind);
		assert_true(unwind_rule_of_kind((enum unwind_kind)kind) >> UNWIND_RULE_BITS == 0);
	}
}

static void instructions_between_functions_have_no_data(void **state)
{
	const uint8_t nothing[] = { NOP };
	struct unwind_builder builder;

	(void)state;
	unwind_builder_init(&builder);
	unwind_builder_add(&builder, 16, 16, nothing, 1);
	unwind_builder_add(&builder, 48, 16, nothing, 1);
	unwind_builder_add(&builder, 64, 16, nothing, 1);
	unwind_builder_finish(&builder);

	for (size_t at = 0; at < 96; at++) {
		bool inside = (at >= 16 && at < 32) || (at >= 48 && at < 80);

		assert_int_equal(unwind_rule_kind(compile_at(&builder, at)),
				inside ? UNWIND_CFA_SP : UNWIND_NO_DATA);
	}
	struct cfi_tables tables = unwind_builder_tables(&builder);
	assert_int_equal(unwind_rule_kind(unwind_rule_compile(&tables, 0)), UNWIND_NO_DATA);
	assert_int_equal(unwind_rule_kind(unwind_rule_compile(&tables, UINTPTR_MAX)),
			UNWIND_NO_DATA);
}

static void a_table_without_functions_has_no_data(void **state)
{
	struct unwind_builder builder;

	(void)state;
	unwind_builder_init(&builder);
	unwind_builder_finish(&builder);
	assert_int_equal(unwind_rule_kind(compile_at(&builder, 0)), UNWIND_NO_DATA);
}

/* As the linkers write it: the CFA is one word further up from the eleventh byte of an entry on. */
static void the_rule_of_a_plt_entry_depends_on_the_instruction(void **state)
{
	const uint8_t plt[] = { DEF_CFA_EXPRESSION, 11, OP_BREG(RSP), 8, OP_BREG(RIP), 0,
		OP_LIT(15), 0x1a, OP_LIT(11), 0x2a, OP_LIT(3), 0x24, 0x22 };
	struct unwind_builder builder;

	(void)state;
	memset(&builder, 0, sizeof(builder));
	unwind_builder_init(&builder);
	unwind_builder_add(&builder, 0, 256, plt, sizeof(plt));
	unwind_builder_finish(&builder);
	for (size_t at = 0; at < 256; at++) {
		uintptr_t pc = unwind_builder_pc(&builder, at);

		assert_int_equal(unwind_rule_a(compile_at(&builder, at)), pc % 16 >= 11 ? 16 : 8);
	}
}

/* As in glibc's __restore_rt, of the registers the three that count. */
static void the_kernels_signal_frame_is_known(void **state)
{
	const uint8_t format = 0x1b;
	const uint8_t none[] = { NOP };
	uint8_t frame[] = { DEF_CFA_EXPRESSION, 4, OP_BREG(RSP), 0xa0, 0x01, OP_DEREF, EXPRESSION,
		RBP, 3, OP_BREG(RSP), 0xf8, 0x00, EXPRESSION, RIP, 3, OP_BREG(RSP), 0xa8, 0x01 };
	struct unwind_builder builder;

	(void)state;
	unwind_builder_init_with(&builder, "zRS", &format, 1, none, 1);
	unwind_builder_add(&builder, 0, 16, frame, sizeof(frame));
	unwind_builder_finish(&builder);
	assert_int_equal(unwind_rule_kind(compile_at(&builder, 1)), UNWIND_SIGNAL);

	frame[sizeof(frame) - 2] = 0xb0; /* somebody else's frame */
	unwind_builder_init_with(&builder, "zRS", &format, 1, none, 1);
	unwind_builder_add(&builder, 0, 16, frame, sizeof(frame));
	unwind_builder_finish(&builder);
	assert_int_equal(unwind_rule_kind(compile_at(&builder, 1)), UNWIND_COMPLEX);
}

static enum unwind_kind kind_with_augmentation(
		const char *augmentation, const uint8_t *data, size_t size)
{
	const uint8_t description[] = { DEF_CFA, RSP, 8, OFFSET(RIP, 1) };
	const uint8_t none[] = { NOP };
	struct unwind_builder builder;

	unwind_builder_init_with(
			&builder, augmentation, data, size, description, sizeof(description));
	unwind_builder_add(&builder, 0, 16, none, 1);
	unwind_builder_finish(&builder);
	return unwind_rule_kind(compile_at(&builder, 1));
}

static void augmentations_are_read_or_refused(void **state)
{
	const uint8_t cxx[] = { 0x9b, 1, 2, 3, 4, 0x1b, 0x1b };
	const uint8_t unknown[] = { 0x1b, 1, 2, 3, 4, 5 };
	const uint8_t format = 0x1b;

	(void)state;
	assert_int_equal(kind_with_augmentation("zPLR", cxx, sizeof(cxx)), UNWIND_CFA_SP);
	/* What follows a letter that nobody knows is skipped: the length is known. */
	assert_int_equal(kind_with_augmentation("zRB", &format, 1), UNWIND_CFA_SP);
	assert_int_equal(kind_with_augmentation("zRX", unknown, sizeof(unknown)), UNWIND_CFA_SP);
	assert_int_equal(kind_with_augmentation("zPLR", cxx, 4), UNWIND_COMPLEX);
	assert_int_equal(kind_with_augmentation("eh", NULL, 0), UNWIND_COMPLEX);
}

static void addresses_are_read_in_every_format(void **state)
{
	static const struct {
		uint8_t format;
		enum unwind_kind kind;
	} formats[] = {
		{ 0x00, UNWIND_CFA_SP }, /* absolute, eight bytes */
		{ 0x04, UNWIND_CFA_SP },
		{ 0x0c, UNWIND_CFA_SP },
		{ 0x1b, UNWIND_CFA_SP }, /* relative to itself */
		{ 0x13, UNWIND_CFA_SP },
		{ 0x1c, UNWIND_CFA_SP },
		{ 0x1a, UNWIND_NO_DATA }, /* two bytes do not reach */
		{ 0x9b, UNWIND_COMPLEX }, /* indirect */
		{ 0x3b, UNWIND_COMPLEX }, /* relative to what nobody says */
		{ 0x5b, UNWIND_COMPLEX },
		{ 0x07, UNWIND_COMPLEX },
	};
	const uint8_t none[] = { NOP };
	const uint8_t description[] = { DEF_CFA, RSP, 8, OFFSET(RIP, 1) };

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(formats); i++) {
		struct unwind_builder builder;

		unwind_builder_init_with(&builder, "zR", &formats[i].format, 1, description,
				sizeof(description));
		builder.pointer_format = formats[i].format;
		unwind_builder_add(&builder, 0, 16, none, 1);
		unwind_builder_finish(&builder);
		if (unwind_rule_kind(compile_at(&builder, 1)) != formats[i].kind)
			fail_msg("format %#x: kind %d", formats[i].format,
					unwind_rule_kind(compile_at(&builder, 1)));
	}
}

static void a_header_without_sorted_table_is_refused(void **state)
{
	const uint8_t none[] = { NOP };
	static const struct {
		size_t at;
		uint8_t value;
	} changes[] = { { 0, 2 }, { 2, 0xff }, { 3, 0xff }, { 3, 0x1b }, { 11, 0x7f } };

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(changes); i++) {
		struct unwind_builder builder;

		unwind_builder_init(&builder);
		unwind_builder_add(&builder, 0, 16, none, 1);
		unwind_builder_finish(&builder);
		unwind_builder_patch(&builder, builder.header + changes[i].at, changes[i].value, 1);
		assert_int_equal(unwind_rule_kind(compile_at(&builder, 1)), UNWIND_COMPLEX);
	}
}

static void records_that_point_astray_are_refused(void **state)
{
	static const struct {
		bool in_fde; /* else in the description */
		size_t at;
		uint64_t value;
		size_t size;
	} changes[] = {
		{ true, 0, 0xfffffff0, 4 }, /* longer than everything */
		{ true, 0, UINT32_MAX, 4 }, /* a 64-bit length made of what follows */
		{ true, 4, 0, 4 },          /* a description where a function should be */
		{ true, 4, 4, 4 },          /* its own description */
		{ true, 4, 0x7fffffff, 4 },
		{ true, 12, 0x8000000000000000, 8 }, /* size, and augmentation data */
		{ false, 0, 3, 4 }, { false, 4, 1, 4 }, { false, 8, 4, 1 }, /* version */
		{ false, 14, 3, 1 }, /* return address register */
	};
	const uint8_t none[] = { NOP };

	(void)state;
	for (size_t i = 0; i < LO_COUNT_OF(changes); i++) {
		struct unwind_builder builder;

		unwind_builder_init(&builder);
		unwind_builder_add(&builder, 0, 16, none, 1);
		unwind_builder_finish(&builder);
		unwind_builder_patch(&builder,
				(changes[i].in_fde ? builder.fdes[0] : builder.cie) + changes[i].at,
				changes[i].value, changes[i].size);
		enum unwind_kind kind = unwind_rule_kind(compile_at(&builder, 1));
		if (kind != UNWIND_COMPLEX && kind != UNWIND_NO_DATA)
			fail_msg("change %zu: kind %d", i, kind);
	}
}

/* Tables between two pages that cannot be touched. */
#define PAGE 4096u

struct fence {
	uint8_t *pages;
	uint8_t *inside;
};

static void fence_make(struct fence *fence)
{
	fence->pages = mmap(
			NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(fence->pages, MAP_FAILED);
	assert_int_equal(mprotect(fence->pages, PAGE, PROT_NONE), 0);
	assert_int_equal(mprotect(fence->pages + 2 * PAGE, PAGE, PROT_NONE), 0);
	fence->inside = fence->pages + PAGE;
}

/* All the rules of the tables, wherever they lie; what matters is not to fault. */
static unsigned compile_all(const uint8_t *begin, size_t size, size_t header)
{
	const struct cfi_tables tables = { begin, begin + size, begin + header };
	unsigned found = 0;

	for (size_t at = 0; at < 80; at++) {
		uintptr_t pc = (uintptr_t)begin + UNWIND_BUILDER_CODE + at;

		found += unwind_rule_kind(unwind_rule_compile(&tables, pc)) == UNWIND_CFA_BP;
	}
	return found;
}

static void build_sample(struct unwind_builder *builder)
{
	const uint8_t framed[] = { ADVANCE(1), DEF_CFA_OFFSET(16), OFFSET(RBP, 2), REMEMBER,
		ADVANCE(3), DEF_CFA_REGISTER(RBP), ADVANCE1(20), RESTORE_STATE };
	const uint8_t plt[] = { DEF_CFA_EXPRESSION, 3, OP_BREG(RBP), 0x78, OP_DEREF, EXPRESSION,
		RBP, 2, OP_BREG(RBP), 0 };

	unwind_builder_init(builder);
	unwind_builder_add(builder, 0, 32, framed, sizeof(framed));
	unwind_builder_add(builder, 32, 32, plt, sizeof(plt));
	unwind_builder_finish(builder);
}

static void tables_cut_at_any_byte_are_read_up_to_there(void **state)
{
	struct unwind_builder builder;
	struct fence fence;

	(void)state;
	build_sample(&builder);
	fence_make(&fence);
	for (size_t size = 0; size <= builder.size; size++) {
		uint8_t *at_end = fence.inside + PAGE - size;

		memcpy(at_end, builder.bytes, size);
		unsigned found = compile_all(at_end, size, builder.header);
		assert_int_equal(found, size == builder.size ? 20 : 0);

		/* The same at the other fence, with the begin cut off. */
		memcpy(fence.inside, builder.bytes + builder.size - size, size);
		const uint8_t *begin = fence.inside;
		if (size > builder.size - builder.header)
			compile_all(begin, size, size - (builder.size - builder.header));
	}
	munmap(fence.pages, 3 * PAGE);
}

static void tables_with_any_bit_flipped_are_read_within_their_bounds(void **state)
{
	struct unwind_builder builder;
	struct fence fence;

	(void)state;
	build_sample(&builder);
	fence_make(&fence);
	for (size_t bit = 0; bit < 8 * builder.size; bit++) {
		uint8_t *at_end = fence.inside + PAGE - builder.size;

		memcpy(at_end, builder.bytes, builder.size);
		at_end[bit / 8] ^= (uint8_t)(1u << bit % 8);
		compile_all(at_end, builder.size, builder.header);
	}
	munmap(fence.pages, 3 * PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_program_gives_its_rule),
		cmocka_unit_test(a_rule_is_packed_and_read_back),
		cmocka_unit_test(instructions_between_functions_have_no_data),
		cmocka_unit_test(a_table_without_functions_has_no_data),
		cmocka_unit_test(the_rule_of_a_plt_entry_depends_on_the_instruction),
		cmocka_unit_test(the_kernels_signal_frame_is_known),
		cmocka_unit_test(augmentations_are_read_or_refused),
		cmocka_unit_test(addresses_are_read_in_every_format),
		cmocka_unit_test(a_header_without_sorted_table_is_refused),
		cmocka_unit_test(records_that_point_astray_are_refused),
		cmocka_unit_test(tables_cut_at_any_byte_are_read_up_to_there),
		cmocka_unit_test(tables_with_any_bit_flipped_are_read_within_their_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
