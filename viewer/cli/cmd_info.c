#include <argp.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "formats/base/duration.h"
#include "formats/base/printable.h"
#include "formats/base/shell_word.h"
#include "formats/model/counter.h"
#include "formats/model/meta.h"
#include "formats/native/trace_counters.h"
#include "viewer/cli/command.h"
#include "viewer/cli/exit_codes.h"
#include "viewer/cli/info_json.h"
#include "viewer/cli/open_trace.h"
#include "viewer/cli/info_sums.h"

#define VALUE_MAX 400u /* of a text of the trace: longer ones are cut with "..." */
/* Fewer events say nothing about what one costs: the tables outweigh them. */
#define ENOUGH_FOR_RATE 10000u

struct arguments {
	const char *file;
	bool json;
	struct open_choices open;
};

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "Write one JSON document, for other programs", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->open;
		return 0;
	case 'j':
		arguments->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->file)
			argp_error(state, "one FILE at a time, please");
		arguments->file = text;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which FILE?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Cleans and shortens a text of the trace. */
static const char *clean(char out[VALUE_MAX], const char *text)
{
	size_t length = printable_copy(out, VALUE_MAX - 3, text, strlen(text), 0);

	if (length + 8 > VALUE_MAX - 3)
		memcpy(out + length, "...", 4);
	return out;
}

static void print_row(const char *name, const char *text)
{
	char value[VALUE_MAX];

	printf("  %-11s %s\n", name, clean(value, text));
}

/* "shop --port 80": as one would type it, cut when it is very long. */
static void print_command(const struct trace_reader *reader)
{
	const char *text = trace_reader_meta(reader, META_PROGRAM, 0);
	char line[4096];
	size_t used;

	if (!text)
		return;
	used = shell_word(line, sizeof(line), text, strlen(text));
	for (uint32_t i = 0; used + 1 < sizeof(line) &&
			     (text = trace_reader_meta(reader, META_ARGUMENT, i));
			i++) {
		line[used++] = ' ';
		used += shell_word(line + used, sizeof(line) - used, text, strlen(text));
	}
	print_row("program", line);
}

static void print_start(const struct trace_reader *reader)
{
	const char *text = trace_reader_meta(reader, META_START_UNIX_NS, 0);
	char formatted[64];
	struct tm local;
	time_t seconds;

	if (!text)
		return;
	seconds = (time_t)(strtoull(text, NULL, 10) / 1000000000u);
	if (localtime_r(&seconds, &local) &&
			strftime(formatted, sizeof(formatted), "%Y-%m-%d %H:%M:%S %z", &local))
		print_row("recorded", formatted);
}

/* Keys that the lines above have not told. */
static void print_other_meta(const struct trace_reader *reader)
{
	static const char *const told[] = { META_PROGRAM, META_ARGUMENT, META_START_UNIX_NS };
	char name[VALUE_MAX];
	const char *key;
	const char *value;

	for (uint32_t i = 0; trace_reader_meta_at(reader, i, &key, &value); i++) {
		bool is_told = false;

		for (size_t k = 0; k < sizeof(told) / sizeof(told[0]); k++)
			is_told = is_told || strcmp(key, told[k]) == 0;
		if (!is_told)
			print_row(clean(name, key), value);
	}
}

static void print_losses(const struct trace_info *info)
{
	printf("  %-11s %" PRIu64, "lost", sum_losses(info));
	for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT; cause++)
		if (info->lost[cause] > 0)
			printf(", %" PRIu64 " %s", info->lost[cause], loss_cause_name(cause));
	if (info->lost_unknown > 0)
		printf(", %" PRIu64 " by causes unknown to this version", info->lost_unknown);
	putchar('\n');
}

static void print_counts(const struct trace_reader *reader)
{
	const struct trace_info *info = trace_reader_info(reader);
	const struct stack_table *stacks = trace_reader_stacks(reader);
	char text[DURATION_TEXT_MAX];

	printf("  %-11s %s%s\n", "length", duration_format(text, info->duration_ns),
			info->truncated ? ", then the trace stops early" : "");
	printf("  %-11s %" PRIu64, "events", info->events);
	if (info->events >= ENOUGH_FOR_RATE)
		printf(" of %.2f bytes", (double)info->file_bytes / (double)info->events);
	putchar('\n');
	print_losses(info);
	printf("  %-11s %" PRIu32 "\n", "tasks", info->tasks);
	printf("  %-11s %" PRIu32 "\n", "processes", info->processes);
	printf("  %-11s %" PRIu32 ", of %" PRIu32 " code places\n", "stacks",
			stack_table_stack_count(stacks), stack_table_frame_count(stacks));
	printf("  %-11s %" PRIu32 "\n", "modules", info->modules);
	printf("  %-11s %s\n", "index", index_state_name(info->index));
}

static void print_sections(const struct trace_reader *reader)
{
	struct section_sum sums[SECTION_SUMS_MAX];
	unsigned count = sum_sections(reader, sums);

	printf("\n  %-11s %8s %10s %12s\n", "section", "number", "rows", "bytes");
	for (unsigned i = 0; i < count; i++)
		printf("  %-11s %8" PRIu64 " %10" PRIu64 " %12" PRIu64 "\n", sums[i].name,
				sums[i].count, sums[i].rows, sums[i].bytes);
}

static const char *counter_value(char text[SIZE_TEXT_MAX], const char *unit, uint64_t value)
{
	if (strcmp(unit, COUNTER_BYTES) == 0)
		return size_format(text, value);
	snprintf(text, SIZE_TEXT_MAX, "%" PRIu64, value);
	return text;
}

static void print_counters(struct trace_reader *reader)
{
	const struct trace_counter *counter;

	for (uint32_t i = 0; (counter = trace_counter_get(reader, i)); i++) {
		char name[VALUE_MAX];
		char least[SIZE_TEXT_MAX];
		char greatest[SIZE_TEXT_MAX];
		char last[SIZE_TEXT_MAX];

		if (i == 0)
			printf("\n  %-11s %8s %12s %12s %12s\n", "counter", "samples", "least",
					"greatest", "last");
		printf("  %-11s %8" PRIu64 " %12s %12s %12s\n", clean(name, counter->name),
				counter->total.samples,
				counter_value(least, counter->unit, counter->total.least),
				counter_value(greatest, counter->unit, counter->total.greatest),
				counter_value(last, counter->unit, counter->total.last));
	}
}

static void print_notes(struct trace_reader *reader)
{
	bool headed = false;
	struct note_sum sum;

	for (unsigned kind = 0; sum_notes(reader, kind, &sum); kind++) {
		char text[DURATION_TEXT_MAX];

		if (sum.total.count == 0)
			continue;
		if (!headed)
			printf("\n  %-16s %8s %12s\n", "note", "number", "together");
		headed = true;
		printf("  %-16s %8" PRIu64 " %12s\n", sum.name, sum.total.count,
				trace_note_kind_fields(reader, kind) & NOTE_IS_RANGE
						? duration_format(text, sum.total.total_ns)
						: "");
	}
}

static void print_info(const char *file, struct trace_reader *reader)
{
	const struct trace_info *info = trace_reader_info(reader);
	char size[SIZE_TEXT_MAX];
	char name[VALUE_MAX];

	printf("%s: loiter trace, format version %" PRIu32 ", %s\n", clean(name, file),
			info->version, size_format(size, info->file_bytes));
	print_command(reader);
	print_start(reader);
	print_other_meta(reader);
	print_counts(reader);
	print_counters(reader);
	print_notes(reader);
	print_sections(reader);
}

static const struct argp_child children[] = { { &open_trace_argp, 0, NULL, 0 }, { 0 } };

int cmd_info(int argc, char **argv)
{
	static const struct argp parser = { .options = options,
		.parser = parse_option,
		.args_doc = "FILE",
		.doc = "Tell what is in a trace: the program, the length, counts, losses, sizes. "
		       "Events are not read, so this is quick for any trace.",
		.children = children };
	struct arguments arguments = { 0 };
	struct trace_reader *reader;
	int status = LOITER_EXIT_OK;

	if (argp_parse(&parser, argc, argv, 0, NULL, &arguments) != 0)
		return LOITER_EXIT_FAILURE;
	reader = open_trace_as(argv[0], arguments.file, &arguments.open);
	if (!reader)
		return LOITER_EXIT_FAILURE;
	if (arguments.json)
		status = print_info_json(stdout, argv[0], reader);
	else
		print_info(arguments.file, reader);
	warn_about_damage(argv[0], arguments.file, reader);
	trace_reader_close(reader);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "%s: cannot write the output\n", argv[0]);
		return LOITER_EXIT_FAILURE;
	}
	return status;
}
