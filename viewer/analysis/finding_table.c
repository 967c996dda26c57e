#include "viewer/analysis/finding_table.h"

#include "viewer/analysis/burst.h"
#include "viewer/analysis/convoy.h"
#include "viewer/analysis/deadlock.h"
#include "viewer/analysis/loss_finding.h"
#include "viewer/analysis/stuck.h"

static const struct finding_row rows[FINDING_KIND_COUNT] = {
	[FINDING_DEADLOCK] = { "deadlock", 5, deadlock_find },
	[FINDING_STUCK] = { "stuck", 4, stuck_find },
	[FINDING_GROWTH] = { "growth", 3, NULL },
	[FINDING_BURST] = { "burst", 2, burst_find },
	[FINDING_CONVOY] = { "convoy", 2, convoy_find },
	[FINDING_LONG_BLOCK] = { "long-block", 2, NULL },
	[FINDING_LOSS] = { "loss", 1, loss_find },
};

const struct finding_row *finding_row(enum finding_kind kind)
{
	return &rows[kind];
}

const char *finding_kind_name(enum finding_kind kind)
{
	return rows[kind].name;
}
