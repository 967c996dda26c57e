#include "viewer/analysis/burst.h"

#include <inttypes.h>
#include <stdlib.h>

#include "viewer/analysis/name.h"
#include "viewer/analysis/site_names.h"
#include "viewer/analysis/thresholds.h"

#define RATE_WINDOW_NS (10 * MS_NS)
#define CHAIN_TOLD     6u

/* One burst: a run of creations. */
struct burst {
	const struct creation *creations;
	size_t count;
	size_t best;       /* most in one window */
	size_t next_best;  /* in a window outside of the burst */
	uint32_t top_task; /* one that was made at the most frequent place */
	size_t top_count;  /* made there */
};

static enum lo_result user_creations(
		const struct evidence *evidence, struct creations *user, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	for (size_t i = 0; i < evidence->creations.count && result == LO_OK; i++) {
		const struct creation *creation = &evidence->creations.items[i];

		if (!evidence_is_runtime(evidence, creation->task))
			result = creations_add(user, creation->time_ns, creation->task, err);
	}
	return result;
}

/* The burst goes on, to both sides, while each further window has a good part of the best. */
static void widen(const struct creations *user, struct creation_window best, uint64_t most_ns,
		size_t *first, size_t *end)
{
	const struct creation *items = user->items;
	size_t enough = best.count / BURST_GOES_ON_PART;
	bool wider = true;

	*first = best.first;
	*end = best.first + best.count;
	while (wider && items[*end - 1].time_ns - items[*first].time_ns < most_ns) {
		size_t left = *first;
		size_t right = *end;

		while (left > 0 &&
				items[*first].time_ns - items[left - 1].time_ns < BURST_WINDOW_NS)
			left--;
		while (right < user->count &&
				items[right].time_ns - items[*end - 1].time_ns < BURST_WINDOW_NS)
			right++;
		wider = false;
		if (*first - left >= enough && enough > 0) {
			*first = left;
			wider = true;
		}
		if (right - *end >= enough && enough > 0) {
			*end = right;
			wider = true;
		}
	}
}

static void find_top_site(
		const struct evidence *evidence, struct site_names *names, struct burst *burst)
{
	size_t *counts = calloc(burst->count + 2, sizeof(*counts));

	if (!counts)
		return;
	for (size_t i = 0; i < burst->count; i++) {
		uint32_t task = burst->creations[i].task;
		uint32_t site = site_names_get(
				names, evidence_task(evidence, task)->creation_stack);

		if (++counts[site] > burst->top_count) {
			burst->top_count = counts[site];
			burst->top_task = task;
		}
	}
	free(counts);
}

static bool is_burst(const struct burst *burst)
{
	bool flat = (double)burst->top_count >= BURST_FLAT_PART * (double)burst->count;

	return burst->best >= (flat ? BURST_FLAT : BURST_CASCADE) &&
	       burst->best >= BURST_TIMES_NEXT * burst->next_best;
}

static int by_time(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* How many of them were alive at once. */
static uint64_t peak_alive(const struct evidence *evidence, const struct burst *burst)
{
	uint64_t *ends = calloc(burst->count, sizeof(*ends));
	uint64_t peak = 0;
	size_t ended = 0;

	if (!ends)
		return 0;
	for (size_t i = 0; i < burst->count; i++)
		ends[i] = evidence_task(evidence, burst->creations[i].task)->end_ns;
	qsort(ends, burst->count, sizeof(*ends), by_time);
	for (size_t i = 0; i < burst->count; i++) {
		while (ended < i && ends[ended] <= burst->creations[i].time_ns)
			ended++;
		if (peak < i + 1 - ended)
			peak = i + 1 - ended;
	}
	free(ends);
	return peak;
}

static double peak_rate(const struct burst *burst)
{
	struct creations only = {
		.items = (struct creation *)burst->creations,
		.count = burst->count,
	};
	struct creation_window best = creations_best_window(
			&only, RATE_WINDOW_NS, (struct time_span){ 0, 0 });

	return (double)best.count * (1e9 / (double)RATE_WINDOW_NS);
}

static void tell_creators(const struct evidence *evidence, struct finding_list *list,
		struct finding *finding, const struct burst *burst)
{
	uint32_t creator = evidence_task(evidence, burst->top_task)->creator;

	finding_why(list, finding, "%.0f %% of them were created at %s",
			100.0 * (double)burst->top_count / (double)burst->count,
			name_site(evidence->reader, finding->creation_stack).text);
	for (unsigned i = 0; i < CHAIN_TOLD && creator != TASK_NONE; i++) {
		const struct task_summary *summary = evidence_task(evidence, creator);
		struct name name = name_task(evidence->reader, creator);

		if (summary->creation_stack == STACK_NONE)
			finding_why(list, finding, "by %s", name.text);
		else
			finding_why(list, finding, "by %s, itself created at %s", name.text,
					name_site(evidence->reader, summary->creation_stack).text);
		creator = summary->creator;
	}
}

static void fill_tasks(
		struct finding_list *list, struct finding *finding, const struct burst *burst)
{
	uint32_t *tasks = calloc(burst->count, sizeof(*tasks));

	if (!tasks) {
		list->failed = true;
		return;
	}
	for (size_t i = 0; i < burst->count; i++)
		tasks[i] = burst->creations[i].task;
	finding_tasks(list, finding, tasks, (uint32_t)burst->count);
	free(tasks);
}

static void add_burst(const struct evidence *evidence, struct finding_list *list,
		const struct burst *burst)
{
	struct finding *finding = finding_list_add(list, FINDING_BURST);

	finding->since_ns = burst->creations[0].time_ns;
	finding->until_ns = burst->creations[burst->count - 1].time_ns;
	finding->creation_stack = evidence_task(evidence, burst->top_task)->creation_stack;
	finding->burst.created = burst->count;
	finding->burst.peak_rate_per_s = peak_rate(burst);
	finding->burst.peak_alive = peak_alive(evidence, burst);
	fill_tasks(list, finding, burst);
	finding_summary(list, finding, "%zu tasks were created within %s, from %s", burst->count,
			name_duration(finding->until_ns - finding->since_ns).text,
			name_site(evidence->reader, finding->creation_stack).text);
	finding_why(list, finding,
			"%zu in the best 100 ms, %zu in the best 100 ms besides; a burst has %d, or "
			"%d when nearly all come from one place, and %d times the next best",
			burst->best, burst->next_best, BURST_CASCADE, BURST_FLAT, BURST_TIMES_NEXT);
	finding_why(list, finding,
			"%" PRIu64 " of them were alive at once, %.0f a second at the peak",
			finding->burst.peak_alive, finding->burst.peak_rate_per_s);
	tell_creators(evidence, list, finding, burst);
}

static void judge(const struct evidence *evidence, struct finding_list *list,
		const struct creations *user, struct site_names *names)
{
	struct creation_window best = creations_best_window(
			user, BURST_WINDOW_NS, (struct time_span){ 0, 0 });
	struct burst burst = { .best = best.count };
	struct time_span span;
	size_t first;
	size_t end;

	if (best.count < BURST_CASCADE)
		return;
	widen(user, best, evidence->analysis->duration_ns / BURST_TRACE_PART, &first, &end);
	burst.creations = &user->items[first];
	burst.count = end - first;
	span.begin_ns = burst.creations[0].time_ns;
	span.end_ns = burst.creations[burst.count - 1].time_ns + 1;
	burst.next_best = creations_best_window(user, BURST_WINDOW_NS, span).count;
	find_top_site(evidence, names, &burst);
	if (is_burst(&burst))
		add_burst(evidence, list, &burst);
}

void burst_find(const struct evidence *evidence, struct finding_list *list)
{
	struct creations user = { 0 };
	struct site_names names = { 0 };

	if (evidence->analysis->duration_ns < BURST_TRACE_NS)
		return;
	if (user_creations(evidence, &user, NULL) == LO_OK &&
			site_names_init(&names, evidence->reader, NULL) == LO_OK)
		judge(evidence, list, &user, &names);
	else
		list->failed = true;
	site_names_release(&names);
	creations_release(&user);
}
