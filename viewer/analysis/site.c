#include "viewer/analysis/site.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "formats/base/limits.h"
#include "formats/base/macros.h"
#include "formats/base/printable.h"
#include "formats/model/meta.h"
#include "formats/model/object.h"

/* One frame of a walk from the leaf to the root. */
struct walk {
	const struct trace_reader *reader;
	bool go; /* the trace is of a Go program: packages tell whose code it is */
	uint32_t stack;
	uint32_t frame_id;
	struct frame frame;
	const struct module_info *module; /* NULL for MODULE_NONE */
	uint32_t depth;
};

static bool is_of_go(const struct trace_reader *reader)
{
	const char *format = trace_reader_meta(reader, META_SOURCE_FORMAT, 0);

	return format && strncmp(format, "go", 2) == 0; /* "go-trace-v2", "goroutine-dump" */
}

static struct walk walk_begin(const struct trace_reader *reader, uint32_t stack)
{
	return (struct walk){ .reader = reader, .go = is_of_go(reader), .stack = stack };
}

static bool walk_next(struct walk *walk)
{
	const struct stack_table *stacks = trace_reader_stacks(walk->reader);
	struct stack_node node;

	if (walk->stack == STACK_NONE || walk->depth++ >= LIMIT_STACK_DEPTH)
		return false;
	node = stack_table_get(stacks, walk->stack);
	if (node.frame == FRAME_NONE)
		return false;
	walk->frame_id = node.frame;
	walk->frame = stack_table_get_frame(stacks, node.frame);
	walk->module = walk->frame.module == MODULE_NONE
				       ? NULL
				       : trace_reader_module(walk->reader, walk->frame.module);
	walk->stack = node.parent;
	return true;
}

static void copy_string(char *out, size_t capacity, const struct trace_reader *reader, uint32_t id)
{
	uint32_t length = 0;
	const char *text = trace_reader_string(reader, id, &length);

	printable_copy(out, capacity, text, length, 0);
}

/* What does not fit is cut, but never inside a character. */
static const char *copy_whole(char *out, size_t capacity, const char *text)
{
	printable_copy(out, capacity, text, strlen(text), 0);
	return out;
}

/* The last part of a path, with its length. */
static const char *base_name(const char *path, uint32_t *length)
{
	const char *slash = *length ? memrchr(path, '/', *length) : NULL;

	if (!slash)
		return path;
	*length -= (uint32_t)(slash + 1 - path);
	return slash + 1;
}

static const char *module_name(const struct trace_reader *reader, const struct module_info *module,
		uint32_t *length)
{
	const char *path;

	*length = 0;
	if (!module)
		return "";
	path = trace_reader_string(reader, module->path, length);
	return base_name(path, length);
}

static void name_by_address(struct place *place, const struct walk *walk)
{
	if (place->module[0])
		snprintf(place->function, sizeof(place->function), "%s+0x%" PRIx64, place->module,
				walk->frame.offset);
	else
		snprintf(place->function, sizeof(place->function), "0x%" PRIx64,
				walk->frame.offset);
}

/* `symbol` is NULL when nothing is known of the frame. */
static void fill_place(struct place *place, const struct walk *walk, const struct symbol *symbol)
{
	uint32_t length;
	const char *module = module_name(walk->reader, walk->module, &length);

	*place = (struct place){ 0 };
	printable_copy(place->module, sizeof(place->module), module, length, 0);
	if (symbol) {
		copy_string(place->function, sizeof(place->function), walk->reader,
				symbol->function);
		copy_string(place->file, sizeof(place->file), walk->reader, symbol->file);
		place->line = symbol->line;
	}
	if (!place->function[0])
		name_by_address(place, walk);
}

static void fill_innermost(struct place *place, const struct walk *walk)
{
	const struct symbol *chain = NULL;
	uint32_t count = symbol_table_get(
			trace_reader_symbols(walk->reader), walk->frame_id, &chain);

	fill_place(place, walk, count ? &chain[0] : NULL);
}

/* The places of the frame that the walk is at. */
static uint32_t fill_frame(const struct walk *walk, struct place *places, uint32_t capacity)
{
	const struct symbol *chain = NULL;
	uint32_t count = symbol_table_get(
			trace_reader_symbols(walk->reader), walk->frame_id, &chain);
	uint32_t stored = 0;

	if (count == 0 && capacity > 0)
		fill_place(&places[stored++], walk, NULL);
	for (uint32_t i = 0; i < count && stored < capacity; i++)
		fill_place(&places[stored++], walk, &chain[i]);
	return stored;
}

uint32_t stack_places(const struct trace_reader *reader, uint32_t stack, struct place *places,
		uint32_t capacity)
{
	struct walk walk = walk_begin(reader, stack);
	uint32_t stored = 0;

	while (stored < capacity && walk_next(&walk))
		stored += fill_frame(&walk, places + stored, capacity - stored);
	return stored;
}

uint32_t stack_frame_places(const struct trace_reader *reader, uint32_t stack, struct place *places,
		uint32_t capacity)
{
	struct walk walk = walk_begin(reader, stack);

	return walk_next(&walk) ? fill_frame(&walk, places, capacity) : 0;
}

/* Libraries in which nobody looks for the cause of a wait, by the start of their file name. */
static const char *const plumbing[] = {
	"libc.so",
	"libc-2.",
	"libpthread",
	"ld-linux",
	"ld-2.",
	"libstdc++",
	"libc++",
	"libgcc_s",
	"libloiter-preload",
};

static bool starts_with(const char *text, uint32_t length, const char *start)
{
	size_t size = strlen(start);

	return length >= size && memcmp(text, start, size) == 0;
}

static bool is_plumbing(const struct walk *walk)
{
	uint32_t length;
	const char *name = module_name(walk->reader, walk->module, &length);

	if (walk->module && walk->module->flags & MODULE_FLAG_VDSO)
		return true;
	for (size_t i = 0; i < LO_COUNT_OF(plumbing); i++)
		if (starts_with(name, length, plumbing[i]))
			return true;
	return false;
}

/*
 * Where source comes from that was compiled into the program without being the user's own: the
 * templates and inline functions of system headers, the standard library of Rust.
 */
static const char *const foreign_sources[] = {
	"/usr/include/",
	"/usr/lib/",
	"/rustc/",
	"library/std/",
	"library/core/",
	"library/alloc/",
};

/* How near a place is to the user's own code. */
enum ownership {
	OWN_NOTHING,
	OWN_PLUMBING,
	OWN_LIBRARY, /* of the system, or code that belongs to no file */
	OWN_HEADER,  /* in a file of the user's, but compiled from a source that is not */
	OWN_USER,
};

static bool is_foreign_source(const struct trace_reader *reader, const struct symbol *symbol)
{
	uint32_t length = 0;
	const char *file = symbol ? trace_reader_string(reader, symbol->file, &length) : "";

	for (size_t i = 0; i < LO_COUNT_OF(foreign_sources); i++)
		if (starts_with(file, length, foreign_sources[i]))
			return true;
	return false;
}

/* A frame without known symbol has one place, with `symbol` NULL. */
static enum ownership module_ownership(const struct walk *walk, const struct symbol *symbol)
{
	bool is_main = walk->module && walk->module->flags & MODULE_FLAG_MAIN;

	if (!is_main && is_plumbing(walk))
		return OWN_PLUMBING;
	if (!is_main && (!walk->module || walk->module->flags & MODULE_FLAG_SYSTEM))
		return OWN_LIBRARY;
	return is_foreign_source(walk->reader, symbol) ? OWN_HEADER : OWN_USER;
}

/*
 * A Go function is called "path/of/package.Name". The user's packages are main and those whose path
 * begins with the name of a host, which has a dot; the others come with the language.
 */
static enum ownership package_ownership(const struct walk *walk, const struct symbol *symbol)
{
	uint32_t length = 0;
	const char *name = symbol ? trace_reader_string(walk->reader, symbol->function, &length)
				  : "";
	const char *dot = memchr(name, '.', length);
	const char *slash = memchr(name, '/', length);

	if (starts_with(name, length, "main."))
		return OWN_USER;
	if (dot && slash && dot < slash && !memchr(name, '[', (size_t)(slash - name)))
		return OWN_USER;
	return starts_with(name, length, "runtime.") ? OWN_PLUMBING : OWN_LIBRARY;
}

/* The place that is nearest so far, and the first of equals. */
struct nearest {
	struct walk walk;
	const struct symbol *symbol;
	enum ownership ownership;
};

static void consider(struct nearest *nearest, const struct walk *walk, const struct symbol *symbol)
{
	enum ownership ownership = walk->go ? package_ownership(walk, symbol)
					    : module_ownership(walk, symbol);

	if (ownership > nearest->ownership)
		*nearest = (struct nearest){ *walk, symbol, ownership };
}

void stack_user_place(const struct trace_reader *reader, uint32_t stack, struct place *place)
{
	struct walk walk = walk_begin(reader, stack);
	struct nearest nearest = { .ownership = OWN_NOTHING };

	*place = (struct place){ 0 };
	while (nearest.ownership < OWN_USER && walk_next(&walk)) {
		const struct symbol *chain = NULL;
		uint32_t count = symbol_table_get(
				trace_reader_symbols(reader), walk.frame_id, &chain);

		if (count == 0)
			consider(&nearest, &walk, NULL);
		for (uint32_t i = 0; i < count; i++)
			consider(&nearest, &walk, &chain[i]);
	}
	if (nearest.ownership > OWN_NOTHING)
		fill_place(place, &nearest.walk, nearest.symbol);
}

void stack_leaf_place(const struct trace_reader *reader, uint32_t stack, struct place *place)
{
	struct walk walk = walk_begin(reader, stack);

	*place = (struct place){ 0 };
	if (walk_next(&walk))
		fill_innermost(place, &walk);
}

const char *site_format(
		const struct trace_reader *reader, uint32_t stack, char *out, size_t capacity)
{
	struct place leaf;
	struct place user;
	char text[2 * sizeof(leaf.function) + 4];

	stack_leaf_place(reader, stack, &leaf);
	stack_user_place(reader, stack, &user);
	if (strcmp(leaf.function, user.function) == 0)
		snprintf(text, sizeof(text), "%s", leaf.function);
	else
		snprintf(text, sizeof(text), "%s < %s", leaf.function, user.function);
	return copy_whole(out, capacity, text);
}

const char *task_format(
		const struct trace_reader *reader, uint32_t task, char *out, size_t capacity)
{
	struct task_info info;
	char name[128] = "";
	char text[sizeof(name) + 16];

	if (trace_reader_task(reader, task, &info))
		copy_string(name, sizeof(name), reader, info.name);
	snprintf(text, sizeof(text), "T%" PRIu32 "%s%s", task, name[0] ? " " : "", name);
	return copy_whole(out, capacity, text);
}

const char *object_format(uint8_t object_kind, uint64_t object, char *out, size_t capacity)
{
	const struct object_info *info = object_kind < OBJECT_KIND_COUNT
							 ? &object_infos[object_kind]
							 : &(const struct object_info){ "object",
								   OBJECT_VALUE_ADDRESS };

	if (info->form == OBJECT_VALUE_NONE)
		snprintf(out, capacity, "%s", "");
	else if (object_kind == OBJECT_TASK)
		snprintf(out, capacity, "%s T%" PRIu64, info->name, object);
	else if (object_kind == OBJECT_PROCESS && object == 0)
		snprintf(out, capacity, "any %s", info->name);
	else if (info->form == OBJECT_VALUE_NUMBER)
		snprintf(out, capacity, "%s %" PRIu64, info->name, object);
	else
		snprintf(out, capacity, "%s 0x%" PRIx64, info->name, object);
	return out;
}
