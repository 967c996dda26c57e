/*
 * Unwind tables of any content. Input: where the instruction is, relative to the first byte of the
 * tables (4 bytes, signed), where the header is (2 bytes), the tables.
 */
#include <stdlib.h>
#include <string.h>

#include "recorder/shim/unwind_rule.h"
#include "tests/fuzz/fuzz.h"

#define HEAD_SIZE 6u

/* What was found must be said by the rule, or be too much for one. */
static void check_rule(const struct cfi_tables *tables, uintptr_t pc, uint32_t rule)
{
	struct cfi_row row;
	enum cfi_result result = cfi_find_row(tables, pc, &row);
	enum unwind_kind kind = unwind_rule_kind(rule);

	if (rule >> UNWIND_RULE_BITS != 0 || kind == UNWIND_UNKNOWN)
		abort();
	if ((kind == UNWIND_NO_DATA) != (result == CFI_ABSENT))
		abort();
	if (result == CFI_UNSUPPORTED && kind != UNWIND_COMPLEX)
		abort();
	if ((kind == UNWIND_CFA_SP || kind == UNWIND_CFA_BP) &&
			(row.cfa.memory || row.cfa.offset != unwind_rule_a(rule) ||
					row.cfa.base != (kind == UNWIND_CFA_SP ? CFI_BASE_SP
									       : CFI_BASE_BP)))
		abort();
	if (kind != UNWIND_COMPLEX && row.bp.saved == CFI_SAVED_AT &&
			row.bp.at.base == CFI_BASE_CFA && result == CFI_FOUND &&
			(kind == UNWIND_CFA_SP || kind == UNWIND_CFA_BP) &&
			row.bp.at.offset != -(int64_t)unwind_rule_b(rule))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int32_t pc_offset;
	uint16_t header_offset;

	if (size < HEAD_SIZE)
		return 0;
	memcpy(&pc_offset, data, sizeof(pc_offset));
	memcpy(&header_offset, data + sizeof(pc_offset), sizeof(header_offset));
	data += HEAD_SIZE;
	size -= HEAD_SIZE;
	if (header_offset > size)
		return 0;

	const struct cfi_tables tables = { data, data + size, data + header_offset };
	uintptr_t pc = (uintptr_t)data + (uintptr_t)(intptr_t)pc_offset;
	check_rule(&tables, pc, unwind_rule_compile(&tables, pc));
	return 0;
}
