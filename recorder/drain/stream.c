#include "recorder/drain/stream.h"

#define NS_PER_MS 1000000ull

/*
 * A block is sealed early when it is worth it: so a killed recorder loses 100 ms of a busy program
 * instead of a second, and a quiet program does not cost ten small blocks a second.
 */
#define SEAL_ROWS     4096u
#define SEAL_AFTER_NS (100 * NS_PER_MS)
/* Anchors closer together than that would show the jitter of reading two clocks. */
#define ANCHOR_NS (5 * NS_PER_MS)
#define RETIRE_NS (1000 * NS_PER_MS)

enum lo_result stream_init(struct stream *stream, struct drain *drain,
		const struct tick_clock *clock, struct target *targets, struct lo_error *err)
{
	struct tick_anchor start = tick_clock_anchor(clock);

	stream->drain = drain;
	stream->clock = *clock;
	stream->lateness_ticks = tick_clock_ticks(clock, DRAIN_LATENESS_NS);
	stream->writer = NULL;
	stream->horizon = 0;
	stream->starved = stream->finished = false;
	stream->sealed_blocks = stream->sealed_events = 0;
	stream->sealed_at_ns = stream->retired_at_ns = start.ns;
	tick_map_init(&stream->map, start);
	merge_init(&stream->merge, start.ticks);
	return translator_init(&stream->translator, &stream->map, targets, err);
}

void stream_set_writer(struct stream *stream, struct trace_writer *writer)
{
	stream->writer = writer;
	stream->translator.writer = writer;
}

void stream_release(struct stream *stream)
{
	translator_release(&stream->translator);
}

/* Later than everything collected, so that all of it lies between two anchors. */
static void drop_anchor(struct stream *stream)
{
	struct tick_anchor anchor = tick_clock_anchor(&stream->clock);

	if (anchor.ns - tick_map_last(&stream->map).ns >= ANCHOR_NS || stream->starved ||
			stream->finished)
		tick_map_add(&stream->map, anchor);
}

uint64_t stream_collect(struct stream *stream)
{
	struct harvest harvest = { 0 };

	drain_take(stream->drain, &harvest);
	stream->starved = harvest.starved;
	stream->finished |= harvest.finished;
	if (harvest.horizon > stream->horizon)
		stream->horizon = harvest.horizon;
	drop_anchor(stream);
	for (unsigned cause = 0; cause < LOSS_CAUSE_COUNT; cause++)
		stream->translator.lost[cause] += harvest.lost[cause];
	while (harvest.first) {
		struct run *run = harvest.first;

		harvest.first = run->next;
		merge_push(&stream->merge, run);
	}
	return harvest.records;
}

/* Up to where the order is known. */
static uint64_t watermark(const struct stream *stream)
{
	if (stream->finished)
		return UINT64_MAX;
	/* Memory is short: the lateness bound is what can be given up first. */
	if (stream->starved)
		return stream->horizon;
	return stream->horizon > stream->lateness_ticks ? stream->horizon - stream->lateness_ticks
							: 0;
}

static enum lo_result let_out_until(
		struct stream *stream, uint64_t limit, uint64_t *left, struct lo_error *err)
{
	struct event record;
	struct run *run;
	bool spent;
	enum lo_result result = LO_OK;

	while (*left > 0 && result == LO_OK &&
			merge_pop(&stream->merge, limit, &record, &run, &spent)) {
		result = translator_record(&stream->translator, run, &record, err);
		if (spent)
			drain_run_done(stream->drain, run);
		(*left)--;
	}
	return result;
}

enum lo_result stream_let_out(struct stream *stream, uint64_t most, uint64_t until, bool *more,
		struct lo_error *err)
{
	uint64_t left = most;
	uint64_t known = watermark(stream);
	enum lo_result result = let_out_until(stream, known < until ? known : until, &left, err);

	/* All memory holds records that the drain was not done with: order cannot be had. */
	if (result == LO_OK && stream->starved && left == most)
		result = let_out_until(stream, UINT64_MAX, &left, err);
	*more = left == 0;
	return result;
}

bool stream_is_past(const struct stream *stream, uint64_t ticks)
{
	return watermark(stream) >= ticks && !merge_is_due(&stream->merge, ticks);
}

void stream_lose(struct stream *stream, enum loss_cause cause)
{
	struct event record;
	struct run *run;
	bool spent;

	while (merge_pop(&stream->merge, UINT64_MAX, &record, &run, &spent)) {
		stream->translator.lost[cause]++;
		if (spent)
			drain_run_done(stream->drain, run);
	}
}

static void note_sealed(struct stream *stream, const struct trace_writer_stats *stats)
{
	stream->sealed_blocks = stats->blocks;
	stream->sealed_events = stats->events;
	stream->sealed_at_ns = tick_map_last(&stream->map).ns;
}

enum lo_result stream_seal(struct stream *stream, struct lo_error *err)
{
	enum lo_result result = trace_writer_flush(stream->writer, err);
	struct trace_writer_stats stats;

	trace_writer_stats(stream->writer, &stats);
	note_sealed(stream, &stats);
	return result;
}

static bool worth_sealing(struct stream *stream, uint64_t now_ns)
{
	struct trace_writer_stats stats;

	trace_writer_stats(stream->writer, &stats);
	if (stats.blocks != stream->sealed_blocks)
		note_sealed(stream, &stats);
	return stats.events - stream->sealed_events >= SEAL_ROWS &&
	       now_ns - stream->sealed_at_ns >= SEAL_AFTER_NS;
}

enum lo_result stream_advance(struct stream *stream, struct lo_error *err)
{
	uint64_t now_ns = tick_map_last(&stream->map).ns;
	uint64_t ticks = watermark(stream);
	enum lo_result result = translator_flush_losses(&stream->translator, err);

	if (now_ns - stream->retired_at_ns >= RETIRE_NS) {
		stream->retired_at_ns = now_ns;
		task_table_retire(&stream->translator.tasks);
	}
	/* As long as records are due, time has not gone on for the file. */
	if (result == LO_OK && !merge_is_due(&stream->merge, ticks)) {
		merge_advance(&stream->merge, ticks);
		result = trace_writer_advance(stream->writer, stream_time(stream, ticks), err);
	}
	if (result == LO_OK && worth_sealing(stream, now_ns))
		result = trace_writer_flush(stream->writer, err);
	return result;
}

uint64_t stream_time(const struct stream *stream, uint64_t ticks)
{
	return translator_time(&stream->translator, tick_map_peek_ns(&stream->map, ticks));
}
