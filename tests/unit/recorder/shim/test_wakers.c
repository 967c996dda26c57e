#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "recorder/shim/shim.h"
#include "recorder/shim/wakers.h"

static char places[1 << 16];

static void the_last_note_counts(void **state)
{
	(void)state;
	assert_int_equal(wakers_last(&places[0]).task, 0);
	wakers_note(&places[0], 7, false);
	wakers_note(&places[0], 8, true);
	assert_int_equal(wakers_last(&places[0]).task, 8);
	assert_true(wakers_last(&places[0]).nobody_waited);
	wakers_note(&places[0], UINT32_MAX, false);
	assert_int_equal(wakers_last(&places[0]).task, UINT32_MAX);
	assert_false(wakers_last(&places[0]).nobody_waited);
}

static void only_a_note_since_the_mark_names_a_waker(void **state)
{
	(void)state;
	wakers_note(&places[64], 5, false);
	uint64_t mark = wakers_mark(&places[64]);
	assert_int_equal(wakers_since(&places[64], mark), 0);
	/* The same task again is a note too, as often as the count can tell. */
	for (int i = 0; i < 100; i++) {
		wakers_note(&places[64], 5, false);
		assert_int_equal(wakers_since(&places[64], mark), 5);
	}
}

/* Many more addresses than entries: an entry may be lost, but never answers for another address. */
static void an_address_is_not_taken_for_another(void **state)
{
	unsigned kept = 0;

	(void)state;
	for (uint32_t i = 0; i < sizeof(places) / 8; i++)
		wakers_note(&places[8 * i], i + 1, false);
	for (uint32_t i = 0; i < sizeof(places) / 8; i++) {
		uint32_t task = wakers_last(&places[8 * i]).task;
		assert_true(task == 0 || task == i + 1);
		kept += task != 0;
	}
	/* Half of them at most fit; evenly spread addresses should come close to that. */
	assert_in_range(kept, (1u << WAKERS_TABLE_BITS) / 2, 1u << WAKERS_TABLE_BITS);
}

static void a_child_begins_without_notes(void **state)
{
	int status = 0;

	(void)state;
	assert_true(wakers_init());
	wakers_note(&places[0], 3, false);
	pid_t child = fork();
	if (child == 0)
		_exit(wakers_last(&places[0]).task != 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(wakers_last(&places[0]).task, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_note_counts),
		cmocka_unit_test(only_a_note_since_the_mark_names_a_waker),
		cmocka_unit_test(an_address_is_not_taken_for_another),
		cmocka_unit_test(a_child_begins_without_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
