#include "tests/support/go_trace_text.h"
#include "tests/support/task_row.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/byte_stream.h"
#include "formats/base/varint.h"
#include "formats/import/import_run.h"
#include "formats/model/event_schema.h"
#include "formats/native/trace_cursor.h"

static void give_up(const char *what)
{
	fprintf(stderr, "go trace text: %s\n", what);
	abort();
}

static uint64_t parse_number(const char **at)
{
	char *end;
	uint64_t value;

	while (**at == ' ')
		(*at)++;
	if (strncmp(*at, "none", 4) == 0) {
		*at += 4;
		return UINT64_MAX;
	}
	value = strtoull(*at, &end, 0);
	if (end == *at)
		give_up(*at);
	*at = end;
	return value;
}

/* Numbers up to the end of the line. */
static void put_numbers(struct byte_buffer *out, const char *at)
{
	while (*at && *at != '\n') {
		byte_buffer_put_varint(out, parse_number(&at));
		while (*at == ' ')
			at++;
	}
}

/* The runtime leaves room for the length and fills it in later: always ten bytes. */
static void put_padded(struct byte_buffer *out, uint64_t value)
{
	for (unsigned i = 0; i < VARINT_MAX - 1; i++, value >>= 7)
		byte_buffer_put_byte(out, (uint8_t)(value | 0x80));
	byte_buffer_put_byte(out, (uint8_t)value);
}

static void put_batch(struct byte_buffer *file, uint64_t generation, uint64_t thread, uint64_t time,
		struct byte_buffer *payload)
{
	byte_buffer_put_byte(file, 1);
	byte_buffer_put_varint(file, generation);
	byte_buffer_put_varint(file, thread);
	byte_buffer_put_varint(file, time);
	put_padded(file, payload->size);
	byte_buffer_put(file, payload->bytes, payload->size);
	byte_buffer_release(payload);
}

static void batch_line(struct byte_buffer *file, const char *at)
{
	struct byte_buffer payload = { 0 };
	uint64_t generation = parse_number(&at);
	uint64_t thread = parse_number(&at);
	uint64_t time = parse_number(&at);

	if (*at++ != ':')
		give_up("a batch needs a colon");
	put_numbers(&payload, at);
	put_batch(file, generation, thread, time, &payload);
}

static void strings_line(struct byte_buffer *file, const char *at)
{
	struct byte_buffer payload = { 0 };
	uint64_t generation = parse_number(&at);

	byte_buffer_put_byte(&payload, 4);
	while (*at == ':' || *at == ';') {
		size_t length;

		at++;
		byte_buffer_put_byte(&payload, 5);
		byte_buffer_put_varint(&payload, parse_number(&at));
		at++;
		length = strcspn(at, ";\n");
		byte_buffer_put_varint(&payload, length);
		byte_buffer_put(&payload, at, length);
		at += length;
	}
	put_batch(file, generation, UINT64_MAX, 0, &payload);
}

static void stacks_line(struct byte_buffer *file, const char *at)
{
	struct byte_buffer payload = { 0 };
	struct byte_buffer frames = { 0 };
	uint64_t generation = parse_number(&at);
	uint64_t id;
	uint64_t count = 0;

	at++;
	id = parse_number(&at);
	for (const char *c = at; *c && *c != '\n'; c++)
		count += *c == ' ' && c[1] != ' ' && c[1] != '\n';
	put_numbers(&frames, at);
	byte_buffer_put_byte(&payload, 2);
	byte_buffer_put_byte(&payload, 3);
	byte_buffer_put_varint(&payload, id);
	byte_buffer_put_varint(&payload, count / 4);
	byte_buffer_put(&payload, frames.bytes, frames.size);
	byte_buffer_release(&frames);
	put_batch(file, generation, UINT64_MAX, 0, &payload);
}

static void header_line(struct byte_buffer *file, const char *at)
{
	char header[17] = "";

	snprintf(header, sizeof(header), "go 1.%u trace", (unsigned)parse_number(&at));
	byte_buffer_put(file, header, 16);
}

static void clock_line(struct byte_buffer *file, const char *at)
{
	struct byte_buffer payload = { 0 };
	uint64_t generation = parse_number(&at);

	byte_buffer_put_byte(&payload, 8);
	byte_buffer_put_varint(&payload, 1000000000);
	put_batch(file, generation, UINT64_MAX, 0, &payload);
}

static void v1_line(struct byte_buffer *file, const char *at)
{
	struct byte_buffer arguments = { 0 };
	uint8_t type = (uint8_t)parse_number(&at);
	unsigned count = 0;

	for (const char *c = at; *c && *c != '\n'; c++)
		count += *c == ' ' && c[1] != ' ' && c[1] != '\n';
	put_numbers(&arguments, at);
	if (count <= 3) {
		byte_buffer_put_byte(file, (uint8_t)(type | (count - 1) << 6));
	} else {
		byte_buffer_put_byte(file, (uint8_t)(type | 3 << 6));
		byte_buffer_put_varint(file, arguments.size);
	}
	byte_buffer_put(file, arguments.bytes, arguments.size);
	byte_buffer_release(&arguments);
}

static void v1_text_line(struct byte_buffer *file, const char *at)
{
	uint64_t id = parse_number(&at);
	size_t length = strcspn(++at, "\n");

	byte_buffer_put_byte(file, 37);
	byte_buffer_put_varint(file, id);
	byte_buffer_put_varint(file, length);
	byte_buffer_put(file, at, length);
}

static void v1_frames_line(struct byte_buffer *file, const char *at)
{
	struct byte_buffer numbers = { 0 };

	byte_buffer_put_varint(&numbers, parse_number(&at));
	put_numbers(&numbers, at + 1);
	byte_buffer_put_byte(file, 3 | 3 << 6);
	byte_buffer_put_varint(file, numbers.size);
	byte_buffer_put(file, numbers.bytes, numbers.size);
	byte_buffer_release(&numbers);
}

static void take_line(struct byte_buffer *file, const char *line)
{
	if (strncmp(line, "go ", 3) == 0)
		header_line(file, line + 3);
	else if (strncmp(line, "batch ", 6) == 0)
		batch_line(file, line + 6);
	else if (strncmp(line, "strings ", 8) == 0)
		strings_line(file, line + 8);
	else if (strncmp(line, "stacks ", 7) == 0)
		stacks_line(file, line + 7);
	else if (strncmp(line, "clock ", 6) == 0)
		clock_line(file, line + 6);
	else if (strncmp(line, "end\n", 4) == 0)
		byte_buffer_put_byte(file, 52);
	else if (strncmp(line, "v1 ", 3) == 0)
		v1_line(file, line + 3);
	else if (strncmp(line, "text ", 5) == 0)
		v1_text_line(file, line + 5);
	else if (strncmp(line, "frames ", 7) == 0)
		v1_frames_line(file, line + 7);
	else if (strncmp(line, "byte ", 5) == 0)
		byte_buffer_put_byte(file, (uint8_t)strtoul(line + 5, NULL, 0));
	else
		give_up(line);
}

void go_trace_from_text(const char *text, struct byte_buffer *file)
{
	while (*text) {
		take_line(file, text);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}

static void keep_warning(void *context, const char *sentence)
{
	struct byte_buffer *warnings = context;

	byte_buffer_put(warnings, sentence, strlen(sentence));
	byte_buffer_put_byte(warnings, '\n');
}

struct trace_reader *import_bytes(const struct byte_buffer *file, struct byte_buffer *warnings)
{
	static struct byte_buffer native; /* lives as long as the reader of the last import */
	struct import_options options = { .warn = warnings ? keep_warning : NULL,
		.warn_context = warnings };
	struct trace_reader *reader = NULL;
	struct byte_source *source = NULL;
	struct byte_stream *in = NULL;
	struct byte_sink *sink = NULL;
	struct lo_error err = { .message = "" };
	enum lo_result result = byte_source_open_memory(&source, file->bytes, file->size, &err);

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
	if (result != LO_OK)
		give_up(err.message);
	if (warnings)
		byte_buffer_put_byte(warnings, '\0');
	return reader;
}

static void print(struct byte_buffer *text, const char *format, ...) LO_PRINTF(2, 3);
static void print(struct byte_buffer *text, const char *format, ...)
{
	char line[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	byte_buffer_put(text, line, strlen(line));
}

static void print_task(struct byte_buffer *text, struct trace_reader *reader, uint32_t task)
{
	uint32_t tid = task_row(reader, task).tid;

	print(text, "%u", tid);
	while (--task > 0)
		if (task_row(reader, task).tid == tid)
			print(text, "'");
}

static void print_leaf(struct byte_buffer *text, struct trace_reader *reader, uint32_t stack)
{
	const struct symbol *chain;
	uint32_t frame = stack_table_get(trace_reader_stacks(reader), stack).frame;

	if (stack == STACK_NONE)
		return;
	if (symbol_table_get(trace_reader_symbols(reader), frame, &chain))
		print(text, " at %s", trace_reader_string(reader, chain->function, NULL));
	else
		print(text, " at ?");
}

static void print_event(
		struct byte_buffer *text, struct trace_reader *reader, const struct event *event)
{
	print(text, "%llu %s ", (unsigned long long)event->time_ns,
			event_schemas[event->kind].name);
	print_task(text, reader, event->task);
	if (event->flags & EVENT_FLAG_EXISTING)
		print(text, " existing");
	if (event->kind == EVENT_BLOCK)
		print(text, " %s", trace_reader_reason_name(reader, event->reason));
	if (event->peer != TASK_NONE) {
		print(text, " by ");
		print_task(text, reader, event->peer);
	}
	print_leaf(text, reader, event->stack);
	print(text, "\n");
}

void events_to_text(struct trace_reader *reader, struct byte_buffer *text)
{
	struct time_span all = { 0, UINT64_MAX };
	struct trace_cursor *cursor;
	struct event event;

	if (trace_cursor_open(&cursor, reader, all, NULL) != LO_OK)
		give_up("no cursor");
	while (trace_cursor_next(cursor, &event, NULL) == LO_OK)
		print_event(text, reader, &event);
	trace_cursor_close(cursor);
	byte_buffer_put_byte(text, '\0');
}
