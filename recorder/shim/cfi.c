#include "recorder/shim/cfi.h"

#include <stddef.h>

/* Nested DW_CFA_remember_state; gcc and clang need two. */
#define REMEMBERED_MAX 4u

/* DW_EH_PE_*: how a pointer is written. */
enum {
	POINTER_FORMAT = 0x0f,
	POINTER_ABSOLUTE = 0x00,
	POINTER_ULEB128 = 0x01,
	POINTER_UDATA2 = 0x02,
	POINTER_UDATA4 = 0x03,
	POINTER_UDATA8 = 0x04,
	POINTER_SLEB128 = 0x09,
	POINTER_SDATA2 = 0x0a,
	POINTER_SDATA4 = 0x0b,
	POINTER_SDATA8 = 0x0c,
	POINTER_RELATIVE_TO = 0x70,
	POINTER_PC_RELATIVE = 0x10,
	POINTER_INDIRECT = 0x80,
	POINTER_OMITTED = 0xff,
	POINTER_SORTED_TABLE = 0x3b /* four signed bytes, relative to the header */
};

enum {
	CFA_ADVANCE = 0x40, /* the upper two bits; the lower six are the operand */
	CFA_OFFSET = 0x80,
	CFA_RESTORE = 0xc0,
	CFA_OPERAND = 0x3f,

	CFA_NOP = 0x00,
	CFA_SET_LOCATION = 0x01,
	CFA_ADVANCE1 = 0x02,
	CFA_ADVANCE2 = 0x03,
	CFA_ADVANCE4 = 0x04,
	CFA_OFFSET_EXTENDED = 0x05,
	CFA_RESTORE_EXTENDED = 0x06,
	CFA_UNDEFINED = 0x07,
	CFA_SAME_VALUE = 0x08,
	CFA_REGISTER = 0x09,
	CFA_REMEMBER_STATE = 0x0a,
	CFA_RESTORE_STATE = 0x0b,
	CFA_DEF_CFA = 0x0c,
	CFA_DEF_CFA_REGISTER = 0x0d,
	CFA_DEF_CFA_OFFSET = 0x0e,
	CFA_DEF_CFA_EXPRESSION = 0x0f,
	CFA_EXPRESSION = 0x10,
	CFA_OFFSET_EXTENDED_SF = 0x11,
	CFA_DEF_CFA_SF = 0x12,
	CFA_DEF_CFA_OFFSET_SF = 0x13,
	CFA_VAL_OFFSET = 0x14,
	CFA_VAL_OFFSET_SF = 0x15,
	CFA_VAL_EXPRESSION = 0x16,
	CFA_GNU_ARGS_SIZE = 0x2e,
	CFA_GNU_NEGATIVE_OFFSET = 0x2f
};

/* Where a register was saved, expressions not yet worked out. */
struct column {
	enum cfi_saved saved;
	int64_t offset;               /* from the CFA, when `expression` is empty */
	struct cfi_cursor expression; /* of the address */
};

struct columns {
	uint64_t cfa_register;
	int64_t cfa_offset;
	struct cfi_cursor cfa_expression; /* not empty: instead of the two above */
	struct column bp;
	struct column return_address;
};

/* One description (CIE) with one function of it (FDE). */
struct function {
	uint64_t code_align;
	int64_t data_align;
	uint64_t return_register;
	uint8_t pointer_format;
	bool has_augmentation_data;
	bool signal_frame;
	struct cfi_cursor initial_program;
	uintptr_t begin;
	uintptr_t size;
	struct cfi_cursor program;
};

struct machine {
	const struct function *function;
	uintptr_t location;
	struct columns now;
	struct columns initial;
	struct columns remembered[REMEMBERED_MAX];
	unsigned remembered_count;
	bool failed;
};

static bool tables_hold(const struct cfi_tables *tables, uintptr_t address, size_t size)
{
	uintptr_t begin = (uintptr_t)tables->begin;
	uintptr_t end = (uintptr_t)tables->end;

	return address >= begin && address <= end && size <= end - address;
}

static struct cfi_cursor tables_from(const struct cfi_tables *tables, uintptr_t address)
{
	struct cfi_cursor in = { .next = tables->end, .end = tables->end };

	if (tables_hold(tables, address, 0))
		in.next = tables->begin + (address - (uintptr_t)tables->begin);
	else
		in.failed = true;
	return in;
}

/* A pointer without the address it is relative to. */
static uint64_t pointer_read_raw(struct cfi_cursor *in, uint8_t format)
{
	switch (format & POINTER_FORMAT) {
	case POINTER_ABSOLUTE:
	case POINTER_UDATA8:
	case POINTER_SDATA8:
		return cfi_unsigned(in, 8);
	case POINTER_ULEB128:
		return cfi_uleb128(in);
	case POINTER_SLEB128:
		return (uint64_t)cfi_sleb128(in);
	case POINTER_UDATA2:
		return cfi_unsigned(in, 2);
	case POINTER_UDATA4:
		return cfi_unsigned(in, 4);
	case POINTER_SDATA2:
		return (uint64_t)cfi_signed(in, 2);
	case POINTER_SDATA4:
		return (uint64_t)cfi_signed(in, 4);
	default:
		cfi_fail(in);
		return 0;
	}
}

static uintptr_t pointer_read(struct cfi_cursor *in, uint8_t format)
{
	uintptr_t here = (uintptr_t)in->next;
	uint64_t value = pointer_read_raw(in, format);

	if (format & POINTER_INDIRECT)
		cfi_fail(in);
	switch (format & POINTER_RELATIVE_TO) {
	case POINTER_ABSOLUTE:
		return value;
	case POINTER_PC_RELATIVE:
		return here + value;
	default:
		cfi_fail(in);
		return 0;
	}
}

/* The sorted table of the header: the last function that begins at or before `pc`. */
static enum cfi_result header_find(
		const struct cfi_tables *tables, uintptr_t pc, uintptr_t *fde_address)
{
	uintptr_t header = (uintptr_t)tables->header;
	struct cfi_cursor in = tables_from(tables, header);
	uint8_t version = cfi_byte(&in);
	uint8_t frame_format = cfi_byte(&in);
	uint8_t count_format = cfi_byte(&in);
	uint8_t table_format = cfi_byte(&in);

	if (version != 1 || table_format != POINTER_SORTED_TABLE || count_format == POINTER_OMITTED)
		return CFI_UNSUPPORTED;
	if (frame_format != POINTER_OMITTED)
		pointer_read_raw(&in, frame_format);

	uint64_t count = pointer_read_raw(&in, count_format);
	if (in.failed || count > cfi_left(&in) / 8)
		return CFI_UNSUPPORTED;

	const uint8_t *table = in.next;
	uint64_t low = 0; /* invariant: the entry looked for is before `high`, if any */
	uint64_t high = count;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		struct cfi_cursor entry = { table + 8 * middle, table + 8 * middle + 4, false };

		if (header + (uintptr_t)cfi_signed(&entry, 4) <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return CFI_ABSENT;

	struct cfi_cursor entry = { table + 8 * low - 4, table + 8 * low, false };
	*fde_address = header + (uintptr_t)cfi_signed(&entry, 4);
	return CFI_FOUND;
}

/* The body of the record at `address`: what follows its length. */
static struct cfi_cursor record_open(const struct cfi_tables *tables, uintptr_t address)
{
	struct cfi_cursor in = tables_from(tables, address);
	uint64_t size = cfi_unsigned(&in, 4);

	if (size == UINT32_MAX)
		size = cfi_unsigned(&in, 8);
	return cfi_part(&in, size);
}

/* The letters of the augmentation say what the data behind them consists of. */
static void cie_read_augmentation(
		struct cfi_cursor *in, const uint8_t *letters, struct function *function)
{
	if (letters[0] == '\0')
		return;
	if (letters[0] != 'z') {
		cfi_fail(in);
		return;
	}
	function->has_augmentation_data = true;

	struct cfi_cursor data = cfi_part(in, cfi_uleb128(in));
	for (const uint8_t *letter = letters + 1; *letter; letter++) {
		switch (*letter) {
		case 'L':
			cfi_byte(&data);
			break;
		case 'P': {
			uint8_t format = cfi_byte(&data);

			if (format != POINTER_OMITTED)
				pointer_read_raw(&data, format);
			break;
		}
		case 'R':
			function->pointer_format = cfi_byte(&data);
			break;
		case 'S':
			function->signal_frame = true;
			break;
		default: /* the size of the data is known: what follows may be skipped */
			return;
		}
	}
	if (data.failed)
		cfi_fail(in);
}

static bool cie_read(const struct cfi_tables *tables, uintptr_t address, struct function *function)
{
	struct cfi_cursor in = record_open(tables, address);

	if (cfi_unsigned(&in, 4) != 0) /* not a CIE */
		return false;

	uint8_t version = cfi_byte(&in);
	if (version != 1 && version != 3)
		return false;

	const uint8_t *letters = in.next;
	while (cfi_byte(&in) != '\0')
		;
	if (in.failed)
		return false;

	function->code_align = cfi_uleb128(&in);
	function->data_align = cfi_sleb128(&in);
	function->return_register = version == 1 ? cfi_byte(&in) : cfi_uleb128(&in);
	cie_read_augmentation(&in, letters, function);
	function->initial_program = in;
	return !in.failed && function->return_register == CFI_REGISTER_RA;
}

static bool fde_read(const struct cfi_tables *tables, uintptr_t address, struct function *function)
{
	struct cfi_cursor in = record_open(tables, address);
	uintptr_t cie_pointer_at = (uintptr_t)in.next;
	uint64_t cie_distance = cfi_unsigned(&in, 4);

	if (in.failed || cie_distance == 0)
		return false;
	if (!cie_read(tables, cie_pointer_at - cie_distance, function))
		return false;

	function->begin = pointer_read(&in, function->pointer_format);
	/* The size is written like a pointer, but relative to nothing. */
	function->size = pointer_read_raw(&in, function->pointer_format & POINTER_FORMAT);
	if (function->has_augmentation_data)
		cfi_skip(&in, cfi_uleb128(&in));
	function->program = in;
	return !in.failed;
}

/* NULL: a register nobody asks for. */
static struct column *column_of(struct columns *columns, uint64_t number)
{
	if (number == CFI_REGISTER_BP)
		return &columns->bp;
	if (number == CFI_REGISTER_RA)
		return &columns->return_address;
	return NULL;
}

static void set_column(struct machine *machine, uint64_t number, struct column value)
{
	struct column *column = column_of(&machine->now, number);

	if (column)
		*column = value;
}

/* Factors and products are hostile and may wrap. */
static int64_t scaled(const struct machine *machine, uint64_t factor)
{
	return (int64_t)(factor * (uint64_t)machine->function->data_align);
}

static void set_offset(struct machine *machine, uint64_t number, int64_t offset)
{
	set_column(machine, number, (struct column){ .saved = CFI_SAVED_AT, .offset = offset });
}

static void set_saved(struct machine *machine, uint64_t number, enum cfi_saved saved)
{
	set_column(machine, number, (struct column){ .saved = saved });
}

static void set_expression(struct machine *machine, uint64_t number, struct cfi_cursor expression)
{
	set_column(machine, number,
			(struct column){ .saved = CFI_SAVED_AT, .expression = expression });
}

static void restore(struct machine *machine, uint64_t number)
{
	struct column *initial = column_of(&machine->initial, number);

	if (initial)
		set_column(machine, number, *initial);
}

static void define_cfa(struct machine *machine, uint64_t number, int64_t offset)
{
	machine->now.cfa_register = number;
	machine->now.cfa_offset = offset;
	machine->now.cfa_expression = (struct cfi_cursor){ 0 };
}

static void advance(struct machine *machine, uint64_t delta)
{
	machine->location += delta * machine->function->code_align;
}

static void remember_state(struct machine *machine)
{
	if (machine->remembered_count == REMEMBERED_MAX)
		machine->failed = true;
	else
		machine->remembered[machine->remembered_count++] = machine->now;
}

static void restore_state(struct machine *machine)
{
	if (machine->remembered_count == 0)
		machine->failed = true;
	else
		machine->now = machine->remembered[--machine->remembered_count];
}

static void execute_extended(struct machine *machine, uint8_t op, struct cfi_cursor *in)
{
	uint64_t number;

	switch (op) {
	case CFA_NOP:
		break;
	case CFA_SET_LOCATION:
		machine->location = pointer_read(in, machine->function->pointer_format);
		break;
	case CFA_ADVANCE1:
		advance(machine, cfi_byte(in));
		break;
	case CFA_ADVANCE2:
		advance(machine, cfi_unsigned(in, 2));
		break;
	case CFA_ADVANCE4:
		advance(machine, cfi_unsigned(in, 4));
		break;
	case CFA_OFFSET_EXTENDED:
		number = cfi_uleb128(in);
		set_offset(machine, number, scaled(machine, cfi_uleb128(in)));
		break;
	case CFA_OFFSET_EXTENDED_SF:
		number = cfi_uleb128(in);
		set_offset(machine, number, scaled(machine, (uint64_t)cfi_sleb128(in)));
		break;
	case CFA_GNU_NEGATIVE_OFFSET:
		number = cfi_uleb128(in);
		set_offset(machine, number,
				(int64_t)(0 - (uint64_t)scaled(machine, cfi_uleb128(in))));
		break;
	case CFA_RESTORE_EXTENDED:
		restore(machine, cfi_uleb128(in));
		break;
	case CFA_UNDEFINED:
		set_saved(machine, cfi_uleb128(in), CFI_SAVED_LOST);
		break;
	case CFA_SAME_VALUE:
		set_saved(machine, cfi_uleb128(in), CFI_SAVED_NOT);
		break;
	case CFA_REGISTER:
	case CFA_VAL_OFFSET:
	case CFA_VAL_OFFSET_SF: /* the second operand is as long, signed or not */
		set_saved(machine, cfi_uleb128(in), CFI_SAVED_OTHER);
		cfi_uleb128(in);
		break;
	case CFA_REMEMBER_STATE:
		remember_state(machine);
		break;
	case CFA_RESTORE_STATE:
		restore_state(machine);
		break;
	case CFA_DEF_CFA:
		number = cfi_uleb128(in);
		define_cfa(machine, number, (int64_t)cfi_uleb128(in));
		break;
	case CFA_DEF_CFA_SF:
		number = cfi_uleb128(in);
		define_cfa(machine, number, scaled(machine, (uint64_t)cfi_sleb128(in)));
		break;
	case CFA_DEF_CFA_REGISTER:
		define_cfa(machine, cfi_uleb128(in), machine->now.cfa_offset);
		break;
	case CFA_DEF_CFA_OFFSET:
		define_cfa(machine, machine->now.cfa_register, (int64_t)cfi_uleb128(in));
		break;
	case CFA_DEF_CFA_OFFSET_SF:
		define_cfa(machine, machine->now.cfa_register,
				scaled(machine, (uint64_t)cfi_sleb128(in)));
		break;
	case CFA_DEF_CFA_EXPRESSION:
		machine->now.cfa_expression = cfi_part(in, cfi_uleb128(in));
		break;
	case CFA_EXPRESSION:
		number = cfi_uleb128(in);
		set_expression(machine, number, cfi_part(in, cfi_uleb128(in)));
		break;
	case CFA_VAL_EXPRESSION:
		set_saved(machine, cfi_uleb128(in), CFI_SAVED_OTHER);
		cfi_skip(in, cfi_uleb128(in));
		break;
	case CFA_GNU_ARGS_SIZE:
		cfi_uleb128(in);
		break;
	default:
		machine->failed = true;
	}
}

/* Runs up to the first row that begins behind `pc`. */
static bool execute(struct machine *machine, struct cfi_cursor in, uintptr_t pc)
{
	while (cfi_left(&in) > 0 && !machine->failed) {
		uint8_t op = cfi_byte(&in);

		switch (op & ~CFA_OPERAND) {
		case CFA_ADVANCE:
			advance(machine, op & CFA_OPERAND);
			break;
		case CFA_OFFSET:
			set_offset(machine, op & CFA_OPERAND, scaled(machine, cfi_uleb128(&in)));
			break;
		case CFA_RESTORE:
			restore(machine, op & CFA_OPERAND);
			break;
		default:
			execute_extended(machine, op, &in);
		}
		if (machine->location > pc)
			break;
	}
	return !in.failed && !machine->failed;
}

static bool cfa_resolve(const struct columns *columns, uintptr_t pc, struct cfi_value *cfa)
{
	if (columns->cfa_expression.next)
		return cfi_expression_reduce(columns->cfa_expression, pc, NULL, cfa);
	if (columns->cfa_register != CFI_REGISTER_SP && columns->cfa_register != CFI_REGISTER_BP)
		return false;
	cfa->base = columns->cfa_register == CFI_REGISTER_SP ? CFI_BASE_SP : CFI_BASE_BP;
	cfa->offset = columns->cfa_offset;
	return true;
}

static bool column_resolve(const struct column *column, uintptr_t pc, struct cfi_register *result)
{
	const struct cfi_value cfa = { .base = CFI_BASE_CFA };

	result->saved = column->saved;
	if (column->saved != CFI_SAVED_AT)
		return true;
	if (column->expression.next)
		return cfi_expression_reduce(column->expression, pc, &cfa, &result->at);
	result->at = cfa;
	result->at.offset = column->offset;
	return true;
}

enum cfi_result cfi_find_row(const struct cfi_tables *tables, uintptr_t pc, struct cfi_row *row)
{
	uintptr_t fde_address;
	struct function function = { .pointer_format = POINTER_ABSOLUTE };
	enum cfi_result result = header_find(tables, pc, &fde_address);

	if (result != CFI_FOUND)
		return result;
	if (!fde_read(tables, fde_address, &function))
		return CFI_UNSUPPORTED;
	if (pc - function.begin >= function.size)
		return CFI_ABSENT;

	struct machine machine = { .function = &function };
	if (!execute(&machine, function.initial_program, UINTPTR_MAX))
		return CFI_UNSUPPORTED;
	machine.initial = machine.now;
	machine.location = function.begin;
	if (!execute(&machine, function.program, pc))
		return CFI_UNSUPPORTED;

	*row = (struct cfi_row){ .signal_frame = function.signal_frame };
	return cfa_resolve(&machine.now, pc, &row->cfa) &&
					       column_resolve(&machine.now.bp, pc, &row->bp) &&
					       column_resolve(&machine.now.return_address, pc,
							       &row->return_address)
			       ? CFI_FOUND
			       : CFI_UNSUPPORTED;
}
