#include "viewer/ui/view.h"

#include <stdio.h>

#include "formats/base/duration.h"
#include "formats/base/printable.h"
#include "formats/native/trace_notes.h"
#include "viewer/analysis/site.h"
#include "viewer/ui/app.h"
#include "viewer/ui/evidence.h"
#include "viewer/ui/list.h"
#include "viewer/ui/phrase.h"

/*
 * Everything about one finding or one task, as lines to move through. Enter follows a line that
 * speaks of a task to the page of that task.
 */
#define HISTORY_STATES 16
#define LINEAGE_MAX    12

#define NOTES_SHOWN    12
#define NOTES_SECTIONS 64 /* read at most so many: some ten thousand notes */

/* What the source noted about the task of the page, read once. */
struct task_notes {
	uint32_t task; /* TASK_NONE = nothing was read yet */
	bool complete;
	uint64_t count;   /* without CPU samples */
	uint64_t samples; /* of the CPU */
	struct note shown[NOTES_SHOWN];
};

struct detail {
	struct task_notes notes;
	struct document document;
	struct list list;
	enum detail_kind kind; /* what the list is about, to start at the top of another page */
	uint32_t id;
};

static void add_identity(struct document *document, const struct app *app, uint32_t task)
{
	const struct process_info *process;
	struct task_info info;
	char text[PHRASE_MAX];

	document_add(document, "task",
			app_task(app, task)->state == TASK_STATE_BLOCKED ? STYLE_BLOCKED
									 : STYLE_TITLE,
			TASK_NONE, "%s", task_phrase(app, task, text, sizeof(text)));
	trace_reader_task(app->reader, task, &info);
	process = trace_reader_process(app->reader, info.process);
	if (info.tid)
		document_add(document, "", STYLE_DIM, TASK_NONE, "thread %u%s%.0u", info.tid,
				process ? " of process " : "", process ? process->pid : 0);
}

static void add_lineage(struct document *document, const struct app *app, uint32_t task)
{
	const struct task_summary *summary = app_task(app, task);
	char text[PHRASE_MAX];
	char place[PHRASE_MAX];
	char time[DURATION_TEXT_MAX];
	int count = 0;

	if (summary->existing) {
		document_add(document, "created", STYLE_DIM, TASK_NONE,
				"before the trace, or its creation was not seen");
		return;
	}
	place_phrase(app, summary->creation_stack, place, sizeof(place));
	document_add(document, "created", STYLE_TEXT, TASK_NONE, "at %s%s%s",
			time_point_format(time, summary->begin_ns), *place ? ", in " : "", place);
	while (summary->creator != TASK_NONE && count < LINEAGE_MAX) {
		document_add(document, count ? "" : "by", STYLE_TEXT, summary->creator, "%s",
				task_phrase(app, summary->creator, text, sizeof(text)));
		summary = app_task(app, summary->creator);
		if (!summary)
			return;
		count++;
	}
}

static void add_totals(struct document *document, const struct task_summary *task)
{
	char total[DURATION_TEXT_MAX];
	char longest[DURATION_TEXT_MAX];

	if (task->blocks == 0)
		document_add(document, "waits", STYLE_DIM, TASK_NONE, "never blocked");
	else
		document_add(document, "waits", STYLE_TEXT, TASK_NONE,
				"%u, together %s, the longest %s", task->blocks,
				duration_format(total, task->blocked_ns),
				duration_format(longest, task->longest_block_ns));
}

/* One state of the past: "0:04.871  blocked  148 ms  mutex lock in post; woken by T40". */
static void add_moment(struct document *document, const struct app *app,
		const struct lane_moment *moment, bool first)
{
	uint64_t end_ns = moment->end_ns < app->analysis->duration_ns ? moment->end_ns
								      : app->analysis->duration_ns;
	bool blocked = moment->state == TASK_STATE_BLOCKED;
	char begin[DURATION_TEXT_MAX];
	char length[DURATION_TEXT_MAX];
	char what[PHRASE_MAX] = "";
	char waker[PHRASE_MAX / 2] = "";

	time_point_format(begin, moment->begin_ns);
	if (moment->state == TASK_STATE_EXITED) {
		document_add(document, first ? "history" : "", STYLE_TEXT, TASK_NONE, "%9s  exited",
				begin);
		return;
	}
	duration_format(length, end_ns > moment->begin_ns ? end_ns - moment->begin_ns : 0);
	if (blocked && moment->waker != TASK_NONE)
		task_format(app->reader, moment->waker, waker, sizeof(waker));
	if (blocked)
		where_phrase(app, &moment->wait, PHRASE_MAX, what, sizeof(what));
	document_add(document, first ? "history" : "", blocked ? STYLE_BLOCKED : STYLE_TEXT,
			blocked ? moment->waker : TASK_NONE, "%9s  %-7s %10s  %s%s%s", begin,
			state_name(moment->state), length, what, *waker ? "; woken by " : "",
			waker);
}

/* The last states, newest first, found by asking for the moment before each one. */
static void add_history(struct document *document, const struct app *app, uint32_t task)
{
	struct lane_moment moment;
	uint64_t time_ns = app->analysis->duration_ns;

	if (!app->lanes) {
		document_add(document, "history", STYLE_PENDING, TASK_NONE, "not read yet");
		return;
	}
	for (int i = 0; i < HISTORY_STATES; i++) {
		lane_moment(app->lanes, task, time_ns, &moment);
		if (moment.state == TASK_STATE_ABSENT)
			return;
		add_moment(document, app, &moment, i == 0);
		if (moment.begin_ns == 0 || moment.begin_ns > time_ns)
			return;
		time_ns = moment.begin_ns - 1;
	}
	document_add(document, "", STYLE_DIM, TASK_NONE,
			"and more before; the timeline shows all of it");
}

static bool keep_note(void *context, const struct note *note)
{
	struct task_notes *notes = context;

	if (note->kind == NOTE_CPU_SAMPLE) {
		notes->samples++;
		return true;
	}
	if (notes->count < NOTES_SHOWN)
		notes->shown[notes->count] = *note;
	notes->count++;
	return true;
}

/* What cannot be read is told where damage is told. */
static void read_notes(const struct app *app, struct task_notes *notes, uint32_t task)
{
	struct note_query query = { .span = TIME_SPAN_ALL,
		.task = task,
		.kinds = NOTE_KINDS_ALL,
		.sections_max = NOTES_SECTIONS };

	if (notes->task == task)
		return;
	*notes = (struct task_notes){ .task = task };
	trace_notes_visit(app->reader, &query, keep_note, notes, &notes->complete, NULL);
}

static void clean_string(const struct app *app, uint32_t id, char *out, size_t capacity)
{
	uint32_t length;
	const char *bytes = trace_reader_string(app->reader, id, &length);

	printable_copy(out, capacity, bytes, length, 0);
}

/* "0:00.104  region  1.20 ms  reserve: text". */
static void add_note(struct document *document, const struct app *app, const struct note *note,
		bool first)
{
	bool ranged = trace_note_kind_fields(app->reader, note->kind) & NOTE_IS_RANGE;
	const char *kind = trace_note_kind_name(app->reader, note->kind);
	char begin[DURATION_TEXT_MAX];
	char length[DURATION_TEXT_MAX] = "";
	char name[PHRASE_MAX / 2];
	char text[PHRASE_MAX / 2];

	clean_string(app, note->name, name, sizeof(name));
	clean_string(app, note->text, text, sizeof(text));
	if (ranged)
		duration_format(length, note->end_ns - note->begin_ns);
	document_add(document, first ? "notes" : "", STYLE_TEXT, TASK_NONE,
			"%9s  %-11s %10s  %s%s%s%s", time_point_format(begin, note->begin_ns),
			kind ? kind : "note", length, name, *name && *text ? ": " : "", text,
			note->flags & NOTE_FLAG_BEGAN_BEFORE ? " (began before the trace)"
			: note->flags & NOTE_FLAG_STILL_OPEN ? " (its end was not seen)"
							     : "");
}

static void add_notes(
		struct document *document, const struct app *app, const struct task_notes *notes)
{
	for (uint64_t i = 0; i < notes->count && i < NOTES_SHOWN; i++)
		add_note(document, app, &notes->shown[i], i == 0);
	if (notes->count > NOTES_SHOWN)
		document_add(document, "", STYLE_DIM, TASK_NONE, "and %llu%s more later",
				(unsigned long long)(notes->count - NOTES_SHOWN),
				notes->complete ? "" : " or");
	else if (!notes->complete)
		document_add(document, "", STYLE_DIM, TASK_NONE,
				"the rest of the trace was not searched");
	if (notes->samples > 0)
		document_add(document, "cpu", STYLE_TEXT, TASK_NONE, "seen running %llu times",
				(unsigned long long)notes->samples);
}

static void describe_task(struct document *document, const struct app *app,
		struct task_notes *notes, uint32_t task)
{
	const struct task_summary *summary = app_task(app, task);

	if (!summary) {
		document_add(document, "", STYLE_TEXT, TASK_NONE, "no such task in this trace");
		return;
	}
	add_identity(document, app, task);
	if (summary->state == TASK_STATE_BLOCKED)
		evidence_chain(document, app, task);
	if (summary->last_waker != TASK_NONE) {
		char text[PHRASE_MAX];
		char time[DURATION_TEXT_MAX];

		document_add(document, "last woken", STYLE_TEXT, summary->last_waker, "at %s by %s",
				time_point_format(time, summary->last_wake_ns),
				task_phrase(app, summary->last_waker, text, sizeof(text)));
	}
	add_lineage(document, app, task);
	add_totals(document, summary);
	if (summary->state == TASK_STATE_BLOCKED)
		evidence_stack(document, app, "blocked at", summary->wait.stack);
	if (summary->creation_stack != STACK_NONE)
		evidence_stack(document, app, "created at", summary->creation_stack);
	read_notes(app, notes, task);
	add_notes(document, app, notes);
	add_history(document, app, task);
}

static void rebuild(struct app *app, struct detail *view, struct pane pane)
{
	if (view->kind != app->place.detail || view->id != app->place.detail_id)
		view->list = (struct list){ .count = 0 };
	view->kind = app->place.detail;
	view->id = app->place.detail_id;
	document_begin(&view->document, pane.canvas, pane.columns);
	if (view->kind == DETAIL_FINDING)
		evidence_of_finding(&view->document, app, (int)view->id);
	else if (view->kind == DETAIL_TASK)
		describe_task(&view->document, app, &view->notes, view->id);
	else
		document_add(&view->document, "", STYLE_DIM, TASK_NONE, "nothing is open");
}

static void mark_matches(const struct app *app, const struct detail *view, struct pane pane)
{
	for (int i = 0; i < pane.rows && view->list.top + i < view->document.count; i++)
		if (view->list.top + i != view->list.selected &&
				app_matches(app, view->document.lines[view->list.top + i].text))
			pane_restyle(pane, i, DOCUMENT_GUTTER, pane.columns - DOCUMENT_GUTTER,
					STYLE_MATCH);
}

static void detail_draw(struct app *app, void *state, struct pane pane, bool focused)
{
	struct detail *view = state;

	(void)focused;
	rebuild(app, view, pane);
	document_draw(&view->document, pane, &view->list, true);
	mark_matches(app, view, pane);
}

static uint32_t linked_task(const struct detail *view)
{
	if (view->list.selected >= view->document.count)
		return TASK_NONE;
	return view->document.lines[view->list.selected].task;
}

/* The task that this page is about: of a finding, its first. */
static uint32_t subject(const struct app *app, const struct detail *view)
{
	return view->kind == DETAIL_TASK ? view->id : app->place.task;
}

static bool detail_act(struct app *app, void *state, enum action action)
{
	struct detail *view = state;

	if (list_act(&view->list, action))
		return true;
	switch (action) {
	case ACTION_OPEN:
		if (linked_task(view) != TASK_NONE)
			app_open_task(app, linked_task(view));
		else
			app_say(app, "this line does not lead to a task");
		return true;
	case ACTION_WHY:
		app_open_task(app, subject(app, view));
		return true;
	case ACTION_CREATOR:
		app_open_creator(app, subject(app, view));
		return true;
	case ACTION_WAKER:
		app_open_waker(app, subject(app, view));
		return true;
	default:
		return false;
	}
}

static void detail_title(struct app *app, void *state, char *out, size_t capacity)
{
	struct detail *view = state;
	char text[PHRASE_MAX];
	char extent[DOCUMENT_EXTENT_MAX];

	if (app->place.detail == DETAIL_TASK)
		phrase(out, capacity, "Task %s%s",
				task_format(app->reader, app->place.detail_id, text, sizeof(text)),
				document_extent(&view->document, &view->list, extent));
	else
		phrase(out, capacity, "Evidence%s",
				document_extent(&view->document, &view->list, extent));
}

static int detail_rows(struct app *app, void *state)
{
	(void)app;
	return ((struct detail *)state)->document.count;
}

static int detail_selected(struct app *app, void *state)
{
	(void)app;
	return ((struct detail *)state)->list.selected;
}

static void detail_text(struct app *app, void *state, int row, char *out, size_t capacity)
{
	(void)app;
	phrase(out, capacity, "%s", ((struct detail *)state)->document.lines[row].text);
}

static void detail_select(struct app *app, void *state, int row)
{
	(void)app;
	list_select(&((struct detail *)state)->list, row);
}

static void detail_release(void *state)
{
	document_release(&((struct detail *)state)->document);
}

static const struct view_hint detail_hints[] = {
	{ ACTION_OPEN, "follow" },
	{ ACTION_CREATOR, "creator" },
	{ ACTION_WAKER, "last waker" },
	{ ACTION_TIMELINE, "on timeline" },
	{ ACTION_BACK, "back" },
	{ ACTION_SEARCH, "search" },
	{ ACTION_HELP, "help" },
	{ ACTION_NONE, NULL },
};

const struct view_ops detail_view = {
	.name = "Detail",
	.open = ACTION_NONE,
	.scope = SCOPE_DETAIL,
	.slot = VIEW_SLOT_LEFT,
	.needs = VIEW_NEEDS_LANES,
	.state_size = sizeof(struct detail),
	.hints = detail_hints,
	.release = detail_release,
	.title = detail_title,
	.act = detail_act,
	.draw = detail_draw,
	.row_count = detail_rows,
	.row_selected = detail_selected,
	.row_text = detail_text,
	.row_select = detail_select,
};
