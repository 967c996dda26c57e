#include "formats/import/go_trace_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base/limits.h"

#define GO_MAIN_GOROUTINE 1u /* the runtime starts main in the first goroutine it makes */
#define GO_PROCESS        1u

static enum lo_result write_process(struct import_sink *sink, struct lo_error *err)
{
	struct process_info process = { .index = GO_PROCESS };

	return trace_writer_process(sink->writer, &process, err);
}

enum lo_result go_program_init(
		struct go_program *program, struct import_sink *sink, struct lo_error *err)
{
	static const char path[] = "Go program";
	struct module_info module = { .flags = MODULE_FLAG_MAIN };
	enum lo_result result;

	*program = (struct go_program){ .sink = sink };
	result = write_process(sink, err);
	if (result == LO_OK)
		result = trace_writer_string(
				sink->writer, path, sizeof(path) - 1, &module.path, err);
	if (result == LO_OK)
		result = trace_writer_module(sink->writer, &module, &program->module, err);
	return result;
}

void go_program_release(struct go_program *program)
{
	number_map_release(&program->frames);
	number_map_release(&program->unknown);
	number_map_release(&program->places);
	free(program->functions);
}

static enum lo_result note_function(struct go_program *program, uint32_t frame_id,
		uint32_t function, struct lo_error *err)
{
	if (frame_id >= program->functions_size) {
		uint32_t size = frame_id < 512 ? 1024 : frame_id * 2;
		uint32_t *functions = realloc(program->functions, size * sizeof(*functions));

		if (!functions)
			return lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for %u frames",
					size);
		memset(functions + program->functions_size, 0,
				(size - program->functions_size) * sizeof(*functions));
		program->functions = functions;
		program->functions_size = size;
	}
	program->functions[frame_id] = function;
	return LO_OK;
}

static enum lo_result name_frame(struct go_program *program, uint32_t frame_id,
		const struct go_frame *frame, struct lo_error *err)
{
	struct symbol symbol = { frame->function, frame->file, frame->line };
	enum lo_result result = trace_writer_symbols(
			program->sink->writer, frame_id, &symbol, 1, err);

	if (result == LO_OK)
		result = note_function(program, frame_id, frame->function, err);
	return result;
}

static enum lo_result add_frame(struct go_program *program, const struct go_frame *frame,
		uint32_t *frame_id, struct lo_error *err)
{
	struct number_map *map = frame->function ? &program->frames : &program->unknown;
	enum lo_result result;

	*frame_id = number_map_get(&program->frames, frame->pc);
	if (*frame_id == 0 && !frame->function)
		*frame_id = number_map_get(map, frame->pc);
	if (*frame_id != 0)
		return LO_OK;
	result = trace_writer_frame(program->sink->writer,
			(struct frame){ .offset = frame->pc, .module = program->module }, frame_id,
			err);
	if (result == LO_OK && frame->function)
		result = name_frame(program, *frame_id, frame, err);
	if (result == LO_OK)
		result = number_map_put(map, frame->pc, *frame_id, err);
	return result;
}

enum lo_result go_program_stack(struct go_program *program, const struct go_frame *frames,
		uint32_t count, struct go_place *place, struct lo_error *err)
{
	*place = (struct go_place){ 0 };
	for (uint32_t i = count; i-- > 0;) {
		uint32_t frame_id;
		enum lo_result result = add_frame(program, &frames[i], &frame_id, err);

		if (result == LO_OK)
			result = trace_writer_stack(program->sink->writer, place->stack, frame_id,
					&place->stack, err);
		if (result != LO_OK)
			return result;
		if (i == count - 1 && frame_id < program->functions_size)
			place->entry = program->functions[frame_id];
	}
	return LO_OK;
}

/* Ids of functions and files have 22 bits (LIMIT_STRINGS); a line of a million is not believed. */
#define PLACE_ID_BITS   22u
#define PLACE_LINE_BITS 20u
_Static_assert(LIMIT_STRINGS <= 1u << PLACE_ID_BITS, "a place must fit in 64 bits");

enum lo_result go_program_place_pc(struct go_program *program, uint32_t function, uint32_t file,
		uint32_t line, uint64_t *pc, struct lo_error *err)
{
	uint64_t place = (uint64_t)function << (PLACE_ID_BITS + PLACE_LINE_BITS) |
			 (uint64_t)file << PLACE_LINE_BITS |
			 (line < 1u << PLACE_LINE_BITS ? line : 0);
	uint32_t number = number_map_get(&program->places, place);

	*pc = number;
	if (number != 0)
		return LO_OK;
	*pc = program->places.used + 1;
	return number_map_put(&program->places, place, (uint32_t)*pc, err);
}

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool go_function_is_runtime(const char *function)
{
	/* Both run the user's code: one calls main.main, the other the body of an iterator. */
	if (strcmp(function, "runtime.main") == 0 || strcmp(function, "runtime.corostart") == 0)
		return false;
	return starts_with(function, "runtime.") || starts_with(function, "runtime/trace.");
}

/* The row has 32 bits for the goroutine's number; a larger one goes into the name. */
static enum lo_result name_task(struct go_program *program, uint64_t goroutine, uint32_t entry,
		uint32_t *name, struct lo_error *err)
{
	char text[64];

	*name = entry;
	if (goroutine <= UINT32_MAX)
		return LO_OK;
	snprintf(text, sizeof(text), "%.30s %llu",
			entry ? trace_writer_get_string(program->sink->writer, entry) : "goroutine",
			(unsigned long long)goroutine);
	return trace_writer_string(program->sink->writer, text, (uint32_t)strlen(text), name, err);
}

enum lo_result go_program_task(struct go_program *program, uint32_t task, uint64_t goroutine,
		uint32_t entry, bool runtime, struct lo_error *err)
{
	struct task_info info = { .id = task, .process = GO_PROCESS, .kind = TASK_GOROUTINE };
	const char *function = trace_writer_get_string(program->sink->writer, entry);
	enum lo_result result;

	if (task == TASK_NONE)
		return LO_OK;
	if (goroutine <= UINT32_MAX)
		info.tid = (uint32_t)goroutine;
	if (goroutine == GO_MAIN_GOROUTINE)
		info.flags |= TASK_FLAG_MAIN;
	if (runtime || (entry && go_function_is_runtime(function)))
		info.flags |= TASK_FLAG_RUNTIME;
	result = name_task(program, goroutine, entry, &info.name, err);
	if (result != LO_OK)
		return result;
	return trace_writer_task(program->sink->writer, &info, err);
}

enum lo_result go_program_reason(struct go_program *program, const char *name, uint32_t length,
		uint8_t *reason, bool *named, struct lo_error *err)
{
	enum lo_result result;

	*reason = REASON_UNSPECIFIED;
	*named = true;
	if (length == 0)
		return LO_OK;
	result = trace_writer_reason(program->sink->writer, name, length, reason, err);
	*named = result != LO_UNSUPPORTED;
	return *named ? result : LO_OK;
}

bool go_reason_is_runtime(uint8_t reason)
{
	return reason == REASON_SYSTEM_GOROUTINE_WAIT || reason == REASON_GC_SWEEPER_WAIT;
}

unsigned go_header_version(const uint8_t *head, size_t size)
{
	unsigned version = 0;
	size_t at = 5;

	if (size < GO_HEADER_BYTES || memcmp(head, "go 1.", at) != 0)
		return 0;
	while (at < 7 && head[at] >= '0' && head[at] <= '9')
		version = version * 10 + (unsigned)(head[at++] - '0');
	if (memcmp(head + at, " trace", 6) != 0)
		return 0;
	for (at += 6; at < GO_HEADER_BYTES; at++)
		if (head[at] != 0)
			return 0;
	return version;
}

uint64_t go_nanoseconds(uint64_t units, uint64_t frequency)
{
	uint64_t seconds = units / frequency;

	/* 2^63 ns: room to add and compare without wrapping. */
	if (seconds >= (UINT64_MAX >> 1) / 1000000000u || frequency > UINT64_MAX / 1000000000u)
		return UINT64_MAX >> 1;
	return seconds * 1000000000u + units % frequency * 1000000000u / frequency;
}
