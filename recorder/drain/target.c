#include "recorder/drain/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/drain/process_maps.h"
#include "recorder/symbols/elf_file.h"

/* Generated code lies in no module, and a page of it is asked for at most once. */
#define MAPS_LOOKUPS_MAX 4096u
#define PAGE_SHIFT       12

#define VDSO_NAME "[vdso]"

static enum lo_result add_string(
		struct trace_writer *writer, const char *text, uint32_t *id, struct lo_error *err)
{
	*id = 0;
	if (text[0] == '\0')
		return LO_OK;
	return unless_full(trace_writer_string(writer, text, (uint32_t)strlen(text), id, err));
}

/* ---- Who it is. ---- */

static void read_program(uint32_t pid, char *program, size_t capacity)
{
	char link[64];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/%u/exe", pid);
	length = readlink(link, program, capacity - 1);
	program[length > 0 ? length : 0] = '\0';
}

static void read_name(uint32_t pid, char *name, size_t capacity)
{
	char path[64];
	FILE *file;

	name[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(name, (int)capacity, file))
		name[strcspn(name, "\n")] = '\0';
	fclose(file);
}

static void find_program(struct target *target, const struct target *parent, const char *program)
{
	bool forked = atomic_load_explicit(&target->slot->forked, memory_order_relaxed) != 0;

	read_program(target->info.pid, target->program, sizeof(target->program));
	if (target->program[0] == '\0' && parent && forked)
		program = parent->program;
	if (target->program[0] == '\0' && program)
		snprintf(target->program, sizeof(target->program), "%s", program);
}

static enum lo_result find_name(struct target *target, const struct target *parent,
		struct trace_writer *writer, struct lo_error *err)
{
	const char *base = strrchr(target->program, '/');
	char comm[32];

	read_name(target->info.pid, comm, sizeof(comm));
	if (comm[0] == '\0' && parent) {
		target->name = parent->name;
		return LO_OK;
	}
	if (comm[0] == '\0')
		snprintf(comm, sizeof(comm), "%.15s", base ? base + 1 : target->program);
	return add_string(writer, comm, &target->name, err);
}

enum lo_result target_init(struct target *target, struct process_slot *slot, uint32_t process,
		const struct target *parent, const char *program, struct trace_writer *writer,
		struct lo_error *err)
{
	uint32_t pid = atomic_load_explicit(&slot->pid, memory_order_relaxed);
	enum lo_result result;

	*target = (struct target){ .slot = slot, .process = process, .pidfd = -1, .used = true };
	target->generation = atomic_load_explicit(&slot->generation, memory_order_relaxed);
	target->info.pid = pid;
	target->info.parent = parent ? parent->info.index : 0;
	target->info.end = PROCESS_RUNNING;
	if (pid > 0 && pid <= INT32_MAX)
		target->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	target->gone = target->pidfd < 0 && errno == ESRCH;
	find_program(target, parent, program);
	result = find_name(target, parent, writer, err);
	if (result == LO_OK)
		result = add_string(writer, target->program, &target->info.program, err);
	target->stacks = calloc(STACK_WORDS, sizeof(*target->stacks));
	if (result == LO_OK && !target->stacks)
		result = lo_fail(err, LO_NO_MEMORY, LO_NO_OFFSET, "no memory for stack ids");
	if (result != LO_OK)
		target_release(target);
	return result;
}

void target_release(struct target *target)
{
	if (target->used && target->pidfd >= 0)
		close(target->pidfd);
	free(target->stacks);
	*target = (struct target){ .pidfd = -1 };
}

/* ---- Modules. ---- */

static bool is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0;
}

static bool is_system_path(const char *path)
{
	return is_below(path, "/lib/") || is_below(path, "/lib64/") ||
	       is_below(path, "/usr/lib/") || is_below(path, "/usr/lib64/") ||
	       is_below(path, "/usr/libexec/");
}

static uint8_t flags_of(const struct target *target, const char *path)
{
	if (strcmp(path, target->program) == 0)
		return MODULE_FLAG_MAIN;
	if (strcmp(path, VDSO_NAME) == 0)
		return MODULE_FLAG_VDSO | MODULE_FLAG_SYSTEM;
	return is_system_path(path) ? MODULE_FLAG_SYSTEM : 0;
}

static enum lo_result write_module(struct target *target, const char *path, const uint8_t *build_id,
		uint32_t build_id_size, struct trace_writer *writer, uint32_t *id,
		struct lo_error *err)
{
	struct module_info info = { 0 };
	enum lo_result result;

	if (is_below(path, "linux-vdso") || is_below(path, "linux-gate"))
		path = VDSO_NAME;
	info.flags = flags_of(target, path);
	info.build_id_size = (uint8_t)build_id_size;
	memcpy(info.build_id, build_id, build_id_size);
	result = add_string(writer, path, &info.path, err);
	if (result == LO_OK)
		result = unless_full(trace_writer_module(writer, &info, id, err));
	return result;
}

/* Copies entry `i` of the log if it is there and makes sense. */
static enum lo_result copy_module(struct target *target, uint32_t i, struct trace_writer *writer,
		struct lo_error *err)
{
	struct segment_module *shared = &target->slot->modules[i];
	struct target_module *module = &target->modules[i];
	struct segment_module entry;
	const char *path;

	if (atomic_load_explicit(&shared->ready, memory_order_acquire) != 1)
		return LO_OK;
	memcpy((void *)&entry, (const void *)shared, sizeof(entry));
	__asm__ volatile("" : : "r"(&entry) : "memory"); /* the copy is what gets checked */
	if (entry.begin >= entry.end || entry.build_id_size > sizeof(entry.build_id) ||
			memchr(entry.path, '\0', sizeof(entry.path)) == NULL)
		return LO_OK;
	path = entry.path[0] ? entry.path : target->program;
	*module = (struct target_module){ entry.begin, entry.end, entry.bias, entry.time, 0 };
	return write_module(target, path, entry.build_id, entry.build_id_size, writer, &module->id,
			err);
}

static enum lo_result refresh_modules(
		struct target *target, struct trace_writer *writer, struct lo_error *err)
{
	uint32_t count = atomic_load_explicit(&target->slot->module_count, memory_order_acquire);
	enum lo_result result = LO_OK;

	if (count > SEGMENT_MODULES)
		count = SEGMENT_MODULES;
	for (uint32_t i = 0; i < count && result == LO_OK; i++)
		if (target->modules[i].id == MODULE_NONE)
			result = copy_module(target, i, writer, err);
	target->module_count = count;
	return result;
}

/*
 * The entry for an address at a time: the latest that had been seen by then. Stacks are taken
 * before the log knows a file that was loaded just now, so an entry of a later time will do too.
 */
static const struct target_module *find_module(
		const struct target *target, uint64_t address, uint64_t ticks)
{
	const struct target_module *later = NULL;

	for (uint32_t i = target->module_count; i-- > 0;) {
		const struct target_module *module = &target->modules[i];

		if (module->id == MODULE_NONE || address < module->begin || address >= module->end)
			continue;
		if (module->time <= ticks)
			return module;
		later = module;
	}
	return later;
}

/* What the log does not know, the kernel may, as long as the process lives. */
static enum lo_result ask_kernel(struct target *target, uint64_t address,
		struct trace_writer *writer, struct frame *frame, struct lo_error *err)
{
	struct process_mapping mapping;
	struct elf_file file;
	uint8_t build_id[MODULE_BUILD_ID_MAX];
	uint32_t build_id_size;
	uint64_t vaddr = 0;
	bool known;

	if (target->dead || target->maps_lookups >= MAPS_LOOKUPS_MAX ||
			target->unknown_page == address >> PAGE_SHIFT)
		return LO_OK;
	target->maps_lookups++;
	target->unknown_page = address >> PAGE_SHIFT;
	if (!process_maps_find(target->info.pid, address, &mapping))
		return LO_OK;
	if (strcmp(mapping.path, VDSO_NAME) == 0) {
		frame->offset = address - mapping.begin;
		return write_module(target, VDSO_NAME, build_id, 0, writer, &frame->module, err);
	}
	if (mapping.path[0] != '/' || elf_file_open(&file, mapping.path, NULL) != LO_OK)
		return LO_OK;
	known = elf_file_vaddr(&file, mapping.offset + (address - mapping.begin), &vaddr);
	build_id_size = elf_file_build_id(&file, build_id);
	elf_file_close(&file);
	if (!known)
		return LO_OK;
	target->unknown_page = 0;
	frame->offset = vaddr;
	return write_module(
			target, mapping.path, build_id, build_id_size, writer, &frame->module, err);
}

static enum lo_result place_of(struct target *target, uint64_t address, uint64_t ticks,
		struct trace_writer *writer, struct frame *frame, struct lo_error *err)
{
	const struct target_module *module = find_module(target, address, ticks);
	enum lo_result result;

	*frame = (struct frame){ .offset = address, .module = MODULE_NONE };
	if (!module) {
		result = refresh_modules(target, writer, err);
		if (result != LO_OK)
			return result;
		module = find_module(target, address, ticks);
	}
	if (!module)
		return ask_kernel(target, address, writer, frame, err);
	*frame = (struct frame){ .offset = address - module->bias, .module = module->id };
	return LO_OK;
}

/* ---- Stacks. ---- */

/* Copies the stack; returns its depth, 0 when the id points at nothing of the kind. */
static uint32_t copy_stack(const struct target *target, uint32_t arena_id,
		uint64_t addresses[STACK_DEPTH_MAX], bool *cut)
{
	const struct segment_stacks *stacks = &target->slot->stacks;
	uint64_t head = atomic_load_explicit(&stacks->words[arena_id], memory_order_relaxed);
	uint32_t depth = (uint32_t)(head & STACK_COUNT_MASK);

	if (depth > STACK_DEPTH_MAX || depth >= STACK_WORDS - arena_id)
		return 0;
	for (uint32_t i = 0; i < depth; i++)
		addresses[i] = atomic_load_explicit(
				&stacks->words[arena_id + 1 + i], memory_order_relaxed);
	*cut = (head & STACK_WORD_FLAG_CUT) != 0;
	return depth;
}

static enum lo_result translate_stack(struct target *target, const uint64_t *addresses,
		uint32_t depth, uint64_t ticks, struct trace_writer *writer, uint32_t *stack,
		struct lo_error *err)
{
	*stack = STACK_NONE;
	for (uint32_t i = depth; i-- > 0;) {
		struct frame frame;
		uint32_t frame_id;
		enum lo_result result = place_of(target, addresses[i], ticks, writer, &frame, err);

		if (result == LO_OK)
			result = trace_writer_frame(writer, frame, &frame_id, err);
		if (result == LO_OK)
			result = trace_writer_stack(writer, *stack, frame_id, stack, err);
		if (result != LO_OK)
			return result;
	}
	return LO_OK;
}

enum lo_result target_stack(struct target *target, uint32_t arena_id, uint64_t ticks,
		struct trace_writer *writer, uint32_t *stack, struct lo_error *err)
{
	uint64_t addresses[STACK_DEPTH_MAX];
	bool cut = false;
	uint32_t depth;
	enum lo_result result;

	*stack = STACK_NONE;
	if (arena_id == STACK_NONE || arena_id >= STACK_WORDS)
		return LO_OK;
	if (target->stacks[arena_id]) {
		*stack = target->stacks[arena_id] - 1;
		return LO_OK;
	}
	depth = copy_stack(target, arena_id, addresses, &cut);
	result = translate_stack(target, addresses, depth, ticks, writer, stack, err);
	if (result == LO_UNSUPPORTED)
		*stack = STACK_NONE;
	result = unless_full(result);
	if (cut && *stack != STACK_NONE)
		*stack |= TARGET_STACK_CUT;
	if (result == LO_OK)
		target->stacks[arena_id] = *stack + 1;
	return result;
}
