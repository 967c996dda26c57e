#include "formats/import/go_v1_file.h"

#include <stdlib.h>

#include "formats/base/limits.h"
#include "formats/import/grow.h"

#define READ_BYTES    (256u << 10)
#define TYPE_BITS     6u
#define COUNTED       3u /* the arguments follow their length in bytes */
#define FRAME_NUMBERS 4u /* pc, function, file, line */

/* First byte of a batch: its type, and two arguments. */
#define BATCH_BYTE (GO_V1_BATCH | 1u << TYPE_BITS)

/* A P beyond this is not believed when looking for the end of damage. */
#define PLAUSIBLE_PROCS 65536u

static void take_arguments(struct byte_cursor *cursor, unsigned most, struct go_v1_event *event)
{
	for (unsigned i = 0; i < most && byte_cursor_left(cursor) > 0; i++) {
		uint64_t value = byte_cursor_varint(cursor);

		if (i < GO_V1_ARGUMENTS_MAX) {
			event->arguments[i] = value;
			event->count = (uint8_t)(i + 1);
		}
	}
}

static bool parse_string(struct byte_cursor *cursor, struct go_v1_event *event)
{
	uint64_t length;
	const uint8_t *bytes;

	event->arguments[0] = byte_cursor_varint(cursor);
	length = byte_cursor_varint(cursor);
	if (length > GO_V1_STRING_MAX)
		return false;
	bytes = byte_cursor_bytes(cursor, length);
	event->rest = byte_cursor_over(bytes, bytes ? length : 0);
	return bytes && !cursor->failed;
}

bool go_v1_parse(struct byte_cursor *cursor, struct go_v1_event *event)
{
	uint8_t head = byte_cursor_byte(cursor);
	unsigned kind = head >> TYPE_BITS;

	*event = (struct go_v1_event){ .type = head & ((1u << TYPE_BITS) - 1) };
	if (cursor->failed || event->type == 0 || event->type >= GO_V1_TYPES)
		return false;
	if (event->type == GO_V1_STRING)
		return parse_string(cursor, event);
	if (kind == COUNTED) {
		uint64_t size = byte_cursor_varint(cursor);
		const uint8_t *bytes = byte_cursor_bytes(cursor, size);

		if (!bytes)
			return false;
		event->rest = byte_cursor_over(bytes, size);
		if (event->type != GO_V1_STACK) {
			take_arguments(&event->rest, GO_V1_ARGUMENTS_MAX, event);
			if (event->rest.failed)
				return false;
		}
	} else {
		take_arguments(cursor, kind + 1, event);
		if (event->count < kind + 1)
			return false;
	}
	if (event->type == GO_V1_USER_LOG) { /* its text stands behind its arguments */
		uint64_t size = byte_cursor_varint(cursor);
		const uint8_t *bytes = byte_cursor_bytes(cursor, size);

		event->rest = byte_cursor_over(bytes, bytes ? size : 0);
	}
	return !cursor->failed;
}

void go_v1_file_release(struct go_v1_file *file)
{
	byte_buffer_release(&file->bytes);
	free(file->batches);
	free(file->procs);
	free(file->texts);
	free(file->stacks);
	free(file->samples);
	number_map_release(&file->proc_index);
	number_map_release(&file->text_index);
	number_map_release(&file->stack_index);
	*file = (struct go_v1_file){ 0 };
}

static enum lo_result add_text(
		struct go_v1_file *file, const struct go_v1_event *event, struct lo_error *err)
{
	struct go_v1_text *texts;

	if (number_map_get(&file->text_index, event->arguments[0]) != 0)
		return LO_OK;
	texts = grow_array(file->texts, file->text_count, &file->text_capacity, sizeof(*texts),
			"strings", err);
	if (!texts)
		return LO_NO_MEMORY;
	file->texts = texts;
	texts[file->text_count++] = (struct go_v1_text){
		.begin = (size_t)(event->rest.next - file->bytes.bytes),
		.length = (uint32_t)byte_cursor_left(&event->rest),
	};
	return number_map_put(&file->text_index, event->arguments[0], file->text_count, err);
}

static enum lo_result add_stack(
		struct go_v1_file *file, const struct go_v1_event *event, struct lo_error *err)
{
	struct byte_cursor numbers = event->rest;
	uint64_t id = byte_cursor_varint(&numbers);
	struct go_v1_stack *stacks;

	if (numbers.failed || byte_cursor_left(&numbers) > UINT32_MAX ||
			number_map_get(&file->stack_index, id) != 0)
		return LO_OK;
	stacks = grow_array(file->stacks, file->stack_count, &file->stack_capacity, sizeof(*stacks),
			"stacks", err);
	if (!stacks)
		return LO_NO_MEMORY;
	file->stacks = stacks;
	stacks[file->stack_count++] = (struct go_v1_stack){
		.begin = (size_t)(numbers.next - file->bytes.bytes),
		.size = (uint32_t)byte_cursor_left(&numbers),
	};
	return number_map_put(&file->stack_index, id, file->stack_count, err);
}

static enum lo_result add_sample(
		struct go_v1_file *file, const struct go_v1_event *event, struct lo_error *err)
{
	struct go_v1_sample *samples = grow_array(file->samples, file->sample_count,
			&file->sample_capacity, sizeof(*samples), "samples", err);

	if (!samples)
		return LO_NO_MEMORY;
	file->samples = samples;
	samples[file->sample_count++] = (struct go_v1_sample){ event->arguments[1],
		event->arguments[3], event->arguments[4] };
	return LO_OK;
}

static enum lo_result find_proc(struct go_v1_file *file, uint64_t number, struct go_v1_proc **out,
		struct lo_error *err)
{
	uint32_t index = number_map_get(&file->proc_index, number);
	struct go_v1_proc *procs;

	if (index != 0) {
		*out = &file->procs[index - 1];
		return LO_OK;
	}
	procs = grow_array(file->procs, file->proc_count, &file->proc_capacity, sizeof(*procs),
			"Ps", err);
	if (!procs)
		return LO_NO_MEMORY;
	file->procs = procs;
	*out = &procs[file->proc_count++];
	**out = (struct go_v1_proc){ .number = number };
	return number_map_put(&file->proc_index, number, file->proc_count, err);
}

/* A batch begins at `begin`; how long it is shows when the next one begins. */
static enum lo_result add_batch(struct go_v1_file *file, const struct go_v1_event *event,
		size_t begin, struct lo_error *err)
{
	struct go_v1_proc *proc;
	struct go_v1_batch *batches;
	enum lo_result result = find_proc(file, event->arguments[0], &proc, err);

	if (result != LO_OK)
		return result;
	batches = grow_array(file->batches, file->batch_count, &file->batch_capacity,
			sizeof(*batches), "batches", err);
	if (!batches)
		return LO_NO_MEMORY;
	file->batches = batches;
	batches[file->batch_count++] = (struct go_v1_batch){ .ticks = event->arguments[1],
		.begin = begin };
	if (proc->last)
		batches[proc->last - 1].next = file->batch_count;
	else
		proc->first = file->batch_count;
	proc->last = file->batch_count;
	return LO_OK;
}

static void end_batch(struct go_v1_file *file, size_t end)
{
	struct go_v1_batch *last;

	if (file->batch_count == 0)
		return;
	last = &file->batches[file->batch_count - 1];
	if (last->size == 0 && end > last->begin)
		last->size = end - last->begin;
}

/* Behind damage: the next place that looks like the begin of a batch. */
static void find_batch(struct go_v1_file *file, struct byte_cursor *cursor)
{
	const uint8_t *end = file->bytes.bytes + file->bytes.size;

	while (cursor->next < end) {
		struct byte_cursor trial = byte_cursor_over(
				cursor->next, (size_t)(end - cursor->next));
		struct go_v1_event event;

		if (*cursor->next == BATCH_BYTE && go_v1_parse(&trial, &event) &&
				(event.arguments[0] < PLAUSIBLE_PROCS ||
						event.arguments[0] == UINT64_MAX) &&
				event.arguments[1] > PLAUSIBLE_PROCS)
			return;
		cursor->next++;
		file->skipped_bytes++;
	}
}

static enum lo_result take_event(struct go_v1_file *file, const struct go_v1_event *event,
		size_t begin, size_t end, struct lo_error *err)
{
	switch (event->type) {
	case GO_V1_BATCH:
		end_batch(file, begin);
		return add_batch(file, event, end, err);
	case GO_V1_FREQUENCY:
		if (event->arguments[0] > 0)
			file->frequency = event->arguments[0];
		return LO_OK;
	case GO_V1_STRING:
		return add_text(file, event, err);
	case GO_V1_STACK:
		return add_stack(file, event, err);
	case GO_V1_CPU_SAMPLE:
		return add_sample(file, event, err);
	default:
		return LO_OK;
	}
}

static enum lo_result find_tables(struct go_v1_file *file, struct lo_error *err)
{
	struct byte_cursor cursor = byte_cursor_over(file->bytes.bytes, file->bytes.size);
	const uint8_t *origin = file->bytes.bytes;
	enum lo_result result = LO_OK;

	while (result == LO_OK && byte_cursor_left(&cursor) > 0) {
		size_t begin = (size_t)(cursor.next - origin);
		struct go_v1_event event;

		if (go_v1_parse(&cursor, &event)) {
			result = take_event(
					file, &event, begin, (size_t)(cursor.next - origin), err);
			continue;
		}
		end_batch(file, begin);
		cursor = byte_cursor_over(origin + begin + 1, file->bytes.size - begin - 1);
		file->skipped_bytes++;
		find_batch(file, &cursor);
	}
	end_batch(file, file->bytes.size);
	return result;
}

enum lo_result go_v1_file_read(struct go_v1_file *file, struct byte_stream *in,
		const struct progress *progress, struct lo_error *err)
{
	for (;;) {
		const uint8_t *bytes;
		size_t got;
		enum lo_result result = byte_stream_peek(in, READ_BYTES, &bytes, &got, err);

		if (result != LO_OK)
			return result;
		if (got == 0)
			break;
		if (!progress_step(progress, byte_stream_done(in), byte_stream_total(in)))
			return lo_fail(err, LO_CANCELLED, LO_NO_OFFSET, "the import was stopped");
		if (file->bytes.size + got > LIMIT_GO_GENERATION)
			return lo_fail(err, LO_UNSUPPORTED, LO_NO_OFFSET,
					"a trace of this format of more than %u MiB",
					LIMIT_GO_GENERATION >> 20);
		byte_buffer_put(&file->bytes, bytes, got);
		byte_stream_skip(in, got);
		result = byte_buffer_check(&file->bytes, err);
		if (result != LO_OK)
			return result;
	}
	return find_tables(file, err);
}

enum lo_result go_v1_file_text(struct go_v1_file *file, uint64_t id, struct go_program *program,
		uint32_t *string, struct lo_error *err)
{
	uint32_t index = id ? number_map_get(&file->text_index, id) : 0;
	struct go_v1_text *text = index ? &file->texts[index - 1] : NULL;
	enum lo_result result = LO_OK;

	*string = 0;
	if (!text || text->length == 0)
		return LO_OK;
	if (text->string == 0)
		result = trace_writer_string(program->sink->writer,
				(const char *)file->bytes.bytes + text->begin, text->length,
				&text->string, err);
	*string = text->string;
	return result;
}

static enum lo_result hand_over_stack(struct go_v1_file *file, struct go_v1_stack *stack,
		struct go_program *program, struct lo_error *err)
{
	struct go_frame frames[GO_FRAMES_MAX];
	struct byte_cursor cursor = byte_cursor_over(file->bytes.bytes + stack->begin, stack->size);
	uint64_t claimed = byte_cursor_varint(&cursor);
	uint32_t count = 0;

	stack->handed_over = true;
	while (count < GO_FRAMES_MAX && count < claimed) {
		struct go_frame *frame = &frames[count];
		uint64_t numbers[FRAME_NUMBERS];
		enum lo_result result;

		for (unsigned i = 0; i < FRAME_NUMBERS; i++)
			numbers[i] = byte_cursor_varint(&cursor);
		if (cursor.failed)
			break;
		frame->pc = numbers[0];
		frame->line = numbers[3] <= UINT32_MAX ? (uint32_t)numbers[3] : 0;
		result = go_v1_file_text(file, numbers[1], program, &frame->function, err);
		if (result == LO_OK)
			result = go_v1_file_text(file, numbers[2], program, &frame->file, err);
		if (result != LO_OK)
			return result;
		count++;
	}
	return go_program_stack(program, frames, count, &stack->place, err);
}

enum lo_result go_v1_file_stack(struct go_v1_file *file, uint64_t id, struct go_program *program,
		struct go_place *place, struct lo_error *err)
{
	uint32_t index = id ? number_map_get(&file->stack_index, id) : 0;
	enum lo_result result = LO_OK;

	*place = (struct go_place){ 0 };
	if (index == 0)
		return LO_OK;
	if (!file->stacks[index - 1].handed_over)
		result = hand_over_stack(file, &file->stacks[index - 1], program, err);
	*place = file->stacks[index - 1].place;
	return result;
}
