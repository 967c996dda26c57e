#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include <cmocka.h>

#include "formats/base/macros.h"
#include "recorder/shim/module_log.h"

/* A file of one page as it lies in memory: headers, a segment, notes. */
struct image_file {
	_Alignas(4096) ElfW(Ehdr) header;
	ElfW(Phdr) segments[4];
	_Alignas(16) uint8_t notes[256];
	_Alignas(4096) char end[];
};

static struct image_file *file;

#define BUILD_ID_SIZE 20u

static size_t build_id_at; /* in the notes */

static void put_note(size_t *at, uint32_t type, const char *name, uint32_t name_size, uint8_t fill,
		uint32_t size)
{
	ElfW(Nhdr) note = { .n_namesz = name_size, .n_descsz = size, .n_type = type };

	memcpy(&file->notes[*at], &note, sizeof(note));
	*at += sizeof(note);
	memcpy(&file->notes[*at], name, name_size);
	*at += (name_size + 3) & ~3u;
	memset(&file->notes[*at], fill, size);
	*at += (size + 3) & ~3u;
}

static int file_make(void **state)
{
	size_t notes_size = 0;

	(void)state;
	file = aligned_alloc(4096, sizeof(*file));
	if (!file)
		return -1;
	memset(file, 0, sizeof(*file));
	memcpy(file->header.e_ident, ELFMAG, SELFMAG);
	file->header.e_phoff = offsetof(struct image_file, segments);
	file->header.e_phentsize = sizeof(ElfW(Phdr));
	file->header.e_phnum = 2;
	file->segments[0] = (ElfW(Phdr)){ .p_type = PT_LOAD,
		.p_flags = PF_R,
		.p_vaddr = 0x10000,
		.p_filesz = sizeof(*file),
		.p_memsz = sizeof(*file) };
	put_note(&notes_size, 1, "other", 6, 0x11, 5);
	put_note(&notes_size, NT_GNU_BUILD_ID, "GNU", 4, 0xab, BUILD_ID_SIZE);
	build_id_at = notes_size - BUILD_ID_SIZE;
	file->segments[1] = (ElfW(Phdr)){ .p_type = PT_NOTE,
		.p_flags = PF_R,
		.p_vaddr = 0x10000 + offsetof(struct image_file, notes),
		.p_filesz = notes_size,
		.p_align = 4 };
	return 0;
}

static int file_free(void **state)
{
	(void)state;
	free(file);
	return 0;
}

static void file_fill_build_id(uint8_t byte)
{
	memset(&file->notes[build_id_at], byte, BUILD_ID_SIZE);
}

static bool file_image(struct elf_image *image)
{
	uintptr_t begin = (uintptr_t)file;

	return elf_image_from_memory(image, begin, begin + sizeof(*file), begin - 0x10000);
}

static void a_build_id_is_found_behind_other_notes(void **state)
{
	struct elf_image image;

	(void)state;
	assert_true(file_image(&image));
	struct elf_range id = elf_image_build_id(&image);
	assert_int_equal(id.end - id.begin, 20);
	assert_int_equal(id.begin[0], 0xab);
	assert_int_equal(id.begin[19], 0xab);
}

static void notes_that_lie_give_no_build_id(void **state)
{
	struct elf_image image;

	(void)state;
	assert_true(file_image(&image));
	ElfW(Phdr) *notes = &file->segments[1];
	const ElfW(Phdr) good = *notes;

	for (size_t size = 0; size < good.p_filesz; size++) {
		notes->p_filesz = size; /* cut anywhere */
		struct elf_range id = elf_image_build_id(&image);
		assert_int_equal(id.end - id.begin, 0);
	}
	*notes = good;
	notes->p_vaddr = 0x9000;
	assert_null(elf_image_build_id(&image).begin);
	notes->p_vaddr = 0x10000 + sizeof(*file) - 4;
	assert_null(elf_image_build_id(&image).begin);
	*notes = good;
	notes->p_filesz = UINT64_MAX - 100;
	assert_null(elf_image_build_id(&image).begin);
	*notes = good;
	for (size_t bit = 0; bit < 8 * good.p_filesz; bit++) {
		file->notes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		struct elf_range id = elf_image_build_id(&image);
		assert_true(id.begin >= file->notes || !id.begin);
		assert_true(id.end <= file->notes + good.p_filesz);
		file->notes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void headers_that_do_not_fit_are_refused(void **state)
{
	struct elf_image image;
	uintptr_t begin = (uintptr_t)file;

	(void)state;
	assert_false(elf_image_from_memory(&image, begin, begin + 4095, 0));
	file->header.e_phnum = 0xffff;
	assert_false(file_image(&image));
	file->header.e_phnum = 2;
	file->header.e_phoff = 4090;
	assert_false(file_image(&image));
	file->header.e_phoff = UINT64_MAX - 7;
	assert_false(file_image(&image));
	file->header.e_phoff = offsetof(struct image_file, segments);
	file->header.e_phentsize = 8;
	assert_false(file_image(&image));
	file->header.e_phentsize = sizeof(ElfW(Phdr));
	file->header.e_ident[1] = 'F';
	assert_false(file_image(&image));
}

static void a_segment_beyond_the_mapping_is_none(void **state)
{
	struct elf_image image;

	(void)state;
	assert_true(file_image(&image));
	assert_ptr_equal(elf_image_segment_at(&image, (uintptr_t)file + 8).begin, file);
	assert_null(elf_image_segment_at(&image, (uintptr_t)file + sizeof(*file)).begin);
	file->segments[0].p_filesz = sizeof(*file) + 1;
	assert_null(elf_image_segment_at(&image, (uintptr_t)file + 8).begin);
	file->segments[0].p_filesz = sizeof(*file);
	file->segments[0].p_flags = PF_X;
	assert_null(elf_image_segment_at(&image, (uintptr_t)file + 8).begin);
}

/* The log */

static struct process_slot *slot;

static struct process_slot *zeroed_slot(void)
{
	struct process_slot *zeroed = aligned_alloc(_Alignof(struct process_slot), sizeof(*zeroed));

	return zeroed ? memset(zeroed, 0, sizeof(*zeroed)) : NULL;
}

static int slot_new(void **state)
{
	slot = zeroed_slot();
	return slot ? file_make(state) : -1;
}

static int slot_free(void **state)
{
	free(slot);
	return file_free(state);
}

/* The file as it would be with this build id. */
static bool add(uint8_t id, const char *path, uint64_t ticks)
{
	struct elf_image image;

	file_fill_build_id(id);
	assert_true(file_image(&image));
	return module_log_add(slot, &image, path, ticks);
}

static void a_module_is_described(void **state)
{
	(void)state;
	assert_true(add(0x77, "/usr/lib/libx.so", 1234));
	const struct segment_module *entry = &slot->modules[0];

	assert_int_equal(slot->module_count, 1);
	assert_int_equal(entry->ready, 1);
	assert_int_equal(entry->begin, (uintptr_t)file);
	assert_int_equal(entry->end, (uintptr_t)file + sizeof(*file));
	assert_int_equal(entry->bias, (uintptr_t)file - 0x10000);
	assert_int_equal(entry->time, 1234);
	assert_int_equal(entry->build_id_size, 20);
	assert_int_equal(entry->build_id[19], 0x77);
	assert_string_equal(entry->path, "/usr/lib/libx.so");
}

static void a_module_is_told_once_until_another_has_its_place(void **state)
{
	(void)state;
	for (uint64_t ticks = 0; ticks < 5; ticks++)
		add(1, "a.so", ticks);
	assert_int_equal(slot->module_count, 1);
	add(2, "a.so", 10);
	add(2, "a.so", 11);
	assert_int_equal(slot->module_count, 2);
	add(1, "a.so", 20); /* back again */
	assert_int_equal(slot->module_count, 3);
	assert_int_equal(slot->modules[2].time, 20);
	add(1, "b.so", 30);
	assert_int_equal(slot->module_count, 4);
}

static void a_path_that_is_too_long_is_cut(void **state)
{
	char path[2 * SEGMENT_PATH_MAX];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	add(1, path, 0);
	assert_int_equal(strlen(slot->modules[0].path), SEGMENT_PATH_MAX - 1);
	add(2, NULL, 0);
	assert_string_equal(slot->modules[1].path, "");
}

static void a_full_log_refuses(void **state)
{
	char path[20];

	(void)state;
	for (unsigned i = 0; i < SEGMENT_MODULES; i++) {
		snprintf(path, sizeof(path), "%u", i);
		assert_true(add(1, path, i));
	}
	for (unsigned i = 0; i < 1000; i++)
		assert_false(add(2, "more", i));
	assert_int_equal(slot->module_count, SEGMENT_MODULES);
	assert_true(add(1, path, 0)); /* the newest is there */
}

static void a_child_has_what_its_parent_had(void **state)
{
	struct process_slot *child = zeroed_slot();

	(void)state;
	assert_non_null(child);
	add(1, "a.so", 5);
	add(2, "b.so", 6);
	slot->module_count++; /* one that is not ready */
	module_log_copy(child, slot);
	assert_int_equal(child->module_count, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(child->modules[i].ready, 1);
		assert_int_equal(child->modules[i].time, 5 + i);
		assert_string_equal(child->modules[i].path, i ? "b.so" : "a.so");
	}
	free(child);
}

static void all_that_is_loaded_is_told(void **state)
{
	bool has_program = false;
	bool has_libc = false;

	(void)state;
	module_log_add_all(slot, 99);
	assert_in_range(slot->module_count, 3, SEGMENT_MODULES);
	for (uint32_t i = 0; i < slot->module_count; i++) {
		const struct segment_module *entry = &slot->modules[i];

		assert_true(entry->begin < entry->end);
		has_program |= entry->path[0] == '\0' &&
			       (uintptr_t)all_that_is_loaded_is_told - entry->begin <
					       entry->end - entry->begin;
		has_libc |= strstr(entry->path, "libc.so") && entry->build_id_size > 0;
	}
	assert_true(has_program);
	assert_true(has_libc);
}

static void *add_many(void *argument)
{
	struct elf_image image = *(struct elf_image *)argument;
	char path[20];

	for (unsigned i = 0; i < SEGMENT_MODULES; i++) {
		snprintf(path, sizeof(path), "%u", i);
		module_log_add(slot, &image, path, i);
	}
	return NULL;
}

static void threads_fill_every_entry_completely(void **state)
{
	struct elf_image image;
	pthread_t threads[4];

	(void)state;
	assert_true(file_image(&image));
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, add_many, &image);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_in_range(slot->module_count, SEGMENT_MODULES, SEGMENT_MODULES + 4);
	for (unsigned i = 0; i < SEGMENT_MODULES; i++) {
		assert_int_equal(slot->modules[i].ready, 1);
		assert_int_equal(slot->modules[i].time, strtoul(slot->modules[i].path, NULL, 10));
		assert_int_equal(slot->modules[i].begin, (uintptr_t)file);
	}
}

#define FILE_TEST(test) cmocka_unit_test_setup_teardown(test, file_make, file_free)
#define LOG_TEST(test)  cmocka_unit_test_setup_teardown(test, slot_new, slot_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(a_build_id_is_found_behind_other_notes),
		FILE_TEST(notes_that_lie_give_no_build_id),
		FILE_TEST(headers_that_do_not_fit_are_refused),
		FILE_TEST(a_segment_beyond_the_mapping_is_none),
		LOG_TEST(a_module_is_described),
		LOG_TEST(a_module_is_told_once_until_another_has_its_place),
		LOG_TEST(a_path_that_is_too_long_is_cut),
		LOG_TEST(a_full_log_refuses),
		LOG_TEST(a_child_has_what_its_parent_had),
		LOG_TEST(all_that_is_loaded_is_told),
		LOG_TEST(threads_fill_every_entry_completely),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
