#include "viewer/analysis/losses.h"

static void widen(struct time_span *span, struct time_span by)
{
	if (by.begin_ns < span->begin_ns)
		span->begin_ns = by.begin_ns;
	if (by.end_ns > span->end_ns)
		span->end_ns = by.end_ns;
}

static void add_sections(struct losses *losses, const struct trace_reader *reader)
{
	struct trace_section section;

	for (uint32_t i = 0; trace_reader_section(reader, i, &section); i++) {
		uint64_t lost = 0;

		for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT; cause++)
			lost |= section.lost[cause];
		if (lost)
			widen(&losses->lost_span, section.span);
	}
}

static void add_damage(struct losses *losses, struct trace_reader *reader)
{
	struct trace_damage damage;

	for (uint32_t i = 0; trace_reader_damage(reader, i, &damage); i++) {
		losses->damaged += damage.rows;
		if (damage.span.end_ns > losses->damaged_end_ns)
			losses->damaged_end_ns = damage.span.end_ns;
	}
}

void losses_init(struct losses *losses, struct trace_reader *reader)
{
	const struct trace_info *info = trace_reader_info(reader);

	*losses = (struct losses){ .lost_span = { UINT64_MAX, 0 } };
	losses->lost = info->lost_unknown;
	for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT; cause++)
		losses->lost += info->lost[cause];
	add_damage(losses, reader);
	if (losses->lost == 0)
		return;
	add_sections(losses, reader);
	/* Counted somewhere, but in no block that is left: it may have been at any time. */
	if (losses->lost_span.begin_ns > losses->lost_span.end_ns)
		losses->lost_span = (struct time_span){ 0, info->duration_ns };
}

bool losses_after(const struct losses *losses, uint64_t time_ns)
{
	return losses->lost > 0 && losses->lost_span.end_ns >= time_ns;
}
