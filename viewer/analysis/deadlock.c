#include "viewer/analysis/deadlock.h"

#include <stdlib.h>
#include <string.h>

#include "formats/model/object.h"
#include "viewer/analysis/name.h"
#include "viewer/analysis/outlook.h"

static uint32_t cycle_length(const struct evidence *evidence, uint32_t first)
{
	uint32_t length = 0;
	uint32_t task = first;

	do {
		length++;
		task = outlook_of(evidence, task)->on;
	} while (task != first);
	return length;
}

/* The edges in the order of waiting, from the task that has waited longest. */
static void fill_edges(const struct evidence *evidence, struct finding *finding, uint32_t first)
{
	uint32_t task = first;
	uint64_t seen_ns;

	for (uint32_t i = 0; i < finding->cycle_count; i++) {
		struct cycle_edge *edge = &finding->cycle[i];

		edge->task = task;
		edge->held_by = outlook_of(evidence, task)->on;
		edge->wait = evidence_task(evidence, task)->wait;
		if (outlook_of(evidence, task)->kind == OUTLOOK_HELD)
			edge->wait.holder = evidence_holder(evidence, task, &seen_ns);
		task = edge->held_by;
	}
}

static uint32_t oldest_in_cycle(const struct evidence *evidence, uint32_t first)
{
	uint32_t oldest = first;
	uint32_t task = first;

	do {
		if (evidence_task(evidence, task)->wait.since_ns <
				evidence_task(evidence, oldest)->wait.since_ns)
			oldest = task;
		task = outlook_of(evidence, task)->on;
	} while (task != first);
	return oldest;
}

static int older_edge_first(const void *left, const void *right)
{
	const struct cycle_edge *a = left;
	const struct cycle_edge *b = right;

	if (a->wait.since_ns != b->wait.since_ns)
		return a->wait.since_ns < b->wait.since_ns ? -1 : 1;
	return a->task < b->task ? -1 : a->task > b->task;
}

/* Ids oldest first, and the moment when the last of them closed the cycle. */
static void fill_tasks(struct finding_list *list, struct finding *finding)
{
	uint32_t count = finding->cycle_count;
	struct cycle_edge *sorted = malloc(count * sizeof(*sorted));
	uint32_t *tasks = malloc(count * sizeof(*tasks));

	if (sorted && tasks) {
		memcpy(sorted, finding->cycle, count * sizeof(*sorted));
		qsort(sorted, count, sizeof(*sorted), older_edge_first);
		for (uint32_t i = 0; i < count; i++)
			tasks[i] = sorted[i].task;
		finding_tasks(list, finding, tasks, count);
		finding->since_ns = sorted[count - 1].wait.since_ns;
	} else {
		list->failed = true;
	}
	free(sorted);
	free(tasks);
}

static void tell_who_waits_behind(const struct evidence *evidence, struct finding_list *list,
		struct finding *finding, uint32_t root)
{
	uint32_t first[4];
	uint32_t count = 0;

	for (uint32_t task = 1; task < evidence->analysis->task_limit; task++) {
		const struct outlook *outlook = outlook_of(evidence, task);

		if (!outlook->accused || outlook->in_cycle || outlook->root != root)
			continue;
		if (count < 4)
			first[count] = task;
		count++;
	}
	if (count == 1)
		finding_why(list, finding, "behind it waits %s",
				name_task(evidence->reader, first[0]).text);
	else if (count > 1)
		finding_why(list, finding, "behind it wait %s: %s%s",
				name_count(count, "task", "tasks").text,
				name_tasks(evidence->reader, first, count < 4 ? count : 4).text,
				count > 4 ? ", ..." : "");
}

static void tell(const struct evidence *evidence, struct finding_list *list,
		struct finding *finding, uint32_t root)
{
	const struct cycle_edge *first = &finding->cycle[0];
	uint64_t end_ns = evidence_end_ns(evidence, first->task);

	if (finding->cycle_count == 1)
		finding_summary(list, finding, "%s waits for %s, which it holds itself",
				name_task(evidence->reader, first->task).text,
				name_object(&first->wait).text);
	else
		finding_summary(list, finding, "%s wait for each other: %s",
				name_count(finding->cycle_count, "task", "tasks").text,
				name_tasks(evidence->reader, finding->tasks, finding->task_count)
						.text);
	finding_why(list, finding, "%s",
			finding->cycle_count == 1
					? "a task that waits for its own lock waits for ever"
					: "each waits for what the next one holds, in a circle");
	finding_why(list, finding, "closed at %s, and nothing in it moved for %s, to the end",
			name_time(finding->since_ns).text,
			name_duration(end_ns - finding->since_ns).text);
	tell_who_waits_behind(evidence, list, finding, root);
}

static void add_deadlock(const struct evidence *evidence, struct finding_list *list, uint32_t root)
{
	struct finding *finding = finding_list_add(list, FINDING_DEADLOCK);
	uint32_t oldest = oldest_in_cycle(evidence, root);

	finding->cycle_count = cycle_length(evidence, root);
	finding->cycle = calloc(finding->cycle_count, sizeof(*finding->cycle));
	if (!finding->cycle) {
		finding->cycle_count = 0;
		list->failed = true;
		return;
	}
	fill_edges(evidence, finding, oldest);
	finding->wait = finding->cycle[0].wait;
	finding->creation_stack = evidence_task(evidence, oldest)->creation_stack;
	fill_tasks(list, finding);
	tell(evidence, list, finding, root);
}

void deadlock_find(const struct evidence *evidence, struct finding_list *list)
{
	for (uint32_t task = 1; task < evidence->analysis->task_limit; task++) {
		const struct outlook *outlook = outlook_of(evidence, task);

		if (outlook->in_cycle && outlook->root == task)
			add_deadlock(evidence, list, task);
	}
}
