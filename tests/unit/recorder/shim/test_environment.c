#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "recorder/shim/environment.h"

#define OURS "/usr/lib/loiter/libloiter-preload.so"

/* What becomes of LD_PRELOAD; "(none)" when the variable is gone. */
static const char *after(const char *list)
{
	static char preload[256];
	char first[] = "A=1", segment[] = "LOITER_SEGMENT=/proc/1/fd/2", last[] = "Z=LD_PRELOAD=x";
	char token[] = "LOITER_SEGMENT_TOKEN=ff";
	char *variables[] = { first, segment, preload, token, last, NULL };
	char **saved = environ;
	const char *left = "(none)";

	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", list);
	environ = variables;
	environment_forget();
	assert_string_equal(variables[0], "A=1");
	if (strncmp(variables[1], "LD_PRELOAD=", 11) == 0) {
		left = variables[1] + 11;
		assert_string_equal(variables[2], "Z=LD_PRELOAD=x");
		assert_null(variables[3]);
	} else {
		assert_string_equal(variables[1], "Z=LD_PRELOAD=x");
		assert_null(variables[2]);
	}
	environ = saved;
	return left;
}

static void alone_in_the_list_the_variable_goes(void **state)
{
	(void)state;
	assert_string_equal(after(OURS), "(none)");
	assert_string_equal(after("libloiter-preload.so"), "(none)");
	assert_string_equal(after(OURS ":"), "(none)");
	assert_string_equal(after(OURS " " OURS), "(none)");
	assert_string_equal(after(""), "(none)");
}

static void others_stay_in_their_order(void **state)
{
	(void)state;
	assert_string_equal(after(OURS ":a.so"), "a.so");
	assert_string_equal(after("a.so:" OURS), "a.so");
	assert_string_equal(after("a.so:" OURS ":b.so"), "a.so:b.so");
	assert_string_equal(after("a.so " OURS " b.so"), "a.so b.so");
	assert_string_equal(after("a.so:b.so"), "a.so:b.so");
	assert_string_equal(after(OURS ":a.so:" OURS ":b.so:" OURS), "a.so:b.so");
}

static void only_whole_names_are_ours(void **state)
{
	(void)state;
	assert_string_equal(after("notlibloiter-preload.so"), "notlibloiter-preload.so");
	assert_string_equal(after("libloiter-preload.so.1"), "libloiter-preload.so.1");
	assert_string_equal(after("/x/not-libloiter-preload.so"), "/x/not-libloiter-preload.so");
}

static void without_variables_there_is_nothing_to_do(void **state)
{
	char **saved = environ;
	char *none[] = { NULL };

	(void)state;
	environ = none;
	environment_forget();
	assert_null(none[0]);
	environ = NULL;
	environment_forget();
	environ = saved;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone_in_the_list_the_variable_goes),
		cmocka_unit_test(others_stay_in_their_order),
		cmocka_unit_test(only_whole_names_are_ours),
		cmocka_unit_test(without_variables_there_is_nothing_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
