#include "viewer/report/trace_facts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/printable.h"
#include "formats/base/shell_word.h"
#include "formats/model/meta.h"

/* A replaced byte takes the three of U+FFFD. */
#define GROWTH_MOST 3

char *trace_facts_clean(const char *text)
{
	size_t length = text ? strlen(text) : 0;
	char *copy = text ? malloc(length * GROWTH_MOST + 1) : NULL;

	if (copy)
		printable_copy(copy, length * GROWTH_MOST + 1, text, length, 0);
	return copy;
}

static bool read_number(const struct trace_reader *reader, const char *key, uint64_t *number)
{
	const char *text = trace_reader_meta(reader, key, 0);
	char *end = NULL;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0';
}

/* Takes `text` over, which may be NULL for lack of memory. */
static bool append(char ***list, uint32_t *count, char *text)
{
	char **longer = text ? realloc(*list, (*count + 1) * sizeof(*longer)) : NULL;

	if (!longer) {
		free(text);
		return false;
	}
	*list = longer;
	longer[(*count)++] = text;
	return true;
}

static bool read_list(
		const struct trace_reader *reader, const char *key, char ***list, uint32_t *count)
{
	const char *text;

	for (uint32_t i = 0; (text = trace_reader_meta(reader, key, i)); i++)
		if (!append(list, count, trace_facts_clean(text)))
			return false;
	return true;
}

static bool write_word(FILE *out, const char *before, const char *text)
{
	size_t length = strlen(text);
	char *word = malloc(SHELL_WORD_ROOM(length));

	if (!word)
		return false;
	shell_word(word, SHELL_WORD_ROOM(length), text, length);
	fprintf(out, "%s%s", before, word);
	free(word);
	return true;
}

static bool read_command(struct trace_facts *facts, const struct trace_reader *reader)
{
	const char *text = trace_reader_meta(reader, META_PROGRAM, 0);
	size_t size = 0;
	FILE *out = text ? open_memstream(&facts->command, &size) : NULL;
	bool written = out && write_word(out, "", text);

	for (uint32_t i = 0; written && (text = trace_reader_meta(reader, META_ARGUMENT, i)); i++)
		written = write_word(out, " ", text);
	if (out && fclose(out) != 0)
		return false;
	return written || !text;
}

static bool add_damage(struct trace_facts *facts, struct trace_reader *reader)
{
	struct trace_damage damage;
	char line[sizeof(damage.what) + 80];

	for (uint32_t i = 0; trace_reader_damage(reader, i, &damage); i++) {
		snprintf(line, sizeof(line), "damaged at byte %" PRIu64 ": %s", damage.offset,
				damage.what);
		if (!append(&facts->warnings, &facts->warning_count, trace_facts_clean(line)))
			return false;
	}
	if (!trace_reader_info(reader)->truncated)
		return true;
	return append(&facts->warnings, &facts->warning_count,
			trace_facts_clean(
					"the trace stops early: the recorder was killed, or the file was "
					"cut; everything up to there counts"));
}

enum lo_result trace_facts_init(
		struct trace_facts *facts, struct trace_reader *reader, struct lo_error *err)
{
	*facts = (struct trace_facts){
		.program = trace_facts_clean(trace_reader_meta(reader, META_PROGRAM, 0)),
		.host = trace_facts_clean(trace_reader_meta(reader, META_HOST, 0)),
		.backend = trace_facts_clean(trace_reader_meta(reader, META_BACKEND, 0)),
		.format = trace_facts_clean(trace_reader_meta(reader, META_SOURCE_FORMAT, 0)),
		.truncated = trace_reader_info(reader)->truncated ||
			     trace_reader_meta(reader, META_SOURCE_CUT, 0),
		.system = trace_facts_clean(trace_reader_meta(reader, META_SYSTEM, 0)),
		.process = trace_reader_process(reader, 1),
	};
	facts->has_pid = read_number(reader, META_PID, &facts->pid);
	facts->has_start = read_number(reader, META_START_UNIX_NS, &facts->start_unix_ns);
	if (read_command(facts, reader) &&
			read_list(reader, META_ARGUMENT, &facts->arguments,
					&facts->argument_count) &&
			read_list(reader, META_WARNING, &facts->warnings, &facts->warning_count) &&
			add_damage(facts, reader))
		return LO_OK;
	trace_facts_release(facts);
	return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for the report");
}

static void free_list(char **list, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		free(list[i]);
	free(list);
}

void trace_facts_release(struct trace_facts *facts)
{
	free(facts->program);
	free(facts->command);
	free(facts->host);
	free(facts->backend);
	free(facts->format);
	free(facts->system);
	free_list(facts->arguments, facts->argument_count);
	free_list(facts->warnings, facts->warning_count);
	*facts = (struct trace_facts){ 0 };
}
