#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/symbols/elf_file.h"
#include "recorder/symbols/symbol_process.h"
#include "tests/unit/recorder/symbols/inlined_calls.h"

/* What the receiver got, as text: "function file:line" for each place, one address a line. */
static char told[4096];

static enum lo_result tell(void *context, uint32_t i, const struct symbol_place *places,
		uint32_t count, struct lo_error *err)
{
	size_t used = strlen(told);

	(void)context;
	(void)err;
	used += (size_t)snprintf(told + used, sizeof(told) - used, "%u:", i);
	for (uint32_t k = 0; k < count; k++) {
		const char *base = strrchr(places[k].file, '/');

		used += (size_t)snprintf(told + used, sizeof(told) - used, " %s %s:%u",
				places[k].function, base ? base + 1 : places[k].file,
				places[k].line);
	}
	snprintf(told + used, sizeof(told) - used, "\n");
	return LO_OK;
}

static const struct symbol_receiver receiver = { tell, NULL };

static int set_up(void **state)
{
	(void)state;
	told[0] = '\0';
	return 0;
}

/* Where this program was loaded. */
static int find_bias(struct dl_phdr_info *info, size_t size, void *bias)
{
	(void)size;
	*(uint64_t *)bias = info->dlpi_addr;
	return 1; /* the first is the program */
}

static uint64_t call_address;

static void take_place(void)
{
	uint64_t bias = 0;

	dl_iterate_phdr(find_bias, &bias);
	call_address = (uint64_t)(uintptr_t)__builtin_return_address(0) - bias - 1;
}

typedef enum lo_result look_up(const struct symbol_job *job, struct lo_error *err);

static enum lo_result look_up_here(const struct symbol_job *job, struct lo_error *err)
{
	return symbolizer_look_up(job, &receiver, err);
}

static enum lo_result look_up_in_child(const struct symbol_job *job, struct lo_error *err)
{
	return symbol_process_look_up(job, &receiver, NULL, NULL, err);
}

static void assert_inlined_calls_are_told(look_up *ask)
{
	struct symbol_job job = {
		.path = "/proc/self/exe", .count = 1, .addresses = &call_address
	};

	outermost(take_place);
	assert_int_equal(ask(&job, NULL), LO_OK);
	assert_string_equal(told, "0: innermost inlined_calls.c:9 middle inlined_calls.c:14 "
				  "outermost inlined_calls.c:19\n");
}

static void inlined_calls_are_told_innermost_first(void **state)
{
	(void)state;
	assert_inlined_calls_are_told(look_up_here);
}

static void the_child_process_tells_the_same(void **state)
{
	(void)state;
	assert_inlined_calls_are_told(look_up_in_child);
}

static void addresses_without_names_are_passed_over(void **state)
{
	uint64_t addresses[] = { 0, 1, UINT64_MAX, 0xdeadbeefdeadull };
	struct symbol_job job = { .path = "/proc/self/exe", .count = 4, .addresses = addresses };

	(void)state;
	assert_int_equal(look_up_in_child(&job, NULL), LO_OK);
	assert_string_equal(told, "");
}

static void the_c_library_has_names_even_without_debug_information(void **state)
{
	Dl_info info;
	uint64_t address;
	struct symbol_job job = { .count = 1, .addresses = &address };
	void *function = dlsym(RTLD_DEFAULT, "getaddrinfo");

	(void)state;
	assert_true(function && dladdr(function, &info));
	address = (uint64_t)((char *)function - (char *)info.dli_fbase) + 1;
	job.path = info.dli_fname;
	assert_int_equal(look_up_in_child(&job, NULL), LO_OK);
	assert_non_null(strstr(told, "getaddrinfo "));
}

static void the_kernel_s_library_has_names(void **state)
{
	const char *image = (const char *)getauxval(AT_SYSINFO_EHDR);
	void *vdso = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);
	char *function = vdso ? dlsym(vdso, "__vdso_clock_gettime") : NULL;
	uint64_t address;
	struct symbol_job job = { .path = "[vdso]", .count = 1, .addresses = &address };

	(void)state;
	if (!image || !function)
		skip();
	address = (uint64_t)(function - image) + 1;
	assert_int_equal(look_up_in_child(&job, NULL), LO_OK);
	assert_non_null(strstr(told, "clock_gettime"));
}

static void a_file_that_has_changed_is_refused(void **state)
{
	uint8_t other_id[20] = { 1, 2, 3 };
	struct symbol_job job = { .path = "/proc/self/exe",
		.build_id = other_id,
		.build_id_size = sizeof(other_id),
		.count = 1,
		.addresses = &call_address };
	struct lo_error err;

	(void)state;
	outermost(take_place);
	assert_int_equal(look_up_in_child(&job, &err), LO_UNSUPPORTED);
	assert_non_null(strstr(err.message, "changed"));
	assert_string_equal(told, "");
}

static void the_right_build_id_is_accepted(void **state)
{
	uint8_t id[ELF_BUILD_ID_MAX];
	struct elf_file file;
	struct symbol_job job = {
		.path = "/proc/self/exe", .build_id = id, .count = 1, .addresses = &call_address
	};

	(void)state;
	outermost(take_place);
	assert_int_equal(elf_file_open(&file, "/proc/self/exe", NULL), LO_OK);
	job.build_id_size = elf_file_build_id(&file, id);
	elf_file_close(&file);
	assert_int_equal(look_up_in_child(&job, NULL), LO_OK);
	assert_non_null(strstr(told, "outermost"));
}

static void what_is_no_program_or_not_there_is_a_sentence(void **state)
{
	static const char *const paths[] = { "/etc/passwd", "/nonexistent", "/", "/dev/null", "" };
	struct lo_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct symbol_job job = {
			.path = paths[i], .count = 1, .addresses = &call_address
		};

		err.message[0] = '\0';
		assert_int_not_equal(look_up_in_child(&job, &err), LO_OK);
		assert_true(err.message[0] != '\0');
	}
}

static bool never_go_on(void *context)
{
	(*(int *)context)++;
	return false;
}

static enum lo_result refuse(void *context, uint32_t i, const struct symbol_place *places,
		uint32_t count, struct lo_error *err)
{
	(void)context;
	(void)i;
	(void)places;
	(void)count;
	return lo_fail(err, LO_IO, LO_NO_OFFSET, "the disk is full");
}

static void a_receiver_that_fails_ends_the_work(void **state)
{
	const struct symbol_receiver failing = { refuse, NULL };
	struct symbol_job job = {
		.path = "/proc/self/exe", .count = 1, .addresses = &call_address
	};

	(void)state;
	outermost(take_place);
	assert_int_equal(symbol_process_look_up(&job, &failing, NULL, NULL, NULL), LO_IO);
}

static enum lo_result count_only(void *context, uint32_t i, const struct symbol_place *places,
		uint32_t count, struct lo_error *err)
{
	(void)i;
	(void)places;
	(void)count;
	(void)err;
	(*(uint32_t *)context)++;
	return LO_OK;
}

static void long_work_can_be_cut_short(void **state)
{
	enum {
		MANY = 20000000
	};
	uint64_t *addresses = calloc(MANY, sizeof(*addresses));
	struct symbol_job job = { .path = "/proc/self/exe", .count = MANY, .addresses = addresses };
	uint32_t received = 0;
	const struct symbol_receiver counting = { count_only, &received };
	int asked = 0;

	(void)state;
	assert_non_null(addresses);
	outermost(take_place);
	for (uint32_t i = 0; i < MANY; i++)
		addresses[i] = call_address;
	assert_int_equal(symbol_process_look_up(&job, &counting, never_go_on, &asked, NULL),
			LO_CANCELLED);
	assert_int_equal(asked, 1);
	assert_in_range(received, 0, MANY - 1);
	free(addresses);
}

/* Half of the changes hit headers, the rest anything. */
static size_t place_to_break(size_t size)
{
	size_t anywhere = (size_t)rand() % size;

	switch (rand() % 4) {
	case 0:
		return anywhere % 1024;
	case 1:
		return size - 1 - anywhere % 4096;
	default:
		return anywhere;
	}
}

/* Copies of this program with bytes changed: whatever happens, it happens in the child. */
static void broken_files_cost_their_own_names_only(void **state)
{
	static unsigned char program[8 << 20];
	char path[] = "/tmp/loiter-broken-elf-XXXXXX";
	int fd = mkstemp(path);
	FILE *self = fopen("/proc/self/exe", "re");
	size_t size = fread(program, 1, sizeof(program), self);
	uint64_t addresses[64];
	struct symbol_job job = { .path = path, .count = 64, .addresses = addresses };

	(void)state;
	fclose(self);
	outermost(take_place);
	for (uint32_t i = 0; i < 64; i++)
		addresses[i] = call_address + i * 8;
	srand(11);
	for (int round = 0; round < 100; round++) {
		assert_int_equal(pwrite(fd, program, size, 0), (ssize_t)size);
		for (int k = 0; k < 8; k++) {
			unsigned char byte = (unsigned char)rand();

			assert_int_equal(pwrite(fd, &byte, 1, (off_t)place_to_break(size)), 1);
		}
		told[0] = '\0';
		look_up_in_child(&job, NULL);
	}
	/* And cut short. */
	for (size_t left = size; left > 0; left = left * 2 / 3) {
		assert_int_equal(ftruncate(fd, (off_t)left), 0);
		told[0] = '\0';
		look_up_in_child(&job, NULL);
	}
	unlink(path);
	close(fd);
}

int main(void)
{
#define TEST(behaviour) cmocka_unit_test_setup(behaviour, set_up)
	const struct CMUnitTest tests[] = {
		TEST(inlined_calls_are_told_innermost_first),
		TEST(the_child_process_tells_the_same),
		TEST(addresses_without_names_are_passed_over),
		TEST(the_c_library_has_names_even_without_debug_information),
		TEST(the_kernel_s_library_has_names),
		TEST(a_file_that_has_changed_is_refused),
		TEST(the_right_build_id_is_accepted),
		TEST(what_is_no_program_or_not_there_is_a_sentence),
		TEST(a_receiver_that_fails_ends_the_work),
		TEST(long_work_can_be_cut_short),
		TEST(broken_files_cost_their_own_names_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
