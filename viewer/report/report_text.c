#include "viewer/report/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "formats/base/duration.h"
#include "formats/model/loss.h"
#include "formats/model/object.h"
#include "viewer/analysis/name.h"
#include "viewer/analysis/site.h"
#include "viewer/report/report_names.h"
#include "viewer/report/text_layout.h"
#include "viewer/report/trace_facts.h"

/* A report is read by people: the first of each list, and the count of the rest. */
#define FRAMES_SHOWN 12u
#define EDGES_SHOWN  8u
#define GROUPS_SHOWN 40u
#define TASKS_SHOWN  8u

#define FACT_INDENT   12
#define DETAIL_INDENT 5
#define STACK_INDENT  13

struct text_writer {
	const struct report *report;
	const struct trace_facts *facts;
	FILE *out;
	struct place places[FRAMES_SHOWN];
};

/* --- what was recorded --------------------------------------------------------------------------
 */

static void write_command(struct text_writer *writer)
{
	const char *command = writer->facts->command;

	text_paragraph(writer->out, FACT_INDENT, "program", "%s", command ? command : "unknown");
}

static void write_recorded(struct text_writer *writer)
{
	const struct trace_facts *facts = writer->facts;
	time_t seconds = (time_t)(facts->start_unix_ns / 1000000000u);
	char when[64] = "at an unknown time";
	char pid[32] = "";
	struct tm utc;

	if (facts->has_start && gmtime_r(&seconds, &utc))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &utc);
	if (facts->has_pid)
		snprintf(pid, sizeof(pid), ", pid %" PRIu64, facts->pid);
	if (facts->format)
		text_paragraph(writer->out, FACT_INDENT, "imported", "from a %s", facts->format);
	text_paragraph(writer->out, FACT_INDENT, "recorded", "%s on %s (%s)%s, by %s", when,
			facts->host ? facts->host : "an unknown host",
			facts->system ? facts->system : "unknown system", pid,
			facts->backend ? facts->backend : "an unknown backend");
}

static void write_watched(struct text_writer *writer)
{
	const struct analysis *analysis = writer->report->analysis;
	char duration[DURATION_TEXT_MAX];
	char peak[DURATION_TEXT_MAX];

	text_paragraph(writer->out, FACT_INDENT, "watched",
			"%s, %s of %s (%" PRIu64 " created, %" PRIu64 " ended, %" PRIu64
			" left; at most %" PRIu64 " at once, at %s)",
			duration_format(duration, analysis->duration_ns),
			name_count(trace_reader_info(writer->report->reader)->events, "event",
					"events")
					.text,
			name_count(analysis->tasks_seen, "task", "tasks").text, analysis->created,
			analysis->exited, analysis->alive_at_end, analysis->peak_alive,
			time_point_format(peak, analysis->peak_alive_at_ns));
}

static void write_end(struct text_writer *writer)
{
	const struct process_info *process = writer->facts->process;
	const char *signal_name;

	if (!process)
		return;
	switch (process->end) {
	case PROCESS_EXITED:
		text_paragraph(writer->out, FACT_INDENT, "ended", "by itself, status %" PRIu32,
				process->end_value);
		break;
	case PROCESS_KILLED:
		signal_name = sigabbrev_np((int)process->end_value);
		text_paragraph(writer->out, FACT_INDENT, "ended",
				"killed by signal %" PRIu32 " (%s)", process->end_value,
				signal_name ? signal_name : "unknown");
		break;
	case PROCESS_REPLACED:
		text_paragraph(writer->out, FACT_INDENT, "ended", "became another program");
		break;
	default:
		text_paragraph(writer->out, FACT_INDENT, "ended",
				"still running when the recording ended");
		break;
	}
}

static void write_lost(struct text_writer *writer)
{
	const struct trace_info *info = trace_reader_info(writer->report->reader);

	if (writer->report->analysis->lost_total == 0) {
		text_paragraph(writer->out, FACT_INDENT, "lost", "no events");
		return;
	}
	for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT; cause++)
		if (info->lost[cause] > 0)
			text_paragraph(writer->out, FACT_INDENT, "lost", "%s: %s",
					name_count(info->lost[cause], "event", "events").text,
					loss_cause_name(cause));
	if (info->lost_unknown > 0)
		text_paragraph(writer->out, FACT_INDENT, "lost",
				"%s: for a cause that this version does not know",
				name_count(info->lost_unknown, "event", "events").text);
}

static void write_facts(struct text_writer *writer)
{
	char *file = trace_facts_clean(writer->report->file);

	text_paragraph(writer->out, FACT_INDENT, "trace", "%s", file ? file : "");
	free(file);
	write_command(writer);
	write_recorded(writer);
	write_watched(writer);
	write_end(writer);
	write_lost(writer);
	for (uint32_t i = 0; i < writer->facts->warning_count; i++)
		text_paragraph(writer->out, FACT_INDENT, "warning", "%s",
				writer->facts->warnings[i]);
}

/* --- findings
 * ------------------------------------------------------------------------------------- */

static void write_place(struct text_writer *writer, uint32_t number, const struct place *place)
{
	char first[32];

	snprintf(first, sizeof(first), "%*s#%" PRIu32, STACK_INDENT - 6, "", number);
	if (place->file[0])
		text_paragraph(writer->out, STACK_INDENT, first, "%s (%s:%" PRIu32 ")",
				place->function, place->file, place->line);
	else if (place->module[0])
		text_paragraph(writer->out, STACK_INDENT, first, "%s (in %s)", place->function,
				place->module);
	else
		text_paragraph(writer->out, STACK_INDENT, first, "%s", place->function);
}

static void write_stack(struct text_writer *writer, uint32_t stack)
{
	uint32_t count = stack_places(writer->report->reader, stack, writer->places, FRAMES_SHOWN);

	for (uint32_t i = 0; i < count; i++)
		write_place(writer, i, &writer->places[i]);
	if (count == 0)
		text_paragraph(writer->out, STACK_INDENT, "", "(no stack was recorded)");
}

/* "mutex 0x55d0, held by T3 auditor", "the end of T3 auditor". */
static void describe_target(const struct text_writer *writer, const struct cycle_edge *edge,
		char *text, size_t capacity)
{
	const struct trace_reader *reader = writer->report->reader;
	char held_by[TASK_NAME_MAX + 16];
	char object[96];

	task_format(reader, edge->held_by, held_by, sizeof(held_by));
	object_format(edge->wait.object_kind, edge->wait.object, object, sizeof(object));
	if (edge->wait.object_kind == OBJECT_TASK)
		snprintf(text, capacity, "the end of %s", held_by);
	else
		snprintf(text, capacity, "%s, held by %s", object, held_by);
}

/* "holds mutex 0x10 and ": what the task before in the cycle waits for, unless that is its end. */
static void describe_held(const struct finding *finding, uint32_t i, char *text, size_t capacity)
{
	uint32_t before = i > 0 ? i - 1 : finding->cycle_count - 1;
	const struct wait *wait = &finding->cycle[before].wait;
	char object[96];

	text[0] = '\0';
	if (wait->object_kind != OBJECT_TASK)
		snprintf(text, capacity, "holds %s and ",
				object_format(wait->object_kind, wait->object, object,
						sizeof(object)));
}

static void write_edge(struct text_writer *writer, const struct finding *finding, uint32_t i)
{
	const struct cycle_edge *edge = &finding->cycle[i];
	char task[TASK_NAME_MAX + 16];
	char target[TASK_NAME_MAX + 128];
	char held[128];
	char since[DURATION_TEXT_MAX];

	describe_target(writer, edge, target, sizeof(target));
	describe_held(finding, i, held, sizeof(held));
	text_paragraph(writer->out, DETAIL_INDENT, "", "%s %swaits since %s for %s:",
			task_format(writer->report->reader, edge->task, task, sizeof(task)), held,
			time_point_format(since, edge->wait.since_ns), target);
	write_stack(writer, edge->wait.stack);
}

static void write_edges(struct text_writer *writer, const struct finding *finding)
{
	for (uint32_t i = 0; i < finding->cycle_count && i < EDGES_SHOWN; i++)
		write_edge(writer, finding, i);
	if (finding->cycle_count > EDGES_SHOWN)
		text_paragraph(writer->out, DETAIL_INDENT, "", "and %" PRIu32 " more in the cycle",
				finding->cycle_count - EDGES_SHOWN);
}

static void write_wakers(struct text_writer *writer, const struct finding *finding)
{
	static const char *const states[] = {
		[TASK_STATE_ABSENT] = "not seen",
		[TASK_STATE_ACTIVE] = "active",
		[TASK_STATE_BLOCKED] = "blocked itself",
		[TASK_STATE_EXITED] = "exited",
	};
	char task[TASK_NAME_MAX + 16];
	char last[DURATION_TEXT_MAX];

	for (uint32_t i = 0; i < finding->waker_count; i++) {
		const struct expected_waker *waker = &finding->wakers[i];

		text_paragraph(writer->out, DETAIL_INDENT, "",
				"expected waker: %s woke waiters here %" PRIu32
				" times, last at %s; now %s",
				task_format(writer->report->reader, waker->task, task,
						sizeof(task)),
				waker->wakes, time_point_format(last, waker->last_ns),
				states[waker->state]);
	}
}

static void write_members(struct text_writer *writer, const uint32_t *tasks, uint32_t count)
{
	char *line = NULL;
	size_t size = 0;
	FILE *text = open_memstream(&line, &size);
	char name[TASK_NAME_MAX + 16];

	if (!text)
		return;
	for (uint32_t i = 0; i < count && i < TASKS_SHOWN; i++)
		fprintf(text, "%s%s", i ? ", " : "",
				task_format(writer->report->reader, tasks[i], name, sizeof(name)));
	if (count > TASKS_SHOWN)
		fprintf(text, " and %" PRIu32 " more", count - TASKS_SHOWN);
	if (fclose(text) == 0)
		text_paragraph(writer->out, DETAIL_INDENT, "", "tasks: %s", line);
	free(line);
}

static void write_span(struct text_writer *writer, const struct finding *finding)
{
	uint64_t end_ns = finding->until_ns;
	char since[DURATION_TEXT_MAX];
	char until[DURATION_TEXT_MAX];
	char length[DURATION_TEXT_MAX];

	if (end_ns == UINT64_MAX)
		end_ns = writer->report->analysis->duration_ns;
	text_paragraph(writer->out, DETAIL_INDENT, "", "from %s to %s%s, %s",
			time_point_format(since, finding->since_ns),
			time_point_format(until, end_ns),
			finding->until_ns == UINT64_MAX ? " (the end)" : "",
			duration_format(length, end_ns > finding->since_ns
								? end_ns - finding->since_ns
								: 0));
}

static void write_why(struct text_writer *writer, const struct finding *finding)
{
	char first[16];

	snprintf(first, sizeof(first), "%*s-", DETAIL_INDENT, "");
	for (uint32_t i = 0; i < finding->why_count; i++)
		text_paragraph(writer->out, DETAIL_INDENT + 2, first, "%s", finding->why[i]);
}

static void write_evidence(struct text_writer *writer, const struct finding *finding)
{
	char reason[REASON_TEXT_MAX];

	write_edges(writer, finding);
	if (finding->cycle_count == 0 && finding->wait.reason != REASON_NONE) {
		text_paragraph(writer->out, DETAIL_INDENT, "", "%s at:",
				reason_text(writer->report->reader, finding->wait.reason, reason));
		write_stack(writer, finding->wait.stack);
	}
	write_wakers(writer, finding);
	if (finding->creation_stack != STACK_NONE) {
		text_paragraph(writer->out, DETAIL_INDENT, "", "%s created at:",
				finding->task_count > 1 ? "the first of them was" : "it was");
		write_stack(writer, finding->creation_stack);
	}
}

static void write_finding(
		struct text_writer *writer, uint32_t number, const struct finding *finding)
{
	char first[48];

	fputc('\n', writer->out);
	snprintf(first, sizeof(first), "%3" PRIu32 ". %s: ", number,
			finding_kind_name(finding->kind));
	text_paragraph(writer->out, DETAIL_INDENT, first, "%s", finding->summary);
	write_span(writer, finding);
	if (finding->task_count > 1)
		write_members(writer, finding->tasks, finding->task_count);
	write_why(writer, finding);
	write_evidence(writer, finding);
}

/* "1 deadlock, 2 stuck"; that nothing is stuck comes first when it is so. */
static void write_verdict(struct text_writer *writer)
{
	const struct analysis *analysis = writer->report->analysis;
	uint32_t counts[FINDING_KIND_COUNT] = { 0 };
	const char *between = "";

	for (uint32_t i = 0; i < analysis->finding_count; i++)
		counts[analysis->findings[i].kind]++;
	fputs("\nFINDINGS: ", writer->out);
	if (counts[FINDING_DEADLOCK] + counts[FINDING_STUCK] == 0) {
		if (analysis->unjudged > 0)
			fprintf(writer->out, "nothing seen to be stuck, but %s cannot be judged",
					name_count(analysis->unjudged, "task", "tasks").text);
		else
			fputs("nothing stuck", writer->out);
		between = "; ";
	}
	for (unsigned kind = 0; kind < FINDING_KIND_COUNT; kind++) {
		if (counts[kind] == 0)
			continue;
		fprintf(writer->out, "%s%" PRIu32 " %s", between, counts[kind],
				finding_kind_name((enum finding_kind)kind));
		between = ", ";
	}
	fputc('\n', writer->out);
}

static void write_findings(struct text_writer *writer)
{
	const struct analysis *analysis = writer->report->analysis;

	write_verdict(writer);
	for (uint32_t i = 0; i < analysis->finding_count; i++)
		write_finding(writer, i + 1, &analysis->findings[i]);
}

/* --- totals and groups
 * ------------------------------------------------------------------------------ */

static void write_blocked(struct text_writer *writer)
{
	const struct analysis *analysis = writer->report->analysis;
	char reason[REASON_TEXT_MAX];
	char total[DURATION_TEXT_MAX];
	char longest[DURATION_TEXT_MAX];

	text_heading(writer->out, "BLOCKED TIME, summed over all tasks");
	if (analysis->blocked_count == 0)
		fputs("  no task was blocked\n", writer->out);
	else
		fprintf(writer->out, "  %-26s %10s %13s %13s %9s\n", "reason", "waits", "total",
				"longest", "at end");
	for (uint32_t i = 0; i < analysis->blocked_count; i++) {
		const struct blocked_total *row = &analysis->blocked[i];

		fprintf(writer->out, "  %-26.26s %10" PRIu64 " %13s %13s %9" PRIu64 "\n",
				reason_text(writer->report->reader, row->reason, reason),
				row->blocks, duration_format(total, row->total_ns),
				duration_format(longest, row->max_ns), row->still_blocked);
	}
}

static void write_group(struct text_writer *writer, const struct wait_group *group)
{
	char reason[REASON_TEXT_MAX];
	char site[520];
	char first[32];

	site_format(writer->report->reader, group->stack, site, sizeof(site));
	snprintf(first, sizeof(first), "%5" PRIu32, group->task_count);
	text_paragraph(writer->out, 7, first, "%s%s%s",
			reason_text(writer->report->reader, group->reason, reason),
			site[0] ? " in " : "", site);
	if (group->why)
		text_paragraph(writer->out, 9, "", "%s", group->why);
}

static void write_parked(struct text_writer *writer)
{
	const struct analysis *analysis = writer->report->analysis;
	uint64_t tasks = 0;

	for (uint32_t i = 0; i < analysis->parked_count; i++)
		tasks += analysis->parked[i].task_count;
	text_heading(writer->out, "PARKED ON PURPOSE: %" PRIu64 " task%s in %" PRIu32 " group%s",
			tasks, tasks == 1 ? "" : "s", analysis->parked_count,
			analysis->parked_count == 1 ? "" : "s");
	for (uint32_t i = 0; i < analysis->parked_count && i < GROUPS_SHOWN; i++)
		write_group(writer, &analysis->parked[i]);
	if (analysis->parked_count > GROUPS_SHOWN)
		fprintf(writer->out, "       and %s, see --json\n",
				name_count(analysis->parked_count - GROUPS_SHOWN, "smaller group",
						"smaller groups")
						.text);
}

static void write_where_to_go(struct text_writer *writer)
{
	text_heading(writer->out, "TO SEE MORE");
	fputs("  loiter FILE                 timeline, flame and tasks in the terminal\n"
	      "  loiter report --json FILE   all of this for programs\n",
			writer->out);
}

static enum lo_result check_output(FILE *out, struct lo_error *err)
{
	if (ferror(out))
		return lo_fail(err, LO_IO, LO_NO_OFFSET, "cannot write the report");
	return LO_OK;
}

enum lo_result report_write_text(const struct report *report, FILE *out, struct lo_error *err)
{
	struct trace_facts facts;
	struct text_writer writer = { .report = report, .facts = &facts, .out = out };
	enum lo_result result = trace_facts_init(&facts, report->reader, err);

	if (result != LO_OK)
		return result;
	write_facts(&writer);
	write_findings(&writer);
	write_blocked(&writer);
	write_parked(&writer);
	write_where_to_go(&writer);
	trace_facts_release(&facts);
	return check_output(out, err);
}
