#include "recorder/shim/cfi_expression.h"

#include <stddef.h>

/* Deeper than any expression of gcc, clang, glibc or the linkers, which need three. */
#define OPERANDS_MAX 8u

enum {
	OP_DEREF = 0x06,
	OP_CONST1U = 0x08,
	OP_CONST1S = 0x09,
	OP_CONST2U = 0x0a,
	OP_CONST2S = 0x0b,
	OP_CONST4U = 0x0c,
	OP_CONST4S = 0x0d,
	OP_CONST8U = 0x0e,
	OP_CONST8S = 0x0f,
	OP_CONSTU = 0x10,
	OP_CONSTS = 0x11,
	OP_AND = 0x1a,
	OP_MINUS = 0x1c,
	OP_PLUS = 0x22,
	OP_PLUS_UCONST = 0x23,
	OP_SHL = 0x24,
	OP_GE = 0x2a,
	OP_LIT0 = 0x30,
	OP_LIT31 = 0x4f,
	OP_BREG0 = 0x70,
	OP_BREG31 = 0x8f
};

struct operands {
	struct cfi_value values[OPERANDS_MAX];
	unsigned count;
	bool failed;
};

static void push(struct operands *operands, struct cfi_value value)
{
	if (operands->count == OPERANDS_MAX)
		operands->failed = true;
	else
		operands->values[operands->count++] = value;
}

static void push_number(struct operands *operands, int64_t number)
{
	push(operands, (struct cfi_value){ .offset = number });
}

static struct cfi_value pop(struct operands *operands)
{
	if (operands->count == 0) {
		operands->failed = true;
		return (struct cfi_value){ 0 };
	}
	return operands->values[--operands->count];
}

static bool is_number(const struct cfi_value *value)
{
	return value->base == CFI_BASE_NONE && !value->memory;
}

/* Offsets are hostile: all arithmetic wraps. */
static int64_t wrapping_add(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static void push_register(struct operands *operands, unsigned number, int64_t offset, uintptr_t pc)
{
	switch (number) {
	case CFI_REGISTER_BP:
		push(operands, (struct cfi_value){ .base = CFI_BASE_BP, .offset = offset });
		break;
	case CFI_REGISTER_SP:
		push(operands, (struct cfi_value){ .base = CFI_BASE_SP, .offset = offset });
		break;
	case CFI_REGISTER_RA:
		push_number(operands, wrapping_add((int64_t)pc, offset));
		break;
	default:
		operands->failed = true;
	}
}

static void add_number(struct operands *operands, struct cfi_value value, int64_t number)
{
	/* A sum with something loaded from memory has no form here. */
	operands->failed |= value.memory;
	value.offset = wrapping_add(value.offset, number);
	push(operands, value);
}

static void apply_binary(struct operands *operands, uint8_t op)
{
	struct cfi_value right = pop(operands);
	struct cfi_value left = pop(operands);

	if (op == OP_PLUS && is_number(&left)) {
		add_number(operands, right, left.offset);
		return;
	}
	if (!is_number(&right) || (op != OP_PLUS && op != OP_MINUS && !is_number(&left))) {
		operands->failed = true;
		return;
	}
	switch (op) {
	case OP_PLUS:
		add_number(operands, left, right.offset);
		break;
	case OP_MINUS:
		add_number(operands, left, wrapping_add(0, (int64_t)(0 - (uint64_t)right.offset)));
		break;
	case OP_AND:
		push_number(operands, left.offset & right.offset);
		break;
	case OP_GE:
		push_number(operands, left.offset >= right.offset);
		break;
	default: /* OP_SHL */
		operands->failed |= (uint64_t)right.offset > 63;
		push_number(operands,
				(int64_t)((uint64_t)left.offset << ((uint64_t)right.offset & 63)));
	}
}

static void apply_deref(struct operands *operands)
{
	struct cfi_value value = pop(operands);

	/* Only one load can be said, and only from a frame. */
	operands->failed |= value.memory || is_number(&value);
	value.memory = true;
	push(operands, value);
}

static void apply(struct operands *operands, uint8_t op, struct cfi_cursor *in, uintptr_t pc)
{
	if (op >= OP_LIT0 && op <= OP_LIT31) {
		push_number(operands, op - OP_LIT0);
		return;
	}
	if (op >= OP_BREG0 && op <= OP_BREG31) {
		push_register(operands, op - OP_BREG0, cfi_sleb128(in), pc);
		return;
	}
	switch (op) {
	case OP_CONST1U:
	case OP_CONST2U:
	case OP_CONST4U:
	case OP_CONST8U:
		push_number(operands,
				(int64_t)cfi_unsigned(in, (size_t)1 << ((op - OP_CONST1U) / 2)));
		break;
	case OP_CONST1S:
	case OP_CONST2S:
	case OP_CONST4S:
	case OP_CONST8S:
		push_number(operands, cfi_signed(in, (size_t)1 << ((op - OP_CONST1S) / 2)));
		break;
	case OP_CONSTU:
		push_number(operands, (int64_t)cfi_uleb128(in));
		break;
	case OP_CONSTS:
		push_number(operands, cfi_sleb128(in));
		break;
	case OP_PLUS_UCONST:
		add_number(operands, pop(operands), (int64_t)cfi_uleb128(in));
		break;
	case OP_AND:
	case OP_MINUS:
	case OP_PLUS:
	case OP_SHL:
	case OP_GE:
		apply_binary(operands, op);
		break;
	case OP_DEREF:
		apply_deref(operands);
		break;
	default:
		operands->failed = true;
	}
}

bool cfi_expression_reduce(struct cfi_cursor in, uintptr_t pc, const struct cfi_value *first,
		struct cfi_value *result)
{
	struct operands operands = { .count = 0 };

	if (first)
		push(&operands, *first);
	while (!operands.failed && cfi_left(&in) > 0)
		apply(&operands, cfi_byte(&in), &in, pc);
	*result = pop(&operands);
	return !operands.failed && !in.failed;
}
