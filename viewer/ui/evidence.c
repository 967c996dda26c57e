#include "viewer/ui/evidence.h"

#include <stdio.h>
#include <string.h>

#include "formats/base/duration.h"
#include "formats/model/object.h"
#include "viewer/analysis/site.h"
#include "viewer/ui/phrase.h"

#define TASKS_LISTED     12
#define CHAIN_STEPS_MAX  16
#define STACK_PLACES_MAX 64

/* As much of the end of a path as fits: folders tell files of one name apart. */
static const char *fitting_path(const char *path, int width)
{
	const char *best = path;

	while ((int)strlen(best) > width) {
		const char *slash = strchr(best + 1, '/');

		if (!slash)
			break;
		best = slash + 1;
	}
	return best;
}

static void add_place(struct document *document, const char *label, const struct place *place)
{
	char line[16];
	int width = document->columns - DOCUMENT_GUTTER - 1 - (int)strlen(place->function) - 2;

	snprintf(line, sizeof(line), ":%u", place->line);
	width -= (int)strlen(line);
	if (*place->file && place->line)
		document_add(document, label, STYLE_TEXT, TASK_NONE, "%s  %s%s", place->function,
				fitting_path(place->file, width), line);
	else if (*place->module &&
			strncmp(place->function, place->module, strlen(place->module)) != 0)
		document_add(document, label, STYLE_TEXT, TASK_NONE, "%s  %s", place->function,
				place->module);
	else
		document_add(document, label, STYLE_TEXT, TASK_NONE, "%s", place->function);
}

void evidence_stack(
		struct document *document, const struct app *app, const char *label, uint32_t stack)
{
	struct place places[STACK_PLACES_MAX];
	uint32_t count = stack_places(app->reader, stack, places, STACK_PLACES_MAX);

	for (uint32_t i = 0; i < count; i++)
		add_place(document, i ? "" : label, &places[i]);
	if (count == 0)
		document_add(document, label, STYLE_DIM, TASK_NONE, "no stack was taken");
}

void evidence_creator(
		struct document *document, const struct app *app, uint32_t task, uint32_t stack)
{
	const struct task_summary *summary = app_task(app, task);
	char creator[PHRASE_MAX] = "a task that is not in this trace";
	char place[PHRASE_MAX];

	if (!summary || (summary->creator == TASK_NONE && stack == STACK_NONE))
		return;
	if (summary->creator != TASK_NONE)
		task_format(app->reader, summary->creator, creator, sizeof(creator));
	place_phrase(app, stack, place, sizeof(place));
	document_add(document, "created by", STYLE_TEXT, summary->creator, "%s%s%s", creator,
			*place ? " at " : "", place);
}

/* One side of a cycle: two lines, the wait and who stands in its way. */
static void add_edge(
		struct document *document, const struct app *app, const struct cycle_edge *edge)
{
	char task[PHRASE_MAX];
	char holder[PHRASE_MAX];
	char wait[PHRASE_MAX];
	char place[PHRASE_MAX];
	const char *relation = edge->wait.object_kind == OBJECT_TASK ? "the end of" : "held by";

	task_format(app->reader, edge->task, task, sizeof(task));
	task_format(app->reader, edge->held_by, holder, sizeof(holder));
	wait_phrase(app, &edge->wait, wait, sizeof(wait));
	place_phrase(app, edge->wait.stack, place, sizeof(place));
	document_add(document, "", STYLE_TITLE, edge->task, "%s  at %s", task,
			*place ? place : "an unknown place");
	document_add(document, "  waits", STYLE_TEXT, edge->held_by, "%s, %s %s", wait, relation,
			holder);
}

/* `now`: the wait is still open, so what its holder does now matters. */
static void add_wait(
		struct document *document, const struct app *app, const struct wait *wait, bool now)
{
	char text[PHRASE_MAX];
	char place[PHRASE_MAX];
	uint32_t needs = wait_needs(wait);

	wait_phrase(app, wait, text, sizeof(text));
	place_phrase(app, wait->stack, place, sizeof(place));
	document_add(document, "waits for", STYLE_TEXT, TASK_NONE, "%s%s%s", text,
			*place ? ", at " : "", place);
	if (now && needs != TASK_NONE)
		document_add(document, wait->object_kind == OBJECT_TASK ? "joined" : "held by",
				STYLE_TEXT, needs, "%s",
				task_phrase(app, needs, text, sizeof(text)));
}

static void add_last_waker(struct document *document, const struct app *app, uint32_t task)
{
	const struct task_summary *summary = app_task(app, task);
	char waker[PHRASE_MAX];
	char time[DURATION_TEXT_MAX];

	if (!summary || summary->last_waker == TASK_NONE)
		return;
	document_add(document, "last woken", STYLE_TEXT, summary->last_waker, "at %s by %s",
			time_point_format(time, summary->last_wake_ns),
			task_phrase(app, summary->last_waker, waker, sizeof(waker)));
}

static void add_tasks(struct document *document, const struct app *app, const uint32_t *tasks,
		uint32_t count)
{
	char text[PHRASE_MAX];
	uint32_t listed = count < TASKS_LISTED ? count : TASKS_LISTED;

	for (uint32_t i = 0; i < listed; i++)
		document_add(document, i ? "" : "tasks", STYLE_TEXT, tasks[i], "%s",
				task_phrase(app, tasks[i], text, sizeof(text)));
	if (count > listed)
		document_add(document, "", STYLE_DIM, TASK_NONE, "and %u more", count - listed);
}

static bool has_wait(const struct finding *finding)
{
	return finding->wait.reason != REASON_NONE || finding->wait.stack != STACK_NONE;
}

/* Who used to wake tasks here, and what has become of them. */
static void add_wakers(
		struct document *document, const struct app *app, const struct finding *finding)
{
	char waker[PHRASE_MAX];
	char time[DURATION_TEXT_MAX];

	for (uint32_t i = 0; i < finding->waker_count; i++)
		document_add(document, i ? "" : "expected", STYLE_TEXT, finding->wakers[i].task,
				"%s; woke this place %u times, last at %s",
				task_phrase(app, finding->wakers[i].task, waker, sizeof(waker)),
				finding->wakers[i].wakes,
				time_point_format(time, finding->wakers[i].last_ns));
}

/* The oldest member that was made where the finding says: a burst has bystanders. */
static uint32_t member_created_there(const struct app *app, const struct finding *finding)
{
	for (uint32_t i = 0; i < finding->task_count; i++) {
		const struct task_summary *summary = app_task(app, finding->tasks[i]);

		if (summary && summary->creation_stack == finding->creation_stack)
			return finding->tasks[i];
	}
	return finding->task_count ? finding->tasks[0] : TASK_NONE;
}

static void add_finding(
		struct document *document, const struct app *app, const struct finding *finding)
{
	uint32_t first = finding->task_count ? finding->tasks[0] : TASK_NONE;
	enum style_role style = finding->severity >= 4 ? STYLE_BAD : STYLE_WARNING;

	document_add(document, finding_kind_name(finding->kind), style, TASK_NONE, "%s",
			finding->summary ? finding->summary : "");
	for (uint32_t i = 0; i < finding->cycle_count; i++)
		add_edge(document, app, &finding->cycle[i]);
	if (finding->cycle_count == 0 && has_wait(finding))
		add_wait(document, app, &finding->wait, finding->until_ns == UINT64_MAX);
	add_wakers(document, app, finding);
	if (first != TASK_NONE)
		evidence_creator(document, app, member_created_there(app, finding),
				finding->creation_stack);
	if (finding->cycle_count == 0 && finding->waker_count == 0 && first != TASK_NONE &&
			has_wait(finding))
		add_last_waker(document, app, first);
	for (uint32_t i = 0; i < finding->why_count; i++)
		document_add(document, i ? "" : "why", STYLE_TEXT, TASK_NONE, "%s",
				finding->why[i]);
	if (has_wait(finding))
		evidence_stack(document, app, "stack", finding->wait.stack);
	if (finding->creation_stack != STACK_NONE)
		evidence_stack(document, app, "created at", finding->creation_stack);
	add_tasks(document, app, finding->tasks, finding->task_count);
}

static void add_parked(
		struct document *document, const struct app *app, const struct wait_group *group)
{
	char text[PHRASE_MAX];
	uint32_t first = group->task_count ? group->tasks[0] : TASK_NONE;

	document_add(document, "parked", STYLE_TEXT, TASK_NONE, "%s parked on purpose in %s",
			count_phrase(group->task_count, "task", text, sizeof(text)),
			trace_reader_reason_name(app->reader, group->reason));
	if (group->why)
		document_add(document, "why", STYLE_TEXT, TASK_NONE, "%s", group->why);
	if (first != TASK_NONE) {
		evidence_creator(document, app, first, group->creation_stack);
		add_last_waker(document, app, first);
	}
	evidence_stack(document, app, "stack", group->stack);
	add_tasks(document, app, group->tasks, group->task_count);
}

void evidence_of_finding(struct document *document, const struct app *app, int row)
{
	const struct finding *finding = app_finding(app, row);
	const struct wait_group *group = app_parked(app, row);

	if (finding)
		add_finding(document, app, finding);
	else if (group)
		add_parked(document, app, group);
}

static bool seen_before(const uint32_t *steps, int count, uint32_t task)
{
	for (int i = 0; i < count; i++)
		if (steps[i] == task)
			return true;
	return false;
}

/* "T2 post waits: mutex lock on 0x10", then "held by T3 void, which waits: ...". */
static void add_step(struct document *document, const struct app *app, uint32_t task,
		const struct wait *before, bool again)
{
	const struct task_summary *summary = app_task(app, task);
	const char *relation = !before                              ? ""
			       : before->object_kind == OBJECT_TASK ? "the end of "
								    : "held by ";
	char text[PHRASE_MAX];
	char wait[PHRASE_MAX];

	task_format(app->reader, task, text, sizeof(text));
	if (again)
		document_add(document, "", STYLE_BAD, task, "%s%s: a circle", relation, text);
	else if (summary && summary->state == TASK_STATE_BLOCKED)
		document_add(document, before ? "" : "why", STYLE_TEXT, task, "%s%s%s: %s",
				relation, text, before ? ", which waits" : " waits",
				wait_phrase(app, &summary->wait, wait, sizeof(wait)));
	else
		document_add(document, before ? "" : "why", STYLE_TEXT, task, "%s%s", relation,
				task_phrase(app, task, text, sizeof(text)));
}

void evidence_chain(struct document *document, const struct app *app, uint32_t task)
{
	uint32_t steps[CHAIN_STEPS_MAX];
	const struct wait *wait = NULL;

	for (int count = 0; count < CHAIN_STEPS_MAX; count++) {
		const struct task_summary *summary = app_task(app, task);
		bool again = seen_before(steps, count, task);

		add_step(document, app, task, wait, again);
		if (again || !summary || summary->state != TASK_STATE_BLOCKED)
			return;
		steps[count] = task;
		wait = &summary->wait;
		task = wait_needs(wait);
		if (task == TASK_NONE)
			return;
	}
}
