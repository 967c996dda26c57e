#include "tests/support/pipeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "formats/base/byte_buffer.h"
#include "formats/model/event_schema.h"
#include "formats/model/object.h"
#include "formats/native/trace_cursor.h"

static void demand(bool truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "pipeline: %s\n", what);
	abort();
}

static void demand_ok(enum lo_result result, const struct lo_error *err)
{
	demand(result == LO_OK, err->message);
}

void pipeline_init(struct pipeline *pipeline)
{
	struct segment_options segment = { .clock = SEGMENT_CLOCK_MONOTONIC, .stack_depth = 64 };
	struct drain_options drain = { .segment = &pipeline->owner, .wait_ticks = 1000 };
	struct lo_error err = { .message = "" };
	struct byte_sink *sink;

	memset(pipeline, 0, sizeof(*pipeline));
	pipeline->clock = (struct tick_clock){ SEGMENT_CLOCK_MONOTONIC, 1000000000 };
	demand(segment_create(&pipeline->owner, &segment) == 0, "no segment");
	drain.clock = pipeline->clock;
	drain.lateness_ticks = DRAIN_LATENESS_NS;
	drain.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	demand_ok(drain_new(&pipeline->drain, &drain, &err), &err);
	demand_ok(byte_sink_open_buffer(&sink, &pipeline->bytes, &err), &err);
	demand_ok(trace_writer_open(&pipeline->writer, sink, &err), &err);
	demand_ok(stream_init(&pipeline->stream, pipeline->drain, &pipeline->clock,
				  pipeline->watch.targets, &err),
			&err);
	process_watch_init(&pipeline->watch, &pipeline->owner, &pipeline->stream, 0, "program");
	stream_set_writer(&pipeline->stream, pipeline->writer);
	pipeline->base = tick_clock_now(&pipeline->clock);
}

void pipeline_release(struct pipeline *pipeline)
{
	trace_reader_close(pipeline->reader);
	free(pipeline->text);
	drain_free(pipeline->drain);
	process_watch_release(&pipeline->watch);
	stream_release(&pipeline->stream);
	trace_writer_close(pipeline->writer);
	byte_buffer_release(&pipeline->bytes);
	segment_release(&pipeline->owner);
}

/* ---- The program's part. ---- */

void pipeline_process(struct pipeline *pipeline, uint32_t slot, uint32_t pid, uint32_t tasks)
{
	struct process_slot *process = &pipeline->owner.segment->processes[slot];

	demand(process->state == PROCESS_SLOT_FREE, "the slot is taken");
	process->state = PROCESS_SLOT_LIVE;
	process->generation++;
	process->next_task = tasks + 1;
	process->main_task = 1;
	process->begin_ticks = tick_clock_now(&pipeline->clock);
	process->pid = pid;
}

uint32_t pipeline_ring(struct pipeline *pipeline, uint32_t slot, uint32_t task, uint32_t tid)
{
	struct segment *segment = pipeline->owner.segment;
	struct ring *ring = &segment->rings[pipeline->rings];

	ring->state = RING_OWNED;
	ring->process = slot;
	ring->generation = segment->processes[slot].generation;
	ring->task = task;
	ring->tid = tid;
	segment->header.rings_used = pipeline->rings + 1;
	return pipeline->rings++;
}

static void wait_until(const struct pipeline *pipeline, uint64_t ticks)
{
	while (tick_clock_now(&pipeline->clock) <= ticks)
		;
}

void pipeline_push(struct pipeline *pipeline, uint32_t index, struct event record)
{
	struct ring *ring = &pipeline->owner.segment->rings[index];
	uint64_t head = atomic_load(&ring->head);

	record.time_ns += pipeline->base;
	wait_until(pipeline, record.time_ns);
	ring->slots[head % RING_CAPACITY] = record;
	atomic_store(&ring->head, head + 1);
}

void pipeline_close_ring(struct pipeline *pipeline, uint32_t ring)
{
	atomic_store(&pipeline->owner.segment->rings[ring].state, RING_CLOSED);
}

uint32_t pipeline_stack(struct pipeline *pipeline, uint32_t slot, uint32_t id, uint32_t depth,
		const uint64_t *addresses)
{
	struct segment_stacks *stacks = &pipeline->owner.segment->processes[slot].stacks;

	atomic_store(&stacks->words[id], depth);
	for (uint32_t i = 0; i < depth; i++)
		atomic_store(&stacks->words[id + 1 + i], addresses[i]);
	return id;
}

/* ---- The recorder's part. ---- */

void pipeline_pump(struct pipeline *pipeline, bool final)
{
	struct lo_error err = { .message = "" };
	bool more = true;

	do {
		drain_pass(pipeline->drain, final);
		stream_collect(&pipeline->stream);
		demand_ok(process_watch_scan(&pipeline->watch, &err), &err);
		while (more)
			demand_ok(process_watch_let_out(&pipeline->watch, 65536, &more, &err),
					&err);
		more = true;
	} while (final && !pipeline->stream.finished);
	if (!final)
		demand_ok(stream_advance(&pipeline->stream, &err), &err);
}

static void print_event(FILE *out, struct trace_reader *reader, const struct event *event)
{
	uint32_t frames[STACK_DEPTH_MAX];
	const struct stack_table *stacks = trace_reader_stacks(reader);
	uint32_t depth = stack_table_unwind(stacks, event->stack, frames, STACK_DEPTH_MAX);

	fprintf(out, "%s %" PRIu32, event_schemas[event->kind].name, event->task);
	if (event->kind == EVENT_BLOCK)
		fprintf(out, " %s", trace_reader_reason_name(reader, event->reason));
	if (event->object_kind)
		fprintf(out, " %s %" PRIx64, object_infos[event->object_kind].name, event->object);
	if (event->peer)
		fprintf(out, " by %" PRIu32, event->peer);
	if (event->flags)
		fprintf(out, " flags %x", event->flags);
	for (uint32_t i = 0; i < depth; i++)
		fprintf(out, " %s%" PRIx64, i ? "" : "at ",
				stack_table_get_frame(stacks, frames[i]).offset);
	fputc('\n', out);
}

static void print_events(FILE *out, struct trace_reader *reader)
{
	struct lo_error err = { .message = "" };
	struct trace_cursor *cursor;
	struct event event;
	uint64_t last = 0;

	demand_ok(trace_cursor_open(&cursor, reader, TIME_SPAN_ALL, &err), &err);
	while (trace_cursor_next(cursor, &event, &err) == LO_OK) {
		demand(event.time_ns >= last, "time runs backwards");
		last = event.time_ns;
		print_event(out, reader, &event);
	}
	trace_cursor_close(cursor);
}

const char *pipeline_finish(struct pipeline *pipeline)
{
	struct lo_error err = { .message = "" };
	struct byte_source *source;
	FILE *out = open_memstream(&pipeline->text, &pipeline->text_size);

	pipeline_pump(pipeline, true);
	demand_ok(process_watch_finish(
				  &pipeline->watch, NULL, tick_clock_now(&pipeline->clock), &err),
			&err);
	demand_ok(translator_flush_losses(&pipeline->stream.translator, &err), &err);
	demand_ok(trace_writer_finish(pipeline->writer, stream_time(&pipeline->stream, UINT64_MAX),
				  &err),
			&err);
	demand_ok(byte_source_open_memory(
				  &source, pipeline->bytes.bytes, pipeline->bytes.size, &err),
			&err);
	demand_ok(trace_reader_open(&pipeline->reader, source, NULL, &err), &err);
	print_events(out, pipeline->reader);
	for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT; cause++)
		if (trace_reader_info(pipeline->reader)->lost[cause])
			fprintf(out, "lost %" PRIu64 " %s\n",
					trace_reader_info(pipeline->reader)->lost[cause],
					loss_cause_name(cause));
	fclose(out);
	return pipeline->text;
}

/* The states that each kind of event may find its task in; none, created, active, blocked, exited.
 */
static const struct {
	uint8_t before; /* set of states */
	uint8_t after;
} transitions[EVENT_KIND_COUNT] = {
	[EVENT_CREATE] = { 1 << 0, 1 },
	[EVENT_RUN] = { 1 << 0 | 1 << 1, 2 },
	[EVENT_BLOCK] = { 1 << 2, 3 },
	[EVENT_UNBLOCK] = { 1 << 3, 2 },
	[EVENT_EXIT] = { 1 << 2, 4 },
};

bool pipeline_is_sound(struct pipeline *pipeline)
{
	struct lo_error err = { .message = "" };
	uint8_t *states = calloc(pipeline->stream.translator.tasks.next_id + 1u, 1);
	struct trace_cursor *cursor;
	struct event event;
	bool sound = true;

	demand(states != NULL, "no memory");
	demand_ok(trace_cursor_open(&cursor, pipeline->reader, TIME_SPAN_ALL, &err), &err);
	while (sound && trace_cursor_next(cursor, &event, &err) == LO_OK) {
		sound = event.task > 0 && event.task < pipeline->stream.translator.tasks.next_id &&
			event.peer < pipeline->stream.translator.tasks.next_id &&
			(transitions[event.kind].before & (1 << states[event.task]));
		states[event.task] = transitions[event.kind].after;
	}
	trace_cursor_close(cursor);
	free(states);
	return sound && trace_reader_damage_count(pipeline->reader) == 0;
}
