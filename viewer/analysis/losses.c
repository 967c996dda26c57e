#include "viewer/analysis/losses.h"

#include <string.h>

static void widen(struct losses *losses, struct time_span by)
{
	if (losses->span.begin_ns == losses->span.end_ns)
		losses->span = by;
	if (by.begin_ns < losses->span.begin_ns)
		losses->span.begin_ns = by.begin_ns;
	if (by.end_ns > losses->span.end_ns)
		losses->span.end_ns = by.end_ns;
}

static bool is_block(const struct trace_section *section)
{
	return strcmp(section->name, "block") == 0;
}

static void add_lost(struct losses *losses, const struct trace_reader *reader)
{
	struct trace_section section;
	bool placed = false;

	for (uint32_t i = 0; trace_reader_section(reader, i, &section); i++) {
		uint64_t lost = 0;

		for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT; cause++)
			lost |= section.lost[cause];
		if (!lost)
			continue;
		widen(losses, section.span);
		placed = true;
	}
	/* Counted somewhere, but in no block that is left: it may have been at any time. */
	if (!placed)
		widen(losses, (struct time_span){ 0, trace_reader_info(reader)->duration_ns });
}

/*
 * A damaged block whose header is damaged too lies between its neighbours; behind the last block
 * there is nothing.
 */
static void place_by_neighbours(const struct trace_reader *reader, struct trace_damage *damage)
{
	struct trace_section section;
	struct time_span span = { 0, 0 };

	for (uint32_t i = 0; trace_reader_section(reader, i, &section); i++) {
		if (!is_block(&section))
			continue;
		if (section.offset >= damage->offset) {
			span.end_ns = section.span.begin_ns;
			damage->span = span;
			return;
		}
		span.begin_ns = section.span.end_ns;
	}
}

static void add_damage(struct losses *losses, struct trace_reader *reader, uint64_t end_ns)
{
	struct trace_damage damage;

	for (uint32_t i = 0; trace_reader_damage(reader, i, &damage); i++) {
		if (time_span_length(damage.span) == 0)
			place_by_neighbours(reader, &damage);
		if (time_span_length(damage.span) == 0 || damage.span.begin_ns >= end_ns)
			continue;
		losses->damaged += damage.rows;
		widen(losses, damage.span);
	}
}

void losses_init(struct losses *losses, struct trace_reader *reader, uint64_t end_ns)
{
	const struct trace_info *info = trace_reader_info(reader);

	*losses = (struct losses){ .lost = info->lost_unknown };
	for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT; cause++)
		losses->lost += info->lost[cause];
	if (losses->lost > 0)
		add_lost(losses, reader);
	add_damage(losses, reader, end_ns);
}

bool losses_after(const struct losses *losses, uint64_t time_ns)
{
	return losses->span.end_ns > 0 && losses->span.end_ns >= time_ns;
}
