#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/byte_buffer.h"
#include "formats/import/import_run.h"
#include "formats/native/trace_cursor.h"
#include "formats/native/trace_notes.h"
#include "formats/native/trace_reader.h"

/*
 * Imports real goroutine dumps and compares goroutines, statuses and creators with what a plain
 * search in the text finds.
 *
 *	go_dumps FOLDER
 *
 * Takes every *.txt.zst of the folders in FOLDER. Exit status 77 when there is none.
 */
#define EXIT_SKIPPED 77
#define KEYS_MAX     512u

struct tally {
	struct {
		char key[256];
		unsigned count;
	} rows[KEYS_MAX];
	unsigned size;
};

static unsigned failures;
static unsigned files;

static void count(struct tally *tally, const char *kind, const char *bytes, size_t length,
		unsigned how_many)
{
	char key[256];
	unsigned at = 0;

	snprintf(key, sizeof(key), "%s %.*s", kind, (int)length, bytes);
	while (at < tally->size && strcmp(tally->rows[at].key, key) != 0)
		at++;
	if (at == KEYS_MAX)
		abort();
	if (at == tally->size)
		memcpy(tally->rows[tally->size++].key, key, sizeof(key));
	tally->rows[at].count += how_many;
}

static void compare(const char *path, const struct tally *got, const struct tally *expected)
{
	for (unsigned i = 0; i < expected->size; i++) {
		unsigned at = 0;

		while (at < got->size && strcmp(got->rows[at].key, expected->rows[i].key) != 0)
			at++;
		if (at < got->size && got->rows[at].count == expected->rows[i].count)
			continue;
		printf("%s: %s is %u, should be %u\n", path, expected->rows[i].key,
				at < got->size ? got->rows[at].count : 0, expected->rows[i].count);
		failures++;
	}
	if (got->size != expected->size) {
		printf("%s: %u kinds, should be %u\n", path, got->size, expected->size);
		failures++;
	}
}

/* What stands behind the status: each `key: value` is a label. */
static void search_remarks(struct tally *tally, const char *line, size_t length)
{
	const char *labels = memmem(line, length, "] {", 3);

	if (memmem(line, length, "locked to thread", 16))
		count(tally, "notes", "locked to thread", 16, 1);
	for (const char *at = labels; at && at < line + length; at++)
		if (at[0] == ':' && at[1] == ' ')
			count(tally, "notes", "label", 5, 1);
}

/* "goroutine 5 ... [status, ...". */
static void search_header(struct tally *tally, const char *line)
{
	const char *status = strchr(line, '[');
	size_t length = status ? strcspn(status + 1, ",]") : 0;

	if (!status || atoll(line + strlen("goroutine ")) == 0)
		return;
	count(tally, "goroutines", "", 0, 1);
	search_remarks(tally, status, strcspn(status, "\n"));
	if (strncmp(status, "[running", 8) != 0 && strncmp(status, "[runnable", 9) != 0)
		count(tally, "status", status + 1, length, 1);
}

static void search_text(struct tally *tally, const char *text, bool groups)
{
	unsigned members = 0;

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (groups && line[0] >= '0' && line[0] <= '9' && strstr(line, " @ ")) {
			members = (unsigned)atoi(line);
			count(tally, "goroutines", "", 0, members);
		} else if (groups && strncmp(line, "# labels: ", 10) == 0) {
			for (size_t i = 0; i < strcspn(line, "\n"); i++)
				if (memcmp(line + i, "\":\"", 3) == 0)
					count(tally, "notes", "label", 5, members);
		} else if (!groups && strncmp(line, "goroutine ", 10) == 0 && line[10] >= '0' &&
				line[10] <= '9')
			search_header(tally, line);
		else if (!groups && strncmp(line, "created by ", 11) == 0) {
			size_t length = strcspn(line + 11, "\n");
			const char *in = memmem(line + 11, length, " in goroutine", 13);

			count(tally, "created by", line + 11,
					in ? (size_t)(in - line - 11) : length, 1);
		}
	}
}

static void count_event(struct tally *tally, struct trace_reader *reader, const struct event *event,
		bool groups)
{
	const char *text = trace_reader_reason_name(reader, event->reason);
	const struct symbol *chain;
	uint32_t frame = stack_table_get(trace_reader_stacks(reader), event->stack).frame;

	if (event->kind == EVENT_CREATE)
		count(tally, "goroutines", "", 0, 1);
	else if (event->kind == EVENT_BLOCK && !groups)
		count(tally, "status", text, strlen(text), 1);
	if (event->kind != EVENT_CREATE || event->stack == STACK_NONE ||
			!symbol_table_get(trace_reader_symbols(reader), frame, &chain))
		return;
	text = trace_reader_string(reader, chain->function, NULL);
	count(tally, "created by", text, strlen(text), 1);
}

static bool count_note(void *context, const struct note *note)
{
	const char *name = note_schemas[note->kind].name;

	count(context, "notes", name, strlen(name), 1);
	return true;
}

static void count_native(struct tally *tally, const struct byte_buffer *native, bool groups)
{
	struct note_query notes = { .span = TIME_SPAN_ALL, .kinds = NOTE_KINDS_ALL };
	struct time_span all = { 0, UINT64_MAX };
	struct byte_source *source;
	struct trace_reader *reader;
	struct trace_cursor *cursor;
	struct event event;

	if (byte_source_open_memory(&source, native->bytes, native->size, NULL) != LO_OK ||
			trace_reader_open(&reader, source, NULL, NULL) != LO_OK ||
			trace_cursor_open(&cursor, reader, all, NULL) != LO_OK)
		abort();
	while (trace_cursor_next(cursor, &event, NULL) == LO_OK)
		count_event(tally, reader, &event, groups);
	if (trace_notes_visit(reader, &notes, count_note, tally, NULL, NULL) != LO_OK)
		abort();
	/* A status that this version does not know is told by the reader. */
	for (uint32_t i = 0; i < trace_reader_warning_count(reader); i++)
		count(tally, "warning", trace_reader_warning(reader, i),
				strlen(trace_reader_warning(reader, i)), 1);
	trace_cursor_close(cursor);
	trace_reader_close(reader);
}

static void check_file(const char *path)
{
	static struct tally expected;
	static struct tally got;
	bool groups = strstr(path, ".debug1.") != NULL;
	struct byte_buffer native = { 0 };
	struct byte_source *source;
	struct byte_stream *in;
	struct byte_sink *sink;
	struct lo_error err;
	const uint8_t *bytes;
	size_t size;
	char *text;

	expected.size = got.size = 0;
	memset(&expected, 0, sizeof(expected));
	memset(&got, 0, sizeof(got));
	if (byte_source_open_file(&source, path, &err) != LO_OK ||
			byte_stream_open(&in, source, &err) != LO_OK ||
			byte_stream_peek(in, 64u << 20, &bytes, &size, &err) != LO_OK)
		abort();
	text = strndup((const char *)bytes, size);
	search_text(&expected, text, groups);
	if (byte_sink_open_buffer(&sink, &native, &err) != LO_OK ||
			import_run(in, sink, NULL, &err) != LO_OK) {
		printf("%s: %s\n", path, err.message);
		exit(1);
	}
	count_native(&got, &native, groups);
	compare(path, &got, &expected);
	free(text);
	byte_buffer_release(&native);
	byte_stream_close(in);
	files++;
}

static void check_folder(const char *folder)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		char *path = NULL;

		if (strstr(entry->d_name, ".txt.zst") &&
				asprintf(&path, "%s/%s", folder, entry->d_name) > 0)
			check_file(path);
		free(path);
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
	if (files == 0) {
		printf("skipped: no goroutine dumps in %s (see LOITER_SHARED_DATA)\n",
				argc > 1 ? argv[1] : "any folder");
		return EXIT_SKIPPED;
	}
	printf("%u dumps, %u differences\n", files, failures);
	return failures ? 1 : 0;
}
