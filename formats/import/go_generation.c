#include "formats/import/go_generation.h"

#include <stdlib.h>
#include <string.h>

#include "formats/base/limits.h"
#include "formats/import/grow.h"

#define FRAME_NUMBERS 4u /* pc, function, file, line */

void go_generation_init(struct go_generation *generation, uint64_t number)
{
	*generation = (struct go_generation){ .number = number };
}

void go_generation_clear(struct go_generation *generation, uint64_t number)
{
	struct go_generation empty = {
		.number = number,
		.bytes = generation->bytes,
		.capacity = generation->capacity,
		.batches = generation->batches,
		.batch_capacity = generation->batch_capacity,
		.threads = generation->threads,
		.thread_capacity = generation->thread_capacity,
		.texts = generation->texts,
		.text_capacity = generation->text_capacity,
		.stacks = generation->stacks,
		.stack_capacity = generation->stack_capacity,
		.samples = generation->samples,
		.sample_capacity = generation->sample_capacity,
	};

	number_map_clear(&generation->thread_index);
	number_map_clear(&generation->text_index);
	number_map_clear(&generation->stack_index);
	empty.thread_index = generation->thread_index;
	empty.text_index = generation->text_index;
	empty.stack_index = generation->stack_index;
	*generation = empty;
}

void go_generation_release(struct go_generation *generation)
{
	free(generation->bytes);
	free(generation->batches);
	free(generation->threads);
	free(generation->texts);
	free(generation->stacks);
	free(generation->samples);
	number_map_release(&generation->thread_index);
	number_map_release(&generation->text_index);
	number_map_release(&generation->stack_index);
	go_generation_init(generation, 0);
}

#define GROW(generation, name, err)                                                     \
	grow_array((generation)->name##s, (generation)->name##_count,                   \
			&(generation)->name##_capacity, sizeof(*(generation)->name##s), \
			"rows of a generation", (err))

static enum lo_result keep_payload(struct go_generation *generation, const struct go_batch *batch,
		struct lo_error *err)
{
	size_t size = generation->size + batch->size;

	if (size > LIMIT_GO_GENERATION)
		return lo_fail(err, LO_UNSUPPORTED, batch->offset,
				"a generation of more than %u MiB", LIMIT_GO_GENERATION >> 20);
	if (size > generation->capacity) {
		size_t capacity = size + size / 2 + GO_WIRE_BATCH_MAX;
		uint8_t *bytes = realloc(generation->bytes, capacity);

		if (!bytes)
			return lo_fail(err, LO_NO_MEMORY, batch->offset,
					"no memory for a generation");
		generation->bytes = bytes;
		generation->capacity = capacity;
	}
	if (batch->size > 0)
		memcpy(generation->bytes + generation->size, batch->payload, batch->size);
	generation->size = size;
	return LO_OK;
}

static enum lo_result add_string(struct go_generation *generation, uint64_t id, size_t begin,
		uint32_t length, struct lo_error *err)
{
	struct go_text *texts;

	if (number_map_get(&generation->text_index, id) != 0)
		return LO_OK;
	texts = GROW(generation, text, err);
	if (!texts)
		return LO_NO_MEMORY;
	generation->texts = texts;
	texts[generation->text_count++] = (struct go_text){ .begin = begin, .length = length };
	return number_map_put(&generation->text_index, id, generation->text_count, err);
}

static enum lo_result add_strings(
		struct go_generation *generation, struct byte_cursor cursor, struct lo_error *err)
{
	while (byte_cursor_left(&cursor) > 0) {
		uint8_t tag = byte_cursor_byte(&cursor);
		uint64_t id = byte_cursor_varint(&cursor);
		uint64_t length = byte_cursor_varint(&cursor);
		const uint8_t *text = byte_cursor_bytes(&cursor, length);
		enum lo_result result;

		if (!text || tag != GO_WIRE_STRING || length > GO_WIRE_STRING_MAX) {
			generation->damaged_tables++;
			return LO_OK;
		}
		result = add_string(generation, id, (size_t)(text - generation->bytes),
				(uint32_t)length, err);
		if (result != LO_OK)
			return result;
	}
	return LO_OK;
}

static enum lo_result add_stack(struct go_generation *generation, uint64_t id, size_t begin,
		uint32_t count, struct lo_error *err)
{
	struct go_frames *stacks;

	if (number_map_get(&generation->stack_index, id) != 0)
		return LO_OK;
	stacks = GROW(generation, stack, err);
	if (!stacks)
		return LO_NO_MEMORY;
	generation->stacks = stacks;
	stacks[generation->stack_count++] = (struct go_frames){ .begin = begin, .count = count };
	return number_map_put(&generation->stack_index, id, generation->stack_count, err);
}

static enum lo_result add_stacks(
		struct go_generation *generation, struct byte_cursor cursor, struct lo_error *err)
{
	while (byte_cursor_left(&cursor) > 0) {
		uint8_t tag = byte_cursor_byte(&cursor);
		uint64_t id = byte_cursor_varint(&cursor);
		uint64_t count = byte_cursor_varint(&cursor);
		size_t begin = (size_t)(cursor.next - generation->bytes);
		enum lo_result result;

		if (count > GO_FRAMES_MAX)
			byte_cursor_fail(&cursor);
		for (uint64_t i = 0; i < count * FRAME_NUMBERS && !cursor.failed; i++)
			byte_cursor_varint(&cursor);
		if (cursor.failed || tag != GO_WIRE_STACK) {
			generation->damaged_tables++;
			return LO_OK;
		}
		result = add_stack(generation, id, begin, (uint32_t)count, err);
		if (result != LO_OK)
			return result;
	}
	return LO_OK;
}

static enum lo_result add_samples(
		struct go_generation *generation, struct byte_cursor cursor, struct lo_error *err)
{
	while (byte_cursor_left(&cursor) > 0) {
		uint8_t tag = byte_cursor_byte(&cursor);
		struct go_sample sample = { .time = byte_cursor_varint(&cursor) };
		struct go_sample *samples;

		byte_cursor_varint(&cursor); /* thread */
		byte_cursor_varint(&cursor); /* P */
		sample.goroutine = byte_cursor_varint(&cursor);
		sample.stack = byte_cursor_varint(&cursor);
		if (cursor.failed || tag != GO_WIRE_CPU_SAMPLE) {
			generation->damaged_tables++;
			return LO_OK;
		}
		samples = GROW(generation, sample, err);
		if (!samples)
			return LO_NO_MEMORY;
		generation->samples = samples;
		samples[generation->sample_count++] = sample;
	}
	return LO_OK;
}

/* The clock batch; in later versions it also relates the trace's clock to the wall clock. */
static void add_clock(struct go_generation *generation, const struct go_batch *batch,
		struct byte_cursor cursor)
{
	uint64_t delta;
	uint64_t seconds;
	uint64_t nanoseconds;
	uint64_t frequency = 0;
	uint8_t tag = byte_cursor_byte(&cursor);

	if (tag == GO_WIRE_FREQUENCY)
		frequency = byte_cursor_varint(&cursor);
	if (frequency == 0 || cursor.failed) {
		generation->damaged_tables++;
		return;
	}
	generation->frequency = frequency;
	if (byte_cursor_left(&cursor) == 0 || byte_cursor_byte(&cursor) != GO_WIRE_CLOCK_SNAPSHOT)
		return;
	delta = byte_cursor_varint(&cursor);
	byte_cursor_varint(&cursor); /* the monotonic clock */
	seconds = byte_cursor_varint(&cursor);
	nanoseconds = byte_cursor_varint(&cursor);
	if (cursor.failed || seconds > INT64_MAX / 1000000000 || nanoseconds >= 1000000000)
		return;
	generation->has_wall_clock = true;
	generation->wall_units = batch->time + delta;
	generation->wall_unix_ns = seconds * 1000000000 + nanoseconds;
}

static struct go_thread_batches *thread_of(
		struct go_generation *generation, uint64_t thread, struct lo_error *err)
{
	uint32_t index = number_map_get(&generation->thread_index, thread);
	struct go_thread_batches *threads;

	if (index != 0)
		return &generation->threads[index - 1];
	threads = GROW(generation, thread, err);
	if (!threads)
		return NULL;
	generation->threads = threads;
	threads[generation->thread_count++] = (struct go_thread_batches){ .thread = thread };
	if (number_map_put(&generation->thread_index, thread, generation->thread_count, err) !=
			LO_OK)
		return NULL;
	return &threads[generation->thread_count - 1];
}

static enum lo_result add_events(struct go_generation *generation, const struct go_batch *batch,
		size_t begin, struct lo_error *err)
{
	struct go_thread_batches *thread = thread_of(generation, batch->thread, err);
	struct go_event_batch *batches = grow_array(generation->batches, generation->batch_count,
			&generation->batch_capacity, sizeof(*generation->batches), "batches", err);

	if (!thread || !batches)
		return LO_NO_MEMORY;
	generation->batches = batches;
	batches[generation->batch_count++] = (struct go_event_batch){
		.time = batch->time, .begin = begin, .size = batch->size
	};
	if (thread->last)
		batches[thread->last - 1].next = generation->batch_count;
	else
		thread->first = generation->batch_count;
	thread->last = generation->batch_count;
	return LO_OK;
}

enum lo_result go_generation_add(struct go_generation *generation, const struct go_batch *batch,
		struct lo_error *err)
{
	size_t begin = generation->size;
	struct byte_cursor cursor;
	enum lo_result result;

	if (batch->experimental || batch->size == 0)
		return LO_OK;
	result = keep_payload(generation, batch, err);
	if (result != LO_OK)
		return result;
	cursor = byte_cursor_over(generation->bytes + begin, batch->size);
	switch (*cursor.next) {
	case GO_WIRE_STRINGS:
		byte_cursor_byte(&cursor);
		return add_strings(generation, cursor, err);
	case GO_WIRE_STACKS:
		byte_cursor_byte(&cursor);
		return add_stacks(generation, cursor, err);
	case GO_WIRE_CPU_SAMPLES:
		byte_cursor_byte(&cursor);
		return add_samples(generation, cursor, err);
	case GO_WIRE_SYNC:
		byte_cursor_byte(&cursor);
		add_clock(generation, batch, cursor);
		return LO_OK;
	case GO_WIRE_FREQUENCY:
		add_clock(generation, batch, cursor);
		return LO_OK;
	default:
		return add_events(generation, batch, begin, err);
	}
}

bool go_generation_is_complete(const struct go_generation *generation)
{
	return generation->frequency != 0 && generation->text_count > 0 &&
	       (generation->stack_count > 0 || generation->ended);
}

static struct go_text *find_text(const struct go_generation *generation, uint64_t id)
{
	uint32_t index = number_map_get(&generation->text_index, id);

	return index ? &generation->texts[index - 1] : NULL;
}

bool go_generation_text(const struct go_generation *generation, uint64_t id, const char **bytes,
		uint32_t *length)
{
	const struct go_text *text = find_text(generation, id);

	if (!text)
		return false;
	*bytes = (const char *)generation->bytes + text->begin;
	*length = text->length;
	return true;
}

enum lo_result go_generation_string(struct go_generation *generation, uint64_t id,
		struct go_program *program, uint32_t *string, struct lo_error *err)
{
	struct go_text *text = id ? find_text(generation, id) : NULL;
	enum lo_result result = LO_OK;

	*string = 0;
	if (id && !text)
		generation->missing_texts++;
	if (!text || text->length == 0)
		return LO_OK;
	if (text->string == 0)
		result = trace_writer_string(program->sink->writer,
				(const char *)generation->bytes + text->begin, text->length,
				&text->string, err);
	*string = text->string;
	return result;
}

static enum lo_result find_reason(struct go_generation *generation, struct go_text *text,
		struct go_program *program, struct lo_error *err)
{
	bool named;
	enum lo_result result = go_program_reason(program,
			(const char *)generation->bytes + text->begin, text->length, &text->reason,
			&named, err);

	text->has_reason = true;
	generation->nameless_reasons += !named;
	return result;
}

enum lo_result go_generation_reason(struct go_generation *generation, uint64_t id,
		struct go_program *program, uint8_t *reason, struct lo_error *err)
{
	struct go_text *text = find_text(generation, id);
	enum lo_result result = LO_OK;

	*reason = id ? REASON_NONE : REASON_UNSPECIFIED;
	if (!text) {
		generation->missing_texts += id != 0;
		return LO_OK;
	}
	if (!text->has_reason)
		result = find_reason(generation, text, program, err);
	*reason = text->reason;
	return result;
}

static enum lo_result hand_over_stack(struct go_generation *generation, struct go_frames *stack,
		struct go_program *program, struct lo_error *err)
{
	struct go_frame frames[GO_FRAMES_MAX];
	struct byte_cursor cursor = byte_cursor_over(
			generation->bytes + stack->begin, generation->size - stack->begin);

	for (uint32_t i = 0; i < stack->count; i++) {
		struct go_frame *frame = &frames[i];
		enum lo_result result;
		uint64_t function;
		uint64_t file;
		uint64_t line;

		frame->pc = byte_cursor_varint(&cursor);
		function = byte_cursor_varint(&cursor);
		file = byte_cursor_varint(&cursor);
		line = byte_cursor_varint(&cursor);
		frame->line = line <= UINT32_MAX ? (uint32_t)line : 0;
		result = go_generation_string(generation, function, program, &frame->function, err);
		if (result == LO_OK)
			result = go_generation_string(generation, file, program, &frame->file, err);
		if (result != LO_OK)
			return result;
	}
	stack->handed_over = true;
	return go_program_stack(program, frames, stack->count, &stack->place, err);
}

enum lo_result go_generation_stack(struct go_generation *generation, uint64_t id,
		struct go_program *program, struct go_place *place, struct lo_error *err)
{
	uint32_t index = id ? number_map_get(&generation->stack_index, id) : 0;
	struct go_frames *stack;
	enum lo_result result = LO_OK;

	*place = (struct go_place){ 0 };
	if (index == 0) {
		generation->missing_stacks += id != 0;
		return LO_OK;
	}
	stack = &generation->stacks[index - 1];
	if (!stack->handed_over)
		result = hand_over_stack(generation, stack, program, err);
	*place = stack->place;
	return result;
}
