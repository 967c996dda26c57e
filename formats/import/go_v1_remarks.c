#include <stdlib.h>
#include <string.h>

#include "formats/base/macros.h"
#include "formats/import/go_v1_telling.h"

/* What one remark has, whatever it is about. */
struct remark_note {
	struct go_v1_telling *telling;
	const struct go_v1_step *step;
	const struct go_v1_remark *remark;
	struct note note;
	struct lo_error *err;
};

static enum lo_result begin_range(struct remark_note *it, uint64_t owner)
{
	return go_notes_begin(&it->telling->notes, owner, &it->note, it->err);
}

static enum lo_result end_range(struct remark_note *it, uint64_t owner)
{
	return go_notes_end(&it->telling->notes, owner, &it->note, it->err);
}

static enum lo_result text(struct remark_note *it, uint64_t id, uint32_t *string)
{
	return go_v1_file_text(&it->telling->file, id, &it->telling->program, string, it->err);
}

static enum lo_result named(struct remark_note *it, const char *name)
{
	return trace_writer_string(it->telling->program.sink->writer, name, (uint32_t)strlen(name),
			&it->note.name, it->err);
}

/* Why the world is stopped: a number, and Go 1.21 has others than those before it. */
static const char *stop_reason(unsigned version, uint64_t number)
{
	static const char *const before_21[] = { "GC mark termination", "GC sweep termination" };
	static const char *const since_21[] = { "unknown", "GC mark termination",
		"GC sweep termination", "write heap dump", "goroutine profile",
		"goroutine profile cleanup", "all goroutines stack trace", "read mem stats",
		"AllThreadsSyscall", "GOMAXPROCS", "start trace", "stop trace" };

	if (version < 21)
		return number < LO_COUNT_OF(before_21) ? before_21[number] : "unknown";
	return number < LO_COUNT_OF(since_21) ? since_21[number] : "unknown";
}

static enum lo_result tell_stop_world(struct remark_note *it)
{
	enum lo_result result;

	it->note.kind = NOTE_STOP_WORLD;
	if (it->step->type == GO_V1_STW_DONE)
		return end_range(it, 0);
	result = named(it, stop_reason(it->telling->version, it->remark->arguments[0]));
	return result == LO_OK ? begin_range(it, 0) : result;
}

static enum lo_result tell_gc(struct remark_note *it)
{
	it->note.kind = NOTE_GC;
	it->note.task = TASK_NONE;
	if (it->step->type == GO_V1_GC_DONE)
		return end_range(it, 0);
	it->note.id = it->remark->arguments[0];
	return begin_range(it, 0);
}

static enum lo_result tell_sweep(struct remark_note *it)
{
	it->note.kind = NOTE_SWEEP;
	if (it->step->type == GO_V1_SWEEP_START)
		return begin_range(it, it->remark->proc);
	it->note.value = it->remark->arguments[0];
	return end_range(it, it->remark->proc);
}

static enum lo_result tell_mark_assist(struct remark_note *it)
{
	it->note.kind = NOTE_MARK_ASSIST;
	return it->step->type == GO_V1_MARK_ASSIST_START ? begin_range(it, it->note.task)
							 : end_range(it, it->note.task);
}

static enum lo_result tell_user_task(struct remark_note *it)
{
	enum lo_result result;

	it->note.kind = NOTE_USER_TASK;
	it->note.id = it->remark->arguments[0];
	if (it->step->type == GO_V1_USER_TASK_END)
		return end_range(it, it->note.id);
	it->note.parent = it->remark->arguments[1];
	result = text(it, it->remark->arguments[2], &it->note.name);
	return result == LO_OK ? begin_range(it, it->note.id) : result;
}

static enum lo_result tell_region(struct remark_note *it)
{
	bool begins = it->remark->arguments[1] == 0;
	enum lo_result result = text(it, it->remark->arguments[2], &it->note.name);

	it->note.kind = NOTE_REGION;
	it->note.parent = it->remark->arguments[0];
	if (result != LO_OK)
		return result;
	return begins ? begin_range(it, it->note.task) : end_range(it, it->note.task);
}

static enum lo_result tell_log(struct remark_note *it)
{
	const struct go_v1_remark *remark = it->remark;
	enum lo_result result = text(it, remark->arguments[1], &it->note.name);

	it->note.kind = NOTE_LOG;
	it->note.parent = remark->arguments[0];
	if (result == LO_OK && remark->text_length > 0)
		result = trace_writer_string(it->telling->program.sink->writer,
				(const char *)it->telling->file.bytes.bytes + remark->text,
				remark->text_length, &it->note.text, it->err);
	return result == LO_OK ? go_notes_moment(&it->telling->notes, &it->note, it->err) : result;
}

static enum lo_result tell_label(struct remark_note *it)
{
	enum lo_result result = text(it, it->remark->arguments[2], &it->note.text);

	it->note.kind = NOTE_LABEL;
	return result == LO_OK ? go_notes_moment(&it->telling->notes, &it->note, it->err) : result;
}

static enum lo_result tell_metric(struct remark_note *it, enum go_counter counter)
{
	return go_notes_count(&it->telling->notes, counter, it->note.begin_ns,
			it->remark->arguments[0], it->err);
}

static enum lo_result tell_by_type(struct remark_note *it)
{
	switch (it->step->type) {
	case GO_V1_GOMAXPROCS:
		return tell_metric(it, GO_COUNTER_GOMAXPROCS);
	case GO_V1_HEAP_ALLOC:
		return tell_metric(it, GO_COUNTER_HEAP);
	case GO_V1_HEAP_GOAL:
		return tell_metric(it, GO_COUNTER_HEAP_GOAL);
	case GO_V1_GC_START:
	case GO_V1_GC_DONE:
		return tell_gc(it);
	case GO_V1_STW_START:
	case GO_V1_STW_DONE:
		return tell_stop_world(it);
	case GO_V1_SWEEP_START:
	case GO_V1_SWEEP_DONE:
		return tell_sweep(it);
	case GO_V1_MARK_ASSIST_START:
	case GO_V1_MARK_ASSIST_DONE:
		return tell_mark_assist(it);
	case GO_V1_USER_TASK_CREATE:
	case GO_V1_USER_TASK_END:
		return tell_user_task(it);
	case GO_V1_USER_REGION:
		return tell_region(it);
	case GO_V1_USER_LOG:
		return tell_log(it);
	default:
		return tell_label(it);
	}
}

enum lo_result go_v1_tell_remark(
		struct go_v1_telling *telling, const struct go_v1_step *step, struct lo_error *err)
{
	uint64_t time_ns = go_v1_time(telling, step->ticks);
	struct remark_note it = { .telling = telling,
		.step = step,
		.remark = &telling->order.remarks[step->start],
		.note = { .begin_ns = time_ns, .end_ns = time_ns },
		.err = err };
	struct go_place place;
	enum lo_result result = go_v1_file_stack(
			&telling->file, step->stack, &telling->program, &place, err);

	if (result != LO_OK)
		return result;
	it.note.stack = place.stack;
	it.note.task = step->by ? telling->order.goroutines[step->by - 1].task : TASK_NONE;
	return tell_by_type(&it);
}

static int compare_samples(const void *left, const void *right)
{
	const struct go_v1_sample *a = left;
	const struct go_v1_sample *b = right;

	return (a->ticks > b->ticks) - (a->ticks < b->ticks);
}

void go_v1_sort_samples(struct go_v1_telling *telling)
{
	if (telling->file.sample_count > 0)
		qsort(telling->file.samples, telling->file.sample_count,
				sizeof(*telling->file.samples), compare_samples);
}

static uint32_t task_of(const struct go_v1_telling *telling, uint64_t goroutine)
{
	uint32_t index = number_map_get(&telling->order.goroutine_index, goroutine);

	return index ? telling->order.goroutines[index - 1].task : TASK_NONE;
}

enum lo_result go_v1_tell_samples(
		struct go_v1_telling *telling, uint64_t ticks, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	while (result == LO_OK && telling->next_sample < telling->file.sample_count &&
			telling->file.samples[telling->next_sample].ticks < ticks) {
		const struct go_v1_sample *sample = &telling->file.samples[telling->next_sample++];
		struct note note = { .begin_ns = go_v1_time(telling, sample->ticks),
			.task = task_of(telling, sample->goroutine),
			.kind = NOTE_CPU_SAMPLE };
		struct go_place place;

		result = go_v1_file_stack(
				&telling->file, sample->stack, &telling->program, &place, err);
		note.stack = place.stack;
		if (result == LO_OK)
			result = go_notes_moment(&telling->notes, &note, err);
	}
	return result;
}
