#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "recorder/drain/task_table.h"

static struct task_table table;

static int set_up(void **state)
{
	(void)state;
	return task_table_init(&table) ? 0 : 1;
}

static int tear_down(void **state)
{
	(void)state;
	task_table_release(&table);
	return 0;
}

static void ids_are_dense_in_the_order_of_asking(void **state)
{
	(void)state;
	assert_int_equal(task_table_add(&table, 1, 500)->id, 1);
	assert_int_equal(task_table_add(&table, 1, 2)->id, 2);
	assert_int_equal(task_table_add(&table, 2, 2)->id, 3);
	assert_int_equal(task_table_add(&table, 1, 500)->id, 1);
	assert_ptr_equal(task_table_find(&table, 2, 2), task_table_add(&table, 2, 2));
	assert_null(task_table_find(&table, 2, 3));
	assert_null(task_table_find(&table, 3, 2));
	assert_non_null(task_table_add(&table, 1, UINT32_MAX));
	assert_non_null(task_table_find(&table, 1, UINT32_MAX));
}

static void exit_all(uint32_t process, uint32_t from, uint32_t to)
{
	for (uint32_t number = from; number < to; number++) {
		task_table_add(&table, process, number)->state = TASK_STATE_EXITED;
		task_table_exited(&table, process, number);
	}
}

static void memory_follows_the_living_not_the_dead(void **state)
{
	(void)state;
	for (uint32_t million = 0; million < 4; million++) {
		for (uint32_t n = 0; n < 1000; n++) {
			uint32_t from = million * 1000000 + n * 1000;

			exit_all(1, from ? from : 1, from + 1000);
			if (n % 20 == 0)
				task_table_retire(&table);
		}
	}
	assert_in_range(table.page_count, 1, 300);
	assert_non_null(task_table_find(&table, 1, 3999999));
	assert_null(task_table_find(&table, 1, 1000000));
}

static void a_page_with_one_living_task_stays(void **state)
{
	(void)state;
	exit_all(1, 0, 99);
	exit_all(1, 100, 200000);
	task_table_add(&table, 1, 99);
	task_table_retire(&table);
	assert_non_null(task_table_find(&table, 1, 99));
	assert_null(task_table_find(&table, 1, 1000));
}

static void hostile_numbers_run_into_a_limit(void **state)
{
	uint32_t given = 0;

	(void)state;
	for (uint32_t i = 0; i < 2 * TASK_PAGES_MAX; i++)
		given += task_table_add(&table, 1, i * 100003u) != NULL;
	assert_in_range(given, TASK_PAGES_MAX / 2, TASK_PAGES_MAX + 1000);
	assert_in_range(table.page_count, 1, TASK_PAGES_MAX);
}

static void thread_ids_lead_to_the_task_that_ran_last_under_them(void **state)
{
	(void)state;
	task_table_set_tid(&table, 1234, 5);
	task_table_set_tid(&table, TASK_TID_MAX - 1, 6);
	task_table_set_tid(&table, TASK_TID_MAX, 7);
	task_table_set_tid(&table, UINT32_MAX, 8);
	task_table_set_tid(&table, 0, 9);
	assert_int_equal(task_table_by_tid(&table, 1234), 5);
	assert_int_equal(task_table_by_tid(&table, TASK_TID_MAX - 1), 6);
	assert_int_equal(task_table_by_tid(&table, TASK_TID_MAX), 0);
	assert_int_equal(task_table_by_tid(&table, UINT32_MAX), 0);
	assert_int_equal(task_table_by_tid(&table, 0), 0);
	assert_int_equal(task_table_by_tid(&table, 4321), 0);
	task_table_set_tid(&table, 1234, 50);
	assert_int_equal(task_table_by_tid(&table, 1234), 50);
}

static enum lo_result count_visit(void *context, uint32_t number, struct task_entry *entry)
{
	(void)entry;
	*(uint64_t *)context += number;
	return number == 4000 ? LO_CANCELLED : LO_OK;
}

static void visiting_and_forgetting_concern_one_process(void **state)
{
	uint64_t sum = 0;

	(void)state;
	task_table_add(&table, 1, 3);
	task_table_add(&table, 1, 3000);
	task_table_add(&table, 2, 4000);
	assert_int_equal(task_table_visit(&table, 1, count_visit, &sum), LO_OK);
	assert_int_equal(sum, 3003);
	assert_int_equal(task_table_visit(&table, 2, count_visit, &sum), LO_CANCELLED);
	task_table_forget_process(&table, 1);
	assert_null(task_table_find(&table, 1, 3));
	assert_non_null(task_table_find(&table, 2, 4000));
}

int main(void)
{
#define TEST(behaviour) cmocka_unit_test_setup_teardown(behaviour, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(ids_are_dense_in_the_order_of_asking),
		TEST(memory_follows_the_living_not_the_dead),
		TEST(a_page_with_one_living_task_stays),
		TEST(hostile_numbers_run_into_a_limit),
		TEST(thread_ids_lead_to_the_task_that_ran_last_under_them),
		TEST(visiting_and_forgetting_concern_one_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
