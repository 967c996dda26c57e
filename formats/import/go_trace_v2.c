#include <stdio.h>

#include "formats/base/byte_stream.h"
#include "formats/base/limits.h"
#include "formats/import/go_batch.h"
#include "formats/import/go_generation.h"
#include "formats/import/go_machine.h"
#include "formats/import/go_order.h"
#include "formats/import/importer.h"
#include "formats/model/meta.h"

/*
 * Execution traces of Go 1.22 and later. The file is read generation by generation: collect the
 * batches of one (go_batch, go_generation), find the order of its events (go_order), and let the
 * scheduler's state machine (go_machine) tell the sink what the goroutines did.
 */
#define FIRST_VERSION 22u
#define LAST_VERSION  26u
#define MARK_VERSION  26u /* from here on every generation has an end mark */

/* The clock of Linux: 64 ns to a unit. A guess for a file that was cut before it said so. */
#define USUAL_FREQUENCY 15625000u

/* Gaps and incomplete generations that are told one by one; a made-up file has thousands. */
#define TOLD_MAX 8u

struct reading {
	struct byte_stream *in;
	struct import_sink *sink;
	const struct progress *progress;
	unsigned version;
	struct go_batch_reader batches;
	struct go_generation generation;
	struct go_machine machine;
	uint64_t frequency;       /* of the last generation that said it */
	uint64_t last_generation; /* number of the last one that was applied */
	bool wall_clock_written;
	uint64_t told; /* gaps and incomplete generations so far */

	struct go_order_faults faults; /* of all generations */
	uint64_t damaged_tables;
	uint64_t missing_names;
	uint64_t nameless_reasons;
};

static bool probe(const uint8_t *head, size_t size)
{
	return go_header_version(head, size) >= FIRST_VERSION;
}

static enum lo_result read_header(struct reading *reading, struct lo_error *err)
{
	const uint8_t *head;
	size_t got;
	enum lo_result result = byte_stream_peek(reading->in, GO_HEADER_BYTES, &head, &got, err);

	if (result != LO_OK)
		return result;
	reading->version = go_header_version(head, got);
	byte_stream_skip(reading->in, GO_HEADER_BYTES);
	if (reading->version <= LAST_VERSION)
		return LO_OK;
	return import_sink_warn(reading->sink, err,
			"The trace has format go 1.%u, which is newer than this program; it is read "
			"by the rules of go 1.%u.",
			reading->version, LAST_VERSION);
}

static enum lo_result write_wall_clock(struct reading *reading, struct lo_error *err)
{
	const struct go_generation *generation = &reading->generation;
	uint64_t then;
	char text[24];

	if (reading->wall_clock_written || !generation->has_wall_clock || !reading->machine.begun)
		return LO_OK;
	reading->wall_clock_written = true;
	then = go_nanoseconds(generation->wall_units, reading->frequency);
	snprintf(text, sizeof(text), "%llu",
			(unsigned long long)(generation->wall_unix_ns + reading->machine.start_ns -
					     then));
	return trace_writer_meta(reading->sink->writer, META_START_UNIX_NS, text, err);
}

static enum lo_result warn_incomplete(struct reading *reading, struct lo_error *err)
{
	const struct go_generation *generation = &reading->generation;
	bool last = byte_stream_is_at_end(reading->in);

	reading->sink->cut = last &&
			     (reading->batches.cut || !go_generation_is_complete(generation));
	if (!generation->frequency && !reading->frequency) {
		enum lo_result result = import_sink_warn(reading->sink, err,
				"The trace does not say how its clock counts; 64 ns to a unit, as "
				"on Linux, is assumed.");

		if (result != LO_OK)
			return result;
	}
	if (go_generation_is_complete(generation) && !reading->sink->cut)
		return LO_OK;
	if (!last && reading->told++ >= TOLD_MAX)
		return LO_OK;
	if (go_generation_is_complete(generation))
		return import_sink_warn(reading->sink, err,
				"The file was cut: its last batch of events is not complete.");
	return import_sink_warn(reading->sink, err,
			"%s: from %.3f s on, reasons, places and names are missing, because Go "
			"writes them behind the events that use them.",
			last ? "The trace stops early (the program ended without closing it, or "
			       "the file was cut)"
			     : "Part of the trace is incomplete",
			(double)(reading->machine.now_ns - reading->machine.start_ns) * 1e-9);
}

static void add_faults(struct reading *reading, const struct go_order_faults *faults)
{
	const struct go_generation *generation = &reading->generation;

	reading->faults.forced += faults->forced;
	reading->faults.broken_batches += faults->broken_batches;
	if (faults->unknown_type)
		reading->faults.unknown_type = faults->unknown_type;
	reading->damaged_tables += generation->damaged_tables;
	if (go_generation_is_complete(generation))
		reading->missing_names += generation->missing_texts + generation->missing_stacks;
	reading->nameless_reasons += generation->nameless_reasons;
}

static enum lo_result warn_of_gap(struct reading *reading, struct lo_error *err)
{
	uint64_t last = reading->last_generation;
	uint64_t number = reading->generation.number;

	if (number < last)
		return import_sink_warn(reading->sink, err,
				"The generations of the trace are not in order; it was damaged.");
	return import_sink_warn(reading->sink, err,
			"Generations %llu to %llu of the trace are missing: nothing is known of "
			"about %llu s.",
			(unsigned long long)last + 1, (unsigned long long)number - 1,
			(unsigned long long)(number - last - 1));
}

/*
 * Goroutines older than the trace, or than what follows a gap in it, become known before anything
 * else. After a gap those that nobody mentions any more have ended meanwhile.
 */
static enum lo_result survey(struct reading *reading, struct lo_error *err)
{
	struct go_generation *generation = &reading->generation;
	bool first = reading->machine.epoch == 1;
	enum lo_result result;

	if (!first && (generation->number == reading->last_generation + 1 ||
				      generation->number == reading->last_generation))
		return LO_OK;
	result = go_order_survey(&reading->machine, generation, reading->frequency, err);
	if (result == LO_OK && !first && go_generation_is_complete(generation))
		result = go_machine_end_unmentioned(&reading->machine, err);
	if (result == LO_OK && !first && reading->told++ < TOLD_MAX)
		result = warn_of_gap(reading, err);
	return result;
}

/* Understands the collected generation and makes room for the next. */
static enum lo_result finish_generation(
		struct reading *reading, uint64_t next_number, struct lo_error *err)
{
	struct go_generation *generation = &reading->generation;
	struct go_order_faults faults = { 0 };
	enum lo_result result;

	if (generation->batch_count == 0) {
		go_generation_clear(generation, next_number);
		return LO_OK;
	}
	result = warn_incomplete(reading, err);
	if (generation->frequency)
		reading->frequency = generation->frequency;
	else if (!reading->frequency)
		reading->frequency = USUAL_FREQUENCY;
	go_machine_begin_generation(&reading->machine, generation);
	if (result == LO_OK)
		result = survey(reading, err);
	if (result == LO_OK)
		result = go_order_run(
				&reading->machine, generation, reading->frequency, &faults, err);
	if (result == LO_OK)
		result = write_wall_clock(reading, err);
	add_faults(reading, &faults);
	reading->last_generation = generation->number;
	reading->machine.now_ns++; /* Go's reader marks the end of a generation by an event */
	go_generation_clear(generation, next_number);
	return result;
}

static enum lo_result report_progress(const struct reading *reading, struct lo_error *err)
{
	if (progress_step(reading->progress, byte_stream_done(reading->in),
			    byte_stream_total(reading->in)))
		return LO_OK;
	return lo_fail(err, LO_CANCELLED, LO_NO_OFFSET, "the import was stopped");
}

static enum lo_result read_batches(struct reading *reading, struct lo_error *err)
{
	for (;;) {
		struct go_batch batch = { 0 };
		enum lo_result result = go_batch_next(&reading->batches, &batch, err);

		if (result == LO_OK)
			result = report_progress(reading, err);
		if (result != LO_OK)
			return result;
		if (batch.end_of_generation) {
			reading->generation.ended = true;
			result = finish_generation(reading, batch.generation + 1, err);
		} else if (batch.generation != reading->generation.number ||
				reading->generation.size + batch.size > LIMIT_GO_GENERATION) {
			result = finish_generation(reading, batch.generation, err);
		}
		if (result == LO_OK && !batch.end_of_generation)
			result = go_generation_add(&reading->generation, &batch, err);
		if (result != LO_OK)
			return result;
	}
}

static enum lo_result warn_of_faults(struct reading *reading, struct lo_error *err)
{
	const struct go_batch_reader *batches = &reading->batches;
	uint64_t repairs = reading->faults.forced + reading->machine.repairs;
	enum lo_result result = LO_OK;

	if (batches->skipped_bytes || reading->damaged_tables || batches->renumbered)
		result = import_sink_warn(reading->sink, err,
				"The file is damaged: %llu bytes between batches, %llu tables and "
				"%llu batch numbers make no sense; what they held is missing.",
				(unsigned long long)batches->skipped_bytes,
				(unsigned long long)reading->damaged_tables,
				(unsigned long long)batches->renumbered);
	if (result == LO_OK && reading->told > TOLD_MAX)
		result = import_sink_warn(reading->sink, err,
				"%llu more parts of the trace are missing or incomplete.",
				(unsigned long long)reading->told - TOLD_MAX);
	if (result == LO_OK && reading->faults.broken_batches)
		result = import_sink_warn(reading->sink, err,
				"%llu batches of events could be read in part only (last unknown "
				"event type: %u).",
				(unsigned long long)reading->faults.broken_batches,
				reading->faults.unknown_type);
	if (result == LO_OK && repairs)
		result = import_sink_warn(reading->sink, err,
				"The order of events had to be repaired in %llu places; states "
				"near them may be wrong.",
				(unsigned long long)repairs);
	if (result == LO_OK && reading->missing_names)
		result = import_sink_warn(reading->sink, err,
				"%llu names or stacks are missing in the tables of the trace.",
				(unsigned long long)reading->missing_names);
	if (result == LO_OK && reading->nameless_reasons)
		result = import_sink_warn(reading->sink, err,
				"%llu wait reasons are more than can be named; they are shown as "
				"'unspecified'.",
				(unsigned long long)reading->nameless_reasons);
	return result;
}

static enum lo_result read_all(struct reading *reading, struct lo_error *err)
{
	enum lo_result result = read_header(reading, err);

	if (result == LO_OK)
		result = read_batches(reading, err);
	if (result == LO_END)
		result = finish_generation(reading, 0, err);
	if (result == LO_OK && !reading->machine.begun)
		return lo_fail(err, LO_TRUNCATED, byte_stream_offset(reading->in),
				"a Go execution trace without any event in it");
	if (result == LO_OK)
		result = warn_of_faults(reading, err);
	if (result == LO_OK)
		result = go_machine_finish(&reading->machine, err);
	return result;
}

static enum lo_result run(struct byte_stream *in, struct import_sink *sink,
		const struct progress *progress, struct lo_error *err)
{
	struct reading reading = { .in = in, .sink = sink, .progress = progress };
	enum lo_result result;

	reading.batches.in = in;
	result = go_machine_init(&reading.machine, sink, err);
	if (result == LO_OK)
		result = read_all(&reading, err);
	go_machine_release(&reading.machine);
	go_generation_release(&reading.generation);
	return result;
}

const struct importer go_trace_v2_importer = {
	.name = "go-trace-v2",
	.help = "execution traces of Go 1.22 and later (runtime/trace, /debug/pprof/trace)",
	.probe = probe,
	.run = run,
};
