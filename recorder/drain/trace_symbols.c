#include "recorder/drain/trace_symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/model/meta.h"
#include "recorder/drain/target.h"
#include "recorder/symbols/symbol_process.h"

/* More files than that in trouble are one trouble. */
#define WARNINGS_MAX 8u

/* The frames of one module, copied: the writer's tables move while symbols are added. */
struct module_frames {
	uint32_t *ids;
	uint64_t *addresses;
	uint32_t count;
};

struct lookup {
	struct trace_writer *writer;
	const struct progress *progress;
	struct module_frames frames; /* of the module that is being looked up */
	uint64_t done;
	uint64_t total;
	uint32_t warnings;
	enum lo_result write_result; /* failures of the trace, apart from those of look-ups */
	struct lo_error *err;
};

/* Frames hold return addresses: the call is the byte before. */
static bool collect_frames(struct lookup *lookup, uint32_t module)
{
	const struct stack_table *stacks = trace_writer_stacks(lookup->writer);
	uint32_t frame_count = stack_table_frame_count(stacks);
	struct module_frames *frames = &lookup->frames;

	frames->count = 0;
	for (uint32_t id = 1; id <= frame_count; id++)
		frames->count += stack_table_get_frame(stacks, id).module == module;
	frames->ids = malloc((frames->count + 1u) * sizeof(*frames->ids));
	frames->addresses = malloc((frames->count + 1u) * sizeof(*frames->addresses));
	if (!frames->ids || !frames->addresses)
		return false;
	frames->count = 0;
	for (uint32_t id = 1; id <= frame_count; id++) {
		struct frame frame = stack_table_get_frame(stacks, id);

		if (frame.module != module || frame.offset == 0)
			continue;
		frames->ids[frames->count] = id;
		frames->addresses[frames->count++] = frame.offset - 1;
	}
	return true;
}

static void drop_frames(struct lookup *lookup)
{
	free(lookup->frames.ids);
	free(lookup->frames.addresses);
	lookup->frames = (struct module_frames){ 0 };
}

static enum lo_result add_text(struct lookup *lookup, const char *text, uint32_t *id)
{
	*id = 0;
	if (text[0] == '\0')
		return LO_OK;
	return trace_writer_string(lookup->writer, text, (uint32_t)strlen(text), id, lookup->err);
}

static enum lo_result take_symbols(void *context, uint32_t i, const struct symbol_place *places,
		uint32_t count, struct lo_error *err)
{
	struct lookup *lookup = context;
	struct symbol chain[SYMBOL_CHAIN_MAX];
	enum lo_result result = LO_OK;

	(void)err;
	for (uint32_t k = 0; k < count && result == LO_OK; k++) {
		chain[k].line = places[k].line;
		result = add_text(lookup, places[k].function, &chain[k].function);
		if (result == LO_OK)
			result = add_text(lookup, places[k].file, &chain[k].file);
	}
	if (result == LO_OK)
		result = trace_writer_symbols(
				lookup->writer, lookup->frames.ids[i], chain, count, lookup->err);
	lookup->done++;
	lookup->write_result = unless_full(result);
	return lookup->write_result;
}

static bool keep_on(void *context)
{
	const struct lookup *lookup = context;

	return progress_step(lookup->progress, lookup->done, lookup->total);
}

static enum lo_result warn(struct lookup *lookup, const char *what, const char *why)
{
	char text[600];

	if (lookup->warnings++ >= WARNINGS_MAX)
		return LO_OK;
	snprintf(text, sizeof(text), "no function names of %.300s: %s", what, why);
	return unless_full(trace_writer_meta(lookup->writer, META_WARNING, text, lookup->err));
}

/* LO_CANCELLED, or a failure of the trace. */
static enum lo_result look_up_module(struct lookup *lookup, uint32_t id)
{
	const struct symbol_receiver receiver = { take_symbols, lookup };
	const struct module_info *info = trace_writer_get_module(lookup->writer, id);
	struct module_info module = *info;
	char *path = strdup(trace_writer_get_string(lookup->writer, module.path));
	struct symbol_job job = {
		.path = path,
		.build_id = module.build_id,
		.build_id_size = module.build_id_size,
		.count = lookup->frames.count,
		.addresses = lookup->frames.addresses,
	};
	uint64_t done = lookup->done;
	struct lo_error failure = { 0 };
	enum lo_result result;

	if (!path)
		return lo_fail(lookup->err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for a path");
	lookup->write_result = LO_OK;
	result = symbol_process_look_up(&job, &receiver, keep_on, lookup, &failure);
	lookup->done = done + lookup->frames.count;
	if (lookup->write_result != LO_OK)
		result = lookup->write_result;
	else if (result != LO_OK && result != LO_CANCELLED)
		result = warn(lookup, path, failure.message);
	free(path);
	return result;
}

static enum lo_result look_up_modules(struct lookup *lookup)
{
	uint32_t count = trace_writer_module_count(lookup->writer);
	enum lo_result result = LO_OK;

	for (uint32_t id = 1; id <= count && result == LO_OK; id++) {
		if (!collect_frames(lookup, id))
			result = lo_fail(lookup->err, LO_NO_MEMORY, LO_NO_OFFSET,
					"no memory for frames");
		else if (lookup->frames.count > 0)
			result = look_up_module(lookup, id);
		drop_frames(lookup);
	}
	return result;
}

enum lo_result trace_symbols_add(
		struct trace_writer *writer, const struct progress *progress, struct lo_error *err)
{
	struct lookup lookup = {
		.writer = writer,
		.progress = progress,
		.total = stack_table_frame_count(trace_writer_stacks(writer)),
		.err = err,
	};
	enum lo_result result;

	if (lookup.total == 0)
		return LO_OK;
	if (!symbolizer_is_there())
		return trace_writer_meta(writer, META_WARNING,
				"no function names: the recorder was built without elfutils", err);
	result = look_up_modules(&lookup);
	if (result == LO_CANCELLED)
		result = trace_writer_meta(writer, META_WARNING,
				"function names are missing: looking them up was interrupted", err);
	return result;
}
