#include "recorder/shim/unwind_rule.h"

static bool fits(int64_t offset, int64_t min, int64_t max)
{
	return offset % 8 == 0 && offset / 8 >= min && offset / 8 <= max;
}

static uint32_t pack(enum unwind_kind kind, int64_t a, int64_t b)
{
	if (!fits(a, INT16_MIN, INT16_MAX) || !fits(b, 0, UNWIND_B_MAX))
		return unwind_rule_of_kind(UNWIND_COMPLEX);
	return unwind_rule_of_kind(kind) | (uint16_t)(a / 8) | (uint32_t)(b / 8) << UNWIND_B_SHIFT;
}

static bool value_is(const struct cfi_value *value, enum cfi_base base, bool memory, int64_t offset)
{
	return value->base == base && value->memory == memory && value->offset == offset;
}

static bool saved_at(const struct cfi_register *saved, enum cfi_base base, int64_t offset)
{
	return saved->saved == CFI_SAVED_AT && value_is(&saved->at, base, false, offset);
}

static uint32_t pack_signal_frame(const struct cfi_row *row)
{
	if (value_is(&row->cfa, CFI_BASE_SP, true, UNWIND_SIGNAL_SP) &&
			saved_at(&row->bp, CFI_BASE_SP, UNWIND_SIGNAL_BP) &&
			saved_at(&row->return_address, CFI_BASE_SP, UNWIND_SIGNAL_PC))
		return unwind_rule_of_kind(UNWIND_SIGNAL);
	return unwind_rule_of_kind(UNWIND_COMPLEX);
}

/* gcc's prologue of a function that realigns its stack keeps the CFA in the frame. */
static uint32_t pack_realigned(const struct cfi_row *row)
{
	if (row->cfa.base != CFI_BASE_BP || row->bp.saved != CFI_SAVED_AT ||
			row->bp.at.base != CFI_BASE_BP || row->bp.at.memory)
		return unwind_rule_of_kind(UNWIND_COMPLEX);
	return pack(UNWIND_REALIGNED, row->cfa.offset, row->bp.at.offset);
}

static uint32_t pack_plain(const struct cfi_row *row)
{
	enum unwind_kind kind = row->cfa.base == CFI_BASE_SP ? UNWIND_CFA_SP : UNWIND_CFA_BP;
	int64_t b = 0;

	if (row->cfa.base != CFI_BASE_SP && row->cfa.base != CFI_BASE_BP)
		return unwind_rule_of_kind(UNWIND_COMPLEX);
	if (row->bp.saved == CFI_SAVED_AT) {
		if (row->bp.at.base != CFI_BASE_CFA || row->bp.at.memory || row->bp.at.offset >= 0)
			return unwind_rule_of_kind(UNWIND_COMPLEX);
		b = row->bp.at.offset == INT64_MIN ? 1 : -row->bp.at.offset;
	} else if (row->bp.saved != CFI_SAVED_NOT) {
		return unwind_rule_of_kind(UNWIND_COMPLEX);
	}
	return pack(kind, row->cfa.offset, b);
}

uint32_t unwind_rule_compile(const struct cfi_tables *tables, uintptr_t pc)
{
	struct cfi_row row;

	switch (cfi_find_row(tables, pc, &row)) {
	case CFI_ABSENT:
		return unwind_rule_of_kind(UNWIND_NO_DATA);
	case CFI_UNSUPPORTED:
		return unwind_rule_of_kind(UNWIND_COMPLEX);
	case CFI_FOUND:
		break;
	}
	if (row.return_address.saved == CFI_SAVED_LOST)
		return unwind_rule_of_kind(UNWIND_ROOT);
	if (row.signal_frame)
		return pack_signal_frame(&row);
	if (!saved_at(&row.return_address, CFI_BASE_CFA, -8))
		return unwind_rule_of_kind(UNWIND_COMPLEX);
	return row.cfa.memory ? pack_realigned(&row) : pack_plain(&row);
}
