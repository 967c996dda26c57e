#include "tests/support/trace_sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/bytes.h"
#include "formats/native/layout.h"
#include "formats/native/trace_cursor.h"
#include "formats/native/trace_writer.h"
#include "tests/support/event_generator.h"

/* Appends to the sample's file and notes each write as a section. */
struct noting_sink {
	struct byte_sink sink;
	struct trace_sample *sample;
	uint32_t events_noted;
};

static enum lo_result note_write(
		struct byte_sink *sink, const void *bytes, size_t size, struct lo_error *err)
{
	struct noting_sink *noting = (struct noting_sink *)sink;
	struct trace_sample *sample = noting->sample;
	struct sample_section *section;

	sample->sections = realloc(
			sample->sections, (sample->section_count + 1) * sizeof(*sample->sections));
	if (!sample->sections)
		abort();
	section = &sample->sections[sample->section_count++];
	*section = (struct sample_section){ sample->file.size, size,
		load_le16((const uint8_t *)bytes + SECTION_AT_TYPE), 0, 0 };
	if (section->type == SECTION_BLOCK) {
		section->first_event = noting->events_noted;
		section->event_count = sample->event_count - noting->events_noted;
		noting->events_noted = sample->event_count;
	}
	byte_buffer_put(&sample->file, bytes, size);
	return byte_buffer_check(&sample->file, err);
}

static enum lo_result note_close(struct byte_sink *sink, struct lo_error *err)
{
	(void)err;
	free(sink);
	return LO_OK;
}

static struct byte_sink *open_noting_sink(struct trace_sample *sample)
{
	static const struct byte_sink_ops ops = { note_write, note_close };
	struct noting_sink *noting = calloc(1, sizeof(*noting));

	if (!noting)
		abort();
	noting->sink.ops = &ops;
	noting->sample = sample;
	return &noting->sink;
}

static void must(enum lo_result result, const struct lo_error *err)
{
	if (result == LO_OK)
		return;
	fprintf(stderr, "cannot write a sample: %s\n", err->message);
	abort();
}

/* Something for every table, so that damage can hit each of them. */
static void write_rows(struct trace_writer *writer, uint32_t block)
{
	struct task_info task = { .id = block + 1, .tid = 100 + block };
	struct process_info process = { .index = block + 1, .pid = 1 };
	struct symbol symbol = { .line = block + 1 };
	struct frame frame = { 0x900000 + block, MODULE_NONE };
	struct lo_error err;
	char text[32];
	uint32_t stack;
	uint32_t id;

	snprintf(text, sizeof(text), "text of block %u", block);
	must(trace_writer_string(writer, text, (uint32_t)strlen(text), &symbol.function, &err),
			&err);
	must(trace_writer_frame(writer, frame, &id, &err), &err);
	must(trace_writer_stack(writer, STACK_NONE, id, &stack, &err), &err);
	must(trace_writer_symbols(writer, id, &symbol, 1, &err), &err);
	task.name = symbol.function;
	must(trace_writer_task(writer, &task, &err), &err);
	must(trace_writer_process(writer, &process, &err), &err);
	must(trace_writer_meta(writer, "block", text, &err), &err);
}

void trace_sample_init(struct trace_sample *sample, uint32_t blocks, uint32_t rows, uint64_t seed)
{
	struct event_generator *generator = malloc(sizeof(*generator));
	struct trace_writer *writer;
	struct lo_error err;

	*sample = (struct trace_sample){ 0 };
	sample->events = malloc((size_t)blocks * rows * sizeof(*sample->events) + 1);
	if (!generator || !sample->events)
		abort();
	event_generator_init(generator, GENERATOR_SERVER, seed);
	must(trace_writer_open(&writer, open_noting_sink(sample), &err), &err);
	event_generator_write_stacks(generator, writer);
	for (uint32_t block = 0; block < blocks; block++) {
		write_rows(writer, block);
		for (uint32_t row = 0; row < rows; row++) {
			struct event event = event_generator_next(generator);

			sample->events[sample->event_count++] = event;
			must(trace_writer_event(writer, &event, &err), &err);
		}
		must(trace_writer_lost(writer, LOSS_RING_FULL, block + 1, &err), &err);
		must(trace_writer_flush(writer, &err), &err);
	}
	must(trace_writer_finish(writer, generator->now_ns + 1000, &err), &err);
	trace_writer_close(writer);
	free(generator);
}

void trace_sample_release(struct trace_sample *sample)
{
	byte_buffer_release(&sample->file);
	free(sample->events);
	free(sample->sections);
}

const struct sample_section *trace_sample_section_at(
		const struct trace_sample *sample, uint64_t offset)
{
	const struct sample_section *section = sample->sections;

	while (offset >= section->offset + section->bytes)
		section++;
	return section;
}

static void compare_event(uint32_t position, struct event got, struct event want, uint32_t stacks)
{
	if (want.stack > stacks)
		want.stack = STACK_NONE;
	if (memcmp(&got, &want, sizeof(got)) == 0)
		return;
	fprintf(stderr,
			"event %u: got kind %u of task %u at %llu ns, want kind %u of task %u at "
			"%llu ns\n",
			position, got.kind, got.task, (unsigned long long)got.time_ns, want.kind,
			want.task, (unsigned long long)want.time_ns);
	abort();
}

uint32_t trace_sample_compare(const struct trace_sample *sample, struct trace_reader *reader,
		bool (*lost)(const struct sample_section *section, const void *context),
		const void *context)
{
	uint32_t stacks = stack_table_stack_count(trace_reader_stacks(reader));
	struct trace_cursor *cursor;
	struct event event;
	struct lo_error err = { .message = "the events end early" };
	uint32_t compared = 0;

	must(trace_cursor_open(&cursor, reader, TIME_SPAN_ALL, &err), &err);
	for (uint32_t i = 0; i < sample->section_count; i++) {
		const struct sample_section *section = &sample->sections[i];

		if (lost && lost(section, context))
			continue;
		for (uint32_t row = 0; row < section->event_count; row++) {
			must(trace_cursor_next(cursor, &event, &err), &err);
			compare_event(section->first_event + row, event,
					sample->events[section->first_event + row], stacks);
			compared++;
		}
	}
	if (trace_cursor_next(cursor, &event, &err) != LO_END) {
		fprintf(stderr, "there are more events than there should be\n");
		abort();
	}
	trace_cursor_close(cursor);
	return compared;
}
