#include "viewer/cli/info_json.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "formats/model/meta.h"
#include "formats/native/trace_counters.h"
#include "viewer/cli/exit_codes.h"
#include "viewer/cli/info_sums.h"
#include "viewer/report/trace_facts.h"

#define INFO_SCHEMA 1

static json_t *text(const char *bytes)
{
	char *clean = trace_facts_clean(bytes);
	json_t *json = clean ? json_string(clean) : NULL;

	free(clean);
	return json;
}

/* JSON of others knows signed numbers only. */
static json_t *number(uint64_t value)
{
	return json_integer(value <= INT64_MAX ? (json_int_t)value : INT64_MAX);
}

static json_t *losses(const struct trace_info *info)
{
	json_t *by_cause = json_object();

	for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT; cause++)
		if (info->lost[cause] > 0)
			json_object_set_new(by_cause, loss_cause_name(cause),
					number(info->lost[cause]));
	if (info->lost_unknown > 0)
		json_object_set_new(by_cause, "unknown", number(info->lost_unknown));
	return json_pack("{s:o, s:o}", "total", number(sum_losses(info)), "by_cause", by_cause);
}

/* Keys that are lists by their nature stay lists when they have one value, or readers would have
 * to know both forms. */
static bool is_list(const char *key)
{
	return strcmp(key, META_ARGUMENT) == 0 || strcmp(key, META_WARNING) == 0;
}

static void add_meta(json_t *meta, const char *key, const char *value)
{
	json_t *name = text(key);
	json_t *old = json_object_get(meta, json_string_value(name));

	if (!old && !is_list(key)) {
		json_object_set_new(meta, json_string_value(name), text(value));
	} else if (json_is_array(old)) {
		json_array_append_new(old, text(value));
	} else {
		json_t *list = json_array();

		if (old)
			json_array_append(list, old);
		json_array_append_new(list, text(value));
		json_object_set_new(meta, json_string_value(name), list);
	}
	json_decref(name);
}

static json_t *meta_object(const struct trace_reader *reader)
{
	json_t *meta = json_object();
	const char *key;
	const char *value;

	for (uint32_t i = 0; trace_reader_meta_at(reader, i, &key, &value); i++)
		add_meta(meta, key, value);
	return meta;
}

static json_t *sections(const struct trace_reader *reader)
{
	struct section_sum sums[SECTION_SUMS_MAX];
	unsigned count = sum_sections(reader, sums);
	json_t *list = json_array();

	for (unsigned i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:o}", "name", sums[i].name,
							    "bytes", number(sums[i].bytes), "count",
							    number(sums[i].count), "rows",
							    number(sums[i].rows)));
	return list;
}

static json_t *counters(struct trace_reader *reader)
{
	const struct trace_counter *counter;
	json_t *list = json_array();

	for (uint32_t i = 0; (counter = trace_counter_get(reader, i)); i++) {
		const struct counter_cell *total = &counter->total;

		json_array_append_new(list,
				json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
						text(counter->name), "unit", text(counter->unit),
						"samples", number(total->samples), "first",
						number(total->first), "last", number(total->last),
						"min", number(total->least), "max",
						number(total->greatest)));
	}
	return list;
}

static json_t *notes(struct trace_reader *reader)
{
	json_t *list = json_array();
	struct note_sum sum;

	for (unsigned kind = 0; sum_notes(reader, kind, &sum); kind++)
		if (sum.total.count > 0)
			json_array_append_new(list,
					json_pack("{s:o, s:o, s:o}", "kind", text(sum.name),
							"count", number(sum.total.count),
							"total_ns", number(sum.total.total_ns)));
	return list;
}

static json_t *warnings(struct trace_reader *reader)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < trace_reader_warning_count(reader); i++)
		json_array_append_new(list, text(trace_reader_warning(reader, i)));
	return list;
}

static json_t *damages(struct trace_reader *reader)
{
	json_t *list = json_array();
	struct trace_damage damage;

	for (uint32_t i = 0; trace_reader_damage(reader, i, &damage); i++)
		json_array_append_new(list,
				json_pack("{s:o, s:o, s:o, s:o}", "offset", number(damage.offset),
						"bytes",
						damage.bytes ? number(damage.bytes) : json_null(),
						"events",
						damage.rows ? number(damage.rows) : json_null(),
						"what", text(damage.what)));
	return list;
}

int print_info_json(FILE *out, const char *program, struct trace_reader *reader)
{
	const struct trace_info *info = trace_reader_info(reader);
	uint32_t stacks = stack_table_stack_count(trace_reader_stacks(reader));
	const char *format = trace_reader_meta(reader, META_SOURCE_FORMAT, 0);
	json_t *document = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "schema",
			INFO_SCHEMA, "format", text(format ? format : "loiter"), "version",
			number(info->version), "file_bytes", number(info->file_bytes), "events",
			number(info->events), "blocks", number(info->blocks), "tasks",
			number(info->tasks), "stacks", number(stacks), "duration_ns",
			number(info->duration_ns));
	int failed = json_object_set_new(document, "index", text(index_state_name(info->index))) |
		     json_object_set_new(document, "truncated", json_boolean(info->truncated)) |
		     json_object_set_new(document, "lost", losses(info)) |
		     json_object_set_new(document, "meta", meta_object(reader)) |
		     json_object_set_new(document, "sections", sections(reader)) |
		     json_object_set_new(document, "counters", counters(reader)) |
		     json_object_set_new(document, "notes", notes(reader)) |
		     json_object_set_new(document, "warnings", warnings(reader)) |
		     json_object_set_new(document, "damage", damages(reader));

	if (!failed)
		failed = json_dumpf(document, out, JSON_INDENT(2)) | (fputc('\n', out) == EOF);
	json_decref(document);
	if (failed)
		fprintf(stderr, "%s: cannot write the JSON document\n", program);
	return failed ? LOITER_EXIT_FAILURE : LOITER_EXIT_OK;
}
