#include <stdlib.h>
#include <string.h>

#include "formats/base/limits.h"
#include "formats/import/dump_history.h"
#include "formats/import/dump_line.h"
#include "formats/import/importer.h"

/*
 * Goroutine dumps, also several in one log between other lines. A goroutine is a header, pairs of
 * a function line and a location line, perhaps where it was created, and ends with an empty line
 * or the next header. What fits into none of this is somebody else's line and passed over.
 */
#define LINE_MAX_BYTES 65536u

/* Labels, ancestors and the like of one goroutine; the runtime keeps at most ten ancestors. */
#define REMARKS_MAX 32u

/* Bytes of a key or value of a label; the rest is cut. */
#define LABEL_MAX 1024u

enum part {
	PART_NOISE,    /* outside of any goroutine */
	PART_FRAMES,   /* of a goroutine, innermost first */
	PART_CREATED,  /* where it was created: one location */
	PART_ANCESTOR, /* frames of who made the goroutine's creator */
	PART_SKIP,     /* inside something that is not counted: system stacks */
	PART_GROUP,    /* frames of a group (debug=1) */
};

struct dumps {
	struct byte_stream *in;
	const struct progress *progress;
	struct dump_history history;
	enum part part;
	size_t prefix; /* of a log collector, before every line of the goroutine */

	struct dump_goroutine goroutine; /* the one that is being read */
	bool is_open;
	uint64_t count; /* of its group */
	struct go_frame frames[GO_FRAMES_MAX];
	uint32_t frame_count;
	struct go_frame created;
	bool has_created;
	struct go_frame ancestor_frames[GO_FRAMES_MAX];
	uint32_t ancestor_frame_count;
	uint64_t ancestor; /* whose frames these are, 0 = nobody's */
	struct note remarks[REMARKS_MAX];
	uint32_t remark_count;
	uint32_t function; /* string id of a function line whose location is to come, 0 = none */

	uint64_t nameless_statuses; /* for which there was no number left */
	uint64_t goroutines;
};

static enum lo_result intern(
		struct dumps *dumps, struct dump_text text, uint32_t *id, struct lo_error *err)
{
	*id = 0;
	if (text.length == 0)
		return LO_OK;
	return trace_writer_string(
			dumps->history.program.sink->writer, text.bytes, text.length, id, err);
}

static enum lo_result make_frame(struct dumps *dumps, struct dump_text file, uint32_t line,
		struct go_frame *frame, struct lo_error *err)
{
	enum lo_result result = intern(dumps, file, &frame->file, err);

	frame->function = dumps->function;
	frame->line = line;
	dumps->function = 0;
	if (result == LO_OK)
		result = go_program_place_pc(&dumps->history.program, frame->function, frame->file,
				line, &frame->pc, err);
	return result;
}

static bool is_function(const struct dumps *dumps, const struct go_frame *frame, const char *name)
{
	return strcmp(trace_writer_get_string(dumps->history.program.sink->writer, frame->function),
			       name) == 0;
}

/* ---- what is said beside frames and status ---- */

static void add_remark(struct dumps *dumps, const struct note *note)
{
	if (dumps->remark_count < REMARKS_MAX)
		dumps->remarks[dumps->remark_count++] = *note;
}

/* A text that may have escapes: of quotes and backslashes they are taken back. */
static enum lo_result intern_unquoted(
		struct dumps *dumps, struct dump_text text, uint32_t *id, struct lo_error *err)
{
	char plain[LABEL_MAX];
	uint32_t length = 0;

	for (uint32_t at = 0; at < text.length && length < sizeof(plain); at++) {
		if (text.bytes[at] == '\\' && at + 1 < text.length &&
				(text.bytes[at + 1] == '"' || text.bytes[at + 1] == '\\'))
			at++;
		plain[length++] = text.bytes[at];
	}
	return intern(dumps, (struct dump_text){ plain, length }, id, err);
}

static enum lo_result add_labels(struct dumps *dumps, struct dump_text labels, struct lo_error *err)
{
	enum lo_result result = LO_OK;
	struct dump_text key;
	struct dump_text value;

	while (result == LO_OK && dumps->remark_count < REMARKS_MAX &&
			dump_label_next(&labels, &key, &value)) {
		struct note note = { .kind = NOTE_LABEL };

		result = intern_unquoted(dumps, key, &note.name, err);
		if (result == LO_OK)
			result = intern_unquoted(dumps, value, &note.text, err);
		add_remark(dumps, &note);
	}
	return result;
}

static enum lo_result finish_ancestor(struct dumps *dumps, struct lo_error *err)
{
	struct note note = { .kind = NOTE_ANCESTOR, .value = dumps->ancestor };
	struct go_place place;
	enum lo_result result;

	if (dumps->ancestor == 0)
		return LO_OK;
	dumps->ancestor = 0;
	result = go_program_stack(&dumps->history.program, dumps->ancestor_frames,
			dumps->ancestor_frame_count, &place, err);
	note.stack = place.stack;
	add_remark(dumps, &note);
	return result;
}

static enum lo_result tell_remarks(struct dumps *dumps, uint32_t first, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < dumps->remark_count && result == LO_OK; i++)
		result = dump_history_remark(&dumps->history, &dumps->remarks[i], first, err);
	return result;
}

/* The frames collected so far as stacks of the native trace. */
static enum lo_result finish_stacks(struct dumps *dumps, struct lo_error *err)
{
	struct dump_goroutine *goroutine = &dumps->goroutine;
	struct go_program *program = &dumps->history.program;
	struct go_place place;
	enum lo_result result;

	/* Below every goroutine, but shown only in some dumps. */
	if (dumps->frame_count > 0 && is_function(dumps, &dumps->frames[dumps->frame_count - 1],
						      "runtime.goexit"))
		dumps->frame_count--;
	result = go_program_stack(program, dumps->frames, dumps->frame_count, &place, err);
	if (result != LO_OK)
		return result;
	goroutine->stack = place.stack;
	goroutine->entry = place.entry;
	if (!dumps->has_created)
		return LO_OK;
	result = go_program_stack(program, &dumps->created, 1, &place, err);
	goroutine->creation_stack = place.stack;
	return result;
}

/* Groups come without status; what the innermost named frame is called tells some of it. */
static enum wait_reason guess_reason(const struct dumps *dumps)
{
	static const struct {
		const char *function;
		enum wait_reason reason;
	} places[] = {
		{ "sync.runtime_notifyListWait", REASON_SYNC_COND_DUMP },
		{ "sync.runtime_SemacquireWaitGroup", REASON_SYNC_WAIT_GROUP },
		{ "sync.runtime_SemacquireMutex", REASON_SYNC_MUTEX_LOCK },
		{ "internal/sync.runtime_SemacquireMutex", REASON_SYNC_MUTEX_LOCK },
		{ "sync.runtime_SemacquireRWMutexR", REASON_SYNC_RWMUTEX_RLOCK },
		{ "sync.runtime_SemacquireRWMutex", REASON_SYNC_RWMUTEX_LOCK },
		{ "sync.runtime_Semacquire", REASON_SEMACQUIRE },
		{ "internal/poll.runtime_Semacquire", REASON_SEMACQUIRE },
		{ "internal/poll.runtime_pollWait", REASON_IO_WAIT },
		{ "time.Sleep", REASON_SLEEP },
	};

	for (unsigned i = 0; i < LO_COUNT_OF(places) && dumps->frame_count > 0; i++)
		if (is_function(dumps, &dumps->frames[0], places[i].function))
			return places[i].reason;
	return REASON_NONE;
}

static enum lo_result close_goroutine(struct dumps *dumps, struct lo_error *err)
{
	uint32_t first = dumps->history.present.count;
	enum lo_result result = LO_OK;

	if (dumps->is_open) {
		result = finish_stacks(dumps, err);
		if (result == LO_OK)
			result = finish_ancestor(dumps, err);
		if (result == LO_OK && dumps->count > 0) {
			dumps->goroutine.blocked = true;
			dumps->goroutine.reason = (uint8_t)guess_reason(dumps);
			result = dump_history_add_group(
					&dumps->history, &dumps->goroutine, dumps->count, err);
		} else if (result == LO_OK)
			result = dump_history_add(&dumps->history, &dumps->goroutine, err);
		if (result == LO_OK)
			result = tell_remarks(dumps, first, err);
	}
	dumps->is_open = false;
	dumps->part = PART_NOISE;
	dumps->function = 0;
	return result;
}

static void open_goroutine(struct dumps *dumps, enum part part)
{
	dumps->goroutine = (struct dump_goroutine){ 0 };
	dumps->is_open = true;
	dumps->count = 0;
	dumps->frame_count = 0;
	dumps->has_created = false;
	dumps->ancestor = 0;
	dumps->remark_count = 0;
	dumps->part = part;
	dumps->goroutines++;
}

static bool is_runnable(struct dump_text status)
{
	static const char *const runnable[] = { "running", "runnable", "idle", "copystack", "dead",
		"waiting for GC" };

	for (unsigned i = 0; i < sizeof(runnable) / sizeof(runnable[0]); i++)
		if (dump_text_is(status, runnable[i]))
			return true;
	return false;
}

static enum lo_result begin_goroutine(
		struct dumps *dumps, const struct dump_header *header, struct lo_error *err)
{
	enum lo_result result = close_goroutine(dumps, err);
	bool named = true;

	dumps->prefix = header->prefix;
	if (header->goroutine == 0) { /* a thread's own stack */
		dumps->part = PART_SKIP;
		return result;
	}
	if (result == LO_OK && dump_history_has(&dumps->history, header->goroutine))
		result = dump_history_end_dump(&dumps->history, err);
	open_goroutine(dumps, PART_FRAMES);
	dumps->goroutine.number = header->goroutine;
	dumps->goroutine.blocked = !is_runnable(header->status);
	dumps->goroutine.minutes = header->minutes <= UINT32_MAX ? (uint32_t)header->minutes : 0;
	if (result == LO_OK && dumps->goroutine.blocked)
		result = go_program_reason(&dumps->history.program, header->status.bytes,
				header->status.length, &dumps->goroutine.reason, &named, err);
	dumps->nameless_statuses += !named;
	if (header->locked)
		add_remark(dumps, &(struct note){ .kind = NOTE_THREAD_LOCK });
	return result == LO_OK ? add_labels(dumps, header->labels, err) : result;
}

static enum lo_result begin_group(struct dumps *dumps, uint64_t count, struct lo_error *err)
{
	enum lo_result result = close_goroutine(dumps, err);

	open_goroutine(dumps, PART_GROUP);
	dumps->count = count;
	return result;
}

static enum lo_result begin_dump(struct dumps *dumps, struct lo_error *err)
{
	enum lo_result result = close_goroutine(dumps, err);

	if (result == LO_OK)
		result = dump_history_end_dump(&dumps->history, err);
	return result;
}

static enum lo_result begin_dump_at(struct dumps *dumps, uint64_t unix_ns, struct lo_error *err)
{
	enum lo_result result = begin_dump(dumps, err);

	dump_history_taken(&dumps->history, unix_ns);
	return result;
}

static enum lo_result add_frame(
		struct dumps *dumps, struct dump_text file, uint32_t line, struct lo_error *err)
{
	bool own = dumps->part != PART_ANCESTOR;
	struct go_frame *frames = own ? dumps->frames : dumps->ancestor_frames;
	uint32_t *count = own ? &dumps->frame_count : &dumps->ancestor_frame_count;

	if (*count == GO_FRAMES_MAX) {
		dumps->function = 0;
		return LO_OK;
	}
	return make_frame(dumps, file, line, &frames[(*count)++], err);
}

static enum lo_result begin_ancestor(struct dumps *dumps, uint64_t goroutine, struct lo_error *err)
{
	enum lo_result result = finish_ancestor(dumps, err);

	dumps->part = PART_ANCESTOR;
	dumps->ancestor = goroutine;
	dumps->ancestor_frame_count = 0;
	dumps->function = 0;
	return result;
}

static enum lo_result take_location(
		struct dumps *dumps, struct dump_text file, uint32_t line, struct lo_error *err)
{
	if (dumps->part == PART_CREATED) {
		dumps->has_created = true;
		dumps->part = PART_SKIP;
		return make_frame(dumps, file, line, &dumps->created, err);
	}
	return add_frame(dumps, file, line, err);
}

static enum lo_result take_goroutine_line(
		struct dumps *dumps, struct dump_text line, struct lo_error *err)
{
	struct dump_text text;
	uint32_t line_number;
	uint64_t number;

	if (dump_text_trim(line).length == 0)
		return close_goroutine(dumps, err);
	if (!dumps->is_open) /* a thread's own stack */
		return LO_OK;
	if (dump_line_ancestor(line, &number))
		return begin_ancestor(dumps, number, err);
	if (dump_line_elided(line, &number)) {
		add_remark(dumps, &(struct note){ .kind = NOTE_FRAMES_ELIDED, .value = number });
		return LO_OK;
	}
	if (dumps->part == PART_ANCESTOR && dump_line_created(line, &text, &number)) {
		dumps->part = PART_SKIP;
		return LO_OK;
	}
	if (dumps->part == PART_FRAMES &&
			dump_line_created(line, &text, &dumps->goroutine.creator)) {
		dumps->part = PART_CREATED;
		return intern(dumps, text, &dumps->function, err);
	}
	if (dumps->function && dump_line_location(line, &text, &line_number))
		return take_location(dumps, text, line_number, err);
	dumps->function = 0;
	if ((dumps->part == PART_FRAMES || dumps->part == PART_ANCESTOR) &&
			dump_line_function(line, &text))
		return intern(dumps, text, &dumps->function, err);
	return LO_OK;
}

static enum lo_result take_group_line(
		struct dumps *dumps, struct dump_text line, struct lo_error *err)
{
	struct dump_text function;
	struct dump_text labels;
	struct dump_text file;
	uint32_t line_number;
	enum lo_result result;

	if (dump_text_trim(line).length == 0)
		return close_goroutine(dumps, err);
	if (dump_line_labels(line, &labels))
		return add_labels(dumps, labels, err);
	if (!dump_line_group_frame(line, &function, &file, &line_number))
		return LO_OK;
	result = intern(dumps, function, &dumps->function, err);
	if (result != LO_OK)
		return result;
	return add_frame(dumps, file, line_number, err);
}

static enum lo_result take_line(struct dumps *dumps, struct dump_text line, struct lo_error *err)
{
	struct dump_header header;
	uint64_t count;
	uint64_t unix_ns;

	if (dump_line_header(line, &header))
		return begin_goroutine(dumps, &header, err);
	if (dump_line_profile(line))
		return begin_dump(dumps, err);
	if (dump_line_taken(line, &unix_ns))
		return begin_dump_at(dumps, unix_ns, err);
	if (dump_line_group(line, &count))
		return begin_group(dumps, count, err);
	if (line.length >= dumps->prefix && dumps->part != PART_GROUP) {
		line.bytes += dumps->prefix;
		line.length -= (uint32_t)dumps->prefix;
	}
	switch (dumps->part) {
	case PART_GROUP:
		return take_group_line(dumps, line, err);
	case PART_FRAMES:
	case PART_CREATED:
	case PART_ANCESTOR:
	case PART_SKIP:
		return take_goroutine_line(dumps, line, err);
	default:
		return LO_OK;
	}
}

/* One line without its end; longer ones than LINE_MAX_BYTES come in pieces. LO_END at the end. */
static enum lo_result next_line(
		struct byte_stream *in, struct dump_text *line, size_t *taken, struct lo_error *err)
{
	const uint8_t *bytes;
	const uint8_t *end;
	size_t got;
	enum lo_result result = byte_stream_peek(in, LINE_MAX_BYTES, &bytes, &got, err);

	if (result != LO_OK)
		return result;
	if (got == 0)
		return LO_END;
	end = memchr(bytes, '\n', got);
	*taken = end ? (size_t)(end - bytes) + 1 : got;
	*line = (struct dump_text){ (const char *)bytes, (uint32_t)(*taken - (end != NULL)) };
	return LO_OK;
}

static enum lo_result read_lines(struct dumps *dumps, struct lo_error *err)
{
	for (uint64_t lines = 0;; lines++) {
		struct dump_text line;
		size_t taken;
		enum lo_result result = next_line(dumps->in, &line, &taken, err);

		if (result == LO_OK)
			result = take_line(dumps, line, err);
		if (result != LO_OK)
			return result;
		byte_stream_skip(dumps->in, taken);
		if (lines % 1024 == 0 &&
				!progress_step(dumps->progress, byte_stream_done(dumps->in),
						byte_stream_total(dumps->in)))
			return lo_fail(err, LO_CANCELLED, LO_NO_OFFSET, "the import was stopped");
	}
}

static enum lo_result warn_of_limits(struct dumps *dumps, struct lo_error *err)
{
	struct import_sink *sink = dumps->history.program.sink;
	enum lo_result result = import_sink_warn(sink, err,
			"A goroutine dump is a moment: when goroutines were created is not known, "
			"and waits of less than a minute are shown as if they had just begun.");

	if (result == LO_OK && dumps->history.dumps > 1 && dumps->history.guessed_distance)
		result = import_sink_warn(sink, err,
				"The dumps do not say how much time lies between them; one second "
				"each is shown.");
	if (result == LO_OK && dumps->nameless_statuses)
		result = import_sink_warn(sink, err,
				"%llu statuses are more than can be named; they are shown as "
				"'unspecified'.",
				(unsigned long long)dumps->nameless_statuses);
	if (result == LO_OK && dumps->history.dropped)
		result = import_sink_warn(sink, err,
				"There are more goroutines than can be shown; %llu are left out.",
				(unsigned long long)dumps->history.dropped);
	return result;
}

static enum lo_result read_part(struct dumps *dumps, struct byte_stream *in, struct lo_error *err)
{
	enum lo_result result;

	dumps->in = in;
	dumps->prefix = 0;
	result = read_lines(dumps, err);
	if (result == LO_END)
		result = close_goroutine(dumps, err);
	if (result == LO_OK)
		result = dump_history_end_dump(&dumps->history, err);
	return result;
}

/* Files that were copied together have times that say nothing: then all of them count for none. */
static bool are_in_order(const struct import_part *parts, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++)
		if (parts[i - 1].modified_ns == 0 ||
				parts[i].modified_ns <= parts[i - 1].modified_ns)
			return false;
	return true;
}

static enum lo_result read_all(struct dumps *dumps, const struct import_part *parts, uint32_t count,
		struct lo_error *err)
{
	bool in_order = are_in_order(parts, count);
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < count && result == LO_OK; i++) {
		dumps->history.watch_ns = in_order && i > 0
							  ? parts[i].modified_ns -
									    parts[i - 1].modified_ns
							  : 0;
		result = read_part(dumps, parts[i].in, err);
	}
	if (result == LO_OK && dumps->goroutines == 0)
		return lo_fail(err, LO_CORRUPT, LO_NO_OFFSET,
				"a goroutine dump without goroutines");
	if (result == LO_OK)
		result = warn_of_limits(dumps, err);
	return result;
}

static enum lo_result run_parts(const struct import_part *parts, uint32_t count,
		struct import_sink *sink, const struct progress *progress, struct lo_error *err)
{
	struct dumps *dumps = calloc(1, sizeof(*dumps));
	enum lo_result result;

	if (!dumps)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory to read dumps");
	dumps->progress = progress;
	result = dump_history_init(&dumps->history, sink, err);
	if (result == LO_OK)
		result = read_all(dumps, parts, count, err);
	dump_history_release(&dumps->history);
	free(dumps);
	return result;
}

static enum lo_result run(struct byte_stream *in, struct import_sink *sink,
		const struct progress *progress, struct lo_error *err)
{
	struct import_part part = { in, 0 };

	return run_parts(&part, 1, sink, progress, err);
}

static bool probe(const uint8_t *head, size_t size)
{
	struct dump_text text = { (const char *)head, (uint32_t)size };

	if (memchr(head, '\0', size)) /* no text */
		return false;
	while (text.length > 0) {
		const char *end = memchr(text.bytes, '\n', text.length);
		struct dump_text line = { text.bytes,
			end ? (uint32_t)(end - text.bytes) : text.length };
		struct dump_header header;

		if (dump_line_header(line, &header) || dump_line_profile(line))
			return true;
		text.bytes += line.length + (end != NULL);
		text.length -= line.length + (uint32_t)(end != NULL);
	}
	return false;
}

const struct importer goroutine_dump_importer = {
	.name = "goroutine-dump",
	.help = "goroutine dumps: SIGQUIT, panics, /debug/pprof/goroutine?debug=1 or 2, in any log",
	.probe = probe,
	.run = run,
	.run_parts = run_parts,
};
