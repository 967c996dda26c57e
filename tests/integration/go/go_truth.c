#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/byte_buffer.h"
#include "formats/import/import_run.h"
#include "formats/model/meta.h"
#include "formats/native/trace_reader.h"
#include "tests/integration/go/note_truth.h"
#include "tests/integration/go/trace_facts.h"

/*
 * Imports real Go traces and compares what came out with what Go's own parser says of them.
 *
 *	go_truth FOLDER
 *
 * Its folders hold NAME.trace.zst and NAME.truth.json. Exit status 1 when anything differs, 77
 * when there is nothing to compare.
 */
#define FIRST_VERSION 11 /* of the header: "go 1.11 trace" */
#define EXIT_SKIPPED  77

static unsigned failures;
static unsigned traces;

static void fail(const char *trace, const char *what, long long got, long long expected)
{
	printf("%s: %s is %lld, should be %lld\n", trace, what, got, expected);
	failures++;
}

static long long truth_number(const json_t *truth, const char *key)
{
	return (long long)json_integer_value(json_object_get(truth, key));
}

static void compare(const char *trace, const json_t *truth, const char *key, uint64_t got)
{
	if ((long long)got != truth_number(truth, key))
		fail(trace, key, (long long)got, truth_number(truth, key));
}

/* Reasons of ours that Go's reader has no word for, or counts as a state of its own. */
static const char *truth_reason(const char *name)
{
	if (strcmp(name, "unspecified") == 0 || strcmp(name, "coroutine") == 0)
		return "";
	return strcmp(name, "unknown") == 0 || strcmp(name, "syscall") == 0 ? NULL : name;
}

/*
 * Times of v1 traces are whole ticks of a cycle counter, which the two programs round differently;
 * and both spread equal times by 1 ns in an order of their own.
 */
static long long allowed_ns(uint64_t blocks, bool exact)
{
	return exact ? 0 : (long long)blocks + 1;
}

static void compare_reasons(const char *trace, const json_t *truth, struct trace_reader *reader,
		const struct trace_facts *facts, bool exact)
{
	const json_t *blocks = json_object_get(truth, "blocks_by_reason");
	const json_t *times = json_object_get(truth, "blocked_ns_by_reason_including_open_at_end");
	uint64_t all_blocks = 0;
	long long expected_blocks = 0;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)blocks, key, value)
			expected_blocks += json_integer_value(value);
	for (unsigned i = 0; i < REASON_LIMIT; i++) {
		const struct reason_facts *reason = &facts->reasons[i];
		const char *name = trace_reader_reason_name(reader, (uint8_t)i);
		long long expected;

		if (reason->blocks == 0 || !truth_reason(name))
			continue;
		all_blocks += reason->blocks;
		name = truth_reason(name);
		if ((long long)reason->blocks != truth_number(blocks, name))
			fail(trace, name, (long long)reason->blocks, truth_number(blocks, name));
		expected = truth_number(times, name);
		if (llabs((long long)reason->blocked_ns - expected) >
				allowed_ns(reason->blocks, exact)) {
			printf("(blocked ns) ");
			fail(trace, name, (long long)reason->blocked_ns, expected);
		}
	}
	if ((long long)all_blocks != expected_blocks)
		fail(trace, "blocks", (long long)all_blocks, expected_blocks);
}

static void compare_groups(const char *trace, const json_t *truth, const struct trace_facts *facts)
{
	const json_t *groups = json_object_get(truth, "stuck_groups");
	json_t *group;
	size_t i;

	if (json_array_size(groups) != facts->group_count)
		fail(trace, "number of stuck groups", facts->group_count,
				(long long)json_array_size(groups));
	json_array_foreach(groups, i, group)
	{
		const char *reason = json_string_value(json_object_get(group, "reason"));
		const char *state = json_string_value(json_object_get(group, "state"));
		struct stuck_group wanted;
		uint32_t at = 0;

		if (strcmp(state, "Syscall") == 0)
			reason = "syscall";
		else if (reason[0] == '\0')
			reason = "unspecified";
		snprintf(wanted.text, sizeof(wanted.text), "%s | %s | %s | %s", reason,
				json_string_value(json_object_get(group, "top_user_frame")),
				json_string_value(json_object_get(group, "created_at")),
				json_string_value(json_object_get(group, "start_func")));
		while (at < facts->group_count && strcmp(facts->groups[at].text, wanted.text) != 0)
			at++;
		if (at == facts->group_count ||
				facts->groups[at].count != truth_number(group, "count"))
			fail(trace, wanted.text,
					at < facts->group_count ? facts->groups[at].count : 0,
					truth_number(group, "count"));
	}
}

static void compare_all(const char *trace, const json_t *truth, struct trace_reader *reader)
{
	struct trace_facts facts;
	bool exact = strcmp(trace_reader_meta(reader, META_SOURCE_FORMAT, 0), "go-trace-v2") == 0;
	long long peak = truth_number(truth, "goroutines_peak_alive");

	trace_facts_collect(&facts, reader);
	compare(trace, truth, "goroutines_seen", facts.seen);
	compare(trace, truth, "goroutines_preexisting", facts.existing);
	compare(trace, truth, "goroutines_created", facts.created);
	compare(trace, truth, "goroutines_exited", facts.exited);
	compare(trace, truth, "max_creates_in_10ms_window", facts.most_creates_in_10ms);
	compare(trace, truth, "unblocks", facts.unblocks);
	compare(trace, truth, "unblocks_by_a_goroutine", facts.unblocks_by_a_task);
	/* Go's parser counts an old goroutine only from its first event on. */
	if ((long long)facts.peak_alive < peak ||
			(long long)facts.peak_alive > peak + (long long)facts.existing)
		fail(trace, "goroutines_peak_alive", (long long)facts.peak_alive, peak);
	if (llabs((long long)facts.end_ns - truth_number(truth, "duration_ns")) > (exact ? 0 : 4))
		fail(trace, "duration_ns", (long long)facts.end_ns,
				truth_number(truth, "duration_ns"));
	compare_reasons(trace, truth, reader, &facts, exact);
	compare_groups(trace, truth, &facts);
	failures += compare_notes(trace, truth, reader);
	trace_facts_release(&facts);
}

static void print_warning(void *context, const char *sentence)
{
	printf("%s: warning: %s\n", (const char *)context, sentence);
	failures++;
}

static struct trace_reader *import_file(const char *path)
{
	static struct byte_buffer native; /* lives as long as its reader */
	struct import_options options = { .warn = print_warning,
		.warn_context = (void *)(uintptr_t)path };
	struct byte_source *source;
	struct byte_stream *in = NULL;
	struct byte_sink *sink;
	struct trace_reader *reader = NULL;
	struct lo_error err;
	enum lo_result result = byte_source_open_file(&source, path, &err);

	byte_buffer_clear(&native);
	if (result == LO_OK)
		result = byte_stream_open(&in, source, &err);
	if (result == LO_OK)
		result = byte_sink_open_buffer(&sink, &native, &err);
	if (result == LO_OK)
		result = import_run(in, sink, &options, &err);
	byte_stream_close(in);
	if (result == LO_OK)
		result = byte_source_open_memory(&source, native.bytes, native.size, &err);
	if (result == LO_OK)
		result = trace_reader_open(&reader, source, NULL, &err);
	if (result != LO_OK) {
		printf("%s: %s\n", path, err.message);
		failures++;
	}
	return reader;
}

static int header_version(const json_t *truth)
{
	return atoi(json_string_value(json_object_get(truth, "header")) + strlen("go 1."));
}

static void check_trace(const char *folder, const char *name, int length)
{
	struct trace_reader *reader;
	char *truth_path = NULL;
	char *path = NULL;
	json_t *truth;

	if (asprintf(&truth_path, "%s/%.*s.truth.json", folder, length, name) < 0 ||
			asprintf(&path, "%s/%.*s.trace.zst", folder, length, name) < 0)
		exit(1);
	truth = json_load_file(truth_path, 0, NULL);
	if (truth && header_version(truth) >= FIRST_VERSION) {
		traces++;
		reader = import_file(path);
		if (reader)
			compare_all(path, truth, reader);
		trace_reader_close(reader);
	}
	json_decref(truth);
	free(truth_path);
	free(path);
}

static void check_folder(const char *folder)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		const char *end = strstr(entry->d_name, ".trace.zst");

		if (end)
			check_trace(folder, entry->d_name, (int)(end - entry->d_name));
	}
	if (directory)
		closedir(directory);
}

int main(int argc, char **argv)
{
	DIR *directory = argc > 1 ? opendir(argv[1]) : NULL;
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		char *folder = NULL;

		if (entry->d_name[0] != '.' &&
				asprintf(&folder, "%s/%s", argv[1], entry->d_name) > 0)
			check_folder(folder);
		free(folder);
	}
	if (directory)
		closedir(directory);
	if (traces == 0) {
		printf("skipped: no Go traces in %s (see LOITER_SHARED_DATA)\n",
				argc > 1 ? argv[1] : "any folder");
		return EXIT_SKIPPED;
	}
	printf("%u traces, %u differences\n", traces, failures);
	return failures ? 1 : 0;
}
