#include "recorder/shim/module_log.h"

#include <elf.h>
#include <string.h>

#include "recorder/shim/shim.h"

#define NOTE_ALIGN(size) (((size) + 3u) & ~(size_t)3u)

static void find_build_id(struct segment_module *module, const char *note, size_t size)
{
	while (size >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *header = (const ElfW(Nhdr) *)(const void *)note;
		size_t name_size = NOTE_ALIGN((size_t)header->n_namesz);
		size_t id_size = NOTE_ALIGN((size_t)header->n_descsz);
		const char *name = note + sizeof(*header);

		size -= sizeof(*header);
		if (name_size > size || id_size > size - name_size)
			return;
		if (header->n_type == NT_GNU_BUILD_ID && header->n_namesz == sizeof("GNU") &&
				memcmp(name, "GNU", sizeof("GNU")) == 0 &&
				header->n_descsz <= SEGMENT_BUILD_ID_MAX) {
			module->build_id_size = header->n_descsz;
			memcpy(module->build_id, name + name_size, header->n_descsz);
			return;
		}
		size -= name_size + id_size;
		note = name + name_size + id_size;
	}
}

/* A path that is too long is cut; the build id still tells what file it was. */
static void copy_path(struct segment_module *module, const char *path)
{
	for (size_t i = 0; path && path[i] && i < SEGMENT_PATH_MAX - 1; i++)
		module->path[i] = path[i];
}

bool module_describe(struct segment_module *module, const char *path, uint64_t bias,
		const ElfW(Phdr) * headers, unsigned header_count)
{
	memset(module, 0, sizeof(*module));
	module->begin = UINT64_MAX;
	module->bias = bias;
	module->time = shim_ticks();
	copy_path(module, path);
	for (unsigned i = 0; i < header_count; i++) {
		uint64_t begin = bias + headers[i].p_vaddr;

		if (headers[i].p_type != PT_LOAD)
			continue;
		if (begin < module->begin)
			module->begin = begin;
		if (begin + headers[i].p_memsz > module->end)
			module->end = begin + headers[i].p_memsz;
	}
	for (unsigned i = 0; i < header_count && module->build_id_size == 0; i++) {
		uint64_t begin = bias + headers[i].p_vaddr;

		/* Notes that are not loaded cannot be read here. */
		if (headers[i].p_type == PT_NOTE && begin >= module->begin &&
				begin + headers[i].p_memsz <= module->end)
			find_build_id(module, (const char *)(uintptr_t)begin, headers[i].p_memsz);
	}
	return module->begin < module->end;
}

static bool same_module(const struct segment_module *one, const struct segment_module *other)
{
	return one->begin == other->begin && one->end == other->end && one->bias == other->bias &&
	       one->build_id_size == other->build_id_size &&
	       memcmp(one->build_id, other->build_id, sizeof(one->build_id)) == 0 &&
	       strncmp(one->path, other->path, SEGMENT_PATH_MAX) == 0;
}

/*
 * Is the newest entry for these addresses the same module? One that was unloaded and comes back
 * after another had its place needs a new entry.
 */
static bool is_known(struct process_slot *slot, const struct segment_module *module, uint32_t count)
{
	for (uint32_t i = count; i-- > 0;) {
		struct segment_module *entry = &slot->modules[i];

		if (atomic_load_explicit(&entry->ready, memory_order_acquire) == 0)
			continue;
		if (entry->begin < module->end && module->begin < entry->end)
			return same_module(entry, module);
	}
	return false;
}

bool module_log_add(struct process_slot *slot, const struct segment_module *module)
{
	uint32_t count = atomic_load_explicit(&slot->module_count, memory_order_relaxed);

	if (is_known(slot, module, count < SEGMENT_MODULES ? count : SEGMENT_MODULES))
		return true;
	/* Looking first keeps the counter from running round once the log is full. */
	if (count >= SEGMENT_MODULES)
		return false;
	uint32_t index = atomic_fetch_add_explicit(&slot->module_count, 1, memory_order_relaxed);
	if (index >= SEGMENT_MODULES)
		return false;

	struct segment_module *entry = &slot->modules[index];
	entry->build_id_size = module->build_id_size;
	entry->begin = module->begin;
	entry->end = module->end;
	entry->bias = module->bias;
	entry->time = module->time;
	memcpy(entry->build_id, module->build_id, sizeof(entry->build_id));
	memcpy(entry->path, module->path, sizeof(entry->path));
	atomic_store_explicit(&entry->ready, 1, memory_order_release);
	return true;
}

static int add_one(struct dl_phdr_info *info, size_t size, void *context)
{
	struct segment_module module;

	(void)size;
	if (module_describe(&module, info->dlpi_name, info->dlpi_addr, info->dlpi_phdr,
			    info->dlpi_phnum))
		module_log_add(context, &module);
	return 0;
}

void module_log_add_all(struct process_slot *slot)
{
	dl_iterate_phdr(add_one, slot);
}

void module_log_copy(struct process_slot *slot, const struct process_slot *parent)
{
	uint32_t count = atomic_load_explicit(&parent->module_count, memory_order_relaxed);

	for (uint32_t i = 0; i < count && i < SEGMENT_MODULES; i++)
		if (atomic_load_explicit(&parent->modules[i].ready, memory_order_acquire) != 0)
			module_log_add(slot, &parent->modules[i]);
}
