#include "recorder/shim/module_log.h"

#include <stddef.h>
#include <string.h>

static void describe(struct segment_module *module, const struct elf_image *image, const char *path,
		uint64_t ticks)
{
	struct elf_range id = elf_image_build_id(image);
	size_t id_size = (size_t)(id.end - id.begin);

	memset(module, 0, sizeof(*module));
	module->begin = image->begin;
	module->end = image->end;
	module->bias = image->bias;
	module->time = ticks;
	if (id_size > 0 && id_size <= SEGMENT_BUILD_ID_MAX) {
		memcpy(module->build_id, id.begin, id_size);
		module->build_id_size = (uint32_t)id_size;
	}
	/* A path that is too long is cut; the build id still tells what file it was. */
	for (size_t i = 0; path && path[i] && i < SEGMENT_PATH_MAX - 1; i++)
		module->path[i] = path[i];
}

static bool same_module(const struct segment_module *one, const struct segment_module *other)
{
	return one->begin == other->begin && one->end == other->end && one->bias == other->bias &&
	       one->build_id_size == other->build_id_size &&
	       memcmp(one->build_id, other->build_id, sizeof(one->build_id)) == 0 &&
	       strncmp(one->path, other->path, SEGMENT_PATH_MAX) == 0;
}

static uint32_t entry_count(const struct process_slot *slot)
{
	uint32_t count = atomic_load_explicit(&slot->module_count, memory_order_relaxed);

	return count < SEGMENT_MODULES ? count : SEGMENT_MODULES;
}

static bool is_ready(const struct segment_module *entry)
{
	return atomic_load_explicit(&entry->ready, memory_order_acquire) != 0;
}

/*
 * Is the newest entry for these addresses the same module? One that was unloaded and comes back
 * after another had its place needs a new entry.
 */
static bool is_known(const struct process_slot *slot, const struct segment_module *module)
{
	for (uint32_t i = entry_count(slot); i-- > 0;) {
		const struct segment_module *entry = &slot->modules[i];

		if (is_ready(entry) && entry->begin < module->end && module->begin < entry->end)
			return same_module(entry, module);
	}
	return false;
}

static bool append(struct process_slot *slot, const struct segment_module *module)
{
	if (is_known(slot, module))
		return true;
	/* Looking first keeps the counter from running round once the log is full. */
	if (entry_count(slot) == SEGMENT_MODULES)
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

bool module_log_add(struct process_slot *slot, const struct elf_image *image, const char *path,
		uint64_t ticks)
{
	struct segment_module module;

	describe(&module, image, path, ticks);
	return append(slot, &module);
}

struct listing {
	struct process_slot *slot;
	uint64_t ticks;
};

static int add_one(struct dl_phdr_info *info, size_t size, void *context)
{
	const struct listing *listing = context;
	struct elf_image image;

	(void)size;
	elf_image_from_headers(&image, info);
	if (image.begin < image.end)
		module_log_add(listing->slot, &image, info->dlpi_name, listing->ticks);
	return 0;
}

void module_log_add_all(struct process_slot *slot, uint64_t ticks)
{
	struct listing listing = { slot, ticks };

	dl_iterate_phdr(add_one, &listing);
}

void module_log_copy(struct process_slot *slot, const struct process_slot *parent)
{
	for (uint32_t i = 0; i < entry_count(parent); i++)
		if (is_ready(&parent->modules[i]))
			append(slot, &parent->modules[i]);
}
