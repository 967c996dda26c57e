#include "viewer/analysis/convoy.h"

#include <stdlib.h>

#include "viewer/analysis/name.h"
#include "viewer/analysis/outlook.h"
#include "viewer/analysis/site_names.h"
#include "viewer/analysis/thresholds.h"

struct candidate {
	const struct wait_record *record;
	struct crowd crowd; /* up to the end of the trace */
	uint32_t site;
};

static bool is_crowded(const struct crowd *crowd, uint64_t duration_ns)
{
	double whole = (double)duration_ns;

	return (double)crowd->crowded_ns >= whole * CONVOY_TIME_PART &&
	       (double)crowd->waited_ns >= whole * CONVOY_AVERAGE &&
	       __builtin_popcount(crowd->tenths) >= CONVOY_TENTHS;
}

/* By site, the most crowded first. */
static int by_site(const void *left, const void *right)
{
	const struct candidate *a = left;
	const struct candidate *b = right;

	if (a->site != b->site)
		return a->site < b->site ? -1 : 1;
	return a->crowd.waited_ns > b->crowd.waited_ns ? -1
						       : a->crowd.waited_ns < b->crowd.waited_ns;
}

static uint32_t collect(const struct evidence *evidence, struct site_names *names,
		struct candidate *candidates)
{
	uint64_t duration_ns = evidence->analysis->duration_ns;
	uint32_t count = 0;

	for (uint32_t id = 1; id < evidence->history.record_count; id++) {
		const struct wait_record *record = &evidence->history.records[id];
		struct crowd crowd = record->crowd;

		if (record->kind >= HISTORY_PLACE_KIND)
			continue;
		crowd_advance(&crowd, duration_ns);
		if (is_crowded(&crowd, duration_ns))
			candidates[count++] = (struct candidate){ record, crowd,
				site_names_get(names, record->stack) };
	}
	return count;
}

static int by_id(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left;
	uint32_t b = *(const uint32_t *)right;

	return a < b ? -1 : a > b;
}

/*
 * Who took part: whoever handed the lock on, and who waits for it at the end.
 */
static void fill_tasks(const struct evidence *evidence, struct finding_list *list,
		struct finding *finding, const struct wait_record *record)
{
	uint32_t limit = evidence->analysis->task_limit;
	uint32_t *tasks = calloc(2 * (size_t)limit, sizeof(*tasks));
	const struct waker *waker;
	uint32_t count = 0;
	uint32_t kept = 0;

	if (!tasks) {
		list->failed = true;
		return;
	}
	for (uint32_t id = record->first_waker;
			(waker = wait_history_waker(&evidence->history, id)) && count < limit;
			id = waker->next)
		tasks[count++] = waker->task;
	for (uint32_t task = 1; task < limit; task++)
		if (wait_history_object(&evidence->history, task) == record)
			tasks[count++] = task;
	qsort(tasks, count, sizeof(*tasks), by_id);
	for (uint32_t i = 0; i < count; i++)
		if (kept == 0 || tasks[kept - 1] != tasks[i])
			tasks[kept++] = tasks[i];
	finding_tasks(list, finding, tasks, kept);
	free(tasks);
}

static double share_of_blocked(const struct evidence *evidence, const struct crowd *crowd)
{
	double all_ns = 0;

	for (uint32_t i = 0; i < evidence->analysis->blocked_count; i++)
		all_ns += (double)evidence->analysis->blocked[i].total_ns;
	return all_ns > 0 ? (double)crowd->waited_ns / all_ns : 0;
}

static void add_convoy(const struct evidence *evidence, struct finding_list *list,
		const struct candidate *candidate)
{
	struct finding *finding = finding_list_add(list, FINDING_CONVOY);
	const struct wait_record *record = candidate->record;
	double whole = (double)evidence->analysis->duration_ns;

	finding->since_ns = candidate->crowd.began_ns;
	finding->wait = (struct wait){
		.since_ns = candidate->crowd.began_ns,
		.object = record->value,
		.object_kind = (uint8_t)record->kind,
		.reason = record->reason,
		.stack = record->stack,
		.holder = record->holder,
	};
	finding->convoy.waiters_peak = candidate->crowd.peak;
	finding->convoy.share_of_blocked = share_of_blocked(evidence, &candidate->crowd);
	fill_tasks(evidence, list, finding, record);
	finding_summary(list, finding, "everybody queues for %s at %s, %.1f at a time on average",
			name_object(&finding->wait).text,
			name_site(evidence->reader, record->stack).text,
			(double)candidate->crowd.waited_ns / whole);
	finding_why(list, finding,
			"two or more tasks waited for it %.0f %% of the time (a convoy from %.0f %%), "
			"at most %u",
			100.0 * (double)candidate->crowd.crowded_ns / whole,
			100.0 * CONVOY_TIME_PART, candidate->crowd.peak);
	finding_why(list, finding,
			"everything moves: %s ended, the longest took %s; together they are %.0f %% "
			"of all blocked time",
			name_count(record->finished, "wait", "waits").text,
			name_duration(record->longest_ns).text,
			100.0 * finding->convoy.share_of_blocked);
}

void convoy_find(const struct evidence *evidence, struct finding_list *list)
{
	struct candidate *candidates = calloc(evidence->history.record_count, sizeof(*candidates));
	struct site_names names = { 0 };

	if (evidence->analysis->duration_ns < CONVOY_TRACE_NS) {
		free(candidates);
		return;
	}
	if (candidates && site_names_init(&names, evidence->reader, NULL) == LO_OK) {
		uint32_t count = collect(evidence, &names, candidates);

		qsort(candidates, count, sizeof(*candidates), by_site);
		for (uint32_t i = 0; i < count; i++)
			if (i == 0 || candidates[i].site != candidates[i - 1].site)
				add_convoy(evidence, list, &candidates[i]);
	} else {
		list->failed = true;
	}
	site_names_release(&names);
	free(candidates);
}
