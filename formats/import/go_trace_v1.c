#include "formats/import/go_trace_common.h"
#include "formats/import/go_v1_file.h"
#include "formats/import/go_v1_order.h"
#include "formats/import/go_v1_telling.h"
#include "formats/import/importer.h"

/*
 * Execution traces of Go 1.11 to 1.21: read all of it (go_v1_file), find the order of its events
 * (go_v1_order), and tell the sink what the goroutines did.
 */
#define OLDEST_VERSION 5u  /* formats that are recognised, to say that they are too old */
#define FIRST_VERSION  11u /* formats that are read */
#define LAST_VERSION   21u

/* A cut file does not say how fast its clock counts. */
#define UNKNOWN_FREQUENCY 1000000000u

#define STEPS_PER_QUESTION 65536u

static bool probe(const uint8_t *head, size_t size)
{
	unsigned version = go_header_version(head, size);

	return version >= OLDEST_VERSION && version <= LAST_VERSION;
}

uint64_t go_v1_time(const struct go_v1_telling *telling, uint64_t ticks)
{
	uint64_t first = telling->order.first_ticks;

	return ticks > first ? go_nanoseconds(ticks - first, telling->frequency) : 0;
}

static enum lo_result name_task(struct go_v1_telling *telling,
		const struct go_v1_goroutine *goroutine, uint32_t start_stack, struct lo_error *err)
{
	struct go_place place;
	enum lo_result result = go_v1_file_stack(
			&telling->file, start_stack, &telling->program, &place, err);

	if (result != LO_OK)
		return result;
	return go_program_task(&telling->program, goroutine->task, goroutine->number, place.entry,
			false, err);
}

static enum lo_result add_existing(struct go_v1_telling *telling, struct go_v1_goroutine *goroutine,
		uint64_t time_ns, uint32_t start_stack, struct lo_error *err)
{
	enum lo_result result = import_sink_new_task(telling->program.sink, &goroutine->task, err);

	if (result == LO_OK)
		result = import_sink_exists(telling->program.sink, time_ns, goroutine->task, err);
	if (result == LO_OK)
		result = name_task(telling, goroutine, start_stack, err);
	return result;
}

/* Who was there before the trace: listed at its begin, some microseconds after its first event. */
static enum lo_result tell_existing(struct go_v1_telling *telling, struct lo_error *err)
{
	struct import_sink *sink = telling->program.sink;
	enum lo_result result = LO_OK;

	for (uint64_t i = 0; i < telling->order.step_count && result == LO_OK; i++) {
		const struct go_v1_step *step = &telling->order.steps[i];
		struct go_v1_goroutine *goroutine;

		if (go_v1_is_remark(step->type)) /* perhaps of no goroutine */
			continue;
		goroutine = &telling->order.goroutines[step->goroutine];
		if (step->type == GO_V1_GO_CREATE && goroutine->existing && goroutine->task == 0)
			result = add_existing(telling, goroutine, 0, step->start, err);
		else if (step->type == GO_V1_GO_WAITING && goroutine->task != 0)
			result = import_sink_block(
					sink, 0, goroutine->task, REASON_NONE, STACK_NONE, err);
		else if (step->type == GO_V1_GO_IN_SYSCALL && goroutine->task != 0)
			result = import_sink_block(
					sink, 0, goroutine->task, REASON_SYSCALL, STACK_NONE, err);
	}
	return result;
}

static enum lo_result tell_create(struct go_v1_telling *telling, struct go_v1_goroutine *goroutine,
		const struct go_v1_step *step, struct lo_error *err)
{
	uint32_t creator = step->by ? telling->order.goroutines[step->by - 1].task : TASK_NONE;
	struct import_sink *sink = telling->program.sink;
	struct go_place site;
	enum lo_result result = go_v1_file_stack(
			&telling->file, step->stack, &telling->program, &site, err);

	if (result == LO_OK && goroutine->task != 0) /* the number comes back */
		result = import_sink_exit(
				sink, go_v1_time(telling, step->ticks), goroutine->task, err);
	if (result == LO_OK)
		result = import_sink_new_task(sink, &goroutine->task, err);
	if (result == LO_OK)
		result = import_sink_create(sink, go_v1_time(telling, step->ticks), goroutine->task,
				creator, site.stack, err);
	if (result == LO_OK)
		result = name_task(telling, goroutine, step->start, err);
	return result;
}

static enum wait_reason reason_of(uint8_t type)
{
	switch (type) {
	case GO_V1_GO_STOP:
		return REASON_FOREVER;
	case GO_V1_GO_SLEEP:
		return REASON_SLEEP;
	case GO_V1_GO_BLOCK_SEND:
		return REASON_CHAN_SEND;
	case GO_V1_GO_BLOCK_RECEIVE:
		return REASON_CHAN_RECEIVE;
	case GO_V1_GO_BLOCK_SELECT:
		return REASON_SELECT;
	case GO_V1_GO_BLOCK_SYNC:
		return REASON_SYNC;
	case GO_V1_GO_BLOCK_COND:
		return REASON_SYNC_COND;
	case GO_V1_GO_BLOCK_NET:
		return REASON_NETWORK;
	case GO_V1_GO_BLOCK_GC:
		return REASON_GC_MARK_ASSIST_WAIT;
	case GO_V1_GO_SYSCALL_BLOCK:
		return REASON_SYSCALL;
	default:
		return REASON_UNSPECIFIED;
	}
}

static enum lo_result tell_block(struct go_v1_telling *telling,
		const struct go_v1_goroutine *goroutine, const struct go_v1_step *step,
		struct lo_error *err)
{
	struct go_place place;
	enum lo_result result = go_v1_file_stack(
			&telling->file, step->stack, &telling->program, &place, err);

	if (result != LO_OK)
		return result;
	return import_sink_block(telling->program.sink, go_v1_time(telling, step->ticks),
			goroutine->task, reason_of(step->type), place.stack, err);
}

static enum lo_result tell_unblock(struct go_v1_telling *telling,
		const struct go_v1_goroutine *goroutine, const struct go_v1_step *step,
		uint32_t waker, struct lo_error *err)
{
	if (!import_sink_is_blocked(telling->program.sink, goroutine->task))
		return LO_OK;
	return import_sink_unblock(telling->program.sink, go_v1_time(telling, step->ticks),
			goroutine->task, waker, err);
}

static enum lo_result tell_end(struct go_v1_telling *telling, struct go_v1_goroutine *goroutine,
		const struct go_v1_step *step, struct lo_error *err)
{
	uint64_t time_ns = go_v1_time(telling, step->ticks);
	enum lo_result result = go_notes_task_ended(&telling->notes, goroutine->task, time_ns, err);

	if (result != LO_OK)
		return result;
	return import_sink_exit(telling->program.sink, time_ns, goroutine->task, err);
}

static enum lo_result tell_step(
		struct go_v1_telling *telling, const struct go_v1_step *step, struct lo_error *err)
{
	struct go_v1_goroutine *goroutine = &telling->order.goroutines[step->goroutine];
	uint32_t waker = step->by ? telling->order.goroutines[step->by - 1].task : TASK_NONE;

	if (step->type == GO_V1_GO_WAITING || step->type == GO_V1_GO_IN_SYSCALL)
		return LO_OK;
	if (step->type == GO_V1_GO_CREATE)
		return goroutine->existing ? LO_OK : tell_create(telling, goroutine, step, err);
	if (goroutine->task == 0) { /* its creation is missing */
		enum lo_result result = add_existing(
				telling, goroutine, go_v1_time(telling, step->ticks), 0, err);

		if (result != LO_OK)
			return result;
	}
	switch (step->type) {
	case GO_V1_GO_START:
	case GO_V1_GO_START_LOCAL:
	case GO_V1_GO_START_LABEL:
		return import_sink_run(telling->program.sink, go_v1_time(telling, step->ticks),
				goroutine->task, err);
	case GO_V1_GO_UNBLOCK:
	case GO_V1_GO_UNBLOCK_LOCAL:
		return tell_unblock(telling, goroutine, step, waker, err);
	case GO_V1_GO_SYSCALL_EXIT:
	case GO_V1_GO_SYSCALL_EXIT_LOCAL:
		return tell_unblock(telling, goroutine, step, TASK_NONE, err);
	case GO_V1_GO_END:
		return tell_end(telling, goroutine, step, err);
	default:
		return tell_block(telling, goroutine, step, err);
	}
}

/* Everything is read already; this only asks whether to go on. */
static enum lo_result ask_to_go_on(const struct progress *progress, struct lo_error *err)
{
	if (progress_step(progress, 1, 1))
		return LO_OK;
	return lo_fail(err, LO_CANCELLED, LO_NO_OFFSET, "the import was stopped");
}

static enum lo_result tell(struct go_v1_telling *telling, const struct progress *progress,
		struct lo_error *err)
{
	uint64_t end_ns = go_v1_time(telling, telling->order.last_ticks);
	enum lo_result result = tell_existing(telling, err);

	go_v1_sort_samples(telling);
	for (uint64_t i = 0; i < telling->order.step_count && result == LO_OK; i++) {
		const struct go_v1_step *step = &telling->order.steps[i];

		if (i % STEPS_PER_QUESTION == 0)
			result = ask_to_go_on(progress, err);
		if (result == LO_OK)
			result = go_v1_tell_samples(telling, step->ticks, err);
		if (result == LO_OK)
			result = go_v1_is_remark(step->type) ? go_v1_tell_remark(telling, step, err)
							     : tell_step(telling, step, err);
	}
	import_sink_advance(telling->program.sink, end_ns);
	if (result == LO_OK)
		result = go_v1_tell_samples(telling, telling->order.last_ticks + 1, err);
	return result == LO_OK ? go_notes_finish(&telling->notes, end_ns, err) : result;
}

static enum lo_result warn_of_faults(struct go_v1_telling *telling, struct lo_error *err)
{
	struct import_sink *sink = telling->program.sink;
	enum lo_result result = LO_OK;

	sink->cut = !telling->file.frequency;
	if (sink->cut)
		result = import_sink_warn(sink, err,
				"The trace stops early (the program ended without closing it, or "
				"the file was cut). Names, places and the rate of its clock stand at "
				"its end and are missing: times are in ticks of the processor's "
				"clock divided by 64, shown as if each were 1 ns.");
	if (result == LO_OK && (telling->file.skipped_bytes || telling->order.broken_batches))
		result = import_sink_warn(sink, err,
				"The file is damaged: %llu bytes make no sense; what they held is "
				"missing.",
				(unsigned long long)telling->file.skipped_bytes);
	if (result == LO_OK && telling->order.forced)
		result = import_sink_warn(sink, err,
				"The order of events had to be repaired in %llu places; states "
				"near them may be wrong.",
				(unsigned long long)telling->order.forced);
	return result;
}

static enum lo_result read_and_tell(struct go_v1_telling *telling, struct byte_stream *in,
		const struct progress *progress, struct lo_error *err)
{
	enum lo_result result = go_v1_file_read(&telling->file, in, progress, err);

	if (result == LO_OK)
		result = go_v1_order_run(&telling->order, &telling->file, err);
	if (result == LO_OK && telling->order.step_count == 0)
		return lo_fail(err, LO_TRUNCATED, byte_stream_offset(in),
				"a Go execution trace without any event in it");
	telling->frequency = telling->file.frequency ? telling->file.frequency : UNKNOWN_FREQUENCY;
	if (result == LO_OK)
		result = warn_of_faults(telling, err);
	if (result == LO_OK)
		result = tell(telling, progress, err);
	return result;
}

static enum lo_result read_version(struct byte_stream *in, unsigned *version, struct lo_error *err)
{
	const uint8_t *head;
	size_t got;
	enum lo_result result = byte_stream_peek(in, GO_HEADER_BYTES, &head, &got, err);

	if (result != LO_OK)
		return result;
	*version = go_header_version(head, got);
	if (*version < FIRST_VERSION)
		return lo_fail(err, LO_UNSUPPORTED, 0,
				"a trace of Go 1.%u; only those of Go 1.%u and later can be read",
				*version, FIRST_VERSION);
	byte_stream_skip(in, GO_HEADER_BYTES);
	return LO_OK;
}

static enum lo_result run(struct byte_stream *in, struct import_sink *sink,
		const struct progress *progress, struct lo_error *err)
{
	struct go_v1_telling telling = { 0 };
	enum lo_result result = read_version(in, &telling.version, err);

	go_notes_init(&telling.notes, sink);
	if (result == LO_OK)
		result = go_program_init(&telling.program, sink, err);
	if (result == LO_OK)
		result = read_and_tell(&telling, in, progress, err);
	go_program_release(&telling.program);
	go_notes_release(&telling.notes);
	go_v1_file_release(&telling.file);
	go_v1_order_release(&telling.order);
	return result;
}

const struct importer go_trace_v1_importer = {
	.name = "go-trace-v1",
	.help = "execution traces of Go 1.11 to 1.21 (runtime/trace, /debug/pprof/trace)",
	.probe = probe,
	.run = run,
};
