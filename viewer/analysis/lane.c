#include "viewer/analysis/lane.h"

#include <stdlib.h>
#include <string.h>

#include "viewer/analysis/array.h"

/*
 * Sums of level k stand for FAN^k waits each, and only full groups have one. Level 1 comes first.
 */
#define FAN        16u
#define FAN_BITS   4u
#define LEVELS_MAX 8u /* 16^8 is every 32-bit count */

struct lane_sum {
	uint64_t blocked;
	uint64_t longest_and_reason; /* ticks << 8 | reason */
};

void lane_release(struct lane *lane)
{
	free(lane->waits);
	free(lane->sums);
	*lane = (struct lane){ 0 };
}

struct tick_span lane_wait_span(const struct lane_wait *wait)
{
	return (struct tick_span){
		(uint64_t)wait->begin_high << 32 | wait->begin_low,
		(uint64_t)wait->end_high << 32 | wait->end_low,
	};
}

bool lane_wait_is_bundle(const struct lane_wait *wait)
{
	return wait->changes > 2;
}

static uint64_t length_of(struct tick_span span)
{
	return span.end - span.begin;
}

/* A share of a length; a part that is not nothing and not all stays so. */
static uint16_t share_of(uint64_t part, uint64_t whole)
{
	uint64_t share;

	if (part >= whole)
		return LANE_WHOLE;
	if (part == 0)
		return 0;
	share = (uint64_t)((double)part / (double)whole * LANE_WHOLE + 0.5);
	return (uint16_t)(share < 1 ? 1 : share >= LANE_WHOLE ? LANE_WHOLE - 1 : share);
}

static uint64_t ticks_of(uint16_t share, uint64_t whole)
{
	return share == LANE_WHOLE ? whole : (uint64_t)((double)whole * share / LANE_WHOLE + 0.5);
}

static uint64_t blocked_ticks(const struct lane_wait *wait)
{
	return ticks_of(wait->blocked, length_of(lane_wait_span(wait)));
}

static uint64_t longest_ticks(const struct lane_wait *wait)
{
	return ticks_of(wait->longest, length_of(lane_wait_span(wait)));
}

static struct lane_wait make_wait(struct tick_span span, uint8_t reason)
{
	return (struct lane_wait){
		.begin_low = (uint32_t)span.begin,
		.begin_high = (uint16_t)(span.begin >> 32),
		.end_low = (uint32_t)span.end,
		.end_high = (uint16_t)(span.end >> 32),
		.blocked = LANE_WHOLE,
		.longest = LANE_WHOLE,
		.reason = reason,
		.changes = 2,
	};
}

enum lo_result lane_append(
		struct lane *lane, struct tick_span span, uint8_t reason, struct lo_error *err)
{
	struct lane_wait *waits = array_grow(
			lane->waits, &lane->capacity, (size_t)lane->count + 1, sizeof(*waits));

	if (!waits)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the timeline");
	lane->waits = waits;
	waits[lane->count++] = make_wait(span, reason);
	return LO_OK;
}

static struct lane_wait bundle(const struct lane_wait *a, const struct lane_wait *b)
{
	struct tick_span span = { lane_wait_span(a).begin, lane_wait_span(b).end };
	const struct lane_wait *longer = longest_ticks(a) >= longest_ticks(b) ? a : b;
	struct lane_wait both = make_wait(span, longer->reason);
	unsigned changes = (unsigned)a->changes + b->changes;

	both.blocked = share_of(blocked_ticks(a) + blocked_ticks(b), length_of(span));
	both.longest = share_of(longest_ticks(longer), length_of(span));
	both.changes = (uint8_t)(changes < UINT8_MAX ? changes : UINT8_MAX);
	return both;
}

/* A wait may end where its bin ends. */
static bool in_one_bin(const struct lane_wait *a, const struct lane_wait *b, uint64_t bin)
{
	return lane_wait_span(b).end <= (lane_wait_span(a).begin / bin + 1) * bin;
}

void lane_bundle(struct lane *lane, uint64_t bin)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < lane->count; i++) {
		if (kept > 0 && in_one_bin(&lane->waits[kept - 1], &lane->waits[i], bin))
			lane->waits[kept - 1] = bundle(&lane->waits[kept - 1], &lane->waits[i]);
		else
			lane->waits[kept++] = lane->waits[i];
	}
	lane->count = kept;
}

/* --- sums ------------------------------------------------------------------------------------- */

static struct lane_sum sum_of_wait(const struct lane_wait *wait)
{
	return (struct lane_sum){ blocked_ticks(wait), longest_ticks(wait) << 8 | wait->reason };
}

static void add_sum(struct lane_sum *to, struct lane_sum more)
{
	to->blocked += more.blocked;
	if (to->longest_and_reason >> 8 < more.longest_and_reason >> 8)
		to->longest_and_reason = more.longest_and_reason;
}

static uint32_t sums_of_level(const struct lane *lane, unsigned level)
{
	return lane->count >> (FAN_BITS * level);
}

static const struct lane_sum *level_begin(const struct lane *lane, unsigned level)
{
	const struct lane_sum *sums = lane->sums;

	for (unsigned lower = 1; lower < level; lower++)
		sums += sums_of_level(lane, lower);
	return sums;
}

/* Level 0 are the waits themselves. */
static struct lane_sum sum_at(const struct lane *lane, unsigned level, uint32_t i)
{
	return level == 0 ? sum_of_wait(&lane->waits[i]) : level_begin(lane, level)[i];
}

static void shrink(struct lane *lane)
{
	struct lane_wait *exact = realloc(lane->waits, lane->count * sizeof(*exact));

	if (!exact)
		return;
	lane->waits = exact;
	lane->capacity = lane->count;
}

enum lo_result lane_seal(struct lane *lane, struct lo_error *err)
{
	struct lane_sum *next;
	size_t total = 0;

	if (lane->count > 0)
		shrink(lane);
	for (unsigned level = 1; level < LEVELS_MAX; level++)
		total += sums_of_level(lane, level);
	if (total == 0)
		return LO_OK;
	lane->sums = calloc(total, sizeof(*lane->sums));
	if (!lane->sums)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the timeline");
	next = lane->sums;
	for (unsigned level = 1; level < LEVELS_MAX; level++)
		for (uint32_t i = 0; i < sums_of_level(lane, level); i++, next++)
			for (uint32_t below = 0; below < FAN; below++)
				add_sum(next, sum_at(lane, level - 1, i * FAN + below));
	return LO_OK;
}

/* The sum over waits [first, end), with as large groups as fit. */
static struct lane_sum sum_range(const struct lane *lane, uint32_t first, uint32_t end)
{
	struct lane_sum sum = { 0, 0 };

	while (first < end) {
		unsigned level = 0;
		uint32_t size = 1;

		while (level + 1 < LEVELS_MAX && first % (size * FAN) == 0 &&
				size * FAN <= end - first) {
			size *= FAN;
			level++;
		}
		add_sum(&sum, sum_at(lane, level, first / size));
		first += size;
	}
	return sum;
}

/* --- questions ----------------------------------------------------------------------------------
 */

uint32_t lane_find(const struct lane *lane, uint64_t tick)
{
	uint32_t low = 0;
	uint32_t high = lane->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (lane_wait_span(&lane->waits[middle]).end > tick)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* What of a wait lies in the column; of a bundle that is cut, its even share. */
static void add_cut(struct lane_column *column, const struct lane_wait *wait, struct tick_span span)
{
	struct tick_span whole = lane_wait_span(wait);
	struct tick_span cut = { whole.begin > span.begin ? whole.begin : span.begin,
		whole.end < span.end ? whole.end : span.end };
	uint64_t part = ticks_of(wait->blocked, length_of(cut));
	uint64_t longest = ticks_of(wait->longest, length_of(cut));

	if (cut.begin >= cut.end)
		return;
	column->blocked += part;
	if (lane_wait_is_bundle(wait) && length_of(cut) < length_of(whole))
		column->uncertain += length_of(cut) - part > part ? length_of(cut) - part : part;
	if (column->longest <= longest) {
		column->longest = longest;
		column->reason = wait->reason;
	}
}

/* More waits than this in a column are more changes than can be counted. */
#define COUNTED_MOST (UINT8_MAX / 2 + 2)

static uint8_t count_changes(
		const struct lane *lane, uint32_t first, uint32_t end, struct tick_span column)
{
	unsigned changes = 0;

	if (end - first > COUNTED_MOST)
		return UINT8_MAX;
	/* A wait of no length at the very begin ends there too. */
	while (first > 0 && lane_wait_span(&lane->waits[first - 1]).end == column.begin)
		first--;
	for (uint32_t i = first; i < lane->count && changes < UINT8_MAX; i++) {
		struct tick_span span = lane_wait_span(&lane->waits[i]);

		if (span.begin >= column.end)
			break;
		changes += span.begin >= column.begin;
		changes += span.end >= column.begin && span.end < column.end;
		if (lane_wait_is_bundle(&lane->waits[i]) && span.begin >= column.begin)
			changes += lane->waits[i].changes - 2u;
	}
	return (uint8_t)(changes < UINT8_MAX ? changes : UINT8_MAX);
}

struct lane_column lane_column_at(const struct lane *lane, struct tick_span span)
{
	struct lane_column column = { 0 };
	uint32_t first = lane_find(lane, span.begin);
	uint32_t end = lane_find(lane, span.end);
	struct lane_sum inside;

	column.changes = count_changes(lane, first, end, span);
	if (first == lane->count)
		return column;
	add_cut(&column, &lane->waits[first], span);
	if (end > first && end < lane->count)
		add_cut(&column, &lane->waits[end], span);
	inside = end > first ? sum_range(lane, first + 1, end) : (struct lane_sum){ 0, 0 };
	column.blocked += inside.blocked;
	if (column.longest < inside.longest_and_reason >> 8) {
		column.longest = inside.longest_and_reason >> 8;
		column.reason = (uint8_t)inside.longest_and_reason;
	}
	return column;
}
