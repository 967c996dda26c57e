#include "tests/support/generator/trace_generator.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "formats/model/meta.h"
#include "tests/support/generator/simulation.h"
#include "tests/support/generator/stack_plan.h"

#define BATCH        4096u /* events given to the writer in one go */
#define BATCH_SPARE  64u   /* that one step may bring beyond it */
#define FIRST_PID    4000u
#define QUIET_NS     1000000000ull /* a recorder tells the writer that often how late it is */
#define FIRST_NUMBER 17u           /* of goroutines: the runtime's own came before */

struct output {
	const struct generator_options *options;
	const struct profile *profile;
	struct trace_writer *writer;
	struct stack_plan *plan;
	struct event events[BATCH + BATCH_SPARE];
	struct task_info tasks[BATCH + BATCH_SPARE];
	uint32_t event_count;
	uint32_t task_count;
	uint64_t last_ns;
	uint32_t processes;
	uint32_t *names; /* string ids by role, of those that are not numbered */
	struct generated done;
};

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static enum lo_result text_id(
		struct trace_writer *writer, const char *text, uint32_t *id, struct lo_error *err)
{
	return trace_writer_string(writer, text, (uint32_t)strlen(text), id, err);
}

/* ---- tables ---- */

static enum lo_result add_process(
		struct output *output, const char *program, uint64_t begin_ns, struct lo_error *err)
{
	struct process_info process = { .index = ++output->processes,
		.pid = FIRST_PID + output->processes,
		.parent = output->processes - 1,
		.begin_ns = begin_ns };
	enum lo_result result = text_id(output->writer, program, &process.program, err);

	if (result != LO_OK)
		return result;
	return trace_writer_process(output->writer, &process, err);
}

static enum lo_result add_facts(struct output *output, struct lo_error *err)
{
	char seed[32];
	char pid[16];
	const char *const facts[][2] = { { META_PROGRAM, output->profile->program },
		{ META_ARGUMENT, output->profile->name }, { META_ARGUMENT, seed },
		{ META_PID, pid }, { META_HOST, "nowhere" },
		{ META_BACKEND, output->profile->language->backend },
		{ META_SOURCE_FORMAT, output->profile->language->source_format } };
	enum lo_result result = LO_OK;

	snprintf(seed, sizeof(seed), "%" PRIu64, output->options->seed);
	snprintf(pid, sizeof(pid), "%u", FIRST_PID + 1);
	for (size_t i = 0; i < LO_COUNT_OF(facts) && result == LO_OK; i++)
		if (facts[i][1])
			result = trace_writer_meta(output->writer, facts[i][0], facts[i][1], err);
	return result;
}

static enum lo_result name_of(struct output *output, uint32_t role, uint32_t number, uint32_t *id,
		struct lo_error *err)
{
	const struct role *kind = &output->profile->roles[role];
	char text[64];
	enum lo_result result;

	if (kind->numbered) {
		snprintf(text, sizeof(text), "%s-%" PRIu32, kind->name, number);
		return text_id(output->writer, text, id, err);
	}
	if (output->names[role] == 0) {
		result = text_id(output->writer, kind->name, &output->names[role], err);
		if (result != LO_OK)
			return result;
	}
	*id = output->names[role];
	return LO_OK;
}

/* ---- events ---- */

/* What a recorder says while nothing happens. */
static enum lo_result pass_time(struct output *output, uint64_t until_ns, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	while (result == LO_OK && until_ns - output->last_ns >= QUIET_NS) {
		output->last_ns += QUIET_NS;
		result = trace_writer_advance(output->writer, output->last_ns, err);
	}
	return result;
}

static enum lo_result flush_events(struct output *output, struct lo_error *err)
{
	enum lo_result result = LO_OK;

	for (uint32_t i = 0; i < output->task_count && result == LO_OK; i++)
		result = trace_writer_task(output->writer, &output->tasks[i], err);
	for (uint32_t i = 0; i < output->event_count && result == LO_OK; i++) {
		const struct event *event = &output->events[i];

		result = pass_time(output, event->time_ns, err);
		if (result == LO_OK)
			result = trace_writer_event(output->writer, event, err);
	}
	return result;
}

static enum lo_result flush(struct output *output, struct lo_error *err)
{
	uint64_t begin = output->options->measure ? cpu_ns() : 0;
	enum lo_result result = flush_events(output, err);

	if (output->options->measure)
		output->done.write_cpu_ns += cpu_ns() - begin;
	output->event_count = 0;
	output->task_count = 0;
	return result;
}

static enum lo_result take_event(void *context, const struct event *event, uint32_t role,
		uint32_t at_op, uint32_t variant, bool has_stack, struct lo_error *err)
{
	struct output *output = context;
	struct event *kept = &output->events[output->event_count++];
	enum lo_result result = LO_OK;

	*kept = *event;
	if (has_stack)
		result = stack_plan_get(output->plan, role, at_op, variant, &kept->stack, err);
	if (output->options->watch)
		output->options->watch(output->options->watch_context, kept);
	output->done.events++;
	output->done.end_ns = event->time_ns;
	return result;
}

static enum lo_result take_task(void *context, uint32_t id, uint32_t role, uint32_t number,
		uint32_t process, struct lo_error *err)
{
	struct output *output = context;
	const struct profile *profile = output->profile;
	struct task_info *task = &output->tasks[output->task_count++];
	enum lo_result result = LO_OK;

	*task = (struct task_info){ .id = id,
		.process = process,
		.tid = (profile->language->kind == TASK_THREAD ? FIRST_PID : FIRST_NUMBER) + id,
		.kind = (uint8_t)profile->language->kind,
		.flags = profile->roles[role].flags };
	if (id == 1)
		task->tid = profile->language->kind == TASK_THREAD ? FIRST_PID + 1 : 1;
	output->done.tasks = id;
	if (process > output->processes)
		result = add_process(output, profile->second_program, output->done.end_ns, err);
	if (result == LO_OK)
		result = name_of(output, role, number, &task->name, err);
	return result;
}

/* ---- from begin to end ---- */

static enum lo_result begin_tables(struct output *output, struct lo_error *err)
{
	enum lo_result result = add_facts(output, err);

	output->names = calloc(output->profile->role_count, sizeof(*output->names));
	if (!output->names)
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for names");
	if (result == LO_OK)
		result = stack_plan_new(&output->plan, output->profile, output->options->seed,
				output->writer, err);
	if (result == LO_OK)
		result = add_process(output, output->profile->program, 0, err);
	return result;
}

static enum lo_result run(struct output *output, struct simulation *simulation, uint64_t events,
		struct lo_error *err)
{
	enum lo_result result = LO_OK;

	while (result == LO_OK) {
		result = simulation_step(simulation, err);
		if (result == LO_OK && output->event_count < BATCH && output->task_count < BATCH)
			continue;
		if (result == LO_OK || result == LO_END) {
			enum lo_result flushed = flush(output, err);

			if (flushed != LO_OK)
				result = flushed;
		}
		if (result == LO_OK && !progress_step(output->options->progress,
						       output->done.events, events))
			result = lo_fail(err, LO_CANCELLED, LO_NO_OFFSET, "stopped on request");
	}
	return result == LO_END ? LO_OK : result;
}

static enum lo_result finish(
		struct output *output, struct simulation *simulation, struct lo_error *err)
{
	enum lo_result result = simulation_finish(simulation, err);
	uint64_t begin = cpu_ns();

	if (result == LO_OK)
		result = trace_writer_finish(output->writer, output->done.end_ns, err);
	output->done.write_cpu_ns += cpu_ns() - begin;
	return result;
}

static enum lo_result generate(struct output *output, struct truth *truth, struct lo_error *err)
{
	const struct generator_options *options = output->options;
	struct simulation_options asked = { .profile = output->profile,
		.seed = options->seed,
		.events = options->events ? options->events : output->profile->events,
		.tasks = options->tasks ? options->tasks : output->profile->tasks,
		.plants = options->plants };
	struct simulation_listener listener = { output, take_event, take_task };
	struct simulation *simulation = NULL;
	enum lo_result result = begin_tables(output, err);

	if (result == LO_OK)
		result = simulation_new(&simulation, &asked, &listener, truth, err);
	if (result == LO_OK)
		result = run(output, simulation, asked.events, err);
	if (result == LO_OK)
		result = finish(output, simulation, err);
	simulation_free(simulation);
	return result;
}

enum lo_result generate_trace(const struct generator_options *options, struct trace_writer *writer,
		struct truth *truth, struct generated *generated, struct lo_error *err)
{
	struct output *output = calloc(1, sizeof(*output));
	struct truth *own = truth ? NULL : calloc(1, sizeof(*own));
	enum lo_result result;

	if (!output || (!truth && !own)) {
		free(output);
		free(own);
		return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a generator");
	}
	output->options = options;
	output->profile = &profiles[options->profile];
	output->writer = writer;
	truth_init(truth ? truth : own, output->profile->name, options->seed);
	result = generate(output, truth ? truth : own, err);
	if (generated)
		*generated = output->done;
	stack_plan_free(output->plan);
	free(output->names);
	free(output);
	if (own)
		truth_release(own);
	free(own);
	return result;
}

enum generator_profile generator_profile_by_name(const char *name)
{
	unsigned profile = 0;

	while (profile < PROFILE_COUNT && strcmp(profiles[profile].name, name) != 0)
		profile++;
	return (enum generator_profile)profile;
}
