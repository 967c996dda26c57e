#include "tests/support/trace_builder.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/duration.h"
#include "formats/base/limits.h"
#include "formats/base/macros.h"
#include "formats/base/string_table.h"
#include "formats/model/event_schema.h"
#include "formats/model/meta.h"
#include "formats/model/object.h"
#include "formats/native/trace_writer.h"

#define TASKS_MAX   4096u
#define FRAMES_MAX  4096u
#define MODULES_MAX 64u
#define WORD_MAX    256u

struct builder {
	struct trace_writer *writer;
	const char *line_start;
	const char *next; /* what of the line is still to be read */
	const char *line_end;
	unsigned line_number;
	uint64_t now_ns;
	uint64_t end_ns;
	bool cut;

	struct process_info process;
	struct task_info tasks[TASKS_MAX]; /* id 0: not mentioned yet */
	struct string_table *frame_texts;
	uint32_t frames[FRAMES_MAX]; /* frame id by text id */
	struct {
		char name[WORD_MAX];
		uint32_t id;
	} modules[MODULES_MAX]; /* [0] is the main program */
	uint32_t module_count;
};

static _Noreturn void LO_PRINTF(2, 3)
		give_up(const struct builder *builder, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "line %u of the trace, '%.*s': ", builder->line_number,
			(int)(builder->line_end - builder->line_start), builder->line_start);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	abort();
}

static void expect_ok(const struct builder *builder, enum lo_result result, struct lo_error *err)
{
	if (result != LO_OK)
		give_up(builder, "%s", err->message);
}

/* ---- words ---- */

static void skip_blanks(struct builder *builder)
{
	while (builder->next < builder->line_end && isspace((unsigned char)*builder->next))
		builder->next++;
}

/* Takes `text` (one or more words) if the rest of the line begins with it. */
static bool take(struct builder *builder, const char *text)
{
	size_t length = strlen(text);

	skip_blanks(builder);
	if ((size_t)(builder->line_end - builder->next) < length ||
			memcmp(builder->next, text, length) != 0)
		return false;
	if (builder->next + length < builder->line_end &&
			!isspace((unsigned char)builder->next[length]))
		return false;
	builder->next += length;
	return true;
}

static bool at_end(struct builder *builder)
{
	skip_blanks(builder);
	return builder->next == builder->line_end;
}

static void take_word(struct builder *builder, char word[WORD_MAX])
{
	size_t length = 0;

	skip_blanks(builder);
	for (; builder->next < builder->line_end && !isspace((unsigned char)*builder->next);
			builder->next++)
		if (length + 1 < WORD_MAX)
			word[length++] = *builder->next;
	word[length] = '\0';
	if (length == 0)
		give_up(builder, "a word is missing at the end");
}

/* The rest of the line without blanks at its ends. */
static void take_rest(struct builder *builder, char word[WORD_MAX])
{
	size_t length = 0;

	skip_blanks(builder);
	while (builder->next < builder->line_end && length + 1 < WORD_MAX)
		word[length++] = *builder->next++;
	while (length > 0 && isspace((unsigned char)word[length - 1]))
		length--;
	word[length] = '\0';
}

static uint64_t take_number(struct builder *builder)
{
	char word[WORD_MAX];
	char *end;
	uint64_t number;

	take_word(builder, word);
	number = strtoull(word, &end, 0);
	if (*end != '\0')
		give_up(builder, "'%s' is not a number", word);
	return number;
}

/* Takes the longest name of a table that comes next; the count of the table if none does. */
static unsigned take_name(struct builder *builder, const char *(*name_of)(unsigned), unsigned count)
{
	unsigned best = count;

	for (unsigned i = 0; i < count; i++) {
		const char *before = builder->next;

		if (take(builder, name_of(i)) &&
				(best == count || strlen(name_of(i)) > strlen(name_of(best))))
			best = i;
		builder->next = before;
	}
	if (best < count)
		take(builder, name_of(best));
	return best;
}

static const char *reason_name(unsigned i)
{
	return reason_infos[i].name;
}

static const char *object_name(unsigned i)
{
	return object_infos[i].name;
}

static const char *event_name(unsigned i)
{
	return event_schemas[i].name;
}

/* ---- tasks ---- */

static void write_task(struct builder *builder, uint32_t id)
{
	struct lo_error err;

	expect_ok(builder, trace_writer_task(builder->writer, &builder->tasks[id], &err), &err);
}

static uint32_t take_task(struct builder *builder)
{
	char word[WORD_MAX];
	uint32_t id;

	take_word(builder, word);
	id = (uint32_t)strtoul(word + 1, NULL, 10);
	if (word[0] != 'T' || id == 0 || id >= TASKS_MAX)
		give_up(builder, "'%s' is not a task like T1 (up to T%u)", word, TASKS_MAX - 1);
	if (builder->tasks[id].id == 0) {
		builder->tasks[id] = (struct task_info){ .id = id,
			.process = 1,
			.tid = 1000 + id,
			.flags = id == 1 ? TASK_FLAG_MAIN : 0 };
		write_task(builder, id);
	}
	return id;
}

static uint32_t add_string(struct builder *builder, const char *text)
{
	struct lo_error err;
	uint32_t id;

	expect_ok(builder,
			trace_writer_string(
					builder->writer, text, (uint32_t)strlen(text), &id, &err),
			&err);
	return id;
}

static void read_name(struct builder *builder)
{
	uint32_t id = take_task(builder);
	char name[WORD_MAX];

	take_rest(builder, name);
	builder->tasks[id].name = add_string(builder, name);
	write_task(builder, id);
}

static void read_runtime(struct builder *builder)
{
	uint32_t id = take_task(builder);

	builder->tasks[id].flags |= TASK_FLAG_RUNTIME;
	write_task(builder, id);
}

static void read_kind(struct builder *builder)
{
	uint32_t id = take_task(builder);

	if (take(builder, "goroutine"))
		builder->tasks[id].kind = TASK_GOROUTINE;
	else if (take(builder, "fiber"))
		builder->tasks[id].kind = TASK_FIBER;
	else if (take(builder, "thread"))
		builder->tasks[id].kind = TASK_THREAD;
	else
		give_up(builder, "no kind of task");
	write_task(builder, id);
}

/* ---- modules, frames, stacks ---- */

static void add_module(struct builder *builder, const char *name, const char *path, uint8_t flags)
{
	struct module_info module = { .path = add_string(builder, path), .flags = flags };
	struct lo_error err;

	if (builder->module_count == MODULES_MAX)
		give_up(builder, "too many modules");
	expect_ok(builder,
			trace_writer_module(builder->writer, &module,
					&builder->modules[builder->module_count].id, &err),
			&err);
	snprintf(builder->modules[builder->module_count++].name, WORD_MAX, "%s", name);
}

/* The main program is module 0; a trace that does not say which has one called "program". */
static void need_program(struct builder *builder, const char *path)
{
	struct lo_error err;

	if (builder->module_count > 0)
		return;
	add_module(builder, "", path, MODULE_FLAG_MAIN);
	builder->process = (struct process_info){
		.index = 1,
		.pid = 1000,
		.program = add_string(builder, path),
	};
	expect_ok(builder, trace_writer_process(builder->writer, &builder->process, &err), &err);
	expect_ok(builder, trace_writer_meta(builder->writer, META_PROGRAM, path, &err), &err);
}

static void read_program(struct builder *builder)
{
	char path[WORD_MAX];

	if (builder->module_count > 0)
		give_up(builder, "the program comes before modules and stacks");
	take_word(builder, path);
	need_program(builder, path);
}

static void read_module(struct builder *builder)
{
	char name[WORD_MAX];
	char path[WORD_MAX];

	need_program(builder, "program");
	take_word(builder, name);
	take_word(builder, path);
	add_module(builder, name, path, take(builder, "system") ? MODULE_FLAG_SYSTEM : 0);
}

static uint32_t find_module(struct builder *builder, const char *name)
{
	need_program(builder, "program");
	for (uint32_t i = 0; i < builder->module_count; i++)
		if (strcmp(builder->modules[i].name, name) == 0)
			return builder->modules[i].id;
	give_up(builder, "there is no module line for '%s'", name);
}

/* Cuts "(FILE:LINE)" off the end of a frame. */
static void cut_location(struct builder *builder, char *text, struct symbol *symbol)
{
	size_t length = strlen(text);
	char *open = strrchr(text, '(');
	char *colon = strrchr(text, ':');

	if (!open || !colon || colon < open || text[length - 1] != ')')
		return;
	*open = '\0';
	*colon = '\0';
	symbol->file = add_string(builder, open + 1);
	symbol->line = (uint32_t)strtoul(colon + 1, NULL, 10);
}

/* "inner~middle~outer", the location belongs to the innermost. */
static void write_symbols(
		struct builder *builder, uint32_t frame_id, char *functions, struct symbol place)
{
	struct symbol chain[SYMBOL_CHAIN_MAX];
	uint32_t count = 0;
	struct lo_error err;

	for (char *name = strtok(functions, "~"); name && count < SYMBOL_CHAIN_MAX;
			name = strtok(NULL, "~")) {
		chain[count] = count == 0 ? place : (struct symbol){ 0 };
		chain[count++].function = add_string(builder, name);
	}
	expect_ok(builder, trace_writer_symbols(builder->writer, frame_id, chain, count, &err),
			&err);
}

static uint32_t make_frame(struct builder *builder, uint32_t text_id, const char *text)
{
	char name[WORD_MAX];
	struct symbol place = { 0 };
	struct frame frame = { .offset = 0x1000 + 16 * text_id };
	struct lo_error err;
	uint32_t frame_id;
	char *module;

	snprintf(name, sizeof(name), "%s", text);
	cut_location(builder, name, &place);
	module = strchr(name, '!');
	if (module)
		*module++ = '\0';
	frame.module = find_module(builder, module ? module : "");
	if (strncmp(name, "0x", 2) == 0)
		frame.offset = strtoull(name, NULL, 16);
	expect_ok(builder, trace_writer_frame(builder->writer, frame, &frame_id, &err), &err);
	if (strncmp(name, "0x", 2) != 0)
		write_symbols(builder, frame_id, name, place);
	return frame_id;
}

static uint32_t find_frame(struct builder *builder, const char *text)
{
	struct lo_error err;
	uint32_t text_id;

	expect_ok(builder,
			string_table_add(builder->frame_texts, text, (uint32_t)strlen(text),
					&text_id, &err),
			&err);
	if (text_id >= FRAMES_MAX)
		give_up(builder, "too many frames");
	if (builder->frames[text_id] == FRAME_NONE)
		builder->frames[text_id] = make_frame(builder, text_id, text);
	return builder->frames[text_id];
}

/* "main>worker>lock": outermost first. */
static uint32_t take_stack(struct builder *builder)
{
	char word[WORD_MAX];
	uint32_t stack = STACK_NONE;
	struct lo_error err;

	take_word(builder, word);
	for (char *frame = word; frame;) {
		char *end = strchr(frame, '>');

		if (end)
			*end++ = '\0';
		expect_ok(builder,
				trace_writer_stack(builder->writer, stack,
						find_frame(builder, frame), &stack, &err),
				&err);
		frame = end;
	}
	return stack;
}

/* ---- events ---- */

static uint8_t usual_reason(uint8_t object_kind)
{
	static const uint8_t reasons[OBJECT_KIND_COUNT] = {
		[OBJECT_MUTEX] = REASON_MUTEX_LOCK,
		[OBJECT_RWLOCK] = REASON_RWLOCK_WRITE,
		[OBJECT_COND] = REASON_COND_WAIT,
		[OBJECT_SEMAPHORE] = REASON_SEMAPHORE_WAIT,
		[OBJECT_BARRIER] = REASON_BARRIER_WAIT,
		[OBJECT_ONCE] = REASON_ONCE,
		[OBJECT_SPIN_LOCK] = REASON_SPIN_LOCK,
		[OBJECT_FUTEX] = REASON_FUTEX_WAIT,
		[OBJECT_TASK] = REASON_JOIN,
		[OBJECT_DESCRIPTOR] = REASON_READ,
		[OBJECT_PROCESS] = REASON_CHILD_WAIT,
	};

	return reasons[object_kind];
}

static bool take_object(struct builder *builder, struct event *event)
{
	unsigned kind = take_name(builder, object_name, OBJECT_KIND_COUNT);

	if (kind == OBJECT_KIND_COUNT)
		return false;
	event->object_kind = (uint8_t)kind;
	skip_blanks(builder);
	if (kind == OBJECT_TASK && builder->next < builder->line_end && *builder->next == 'T')
		event->object = take_task(builder);
	else if (object_infos[kind].form != OBJECT_VALUE_NONE)
		event->object = take_number(builder);
	if (event->reason == REASON_NONE)
		event->reason = usual_reason(event->object_kind);
	return true;
}

static bool take_reason(struct builder *builder, struct event *event)
{
	unsigned reason;

	if (!take(builder, "for"))
		return false;
	reason = take_name(builder, reason_name, REASON_COUNT);
	if (reason == REASON_COUNT)
		give_up(builder, "no reason for a wait");
	event->reason = (uint8_t)reason;
	return true;
}

static bool take_flag(struct builder *builder, struct event *event)
{
	static const struct {
		const char *text;
		uint8_t flag;
	} flags[] = {
		{ "existing", EVENT_FLAG_EXISTING },
		{ "timed out", EVENT_FLAG_TIMED_OUT },
		{ "timed", EVENT_FLAG_TIMED },
		{ "interrupted", EVENT_FLAG_INTERRUPTED },
		{ "cut-stack", EVENT_FLAG_STACK_CUT },
	};

	for (size_t i = 0; i < LO_COUNT_OF(flags); i++)
		if (take(builder, flags[i].text)) {
			event->flags |= flags[i].flag;
			return true;
		}
	return false;
}

static bool take_peer(struct builder *builder, struct event *event)
{
	bool signalled = take(builder, "signalled");

	if (!signalled && !take(builder, "by") && !take(builder, "held"))
		return false;
	event->peer = take_task(builder);
	if (signalled)
		event->flags |= EVENT_FLAG_SIGNALLED_BEFORE;
	return true;
}

static bool take_place(struct builder *builder, struct event *event)
{
	if (!take(builder, "at"))
		return false;
	event->stack = take_stack(builder);
	return true;
}

static void read_event(struct builder *builder, enum event_kind kind)
{
	struct event event = { .time_ns = builder->now_ns, .kind = (uint8_t)kind };
	struct lo_error err;

	event.task = take_task(builder);
	while (!at_end(builder))
		if (!take_peer(builder, &event) && !take_place(builder, &event) &&
				!take_reason(builder, &event) && !take_flag(builder, &event) &&
				!take_object(builder, &event))
			give_up(builder, "what is '%.*s'?",
					(int)(builder->line_end - builder->next), builder->next);
	expect_ok(builder, trace_writer_event(builder->writer, &event, &err), &err);
}

/* ---- other lines ---- */

static void read_meta(struct builder *builder)
{
	char key[WORD_MAX];
	char value[WORD_MAX];
	struct lo_error err;

	take_word(builder, key);
	take_rest(builder, value);
	expect_ok(builder, trace_writer_meta(builder->writer, key, value, &err), &err);
}

static void read_lost(struct builder *builder)
{
	uint64_t count = take_number(builder);
	unsigned cause = take_name(builder, loss_cause_name, LOSS_CAUSE_COUNT);
	struct lo_error err;

	if (cause == LOSS_CAUSE_COUNT)
		give_up(builder, "no cause of a loss");
	expect_ok(builder, trace_writer_lost(builder->writer, (enum loss_cause)cause, count, &err),
			&err);
}

static void read_counter(struct builder *builder)
{
	struct counter_key key = { 0 };
	char name[WORD_MAX];
	char unit[WORD_MAX];
	uint32_t counter;
	struct lo_error err;

	take_word(builder, name);
	take_word(builder, unit);
	key.name = add_string(builder, name);
	key.unit = add_string(builder, unit);
	expect_ok(builder, trace_writer_counter(builder->writer, key, &counter, &err), &err);
	expect_ok(builder,
			trace_writer_sample(builder->writer, counter, builder->now_ns,
					take_number(builder), &err),
			&err);
}

static const char *note_kind_name(unsigned i)
{
	return note_schemas[i].name;
}

static void read_note(struct builder *builder)
{
	unsigned kind = take_name(builder, note_kind_name, NOTE_KIND_COUNT);
	struct note note = { .begin_ns = builder->now_ns, .end_ns = builder->now_ns };
	char word[WORD_MAX];
	struct lo_error err;

	if (kind == NOTE_KIND_COUNT)
		give_up(builder, "no kind of a note");
	note.kind = (uint8_t)kind;
	if (take(builder, "of"))
		note.task = take_task(builder);
	if (take(builder, "since")) {
		take_word(builder, word);
		expect_ok(builder, duration_parse(word, &note.begin_ns, &err), &err);
	}
	if (take(builder, "called")) {
		take_word(builder, word);
		note.name = add_string(builder, word);
	}
	if (take(builder, "says")) {
		take_rest(builder, word);
		note.text = add_string(builder, word);
	}
	expect_ok(builder, trace_writer_note(builder->writer, &note, &err), &err);
}

static void read_flush(struct builder *builder)
{
	struct lo_error err;

	expect_ok(builder, trace_writer_flush(builder->writer, &err), &err);
}

static void read_advance(struct builder *builder)
{
	struct lo_error err;

	expect_ok(builder, trace_writer_advance(builder->writer, builder->now_ns, &err), &err);
}

static void read_process(struct builder *builder)
{
	struct lo_error err;

	need_program(builder, "program");
	builder->process.end_ns = builder->now_ns;
	builder->process.end = PROCESS_REPLACED;
	if (take(builder, "exited"))
		builder->process.end = PROCESS_EXITED;
	else if (take(builder, "killed"))
		builder->process.end = PROCESS_KILLED;
	else if (!take(builder, "replaced"))
		give_up(builder, "no end of a process");
	if (builder->process.end != PROCESS_REPLACED)
		builder->process.end_value = (uint32_t)take_number(builder);
	expect_ok(builder, trace_writer_process(builder->writer, &builder->process, &err), &err);
}

static void read_end(struct builder *builder)
{
	builder->end_ns = builder->now_ns;
}

static void read_cut(struct builder *builder)
{
	builder->cut = true;
}

static const struct {
	const char *word;
	void (*read)(struct builder *builder);
} line_kinds[] = {
	{ "program", read_program },
	{ "module", read_module },
	{ "meta", read_meta },
	{ "name", read_name },
	{ "runtime", read_runtime },
	{ "kind", read_kind },
	{ "lost", read_lost },
	{ "counter", read_counter },
	{ "note", read_note },
	{ "flush", read_flush },
	{ "advance", read_advance },
	{ "process", read_process },
	{ "end", read_end },
	{ "cut", read_cut },
};

static void read_time(struct builder *builder)
{
	char word[WORD_MAX];
	struct lo_error err;

	skip_blanks(builder);
	if (builder->next == builder->line_end || *builder->next != '@')
		return;
	builder->next++;
	take_word(builder, word);
	builder->now_ns = 0;
	if (strcmp(word, "0") != 0)
		expect_ok(builder, duration_parse(word, &builder->now_ns, &err), &err);
}

static void read_line(struct builder *builder)
{
	unsigned kind;

	read_time(builder);
	if (at_end(builder))
		return;
	kind = take_name(builder, event_name, EVENT_KIND_COUNT);
	if (kind < EVENT_KIND_COUNT) {
		read_event(builder, (enum event_kind)kind);
		return;
	}
	for (size_t i = 0; i < LO_COUNT_OF(line_kinds); i++)
		if (take(builder, line_kinds[i].word)) {
			line_kinds[i].read(builder);
			if (!at_end(builder))
				give_up(builder, "there is something left over");
			return;
		}
	give_up(builder, "no line begins like this");
}

static void read_text(struct builder *builder, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		const char *comment = memchr(text, '#', length);

		builder->line_number++;
		builder->line_start = text;
		builder->next = text;
		builder->line_end = comment ? comment : text + length;
		read_line(builder);
		text += length + (text[length] == '\n');
	}
}

void trace_text_to_bytes(const char *text, struct byte_buffer *file)
{
	struct builder *builder = calloc(1, sizeof(*builder));
	struct byte_sink *sink;
	struct lo_error err = { 0 };

	if (!builder || byte_sink_open_buffer(&sink, file, &err) != LO_OK)
		abort();
	expect_ok(builder, trace_writer_open(&builder->writer, sink, &err), &err);
	expect_ok(builder, string_table_new(&builder->frame_texts, &err), &err);
	read_text(builder, text);
	need_program(builder, "program");
	if (builder->end_ns < builder->now_ns)
		builder->end_ns = builder->now_ns;
	if (builder->cut)
		expect_ok(builder, trace_writer_flush(builder->writer, &err), &err);
	else
		expect_ok(builder, trace_writer_finish(builder->writer, builder->end_ns, &err),
				&err);
	trace_writer_close(builder->writer);
	string_table_free(builder->frame_texts);
	free(builder);
}

/* A source that keeps the bytes it reads from. */
struct owning_source {
	struct byte_source source;
	struct byte_buffer file;
};

static enum lo_result owning_read(struct byte_source *source, uint64_t offset, void *bytes,
		size_t size, size_t *got, struct lo_error *err)
{
	const struct byte_buffer *file = &((struct owning_source *)source)->file;

	(void)err;
	*got = 0;
	if (offset < file->size)
		*got = file->size - offset < size ? file->size - offset : size;
	if (*got > 0)
		memcpy(bytes, file->bytes + offset, *got);
	return LO_OK;
}

static uint64_t owning_size(struct byte_source *source)
{
	return ((struct owning_source *)source)->file.size;
}

static void owning_close(struct byte_source *source)
{
	byte_buffer_release(&((struct owning_source *)source)->file);
	free(source);
}

struct trace_reader *trace_from_text(const char *text)
{
	static const struct byte_source_ops ops = { owning_read, owning_size, owning_close };
	struct owning_source *source = calloc(1, sizeof(*source));
	struct trace_reader *reader = NULL;
	struct lo_error err = { 0 };

	if (!source)
		abort();
	source->source.ops = &ops;
	trace_text_to_bytes(text, &source->file);
	if (trace_reader_open(&reader, &source->source, NULL, &err) != LO_OK) {
		fprintf(stderr, "the built trace does not open: %s\n", err.message);
		abort();
	}
	return reader;
}
