#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/backend/target_check.h"
#include "tests/support/elf_forge.h"

#define GLIBC "/lib64/ld-linux-x86-64.so.2"

static char path[64];
static struct target_check check;
static struct lo_error err;

static int tear_down(void **state)
{
	(void)state;
	if (path[0])
		unlink(path);
	path[0] = '\0';
	return 0;
}

static enum lo_result check_forged(struct elf_forge forge)
{
	elf_forge_write(&forge, path);
	return target_check(&check, path, &err);
}

static void assert_refused(struct elf_forge forge, const char *word)
{
	err.message[0] = '\0';
	assert_int_equal(check_forged(forge), LO_UNSUPPORTED);
	assert_non_null(strstr(err.message, word));
	/* What to do now: the last sentence. */
	assert_int_equal(err.message[strlen(err.message) - 1], '.');
	assert_int_equal(check.exec_error, 0);
	unlink(path);
}

static void an_ordinary_program_can_be_recorded(void **state)
{
	(void)state;
	assert_int_equal(check_forged((struct elf_forge){
					 .interpreter = GLIBC, .needed = { "libc.so.6" } }),
			LO_OK);
	assert_string_equal(check.path, path);
	assert_string_equal(check.first, "");
	assert_string_equal(check.warning, "");
}

static void programs_that_never_load_us_are_refused_with_the_reason(void **state)
{
	(void)state;
	assert_refused((struct elf_forge){ 0 }, "statically linked");
	assert_refused((struct elf_forge){ .note_owner = "Go",
				       .note_type = 4,
				       .note = "id",
				       .note_bytes = 2 },
			"goroutines");
	assert_refused((struct elf_forge){ .interpreter = "/lib/ld-musl-x86_64.so.1" }, "musl");
	assert_refused((struct elf_forge){ .interpreter = "/system/bin/linker64" }, "linker64");
	assert_refused((struct elf_forge){ .interpreter = "/lib/ld-linux.so.2",
				       .elf_class = ELFCLASS32,
				       .machine = EM_386 },
			"32-bit");
	assert_refused((struct elf_forge){ .interpreter = "/lib/ld-linux-aarch64.so.1",
				       .machine = EM_AARCH64 },
			"processor");
	assert_refused((struct elf_forge){ .interpreter = GLIBC,
				       .needed = { "libm.so.6", "libtsan.so.2" } },
			"thread sanitizer");
	assert_refused((struct elf_forge){ .interpreter = GLIBC,
				       .needed = { "libc.so.6" },
				       .symbol = "__tsan_init" },
			"thread sanitizer");
}

static void the_address_sanitizer_comes_first(void **state)
{
	(void)state;
	assert_int_equal(check_forged((struct elf_forge){ .interpreter = GLIBC,
					 .needed = { "libasan.so.8", "libc.so.6" } }),
			LO_OK);
	assert_string_equal(check.first, "libasan.so.8");
}

static void go_with_cgo_is_recorded_with_a_warning(void **state)
{
	(void)state;
	assert_int_equal(check_forged((struct elf_forge){ .interpreter = GLIBC,
					 .note_owner = "Go",
					 .note_type = 4,
					 .note = "id",
					 .note_bytes = 2,
					 .needed = { "libc.so.6" } }),
			LO_OK);
	assert_non_null(strstr(check.warning, "goroutines"));
}

static void write_script(const char *first_line)
{
	int fd;

	snprintf(path, sizeof(path), "/tmp/loiter-script-XXXXXX");
	fd = mkstemp(path);
	assert_int_equal(write(fd, first_line, strlen(first_line)), strlen(first_line));
	fchmod(fd, 0700);
	close(fd);
}

static void of_a_script_the_interpreter_counts(void **state)
{
	static const char *const lines[] = { "#!/bin/sh\n", "#! \t/bin/sh -e\nexit\n",
		"#!/bin/sh" };
	char shell[PATH_MAX];

	(void)state;
	assert_non_null(realpath("/bin/sh", shell));
	for (size_t i = 0; i < 3; i++) {
		write_script(lines[i]);
		assert_int_equal(target_check(&check, path, &err), LO_OK);
		assert_string_equal(check.path, path);
		assert_string_equal(check.image, shell);
		unlink(path);
	}
	write_script("echo no first line\n");
	assert_int_equal(target_check(&check, path, &err), LO_OK);
	assert_string_equal(check.image, shell);
}

static void scripts_of_scripts_end_somewhere(void **state)
{
	char line[80];

	(void)state;
	write_script("#!/no/such/interpreter\n");
	assert_int_equal(target_check(&check, path, &err), LO_IO);
	assert_int_equal(check.exec_error, ENOENT);
	assert_non_null(strstr(err.message, "/no/such/interpreter"));
	unlink(path);
	/* A script that is its own interpreter. */
	write_script("#!/bin/sh\n");
	snprintf(line, sizeof(line), "#!%s\n", path);
	truncate(path, 0);
	FILE *script = fopen(path, "we");
	fputs(line, script);
	fclose(script);
	target_check(&check, path, &err);
}

static void what_exec_would_not_run_says_so(void **state)
{
	(void)state;
	assert_int_equal(target_check(&check, "/no/such/program", &err), LO_IO);
	assert_int_equal(check.exec_error, ENOENT);
	assert_int_equal(target_check(&check, "no-such-program-anywhere", &err), LO_IO);
	assert_int_equal(check.exec_error, ENOENT);
	assert_non_null(strstr(err.message, "PATH"));
	assert_int_equal(target_check(&check, "", &err), LO_IO);
	assert_int_equal(check.exec_error, ENOENT);
	assert_int_equal(target_check(&check, "/", &err), LO_IO);
	assert_int_equal(check.exec_error, EACCES);
	assert_int_equal(target_check(&check, "/etc/passwd", &err), LO_IO);
	assert_int_equal(check.exec_error, EACCES);
}

static void programs_are_found_on_the_path(void **state)
{
	char saved[4096];

	(void)state;
	snprintf(saved, sizeof(saved), "%s", getenv("PATH"));
	setenv("PATH", "/nonexistent:/etc:/usr/bin:/bin", 1);
	assert_int_equal(target_check(&check, "env", &err), LO_OK);
	assert_string_equal(check.path, "/usr/bin/env");
	setenv("PATH", ":/usr/bin", 1);
	assert_int_equal(target_check(&check, "env", &err), LO_OK);
	setenv("PATH", "", 1);
	assert_int_equal(target_check(&check, "env", &err), LO_IO);
	unsetenv("PATH");
	assert_int_equal(target_check(&check, "env", &err), LO_OK);
	setenv("PATH", saved, 1);
}

/* Damaged files are refused, run anyway or called damaged; never a crash. */
static void damaged_programs_are_survived(void **state)
{
	const struct elf_forge forge = { .interpreter = GLIBC,
		.note_owner = "Go",
		.note_type = 4,
		.note = "id",
		.note_bytes = 2,
		.needed = { "libc.so.6" } };
	size_t size;

	(void)state;
	size = elf_forge_write(&forge, path);
	for (size_t left = size; left-- > 0;) {
		assert_int_equal(truncate(path, (off_t)left), 0);
		target_check(&check, path, &err);
	}
}

int main(void)
{
#define TEST(behaviour) cmocka_unit_test_teardown(behaviour, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_ordinary_program_can_be_recorded),
		TEST(programs_that_never_load_us_are_refused_with_the_reason),
		TEST(the_address_sanitizer_comes_first),
		TEST(go_with_cgo_is_recorded_with_a_warning),
		TEST(of_a_script_the_interpreter_counts),
		TEST(scripts_of_scripts_end_somewhere),
		TEST(what_exec_would_not_run_says_so),
		TEST(programs_are_found_on_the_path),
		TEST(damaged_programs_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
