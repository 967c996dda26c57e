#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/symbols/elf_file.h"
#include "tests/support/elf_forge.h"

static char path[64];
static struct elf_file file;

static int tear_down(void **state)
{
	(void)state;
	elf_file_close(&file);
	if (path[0])
		unlink(path);
	path[0] = '\0';
	return 0;
}

static enum lo_result open_forged(const struct elf_forge *forge)
{
	elf_forge_write(forge, path);
	return elf_file_open(&file, path, NULL);
}

static void a_sound_program_tells_everything(void **state)
{
	const struct elf_forge forge = {
		.interpreter = "/lib64/ld-linux-x86-64.so.2",
		.note_owner = "GNU",
		.note_type = NT_GNU_BUILD_ID,
		.note = "\x01\x02\x03\x04",
		.note_bytes = 4,
		.needed = { "libasan.so.8", "libc.so.6" },
		.symbol = "__tsan_init",
	};
	uint8_t id[ELF_BUILD_ID_MAX];
	char text[ELF_NAME_MAX];
	uint64_t vaddr;

	(void)state;
	assert_int_equal(open_forged(&forge), LO_OK);
	assert_int_equal(file.machine, EM_X86_64);
	assert_true(elf_file_interpreter(&file, text, sizeof(text)));
	assert_string_equal(text, "/lib64/ld-linux-x86-64.so.2");
	assert_int_equal(elf_file_build_id(&file, id), 4);
	assert_memory_equal(id, "\x01\x02\x03\x04", 4);
	assert_true(elf_file_has_note(&file, "GNU", NT_GNU_BUILD_ID));
	assert_false(elf_file_has_note(&file, "Go", 4));
	assert_false(elf_file_has_note(&file, "GN", NT_GNU_BUILD_ID));
	assert_true(elf_file_needed(&file, 0, text));
	assert_string_equal(text, "libasan.so.8");
	assert_true(elf_file_needed(&file, 1, text));
	assert_string_equal(text, "libc.so.6");
	assert_false(elf_file_needed(&file, 2, text));
	assert_true(elf_file_names_symbol(&file, "__tsan_init"));
	assert_false(elf_file_names_symbol(&file, "tsan_init"));
	assert_false(elf_file_names_symbol(&file, "__tsan_ini"));
	assert_true(elf_file_vaddr(&file, 0, &vaddr));
	assert_int_equal(vaddr, ELF_FORGE_BASE);
	assert_false(elf_file_vaddr(&file, 1u << 30, &vaddr));
}

static void a_program_without_extras_has_none(void **state)
{
	const struct elf_forge forge = { 0 };
	uint8_t id[ELF_BUILD_ID_MAX];
	char text[ELF_NAME_MAX];

	(void)state;
	assert_int_equal(open_forged(&forge), LO_OK);
	assert_false(elf_file_interpreter(&file, text, sizeof(text)));
	assert_int_equal(elf_file_build_id(&file, id), 0);
	assert_false(elf_file_needed(&file, 0, text));
	assert_false(elf_file_names_symbol(&file, "main"));
	assert_null(elf_file_segment(&file, PT_DYNAMIC));
}

static void other_machines_are_told_apart_without_reading_on(void **state)
{
	const struct elf_forge small = { .elf_class = ELFCLASS32, .machine = EM_386 };
	const struct elf_forge arm = { .machine = EM_AARCH64 };

	(void)state;
	assert_int_equal(open_forged(&small), LO_OK);
	assert_int_equal(file.elf_class, ELFCLASS32);
	assert_int_equal(file.machine, EM_386);
	assert_int_equal(file.segment_count, 0);
	elf_file_close(&file);
	unlink(path);
	assert_int_equal(open_forged(&arm), LO_OK);
	assert_int_equal(file.machine, EM_AARCH64);
}

static void what_is_no_elf_file_is_said_to_be_none(void **state)
{
	(void)state;
	assert_int_equal(elf_file_open(&file, "/etc/passwd", NULL), LO_UNSUPPORTED);
	assert_int_equal(elf_file_open(&file, "/dev/null", NULL), LO_UNSUPPORTED);
	assert_int_equal(elf_file_open(&file, "/", NULL), LO_UNSUPPORTED);
	assert_int_equal(elf_file_open(&file, "/no/such/file", NULL), LO_IO);
}

/* Whatever the bytes say, nothing beyond the file is read and nothing is believed. */
static void ask_everything(void)
{
	uint8_t id[ELF_BUILD_ID_MAX];
	char text[ELF_NAME_MAX];
	uint64_t vaddr;

	elf_file_interpreter(&file, text, sizeof(text));
	assert_in_range(elf_file_build_id(&file, id), 0, ELF_BUILD_ID_MAX);
	elf_file_has_note(&file, "Go", 4);
	for (uint32_t i = 0; i < ELF_NEEDED_MAX + 2; i++)
		if (elf_file_needed(&file, i, text))
			assert_true(memchr(text, '\0', sizeof(text)) != NULL);
	elf_file_names_symbol(&file, "__tsan_init");
	elf_file_vaddr(&file, 100, &vaddr);
}

static void a_file_cut_anywhere_is_survived(void **state)
{
	const struct elf_forge forge = { .interpreter = "/lib64/ld-linux-x86-64.so.2",
		.note_owner = "GNU",
		.note_type = 3,
		.note = "abcd",
		.note_bytes = 4,
		.needed = { "libc.so.6" } };
	size_t size;

	(void)state;
	size = elf_forge_write(&forge, path);
	for (size_t left = size; left-- > 0;) {
		assert_int_equal(truncate(path, (off_t)left), 0);
		if (elf_file_open(&file, path, NULL) == LO_OK)
			ask_everything();
		elf_file_close(&file);
	}
}

static void changed_bytes_are_survived(void **state)
{
	const struct elf_forge forge = { .interpreter = "/lib64/ld-linux-x86-64.so.2",
		.note_owner = "GNU",
		.note_type = 3,
		.note = "abcd",
		.note_bytes = 4,
		.needed = { "libc.so.6", "libm.so.6" },
		.symbol = "x" };
	static const unsigned char values[] = { 0, 1, 0x7f, 0x80, 0xff };
	unsigned char bytes[4096];
	size_t size;
	FILE *out;

	(void)state;
	size = elf_forge_write(&forge, path);
	out = fopen(path, "r+e");
	assert_int_equal(fread(bytes, 1, size, out), size);
	for (size_t at = 0; at < size; at++) {
		for (size_t v = 0; v < sizeof(values); v++) {
			pwrite(fileno(out), &values[v], 1, (off_t)at);
			if (elf_file_open(&file, path, NULL) == LO_OK)
				ask_everything();
			elf_file_close(&file);
		}
		pwrite(fileno(out), &bytes[at], 1, (off_t)at);
	}
	fclose(out);
}

int main(void)
{
#define TEST(behaviour) cmocka_unit_test_teardown(behaviour, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_sound_program_tells_everything),
		TEST(a_program_without_extras_has_none),
		TEST(other_machines_are_told_apart_without_reading_on),
		TEST(what_is_no_elf_file_is_said_to_be_none),
		TEST(a_file_cut_anywhere_is_survived),
		TEST(changed_bytes_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
