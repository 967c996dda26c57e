#include "viewer/report/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/limits.h"
#include "formats/base/printable.h"
#include "formats/model/event_schema.h"
#include "formats/model/loss.h"
#include "formats/model/object.h"
#include "viewer/analysis/site.h"
#include "viewer/report/report_names.h"
#include "viewer/report/trace_facts.h"

/*
 * The document of the report contract, schema version 1. Members may be added; none is renamed,
 * removed or changed in meaning. jansson keeps the order in which members are set. Setters take
 * their value over and fail on NULL, so a failed allocation anywhere shows as `false` at the end.
 */
#define SCHEMA_VERSION   1
#define TASK_IDS_SHOWN   100u
#define TASK_NAMES_SHOWN 20u

struct json_writer {
	const struct report *report;
	struct place *places; /* of the stack at hand */
	uint32_t place_capacity;
	bool failed;
};

static void set(struct json_writer *writer, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		writer->failed = true;
}

static void append(struct json_writer *writer, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		writer->failed = true;
}

/* JSON integers of most readers are signed. */
static json_t *number(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *number_or_null(bool known, uint64_t value)
{
	return known ? number(value) : json_null();
}

/* Texts are clean already; "" and NULL stand for what is not known. */
static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static json_t *text_list(struct json_writer *writer, char *const *texts, uint32_t count)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < count; i++)
		append(writer, list, json_string(texts[i]));
	return list;
}

/* --- trace ------------------------------------------------------------------------------------ */

static json_t *lost(struct json_writer *writer)
{
	const struct trace_info *info = trace_reader_info(writer->report->reader);
	json_t *by_cause = json_object();
	json_t *out = json_object();

	for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT; cause++)
		if (info->lost[cause] > 0)
			set(writer, by_cause, loss_cause_name(cause), number(info->lost[cause]));
	if (info->lost_unknown > 0)
		set(writer, by_cause, "unknown cause", number(info->lost_unknown));
	set(writer, out, "total", number(writer->report->analysis->lost_total));
	set(writer, out, "by_cause", by_cause);
	return out;
}

static json_t *trace(struct json_writer *writer, const struct trace_facts *facts)
{
	const struct report *report = writer->report;
	const struct trace_info *info = trace_reader_info(report->reader);
	char *file = trace_facts_clean(report->file);
	json_t *out = json_object();

	set(writer, out, "file", json_string(file));
	free(file);
	set(writer, out, "format", json_string(facts->format ? facts->format : "loiter"));
	set(writer, out, "backend", text_or_null(facts->backend));
	set(writer, out, "program", text_or_null(facts->program));
	set(writer, out, "arguments", text_list(writer, facts->arguments, facts->argument_count));
	set(writer, out, "pid", number_or_null(facts->has_pid, facts->pid));
	set(writer, out, "host", text_or_null(facts->host));
	set(writer, out, "start_unix_ns", number_or_null(facts->has_start, facts->start_unix_ns));
	set(writer, out, "duration_ns", number(report->analysis->duration_ns));
	set(writer, out, "events", number(info->events));
	set(writer, out, "lost", lost(writer));
	set(writer, out, "truncated", json_boolean(facts->truncated));
	set(writer, out, "warnings", text_list(writer, facts->warnings, facts->warning_count));
	return out;
}

static json_t *tasks(struct json_writer *writer)
{
	const struct analysis *analysis = writer->report->analysis;
	json_t *out = json_object();

	set(writer, out, "seen", number(analysis->tasks_seen));
	set(writer, out, "existing_at_start", number(analysis->existing_at_start));
	set(writer, out, "created", number(analysis->created));
	set(writer, out, "exited", number(analysis->exited));
	set(writer, out, "alive_at_end", number(analysis->alive_at_end));
	set(writer, out, "peak_alive", number(analysis->peak_alive));
	set(writer, out, "peak_alive_at_ns", number(analysis->peak_alive_at_ns));
	set(writer, out, "max_created_in_10ms", number(analysis->max_created_in_10ms));
	return out;
}

static json_t *events(struct json_writer *writer)
{
	json_t *out = json_object();

	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++)
		set(writer, out, event_schemas[kind].name,
				number(writer->report->analysis->events[kind]));
	return out;
}

static json_t *reason(struct json_writer *writer, uint8_t reason_id)
{
	char text[REASON_TEXT_MAX];

	return json_string(reason_text(writer->report->reader, reason_id, text));
}

static json_t *blocked(struct json_writer *writer)
{
	const struct analysis *analysis = writer->report->analysis;
	json_t *list = json_array();

	for (uint32_t i = 0; i < analysis->blocked_count; i++) {
		const struct blocked_total *total = &analysis->blocked[i];
		json_t *row = json_object();

		set(writer, row, "reason", reason(writer, total->reason));
		set(writer, row, "blocks", number(total->blocks));
		set(writer, row, "total_ns", number(total->total_ns));
		set(writer, row, "max_ns", number(total->max_ns));
		set(writer, row, "still_blocked", number(total->still_blocked));
		append(writer, list, row);
	}
	return list;
}

/* --- what findings and groups share ------------------------------------------------------------
 */

static json_t *stack(struct json_writer *writer, uint32_t stack_id)
{
	uint32_t count = stack_places(
			writer->report->reader, stack_id, writer->places, writer->place_capacity);
	json_t *list = json_array();

	for (uint32_t i = 0; i < count; i++) {
		const struct place *place = &writer->places[i];
		json_t *frame = json_object();

		set(writer, frame, "function", json_string(place->function));
		set(writer, frame, "file", text_or_null(place->file));
		set(writer, frame, "line", number_or_null(place->line > 0, place->line));
		set(writer, frame, "module", text_or_null(place->module));
		append(writer, list, frame);
	}
	return list;
}

static json_t *user_function(struct json_writer *writer, uint32_t stack_id)
{
	struct place place;

	stack_user_place(writer->report->reader, stack_id, &place);
	return text_or_null(place.function);
}

static json_t *task_name(struct json_writer *writer, uint32_t task)
{
	char name[TASK_NAME_MAX];

	return text_or_null(task_name_text(writer->report->reader, task, name));
}

static bool has_text(const json_t *list, const char *text)
{
	size_t i;
	json_t *item;

	json_array_foreach(
			list, i, item) if (strcmp(json_string_value(item), text) == 0) return true;
	return false;
}

static json_t *distinct_names(struct json_writer *writer, const uint32_t *ids, uint32_t count)
{
	json_t *list = json_array();
	char name[TASK_NAME_MAX];

	for (uint32_t i = 0; i < count && json_array_size(list) < TASK_NAMES_SHOWN; i++) {
		task_name_text(writer->report->reader, ids[i], name);
		if (name[0] && !has_text(list, name))
			append(writer, list, json_string(name));
	}
	return list;
}

static void set_tasks(struct json_writer *writer, json_t *out, const uint32_t *ids, uint32_t count)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < count && i < TASK_IDS_SHOWN; i++)
		append(writer, list, number(ids[i]));
	set(writer, out, "tasks", number(count));
	set(writer, out, "task_ids", list);
	set(writer, out, "task_names", distinct_names(writer, ids, count));
}

static json_t *object(struct json_writer *writer, const struct wait *wait)
{
	char address[24];
	json_t *out = json_object();
	bool known = wait->object_kind < OBJECT_KIND_COUNT;

	snprintf(address, sizeof(address), "0x%" PRIx64, wait->object);
	set(writer, out, "kind",
			json_string(known ? object_infos[wait->object_kind].name : "unknown"));
	set(writer, out, "address", json_string(address));
	set(writer, out, "holder",
			number_or_null(wait_has_holder(writer->report->reader, wait),
					wait->holder));
	return out;
}

static void set_place(struct json_writer *writer, json_t *out, uint32_t stack_id)
{
	set(writer, out, "where", user_function(writer, stack_id));
	set(writer, out, "stack", stack(writer, stack_id));
}

static void set_creation(struct json_writer *writer, json_t *out, uint32_t stack_id)
{
	set(writer, out, "created_by", user_function(writer, stack_id));
	set(writer, out, "creation_stack", stack(writer, stack_id));
}

/* --- findings -----------------------------------------------------------------------------------
 */

static const char *const state_names[] = {
	[TASK_STATE_ABSENT] = "unknown",
	[TASK_STATE_ACTIVE] = "active",
	[TASK_STATE_BLOCKED] = "blocked",
	[TASK_STATE_EXITED] = "exited",
};

static json_t *wakers(struct json_writer *writer, const struct finding *finding)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < finding->waker_count; i++) {
		const struct expected_waker *waker = &finding->wakers[i];
		json_t *row = json_object();

		set(writer, row, "task", number(waker->task));
		set(writer, row, "name", task_name(writer, waker->task));
		set(writer, row, "wakes", number(waker->wakes));
		set(writer, row, "last_ns", number(waker->last_ns));
		set(writer, row, "state", json_string(state_names[waker->state]));
		append(writer, list, row);
	}
	return list;
}

static json_t *cycle(struct json_writer *writer, const struct finding *finding)
{
	json_t *list = json_array();
	char waits_for[96];

	for (uint32_t i = 0; i < finding->cycle_count; i++) {
		const struct cycle_edge *edge = &finding->cycle[i];
		json_t *row = json_object();

		object_format(edge->wait.object_kind, edge->wait.object, waits_for,
				sizeof(waits_for));
		set(writer, row, "task", number(edge->task));
		set(writer, row, "name", task_name(writer, edge->task));
		set(writer, row, "waits_for", json_string(waits_for));
		set(writer, row, "held_by", number(edge->held_by));
		set_place(writer, row, edge->wait.stack);
		append(writer, list, row);
	}
	return list;
}

static void set_wait(struct json_writer *writer, json_t *out, const struct finding *finding)
{
	set(writer, out, "reason", reason(writer, finding->wait.reason));
	if (finding->wait.object_kind != OBJECT_NONE)
		set(writer, out, "object", object(writer, &finding->wait));
	set_place(writer, out, finding->wait.stack);
}

static void set_burst(struct json_writer *writer, json_t *out, const struct finding *finding)
{
	set(writer, out, "created", number(finding->burst.created));
	set(writer, out, "peak_rate_per_s",
			number((uint64_t)(finding->burst.peak_rate_per_s + 0.5)));
	set(writer, out, "peak_alive", number(finding->burst.peak_alive));
}

static void set_convoy(struct json_writer *writer, json_t *out, const struct finding *finding)
{
	set(writer, out, "share_of_blocked", json_real(finding->convoy.share_of_blocked));
	set(writer, out, "waiters_peak", number(finding->convoy.waiters_peak));
}

static json_t *finding(struct json_writer *writer, const struct finding *item)
{
	json_t *out = json_object();

	set(writer, out, "kind", json_string(finding_kind_name(item->kind)));
	set(writer, out, "severity", number(item->severity));
	set(writer, out, "summary", json_string(item->summary));
	set(writer, out, "why", text_list(writer, item->why, item->why_count));
	if (item->task_count > 0)
		set_tasks(writer, out, item->tasks, item->task_count);
	set(writer, out, "since_ns", number(item->since_ns));
	set(writer, out, "until_ns", number_or_null(item->until_ns != UINT64_MAX, item->until_ns));
	if (item->wait.reason != REASON_NONE)
		set_wait(writer, out, item);
	if (item->kind != FINDING_LOSS && item->kind != FINDING_CONVOY)
		set_creation(writer, out, item->creation_stack);
	if (item->kind == FINDING_STUCK)
		set(writer, out, "expected_wakers", wakers(writer, item));
	if (item->kind == FINDING_DEADLOCK)
		set(writer, out, "cycle", cycle(writer, item));
	if (item->kind == FINDING_BURST)
		set_burst(writer, out, item);
	if (item->kind == FINDING_CONVOY)
		set_convoy(writer, out, item);
	return out;
}

static json_t *findings(struct json_writer *writer)
{
	const struct analysis *analysis = writer->report->analysis;
	json_t *list = json_array();

	for (uint32_t i = 0; i < analysis->finding_count; i++)
		append(writer, list, finding(writer, &analysis->findings[i]));
	return list;
}

static json_t *group(struct json_writer *writer, const struct wait_group *item)
{
	json_t *out = json_object();

	set_tasks(writer, out, item->tasks, item->task_count);
	set(writer, out, "since_ns", number(item->since_ns));
	set(writer, out, "reason", reason(writer, item->reason));
	set_place(writer, out, item->stack);
	set_creation(writer, out, item->creation_stack);
	set(writer, out, "why", text_list(writer, &item->why, 1));
	return out;
}

static json_t *parked(struct json_writer *writer)
{
	const struct analysis *analysis = writer->report->analysis;
	json_t *list = json_array();

	for (uint32_t i = 0; i < analysis->parked_count; i++)
		append(writer, list, group(writer, &analysis->parked[i]));
	return list;
}

static json_t *document(struct json_writer *writer, const struct trace_facts *facts)
{
	json_t *out = json_object();

	set(writer, out, "schema", number(SCHEMA_VERSION));
	set(writer, out, "trace", trace(writer, facts));
	set(writer, out, "tasks", tasks(writer));
	set(writer, out, "events", events(writer));
	set(writer, out, "blocked", blocked(writer));
	set(writer, out, "findings", findings(writer));
	set(writer, out, "parked", parked(writer));
	return out;
}

static enum lo_result write_document(struct json_writer *writer, const struct trace_facts *facts,
		FILE *out, struct lo_error *err)
{
	enum lo_result result = LO_OK;
	json_t *root;

	writer->place_capacity = LIMIT_STACK_DEPTH;
	writer->places = calloc(writer->place_capacity, sizeof(*writer->places));
	if (!writer->places)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the report");
	root = document(writer, facts);
	if (!root || writer->failed)
		result = lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the report");
	else if (json_dumpf(root, out, JSON_INDENT(2)) != 0 || fputc('\n', out) == EOF)
		result = lo_fail(err, LO_IO, LO_NO_OFFSET, "cannot write the report");
	json_decref(root);
	free(writer->places);
	return result;
}

enum lo_result report_write_json(const struct report *report, FILE *out, struct lo_error *err)
{
	struct json_writer writer = { .report = report };
	struct trace_facts facts;
	enum lo_result result = trace_facts_init(&facts, report->reader, err);

	if (result == LO_OK)
		result = write_document(&writer, &facts, out, err);
	trace_facts_release(&facts);
	return result;
}
