#include "viewer/cli/info_sums.h"

#include <string.h>

unsigned sum_sections(const struct trace_reader *reader, struct section_sum sums[SECTION_SUMS_MAX])
{
	struct trace_section section;
	unsigned count = 0;

	for (uint32_t i = 0; trace_reader_section(reader, i, &section); i++) {
		unsigned at = 0;

		while (at < count && strcmp(sums[at].name, section.name) != 0)
			at++;
		if (at == SECTION_SUMS_MAX)
			continue;
		if (at == count)
			sums[count++] = (struct section_sum){ .name = section.name };
		sums[at].count++;
		sums[at].bytes += section.bytes;
		sums[at].rows += section.rows;
	}
	return count;
}

uint64_t sum_losses(const struct trace_info *info)
{
	uint64_t sum = info->lost_unknown;

	for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT; cause++)
		if (__builtin_add_overflow(sum, info->lost[cause], &sum))
			return UINT64_MAX;
	return sum;
}

const char *index_state_name(enum trace_index_state state)
{
	switch (state) {
	case TRACE_INDEX_COMPLETE:
		return "complete";
	case TRACE_INDEX_CHECKPOINT:
		return "checkpoint";
	case TRACE_INDEX_PARTIAL:
		return "partial";
	default:
		return "none";
	}
}

bool sum_notes(struct trace_reader *reader, unsigned kind, struct note_sum *sum)
{
	*sum = (struct note_sum){ .name = trace_note_kind_name(reader, kind) };
	if (!sum->name)
		return false;
	/* What cannot be read is in the damage list. */
	if (trace_notes_total(reader, kind, &sum->total, NULL) != LO_OK)
		sum->total = (struct note_total){ 0 };
	return true;
}
