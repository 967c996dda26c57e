#include "recorder/shim/code_module.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "recorder/shim/readable.h"

static struct {
	struct code_module *sorted; /* by address */
	uint32_t count;
	uint32_t room;
} at_start;

static struct elf_image own_image;
static _Atomic uint32_t changes;

#ifdef DLFO_EH_SEGMENT_TYPE
/* By dlsym(): the shim must load with an older C library, too. */
static __typeof__(_dl_find_object) *find_object;
#endif

static int count_module(struct dl_phdr_info *info, size_t size, void *room)
{
	(void)info;
	(void)size;
	++*(uint32_t *)room;
	return 0;
}

static int list_module(struct dl_phdr_info *info, size_t size, void *context)
{
	struct code_module module = { .path = info->dlpi_name ? info->dlpi_name : "" };
	uint32_t place = at_start.count;

	(void)size;
	(void)context;
	elf_image_from_headers(&module.image, info);
	if (module.image.begin >= module.image.end || at_start.count == at_start.room)
		return 0;
	while (place > 0 && at_start.sorted[place - 1].image.begin > module.image.begin)
		place--;
	memmove(&at_start.sorted[place + 1], &at_start.sorted[place],
			(at_start.count - place) * sizeof(module));
	at_start.sorted[place] = module;
	at_start.count++;
	return 0;
}

static const struct code_module *find_at_start(uintptr_t address)
{
	uint32_t low = 0;
	uint32_t high = at_start.count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (at_start.sorted[middle].image.begin <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || address >= at_start.sorted[low - 1].image.end)
		return NULL;
	return &at_start.sorted[low - 1];
}

static void find_own_image(void)
{
	const struct code_module *module = find_at_start((uintptr_t)&find_own_image);

	if (module && module->path[0])
		own_image = module->image;
}

bool code_module_init(void)
{
	dl_iterate_phdr(count_module, &at_start.room);
	void *pages = mmap(NULL, at_start.room * sizeof(struct code_module), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return false;
	at_start.sorted = pages;
	dl_iterate_phdr(list_module, NULL);
	find_own_image();
#ifdef DLFO_EH_SEGMENT_TYPE
	*(void **)&find_object = dlsym(RTLD_DEFAULT, "_dl_find_object");
	return find_object != NULL;
#else
	return false;
#endif
}

const struct elf_image *code_module_own(void)
{
	return &own_image;
}

const struct code_module *code_module_at_start(uint32_t index)
{
	return index < at_start.count ? &at_start.sorted[index] : NULL;
}

void code_module_changed(void)
{
	atomic_fetch_add_explicit(&changes, 1, memory_order_relaxed);
}

#ifdef DLFO_EH_SEGMENT_TYPE
static uint64_t mix(uint64_t salt, uint64_t value)
{
	salt = (salt ^ value) * 0x9e3779b97f4a7c15ull;
	return salt ^ salt >> 29;
}

/* The same file at the same place has the same salt, however often it is loaded. */
static uint64_t make_salt(const struct dl_find_object *found, struct elf_range build_id)
{
	uint64_t salt = mix((uintptr_t)found->dlfo_map_start, (uintptr_t)found->dlfo_map_end);

	salt = mix(salt, (uintptr_t)found->dlfo_eh_frame);
	if (build_id.begin == build_id.end) {
		salt = mix(salt, (uintptr_t)found->dlfo_link_map);
		salt = mix(salt, atomic_load_explicit(&changes, memory_order_relaxed));
	}
	while (build_id.begin < build_id.end) {
		uint64_t word = 0;
		size_t left = (size_t)(build_id.end - build_id.begin);
		size_t size = left < sizeof(word) ? left : sizeof(word);

		memcpy(&word, build_id.begin, size);
		salt = mix(salt, word);
		build_id.begin += size;
	}
	return salt | 1; /* 0 is taken */
}

static bool find_loaded_later(uintptr_t address, bool certain, struct code_module *module)
{
	struct dl_find_object found;

	if (find_object((void *)address, &found) != 0)
		return false;

	uintptr_t begin = (uintptr_t)found.dlfo_map_start;
	uintptr_t end = (uintptr_t)found.dlfo_map_end;

	if (!certain && !readable_page(begin))
		return false;
	*module = (struct code_module){ .path = found.dlfo_link_map->l_name };
	if (!elf_image_from_memory(&module->image, begin, end, found.dlfo_link_map->l_addr))
		module->image = (struct elf_image){ .begin = begin, .end = end };
	module->salt = make_salt(&found, elf_image_build_id(&module->image));
	return true;
}
#else
static bool find_loaded_later(uintptr_t address, bool certain, struct code_module *module)
{
	(void)address;
	(void)certain;
	(void)module;
	return false;
}
#endif

bool code_module_find(uintptr_t address, bool certain, struct code_module *module)
{
	const struct code_module *staying = find_at_start(address);

	if (!staying)
		return find_loaded_later(address, certain, module);
	*module = *staying;
	return true;
}
