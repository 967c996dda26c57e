#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/base/limits.h"
#include "formats/base/string_table.h"

static struct string_table *new_table(void)
{
	struct string_table *table;

	assert_int_equal(string_table_new(&table, NULL), LO_OK);
	return table;
}

static uint32_t add(struct string_table *table, const char *bytes, uint32_t length)
{
	uint32_t id = 42;

	assert_int_equal(string_table_add(table, bytes, length, &id, NULL), LO_OK);
	return id;
}

static void equal_strings_share_an_id(void **state)
{
	struct string_table *table = new_table();
	uint32_t length;

	(void)state;
	assert_int_equal(add(table, "one", 3), 1);
	assert_int_equal(add(table, "two", 3), 2);
	assert_int_equal(add(table, "one and more", 3), 1);
	assert_int_equal(add(table, "", 0), 3);
	assert_int_equal(add(table, "one\0", 4), 4);
	assert_int_equal(string_table_count(table), 4);
	assert_memory_equal(string_table_get(table, 4, &length), "one\0", 5);
	assert_int_equal(length, 4);
	string_table_free(table);
}

static void ids_out_of_range_are_empty_strings(void **state)
{
	struct string_table *table = new_table();
	uint32_t length = 42;

	(void)state;
	add(table, "one", 3);
	assert_string_equal(string_table_get(table, STRING_NONE, &length), "");
	assert_int_equal(length, 0);
	assert_string_equal(string_table_get(table, 2, NULL), "");
	assert_string_equal(string_table_get(table, UINT32_MAX, NULL), "");
	string_table_free(table);
	string_table_free(NULL);
}

static void strings_stay_where_they_are(void **state)
{
	struct string_table *table = new_table();
	const char *first;
	char text[32];

	(void)state;
	add(table, "first", 5);
	first = string_table_get(table, 1, NULL);
	for (unsigned i = 0; i < 50000; i++) {
		snprintf(text, sizeof(text), "string %u", i);
		assert_int_equal(add(table, text, (uint32_t)strlen(text)), i + 2);
	}
	assert_ptr_equal(string_table_get(table, 1, NULL), first);
	assert_string_equal(first, "first");
	assert_int_equal(add(table, "string 49999", 12), 50001);
	assert_string_equal(string_table_get(table, 25002, NULL), "string 25000");
	string_table_free(table);
}

static void one_string_may_be_as_long_as_the_limit(void **state)
{
	struct string_table *table = new_table();
	char *text = malloc(LIMIT_STRING_LENGTH + 1);
	struct lo_error err;
	uint32_t id;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', LIMIT_STRING_LENGTH + 1);
	assert_int_equal(add(table, text, LIMIT_STRING_LENGTH), 1);
	assert_int_equal(string_table_add(table, text, LIMIT_STRING_LENGTH + 1, &id, &err),
			LO_UNSUPPORTED);
	assert_int_equal(id, STRING_NONE);
	assert_int_equal(string_table_count(table), 1);
	assert_int_equal(add(table, "small", 5), 2);
	free(text);
	string_table_free(table);
}

static void lost_rows_leave_their_ids_empty(void **state)
{
	struct string_table *table = new_table();

	(void)state;
	assert_int_equal(string_table_append(table, "a", 1, NULL), LO_OK);
	assert_int_equal(string_table_leave_out(table, 1000, NULL), LO_OK);
	assert_int_equal(string_table_append(table, "a", 1, NULL), LO_OK);
	assert_int_equal(string_table_count(table), 1002);
	assert_string_equal(string_table_get(table, 1, NULL), "a");
	assert_string_equal(string_table_get(table, 500, NULL), "");
	assert_string_equal(string_table_get(table, 1002, NULL), "a");
	assert_int_equal(string_table_leave_out(table, UINT32_MAX, NULL), LO_UNSUPPORTED);
	assert_int_equal(string_table_leave_out(table, LIMIT_STRINGS - 1001, NULL), LO_UNSUPPORTED);
	assert_int_equal(string_table_count(table), 1002);
	string_table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_strings_share_an_id),
		cmocka_unit_test(ids_out_of_range_are_empty_strings),
		cmocka_unit_test(strings_stay_where_they_are),
		cmocka_unit_test(one_string_may_be_as_long_as_the_limit),
		cmocka_unit_test(lost_rows_leave_their_ids_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
