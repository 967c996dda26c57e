#include "viewer/analysis/stuck.h"

#include <inttypes.h>
#include <stdlib.h>

#include "formats/model/object.h"
#include "viewer/analysis/joined.h"
#include "viewer/analysis/name.h"
#include "viewer/analysis/outlook.h"
#include "viewer/analysis/site_names.h"

/* Links of a chain of waits that are told one by one. */
#define CHAIN_TOLD 8u

struct member {
	uint32_t task;
	uint32_t site;
	uint8_t reason;
	bool behind; /* another accused task is the cause */
	bool certain;
	uint64_t since_ns;
};

/* The members of one finding: a run of the sorted array. */
struct group {
	struct member *members; /* oldest first */
	uint32_t count;
	const struct member *first; /* the one that is told: a cause, certain, old */
};

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_place_then_age(const void *left, const void *right)
{
	const struct member *a = left;
	const struct member *b = right;
	int order = compare(a->reason, b->reason);

	if (order == 0)
		order = compare(a->site, b->site);
	if (order == 0)
		order = compare(a->since_ns, b->since_ns);
	return order ? order : compare(a->task, b->task);
}

static int more_telling(const struct member *a, const struct member *b)
{
	int order = compare(a->behind, b->behind);

	if (order == 0)
		order = compare(b->certain, a->certain);
	if (order == 0)
		order = compare(a->since_ns, b->since_ns);
	return order;
}

static int worse_group_first(const void *left, const void *right)
{
	const struct group *a = left;
	const struct group *b = right;
	int order = more_telling(a->first, b->first);

	if (order == 0)
		order = compare(b->count, a->count);
	return order ? order : compare(a->first->task, b->first->task);
}

static uint32_t collect(
		const struct evidence *evidence, struct site_names *names, struct member *members)
{
	uint32_t count = 0;

	for (uint32_t task = 1; task < evidence->analysis->task_limit; task++) {
		const struct outlook *outlook = outlook_of(evidence, task);
		const struct wait *wait = &evidence_task(evidence, task)->wait;

		if (!outlook->accused || outlook->in_cycle)
			continue;
		members[count++] = (struct member){
			.task = task,
			.site = site_names_get(names, wait->stack),
			.reason = wait->reason,
			.behind = outlook->root != task || outlook->kind == OUTLOOK_GROUP,
			.certain = outlook->certain || outlook->kind == OUTLOOK_MISSED,
			.since_ns = wait->since_ns,
		};
	}
	return count;
}

static uint32_t split(struct member *members, uint32_t count, struct group *groups)
{
	uint32_t group_count = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct group *group;

		if (i == 0 || members[i].reason != members[i - 1].reason ||
				members[i].site != members[i - 1].site)
			groups[group_count++] = (struct group){
				.members = &members[i],
				.first = &members[i],
			};
		group = &groups[group_count - 1];
		group->count++;
		if (more_telling(&members[i], group->first) < 0)
			group->first = &members[i];
	}
	return group_count;
}

/* "T1 main", "3 tasks". */
static struct name subject(const struct evidence *evidence, const struct group *group)
{
	struct name name;

	if (group->count == 1)
		name = name_task(evidence->reader, group->first->task);
	else
		name = name_count(group->count, "task", "tasks");
	return name;
}

static const char *verb(const struct group *group)
{
	return group->count == 1 ? "waits" : "wait";
}

static const char *fate(const struct evidence *evidence, uint32_t task)
{
	if (outlook_of(evidence, task)->in_cycle)
		return "which is in a deadlock";
	if (evidence_task(evidence, task)->state == TASK_STATE_EXITED)
		return "which has exited";
	return "which is stuck";
}

/* What hard waits wait for: the source may name neither object nor holder. */
static struct name wanted(const struct evidence *evidence, const struct finding *finding)
{
	struct name name = { "a lock" };

	if (finding->wait.object_kind != OBJECT_NONE)
		name = name_object(&finding->wait);
	else if (evidence_class(evidence, &finding->wait) == WAIT_CLASS_SEND)
		name = (struct name){ "somebody to take what it sends" };
	return name;
}

static const char *joined_fate(const struct evidence *evidence, uint32_t joiner)
{
	return joined_count(evidence, joiner).alive ? "have ended or are stuck" : "have all ended";
}

static void summarize(const struct evidence *evidence, struct finding_list *list,
		struct finding *finding, const struct group *group)
{
	const struct trace_reader *reader = evidence->reader;
	const struct outlook *outlook = outlook_of(evidence, group->first->task);
	struct name who = subject(evidence, group);
	struct name on = name_task(reader, outlook->on);

	switch (outlook->kind) {
	case OUTLOOK_HELD:
		finding_summary(list, finding, "%s %s for %s, held by %s, %s", who.text,
				verb(group), name_object(&finding->wait).text, on.text,
				fate(evidence, outlook->on));
		break;
	case OUTLOOK_JOIN:
		finding_summary(list, finding, "%s %s for the end of %s, %s", who.text, verb(group),
				on.text, fate(evidence, outlook->on));
		break;
	case OUTLOOK_MISSED:
		finding_summary(list, finding,
				"%s %s for a signal that %s gave too early: a lost wake-up",
				who.text, verb(group), on.text);
		break;
	case OUTLOOK_OVERTAKEN:
		finding_summary(list, finding, "%s %s for %s: many who came later went on",
				who.text, verb(group), wanted(evidence, finding).text);
		break;
	case OUTLOOK_STANDS:
		finding_summary(list, finding, "%s %s for %s: nothing moves there any more",
				who.text, verb(group), wanted(evidence, finding).text);
		break;
	case OUTLOOK_GROUP:
		finding_summary(list, finding, "%s %s for the end of tasks that %s", who.text,
				verb(group), joined_fate(evidence, group->first->task));
		break;
	case OUTLOOK_FORGOTTEN:
		finding_summary(list, finding,
				"%s %s to be woken, while %s for it to end: most others have",
				who.text, verb(group), "somebody waits");
		break;
	case OUTLOOK_HOLDS:
		finding_summary(list, finding,
				"%s %s for a signal that nobody ever gave, with a lock in hand",
				who.text, verb(group));
		break;
	default:
		finding_summary(list, finding,
				"%s %s for tasks that have ended or are stuck themselves", who.text,
				verb(group));
		break;
	}
}

static void tell_age(const struct evidence *evidence, struct finding_list *list,
		struct finding *finding, uint32_t task)
{
	const struct wait_record *record = evidence_record(evidence, task);
	struct name age = name_duration(evidence_end_ns(evidence, task) - finding->wait.since_ns);
	struct name who = name_task(evidence->reader, task);

	if (record && record->finished > 0)
		finding_why(list, finding,
				"%s has waited %s, to the end; of %s that ended here before the "
				"longest took %s",
				who.text, age.text,
				name_count(record->finished, "wait", "waits").text,
				name_duration(record->longest_ns).text);
	else
		finding_why(list, finding,
				"%s has waited %s, to the end; no wait ended here before", who.text,
				age.text);
}

static void tell_link(const struct evidence *evidence, struct finding_list *list,
		struct finding *finding, uint32_t task)
{
	const struct outlook *outlook = outlook_of(evidence, task);
	const struct wait *wait = &evidence_task(evidence, task)->wait;
	struct name who = name_task(evidence->reader, task);
	struct name on = name_task(evidence->reader, outlook->on);

	if (outlook->kind == OUTLOOK_JOIN)
		finding_why(list, finding, "%s waits for the end of %s", who.text, on.text);
	else if (outlook->kind == OUTLOOK_HELD)
		finding_why(list, finding, "%s waits for %s, which %s holds%s", who.text,
				name_object(wait).text, on.text,
				outlook->certain ? "" : " as far as was seen");
	else
		finding_why(list, finding, "%s waits itself: %s at %s", who.text,
				trace_reader_reason_name(evidence->reader, wait->reason),
				name_site(evidence->reader, wait->stack).text);
}

/* From a waiter to the end of its chain: a task that has exited, a cycle, or a receiver. */
static void tell_chain(const struct evidence *evidence, struct finding_list *list,
		struct finding *finding, uint32_t task)
{
	const struct task_summary *summary;

	for (unsigned i = 0; i < CHAIN_TOLD; i++) {
		tell_link(evidence, list, finding, task);
		if (outlook_of(evidence, task)->root == task)
			break;
		task = outlook_of(evidence, task)->on;
		if (outlook_of(evidence, task)->in_cycle) {
			finding_why(list, finding, "%s is part of a deadlock",
					name_task(evidence->reader, task).text);
			return;
		}
	}
	task = outlook_of(evidence, task)->on;
	summary = evidence_task(evidence, task);
	if (task != TASK_NONE && summary->state == TASK_STATE_EXITED)
		finding_why(list, finding, "%s exited at %s",
				name_task(evidence->reader, task).text,
				name_time(summary->end_ns).text);
}

/* Who needs a receiver: the first that waits for its end or for a lock that it holds. */
static void tell_who_needs(const struct evidence *evidence, struct finding_list *list,
		struct finding *finding, uint32_t task)
{
	for (uint32_t other = 1; other < evidence->analysis->task_limit; other++) {
		const struct outlook *outlook = outlook_of(evidence, other);

		if (!outlook->accused || outlook->on != task || outlook->kind == OUTLOOK_MISSED)
			continue;
		tell_link(evidence, list, finding, other);
		return;
	}
}

static void tell_missed(const struct evidence *evidence, struct finding_list *list,
		struct finding *finding, uint32_t task)
{
	struct name signaller = name_task(evidence->reader, finding->wait.holder);

	finding_why(list, finding,
			"the last signal on %s came from %s while nobody waited there; %s began "
			"to wait after it, and nobody has signalled since",
			name_object(&finding->wait).text, signaller.text,
			name_task(evidence->reader, task).text);
}

static void tell_queue(const struct evidence *evidence, struct finding_list *list,
		struct finding *finding, uint32_t task)
{
	const struct wait_record *record = evidence_record(evidence, task);

	if (outlook_of(evidence, task)->kind == OUTLOOK_OVERTAKEN)
		finding_why(list, finding, "%s that began later at this place %s over",
				name_count(wait_record_overtakers(record), "wait", "waits").text,
				wait_record_overtakers(record) == 1 ? "is" : "are");
	else if (record->finished > 0)
		finding_why(list, finding,
				"the last wait here ended at %s, and since then none did",
				name_time(record->last_finish_ns).text);
	finding_why(list, finding, "nobody who began like it is at work since before it waits");
}

static void tell_joined(const struct evidence *evidence, struct finding_list *list,
		struct finding *finding, uint32_t task)
{
	struct joined joined = joined_count(evidence, task);

	finding_why(list, finding, "it made %s, of which %" PRIu32 " ended, the last at %s",
			name_count(joined.made, "task", "tasks").text, joined.ended,
			name_time(joined.last_exit_ns).text);
	if (joined.alive > 0)
		finding_why(list, finding, "%s alive, and none of them can go on",
				name_count(joined.alive, "is", "are").text);
}

static void tell(const struct evidence *evidence, struct finding_list *list,
		struct finding *finding, uint32_t task)
{
	const struct process_info *process = evidence_process(evidence, task);

	tell_age(evidence, list, finding, task);
	switch (outlook_of(evidence, task)->kind) {
	case OUTLOOK_MISSED:
		tell_missed(evidence, list, finding, task);
		tell_who_needs(evidence, list, finding, task);
		break;
	case OUTLOOK_WAKERS:
		finding_why(list, finding,
				"everybody who ever woke a waiter here has ended or is stuck "
				"itself");
		tell_who_needs(evidence, list, finding, task);
		break;
	case OUTLOOK_OVERTAKEN:
	case OUTLOOK_STANDS:
		tell_queue(evidence, list, finding, task);
		break;
	case OUTLOOK_GROUP:
		tell_joined(evidence, list, finding, task);
		break;
	case OUTLOOK_FORGOTTEN:
		finding_why(list, finding,
				"it was never woken from there, and most of the tasks that were "
				"made by the same task have ended");
		break;
	case OUTLOOK_HOLDS:
		finding_why(list, finding, "it was never woken from there in this trace");
		tell_who_needs(evidence, list, finding, task);
		break;
	default:
		tell_chain(evidence, list, finding, task);
		break;
	}
	if (process && process->end == PROCESS_EXITED)
		finding_why(list, finding, "so it stood when the program ended");
}

static void fill_tasks(
		struct finding_list *list, struct finding *finding, const struct group *group)
{
	uint32_t *tasks = calloc(group->count, sizeof(*tasks));

	if (!tasks) {
		list->failed = true;
		return;
	}
	for (uint32_t i = 0; i < group->count; i++)
		tasks[i] = group->members[i].task;
	finding_tasks(list, finding, tasks, group->count);
	free(tasks);
}

static void add_group(const struct evidence *evidence, struct finding_list *list,
		const struct group *group)
{
	struct finding *finding = finding_list_add(list, FINDING_STUCK);
	uint32_t task = group->first->task;
	uint64_t seen_ns;

	finding->since_ns = group->members[0].since_ns;
	finding->wait = evidence_task(evidence, task)->wait;
	if (outlook_of(evidence, task)->kind == OUTLOOK_HELD)
		finding->wait.holder = evidence_holder(evidence, task, &seen_ns);
	finding->creation_stack = evidence_task(evidence, task)->creation_stack;
	fill_tasks(list, finding, group);
	finding_wakers(list, finding, evidence, evidence_record(evidence, task));
	summarize(evidence, list, finding, group);
	tell(evidence, list, finding, task);
}

void stuck_find(const struct evidence *evidence, struct finding_list *list)
{
	uint32_t limit = evidence->analysis->task_limit;
	struct member *members = calloc(limit, sizeof(*members));
	struct group *groups = calloc(limit, sizeof(*groups));
	struct site_names names = { 0 };

	if (members && groups && site_names_init(&names, evidence->reader, NULL) == LO_OK) {
		uint32_t count = collect(evidence, &names, members);

		qsort(members, count, sizeof(*members), by_place_then_age);
		count = split(members, count, groups);
		qsort(groups, count, sizeof(*groups), worse_group_first);
		for (uint32_t i = 0; i < count; i++)
			add_group(evidence, list, &groups[i]);
	} else {
		list->failed = true;
	}
	site_names_release(&names);
	free(members);
	free(groups);
}
